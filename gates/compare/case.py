"""Everything that one gate is judged by: its readings, the policy, and how it stood when earlier phases were signed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from gates.demands import Policy
from gates.machine import same_machine
from gates.results import Finding, GateResult, Judgement, Measurement, Run, Verdict
from gates.sequential import BENCH, NUMBER

COMPLETE = "the gate runs to its end"
"""The demand of the judgement that keeps what the engine found wrong with a gate that still brought readings."""
_OWN_COMMAND = "command"


@dataclass(frozen=True)
class Earlier:
    """A phase that was signed off, and the run that was signed."""

    phase: str
    run: Run


@dataclass(frozen=True)
class Baseline:
    """A gate as it stood when an earlier phase was signed off."""

    phase: str
    machine: Mapping[str, str]
    gate: GateResult

    @cached_property
    def measurements(self) -> Mapping[tuple[str, str], Measurement]:
        """Its measurements by name and scope."""
        return index(self.gate)


@dataclass(frozen=True)
class Case:
    """One gate before its judges. `history` are the phases that had this gate, the latest last."""

    result: GateResult
    policy: Policy
    classes: Mapping[str, str]
    machine: Mapping[str, str]
    owners: Mapping[str, tuple[str, ...]]
    history: tuple[Baseline, ...]
    repeats: tuple[GateResult, ...]
    """The same gate in other runs of the code that the baseline was signed at, on this machine."""
    complete: bool
    """Whether the gate ran to its end: only then does absence say something."""
    previous: str = ""
    """The phase signed off last, whether it had this gate or not: its build is the one measured beside this one."""

    @cached_property
    def measurements(self) -> Mapping[tuple[str, str], Measurement]:
        """The gate's measurements by name and scope."""
        return index(self.result)

    @property
    def baseline(self) -> Baseline | None:
        """The gate as it stood at the latest sign-off that had it."""
        return self.history[-1] if self.history else None


def index(gate: GateResult) -> dict[tuple[str, str], Measurement]:
    """Return a gate's measurements by name and scope."""
    return {(measurement.name, measurement.scope): measurement for measurement in gate.readings.measurements}


def has_content(gate: GateResult) -> bool:
    """Return whether a gate brought anything at all that could be looked at."""
    readings = gate.readings
    return bool(readings.measurements or readings.findings or readings.subjects or readings.operations or readings.gaps)


def find_gate(run: Run, result: GateResult, configured: Collection[str]) -> GateResult | None:
    """Return the gate of an earlier run that `result` continues: by name, or renamed by its tool.

    A gate of the same tool counts as renamed only when it was the only one, and its name (`configured` holds those
    of today) is no longer in use. One that did not run or could not measure is nothing to be compared with.
    """
    gates = [gate for gate in run.gates if gate.tool == result.tool]
    named = [gate for gate in gates if gate.gate == result.gate]
    if not named and result.tool != _OWN_COMMAND and len(gates) == 1 and gates[0].gate not in configured:
        named = gates
    for gate in named:
        if gate.verdict in (Verdict.PASS, Verdict.FAIL) or (gate.verdict is Verdict.UNKNOWN and has_content(gate)):
            return gate
    return None


def find_history(result: GateResult, phases: Sequence[Earlier], configured: Collection[str]) -> tuple[Baseline, ...]:
    """Return how a gate stood in each earlier phase that had it."""
    found = ((earlier, find_gate(earlier.run, result, configured)) for earlier in phases)
    return tuple(Baseline(earlier.phase, earlier.run.machine, gate) for earlier, gate in found if gate is not None)


def find_repeats(
    result: GateResult, runs: Sequence[Run], machine: Mapping[str, str], configured: Collection[str]
) -> tuple[GateResult, ...]:
    """Return the same gate in other runs on this machine."""
    found = (find_gate(run, result, configured) for run in runs if same_machine(run.machine, machine))
    return tuple(gate for gate in found if gate is not None)


@dataclass(frozen=True)
class Debt:
    """Something that was not met at a sign-off and was accepted there: how it began, and how it stood last."""

    phase: str
    origin: Judgement
    latest: Judgement
    baseline: Baseline


def _subject(judgement: Judgement) -> str:
    # Gaps count: "3 of 12 operations were not tested" is the same debt when it is 2 of them.
    return re.sub(r"[0-9]+", "#", judgement.scope) if judgement.kind == "evidence" else judgement.scope


def _recorded(gate: GateResult, about: Judgement) -> Judgement | None:
    same = [
        judgement
        for judgement in gate.judgements
        if (judgement.kind, judgement.measurement, _subject(judgement))
        == (about.kind, about.measurement, _subject(about))
    ]
    exact = [judgement for judgement in same if judgement.demand == about.demand]
    # Two targets may speak of one number; a rewritten target still continues what was accepted.
    candidates = exact or (same if about.kind == "target" else [])
    return next((judgement for judgement in candidates if judgement.debt or judgement.verdict in _UNMET), None)


_UNMET = (Verdict.FAIL, Verdict.UNKNOWN)


def find_debt(case: Case, about: Judgement) -> Debt | None:
    """Return the accepted debt that a judgement continues; None when it was met at the latest sign-off."""
    debt: Debt | None = None
    for baseline in reversed(case.history):
        recorded = _recorded(baseline.gate, about)
        if recorded is None:
            break
        debt = Debt(baseline.phase, recorded, debt.latest if debt else recorded, debt.baseline if debt else baseline)
        if not recorded.debt:
            break
    return debt


def settle(case: Case, judgement: Judgement, is_worse: Callable[[Debt], str | None] | None = None) -> Judgement:
    """Return a judgement with accepted debt taken into account.

    What failed at the sign-off and still does passes as debt unless `is_worse` says in a phrase how it got worse.
    What had no evidence then and has none now passes as debt; what had some and has none now does not, and neither
    does a failure where there was only a lack of evidence. A debt that is met says that it was repaired.
    """
    debt = find_debt(case, judgement)
    if debt is None:
        return judgement
    failed_then = debt.origin.verdict is Verdict.FAIL
    if judgement.verdict is Verdict.PASS:
        return replace(judgement, reason=f"{judgement.reason}; repaired, it was known debt since {debt.phase}")
    covered = failed_then or judgement.verdict is Verdict.UNKNOWN
    lost_evidence = failed_then and judgement.verdict is Verdict.UNKNOWN and judgement.kind != "evidence"
    if not covered or lost_evidence:
        return judgement
    worse = is_worse(debt) if is_worse else None
    if worse is not None:
        return replace(judgement, reason=f"{judgement.reason}; known debt since {debt.phase} got worse: {worse}")
    reason = f"known debt since {debt.phase}: {judgement.reason}; may not get worse"
    return replace(judgement, verdict=Verdict.PASS, debt=True, reason=reason, hint="")


def mentions(text: str, name: str) -> bool:
    """Return whether a text names a place, and not merely another one that begins or ends alike."""
    return re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/{{-])", text) is not None


def is_explained(case: Case, measurement: str) -> bool:
    """Return whether a gap says already why a measurement is not there."""
    return any(gap.what == measurement or measurement.startswith(f"{gap.what}.") for gap in case.result.readings.gaps)


def since_accepted(case: Case, measurement: str, scope: str) -> tuple[Baseline, ...]:
    """Return the phases whose level still binds: from the last one that was signed with an accepted loss on."""
    for position in range(len(case.history) - 1, -1, -1):
        if any(_is_loss(judgement, measurement, scope) for judgement in case.history[position].gate.judgements):
            return case.history[position:]
    return case.history


def _is_loss(judgement: Judgement, measurement: str, scope: str) -> bool:
    if judgement.verdict is Verdict.FAIL and judgement.measurement == NUMBER:
        return judgement.scope == measurement
    if judgement.verdict is not Verdict.FAIL or judgement.scope != scope:
        return False
    if judgement.measurement == BENCH:
        return measurement == "bench.median"
    if judgement.kind == "relative":
        return bool(scope) and measurement.startswith("load.")
    if judgement.kind == "beside":
        return measurement.startswith("load.") and judgement.measurement.endswith(".memory") == (
            measurement == "load.memory"
        )
    return judgement.kind in ("baseline", "best") and judgement.measurement == measurement


def describe_finding(finding: Finding) -> str:
    """Return a finding in one line: where, what, and by which rule."""
    where = finding.path or ""
    if finding.path and finding.line is not None:
        where = f"{finding.path}:{finding.line}"
    if finding.operation and not finding.message.startswith(finding.operation):
        where = f"{where} {finding.operation}".strip()
    text = f"{finding.message} ({finding.rule}, {finding.severity})"
    return f"{where}: {text}" if where and not finding.message.startswith(where) else text
