"""Two builds side by side: when the epochs so far are enough to say that something became slower, or did not.

The tool asks between epochs whether to go on, and `compare` asks the same functions of the stored samples, so a stored
run is judged again as it was judged. Everything is a natural-log ratio of the new build to the earlier one, one number
per epoch and quantity. numpy and scipy are imported where they are needed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from gates.demands import Tolerances
from gates.results import Measurement
from gates.statistics import POWER, chance_of_rise, holm

ALPHA = 0.05
"""The chance, over all looks and quantities together, that a gate says `fail` when nothing became slower."""
FLOOR = 0.01
"""A worsening below this is not one (eps in performance.md); a calibration of the machine may raise it."""
FIRST_LOOK = 4
"""Epochs before the first look; with fewer, Student's t says nothing at these levels."""
CONFIRMING = 4
"""Epochs that are measured after a fail, before it stands."""
SHIFT, P95, P99, MEMORY = "pair.shift", "pair.p95", "pair.p99", "pair.memory"
THROUGHPUT, RATE, RATE_BEFORE = "pair.throughput", "pair.rate", "pair.rate_before"
"""How many times what this build gets through the earlier one does, and what either does, in answers per second."""
BENCH, NUMBER = "pair.bench", "pair.number"
"""The median of a benchmark, and a number that a command prints; a block of one process of each build is an epoch."""
ERRORS, ERRORS_BEFORE = "pair.errors", "pair.errors_before"
PLANNED, CONFIRMED = "pair.planned", "pair.confirmed"
"""How many epochs there were to be at most, and how many of those in the samples were measured to confirm a fail."""
ORDER = "pair.order"
"""How many times longer an answer takes when it is asked for first, ahead of the other build's."""
FLOOR_USED = "pair.floor"
"""The floor by which it was decided when to stop, and by which it is judged."""
P99_REQUESTS = 10_000
"""Requests of each build before a p99 is judged: then a hundred are above it."""
P99_PER_EPOCH = 1000
P95_PER_EPOCH = 20
"""Below so many requests an epoch's p95 is nothing but its slowest request."""
RISE_ALPHA = 0.05
"""The chance that any operation seems to fail more often when none does (exact conditional test, Holm)."""
RISE_FLOOR = 0.001
"""A rise of the share of failures by less than this, in absolute terms, is not one."""
_MOST_EPOCHS = 400
_MOST_FLIPPED = 40
"""With more epochs the sign-flip test and Student's t no longer differ, and the exact count grows too large."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is judged: natural-log ratios new/earlier, one per epoch, and how much worse is tolerated (0.05 for 5 %)."""

    name: str
    scope: str
    samples: tuple[float, ...]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the epochs so far say of a quantity; `ratio`, `low`, `high` are plain ratios, one-sided at the look's level.

    `detectable` is the smallest worsening, as a share, that would have been told from none with a chance of 80 %.
    `needed` is how many epochs in all would decide it if they go on like this; None when it is decided, or when none
    that anybody would wait for are enough. With a single epoch nothing is known: `high` and `detectable` are infinite.
    """

    quantity: Quantity
    verdict: Literal["pass", "fail", "open"]
    ratio: float
    low: float
    high: float
    detectable: float
    needed: int | None


def plan(epochs: int) -> tuple[int, ...]:
    """Return after how many epochs to look when there are to be at most `epochs`: every second from the fourth on."""
    if epochs < FIRST_LOOK:
        return (max(1, epochs),)
    return tuple(sorted({*range(FIRST_LOOK, epochs + 1, 2), epochs}))


@lru_cache(maxsize=256)
def levels(looks: tuple[int, ...], alpha: float = ALPHA) -> tuple[float, ...]:
    """Return the one-sided level of each look, so that all looks together err with `alpha`.

    alpha·t² is spent by the share t of the epochs (Lan and DeMets); the boundaries follow from the density of a
    Brownian motion that has not crossed the ones before (Armitage, McPherson and Rowe), by numerical integration.
    """
    import numpy
    from scipy import special

    points, times, found = 801, [look / looks[-1] for look in looks], list[float]()
    grid: Any = numpy.zeros(1)
    mass: Any = numpy.ones(1)
    for position, time in enumerate(times):
        before = times[position - 1] if position else 0.0
        root, step = math.sqrt(time), math.sqrt(time - before)
        spent = alpha * (time**2 - before**2)

        def crossing(bound: float, grid: Any = grid, mass: Any = mass, step: float = step) -> float:
            return float(numpy.sum(mass * special.ndtr((grid - bound) / step)))

        low, high = -2 * root, 8 * root
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if crossing(middle) > spent else (low, middle)
        found.append(float(special.ndtr(-high / root)))
        ahead = numpy.linspace(-8 * root, high, points)
        weights = numpy.full(points, ahead[1] - ahead[0])
        weights[[0, -1]] /= 2
        distance = (ahead[:, None] - grid[None, :]) / step
        mass = weights * (numpy.exp(-(distance**2) / 2) @ mass) / (step * math.sqrt(2 * math.pi))
        grid = ahead
    return tuple(found)


def look(
    quantities: Sequence[Quantity], *, position: int, looks: tuple[int, ...], floor: float = FLOOR
) -> list[Decision]:
    """Decide all primary quantities together at one look of a plan; `position` counts from 0.

    fail: the lower bound is above the floor even as one of so many chances to fail (Holm), and the upper bound is not
    below the tolerance. pass: the upper bound is below the tolerance. The exact sign-flip test has to agree with
    either, else it stays open; so does what neither bound decides. At the last look `open` is what people call unknown.
    A fail is not final: it has to be confirmed (see `conclude`).
    """
    spending = levels(looks)
    level, last = spending[position], spending[-1]
    estimates = [_estimate(quantity.samples) for quantity in quantities]
    worst = holm([estimate.chance_above(math.log1p(floor)) for estimate in estimates], level)
    each = last / max(1, len(quantities))
    return [
        _decide(quantity, estimate, level, floor, proven, _Ahead(last, each))
        for quantity, estimate, proven in zip(quantities, estimates, worst, strict=True)
    ]


def conclude(
    quantities: Sequence[Quantity], *, planned: int, confirmed: int = 0, floor: float = FLOOR
) -> list[Decision]:
    """Decide samples as they were left: what the tool stops with, and what `compare` says of a stored run.

    The epochs of a quantity are its samples: those that were thrown away are not among them, those that confirm a fail
    are. The look is the last one of `plan(planned)` that the epochs before the confirmation reach; before the first
    look nothing is decided. When a fail was confirmed, all samples together are judged at the level of the last look.
    A fail without its CONFIRMING further epochs is open: it needs them.
    """
    looks = plan(planned)
    epochs = max((len(quantity.samples) for quantity in quantities), default=0)
    reached = sum(at <= epochs - confirmed for at in looks)
    if not reached:
        decisions = look(quantities, position=0, looks=looks, floor=floor)
        return [replace(one, verdict="open", needed=max(looks[0], one.needed or 0)) for one in decisions]
    position = len(looks) - 1 if confirmed else reached - 1
    decisions = look(quantities, position=position, looks=looks, floor=floor)
    if confirmed >= CONFIRMING:
        return decisions
    needed = epochs + CONFIRMING - confirmed
    return [replace(one, verdict="open", needed=needed) if one.verdict == "fail" else one for one in decisions]


def settled(decisions: Sequence[Decision]) -> bool:
    """Return whether more epochs would change nothing: something failed, or everything passed."""
    return any(one.verdict == "fail" for one in decisions) or (
        bool(decisions) and all(one.verdict == "pass" for one in decisions)
    )


@dataclass(frozen=True, slots=True)
class _Estimate:
    """The mean of log ratios with its standard error; `sd` and `error` are infinite where one sample tells none."""

    samples: tuple[float, ...]
    mean: float
    sd: float

    @property
    def freedom(self) -> int:
        return len(self.samples) - 1

    @property
    def error(self) -> float:
        return self.sd / math.sqrt(max(1, len(self.samples)))

    def reach(self, level: float) -> float:
        """Return how far a one-sided bound at this level lies from the mean."""
        from scipy import special

        return float(special.stdtrit(self.freedom, 1 - level)) * self.error if self.freedom > 0 else math.inf

    def chance_above(self, border: float) -> float:
        """Return the one-sided p-value against a true mean of at most `border`; samples all alike leave no doubt."""
        from scipy import special

        if self.freedom < 1:
            return 1.0
        if self.error == 0:
            return 0.0 if self.mean > border else 1.0
        return float(special.stdtr(self.freedom, (border - self.mean) / self.error))


def _estimate(samples: tuple[float, ...]) -> _Estimate:
    if len(samples) < 2:
        return _Estimate(samples, samples[0] if samples else 0.0, math.inf)
    return _Estimate(samples, statistics.fmean(samples), statistics.stdev(samples))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The levels at which further epochs would be judged: to pass, and to fail as one of many."""

    passing: float
    failing: float


def _decide(
    quantity: Quantity, estimate: _Estimate, level: float, floor: float, proven: bool, ahead: _Ahead
) -> Decision:
    border, tolerated = math.log1p(floor), math.log1p(quantity.tolerance)
    reach = estimate.reach(level)
    low, high = estimate.mean - reach, estimate.mean + reach
    verdict: Literal["pass", "fail", "open"] = "open"
    if high < tolerated:
        if _flips_agree([tolerated - value for value in estimate.samples], level):
            verdict = "pass"
    elif proven and low > border and _flips_agree([value - border for value in estimate.samples], level):
        verdict = "fail"
    return Decision(
        quantity, verdict, math.exp(estimate.mean), math.exp(low), _power(high),
        _power(border + _steps(estimate, level)) - 1,
        _needed(estimate, border, tolerated, ahead) if verdict == "open" else None,
    )  # fmt: skip


def _power(logarithm: float) -> float:
    return math.exp(logarithm) if logarithm < 700 else math.inf


def _steps(estimate: _Estimate, level: float) -> float:
    return estimate.reach(level) + estimate.reach(1 - POWER)


def _flips_agree(distances: Sequence[float], level: float) -> bool:
    """Return whether the exact sign-flip test finds these above zero, too, as far as so few can tell."""
    if len(distances) > _MOST_FLIPPED:
        return True
    return sign_flip_chance(distances) <= max(level, 0.5 ** len(distances)) * (1 + 1e-9)


def sign_flip_chance(distances: Sequence[float]) -> float:
    """Return the exact one-sided p-value: the share of all 2ⁿ choices of signs whose sum is at least the observed one.

    The sums of two halves are counted against each other, so 40 values take a million sums rather than 2⁴⁰.
    """
    import numpy

    def sums(values: Sequence[float]) -> Any:
        found: Any = numpy.zeros(1)
        for value in values:
            found = numpy.concatenate((found + value, found - value))
        return found

    middle = len(distances) // 2
    seen = math.fsum(distances) - 1e-12 * math.fsum(map(abs, distances))
    left, right = sums(distances[:middle]), numpy.sort(sums(distances[middle:]))
    as_large = len(right) - numpy.searchsorted(right, seen - left, side="left")
    return float(as_large.sum()) / 2.0 ** len(distances)


def _needed(estimate: _Estimate, border: float, tolerated: float, ahead: _Ahead) -> int | None:
    """Return after how many epochs in all, an even number, the same mean and spread would be decided."""
    import numpy
    from scipy import special

    if estimate.freedom < 1:
        return None
    first = max(FIRST_LOOK, (len(estimate.samples) // 2 + 1) * 2)
    epochs = numpy.arange(first, _MOST_EPOCHS + 1, 2)
    to_pass, to_fail = (
        special.stdtrit(epochs - 1, 1 - level) * estimate.sd / numpy.sqrt(epochs)
        for level in (ahead.passing, ahead.failing)
    )
    above = estimate.mean + to_pass >= tolerated
    decided = numpy.flatnonzero(~above | (estimate.mean - to_fail > border))
    return int(epochs[decided[0]]) if len(decided) else None


def planned_in(measurements: Sequence[Measurement]) -> tuple[int, int] | None:
    """Return the recorded number of epochs planned and of those that confirm a fail; None where nothing was paired."""
    values = {one.name: round(one.value) for one in measurements if one.name in (PLANNED, CONFIRMED)}
    return (values[PLANNED], values.get(CONFIRMED, 0)) if PLANNED in values else None


def floor_in(measurements: Sequence[Measurement]) -> float:
    """Return the floor that was recorded; what was measured before there were calibrations used the ordinary one."""
    return next((one.value for one in measurements if one.name == FLOOR_USED), FLOOR)


def quantities_of(measurements: Sequence[Measurement], tolerances: Tolerances) -> list[Quantity]:
    """Return the primary quantities of what was measured in pairs, in the order in which they were measured.

    Samples are natural-log ratios, one per epoch. Every shift, benchmark and number, throughput, and the p95 over all
    operations, may be worse by `tolerances.performance`; the p99 over all (an operation's own is not judged), one
    operation's p95, and memory by `tolerances.tails`. Times of a scope where failures rose mean nothing and are left
    out. A percentile of too few requests has no samples, and stays open, until there are enough; where the planned
    epochs will never bring enough, it is left out (see `shortage`).
    """
    silent = {rise.scope for rise in rises(measurements) if rise.verdict == "fail"}
    planned = (planned_in(measurements) or (0, 0))[0]
    found = []
    for one in measurements:
        if not _is_primary(one) or (one.scope in silent and one.name != MEMORY):
            continue
        lax = one.name in (P99, MEMORY) or (one.name == P95 and one.scope)
        tolerance = tolerances.tails if lax else tolerances.performance
        if shortage(one, len(one.samples)) is None:
            found.append(Quantity(one.name, one.scope, one.samples, tolerance))
        elif shortage(one, planned) is None:
            found.append(Quantity(one.name, one.scope, (), tolerance))
    return found


def _is_primary(one: Measurement) -> bool:
    return bool(one.samples) and (
        one.name in (SHIFT, P95, MEMORY, THROUGHPUT, BENCH, NUMBER) or (one.name == P99 and not one.scope)
    )


def left_out(measurements: Sequence[Measurement]) -> list[tuple[Measurement, str]]:
    """Return the percentiles that would be judged and never will be at this rate, each with what it lacks, in words."""
    planned = (planned_in(measurements) or (0, 0))[0]
    silent = {rise.scope for rise in rises(measurements) if rise.verdict == "fail"}
    found = ((one, shortage(one, planned)) for one in measurements if _is_primary(one) and one.scope not in silent)
    return [(one, lacking) for one, lacking in found if lacking is not None]


def shortage(one: Measurement, epochs: int) -> str | None:
    """Return in words what a percentile would lack after so many epochs at its rate, None when it lacks nothing.

    `total` of a measurement counts the requests of each build in all its epochs; without it nothing is held against it.
    """
    if one.total is None or one.name not in (P95, P99) or not one.samples:
        return None
    least = P99_PER_EPOCH if one.name == P99 else P95_PER_EPOCH
    rate = one.total / len(one.samples)
    if rate >= least and (one.name == P95 or rate * epochs >= P99_REQUESTS):
        return None
    whole = f" and {P99_REQUESTS:,} in all" if one.name == P99 else ""
    return (
        f"it needs {least:,} requests of each build in an epoch{whole}, and there were {rate:,.0f} in each of {epochs}"
    )


@dataclass(frozen=True, slots=True)
class Rise:
    """The failures of one scope ("" over all) in both builds, and whether their share rose."""

    scope: str
    then: Measurement
    now: Measurement
    verdict: Literal["pass", "fail", "open"]


def rises(measurements: Sequence[Measurement]) -> list[Rise]:
    """Return for each scope whether answers of the new build failed more often, by `count` of `total` of each build.

    fail: beyond chance (exact conditional test, Holm over all scopes) and by more than RISE_FLOOR. pass: by no more
    than RISE_FLOOR. What rose by more but not beyond chance is open.
    """
    pairs = _counted(measurements)
    chances = [chance_of_rise(was.count or 0, was.total or 0, now.count or 0, now.total or 0) for was, now in pairs]
    found = []
    for (was, now), beyond_chance in zip(pairs, holm(chances, RISE_ALPHA), strict=True):
        rose = (now.count or 0) / (now.total or 1) - (was.count or 0) / (was.total or 1) > RISE_FLOOR
        found.append(Rise(now.scope, was, now, ("fail" if beyond_chance else "open") if rose else "pass"))
    return found


def _counted(measurements: Sequence[Measurement]) -> list[tuple[Measurement, Measurement]]:
    before: Mapping[str, Measurement] = {one.scope: one for one in measurements if one.name == ERRORS_BEFORE}
    return [
        (before[one.scope], one)
        for one in measurements
        if one.name == ERRORS and one.scope in before and one.total and before[one.scope].total
    ]
