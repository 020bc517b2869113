"""When each request is due, and which operation it is for: an open loop, decided before anything is sent.

Slot j is due at `phase + j / rate` after the start, whatever the backend does; the phase is random, so that two
epochs (and anything periodic in the backend) are not locked onto one grid. The order of operations is shuffled
evenly: over any stretch each gets its share. All of it follows from the seed, and takes no memory that grows.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """One arrival: its number, when it is due (seconds after the start), and the operation it is for."""

    number: int
    due: float
    operation: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """An arrival rate over time: `rate` per second, and `burst` times as much in the second quarter after the warm up.

    With `steps` these are the rates of as many equal parts, one after another; the warm up has the first of them.
    """

    rate: float
    warm_up: float
    seconds: float
    burst: float = 1.0
    steps: tuple[float, ...] = ()

    @property
    def burst_ends(self) -> float:
        """Seconds after the warm up at which the burst is over."""
        return self.seconds / 2

    @property
    def end(self) -> float:
        """Seconds after the start at which the last slot is past."""
        return self.warm_up + self.seconds

    def stretches(self) -> list[tuple[float, float, float]]:
        """Return (from, to, rate) of each stretch of constant rate, in seconds after the start."""
        if self.steps:
            part = self.seconds / len(self.steps)
            edges = [self.warm_up + number * part for number in range(len(self.steps) + 1)]
            rising = list(zip(edges, edges[1:], self.steps, strict=False))
            return [(0.0, self.warm_up, self.steps[0]), *rising]
        if self.burst == 1.0:
            return [(0.0, self.end, self.rate)]
        first, second = self.warm_up + self.burst_ends / 2, self.warm_up + self.burst_ends
        return [(0.0, first, self.rate), (first, second, self.rate * self.burst), (second, self.end, self.rate)]

    def rate_at(self, seconds: float) -> float:
        """Return the arrivals per second at a time after the start."""
        return next((rate for begin, end, rate in self.stretches() if begin <= seconds < end), self.rate)


def evenly(weights: Mapping[str, float], seed: object) -> Iterator[str]:
    """Yield operation names for ever, in shuffled order, each in proportion to its weight.

    Each operation draws from a generator of its own name, so that adding one leaves the others' draws as they were.
    Occurrence i of an operation is placed at (i + u) / weight with u uniform in [0, 1): never further from its
    even share than one occurrence.
    """
    draws = {name: random.Random(f"{seed}:{name}") for name in weights}
    waiting = [(draws[name].random() / weight, name, 0) for name, weight in weights.items() if weight > 0]
    heapq.heapify(waiting)
    while waiting:
        _, name, occurrence = waiting[0]
        heapq.heapreplace(waiting, ((occurrence + 1 + draws[name].random()) / weights[name], name, occurrence + 1))
        yield name


def slots(arrivals: Arrivals, weights: Mapping[str, float], seed: object) -> Iterator[Slot]:
    """Yield the slots of one epoch in the order of their time; none where there is no operation."""
    phase = random.Random(f"{seed}:phase").random()
    names = evenly(weights, seed)
    number = 0
    for begin, end, rate in arrivals.stretches():
        position = phase
        while (due := begin + position / rate) < end:
            name = next(names, None)
            if name is None:
                return
            yield Slot(number, due, name)
            number += 1
            position += 1.0
        # What is left of the gap is carried over, measured in slots, so that a change of rate adds or drops none.
        phase = position - (end - begin) * rate
