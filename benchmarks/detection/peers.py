"""What other tools would say of the same measurements: the rule of each, as small as it is, with where it stands.

Each takes a comparison and returns whether it says that something became slower. None of them can say that it does not
know. Where a tool compares benchmarks by name, each operation is one, and one that is slower is enough: that is how its
users have it fail a build. Versions are those that were read when this was written.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
from scipy import special, stats

from benchmarks.detection.runs import Comparison, Side

Rule = Callable[[Comparison], bool]


@dataclass(frozen=True, slots=True)
class Peer:
    """A rule as it stands in the table; `runs` is which runs of the earlier build it looks at."""

    name: str
    runs: str
    rule: Rule


def _any_operation(one: Comparison, slower: Callable[[str], bool]) -> bool:
    return any(slower(name) for name in one.now.operations if name in one.then.operations)


K6_HEADROOM = 1.2


def k6_threshold(one: Comparison) -> bool:
    """k6 2.x `thresholds: {http_req_duration: ['p(95)<X']}` (docs, "Thresholds"): one absolute limit for all requests.

    X is what a person writes down once: the p95 of the first run and a fifth on top.
    """
    return one.now.p95 >= K6_HEADROOM * one.first.p95


def pytest_benchmark(one: Comparison) -> bool:
    """pytest-benchmark 5.3.1 `--benchmark-compare-fail=mean:5%` (utils.py, PercentageRegressionCheck)."""
    return _any_operation(one, lambda name: one.now.means[name] / one.then.means[name] * 100 - 100 > 5)


def _action_alert(one: Comparison, threshold: float) -> bool:
    return _any_operation(one, lambda name: one.now.means[name] / one.then.means[name] > threshold)


def github_action_benchmark(one: Comparison) -> bool:
    """github-action-benchmark v1, `alert-threshold: 200%`, its default (src/write/findAlerts.ts; action.yml)."""
    return _action_alert(one, 2.0)


def github_action_benchmark_150(one: Comparison) -> bool:
    """The same with `alert-threshold: 150%`."""
    return _action_alert(one, 1.5)


def github_action_benchmark_110(one: Comparison) -> bool:
    """The same, tightened to `alert-threshold: 110%`."""
    return _action_alert(one, 1.1)


def bencher_t_test(one: Comparison) -> bool:
    """Bencher 0.5 `--threshold-test t_test --threshold-max-sample-size 64 --threshold-upper-boundary 0.99`.

    lib/bencher_boundary: the limit is the quantile of Student's t with the mean and the population's standard deviation
    of the history, and as many degrees of freedom as it has runs less one. The figures are those of its documentation.
    """

    def slower(name: str) -> bool:
        before = [side.means[name] for side in one.history if name in side.means]
        if len(before) < 2:
            return False
        limit = special.stdtrit(len(before) - 1, 0.99) * statistics.pstdev(before) + statistics.fmean(before)
        return one.now.means[name] > limit

    return _any_operation(one, slower)


def bencher_percentage(one: Comparison) -> bool:
    """Bencher 0.5 `--threshold-test percentage --threshold-upper-boundary 0.10`: 10 % above the mean of the history."""

    def slower(name: str) -> bool:
        before = [side.means[name] for side in one.history if name in side.means]
        return one.now.means[name] > statistics.fmean(before) * 1.10

    return _any_operation(one, slower)


def _asv(one: Comparison, then: Side) -> bool:
    def slower(name: str) -> bool:
        before, now = then.requests[name], one.now.requests[name]
        different = stats.mannwhitneyu(before, now, alternative="two-sided").pvalue < 0.002
        return bool(different and statistics.median(before) < statistics.median(now) / 1.1)

    return _any_operation(one, slower)


def asv(one: Comparison) -> bool:
    """asv 0.6.6 `compare --factor 1.1`, its default: different, and a median more than 1.1 times what it was.

    Different is Mann-Whitney's p < 0.002 on the samples (asv/_stats.py, is_different; asv/commands/compare.py,
    _is_result_better).
    """
    return _asv(one, one.then)


def asv_interleaved(one: Comparison) -> bool:
    """The same as `asv continuous --interleave-rounds` would have it: both builds measured in turn."""
    return _asv(one, one.beside)


def _benchstat(one: Comparison, then: Side) -> bool:
    def slower(name: str) -> bool:
        before, now = then.epoch_means[name], one.now.epoch_means[name]
        chance = stats.mannwhitneyu(before, now, alternative="two-sided", method="exact").pvalue
        return bool(chance <= 0.05 and statistics.median(now) > statistics.median(before))

    return _any_operation(one, slower)


def benchstat(one: Comparison) -> bool:
    """benchstat of golang.org/x/perf: the exact Mann-Whitney test at 0.05, any delta (benchmath/anone.go, sample.go).

    A sample is the mean of one epoch, as a line of `go test -count` is the mean of one repetition.
    """
    return _benchstat(one, one.then)


def benchstat_interleaved(one: Comparison) -> bool:
    """The same with both builds measured in turn, as its documentation advises."""
    return _benchstat(one, one.beside)


def _pyperf(one: Comparison, then: Side) -> bool:
    def slower(name: str) -> bool:
        before, now = then.epoch_means[name], one.now.epoch_means[name]
        pooled = (statistics.variance(before) * (len(before) - 1) + statistics.variance(now) * (len(now) - 1)) / (
            len(before) + len(now) - 2
        )
        score = (statistics.fmean(now) - statistics.fmean(before)) / math.sqrt(2 * pooled / len(now))
        return bool(score >= special.stdtrit(len(before) + len(now) - 2, 0.975))

    return _any_operation(one, slower)


def pyperf(one: Comparison) -> bool:
    """pyperf 2.10.0 `compare_to` (pyperf/_utils.py, is_significant): Student's t of two samples, two-tailed, at 95 %.

    A value is the mean of one epoch, as pyperf takes its values from processes that are started anew.
    """
    return _pyperf(one, one.then)


def pyperf_interleaved(one: Comparison) -> bool:
    """The same with both builds measured in turn."""
    return _pyperf(one, one.beside)


def kayenta(one: Comparison) -> bool:
    """Kayenta's NetflixACAJudge-v1.0 (tolerance 0.25, confidence 0.98): the canary's score is below 95, its pass mark.

    kayenta-judge, MannWhitneyClassifier.scala: a metric is High when the lower bound of the Hodges-Lehmann estimate of
    the difference lies above a quarter of that estimate; outliers, beyond three interquartile ranges, are left out.
    A metric is the mean latency of one operation, second by second. Baseline and canary run side by side, as Kayenta
    wants it; with five metrics of equal weight one that is High makes the score 80.
    """

    def high(name: str) -> bool:
        canary, baseline = (without_outliers(side.seconds[name]) for side in (one.now, one.beside))
        estimate, low = hodges_lehmann(canary, baseline, 0.98)
        return low > 0.25 * abs(estimate)

    return _any_operation(one, high)


def without_outliers(values: Sequence[float], factor: float = 3.0) -> list[float]:
    """Return values without those further than `factor` interquartile ranges beyond the quartiles.

    As kayenta-judge's IQRDetector with reduceSensitivity: and beyond the 1st and the 99th percentile.
    """
    low, high = numpy.percentile(values, (25, 75))
    reach = factor * (high - low)
    below = min(low - reach, float(numpy.percentile(values, 1)))
    above = max(high + reach, float(numpy.percentile(values, 99)))
    return [value for value in values if below <= value <= above]


def hodges_lehmann(first: Sequence[float], second: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the median of all differences first - second, and its lower bound at a two-sided confidence.

    The bound is an order statistic of the differences, by the normal approximation of the rank sum (Hollander, Wolfe).
    """
    differences = numpy.sort(numpy.subtract.outer(numpy.asarray(first), numpy.asarray(second)).ravel())
    sizes = len(first), len(second)
    middle, spread = sizes[0] * sizes[1] / 2, math.sqrt(sizes[0] * sizes[1] * (sum(sizes) + 1) / 12)
    place = max(0, math.floor(middle - float(special.ndtri((1 + confidence) / 2)) * spread))
    return float(numpy.median(differences)), float(differences[place])


def naive_p95(one: Comparison) -> bool:
    """No tool, and what most scripts do: the p95 is more than 10 % above that of the run before."""
    return one.now.p95 > 1.10 * one.then.p95


def pooled_requests(one: Comparison) -> bool:
    """No tool, and often advised: Mann-Whitney at 0.05 on all requests of two runs, any operation."""

    def slower(name: str) -> bool:
        before, now = one.then.requests[name], one.now.requests[name]
        return bool(stats.mannwhitneyu(now, before, alternative="greater").pvalue < 0.05)

    return _any_operation(one, slower)


STORED, IN_TURN, HISTORY = "the run before", "the same epochs", "all runs before"
PEERS = (
    Peer("p95 > 10 % over one stored run", STORED, naive_p95),
    Peer("Mann-Whitney on pooled requests", STORED, pooled_requests),
    Peer("k6 threshold p(95) < X", "the first run", k6_threshold),
    Peer("pytest-benchmark mean:5%", STORED, pytest_benchmark),
    Peer("github-action-benchmark 200%", STORED, github_action_benchmark),
    Peer("github-action-benchmark 150%", STORED, github_action_benchmark_150),
    Peer("github-action-benchmark 110%", STORED, github_action_benchmark_110),
    Peer("Bencher t_test 0.99", HISTORY, bencher_t_test),
    Peer("Bencher percentage 0.10", HISTORY, bencher_percentage),
    Peer("asv, factor 1.1", STORED, asv),
    Peer("asv, factor 1.1", IN_TURN, asv_interleaved),
    Peer("benchstat", STORED, benchstat),
    Peer("benchstat", IN_TURN, benchstat_interleaved),
    Peer("pyperf compare_to", STORED, pyperf),
    Peer("pyperf compare_to", IN_TURN, pyperf_interleaved),
    Peer("Kayenta", IN_TURN, kayenta),
)
