"""On a terminal `gates init` asks; Enter takes the guess, and what is no answer is asked again."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from projects import Project, environment

from gates.config.load import load_configuration
from gates.config.model import flat_targets


class Terminal:
    """A pseudo-terminal on which `gates init` runs; what is typed is answered to what it asks."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self.main, follower = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gates", "init", *arguments], cwd=project.root, env=environment(),
            stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        )  # fmt: skip
        os.close(follower)
        self.shown = ""

    def read(self, until: str = "", seconds: float = 30.0) -> str:
        """Return what was shown since, up to some words or to the end."""
        start, deadline = len(self.shown), time.monotonic() + seconds
        while time.monotonic() < deadline and not (until and until in self.shown[start:]):
            if not select.select([self.main], [], [], 0.1)[0]:
                continue
            with contextlib.suppress(OSError):  # the other end is closed
                if data := os.read(self.main, 4096):
                    self.shown += data.decode("utf-8", "replace").replace("\r\n", "\n")
                    continue
            break
        assert not until or until in self.shown[start:], self.shown
        return self.shown[start:]

    def type(self, text: str) -> None:
        os.write(self.main, text.encode())

    def end(self) -> int:
        self.read()
        code = self.process.wait(timeout=30)
        os.close(self.main)
        return code


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "orders"
    root.mkdir()
    (root / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    return Project(root)


def test_questions_are_asked_and_enter_takes_the_guess(project: Project) -> None:
    terminal = Terminal(project)
    terminal.read("Which framework is the backend written with? [FastAPI]")
    answered = {
        "Within how many milliseconds is a simple operation answered? [100 ms]": "fast\n",
        "is no number in ms: 'fast'": "80\n",
        "Which database is it?": "PostgreSQL\n",
        "How do its users authenticate?": "{DOMAIN} tokens\n",
        "contains the placeholder {DOMAIN}": "API keys\n",
    }
    terminal.type("\n")
    while answered:
        question = next(iter(answered))
        while question not in terminal.read("] "):
            terminal.type("\n")
        terminal.type(answered.pop(question))
    for _ in range(30):
        terminal.type("\n")
    assert terminal.end() == 0, terminal.shown
    assert "(25/25) MEMORY_USAGE_TARGET" in terminal.shown
    # Two numbers stand for one target, and one question asks for both.
    assert "RESPONSE_TIME_TARGET and SIMPLE_QUERY_TARGET" in terminal.shown
    assert "Within how many milliseconds is a simple query answered?" not in terminal.shown
    guideline = (project.root / "CLAUDE.md").read_text()
    for words in ("- **Simple Queries:** < 80ms", "operations with PostgreSQL", "Implement API keys", "with FastAPI, "):
        assert words in guideline
    targets = flat_targets(load_configuration(project.root / "gates.toml").targets)
    assert targets["response_time.simple"] == "<= 80 ms"
    assert targets["database.connections"] == "<= 20"


@pytest.mark.parametrize("option", ["--yes", "--no-input", "-y"])
def test_nothing_is_asked_when_the_guesses_are_taken(project: Project, option: str) -> None:
    terminal = Terminal(project, option)
    assert terminal.end() == 0
    assert "?" not in terminal.shown.partition("What was guessed")[0]
    assert (project.root / "CLAUDE.md").exists()


def test_who_leaves_in_the_middle_has_nothing_written(project: Project) -> None:
    before = sorted(project.root.iterdir())
    terminal = Terminal(project)
    terminal.read("[FastAPI] ")
    terminal.type("\x04")
    assert terminal.end() == 2
    assert "nothing was written" in terminal.shown
    assert sorted(project.root.iterdir()) == before
    terminal = Terminal(project)
    terminal.read("[FastAPI] ")
    # One that came between the question and the wait for its answer would be noticed with the next key only.
    while psutil.Process(terminal.process.pid).status() != psutil.STATUS_SLEEPING:
        time.sleep(0.01)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert sorted(project.root.iterdir()) == before


def test_what_was_given_or_stands_in_the_guideline_is_not_asked(project: Project) -> None:
    project.write({"CLAUDE.md": "# Ours\n\nSimple queries < 100 ms\n"})
    terminal = Terminal(project, "--set", "MEMORY_USAGE_TARGET=256")
    terminal.read("(1/6) TEST_COVERAGE_TARGET")
    terminal.type("\n" * 6)
    assert terminal.end() == 0, terminal.shown
    assert "6 questions for CLAUDE.md" in terminal.shown
    assert 'load.memory = "<= 256 MB"' in (project.root / "gates.toml").read_text()


def test_bytes_that_are_no_text_are_no_traceback(project: Project) -> None:
    terminal = Terminal(project)
    terminal.read("[FastAPI] ")
    os.write(terminal.main, b"\xff\xfe\n" + b"\n" * 30)
    assert terminal.end() == 0, terminal.shown
    assert "Traceback" not in terminal.shown
