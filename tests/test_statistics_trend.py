"""A slope with its bounds: what grows is seen, what wavers is not, and how neighbours resemble each other counts."""

from __future__ import annotations

import random

import pytest

from gates.statistics import trend


def noise(seed: int, count: int, memory: float = 0.0) -> list[float]:
    draw, value, found = random.Random(seed), 0.0, []
    for _ in range(count):
        value = memory * value + draw.gauss(0, 1)
        found.append(value)
    return found


def test_a_slope_is_found_under_noise_and_one_outlier_does_not_move_it() -> None:
    values = [3.0 * minute + wobble for minute, wobble in enumerate(noise(1, 20))]
    values[7] += 500
    found = trend(range(20), values)
    assert found is not None
    assert found.low < 3.0 < found.high
    assert found.slope == pytest.approx(3.0, abs=0.2)
    assert found.low > 2.5


def test_what_only_wavers_is_seldom_taken_for_growth() -> None:
    rises = sum(found.low > 0 for seed in range(400) if (found := trend(range(20), noise(seed, 20))))
    assert rises / 400 < 0.08
    saw = trend(range(20), [float(minute % 5) for minute in range(20)])
    assert saw is not None
    assert saw.low <= 0 <= saw.high


def test_neighbours_that_resemble_each_other_make_it_less_sure() -> None:
    found = [trend(range(30), noise(seed, 30, memory=0.8)) for seed in range(300)]
    independent = [trend(range(30), noise(seed, 30)) for seed in range(300)]
    alike = [one.high - one.low for one in found if one]
    apart = [one.high - one.low for one in independent if one]
    # Bounds that did not know of it would be 1.33 times as wide, and take a third of these for growth.
    assert sum(one.low > 0 for one in found if one) / 300 < 0.22
    assert sum(alike) > 2 * sum(apart)


def test_a_constant_does_not_grow_and_few_points_say_nothing() -> None:
    found = trend(range(10), [5.0] * 10)
    assert found is not None
    assert (found.slope, found.low, found.high) == (0.0, 0.0, 0.0)
    assert trend(range(5), [1.0, 2.0, 3.0, 4.0, 5.0]) is None
