"""How fast the memory of a backend grows under load: the slope over time, with what it may be by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gates.results import Gap, Measurement
from gates.statistics import trend
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.watch import MemoryTrace

_WARMING = 1 / 3
"""Of the time: caches fill, heaps find their size, and a slope would be that of the beginning."""
_BLOCKS = 20
_LEAST_BLOCKS = 12


def growth(memory: MemoryTrace, begin: float, end: float) -> Mapping[str, float]:
    """Return, as conditions of an epoch, how memory went between two moments; nothing when it was not seen enough.

    `leak`, `leak_low` and `leak_high` are bytes per second, the last two one-sided bounds; `memory_level` is bytes. The
    first third does not count. One number stands for each of twenty blocks of the rest, the least memory in it:
    looks that follow each other closely say nothing new, and the garbage between two collections is no leak.
    """
    begin += (end - begin) * _WARMING
    block = (end - begin) / _BLOCKS
    least: dict[int, int] = {}
    for moment, seen in memory.between(begin, end):
        number = min(_BLOCKS - 1, int((moment - begin) / block))
        least[number] = min(seen, least.get(number, seen))
    if len(least) < _LEAST_BLOCKS:
        return {}
    found = trend([number * block for number in least], list(least.values()))
    assert found is not None
    level = float(min(least.values()))
    return {"leak": found.slope, "leak_low": found.low, "leak_high": found.high, "memory_level": level}


def measured(epochs: Sequence[Loaded]) -> list[Measurement]:
    """Return how fast memory grew, one sample per epoch.

    What makes times doubtful does not touch it, unless most requests failed.
    """
    slopes = tuple(epoch.conditions["leak"] for epoch in epochs if "leak" in epoch.conditions and epoch.repeatable)
    if not slopes:
        return []
    return [Measurement("load.leak", sum(slopes) / len(slopes), "B/s", "lower", samples=slopes)]


def gaps(epochs: Sequence[Loaded]) -> list[Gap]:
    """Return why there is no slope."""
    if not epochs or measured(epochs):
        return []
    seconds = epochs[0].record.end - epochs[0].record.begin
    return [
        Gap(
            "load.leak", f"the memory of the backend was not seen often enough in {seconds:.3g} s",
            "load it longer (`seconds`), and let gates start it: [backend] start",
        )
    ]  # fmt: skip
