"""What goes on around recorded builds really goes on, and is over afterwards."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import detection_rows  # noqa: F401 - it makes benchmarks/ importable
import psutil
import pytest

from benchmarks.detection import regimes

PROGRAM = "while True: pass"


@pytest.fixture
def busy() -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM]) as process:
        yield psutil.Process(process.pid)
        process.kill()


def seen(what: Callable[[], bool], within: float = 20.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.005)
    return False


def burners() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if "burner.py" in " ".join(one.cmdline())]


def test_neighbours_compute_on_each_core_and_are_gone_afterwards(tmp_path: Path) -> None:
    with regimes.regime("neighbours", 7, tmp_path) as around:
        programs = [one for one in burners() if one.cmdline()[1].endswith("burner.py")]
        assert sorted(one.cpu_affinity()[0] for one in programs) == sorted(regimes.available_cores())[:2]
        assert all(seen(lambda one=one: sum(one.cpu_times()[:2]) > 0.2) for one in programs)
        assert "a neighbour on each core" in around.told
    assert not [one for one in programs if one.is_running()]


def test_a_quota_is_used_up_by_a_build_that_wants_more(busy: psutil.Process, tmp_path: Path) -> None:
    with regimes.regime("quota", 7, tmp_path) as around:
        if "stood still" in around.told:
            pytest.skip(around.told)
        around.adopt([busy.pid])
        around.seen()
        assert seen(lambda: around.seen().get("quota_used_up", 0.0) > 0.5)
        busy.kill()
        busy.wait()
        assert seen(lambda: not busy.is_running())


def test_without_groups_a_build_stands_still_now_and_then_and_runs_on_afterwards(
    busy: psutil.Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regimes, "_GROUPS", tmp_path / "no groups here")
    with regimes.regime("quota", 7, tmp_path) as around:
        assert "stood still (SIGSTOP) for 8% of every 100 ms, because no group" in around.told
        around.adopt([busy.pid, 2**22 - 3])
        assert seen(lambda: busy.status() == psutil.STATUS_STOPPED)
        assert seen(lambda: busy.status() == psutil.STATUS_RUNNING)
    assert busy.status() != psutil.STATUS_STOPPED


def test_quiet_starts_nothing(tmp_path: Path) -> None:
    with regimes.regime("quiet", 7, tmp_path) as around:
        assert burners() == []
        around.adopt([1])
        assert around.seen() == {}
