"""Holds what was answered against what an earlier phase recorded: the same class of status, a superset of the shape.

A request whose steps cannot be made says nothing of its own operation: the finding is on the operation that no longer
makes what others need, and these are a gap. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gates.results import Finding, FindingState, Gap, Severity
from gates.rules import fingerprint
from gates.tools.replay.rules import EXACT, GONE, SHAPE, STATUS, TYPE
from gates.tools.replay.shape import Loss, lost
from gates.tools.replay.stored import Asked, Outcome, Promise
from gates.tools.replay.template import TOKEN

_NOT_THERE = (404, 405, 501)
_REFUSED = (401, 403)
_SHOWN = 8
_HINT = "repair what they depend on; or give the gate a longer `time`"
_LONGEST = 160
_ASKED = {"success": "a valid request", "missing": "a request for what is not there", "invalid": "a wrong body"}


@dataclass(slots=True)
class Compared:
    """What became of the promises of a phase, by their positions; each is kept, broken or not known to be either."""

    phase: str
    judged: int = 0
    kept: list[Promise] = field(default_factory=list)
    close: int = 0
    """How many were answered with another status of the same class, and else as promised."""
    broken: dict[int, list[Finding]] = field(default_factory=dict)
    blamed: dict[int, Finding] = field(default_factory=dict)
    """What keeps a promise from being judged: a finding on the operation that makes what it needs."""
    unknown: dict[str, list[str]] = field(default_factory=dict)
    """Operations that could not be judged, by the reason."""

    @property
    def doubtful(self) -> list[int]:
        """The positions that are worth a second try."""
        return sorted({*self.broken, *self.blamed})

    def findings(self) -> list[Finding]:
        """Return all findings, the same one once; an operation that has its own is not blamed by others as well."""
        own = [one for found in self.broken.values() for one in found]
        telling = {one.operation for one in own if one.rule != EXACT}
        others = [one for one in self.blamed.values() if one.operation not in telling]
        gone = {one.operation for one in own if one.rule == GONE}
        own = [one for one in own if one.rule != EXACT or one.operation not in gone]
        return list({one.fingerprint: one for one in [*own, *others]}.values())

    def gaps(self) -> list[Gap]:
        """Return a gap for each reason for which promises could not be judged."""
        return [
            Gap(f"{len(names)} recorded requests of {self.phase} could not be judged", f"{why}: {_some(names)}", _HINT)
            for why, names in self.unknown.items()
        ]


def compare(phase: str, promises: Sequence[Promise], outcomes: Mapping[int, Outcome], *, has_login: bool) -> Compared:
    """Return which promises were kept; an outcome that is lacking was not reached in time."""
    compared = Compared(phase)
    for position, promise in enumerate(promises):
        outcome = outcomes.get(position)
        why = _why_unknown(promise, outcome, has_login)
        if outcome is None or why:
            compared.unknown.setdefault(why, []).append(promise.operation)
            continue
        if outcome.blamed is not None:
            why = f"{outcome.blamed.operation}, which makes what they need, fails"
            compared.unknown.setdefault(why, []).append(promise.operation)
            compared.blamed[position] = _of_step(phase, outcome.blamed, outcome)
            continue
        compared.judged += 1
        found = _differences(phase, promise, outcome)
        if found:
            compared.broken[position] = found
            compared.close += all(one.rule == EXACT for one in found)
        else:
            compared.kept.append(promise)
    return compared


def _why_unknown(promise: Promise, outcome: Outcome | None, has_login: bool) -> str:
    if outcome is None:
        return "the time was over"
    if outcome.status == 429:
        return "the backend takes no more requests for now (429)"
    if promise.login and not has_login and outcome.status in _REFUSED and promise.status not in _REFUSED:
        return "they were recorded with a login, and there is none now"
    return ""


def _differences(phase: str, promise: Promise, outcome: Outcome) -> list[Finding]:
    then, now = promise.status, outcome.status
    answered = f"was answered {then} in {phase} and is answered {now} now"
    if now is None:
        died = f"; the backend ended, its last lines: {' '.join(outcome.died.split())[-300:]}" if outcome.died else ""
        return [_finding(STATUS, Severity.HIGH, promise, f"was answered {then} in {phase}, and now: "
                         f"{outcome.trouble}{died}", phase)]  # fmt: skip
    if then < 400 and now in _NOT_THERE:
        return [_finding(GONE, Severity.HIGH, promise, answered, phase)]
    if then // 100 != now // 100:
        severity = Severity.HIGH if then < 400 or now >= 500 else Severity.MEDIUM
        return [_finding(STATUS, severity, promise, answered, phase)]
    found = []
    if then != now:
        found.append(_finding(EXACT, Severity.LOW, promise, answered, phase))
        if then >= 400:
            return found  # another refusal has another answer
    if promise.media != outcome.media:
        told = f"was answered with {promise.media or 'no body'} in {phase}, and is with {outcome.media or 'no body'}"
        return [*found, _finding(TYPE, Severity.MEDIUM, promise, told, phase)]
    losses = lost(promise.shape, outcome.shape) if promise.shape and outcome.shape else []
    return [*found, *([_of_shape(phase, promise, losses)] if losses else [])]


def _of_shape(phase: str, promise: Promise, losses: Sequence[Loss]) -> Finding:
    worst = any(one.what in ("gone", "type") for one in losses) and promise.kind == "success"
    told = f"is not answered as in {phase}: {_some([one.text for one in losses])}"
    found = _finding(SHAPE, Severity.HIGH if worst else Severity.MEDIUM, promise, told, phase)
    marks = [f"{one.what} {one.pointer}" for one in losses]
    return replace(found, fingerprint=fingerprint(SHAPE, promise.operation, promise.kind, *marks))


def _of_step(phase: str, step: Asked, outcome: Outcome) -> Finding:
    """Return the finding on an operation that makes what others need; the same as on its own recorded request."""
    promise = Promise("success", step)
    told = f"succeeded in {phase}, and now {outcome.trouble}"
    rule = GONE if outcome.status in _NOT_THERE else STATUS
    if outcome.status is not None and outcome.status < 400:
        rule = SHAPE
    return _finding(rule, Severity.HIGH, promise, told, phase)


def _finding(rule: str, severity: Severity, promise: Promise, told: str, phase: str) -> Finding:
    return Finding(
        rule, severity, f"{promise.operation}: {_ASKED[promise.kind]} {told}. Sent: {shown(promise.asked)}",
        fingerprint(rule, promise.operation, promise.kind), operation=promise.operation,
        fix=f"phase {phase} promised that: keep it, or put the break behind a new major version and let the old one "
        "answer",
    )  # fmt: skip


def shown(asked: Asked) -> str:
    """Return a request in one line of bounded length, `…` for identifiers and secrets."""
    body = f" {asked.request.body}" if asked.request.body else ""
    text = " ".join(TOKEN.sub("…", f"{asked.request.method} {asked.request.target}{body}").split())
    text = text if text.isprintable() else text.encode("unicode_escape").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _some(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def changed_their_mind(first: Compared, second: Compared) -> list[Finding]:
    """Return as flaky what was broken at first, and was not when it was tried again."""
    again = {one.fingerprint for one in second.findings()}
    return [replace(one, state=FindingState.FLAKY) for one in first.findings() if one.fingerprint not in again]
