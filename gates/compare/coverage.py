"""Coverage against earlier phases, exactly: by the counts of lines, never by a rounded percentage."""

from __future__ import annotations

from fractions import Fraction

from gates.compare.case import Baseline, Case, is_explained, since_accepted
from gates.demands import format_value
from gates.results import Judgement, JudgementKind, Measurement, Verdict

COMPARED = ("coverage.lines", "coverage.branches")
"""Changed lines are other lines in each phase: they have a target, and nothing to be compared with."""


def share_of(measurement: Measurement) -> Fraction | None:
    """Return the exact share, from counts where there are any; None where there was nothing to cover."""
    if measurement.total is None or measurement.count is None:
        return Fraction(measurement.value).limit_denominator(10**9)
    return Fraction(measurement.count, measurement.total) if measurement.total > 0 else None


def is_lower(now: Measurement, then: Measurement, points: float) -> bool:
    """Return whether coverage fell by more than `points` (0.01 for one percentage point)."""
    share_now, share_then = share_of(now), share_of(then)
    if share_now is None or share_then is None:
        return share_then is not None
    return share_now + Fraction(points).limit_denominator(10**9) < share_then


def describe(measurement: Measurement) -> str:
    """Return a share with its counts: `91.2 % (912 of 1000)`."""
    text = format_value(measurement.value, "ratio")
    return text if measurement.total is None else f"{text} ({measurement.count} of {measurement.total})"


def judge_coverage(case: Case) -> list[Judgement]:
    """Compare line and branch coverage with the previous phase, and with the best earlier one."""
    baseline = case.baseline
    if baseline is None:
        return []
    judgements = []
    for name in COMPARED:
        then = baseline.measurements.get((name, ""))
        if then is None:
            continue
        now = case.measurements.get((name, ""))
        if now is None or share_of(now) is None:
            if case.complete and not is_explained(case, name):
                judgements.append(_gone(name, baseline, then))
            continue
        judgements.append(_compare(case, now, then, baseline.phase, "baseline"))
        best = _best(case, name)
        if best is not None and best is not baseline:
            judgements.append(_compare(case, now, best.measurements[(name, "")], best.phase, "best"))
    return judgements


def _best(case: Case, name: str) -> Baseline | None:
    found: tuple[Fraction, Baseline] | None = None
    for baseline in since_accepted(case, name, ""):
        measurement = baseline.measurements.get((name, ""))
        share = share_of(measurement) if measurement else None
        # Of equals the latest, which is then the previous phase, and is compared only once.
        if share is not None and (found is None or share >= found[0]):
            found = (share, baseline)
    return found[1] if found else None


def _demand(case: Case) -> str:
    points = case.policy.tolerances.coverage
    return f"at most {points * 100:g} points lower" if points else "not lower"


def _gone(name: str, baseline: Baseline, then: Measurement) -> Judgement:
    return Judgement(
        name, "", "baseline", "measured again", Verdict.UNKNOWN,
        f"{name} was {describe(then)} in {baseline.phase} and was not measured this time",
        unit="ratio", baseline=then.value, hint="see why the test command no longer measures it",
    )  # fmt: skip


def _compare(case: Case, now: Measurement, then: Measurement, phase: str, kind: JudgementKind) -> Judgement:
    lower = is_lower(now, then, case.policy.tolerances.coverage)
    best = "the best earlier phase, " if kind == "best" else ""
    told = f"{now.name} is {describe(now)}; it was {describe(then)} in {best}{phase}"
    return Judgement(
        now.name, "", kind, _demand(case), Verdict.FAIL if lower else Verdict.PASS, told,
        value=now.value, unit="ratio", baseline=then.value, ratio=now.value / then.value if then.value else None,
        samples=now.total, hint="add tests for what is no longer covered" if lower else "",
    )  # fmt: skip
