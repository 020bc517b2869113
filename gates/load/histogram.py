"""Latencies in logarithmic bins: small, mergeable, and exact to half a percent however many there are.

Bin 0 holds everything up to 10 µs; bin k reaches from 10 µs · 1.005^(k-1) to 10 µs · 1.005^k; the last bin holds 120 s
and more. Counts are sparse mappings of bin to count, as `gates.results.Histogram` keeps them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

GROWTH = 1.005
SHORTEST = 1e-5
LONGEST = 120.0

_LOG_GROWTH = math.log(GROWTH)
LAST_BIN = math.ceil(math.log(LONGEST / SHORTEST) / _LOG_GROWTH) + 1


def bin_of(seconds: float) -> int:
    """Return the bin that a latency falls into; what is negative or too long goes to the first or the last."""
    if seconds <= SHORTEST:
        return 0
    number = math.ceil(math.log(seconds / SHORTEST) / _LOG_GROWTH)
    return number if number < LAST_BIN else LAST_BIN


def add(counts: dict[int, int], seconds: float) -> None:
    """Count one latency."""
    number = bin_of(seconds)
    counts[number] = counts.get(number, 0) + 1


def bounds(number: int) -> tuple[float, float]:
    """Return the lower and upper edge of a bin, in seconds."""
    if number <= 0:
        return 0.0, SHORTEST
    return SHORTEST * GROWTH ** (number - 1), SHORTEST * GROWTH**number


def total(counts: Mapping[int, int]) -> int:
    """Return how many latencies a histogram holds."""
    return sum(counts.values())


def merge(histograms: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Return the histogram of everything that several hold."""
    merged: dict[int, int] = {}
    for counts in histograms:
        for number, count in counts.items():
            merged[number] = merged.get(number, 0) + count
    return merged


def quantile(counts: Mapping[int, int], share: float) -> float:
    """Return the latency that a share (0 to 1) of all stays under, in seconds, interpolated inside its bin.

    It lies in the bin of the true quantile (the smallest latency that at least that share does not exceed).
    Raises ValueError when the histogram is empty.
    """
    wanted = share * total(counts)
    if not counts or not total(counts):
        raise ValueError("an empty histogram has no quantiles")
    below = 0
    low = high = 0.0
    for number in sorted(counts):
        count = counts[number]
        if not count:
            continue
        low, high = bounds(number)
        if below + count >= wanted:
            part = max(0.0, (wanted - below) / count)
            return low * (high / low) ** part if low else high * part
        below += count
    return high
