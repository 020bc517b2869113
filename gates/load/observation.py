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


@dataclass(slots=True)
class Observation:
    """Samples over one stretch of load. Times are of the monotonic clock; `peak` is in bytes."""

    peak: int = 0
    _samples: list[tuple[float, float | None, tuple[float, float] | None]] = field(default_factory=list)

    def take(self, usage: Callable[[], Usage | None]) -> None:
        """Look once; memory counts from the first look on, CPU only between two moments that `cpu` is asked about."""
        seen = usage()
        if seen is not None and seen.processes:
            self.peak = max(self.peak, seen.memory_bytes)
        cpu = seen.cpu_seconds if seen is not None and seen.processes else None
        self._samples.append((time.monotonic(), cpu, stolen_and_all()))

    def _between(self, begin: float, end: float) -> list[tuple[float, float | None, tuple[float, float] | None]]:
        return [sample for sample in self._samples if begin <= sample[0] <= end]

    def cpu(self, begin: float, end: float) -> float | None:
        """Return CPU seconds per second of the backend between two moments, or None when it was not seen twice."""
        seen = [(moment, cpu) for moment, cpu, _ in self._between(begin, end) if cpu is not None]
        if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
            return None
        # A worker that ended takes its CPU time with it: the sum may fall, the use of it cannot.
        used = sum(max(0.0, later[1] - earlier[1]) for earlier, later in itertools.pairwise(seen))
        return used / (seen[-1][0] - seen[0][0])

    def steal(self, begin: float, end: float) -> float | None:
        """Return the share of the machine's time that its host took between two moments; None when not observed."""
        seen = [ticks for _, _, ticks in self._between(begin, end) if ticks is not None]
        if len(seen) < 2 or seen[-1][1] <= seen[0][1]:
            return None
        return (seen[-1][0] - seen[0][0]) / (seen[-1][1] - seen[0][1])
