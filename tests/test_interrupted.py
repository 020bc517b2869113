"""A check that is interrupted at any moment leaves no process, no half-written baseline and a history that opens.

The moments are random, from a seed that is shown when a test fails: set GATES_TEST_SEED to see the same ones again.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from projects import (
    MARK,
    SMALL_BACKEND,
    Project,
    command_gate,
    gates_toml,
    left_of,
    marked,
    small_project,
)

from gates.pipeline.lookup import list_phases
from gates.pipeline.signoff import sign_off, verify_signoffs
from gates.results import Verdict
from gates.store import Store

SEED = int(os.environ.get("GATES_TEST_SEED", "20"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
pytestmark = pytest.mark.slow

# A tool that starts a process of its own and a daemon, beside a backend that does the same; both take a while.
BUSY = "sleep 300.375 & setsid sleep 300.375 & {python} -c 'import time; time.sleep(9)'"
QUICK = "echo '{\"n\": 3}'"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    toml = gates_toml(
        command_gate(QUICK, "first", more='numbers.n = { json = "$.n" }')
        + command_gate("true", "second")
        + command_gate(BUSY, "busy", more="backend = true")
        + command_gate("sleep 8", "beside")
        + command_gate("sleep 5", "alone", more="runs_alone = true"),
        backend=f"start = '''{SMALL_BACKEND}'''\nready = \"/health\"\nenv = {{ TROUBLE = \"daemon\" }}",
    )
    return small_project(tmp_path / "project", toml)


def wait_until_busy(running: subprocess.Popen[str], mark: str) -> None:
    """Wait until there are gates, two tools and a backend with their wardens, and what these started."""
    deadline = time.monotonic() + 60
    while len(marked(mark)) < 11:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline, [one.cmdline() for one in marked(mark)]
        time.sleep(0.05)


def interrupt(project: Project, mark: str, delay: float | None, number: int) -> subprocess.Popen[str]:
    """Interrupt a check after some seconds, or when its tools and its backend run; return it, ended."""
    running = project.start("check", env={MARK: mark})
    if delay is None:
        wait_until_busy(running, mark)
    else:
        time.sleep(delay)
    running.send_signal(number)
    running.wait(60)
    return running


def states(project: Project) -> list[tuple[str, str | None]]:
    """Return how the history tells of the runs, the latest first, by opening it anew."""
    with Store(project.root / ".gates" / "history.db") as store:
        return [(line.state, line.reason) for line in store.runs()]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_in_the_middle_of_it(project: Project, number: signal.Signals) -> None:
    mark = f"middle-{number.name}-{os.getpid()}"
    running = interrupt(project, mark, None, number)
    assert left_of(mark) == []
    out, err = running.communicate()
    if number is signal.SIGKILL:
        assert running.returncode == -signal.SIGKILL
        assert states(project) == [("interrupted", "the process that ran it is gone")]
    else:
        assert running.returncode == 130, err
        assert "interrupted; what was started is stopped, and what had ended is saved" in err
        assert "Traceback" not in err + out
        assert states(project) == [("interrupted", "it was interrupted")]
    with Store(project.root / ".gates" / "history.db") as store:
        (line,) = store.runs()
        run = store.run(line.id)
    assert run.verdict is Verdict.UNKNOWN
    ended = {gate.gate: gate for gate in run.gates}
    assert set(ended) == {"first", "second"}
    assert ended["first"].readings.measurements[0].value == 3
    assert list_phases(project.root)[0].verdict is None
    assert not (project.root / "baselines").exists()


def test_when_the_command_returns_nothing_is_left(project: Project) -> None:
    mark = f"returned-{os.getpid()}"
    interrupt(project, mark, None, signal.SIGINT)
    assert left_of(mark, 0.2) == []


def test_the_whole_terminal_is_interrupted(project: Project) -> None:
    """Ctrl-C goes to every process of the terminal's group, not only to gates."""
    mark = f"terminal-{os.getpid()}"
    running = project.start("check", env={MARK: mark}, start_new_session=True)
    wait_until_busy(running, mark)
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(60) == 130
    assert left_of(mark) == []


def test_impatience(project: Project) -> None:
    mark = f"impatience-{os.getpid()}"
    running = project.start("check", env={MARK: mark})
    wait_until_busy(running, mark)
    for _ in range(3):
        running.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert running.wait(60) != 0
    assert left_of(mark) == []
    assert states(project)[0][0] == "interrupted"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_at_any_moment_and_the_next_check_works(project: Project, number: signal.Signals) -> None:
    moments = random.Random(f"{SEED} {number.name}")
    baselines = project.root / "baselines"
    # SIGTERM goes the way of SIGINT from the moment on at which it is taken.
    for position in range(1 if number is signal.SIGTERM else 3):
        delay = moments.uniform(0.05, 2.5)
        what = f"{number.name} after {delay:.3f} s (seed {SEED}, try {position})"
        mark = f"moment-{number.name}-{position}-{os.getpid()}"
        running = interrupt(project, mark, delay, number)
        _, err = running.communicate()
        assert left_of(mark) == [], what
        assert "Traceback" not in err or "KeyboardInterrupt" in err, f"{what}\n{err}"
        assert running.returncode in (130, -number), f"{what}\n{err}"
        assert not baselines.exists(), what
        if (project.root / ".gates" / "history.db").exists():
            assert all(state == "interrupted" for state, _ in states(project)), what
    project.write({"gates.toml": gates_toml(command_gate(QUICK, "first"))})
    said = project.gates("check")
    assert said.code == 0, said
    assert states(project)[0] == ("finished", None)
    assert project.gates("phases").code == 0


# ---- while a phase is signed


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_sign_off_is_whole_or_not_there(tmp_path: Path, number: signal.Signals) -> None:
    project = small_project(tmp_path / "project", gates_toml(command_gate(QUICK)))
    assert project.check().verdict is Verdict.PASS
    began = time.monotonic()
    assert project.gates("signoff", "--by", "Somebody").code == 0
    usual = time.monotonic() - began
    moments = random.Random(f"{SEED} sign-off {number.name}")
    for position in range(3):
        for path in (project.root / "baselines").glob("*"):
            path.unlink()
        delay = usual * moments.uniform(0.4, 1.05)
        what = f"{number.name} after {delay:.3f} s of about {usual:.3f} s (seed {SEED}, try {position})"
        running = project.start("signoff", "--by", "Somebody")
        time.sleep(delay)
        running.send_signal(number)
        _, err = running.communicate(timeout=60)
        assert "Traceback" not in err or "KeyboardInterrupt" in err, f"{what}\n{err}"
        (row, _) = list_phases(project.root)
        if row.state == "signed off":
            assert (project.root / "baselines" / "01-one.md").read_text().startswith("# Phase 1, one: signed off"), what
            assert len(verify_signoffs(project.root)) == 1, what
        else:
            assert not (project.root / "baselines" / "01-one.db").exists(), what
            sign_off(project.root, None, by="Somebody")
            visible = {path.name for path in (project.root / "baselines").iterdir() if not path.name.startswith(".")}
            assert visible == {"01-one.db", "01-one.md"}, what
    assert states(project)[0] == ("finished", None)
