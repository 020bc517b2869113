"""The numbers of a project's own commands against the earlier phases: what has a better direction may not get worse."""

from __future__ import annotations

from gates.compare.case import Baseline, Case, is_explained, since_accepted
from gates.compare.performance import SIDE_BY_SIDE, percent
from gates.demands import format_value
from gates.results import Judgement, JudgementKind, Measurement, Verdict
from gates.sequential import NUMBER

_TIMED = ("s", "1/s")
_TOOL = "command"


def judge_numbers(case: Case) -> list[Judgement]:
    """Compare with the previous phase, and with the best earlier one, so that small losses cannot add up.

    Counts and shares are exact; sizes, times and rates have the tolerance of [baseline] performance. One reading of a
    time says nothing of how it varies, so one that got worse by more than that is undecided, not a proven loss. What
    was measured beside the earlier build is judged by that alone (`beside`).
    """
    if case.result.tool != _TOOL or case.baseline is None:
        return []
    judgements = _gone(case, case.baseline)
    beside = {one.scope for one in case.result.readings.measurements if one.name == NUMBER}
    for now in case.result.readings.measurements:
        if now.better == "neither" or now.name == NUMBER or now.name in beside:
            continue
        key = (now.name, now.scope)
        if (then := case.baseline.measurements.get(key)) is not None:
            judgements.append(_compare(case, now, then, case.baseline, "baseline"))
        best = _best(case, now)
        if best is not None and best is not case.baseline:
            judgements.append(_compare(case, now, best.measurements[key], best, "best"))
    return judgements


def _gone(case: Case, baseline: Baseline) -> list[Judgement]:
    return [
        Judgement(
            then.name, then.scope, "baseline", "measured again", Verdict.UNKNOWN,
            f"{then.name} was {format_value(then.value, then.unit)} in {baseline.phase} and was not measured this time",
            unit=then.unit, baseline=then.value, hint="let the gate measure it again",
        )
        for key, then in baseline.measurements.items()
        if then.better != "neither" and then.name != NUMBER and key not in case.measurements
        and case.complete and not is_explained(case, then.name)
    ]  # fmt: skip


def _best(case: Case, now: Measurement) -> Baseline | None:
    key = (now.name, now.scope)
    candidates = [baseline for baseline in since_accepted(case, *key) if key in baseline.measurements]
    sign = -1 if now.better == "higher" else 1
    # Of equals the latest.
    return min(reversed(candidates), key=lambda one: sign * one.measurements[key].value, default=None)


def _compare(case: Case, now: Measurement, then: Measurement, baseline: Baseline, kind: JudgementKind) -> Judgement:
    tolerance = case.policy.tolerances.performance if now.unit in ("B", *_TIMED) else 0.0
    limit = then.value * (1 - tolerance if now.better == "higher" else 1 + tolerance)
    worse = now.value < limit if now.better == "higher" else now.value > limit
    best = "the best earlier phase, " if kind == "best" else ""
    reason = f"{now.name} is {format_value(now.value, now.unit)}; it was {format_value(then.value, then.unit)}"
    reason += f" in {best}{baseline.phase}"
    verdict, hint = Verdict.PASS, ""
    if worse and now.unit in _TIMED:
        verdict, hint = Verdict.UNKNOWN, f"one reading does not show how it varies: {SIDE_BY_SIDE}"
    elif worse:
        verdict, hint = Verdict.FAIL, "bring it back; if that is the price of this phase, sign off with --accept-debt"
    demand = f"at most {percent(tolerance)} worse" if tolerance else "no worse"
    return Judgement(
        now.name, now.scope, kind, demand, verdict, reason, value=now.value, unit=now.unit, baseline=then.value,
        hint=hint,
    )  # fmt: skip
