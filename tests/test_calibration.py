"""What a calibration makes of epochs of identical builds, and which of them a later check may use."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gates.calibration import (
    FRESH_DAYS,
    HIGHEST_FLOOR,
    Calibration,
    Circumstances,
    Floor,
    calibrate,
    choose_floor,
    share,
    try_rule,
)
from gates.demands import Tolerances
from gates.results import Measurement, Verdict
from gates.sequential import FLOOR, Quantity, conclude, plan

MACHINE = {"processor": "a", "cores": "2", "memory": "8.0 GiB", "kernel": "Linux 6", "architecture": "x86_64"}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MADE = Circumstances("2026-11-20T12:00:00Z", "load", "sha256:1", MACHINE, "0.1.0", "c0ffee", 12, 27.0)


def normal(seed: int, sd: float, epochs: int = 12, bias: float = 0.0) -> tuple[float, ...]:
    """Return samples with exactly this mean and deviation."""
    drawn = [random.Random(f"{seed}:{number}").gauss(0, 1) for number in range(epochs)]
    mean = sum(drawn) / epochs
    scale = sd / math.sqrt(sum((one - mean) ** 2 for one in drawn) / (epochs - 1))
    return tuple(bias + (one - mean) * scale for one in drawn)


def pair(name: str, scope: str, samples: Sequence[float], total: int | None = None) -> Measurement:
    value = math.exp(sum(samples) / len(samples))
    return Measurement(f"pair.{name}", value, "ratio", "lower", scope, total=total, samples=tuple(samples))


def epochs(
    *more: Measurement, sd: float = 0.008, bias: float = 0.0, count: int = 12, planned: int = 12
) -> list[Measurement]:
    found = [
        pair("shift", "", normal(1, sd, count, bias)),
        pair("shift", "GET /a", normal(2, 2 * sd, count)),
        pair("p95", "", normal(3, 3 * sd, count), total=100 * count),
        pair("memory", "", normal(4, 0.001, count)),
        pair("order", "", [0.01, 0.03] * (count // 2)),
        Measurement("pair.planned", float(planned), "1", "neither"),
        Measurement("pair.confirmed", 0.0, "1", "neither"),
    ]
    replaced = {(one.name, one.scope) for one in more}
    return [*(one for one in found if (one.name, one.scope) not in replaced), *more]


def made(*more: Measurement, circumstances: Circumstances = MADE, **options: float | int) -> Calibration:
    found = calibrate(epochs(*more, **options), Tolerances(), circumstances)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_quiet_machine_keeps_the_ordinary_floor_and_sees_small_changes() -> None:
    found = made()
    assert (found.floor, found.verdict, found.trial.verdict, found.epochs) == (FLOOR, Verdict.PASS, "pass", 12)
    assert found.overall.sd == pytest.approx(0.008)
    assert found.overall.bias == pytest.approx(0.0, abs=1e-9)
    assert math.exp(found.order) == pytest.approx(1.0202, abs=1e-4)
    assert 0.01 < found.overall.detectable < 0.03
    assert found.needed is not None
    assert found.needed <= 12


def test_what_it_says_can_be_seen_is_seen_four_times_in_five() -> None:
    """The figure against the rule itself: worsened by as much, shifts of this noise fail in so many of all tries."""
    noise = made().overall
    many = 4  # quantities that a fail has to hold against, as in this calibration
    fails = 0
    for seed in range(300):
        drawn = random.Random(f"power:{seed}")
        tried = [
            Quantity("pair.shift", str(number), tuple(drawn.gauss(worse, noise.sd) for _ in range(12)), 0.001)
            for number, worse in enumerate([math.log1p(noise.detectable), *[0.0] * (many - 1)])
        ]
        decisions = conclude(tried, planned=12, confirmed=4)
        fails += decisions[0].verdict == "fail"
    assert 0.70 < fails / 300 < 0.92


def test_a_bias_of_identical_builds_raises_the_floor_to_the_far_end_of_its_interval() -> None:
    found = made(bias=0.012)
    assert math.expm1(0.012) < found.floor < 0.02
    assert found.floor == pytest.approx(math.expm1(0.012 + found.overall.reach), abs=1e-3)
    assert made(bias=-0.012).floor == pytest.approx(found.floor, abs=2e-3)
    assert not found.too_noisy


def test_the_floor_is_never_higher_than_the_design_allows_and_the_machine_is_called_too_noisy() -> None:
    found = made(bias=0.05)
    assert (found.floor, found.too_noisy) == (HIGHEST_FLOOR, True)
    assert found.wanted > 0.05


def test_noise_of_a_poorly_measured_operation_alone_does_not_raise_the_floor_but_its_certain_bias_does() -> None:
    assert made(pair("shift", "GET /a", normal(5, 0.08))).floor == FLOOR
    assert made(pair("shift", "GET /a", normal(5, 0.005, bias=0.02))).floor == pytest.approx(0.021, abs=1e-3)


def test_a_false_alarm_of_the_rule_is_a_failed_calibration() -> None:
    found = made(pair("shift", "GET /a", normal(6, 0.004, bias=0.09)))
    assert found.trial.verdict == "fail"
    assert found.trial.blamed == ("pair.shift of GET /a",)
    assert found.verdict is Verdict.FAIL


def test_failures_that_rose_between_identical_builds_are_a_false_alarm() -> None:
    failing = [
        Measurement(name, count / 4000, "ratio", "lower", "GET /a", count=count, total=4000)
        for name, count in (("pair.errors", 80), ("pair.errors_before", 0))
    ]
    found = made(*failing)
    assert found.trial == replace(found.trial, verdict="fail", blamed=("pair.errors of GET /a",))


def test_a_fail_that_does_not_stand_its_confirmation_is_none() -> None:
    slow, fast = normal(7, 0.001, 4, 0.08), normal(8, 0.02, 8, -0.02)
    tried = [Quantity("pair.shift", "", (*slow, *fast), 0.05)]
    assert try_rule(tried, planned=12, floor=FLOOR).verdict == "open"
    assert try_rule([replace(tried[0], samples=(*slow, *slow))], planned=12, floor=FLOOR).verdict == "fail"
    assert try_rule([replace(tried[0], samples=slow)], planned=12, floor=FLOOR).verdict == "fail"


def test_a_noisy_machine_is_told_how_many_epochs_would_do() -> None:
    found = made(sd=0.06)
    assert found.trial.verdict == "open"
    assert found.needed is not None
    assert found.needed > 12
    assert made(sd=0.9).needed is None


@pytest.mark.parametrize("count", [2, 4])
def test_too_few_epochs_say_nothing(count: int) -> None:
    assert calibrate(epochs(count=count), Tolerances(), MADE) is None
    assert calibrate([], Tolerances(), MADE) is None


@pytest.mark.parametrize("planned", [1, 4, 12, 13])
def test_any_plan_of_a_check_can_be_calibrated(planned: int) -> None:
    found = made(circumstances=replace(MADE, planned=planned))
    assert found.planned == planned
    assert found.trial.epochs <= max(plan(planned)) or planned < 4


def test_the_newest_calibration_of_this_gate_machine_and_load_sets_the_floor() -> None:
    kept = [
        replace(made(bias=0.015), gate="other"), replace(made(bias=0.015), machine={**MACHINE, "cores": "4"}),
        made(bias=0.012), made(),
    ]  # fmt: skip
    floor = choose_floor(kept, gate="load", settings="sha256:1", machine=MACHINE, now=NOW)
    assert floor.value == kept[2].floor > FLOOR
    assert "calibration of this machine on 2026-11-20" in floor.told


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"machine": {**MACHINE, "cores": "4"}}, "it was made on another machine (cores: 4 and 2)"),
        ({"rule": 0}, "another version of gates made it, by another rule"),
        ({"settings": "sha256:2"}, "the settings of the load have changed since"),
        ({"at": (NOW - timedelta(days=FRESH_DAYS, hours=1)).isoformat()}, f"it is older than {FRESH_DAYS} days"),
    ],
)
def test_a_calibration_of_something_else_is_not_used_and_the_reason_is_told(
    change: dict[str, object], reason: str
) -> None:
    kept = [replace(made(bias=0.012), **change)]  # type: ignore[arg-type]
    floor = choose_floor(kept, gate="load", settings="sha256:1", machine=MACHINE, now=NOW)
    assert floor.value == FLOOR
    assert reason in floor.told
    assert "gates calibrate" in floor.told


def test_without_any_calibration_nothing_is_told() -> None:
    assert choose_floor([], gate="load", settings="sha256:1", machine=MACHINE, now=NOW) == Floor(FLOOR, "")


def test_shares_have_as_many_digits_as_noise_deserves() -> None:
    assert [share(one) for one in (0.01, 0.0134, 0.1, 0.1249, 1.5, 0.0)] == [
        "1 %", "1.3 %", "10 %", "12 %", "150 %", "0 %",
    ]  # fmt: skip
