"""Failures that were accepted at an earlier sign-off and did not show this time: is one repaired, or was it only lucky?

Kept with a run is the request of every failure. It is sent again where the failure did not show: only what is answered
well then is repaired. Everything else stays known, so that it is not new when it comes back.

Format 1: `{"format": 1, "requests": [{"fingerprint", "operation", "code", "check", "status", "valid", "method",
"target", "headers", "body"}]}`; the body is base64 or null. The login is not in it; what held it cannot be sent again.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gates.client import Answer, NoAnswer, request
from gates.document import Document, DocumentError
from gates.errors import ToolError
from gates.process import run
from gates.results import Finding, FindingState
from gates.tools.schemathesis.confirm import headers_of
from gates.tools.schemathesis.events import Failure, SentRequest
from gates.tools.schemathesis.findings import Scrub, identity

DOCUMENT = "fuzz.requests"
"""The name under which the requests are kept with a run."""
SCHEMA = "response_schema_conformance"
_CONFORMS = Path(__file__).with_name("conforms.py")
_FORMAT = 1
_MOST_BYTES = 4096
_REFUSED = frozenset({401, 403, 429})
_ONLY_REQUEST = frozenset({"use_after_free", "ensure_resource_availability", "object_level_authorization"})
"""Checks whose failure is in what came before: one request says nothing of them."""
_DIED = "backend.died"
_UNSEEN, _AGAIN = " (not seen this time)", " (seen when its request was sent again)"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A failure whose request was sent again, and what was answered."""

    failure: Failure
    answer: Answer


def remember(failures: Iterable[Failure], scrub: Scrub, earlier: str | None, kept: Collection[str]) -> str:
    """Return the text to keep: the requests of this run's failures, and of earlier ones that are `kept` as known."""
    entries = {entry["fingerprint"]: entry for entry in _load(earlier) if entry["fingerprint"] in kept}
    for failure in failures:
        if failure.request.body is None or len(failure.request.body) <= _MOST_BYTES:
            entry = _entry(failure, scrub)
            entries[entry["fingerprint"]] = entry
    return json.dumps({"format": _FORMAT, "requests": [entries[mark] for mark in sorted(entries)]}, indent=1) + "\n"


def recall(text: str | None) -> dict[str, Failure]:
    """Return the failures of an earlier run by fingerprint; raises ToolError when they cannot be read."""
    try:
        return {
            entry["fingerprint"]: Failure(
                str(entry["operation"]), str(entry["code"]), str(entry["check"]), "", "", entry["status"],
                SentRequest(
                    str(entry["method"]), str(entry["target"]), dict(entry["headers"]),
                    None if entry["body"] is None else base64.b64decode(entry["body"]),
                ),
                bool(entry["valid"]),
            )
            for entry in _load(text)
        }  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(f"the requests of an earlier phase cannot be read: {error!r}", "sign it off again") from error


def unseen(accepted: Iterable[Finding], found: Collection[str], document: Document) -> list[Finding]:
    """Return the findings of an earlier run that did not show, of operations that are still there."""
    names = {operation.name for operation in document.operations}
    return [
        finding
        for finding in accepted
        if finding.state is not FindingState.FIXED
        and (finding.rule.startswith("fuzz.") or finding.rule == _DIED)
        and finding.fingerprint not in found
        and (finding.operation is None or finding.operation in names)
    ]


def send_again(
    wanted: Iterable[Finding], requests: Mapping[str, Failure], origin: str, login: Mapping[str, str], each: float
) -> dict[str, Replayed]:
    """Send the kept requests of some findings, and return those that were answered, by fingerprint."""
    answered = {}
    for finding in wanted:
        failure = requests.get(finding.fingerprint)
        headers = headers_of(failure, login) if failure is not None else None
        if failure is None or headers is None or failure.check in _ONLY_REQUEST:
            continue
        sent = failure.request
        try:
            answer = request(origin, sent.method, sent.target, headers=headers, body=sent.body, timeout=each)
        except NoAnswer:
            continue
        answered[finding.fingerprint] = Replayed(failure, answer)
    return answered


def passes(replayed: Replayed, document: Document, *, valid_body: bool | None) -> bool:
    """Return whether the answer is what the check asks for; `valid_body` is whether it is what its schema says.

    An answer that may have another reason, such as a refused login, is not taken for one.
    """
    failure, status = replayed.failure, replayed.answer.status
    if status >= 500 or (status in _REFUSED and failure.check != "ignored_auth"):
        return False
    if status == 404 and failure.status != 404 and "{" in failure.operation:
        return False  # what it speaks of is not there this time
    if failure.check == "status_code_conformance":
        return _named(document, failure.operation, status) is not None
    if failure.check == SCHEMA and status == failure.status:
        return valid_body is True
    if failure.check == "content_type_conformance" and status == failure.status:
        return _names_type(document, failure.operation, replayed.answer)
    return status != failure.status


def fails(replayed: Replayed, valid_body: bool | None) -> bool:
    """Return whether the answer shows the same failure again."""
    failure, status = replayed.failure, replayed.answer.status
    if failure.check == SCHEMA:
        return valid_body is False
    return failure.check == "not_a_server_error" and status >= 500


def check_bodies(answered: Mapping[str, Replayed], document: Document, directory: Path) -> dict[str, bool | None]:
    """Return by fingerprint whether answers have the body that is documented, where that is what had failed."""
    asked = {mark: one for mark, one in answered.items() if one.failure.check == SCHEMA}
    if not asked:
        return {}
    directory.mkdir(parents=True, exist_ok=True)
    questions, answers = directory / "questions.json", directory / "answers.json"
    content = [
        {
            "operation": one.failure.operation, "status": one.answer.status, "headers": dict(one.answer.headers),
            "body": base64.b64encode(one.answer.body).decode(),
        }
        for one in asked.values()
    ]  # fmt: skip
    questions.write_text(json.dumps({"document": json.loads(document.as_json()), "answers": content}), "utf-8")
    try:
        run(
            [sys.executable, "-P", str(_CONFORMS), questions.name, answers.name], cwd=directory, env=dict(os.environ),
            stdout=directory / "conforms.out", stderr=directory / "conforms.err", timeout=60.0,
        )  # fmt: skip
        return dict(zip(asked, json.loads(answers.read_text("utf-8")), strict=True))
    finally:
        questions.unlink(missing_ok=True)  # answers may carry secrets of the backend


def not_seen(finding: Finding, *, again: bool) -> Finding:
    """Return a finding of an earlier run as one that stays known; `again` when its request still fails."""
    message = finding.message.removesuffix(_UNSEEN).removesuffix(_AGAIN)
    state = FindingState.FLAKY if finding.state is FindingState.FLAKY else FindingState.NEW
    return replace(finding, state=state, message=message + (_AGAIN if again else _UNSEEN))


def _entry(failure: Failure, scrub: Scrub) -> dict[str, Any]:
    sent = failure.request
    body = sent.body
    if body is not None:
        text = body.decode("latin-1")
        body = body if scrub(text) == text else scrub(text).encode("latin-1")
    return {
        "fingerprint": identity(failure.operation, failure.code),
        "operation": failure.operation, "code": failure.code, "check": failure.check,
        "status": failure.status, "valid": failure.valid,
        "method": sent.method, "target": scrub(sent.target),
        "headers": {name: scrub(value) for name, value in sent.headers.items()},
        "body": None if body is None else base64.b64encode(body).decode(),
    }  # fmt: skip


def _load(text: str | None) -> list[dict[str, Any]]:
    if text is None:
        return []
    try:
        content = json.loads(text)
        if content["format"] == _FORMAT:
            return [dict(entry, fingerprint=str(entry["fingerprint"])) for entry in content["requests"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"the requests of an earlier phase cannot be read: {error!r}", "sign it off again") from error
    raise ToolError(f"the requests of an earlier phase have another format than {_FORMAT}", "sign it off again")


def _named(document: Document, operation: str, status: int) -> Mapping[str, Any] | None:
    """Return what the document says of an operation's answers with a status; None when it does not name it."""
    described = next((one for one in document.operations if one.name == operation), None)
    found = document.response_of(described, status) if described else None
    try:
        said = document.resolve(found[1]) if found else None
    except DocumentError:
        return None
    return None if found is None else said if isinstance(said, Mapping) else {}


def _names_type(document: Document, operation: str, answer: Answer) -> bool:
    described = _named(document, operation, answer.status)
    content = described.get("content") if described else None
    sent = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return isinstance(content, Mapping) and sent in {str(name).partition(";")[0].strip().lower() for name in content}
