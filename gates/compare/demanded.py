"""Targets: absolute demands, each judged in the gate that brings the measurement, at the value that was measured."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gates.compare.case import Case, Debt, is_explained, settle
from gates.compare.coverage import describe, is_lower
from gates.compare.errors import MOSTLY_FAILING, rises
from gates.compare.leak import LEAK, judge_slope
from gates.compare.performance import is_worse
from gates.demands import BASE_UNIT, Demand, Policy, format_value
from gates.results import GateResult, ItemId, Judgement, Measurement, Verdict
from gates.targets import class_of, find_measurements, kind_of, measurement_of

LEAST_FOR_P95 = 100
"""Requests of an operation below which five slow ones decide its p95."""
LEAST_FOR_MEDIAN = 5
"""With a median of five requests above a limit, at least three are: if the true p95 were below it, that would happen
once in 860 times (binomial, 0.05). So few are enough to say that a limit is missed, never that it is met."""
_CHANGED = "coverage.changed_lines"
_ORDINARY = 'a knee or a burst brings no latencies: add a gate of ordinary load, with profile = "normal"'
_FURTHER = "let it search further with a higher `rate_limit`, or where the load generator has more of a core"


def judge_targets(case: Case) -> list[Judgement]:
    """Judge every target that this gate brings, or would have to bring, a measurement for."""
    judgements: list[Judgement] = []
    for name, demand in case.policy.targets.items():
        found = find_measurements(name, case.result.readings.measurements, case.classes)
        judgements += [_judge_and_settle(case, name, demand, measurement) for measurement in found]
        expected = case.complete and case.owners.get(name) == (case.result.gate,)
        if not found and expected and not is_explained(case, measurement_of(name)):
            missing = _missing(case, name, demand)
            if missing is not None:
                judgements.append(settle(case, missing))
    return judgements


def _judge_and_settle(case: Case, name: str, demand: Demand, now: Measurement) -> Judgement:
    judgement = _judge(case, name, demand, now)
    if judgement.verdict is Verdict.FAIL:
        return settle(case, judgement, lambda debt: _got_worse(case, now, debt))
    return settle(case, judgement)


def meets(demand: Demand, value: float) -> bool:
    """Return whether a value meets a demand; 57 of 100 meets `>= 57 %`, whatever binary fractions make of it."""
    return replace(demand, value=round(demand.value, 12)).met_by(round(value, 12))


def _judge(case: Case, name: str, demand: Demand, now: Measurement) -> Judgement:
    kind = kind_of(name)
    subject = f"{now.name} of {now.scope}" if now.scope else now.name
    value = describe(now) if now.unit == "ratio" and now.total else format_value(now.value, now.unit)
    judgement = Judgement(
        now.name, now.scope, "target", demand.text, Verdict.PASS, f"{subject} is {value}, demanded is {demand.text}",
        value=now.value, unit=now.unit, samples=now.total,
    )  # fmt: skip
    if now.unit != BASE_UNIT[demand.dimension]:
        reason = f"{subject} was measured in {now.unit or 'no unit'}, and the target {name} is a {demand.dimension}"
        return replace(judgement, verdict=Verdict.UNKNOWN, reason=reason, hint=f"correct the target {name}")
    if now.unit == "ratio" and now.total == 0:
        return _nothing_to_count(judgement, subject)
    if now.name == LEAK:
        return judge_slope(case, judgement, demand, now)
    if now.name == "load.knee" and not now.samples and not meets(demand, now.value):
        reason = f"{subject} is at least {value}, where the search ended, and demanded is {demand.text}"
        return replace(judgement, verdict=Verdict.UNKNOWN, reason=reason, hint=_FURTHER)
    if now.name == "load.p95":
        doubt = _doubt(case, demand, now)
        if doubt is not None:
            return replace(judgement, verdict=Verdict.UNKNOWN, reason=f"{subject} {doubt[0]}", hint=doubt[1])
    if meets(demand, now.value):
        return judgement
    return replace(judgement, verdict=Verdict.FAIL, hint=kind.advice if kind else f"see what {now.name} counts")


def _nothing_to_count(judgement: Judgement, subject: str) -> Judgement:
    if judgement.measurement == _CHANGED:
        return replace(judgement, reason="no line that counts was changed", value=None)
    return replace(
        judgement, verdict=Verdict.UNKNOWN, reason=f"{subject} is of nothing: there was nothing to count",
        hint="see whether the gate looks at the right place",
    )  # fmt: skip


def _doubt(case: Case, demand: Demand, now: Measurement) -> tuple[str, str] | None:
    """Return what keeps a p95 from being judged, and what would help."""
    errors = case.measurements.get(("load.errors", now.scope))
    if errors is not None and errors.value > MOSTLY_FAILING:
        told = f"says nothing of its speed: {format_value(errors.value, 'ratio')} of its answers failed"
        return told, "see which answers failed, and the backend's output"
    if now.total is not None and now.total >= LEAST_FOR_P95:
        return None
    median = case.measurements.get(("load.p50", now.scope))
    if median is not None and (now.total or 0) >= LEAST_FOR_MEDIAN and not meets(demand, median.value):
        return None
    counted = "the gate did not count its requests" if now.total is None else f"there were {now.total}"
    return f"needs at least {LEAST_FOR_P95} requests to be judged, and {counted}", "load it longer, or at a higher rate"


def _got_worse(case: Case, now: Measurement, debt: Debt) -> str | None:
    """Return in a phrase how a debt got worse; None when it did not."""
    then = debt.baseline.measurements.get((now.name, now.scope))
    if then is None or debt.latest.value is None or now.name == _CHANGED:
        return f"there is no value of {debt.baseline.phase} to hold it against"
    if now.name.startswith("coverage."):
        worse = is_lower(now, then, case.policy.tolerances.coverage)
    elif now.unit == "ratio" and None not in (now.count, then.count) and now.total and then.total:
        worse = rises(then, now) if now.better == "lower" else is_lower(now, then, 0.0)
    elif now.unit in ("1", "", "ratio"):
        worse = now.value > then.value if now.better == "lower" else now.value < then.value
    else:
        worse = is_worse(case, now, then, debt.baseline)
    return f"it was {format_value(then.value, then.unit)} in {debt.baseline.phase}" if worse else None


def _missing(case: Case, name: str, demand: Demand) -> Judgement | None:
    if name == _CHANGED and not case.history:
        return Judgement(
            _CHANGED, "", "target", demand.text, Verdict.PASS, "no earlier phase, so nothing was changed since one"
        )
    reason = missing_reason(name, case.policy, [case.result], case.classes)
    if reason is None:
        return None
    special = any(now.name in ("load.knee", "load.recovery") for now in case.result.readings.measurements)
    hint = _ORDINARY if special and name not in ("load.knee", "load.recovery") else f"correct the target {name}"
    return Judgement(name, "", "target", demand.text, Verdict.UNKNOWN, reason, hint=hint)


def missing_reason(name: str, policy: Policy, gates: Sequence[GateResult], classes: Mapping[str, str]) -> str | None:
    """Return what a target looked for and did not find; None where there is nothing of the kind and nobody asked."""
    kind = kind_of(name)
    wanted = name.partition(".")[2]
    here = [measurement for gate in gates for measurement in gate.readings.measurements]
    which = ", ".join(gate.gate for gate in gates) or "any gate"
    if kind is None or kind.reach == "whole":
        if kind is not None and kind.optional and name in policy.defaults:
            return None
        looked_for = kind.looks_for if kind else f"a number {name}"
        return f"the target {name} looked for {looked_for} in {which}, and found none{_nearest(name, here)}"
    if kind.reach == "class":
        return _missing_class(name, wanted, policy, which, classes)
    scopes = {measurement.scope for measurement in here if measurement.name == kind.measurement and measurement.scope}
    if kind.reach == "operation":
        scopes |= set(classes)
    return f"the target {name} matched no {kind.reach} in {which}{_alike(wanted, scopes)}"


def _missing_class(name: str, wanted: str, policy: Policy, which: str, classes: Mapping[str, str]) -> str | None:
    members = [operation for operation in classes if class_of(operation, classes) == wanted]
    if not members and name in policy.defaults:
        return None
    if not members:
        return f"the target {name} matched nothing: no operation is of class {wanted}"
    shown = ", ".join(members[:3]) + (" and others" if len(members) > 3 else "")
    return f"the target {name} found no request to {shown} in {which}"


def _alike(wanted: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(wanted, sorted(names), n=1, cutoff=0.0)
    return f"; the nearest is {near[0]}" if near else "; there is none at all"


def _nearest(name: str, measurements: Sequence[Measurement]) -> str:
    near = difflib.get_close_matches(name, sorted({measurement.name for measurement in measurements}), n=1)
    return f"; the nearest is {near[0]}" if near else ""


def targets_without_evidence(
    policy: Policy,
    owners: Mapping[str, tuple[str, ...]],
    gates: Sequence[GateResult],
    classes: Mapping[str, str],
) -> list[tuple[str, ItemId | None, str]]:
    """Return the targets that no gate brings, or that none of several did: name, item, and what was looked for.

    A default that nothing would bring is silent: its item says that no gate decides it. Where a gate that would bring
    it did not end well, that gate's own verdict says why.
    """
    found: list[tuple[str, ItemId | None, str]] = []
    for name in policy.targets:
        kind = kind_of(name)
        item = kind.item if kind else None
        brought = any(find_measurements(name, gate.readings.measurements, classes) for gate in gates)
        owning = [gate for gate in gates if gate.gate in owners.get(name, ())]
        if brought or len(owners.get(name, ())) == 1:
            continue
        if not owners.get(name):
            if name not in policy.defaults:
                found.append((name, item, f"no gate here measures what the target {name} demands"))
        elif owning and all(gate.verdict not in (Verdict.ERROR, Verdict.SKIPPED) for gate in owning):
            reason = missing_reason(name, policy, owning, classes)
            if reason is not None:
                found.append((name, item, reason))
    return found
