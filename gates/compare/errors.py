"""Failing answers under load: whether their share rose, and whose times therefore mean nothing."""

from __future__ import annotations

from collections.abc import Mapping

from gates.compare.case import Baseline, Case
from gates.demands import format_value
from gates.results import Judgement, Measurement, Verdict
from gates.statistics import chance_of_rise, holm

MOSTLY_FAILING = 0.05
"""With more than one answer in twenty failing, a p95 can stand among the failures alone."""
RISE_ALPHA = 0.01
"""The chance that any operation of a gate seems to fail more often when none does (Fisher's exact test, Holm)."""


def judge_errors(case: Case) -> tuple[list[Judgement], frozenset[str]]:
    """Return whether answers fail more often than they did, and the scopes whose times are not comparable."""
    ailing = {measurement.scope for measurement in case.result.readings.measurements if is_failing(measurement)}
    baseline = case.baseline
    if baseline is None:
        return [], frozenset(ailing)
    ailing |= {measurement.scope for measurement in baseline.measurements.values() if is_failing(measurement)}
    pairs = {
        scope: (then, case.measurements[(name, scope)])
        for (name, scope), then in baseline.measurements.items()
        if name == "load.errors" and (name, scope) in case.measurements
    }
    judgements = [_uncounted(then, baseline) for then, now in pairs.values() if not (_counted(then) and _counted(now))]
    counted = {scope: pair for scope, pair in pairs.items() if _counted(pair[0]) and _counted(pair[1])}
    rose = _rising(counted)
    not_comparable = frozenset(ailing | {scope for scope, higher in rose.items() if higher})
    for scope, (then, now) in counted.items():
        judgements.append(_judge(then, now, baseline, rose[scope], scope in not_comparable))
    return judgements, not_comparable


def is_failing(measurement: Measurement) -> bool:
    """Return whether this is a share of failures so high that the times beside it mean nothing."""
    return measurement.name == "load.errors" and measurement.value > MOSTLY_FAILING


def rises(then: Measurement, now: Measurement) -> bool:
    """Return whether one share of failures rose beyond chance."""
    return _chance(then, now) <= RISE_ALPHA


def _counted(measurement: Measurement) -> bool:
    return measurement.count is not None and bool(measurement.total)


def _chance(then: Measurement, now: Measurement) -> float:
    return chance_of_rise(then.count or 0, then.total or 0, now.count or 0, now.total or 0)


def _rising(pairs: Mapping[str, tuple[Measurement, Measurement]]) -> dict[str, bool]:
    return dict(zip(pairs, holm([_chance(then, now) for then, now in pairs.values()], RISE_ALPHA), strict=True))


def _share(measurement: Measurement) -> str:
    return f"{format_value(measurement.value, 'ratio')} ({measurement.count} of {measurement.total})"


def _subject(measurement: Measurement) -> str:
    return f"{measurement.name} of {measurement.scope}" if measurement.scope else measurement.name


def _judge(then: Measurement, now: Measurement, baseline: Baseline, rose: bool, silent: bool) -> Judgement:
    reason = f"{_subject(now)} is {_share(now)}; it was {_share(then)} in {baseline.phase}"
    if silent:
        reason += "; times are not compared, failing answers look fast"
    return Judgement(
        now.name, now.scope, "baseline", "no more failures than before", Verdict.FAIL if rose else Verdict.PASS, reason,
        value=now.value, unit=now.unit, baseline=then.value, samples=now.total,
        hint="see which answers failed, and the backend's output" if rose else "",
    )  # fmt: skip


def _uncounted(then: Measurement, baseline: Baseline) -> Judgement:
    return Judgement(
        then.name, then.scope, "baseline", "no more failures than before", Verdict.UNKNOWN,
        f"{_subject(then)} cannot be compared with {baseline.phase}: there are no counts of answers",
        unit=then.unit, baseline=then.value, hint="run the load gate again",
    )  # fmt: skip
