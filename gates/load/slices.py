"""A stretch of load in slices of time: what was asked in each was answered how fast, and how long the queue was.

Kept only where it is asked for. Memory is bounded: when there are too many slices, neighbours become one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.load.histogram import add, merge, total

MOST = 120


@dataclass(slots=True)
class Slice:
    """What was due in one slice: latencies of successful answers, requests that failed, and the queue at its end.

    `answered` is how many successful answers came in it, whenever they were due. `queue` is the shorter of the last
    two looks, because one moment may be unlucky.
    """

    latencies: dict[int, int] = field(default_factory=dict)
    failed: int = 0
    queue: int = 0
    answered: int = 0

    @property
    def requests(self) -> int:
        """How many requests came to an end."""
        return total(self.latencies) + self.failed


class Slices:
    """The slices of one stretch, each `width` seconds long; `begin` is a moment of the monotonic clock."""

    def __init__(self, width: float, slices: list[Slice] | None = None) -> None:
        self.width = width
        self.begin = 0.0
        self.all: list[Slice] = slices if slices is not None else []
        self._before = 0
        self._looked = -1

    def count(self, due: float, latency: float | None) -> None:
        """Count a request that was due at a moment; None is the latency of one that failed."""
        last = self._at(due + (latency or 0.0))  # the later one first: that may put others in the place of `all`
        number = self._at(due)
        if latency is None:
            self.all[number].failed += 1
        else:
            add(self.all[number].latencies, latency)
            self.all[last].answered += 1

    def look(self, moment: float, queue: int) -> None:
        """Note how many requests were due and not answered at a moment."""
        number = self._at(moment)
        self.all[number].queue = min(self._before, queue) if number == self._looked else queue
        self._looked, self._before = number, queue

    def _at(self, moment: float) -> int:
        number = max(0, int((moment - self.begin) / self.width))
        while number >= MOST:
            self.all = [_merged(self.all[first : first + 2]) for first in range(0, len(self.all), 2)]
            self.width *= 2
            number //= 2
            self._looked = -1
        while len(self.all) <= number:
            self.all.append(Slice())
        return number


def _merged(neighbours: list[Slice]) -> Slice:
    return Slice(
        merge(one.latencies for one in neighbours), sum(one.failed for one in neighbours), neighbours[-1].queue,
        sum(one.answered for one in neighbours),
    )  # fmt: skip


def slices_to_data(slices: Slices) -> dict[str, Any]:
    """Return slices as plain data, for JSON."""
    return {
        "width": slices.width,
        "slices": [
            {"latencies": one.latencies, "failed": one.failed, "queue": one.queue, "answered": one.answered}
            for one in slices.all
        ],
    }


def slices_from_data(data: Mapping[str, Any]) -> Slices:
    """Return the slices that `slices_to_data` wrote; raises ValueError, KeyError or TypeError when they are none."""
    return Slices(
        float(data["width"]),
        [
            Slice(
                {int(key): int(value) for key, value in one["latencies"].items()},
                int(one["failed"]),
                int(one["queue"]),
                int(one["answered"]),
            )
            for one in data["slices"]
        ],
    )
