"""What this machine makes of a build that is measured beside itself, and what that means for later checks. Pure.

Whatever two identical builds differ by is noise or a bias, never a slow-down. The noise says what a check can see and
how long it takes; the bias raises the floor below which a worsening is none.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from gates.demands import Tolerances
from gates.machine import differences
from gates.results import Measurement, Verdict
from gates.sequential import (
    CONFIRMING,
    ERRORS,
    FIRST_LOOK,
    FLOOR,
    ORDER,
    PLANNED,
    SHIFT,
    Quantity,
    conclude,
    levels,
    look,
    plan,
    quantities_of,
    rises,
    settled,
)
from gates.statistics import CONFIDENCE, POWER, t_quantile

RULE = 1
"""The version of how figures are made of epochs: a calibration by another one is not used."""
HIGHEST_FLOOR = 0.03
"""With a floor above this, a worsening of 5 % could hardly be told any more."""
FEWEST_EPOCHS = 6
"""With fewer, the noise itself is hardly known."""
MOST_EPOCHS = 200
FRESH_DAYS = 30
"""Neighbours, firmware and power settings change: an older calibration is not used."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Below which a worsening is none (0.01 for 1 %), and what a report says of where that comes from, if anything."""

    value: float = FLOOR
    told: str = ""


@dataclass(frozen=True, slots=True)
class Noise:
    """What identical builds read of one quantity, in natural logarithms of new to old, one sample per epoch.

    `bias` is the mean, `reach` half its 95 % interval, `sd` the noise of one epoch. `detectable` is the worsening, as a
    share, that a check to its last epoch tells from none with a chance of 80 %. `needed` is after how many epochs an
    unchanged build passes with the same chance; None when none that anybody would wait for are enough.
    """

    name: str
    scope: str
    tolerance: float
    samples: tuple[float, ...]
    bias: float
    reach: float
    sd: float
    detectable: float
    needed: int | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What the rule of a check says of the calibration's own epochs, after how many; `blamed` would have failed."""

    verdict: Literal["pass", "fail", "open"]
    epochs: int
    blamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """One calibration. `at` is UTC in ISO 8601, `settings` a digest of what shapes the load, `gates` the version.

    `planned` is how many epochs a check has at most, `epochs` how many were measured here and believed, and
    `epoch_seconds` how long one takes with all that belongs to it. `wanted` is the floor that the bias asks for,
    `floor` the one that is used. `order` is the natural logarithm of how many times longer an answer takes that is
    asked for first.
    """

    at: str
    gate: str
    settings: str
    machine: Mapping[str, str]
    gates: str
    commit: str
    planned: int
    epochs: int
    epoch_seconds: float
    floor: float
    wanted: float
    order: float
    noise: tuple[Noise, ...]
    trial: Trial
    rule: int = RULE

    @property
    def too_noisy(self) -> bool:
        """Whether identical builds differ by more than a floor may be."""
        return self.wanted > HIGHEST_FLOOR

    @property
    def verdict(self) -> Verdict:
        """`fail` when the rule calls this very build slower than itself, `unknown` when the machine is too noisy."""
        if self.trial.verdict == "fail":
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.too_noisy else Verdict.PASS

    @property
    def overall(self) -> Noise:
        """The noise of the shift over all operations."""
        return next(one for one in self.noise if (one.name, one.scope) == (SHIFT, ""))

    @property
    def needed(self) -> int | None:
        """After how many epochs every quantity of an unchanged build has passed, usually."""
        each = [one.needed for one in self.noise]
        return None if None in each else max((one for one in each if one is not None), default=None)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and when a calibration was made, and of what; the fields are those of Calibration."""

    at: str
    gate: str
    settings: str
    machine: Mapping[str, str]
    gates: str
    commit: str
    planned: int
    epoch_seconds: float


def calibrate(
    measurements: Sequence[Measurement], tolerances: Tolerances, circumstances: Circumstances
) -> Calibration | None:
    """Return what epochs of two identical builds say; None when there are too few that can be believed."""
    as_checked = [
        replace(one, value=float(circumstances.planned)) if one.name == PLANNED else one for one in measurements
    ]
    quantities = [one for one in quantities_of(as_checked, tolerances) if len(one.samples) >= FEWEST_EPOCHS]
    overall = next((one for one in quantities if (one.name, one.scope) == (SHIFT, "")), None)
    if overall is None:
        return None
    wanted = wanted_floor(quantities)
    floor = min(HIGHEST_FLOOR, wanted)
    noise = [_noise(one, circumstances.planned, len(quantities), floor) for one in quantities]
    order = next((one.samples for one in measurements if one.name == ORDER), ())
    rose = tuple(f"{ERRORS} of {rise.scope}" for rise in rises(measurements) if rise.verdict == "fail" and rise.scope)
    trial = try_rule(quantities, planned=circumstances.planned, floor=floor)
    if rose:
        trial = Trial("fail", trial.epochs, (*trial.blamed, *rose))
    return Calibration(
        circumstances.at, circumstances.gate, circumstances.settings, circumstances.machine, circumstances.gates,
        circumstances.commit, circumstances.planned, len(overall.samples), circumstances.epoch_seconds, floor, wanted,
        statistics.fmean(order) if order else 0.0, tuple(noise), trial,
    )  # fmt: skip


def wanted_floor(quantities: Sequence[Quantity]) -> float:
    """Return the floor, as a share, that the bias of identical builds asks for; never below the ordinary one.

    The shift over all operations is measured best: the far end of the 95 % interval of its bias counts. Of every other
    quantity counts what is beyond doubt: the mean, where it is above the ordinary floor even as one of so many
    (Bonferroni); else the noise of the poorest would set the floor for all.
    """
    wanted = FLOOR
    others = max(1, len(quantities) - 1)
    for one in quantities:
        bias, sd = abs(statistics.fmean(one.samples)), statistics.stdev(one.samples)
        error, freedom = sd / math.sqrt(len(one.samples)), len(one.samples) - 1
        if (one.name, one.scope) == (SHIFT, ""):
            wanted = max(wanted, math.expm1(bias + t_quantile((1 + CONFIDENCE) / 2, freedom) * error))
        elif bias - t_quantile(1 - (1 - CONFIDENCE) / 2 / others, freedom) * error > math.log1p(FLOOR):
            wanted = max(wanted, math.expm1(bias))
    return math.ceil(wanted * 1000 - 1e-9) / 1000


def _noise(quantity: Quantity, planned: int, many: int, floor: float) -> Noise:
    samples = quantity.samples
    sd = statistics.stdev(samples)
    last = levels(plan(planned))[-1]
    freedom = planned - 1
    # As one of so many that could fail (Holm), which is what a single slower operation is.
    steps = t_quantile(1 - last / many, freedom) + t_quantile(POWER, freedom) if freedom > 0 else math.inf
    detectable = math.expm1(math.log1p(floor) + steps * sd / math.sqrt(planned)) if math.isfinite(steps) else math.inf
    reach = t_quantile((1 + CONFIDENCE) / 2, len(samples) - 1) * sd / math.sqrt(len(samples))
    return Noise(
        quantity.name, quantity.scope, quantity.tolerance, samples, statistics.fmean(samples), reach, sd, detectable,
        _epochs_to_pass(sd, quantity.tolerance, planned),
    )  # fmt: skip


def _epochs_to_pass(sd: float, tolerance: float, planned: int) -> int | None:
    """Return the first look, of the plan or a longer one, at which what did not change passes, four times in five."""
    tolerated = math.log1p(tolerance)
    looks = plan(planned)
    steps = [*zip(looks, levels(looks), strict=True)]
    steps += [(epochs, steps[-1][1]) for epochs in range(looks[-1] + 2, MOST_EPOCHS + 1, 2)]
    for epochs, level in steps:
        if epochs >= FIRST_LOOK:
            reach = t_quantile(1 - level, epochs - 1) + t_quantile(POWER, epochs - 1)
            if reach * sd / math.sqrt(epochs) < tolerated:
                return epochs
    return None


def try_rule(quantities: Sequence[Quantity], *, planned: int, floor: float) -> Trial:
    """Return what a check would have said of these epochs, look by look; a fail has to stand its confirmation.

    Where no epochs are left to confirm a fail with, it counts as one.
    """
    looks, there = plan(planned), max(len(one.samples) for one in quantities)
    reached = [at for at in looks if at <= there]
    for position, at in enumerate(reached):
        decisions = look(_first(quantities, at), position=position, looks=looks, floor=floor)
        failed = [one for one in decisions if one.verdict == "fail"]
        if failed and there >= at + CONFIRMING:
            more = _first(quantities, at + CONFIRMING)
            decisions = conclude(more, planned=planned, confirmed=CONFIRMING, floor=floor)
            failed = [one for one in decisions if one.verdict == "fail"]
            if not failed:
                return Trial("open", at + CONFIRMING)
        if failed:
            blamed = tuple(
                f"{one.quantity.name} of {one.quantity.scope}" if one.quantity.scope else one.quantity.name
                for one in failed
            )
            return Trial("fail", min(there, at + CONFIRMING), blamed)
        if settled(decisions):
            return Trial("pass", at)
    return Trial("open", reached[-1] if reached else there)


def _first(quantities: Sequence[Quantity], epochs: int) -> list[Quantity]:
    return [replace(one, samples=one.samples[:epochs]) for one in quantities]


def choose_floor(
    kept: Sequence[Calibration], *, gate: str, settings: str, machine: Mapping[str, str], now: datetime
) -> Floor:
    """Return the floor by which a gate is judged on this machine; `kept` are calibrations, the newest first.

    When there are some of the gate and none may be used, the ordinary floor is told with the reason.
    """
    own = [(one, unusable(one, settings=settings, machine=machine, now=now)) for one in kept if one.gate == gate]
    for one, why_not in own:
        if not why_not:
            noisy = ", which found this machine too noisy" if one.too_noisy else ""
            return Floor(one.floor, f"less than {share(one.floor)} slower is taken for none: that floor is from the "
                                    f"calibration of this machine on {one.at[:10]}{noisy}")  # fmt: skip
    if not own:
        return Floor()
    one, why_not = own[0]
    return Floor(told=f"the calibration of {one.at[:10]} is not used, because {why_not}: "
                      "`gates calibrate` makes a new one")  # fmt: skip


def unusable(calibration: Calibration, *, settings: str, machine: Mapping[str, str], now: datetime) -> str:
    """Return why a calibration says nothing about a check here and now; "" when it does."""
    if differing := differences(calibration.machine, machine):
        return f"it was made on another machine ({'; '.join(differing)})"
    if calibration.rule != RULE:
        return "another version of gates made it, by another rule"
    if calibration.settings != settings:
        return "the settings of the load have changed since"
    if now - datetime.fromisoformat(calibration.at) > timedelta(days=FRESH_DAYS):
        return f"it is older than {FRESH_DAYS} days"
    return ""


def share(value: float) -> str:
    """Return a share with as many digits as noise deserves: `1 %`, `1.3 %`, `12 %`."""
    percent = value * 100
    return f"{percent:.1f}".rstrip("0").rstrip(".") + " %" if percent < 9.95 else f"{percent:.0f} %"
