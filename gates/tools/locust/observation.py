"""What the harness sees of backend and machine while load runs: CPU and memory of the process tree, stolen time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gates.process import Usage


def stolen_and_all() -> tuple[float, float] | None:
    """Return the ticks that the host took from this machine, and all ticks so far; None where nobody counts them."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [float(part) for part in file.readline().split()[1:9]]
    except OSError:
        return None
    return (ticks[7], sum(ticks)) if len(ticks) == 8 else None


def waited_for_cpu() -> float | None:
    """Return seconds so far in which something here was ready to run and had no core; None where nobody counts them."""
    try:
        with open("/proc/pressure/cpu", encoding="ascii") as file:
            return float(file.readline().rpartition("total=")[2]) / 1e6
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: when, CPU seconds of the backend so far, ticks of the machine, and time that something waited."""

    moment: float
    cpu: float | None
    ticks: tuple[float, float] | None
    waited: float | None


@dataclass(slots=True)
class Observation:
    """Samples over one stretch of load. Times are of the monotonic clock; `peak` is in bytes."""

    peak: int = 0
    _samples: list[Sample] = field(default_factory=list)

    def take(self, usage: Callable[[], Usage | None]) -> None:
        """Look once; memory counts from the first look on, the rest between two moments that are asked about."""
        seen = usage()
        if seen is not None and seen.processes:
            self.peak = max(self.peak, seen.memory_bytes)
        cpu = seen.cpu_seconds if seen is not None and seen.processes else None
        self._samples.append(Sample(time.monotonic(), cpu, stolen_and_all(), waited_for_cpu()))

    def _between(self, begin: float, end: float) -> list[Sample]:
        return [sample for sample in self._samples if begin <= sample.moment <= end]

    def cpu(self, begin: float, end: float) -> float | None:
        """Return CPU seconds per second of the backend between two moments, or None when it was not seen twice."""
        seen = [(sample.moment, sample.cpu) for sample in self._between(begin, end) if sample.cpu is not None]
        if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
            return None
        # A worker that ended takes its CPU time with it: the sum may fall, the use of it cannot.
        used = sum(max(0.0, later[1] - earlier[1]) for earlier, later in itertools.pairwise(seen))
        return used / (seen[-1][0] - seen[0][0])

    def steal(self, begin: float, end: float) -> float | None:
        """Return the share of the machine's time that its host took between two moments; None when not observed."""
        seen = [sample.ticks for sample in self._between(begin, end) if sample.ticks is not None]
        if len(seen) < 2 or seen[-1][1] <= seen[0][1]:
            return None
        return (seen[-1][0] - seen[0][0]) / (seen[-1][1] - seen[0][1])

    def pressure(self, begin: float, end: float) -> float | None:
        """Return the share of the time in which something waited for a core; None when not observed."""
        seen = [(sample.moment, sample.waited) for sample in self._between(begin, end) if sample.waited is not None]
        if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
            return None
        return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])
