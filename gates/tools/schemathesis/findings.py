"""Turns what failed into findings: one for an operation and a failure code, however many payloads show it.

| code | check | severity |
|---|---|---|
| ST101, ST102 | not_a_server_error | high |
| ST401, ST402 | ignored_auth, object_level_authorization | high |
| – | connection-dropped, backend.died | high |
| ST103 … ST111 | status, content type, headers and schema of answers | medium |
| ST202 | positive_data_acceptance: valid data refused | medium |
| ST301, ST302 | use_after_free, ensure_resource_availability | medium |
| – | timeout | medium |
| ST112, ST201, ST203 … ST205 | invalid data accepted, required header, method, `Allow` | low |

The codes are Schemathesis' own and never renumbered. A code that is not in the table is medium.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

from gates.results import Finding, FindingState, Severity
from gates.rules import fingerprint
from gates.tools.schemathesis.events import Failure, SentRequest

_HIGH = ("ST101", "ST102", "ST401", "ST402", "connection-dropped")
_LOW = ("ST112", "ST201", "ST203", "ST204", "ST205")
_FIX = {
    "not_a_server_error": "handle this input: answer 4xx when it is wrong, and do not let the exception out",
    "connection-dropped": "the request handler crashed (a panic, an unhandled exception, a worker that was killed): "
    "see the backend's log at this request",
    "timeout": "bound what this input can make the operation do, or raise `request_timeout` if it may take so long",
    "status_code_conformance": "document this status for the operation, or do not answer with it",
    "content_type_conformance": "answer with a media type that the document names, or name this one",
    "response_headers_conformance": "send the headers that the document promises",
    "response_schema_conformance": "make the answer and its schema agree: one of them is wrong",
    "negative_data_rejection": "validate this part of the request and answer 4xx, or loosen its schema",
    "positive_data_acceptance": "accept what the schema allows, or write the missing rule into the schema",
    "missing_required_header": "refuse requests without the header with 4xx, or make it optional in the document",
    "unsupported_method": "answer 405 with an `Allow` header to methods the document does not name",
    "allow_header_conformance": "let `Allow` name exactly the methods that the document names for this path",
    "use_after_free": "answer 404 or 410 once the resource is deleted",
    "ensure_resource_availability": "let a created resource be readable at once",
    "ignored_auth": "check the credentials before anything else, and answer 401 without valid ones",
    "object_level_authorization": "check that the resource belongs to the one who asks for it",
}
_LAST_LINES = 400
_CURL_BODY = 160
_CURL_TARGET = 240
_DETAIL = 200
_SAYING_NOTHING = ("Invalid data should have been rejected", "Valid data should have been accepted", "Expected: ")
_LEFT_OUT = ("x-schemathesis-testcaseid",)

Scrub = Callable[[str], str]


def scrubber(headers: Mapping[str, str]) -> Scrub:
    """Return a function that takes the login out of a text, also its parts: the token, the password of Basic."""
    secrets = set()
    for value in headers.values():
        secrets.add(value)
        scheme, _, rest = value.partition(" ")
        secrets.add(rest.strip() if rest else scheme)
        if scheme.lower() == "basic":
            try:
                secrets.add(base64.b64decode(rest, validate=True).decode().partition(":")[2])
            except (binascii.Error, UnicodeDecodeError):
                continue
        if "=" in value:
            secrets.update(part.partition("=")[2].strip() for part in value.split(";"))
    # Shorter ones would take innocent words apart; the longest first, so that no part of it is left.
    ordered = sorted((secret for secret in secrets if len(secret) >= 4), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
    return lambda text: pattern.sub("[redacted]", text) if pattern else text


def identity(operation: str, code: str) -> str:
    """Return the fingerprint of a failure: the same with any payload."""
    return fingerprint("schemathesis", operation, code)


def severity_of(code: str) -> Severity:
    """Return how bad a failure code is."""
    return Severity.HIGH if code in _HIGH else Severity.LOW if code in _LOW else Severity.MEDIUM


def finding(failure: Failure, scrub: Scrub, state: FindingState = FindingState.NEW) -> Finding:
    """Return the finding for a failure."""
    return Finding(
        rule=f"fuzz.{failure.check}",
        severity=severity_of(failure.code),
        message=scrub(f"{_sentence(failure)}. Reproduce: {curl(failure.request)}"),
        fingerprint=identity(failure.operation, failure.code),
        operation=failure.operation,
        state=state,
        fix=fix_of(failure.check),
    )


def fix_of(check: str) -> str:
    """Return what would make a check pass."""
    return _FIX.get(check, "see `st explain` for what this check expects")


def died(operation: str, last: Sequence[str], request: SentRequest | None, last_lines: str, scrub: Scrub) -> Finding:
    """Return the finding for a backend that ended or stopped answering; `last` are the calls before, latest first."""
    lines = " ".join(last_lines.split())[-_LAST_LINES:]
    message = (
        f"the backend went away while it was fuzzed; called last were {', '.join(last) or 'none of its operations'}"
    )
    if request is not None:
        message += f". The last request: {curl(request)}"
    return Finding(
        rule="backend.died",
        severity=Severity.HIGH,
        message=scrub(message + (f". Its last lines: {lines}" if lines else "")),
        fingerprint=identity(operation, "backend.died"),
        operation=operation or None,
        fix=f'find out why it ended; if it is meant to, leave the operation out: exclude = ["{operation}"]',
    )


def curl(request: SentRequest) -> str:
    """Return a command that sends a request again, in one line of bounded length.

    `$URL` stands for where the backend is, `$AUTHORIZATION` and the like for filtered headers.
    """
    words = ["curl"] if request.method == "GET" else ["curl", "-X", request.method]
    for name, value in request.headers.items():
        if name.lower() in _LEFT_OUT:
            continue
        if value == "[Filtered]":
            words += ["-H", f'"{name}: ${re.sub(r"[^A-Z0-9]", "_", name.upper())}"']
        else:
            words += ["-H", _quoted(f"{name}: {value}", _CURL_BODY)]
    if request.body:
        words += ["--data-raw", _data(request.body)]
    target = re.sub(r'([$`"\\])', r"\\\1", _shortened(request.target, _CURL_TARGET))
    return " ".join([*words, f'"$URL{target}"'])


def _sentence(failure: Failure) -> str:
    sort = "a valid request" if failure.valid else "a request"
    if failure.status is None:
        what = (
            "was not answered in time" if failure.code == "timeout" else "had its connection closed without an answer"
        )
        return f"{failure.operation}: {sort} {what} ({failure.code})"
    reason = http.client.responses.get(failure.status, "")
    answer = f"{failure.status} {reason}".strip()
    title = failure.title if failure.title[1:2].isupper() else failure.title[:1].lower() + failure.title[1:]
    # The request may use another method than the operation it was made for.
    asked = f"{failure.request.method} {failure.operation.partition(' ')[2]}"
    detail = _shortened(_one_line(failure.detail.split("\n\n")[0]), _DETAIL)
    return f"{asked} answered {answer} to {sort}: {title} ({failure.code})" + (f", {detail}" if detail else "")


def _one_line(detail: str) -> str:
    """Return the lines that say something as one: what follows a colon, or continues a list, belongs to it."""
    lines = [line.strip().removeprefix("- ") for line in detail.splitlines()]
    told = ""
    for line in lines:
        if line and not line.startswith(_SAYING_NOTHING):
            told += line if not told else f" {line}" if told.endswith(":") else f"; {line}"
    return told.rstrip(".")


def _data(body: bytes) -> str:
    try:
        return _quoted(body.decode(), _CURL_BODY)
    except UnicodeDecodeError:
        # As bash writes bytes.
        shown = "".join(f"\\x{byte:02x}" for byte in body[: _CURL_BODY // 4])
        return f"$'{shown}'" + (f" # of {len(body)} bytes" if len(body) > _CURL_BODY // 4 else "")


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"


def _quoted(text: str, length: int) -> str:
    printable = text if text.isprintable() else text.encode("unicode_escape").decode()
    return shlex.quote(_shortened(printable, length))


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the worst first, then by operation and rule, the same in every run."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda one: (order.index(one.severity), one.operation or "", one.rule)))
