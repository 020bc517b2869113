"""The memory of a backend under lasting load: proven to grow, proven not to grow by what matters, or not to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gates.compare.case import Case, settle
from gates.demands import Demand, format_value
from gates.results import Epoch, Judgement, Measurement, Verdict

LEAK = "load.leak"
DOUBLES_WITHIN = 24 * 3600.0
"""Seconds; memory that would double in less is taken to leak where no target says how fast it may grow. Processes warm
up, fragment and fill caches for hours: a slope alone is no leak."""


def judge_leak(case: Case) -> list[Judgement]:
    """Judge growth for which no target was written: it may not double the memory within a day."""
    now = case.measurements.get((LEAK, ""))
    level = _level(case.result.readings.epochs)
    if now is None or level is None or LEAK in case.policy.targets:
        return []
    demand = Demand("<", level / DOUBLES_WITHIN, "growth", "does not double within a day")
    judgement = Judgement(LEAK, "", "target", demand.text, Verdict.UNKNOWN, "", value=now.value, unit=now.unit)
    return [settle(case, judge_slope(case, judgement, demand, now))]


def judge_slope(case: Case, judgement: Judgement, demand: Demand, now: Measurement) -> Judgement:
    """Return the judgement of a slope by its bounds, which the epochs hold.

    It fails when memory is proven to grow at all and its slope misses the demand; it passes when the upper bound meets
    it; between the two the run was too short to tell.
    """
    epochs = case.result.readings.epochs
    low, high = _mean(epochs, "leak_low"), _mean(epochs, "leak_high")
    if low is None or high is None:
        reason = "the run does not hold within which bounds the memory grew"
        return replace(judgement, verdict=Verdict.UNKNOWN, reason=reason, hint="load it again")
    bounds = f"{format_value(low, 'B/s')} to {format_value(high, 'B/s')}"
    reason = f"memory grew by {format_value(now.value, 'B/s')} ({bounds}), demanded is {demand.text}"
    level = _level(epochs)
    if low > 0 and level:
        reason += f"; it would double in {_hours(level / now.value)}"
    judged = replace(judgement, reason=reason, low=low, high=high, detectable=high - now.value)
    if demand.met_by(high):
        return replace(judged, verdict=Verdict.PASS)
    if low > 0 and not demand.met_by(now.value):
        hint = "find what is kept: caches without bound, listeners, sessions; if it ends by itself, load it longer"
        return replace(judged, verdict=Verdict.FAIL, hint=hint)
    return replace(judged, verdict=Verdict.UNKNOWN, reason=f"{reason}; {_unseen(high - now.value)}", hint=_longer(
        epochs, (high - now.value) / demand.value if demand.value > 0 else 0.0
    ))  # fmt: skip


def _unseen(detectable: float) -> str:
    return f"a run of this length only shows a growth of more than {format_value(detectable, 'B/s')}"


def _longer(epochs: Sequence[Epoch], times: float) -> str:
    """Return how long would tell: the error of a slope falls at least as the time grows."""
    seconds = max(epoch.seconds for epoch in epochs)
    return f"load it longer: `seconds` of {format_value(seconds * max(1.5, 2 * times), 's')} would most likely tell"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2g} h" if seconds >= 3600 else f"{seconds / 60:.2g} min"


def _level(epochs: Sequence[Epoch]) -> float | None:
    return _mean(epochs, "memory_level")


def _mean(epochs: Sequence[Epoch], name: str) -> float | None:
    seen = [epoch.conditions[name] for epoch in epochs if name in epoch.conditions]
    return sum(seen) / len(seen) if seen else None
