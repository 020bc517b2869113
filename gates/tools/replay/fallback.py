"""Where an earlier phase recorded no requests to replay, those that it was loaded with: only their status is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from gates.client import NoAnswer, request
from gates.document import Document
from gates.load.assignment import Numbered, Sendable
from gates.load.preparation import Preparation, Prepared, Spoiled, Tried
from gates.results import Finding, RecordedRequest, Severity
from gates.rules import fingerprint
from gates.tools.base import Serving
from gates.tools.replay.comparing import Compared, shown
from gates.tools.replay.rules import GONE, STATUS
from gates.tools.replay.stored import Asked, Promise

_NOT_THERE = (404, 405, 501)
_REDACTED = "[redacted]"


def replay_load(
    phase: str,
    recorded: Sequence[RecordedRequest],
    serve: Callable[[], AbstractContextManager[Serving]],
    excluded: Callable[[Document], Mapping[str, str]],
    *,
    timeout: float,
    seconds: float,
) -> Compared:
    """Send the requests of an earlier load again, with the identifiers of this backend, and compare their class."""
    compared = Compared(phase)
    with serve() as serving:
        document = serving.document
        if document is None or serving.url.startswith("https:"):
            compared.unknown["there is no document over plain HTTP now"] = [one.operation for one in recorded]
            return compared
        left_out = excluded(document)
        corpus = {one.operation: one for one in recorded if one.operation not in left_out}
        preparation = Preparation(document, serving, corpus=corpus, excluded=left_out, timeout=timeout, within=seconds)
        try:
            prepared = preparation.run()
        except Spoiled as error:
            compared.unknown[f"{error.operation} {error.what}"] = list(corpus)
            return compared
        for position, one in enumerate(corpus.values()):
            _judge(compared, position, one, _answers(one, prepared, serving, timeout))
    return compared


def _answers(one: RecordedRequest, prepared: Prepared, serving: Serving, timeout: float) -> list[int] | None:
    """Return the statuses that say a request is no longer answered as then; none when it is, None when unknown."""
    if _REDACTED in one.headers.values():
        return None
    tried: Tried | None = prepared.tried.get(one.operation)
    if tried is None:
        status = _send(one, serving, timeout)
        return None if status is None else [] if status < 400 else [status]
    if not tried.reason and one.operation not in prepared.redrawn:
        return []
    return sorted(status for status in tried.statuses if status >= 400) or None


def _send(one: RecordedRequest, serving: Serving, timeout: float) -> int | None:
    body = None if one.body is None else Numbered(one.body.encode())(1)
    try:
        answer = request(
            serving.url, one.method, one.path, headers={**one.headers, **serving.headers}, body=body, timeout=timeout
        )
    except NoAnswer:
        return None
    return answer.status


def _judge(compared: Compared, position: int, one: RecordedRequest, answers: list[int] | None) -> None:
    made_up = answers is not None and set(answers) == {404} and "{" in one.operation
    if answers is None or made_up:
        why = "what they speak of is not there" if made_up else "they cannot be sent as they were"
        compared.unknown.setdefault(why, []).append(one.operation)
        return
    compared.judged += 1
    promise = Promise("success", Asked(one.operation, Sendable(one.method, one.path, {}, one.body)))
    if not answers:
        compared.kept.append(promise)
        return
    rule = GONE if set(answers) <= set(_NOT_THERE) else STATUS
    told = ", ".join(map(str, answers))
    compared.broken[position] = [
        Finding(
            rule, Severity.HIGH if rule == GONE else Severity.MEDIUM,
            f"{one.operation}: the request that it was loaded with was answered {one.status} in {compared.phase} and "
            f"is answered {told} now. Sent: {shown(promise.asked)}",
            fingerprint(rule, one.operation, "success"), operation=one.operation,
            fix=f"phase {compared.phase} promised that: keep it, or put the break behind a new major version",
        )
    ]  # fmt: skip
