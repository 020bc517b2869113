"""Pure numbers behind the comparisons: ratios with their intervals, tests of counts, corrections for many tests.

Times and sizes are compared on the log scale, where noise that multiplies becomes noise that adds.
scipy.special is imported where it is needed: scipy.stats would cost every start more than a second.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CONFIDENCE = 0.95
"""Of each bound of an interval, one-sided: a worsening is proven by the lower bound, its absence by the upper."""
POWER = 0.80
"""The chance with which an effect of the size `detectable` is seen."""
RELATIVE_RUN_SD = 0.03
"""Run-to-run standard deviation (log) of an operation's p50 relative to the other operations of the same run.

On a real phased backend the ratio held within 0.73 and 0.79 over runs of identical code (performance.md)."""
_OUTLYING = 2.5
"""Scaled median absolute deviations beyond which an operation is taken to have changed by itself."""
_MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard deviation on the log scale, and the degrees of freedom behind it; a constant has infinitely many."""

    sd: float
    freedom: float = math.inf


@dataclass(frozen=True, slots=True)
class LogRatio:
    """How many times the earlier value a value is, estimated on the log scale with Student's t.

    `estimate` and `error` are natural logarithms; the properties are plain ratios.
    """

    estimate: float
    error: float
    freedom: float

    @property
    def ratio(self) -> float:
        """The estimated ratio."""
        return math.exp(self.estimate)

    @property
    def low(self) -> float:
        """The lower bound of the ratio, one-sided at CONFIDENCE."""
        return math.exp(self.estimate - t_quantile(CONFIDENCE, self.freedom) * self.error)

    @property
    def high(self) -> float:
        """The upper bound of the ratio, one-sided at CONFIDENCE."""
        return math.exp(self.estimate + t_quantile(CONFIDENCE, self.freedom) * self.error)

    @property
    def detectable(self) -> float:
        """The smallest worsening that would be seen with POWER, as a share: 0.5 when that is a ratio of 1.5."""
        steps = t_quantile(CONFIDENCE, self.freedom) + t_quantile(POWER, self.freedom)
        return math.expm1(min(steps * self.error, 700.0))

    def chance_above(self, ratio: float) -> float:
        """Return the one-sided p-value against the hypothesis that the true ratio is at most `ratio`."""
        from scipy import special

        distance = self.estimate - math.log(ratio)
        if self.error == 0:
            return 0.0 if distance > 0 else 1.0
        return float(special.stdtr(self.freedom, -distance / self.error))

    def inverted(self) -> LogRatio:
        """Return the ratio the other way round: how many times the value the earlier one was."""
        return LogRatio(-self.estimate, self.error, self.freedom)


def t_quantile(level: float, freedom: float) -> float:
    """Return the quantile of Student's t at a level (0.975 for the end of a two-sided 95 % interval)."""
    from scipy import special

    return float(special.stdtrit(freedom, level))


def _logs(values: Sequence[float]) -> list[float] | None:
    if any(not math.isfinite(value) or value <= 0 for value in values):
        return None
    return [math.log(value) for value in values]


def compare_logs(then: Sequence[float], now: Sequence[float], between_runs: Spread) -> LogRatio | None:
    """Return how many times `then` the values of `now` are, as a prediction interval for one run against one run.

    `then` and `now` are independent repetitions within one run each (epochs, processes). Both runs carry a share of
    their own, the same for all repetitions, which no repetition shows: `between_runs`.
    With three or more on both sides each brings its own variance (Welch), otherwise one is pooled.
    None when that is not possible: fewer than two degrees of freedom, or a value that has no logarithm.
    """
    logs_then, logs_now = _logs(then), _logs(now)
    if not logs_then or not logs_now:
        return None
    return _difference(logs_then, logs_now, between_runs)


def _difference(then: Sequence[float], now: Sequence[float], between_runs: Spread) -> LogRatio | None:
    parts: list[tuple[float, float]] = []
    if min(len(then), len(now)) >= 3:
        parts += [(statistics.variance(side) / len(side), len(side) - 1) for side in (then, now)]
    else:
        freedom = len(then) + len(now) - 2
        if freedom < 2:
            return None
        squares = sum(sum((value - statistics.fmean(side)) ** 2 for value in side) for side in (then, now))
        parts.append((squares / freedom * (1 / len(then) + 1 / len(now)), freedom))
    parts.append((2 * between_runs.sd**2, between_runs.freedom))
    variance = sum(part for part, _ in parts)
    # Welch-Satterthwaite: each part counts with how well it is known.
    doubt = sum(part**2 / freedom for part, freedom in parts)
    return LogRatio(
        statistics.fmean(now) - statistics.fmean(then), math.sqrt(variance), variance**2 / doubt if doubt else math.inf
    )


def between_runs(values: Sequence[float]) -> Spread | None:
    """Return the run-to-run spread that several runs of the same code show; None for fewer than three.

    It contains the runs' inner noise as well, so what is built on it errs towards `unknown`.
    """
    logs = _logs(values)
    if logs is None or len(logs) < 3:
        return None
    return Spread(statistics.stdev(logs), len(logs) - 1)


def relative_shifts(
    then: Mapping[str, Sequence[float]], now: Mapping[str, Sequence[float]], run_sd: float = RELATIVE_RUN_SD
) -> dict[str, LogRatio]:
    """Return how each operation moved against those that did not change, so that what all share cancels out.

    Values are one per epoch, the same epochs for all: an operation that lacks some is left out. Needs three that
    both sides have, otherwise the result is empty. The reference of an operation is the geometric mean, per epoch, of
    the others whose shift lies near the median shift, so one that changed does not move the others.
    """
    logs_then, logs_now = _aligned(then), _aligned(now)
    common = sorted(logs_then.keys() & logs_now.keys())
    if len(common) < 3:
        return {}
    moved = {name: statistics.fmean(logs_now[name]) - statistics.fmean(logs_then[name]) for name in common}
    middle = statistics.median(moved.values())
    scale = max(_MAD_TO_SD * statistics.median(abs(shift - middle) for shift in moved.values()), run_sd)
    unchanged = [name for name in common if abs(moved[name] - middle) <= _OUTLYING * scale]
    shifts: dict[str, LogRatio] = {}
    for name in common:
        reference = [other for other in unchanged if other != name]
        if len(reference) < 2:
            continue  # against a single other operation, its noise would be this one's
        shift = _difference(_against(logs_then, name, reference), _against(logs_now, name, reference), Spread(run_sd))
        if shift is not None:
            shifts[name] = shift
    return shifts


def _aligned(values: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    logs = {name: found for name, samples in values.items() if (found := _logs(samples))}
    epochs = max((len(samples) for samples in logs.values()), default=0)
    return {name: samples for name, samples in logs.items() if len(samples) == epochs}


def _against(logs: Mapping[str, Sequence[float]], name: str, reference: Sequence[str]) -> list[float]:
    return [
        value - statistics.fmean(logs[other][epoch] for other in reference) for epoch, value in enumerate(logs[name])
    ]


def chance_of_rise(count_then: int, total_then: int, count_now: int, total_now: int) -> float:
    """Return Fisher's exact one-sided p-value: how likely so many of `now` are if both shares are the same."""
    import numpy
    from scipy import special

    hits, total = count_then + count_now, total_then + total_now
    if not total_then or not total_now or not hits:
        return 1.0
    seen = numpy.arange(count_now, min(hits, total_now) + 1, dtype=float)

    def log_choose(of: float, choice: Any) -> Any:
        return special.gammaln(of + 1) - special.gammaln(choice + 1) - special.gammaln(of - choice + 1)

    logs = log_choose(total_now, seen) + log_choose(total_then, hits - seen) - log_choose(total, hits)
    return min(1.0, float(numpy.exp(logs).sum()))


def holm(chances: Sequence[float], alpha: float) -> list[bool]:
    """Return which of several hypotheses are rejected when the chance of any false rejection may be `alpha` (Holm)."""
    rejected = [False] * len(chances)
    for rank, index in enumerate(sorted(range(len(chances)), key=lambda index: chances[index])):
        if chances[index] > alpha / (len(chances) - rank):
            break
        rejected[index] = True
    return rejected


@dataclass(frozen=True, slots=True)
class Trend:
    """How fast something grows per unit of time: the median of all slopes between two points, and its bounds.

    The bounds are one-sided at CONFIDENCE each, as those of a ratio are.
    """

    slope: float
    low: float
    high: float


def trend(times: Sequence[float], values: Sequence[float]) -> Trend | None:
    """Return the slope of values over time by Theil and Sen, with bounds by Kendall's statistic; None below six points.

    Neighbours that resemble each other (what a garbage collector leaves, steps of an allocator) make a trend look
    surer than it is: the variance is raised by the autocorrelation of the ranks of what the slope leaves over, as
    Hamed and Rao do (Journal of Hydrology 204, 1998), and never lowered.
    """
    count = len(values)
    if count < 6:
        return None
    slopes = sorted(
        (values[later] - values[earlier]) / (times[later] - times[earlier])
        for earlier in range(count)
        for later in range(earlier + 1, count)
        if times[later] > times[earlier]
    )
    slope = statistics.median(slopes)
    variance = count * (count - 1) * (2 * count + 5) / 18
    left = [value - slope * moment for moment, value in zip(times, values, strict=True)]
    half = _normal_quantile(CONFIDENCE) * math.sqrt(variance * _inflation(_ranks(left)))
    low, high = (len(slopes) - half) / 2, (len(slopes) + half) / 2
    first, last = math.floor(low), math.ceil(high)
    return Trend(slope, slopes[max(0, first - 1)], slopes[min(len(slopes) - 1, last)])


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the ranks of some values; equal ones share theirs."""
    ordered = sorted(values)
    first = {value: position for position, value in reversed(list(enumerate(ordered)))}
    last = {value: position for position, value in enumerate(ordered)}
    return [(first[value] + last[value]) / 2 for value in values]


def _inflation(ranks: Sequence[float]) -> float:
    """Return by how much the variance of Kendall's statistic grows where neighbours resemble each other; 1 or more."""
    count, mean = len(ranks), statistics.fmean(ranks)
    spread = sum((rank - mean) ** 2 for rank in ranks)
    if spread == 0:
        return 1.0
    raised = 0.0
    for lag in range(1, count // 3 + 1):
        pairs = zip(ranks, ranks[lag:], strict=False)
        alike = sum((one - mean) * (other - mean) for one, other in pairs) / spread
        if alike <= _normal_quantile(CONFIDENCE) / math.sqrt(count):
            break  # what is beyond the first lag that is not told from chance is noise
        raised += (count - lag) * (count - lag - 1) * (count - lag - 2) * alike
    return 1 + 2 * raised / (count * (count - 1) * (count - 2))


def _normal_quantile(level: float) -> float:
    return statistics.NormalDist().inv_cdf(level)
