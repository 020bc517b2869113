"""What the harness sees while load runs: CPU and memory of the backend, who used its cores, what time was taken."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gates.machine import quota_periods
from gates.process import Usage

_CORE = re.compile(r"^cpu([0-9]+) (.+)$", re.MULTILINE)
_IDLE, _WAITING, _STOLEN, _COUNTED = 3, 4, 7, 8


@dataclass(frozen=True, slots=True)
class Ticks:
    """What cores did so far, in ticks of the kernel's clock: work; what the host took away; and all there were."""

    busy: float
    stolen: float
    whole: float

    def since(self, earlier: Ticks) -> Ticks:
        """Return what was done after an earlier look."""
        return Ticks(self.busy - earlier.busy, self.stolen - earlier.stolen, self.whole - earlier.whole)


def ticks_of(stat: str, cores: Collection[int] = ()) -> Ticks | None:
    """Return the ticks of some cores together in the text of a Linux `/proc/stat`; all cores where none are named.

    None where it does not count one of them, or nothing at all.
    """
    found = {
        int(core): [float(part) for part in text.split()[:_COUNTED]]
        for core, text in _CORE.findall(stat)
        if not cores or int(core) in cores
    }
    if not found or set(cores) - found.keys() or any(len(ticks) < _COUNTED for ticks in found.values()):
        return None
    whole, stolen = sum(map(sum, found.values())), sum(ticks[_STOLEN] for ticks in found.values())
    idle = sum(ticks[_IDLE] + ticks[_WAITING] for ticks in found.values())
    return Ticks(whole - idle - stolen, stolen, whole) if whole else None


def _stat() -> str:
    try:
        return Path("/proc/stat").read_text("ascii")
    except OSError:
        return ""  # no Linux: nobody counts these


def waited_for_cpu() -> float | None:
    """Return seconds so far in which something here was ready to run and had no core; None where nobody counts them."""
    try:
        with open("/proc/pressure/cpu", encoding="ascii") as file:
            return float(file.readline().rpartition("total=")[2]) / 1e6
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: when, CPU seconds of the backend so far, and seconds that something waited for a core.

    `servers` are ticks of the cores that the servers run on, `generator` of the generator's, where it has its own.
    `quotas` are (used up, all) periods of each CPU quota that holds here; `clock` is by how much the clock on the wall
    is ahead of the one that only runs on while the machine does.
    """

    moment: float
    cpu: float | None = None
    servers: Ticks | None = None
    generator: Ticks | None = None
    waited: float | None = None
    quotas: tuple[tuple[int, int], ...] = ()
    clock: float = 0.0


@dataclass(slots=True)
class Observation:
    """Samples over one stretch of load. Times are of the monotonic clock; `peak` is in bytes.

    `cores` are those that the servers run on, `generator_cores` those of the generator where it has its own.
    """

    peak: int = 0
    cores: frozenset[int] = frozenset()
    generator_cores: frozenset[int] = frozenset()
    _samples: list[Sample] = field(default_factory=list)

    def take(self, usage: Callable[[], Usage | None]) -> None:
        """Look once; memory counts from the first look on, the rest between two moments that are asked about."""
        seen = usage()
        if seen is not None and seen.processes:
            self.peak = max(self.peak, seen.memory_bytes)
        cpu = seen.cpu_seconds if seen is not None and seen.processes else None
        moment, stat = time.monotonic(), _stat()
        generator = ticks_of(stat, self.generator_cores) if self.generator_cores else None
        self.add(
            Sample(
                moment, cpu, ticks_of(stat, self.cores), generator, waited_for_cpu(), quota_periods(),
                time.time() - moment,
            )
        )  # fmt: skip

    def add(self, sample: Sample) -> None:
        """Take in one look."""
        self._samples.append(sample)

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

    def used(self, begin: float, end: float) -> float | None:
        """Return how busy the servers' cores were between two moments, with whatever program; None when not seen."""
        spent = _spent([sample.servers for sample in self._between(begin, end)])
        return None if spent is None else spent.busy / spent.whole

    def steal(self, begin: float, end: float) -> float | None:
        """Return the share of time that the host took between two moments; None when not observed.

        Where servers and generator have cores of their own, it is the share of those that lost more.
        """
        seen = self._between(begin, end)
        spent = [_spent([sample.servers for sample in seen]), _spent([sample.generator for sample in seen])]
        return max((one.stolen / one.whole for one in spent if one is not None), default=None)

    def pressure(self, begin: float, end: float) -> float | None:
        """Return the share of the time in which something waited for a core; None when not observed."""
        seen = [(sample.moment, sample.waited) for sample in self._between(begin, end) if sample.waited is not None]
        if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
            return None
        return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])

    def throttled(self, begin: float, end: float) -> float | None:
        """Return the share of a CPU quota's periods that ended with nothing left of it; None where there is none."""
        seen = [sample.quotas for sample in self._between(begin, end)]
        if len(seen) < 2 or len(seen[0]) != len(seen[-1]):
            return None
        periods = [
            (after[0] - before[0], after[1] - before[1])
            for before, after in zip(seen[0], seen[-1], strict=True)
            if after[1] > before[1]
        ]
        return max((used_up / every for used_up, every in periods), default=None)

    def clock_jump(self, begin: float, end: float) -> float | None:
        """Return by how many seconds the clock on the wall ran away from the other; None when not seen twice."""
        seen = [sample.clock for sample in self._between(begin, end)]
        return seen[-1] - seen[0] if len(seen) > 1 else None


def _spent(looks: Sequence[Ticks | None]) -> Ticks | None:
    seen = [look for look in looks if look is not None]
    spent = seen[-1].since(seen[0]) if len(seen) > 1 else None
    return spent if spent is not None and spent.whole > 0 else None
