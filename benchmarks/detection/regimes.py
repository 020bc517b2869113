"""What goes on around the two builds while they are recorded: nothing, neighbours in bursts, or a quota of CPU."""

from __future__ import annotations

import os
import signal
import sys
import threading
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
STOPPED = 0.08
"""The share of each period in which both stand still, where no group with a quota can be made."""
_GROUPS = Path("/sys/fs/cgroup")
_NAME = "gates-detection-"


@dataclass
class Surroundings:
    """A regime that holds. `adopt` takes the processes of a build in; `seen` tells what it did since it was asked."""

    told: str
    adopt: Callable[[list[int]], None] = lambda pids: None
    seen: Callable[[], Mapping[str, float]] = field(default=dict)


@contextmanager
def regime(name: str, seed: int, directory: Path) -> Iterator[Surroundings]:
    """Hold a regime."""
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
    try:
        group = _group()
    except OSError as error:
        with _standing_still(f"no group of processes with a quota can be made: {error.strerror}") as around:
            yield around
        return
    before = [_statistics(group)]

    def adopt(pids: list[int]) -> None:
        for pid in pids:
            (group / "cgroup.procs").write_text(str(pid))

    def seen() -> Mapping[str, float]:
        now, then = _statistics(group), before[0]
        before[0] = now
        periods = now["nr_periods"] - then["nr_periods"]
        return {"quota_used_up": (now["nr_throttled"] - then["nr_throttled"]) / periods if periods else 0.0}

    try:
        yield Surroundings(f"both builds together had {QUOTA:.0%} of a core in every {PERIOD * 1000:g} ms", adopt, seen)
    finally:
        group.rmdir()


def _group() -> Path:
    """Return a new group with the quota; what a recorder that was killed has left is taken away. Raises OSError."""
    old_style = _GROUPS / "cpu"
    parent = old_style if old_style.is_dir() else _GROUPS
    for left in parent.glob(f"{_NAME}*"):
        if not (left / "cgroup.procs").read_text().strip():
            left.rmdir()
    group = parent / f"{_NAME}{os.getpid()}"
    period, quota = round(PERIOD * 1e6), round(QUOTA * PERIOD * 1e6)
    group.mkdir()
    try:
        if parent is old_style:
            (group / "cpu.cfs_period_us").write_text(str(period))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {period}")
        _statistics(group)["nr_periods"]
    except (OSError, KeyError) as error:
        group.rmdir()
        raise OSError(0, f"it takes no quota ({error})") from error
    return group


def _statistics(group: Path) -> dict[str, int]:
    words = (group / "cpu.stat").read_text("ascii").split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}


@contextmanager
def _standing_still(reason: str) -> Iterator[Surroundings]:
    """Stop both builds for a part of every period, as a quota that is used up does."""
    adopted: list[int] = []
    ended = threading.Event()

    def tell(number: int) -> None:
        for pid in list(adopted):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                adopted.remove(pid)  # that build has been stopped: the next epoch has others

    def keep_stopping() -> None:
        while not ended.wait(PERIOD * (1 - STOPPED)):
            tell(signal.SIGSTOP)
            ended.wait(PERIOD * STOPPED)
            tell(signal.SIGCONT)

    thread = threading.Thread(target=keep_stopping, daemon=True)
    thread.start()
    try:
        yield Surroundings(
            f"both builds stood still (SIGSTOP) for {STOPPED:.0%} of every {PERIOD * 1000:g} ms, because {reason}",
            adopted.extend,
        )
    finally:
        ended.set()
        thread.join()
