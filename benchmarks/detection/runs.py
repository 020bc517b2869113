"""The rows as the peers would have them: runs of several epochs of one build, in the order of time. Pure.

A run is the half of one build in EPOCHS rows that follow each other: about a minute of load. Every block of rows gives
two: one of `same`, which stands for the run that is stored, and one of the build with the effect. Each half is part of
one comparison only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmarks.detection.rows import Half, Row
from gates.load.histogram import bounds, merge, quantile, total
from gates.load.recording import Record

EPOCHS = 8
HISTORY = 64
"""Runs before a candidate that the rules with a memory are given, as many as Bencher keeps at most by its examples."""


@dataclass(frozen=True)
class Side:
    """A run of one build: what was recorded in each epoch, and raw requests of each epoch."""

    records: tuple[Record, ...]
    raw: tuple[tuple[Half, ...], ...]

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The operations, in the order of their names."""
        return tuple(sorted({name for record in self.records for name in record.operations}))

    @cached_property
    def epoch_means(self) -> Mapping[str, tuple[float, ...]]:
        """The mean latency in seconds of each operation, epoch by epoch."""
        return {
            name: tuple(mean(record.operations[name].success_latencies()) for record in self.records)
            for name in self.operations
        }

    @cached_property
    def means(self) -> Mapping[str, float]:
        """The mean latency in seconds of each operation over the whole run."""
        return {
            name: mean(merge(record.operations[name].success_latencies() for record in self.records))
            for name in self.operations
        }

    @cached_property
    def p95(self) -> float:
        """The p95 over all requests, in seconds."""
        return quantile(merge(record.success_latencies() for record in self.records), 0.95)

    @cached_property
    def requests(self) -> Mapping[str, tuple[float, ...]]:
        """Raw latencies in seconds of each operation: those answers that succeeded, of the part that was kept."""
        return {
            name: tuple(half.latency for epoch in self.raw for half in epoch
                        if half.operation == name and 200 <= half.status < 400)
            for name in self.operations
        }  # fmt: skip

    @cached_property
    def seconds(self) -> Mapping[str, tuple[float, ...]]:
        """The mean latency of each operation in each second, as a monitoring system would have collected it."""
        return {name: self._each_second(name) for name in self.operations}

    def _each_second(self, name: str) -> tuple[float, ...]:
        found: list[float] = []
        for epoch in self.raw:
            slots: dict[int, list[float]] = {}
            for half in epoch:
                if half.operation == name and 200 <= half.status < 400:
                    slots.setdefault(math.floor(half.due), []).append(half.latency)
            found += [sum(values) / len(values) for _, values in sorted(slots.items())]
        return tuple(found)


def mean(counts: Mapping[int, int]) -> float:
    """Return the mean latency of a histogram, taking the middle of each bin; nan when it is empty."""
    number = total(counts)
    return sum(count * sum(bounds(place)) / 2 for place, count in counts.items()) / number if number else math.nan


@dataclass(frozen=True)
class Block:
    """Rows that follow each other, as one run of each build; `effect` is what the new one has."""

    effect: str
    at: float
    rows: tuple[Row, ...]

    @cached_property
    def old(self) -> Side:
        """The run of `same`."""
        return Side(
            tuple(row.paired.old for row in self.rows),
            tuple(tuple(old for _, old in row.sample) for row in self.rows),
        )

    @cached_property
    def new(self) -> Side:
        """The run of the build with the effect."""
        return Side(
            tuple(row.paired.new for row in self.rows),
            tuple(tuple(new for new, _ in row.sample) for row in self.rows),
        )


@dataclass(frozen=True)
class Comparison:
    """What a peer is asked: the run of a build, the run stored before it, and the runs before that, the latest last."""

    effect: str
    now: Side
    then: Side
    beside: Side
    """The run of `same` that was measured together with `now`, for those who take their measurements in turn."""
    history: tuple[Side, ...]
    """Ends with `then`."""
    first: Side
    """The first run that was ever stored: by which a person has chosen an absolute limit."""
    then_rows: tuple[Row, ...]
    now_rows: tuple[Row, ...]


def blocks(rows: Mapping[str, Sequence[Row]]) -> list[Block]:
    """Return the blocks of one regime in the order of time; `rows` are by effect, in the order of recording."""
    found = [
        Block(effect, several[start].at, tuple(several[start : start + EPOCHS]))
        for effect, several in rows.items()
        for start in range(0, len(several) - EPOCHS + 1, EPOCHS)
    ]
    return sorted(found, key=lambda block: block.at)


def comparisons(ordered: Sequence[Block]) -> list[Comparison]:
    """Return one comparison for each block but the first: its new build with the `same` of the block before."""
    return [
        Comparison(
            block.effect, block.new, ordered[place - 1].old, block.old,
            tuple(one.old for one in ordered[max(0, place - HISTORY) : place]), ordered[0].old,
            ordered[place - 1].rows, block.rows,
        )
        for place, block in enumerate(ordered)
        if place
    ]  # fmt: skip
