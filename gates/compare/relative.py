"""Operations against one another: what one run adds to all of them cancels out, so one that became slower shows.

It is blind to a slow-down that all operations share; only the absolute comparison can see that, or say it cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gates.compare.case import Baseline, Case
from gates.compare.performance import NOISE_FLOOR, different_machine, interval, percent
from gates.results import Judgement, Measurement, Verdict
from gates.statistics import LogRatio, holm, relative_shifts

ALPHA = 0.01
"""The chance that any operation of a gate seems slower than the others when none is (Holm). Smaller than for absolute
times: the run-to-run spread is so much smaller here that it costs little of what can be seen."""
_MEASUREMENT = "load.p50"


def judge_relative(case: Case, not_comparable: frozenset[str], absolute: Sequence[Judgement]) -> list[Judgement]:
    """Judge each operation's p50 relative to those that did not change since the baseline.

    An operation that stays undecided here is told only where its absolute comparison did not pass: what was decided
    over absolute times needs no second witness, and an undecided one makes the gate unknown by itself.
    """
    baseline = case.baseline
    if baseline is None or different_machine(case, baseline):
        return []
    then, now = _samples(baseline.gate.readings.measurements), _samples(case.result.readings.measurements)
    for scope in not_comparable:
        then.pop(scope, None)
        now.pop(scope, None)
    shifts = relative_shifts(then, now)
    proven = dict(
        zip(shifts, holm([shift.chance_above(1 + NOISE_FLOOR) for shift in shifts.values()], ALPHA), strict=True)
    )
    passed = {
        judgement.scope
        for judgement in absolute
        if judgement.kind == "baseline" and judgement.measurement == "load.p95" and judgement.verdict is Verdict.PASS
    }
    judgements = [_judge(case, baseline, scope, shift, proven[scope]) for scope, shift in shifts.items()]
    return [
        judgement
        for judgement in judgements
        if judgement.verdict is not Verdict.UNKNOWN or judgement.scope not in passed
    ]


def _samples(measurements: Iterable[Measurement]) -> dict[str, tuple[float, ...]]:
    return {
        measurement.scope: measurement.samples
        for measurement in measurements
        if measurement.name == _MEASUREMENT and measurement.scope
    }


def _judge(case: Case, baseline: Baseline, scope: str, shift: LogRatio, proven: bool) -> Judgement:
    tolerance = case.policy.tolerances.tails
    now, then = case.measurements[(_MEASUREMENT, scope)], baseline.measurements[(_MEASUREMENT, scope)]
    reason = (
        f"{_MEASUREMENT} of {scope}, relative to the other operations, is {interval(shift)} that of {baseline.phase}"
    )
    verdict, hint = Verdict.UNKNOWN, "measure both builds side by side"
    if proven and shift.low > 1 + NOISE_FLOOR and shift.ratio >= 1 + tolerance:
        verdict, hint = Verdict.FAIL, "find what made this operation slower than the others"
        reason += f"; {percent(tolerance)} is tolerated"
    elif shift.high < 1 + tolerance:
        verdict, hint = Verdict.PASS, ""
    else:
        reason += f"; {percent(tolerance)} is tolerated, and these runs only show"
        reason += f" a worsening of {percent(shift.detectable)} or more"
    return Judgement(
        _MEASUREMENT, scope, "relative", f"at most {percent(tolerance)} slower than the others", verdict, reason,
        value=now.value, unit=now.unit, baseline=then.value, ratio=shift.ratio, low=shift.low, high=shift.high,
        detectable=shift.detectable, samples=len(now.samples), hint=hint,
    )  # fmt: skip
