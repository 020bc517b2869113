"""What goes on around the two builds while they are recorded: nothing, neighbours in bursts, or a quota of CPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gates.process import available_cores, start

REGIMES = ("quiet", "neighbours", "quota")
BURST, PAUSE = 0.15, 0.70
"""Mean seconds that a neighbour computes and pauses; there is one on every core."""
QUOTA, PERIOD = 0.52, 0.100
"""Cores that both builds together may use in each period, and its seconds: a little more than they need on average."""
_GROUPS = Path("/sys/fs/cgroup")


class NoQuota(Exception):
    """No group with a quota can be made here; the message says why."""


@dataclass
class Surroundings:
    """A regime that holds. `adopt` takes the processes of a build in; `seen` tells what it did since it was asked."""

    told: str
    adopt: Callable[[list[int]], None] = lambda pids: None
    seen: Callable[[], Mapping[str, float]] = field(default=dict)


@contextmanager
def regime(name: str, seed: int, directory: Path) -> Iterator[Surroundings]:
    """Hold a regime; raises NoQuota where there are no groups to be had."""
    if name == "neighbours":
        with _neighbours(seed, directory) as around:
            yield around
    elif name == "quota":
        with _quota() as around:
            yield around
    else:
        yield Surroundings("nothing else was started")


@contextmanager
def _neighbours(seed: int, directory: Path) -> Iterator[Surroundings]:
    program = Path(__file__).with_name("burner.py")
    with ExitStack() as stack:
        for core in sorted(available_cores())[:2]:
            words = [sys.executable, str(program), str(seed + core), str(BURST), str(PAUSE)]
            stack.enter_context(
                start(words, cwd=directory, env=dict(os.environ), stdout=directory / "burner.log",
                      cpus=frozenset({core}), serve=False)
            )  # fmt: skip
        yield Surroundings(f"a neighbour on each core, in bursts of {BURST:g} s and pauses of {PAUSE:g} s on average")


@contextmanager
def _quota() -> Iterator[Surroundings]:
    old_style = _GROUPS / "cpu"
    parent = old_style if old_style.is_dir() else _GROUPS
    group = parent / f"gates-detection-{os.getpid()}"
    period, quota = round(PERIOD * 1e6), round(QUOTA * PERIOD * 1e6)
    try:
        group.mkdir()
        if parent is old_style:
            (group / "cpu.cfs_period_us").write_text(str(period))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {period}")
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        raise NoQuota(f"a group of processes with a CPU quota cannot be made in {parent}: {error.strerror}") from error
    before = [_statistics(group)]

    def adopt(pids: list[int]) -> None:
        for pid in pids:
            (group / "cgroup.procs").write_text(str(pid))

    def seen() -> Mapping[str, float]:
        now, then = _statistics(group), before[0]
        before[0] = now
        periods = now.get("nr_periods", 0) - then.get("nr_periods", 0)
        throttled = now.get("nr_throttled", 0) - then.get("nr_throttled", 0)
        return {"quota_used_up": throttled / periods if periods else 0.0}

    try:
        yield Surroundings(f"both builds together had {QUOTA:.0%} of a core in every {PERIOD * 1000:g} ms", adopt, seen)
    finally:
        group.rmdir()


def _statistics(group: Path) -> dict[str, int]:
    words = (group / "cpu.stat").read_text("ascii").split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}
