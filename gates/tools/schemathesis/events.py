"""Reads what Schemathesis did from its NDJSON report: one event a line, a scenario's cases together on one line.

Format (Schemathesis 4.32): `{"EventName": {…}}`. `ScenarioFinished` carries a `recorder` with `cases`, `checks` and
`interactions` by case id; bodies are base64. A case that was sent and not answered has an interaction without a
`response`; what went wrong with it stands in a `NonFatalError` of the same phase and label. The report may be many MB
and is read line by line; of the requests only the first of each failure is kept.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.errors import ToolError

STATEFUL_LABEL = "Stateful tests"
SERVER_ERRORS = ("ST101", "ST102")
_OTHER_METHOD = "unspecified_http_method"
_TIMEOUTS = ("Timeout", "ReadTimeout", "ConnectTimeout", "UnresponsiveOperationError", "UnhealthyAPIError")
_DROPS = ("ConnectionError", "ChunkedEncodingError", "ContentDecodingError")


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it was sent, secrets filtered by Schemathesis; `target` is the path and query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed, or a request that was not answered (`status` None); the first of its operation and code."""

    operation: str
    code: str
    check: str
    title: str
    detail: str
    status: int | None
    request: SentRequest
    valid: bool
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of Schemathesis itself: an operation it could not test, or why a request was not answered."""

    operation: str
    phase: str
    kind: str
    message: str

    @property
    def is_network(self) -> bool:
        """Whether a request was not answered, rather than not made."""
        return self.kind in _TIMEOUTS or self.kind in _DROPS


@dataclass(frozen=True, slots=True)
class Call:
    """One request in the order of time: to which operation, the answer, and whether it carried the login."""

    time: float
    operation: str
    status: int | None
    with_login: bool
    own_method: bool


@dataclass(slots=True)
class Tally:
    """What one operation answered: how often each status, and to valid requests that carried the login, if any.

    `unanswered` counts the requests that got no answer at all.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    valid: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    sample: tuple[SentRequest, int] | None = None


@dataclass(slots=True)
class Observed:
    """Everything that a run has shown; `stop_reason` is None when its end was not reported."""

    version: str = ""
    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    last_request: tuple[float, SentRequest] | None = None
    stop_reason: str | None = None
    fatal: str = ""

    @property
    def tested(self) -> set[str]:
        """The operations that were sent at least one request made for them."""
        return {operation for operation, tally in self.tallies.items() if tally.statuses or tally.unanswered}


def read_events(lines: Iterable[str], login: Collection[str] = ()) -> Observed:
    """Return what the events of a run show; `login` names the headers (in lower case) that carry the login.

    The last line may be cut off, as a killed run leaves it; raises ToolError for any other that is not an event.
    """
    observed, unanswered = Observed(), list[_Unanswered]()
    for number, line in enumerate(lines, 1):
        try:
            ((event, content),) = json.loads(line).items()
            _read_event(event, content, frozenset(login), observed, unanswered)
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            if not line.endswith("\n"):
                break
            raise ToolError(
                f"line {number} of Schemathesis' report cannot be read ({error!r}): {line[:120].strip()}",
                "does `gates doctor` show the version of Schemathesis that this was made for?",
            ) from error
    for one in unanswered:
        failure = _unanswered_failure(one, observed.problems)
        observed.failures.setdefault((failure.operation, failure.code), failure)
    observed.calls.sort(key=lambda call: call.time)
    return observed


def _read_event(
    event: str, content: Mapping[str, Any], login: frozenset[str], observed: Observed, unanswered: list[_Unanswered]
) -> None:
    if event == "Initialize":
        observed.version = str(content["schemathesis_version"])
    elif event == "ScenarioFinished":
        _Scenario(content, login, observed, unanswered).read()
    elif event == "NonFatalError":
        observed.problems.append(_problem(content))
    elif event == "FatalError":
        error = content.get("exception")
        observed.fatal = str(error.get("message", error) if isinstance(error, Mapping) else error)
    elif event == "EngineFinished":
        observed.stop_reason = str(content["stop_reason"])


def _problem(content: Mapping[str, Any]) -> Problem:
    value = content.get("value")
    error = value if isinstance(value, Mapping) else {"type": "Error", "message": value}
    return Problem(
        str(content.get("label", "")),
        str(content.get("phase", "")),
        str(error.get("type", "Error")),
        str(error.get("message", "")),
    )


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A request without an answer; why is known only when the whole report was read."""

    phase: str
    label: str
    operation: str
    request: SentRequest
    valid: bool


def _unanswered_failure(one: _Unanswered, problems: Iterable[Problem]) -> Failure:
    labels = (one.operation, one.label)
    problem = next((p for p in problems if p.phase == one.phase and p.operation in labels and p.is_network), None)
    code = "timeout" if problem is not None and problem.kind in _TIMEOUTS else "connection-dropped"
    detail = problem.message if problem is not None else ""
    return Failure(one.operation, code, code, "", detail, None, one.request, one.valid)


class _Scenario:
    """One `ScenarioFinished` event: the cases of an operation in a phase, or one chain of stateful calls."""

    def __init__(
        self, content: Mapping[str, Any], login: frozenset[str], observed: Observed, unanswered: list[_Unanswered]
    ) -> None:
        self.login, self.observed, self.unanswered = login, observed, unanswered
        self.phase = str(content.get("phase", ""))
        self.recorder: Mapping[str, Any] = content.get("recorder") or {}
        self.label = str(self.recorder.get("label", ""))
        self.cases: Mapping[str, Any] = self.recorder.get("cases") or {}
        self.interactions: Mapping[str, Any] = self.recorder.get("interactions") or {}

    def read(self) -> None:
        """Add what this scenario shows to the observations."""
        for case_id, interaction in self.interactions.items():
            node = self.cases.get(case_id)
            if node is not None:
                self._count(node, interaction)
        for case_id, checks in (self.recorder.get("checks") or {}).items():
            self._failed_checks(case_id, checks)

    def operation(self, case: Mapping[str, Any]) -> str:
        """Return the operation that a case is for."""
        return f"{case['method']} {case['path']}" if self.label == STATEFUL_LABEL else self.label

    def _count(self, node: Mapping[str, Any], interaction: Mapping[str, Any]) -> None:
        case = node["value"]
        operation, request = self.operation(case), _request(interaction)
        status = _status(interaction)
        own_method = _scenario_of(case) != _OTHER_METHOD
        # A check's own request (say, with a garbled login) carries the marks of the case it is made from.
        derived = self.phase != "stateful" and bool(node.get("parent_id"))
        with_login = not derived and self.login <= {name.lower() for name in request.headers}
        tally = self.observed.tallies.setdefault(operation, Tally())
        sent = float(interaction["timestamp"])
        self.observed.calls.append(Call(sent, operation, status, with_login, own_method))
        if self.observed.last_request is None or sent >= self.observed.last_request[0]:
            self.observed.last_request = (sent, request)
        if status is None:
            tally.unanswered += 1
            self.unanswered.append(_Unanswered(self.phase, self.label, operation, request, _is_valid(case)))
        elif own_method:
            tally.statuses[status] += 1
            if _is_valid(case) and with_login:
                tally.valid[status] += 1
                if tally.sample is None and 200 <= status < 300:
                    tally.sample = (request, status)

    def _failed_checks(self, case_id: str, checks: Iterable[Mapping[str, Any]]) -> None:
        found = [
            (str(check["name"]), check["failure_info"]["failure"]) for check in checks if check.get("failure_info")
        ]
        crashes = [(check, failure) for check, failure in found if failure["code"] in SERVER_ERRORS]
        # A server error's status, type and body are no failures of their own.
        for check, failure in crashes or found:
            shown = str(failure.get("case_id") or case_id)
            interaction, node = self.interactions.get(shown), self.cases.get(shown)
            if interaction is None or node is None:
                continue
            operation = str(failure.get("operation") or self.operation(node["value"]))
            code, title, detail = (str(failure.get(key) or "") for key in ("code", "title", "message"))
            request, valid = _request(interaction), _is_valid(node["value"])
            self.observed.failures.setdefault(
                (operation, code),
                Failure(operation, code, check, title, detail, _status(interaction), request, valid, failure["type"]),
            )


def _status(interaction: Mapping[str, Any]) -> int | None:
    response = interaction.get("response")
    return int(response["status_code"]) if isinstance(response, Mapping) else None


def _scenario_of(case: Mapping[str, Any]) -> str:
    data = ((case.get("meta") or {}).get("phase") or {}).get("data") or {}
    return str(data.get("scenario", ""))


def _is_valid(case: Mapping[str, Any]) -> bool:
    return ((case.get("meta") or {}).get("generation") or {}).get("mode") == "positive"


def _request(interaction: Mapping[str, Any]) -> SentRequest:
    request = interaction["request"]
    uri = str(request["uri"])
    body = request.get("body")
    content: bytes | None = None
    if isinstance(body, Mapping):
        try:
            content = base64.b64decode(str(body.get("$base64", "")))
        except binascii.Error:
            content = None
    elif isinstance(body, str):
        content = body.encode()
    # Everything after the origin, as it went over the wire.
    target = "/" + uri.split("/", 3)[3] if uri.count("/") >= 3 else "/"
    headers = {
        str(name): str(value[0] if isinstance(value, list) and value else value)
        for name, value in (request.get("headers") or {}).items()
    }
    return SentRequest(str(request["method"]), target, headers, content)
