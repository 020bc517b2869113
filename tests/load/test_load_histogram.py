"""Histograms stay within half a percent of the truth, whatever is put in, and however they are merged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.load.histogram import (
    GROWTH,
    LAST_BIN,
    LONGEST,
    SHORTEST,
    add,
    bin_of,
    bounds,
    merge,
    quantile,
    total,
)

latencies = st.floats(min_value=1e-6, max_value=100.0)


def counted(values: list[float]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for value in values:
        add(counts, value)
    return counts


@given(latencies)
def test_a_latency_lies_within_the_bounds_of_its_bin(seconds: float) -> None:
    low, high = bounds(bin_of(seconds))
    assert low * (1 - 1e-9) <= seconds <= high * (1 + 1e-9)


@given(st.lists(latencies, min_size=1, max_size=200), st.floats(min_value=0.0, max_value=1.0))
def test_a_quantile_lies_in_the_bin_of_the_true_one(values: list[float], share: float) -> None:
    true = sorted(values)[max(0, math.ceil(share * len(values) - 1e-9) - 1)]
    low, high = bounds(bin_of(true))
    assert low * (1 - 1e-9) <= quantile(counted(values), share) <= high * (1 + 1e-9)


@given(st.lists(latencies, min_size=1), st.lists(latencies, min_size=1))
def test_merging_is_the_same_as_counting_together(first: list[float], second: list[float]) -> None:
    assert merge([counted(first), counted(second)]) == counted(first + second)
    assert total(counted(first)) == len(first)


def test_the_ends_catch_what_lies_beyond() -> None:
    assert bin_of(-1.0) == bin_of(0.0) == bin_of(SHORTEST) == 0
    assert bin_of(LONGEST * 10) == bin_of(1e9) == LAST_BIN
    assert bounds(bin_of(LONGEST))[1] / LONGEST < GROWTH


def test_a_quantile_is_interpolated_inside_its_bin() -> None:
    counts = {100: 1000}
    low, high = bounds(100)
    quarter, half = quantile(counts, 0.25), quantile(counts, 0.5)
    assert low < quarter < half < high
    assert half == pytest.approx(math.sqrt(low * high))


def test_an_empty_histogram_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="empty"):
        quantile({}, 0.5)
    with pytest.raises(ValueError, match="empty"):
        quantile({5: 0}, 0.5)
