from __future__ import annotations

import math
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gates.process import capture
from gates.statistics import (
    LogRatio,
    Spread,
    between_runs,
    chance_of_rise,
    compare_logs,
    holm,
    relative_shifts,
)

THEN = (1.0, 1.1, 0.9, 1.05)
NOW = (1.2, 1.3, 1.25, 1.1)
NONE = Spread(0.0)


def compared(then: tuple[float, ...], now: tuple[float, ...], spread: Spread = NONE) -> LogRatio:
    ratio = compare_logs(then, now, spread)
    assert ratio is not None
    return ratio


def test_welch_on_logs_is_scipys_welch() -> None:
    ratio = compared(THEN, NOW)
    oracle = stats.ttest_ind([math.log(value) for value in NOW], [math.log(value) for value in THEN], equal_var=False)
    assert ratio.freedom == pytest.approx(oracle.df)
    assert 2 * ratio.chance_above(1.0) == pytest.approx(oracle.pvalue)
    interval = oracle.confidence_interval(0.90)
    assert (math.log(ratio.low), math.log(ratio.high)) == pytest.approx((interval.low, interval.high))


def test_the_spread_between_runs_widens_the_interval_however_many_epochs_there_are() -> None:
    many = compared(THEN * 25, THEN * 25, Spread(0.15))
    assert many.error == pytest.approx(math.sqrt(2) * 0.15, rel=0.02)
    assert many.low < 0.72
    assert many.high > 1.39
    assert 0.6 < many.detectable < 0.75


def test_detectable_is_the_worsening_that_is_proven_four_times_out_of_five() -> None:
    rng = random.Random(11)
    # 24 epochs a side, so that the estimated error hardly varies from trial to trial.
    sample = [tuple(math.exp(rng.gauss(0, 0.05)) for _ in range(24)) for _ in range(2)]
    effect = 1 + compared(sample[0], sample[1]).detectable
    seen = 0
    for _ in range(600):
        then = tuple(math.exp(rng.gauss(0, 0.05)) for _ in range(24))
        now = tuple(effect * math.exp(rng.gauss(0, 0.05)) for _ in range(24))
        seen += compared(then, now).low > 1
    assert 0.7 < seen / 600 < 0.9


def test_with_fewer_than_three_on_one_side_one_variance_is_pooled() -> None:
    one = compared(THEN, (1.2,))
    logs = [math.log(value) for value in THEN]
    assert one.freedom == 3
    # performance.md: se = sd_b · sqrt(1/R_b + 1/R_c)
    assert one.error == pytest.approx(float(stats.tstd(logs)) * math.sqrt(1 / 4 + 1))


@pytest.mark.parametrize(
    ("then", "now"), [((), (1.0, 2.0)), ((1.0, 1.1), (1.2,)), ((1.0, 0.0, 1.0), NOW), (THEN, (1.0, math.inf, 1.0))]
)
def test_what_cannot_be_compared_is_none(then: tuple[float, ...], now: tuple[float, ...]) -> None:
    assert compare_logs(then, now, Spread(0.1)) is None


def test_equal_repetitions_without_any_spread_decide_at_once() -> None:
    same = compared((2.0, 2.0, 2.0), (4.0, 4.0, 4.0))
    assert (same.ratio, same.low, same.high, same.detectable) == pytest.approx((2.0, 2.0, 2.0, 0.0))
    assert same.chance_above(1.5) == 0.0
    assert same.chance_above(2.5) == 1.0


def test_a_ratio_turned_round_is_its_inverse() -> None:
    ratio = compared(THEN, NOW)
    assert ratio.inverted().ratio == pytest.approx(1 / ratio.ratio)
    assert ratio.inverted().low == pytest.approx(1 / ratio.high)


def test_the_spread_of_runs_needs_three_and_keeps_its_doubt() -> None:
    assert between_runs([1.0, 2.0]) is None
    spread = between_runs([1.0, 1.1, 1.21])
    assert spread == Spread(pytest.approx(math.log(1.1)), 2)
    assert spread is not None
    assert compared(THEN, THEN, spread).freedom < 4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_the_chance_of_a_rise_is_fishers(count_then: int, more_then: int, count_now: int, more_now: int) -> None:
    total_then, total_now = count_then + more_then, count_now + more_now
    table = [[count_now, more_now], [count_then, more_then]]
    oracle = stats.fisher_exact(table, alternative="greater").pvalue
    assert chance_of_rise(count_then, total_then, count_now, total_now) == pytest.approx(oracle, rel=1e-6)


def test_nothing_failing_or_nothing_asked_is_no_rise() -> None:
    assert chance_of_rise(0, 100, 0, 100) == 1.0
    assert chance_of_rise(0, 0, 5, 5) == 1.0


def test_holm_rejects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]
    assert holm([], 0.05) == []
    assert holm([0.02, 0.02, 0.02], 0.05) == [False, False, False]


def epochs(level: float, noise: list[float]) -> list[float]:
    return [level * math.exp(shared) for shared in noise]


def test_relative_shifts_cancel_what_all_share_and_show_the_one_that_changed() -> None:
    then_noise, now_noise = [0.1, -0.2, 0.3, 0.0], [0.6, 0.4, 0.9, 0.5]
    levels = {"a": 0.01, "b": 0.02, "c": 0.005, "d": 0.04}
    then = {name: epochs(level, then_noise) for name, level in levels.items()}
    now = {name: epochs(level * (1.5 if name == "b" else 1), now_noise) for name, level in levels.items()}
    shifts = relative_shifts(then, now)
    assert {name: round(shift.ratio, 6) for name, shift in shifts.items()} == {"a": 1.0, "b": 1.5, "c": 1.0, "d": 1.0}
    assert shifts["b"].error == pytest.approx(math.sqrt(2) * 0.03)


def test_relative_shifts_need_three_operations_that_were_measured_in_every_epoch() -> None:
    side = {"a": [1.0, 1.1, 1.2], "b": [2.0, 2.1, 2.2]}
    assert relative_shifts(side, side) == {}
    assert relative_shifts({**side, "c": [3.0]}, {**side, "c": [3.0]}) == {}
    assert set(relative_shifts({**side, "c": [3.0, 3.1, 3.2]}, {**side, "c": [3.0, 3.1, 3.2]})) == {"a", "b", "c"}


def test_an_operation_is_not_held_against_a_single_other_one() -> None:
    noise = [0.0, 0.1, -0.1]
    then = {name: epochs(1.0, noise) for name in "abc"}
    now = {**then, "c": epochs(3.0, noise)}
    assert set(relative_shifts(then, now)) == {"c"}


def test_scipy_stats_is_never_loaded() -> None:
    code, output, _ = capture(
        [
            sys.executable, "-c",
            "import sys; import gates.done; assert 'scipy' not in sys.modules and 'numpy' not in sys.modules; "
            "from gates.statistics import *; compare_logs([1,2,3],[1,2,3],Spread(.1)).detectable; "
            "chance_of_rise(1,2,3,4); print('scipy.stats' in sys.modules)",
        ],
        cwd=Path.cwd(),
    )  # fmt: skip
    assert (code, output.strip()) == (0, "False")
