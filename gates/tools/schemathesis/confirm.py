"""Sends the request of a failure once more, to tell what stands from what changes its mind."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from gates.client import NoAnswer, request
from gates.tools.schemathesis.events import Failure

_FILTERED = ("[Filtered]", "[redacted]")
"""What Schemathesis, and what we, put in the place of a secret."""
_NOT_SENT = ("content-length", "host", "transfer-encoding")


def confirmed(
    failures: Iterable[Failure], origin: str, login: Mapping[str, str], *, each: float, together: float
) -> set[tuple[str, str]]:
    """Return operation and code of the failures whose request gets the same kind of answer again.

    One that is not among them may be flaky, or need what came before it: that is for another whole run to decide.
    `each` and `together` are the seconds that one request and all of them may take.
    """
    end = time.monotonic() + together
    same = set()
    for failure in failures:
        left = end - time.monotonic()
        headers = headers_of(failure, login)
        if left <= 0 or headers is None:
            continue
        sent = failure.request
        try:
            answer = request(origin, sent.method, sent.target, headers=headers, body=sent.body, timeout=min(each, left))
        except NoAnswer:
            repeated = failure.status is None
        else:
            repeated = failure.status is not None and (
                answer.status == failure.status or min(answer.status, failure.status) >= 500
            )
        if repeated:
            same.add((failure.operation, failure.code))
    return same


def headers_of(failure: Failure, login: Mapping[str, str]) -> dict[str, str] | None:
    """Return the headers with the login put back, or None when something else was filtered from the request."""
    target, body = failure.request.target, failure.request.body or b""
    if any(mark in target or quote(mark) in target or mark.encode() in body for mark in _FILTERED):
        return None
    secrets = {name.lower(): value for name, value in login.items()}
    headers = {}
    for name, value in failure.request.headers.items():
        if name.lower() in _NOT_SENT:
            continue
        if any(mark in value for mark in _FILTERED):
            if name.lower() not in secrets:
                return None
            value = secrets[name.lower()]
        headers[name] = value
    return headers
