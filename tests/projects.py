"""Small real projects for tests of whole journeys: a folder with a gates.toml and a git history, and the command line.

`Project.gates(…)` runs the real command as a process, `Project.call(…)` in this one, which is faster;
`Project.check(…)` goes the journey behind it.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import chdir, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from gates.cli import main
from gates.pipeline.check import RunFinished, Selection, check
from gates.results import Run

HERE = Path(__file__).parent
MARK = "GATES_TEST_MARK"
"""An environment variable by which every process of one test can be found again."""

LEFT_OUT = """
[done.leave_out]
endpoints     = "This is a test of something else."
database      = "This is a test of something else."
auth          = "This is a test of something else."
errors        = "This is a test of something else."
performance   = "This is a test of something else."
security      = "This is a test of something else."
documentation = "This is a test of something else."
integration   = "This is a test of something else."
"""
SMALL_BACKEND = '{python} small_backend.py {port} "{data}"'


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


@dataclass
class Project:
    """A project in a folder of its own."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, by their path inside the project."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def git(self, *arguments: str) -> str:
        """Run git as somebody who has no configuration of git."""
        who = ["-c", "user.name=A Developer", "-c", "user.email=developer@example.org", "-c", "init.defaultBranch=main"]
        done = subprocess.run(
            ["git", *who, "-c", "commit.gpgSign=false", *arguments], cwd=self.root, env=environment(),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self, message: str = "work", **files: str) -> str:
        """Commit everything, after writing some files, and return the commit."""
        self.write(files)
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--template=")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command line in the background."""
        env = {**environment(), **self.env, **options.pop("env", {})}
        settings: dict[str, Any] = {
            "cwd": self.root, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options,
        }  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", "gates", *arguments], env=env, **settings)

    def gates(self, *arguments: str, **options: Any) -> Said:
        """Run the command line to its end."""
        timeout = options.pop("timeout", 120)
        with self.start(*arguments, **options) as running:
            try:
                out, err = running.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                running.kill()
                raise
        assert "Traceback" not in err, err
        return Said(running.returncode, out or "", err or "")

    def call(self, *arguments: str) -> Said:
        """Run the command line in this process, which saves the time that a new one needs to come up."""
        before = (sys.argv, sys.stdout, sys.stderr, signal.getsignal(signal.SIGTERM))
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        code = 0
        try:
            sys.argv, sys.stdout, sys.stderr = ["gates", *arguments], out, err
            with chdir(self.root):
                main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        finally:
            sys.argv, sys.stdout, sys.stderr, handler = before
            signal.signal(signal.SIGTERM, handler)
        said = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
        return Said(code, *said)

    def check(self, **selection: Any) -> Run:
        """Check the project in this process, and return the judged run."""
        finished = None
        with closing(check(self.root, Selection(**selection))) as events:
            for event in events:
                finished = event
        assert isinstance(finished, RunFinished)
        return finished.run

    def json(self, *arguments: str) -> dict[str, Any]:
        """Check the project by the command line, and return its result as data."""
        said = self.call("check", "--json", "-", *arguments)
        assert said.out.startswith("{"), said
        result: dict[str, Any] = json.loads(said.out)
        assert result["exit_code"] == said.code
        return result

    def runs_folder(self) -> Path:
        """Return where the outputs of runs are kept."""
        return self.root / ".gates" / "runs"


@dataclass(frozen=True)
class Api:
    """An API with a login that was fuzzed and loaded, too little, and fuzzed again without one of its operations."""

    project: Project
    first: dict[str, Any]
    second: dict[str, Any]
    secrets: tuple[str, ...] = ("the-secret-token-of-the-small-backend", "the password of the small backend")


def environment() -> dict[str, str]:
    """Return this environment without what would change how gates and git behave."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GATES_", "PYTEST"))}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "VIRTUAL_ENV", "TROUBLE", "PYTHONUNBUFFERED"):
        kept.pop(name, None)
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
        "PYTHONPATH": str(HERE.parent), "TERM": "dumb",
    }  # fmt: skip


def gates_toml(
    gates: str = "",
    *,
    backend: str = "",
    phases: Sequence[str] = ("one", "two"),
    targets: str = "",
    more: str = "",
    left_out: str = LEFT_OUT,
) -> str:
    """Return a gates.toml in which only the item `tests` is to be decided, by the gates given."""
    parts = ['[project]\nname = "small"\nsource = ["small"]\n', f'[backend]\nprofile = "plain"\n{backend}\n']
    parts += [f'[[phases]]\nname = "{phase}"\n' for phase in phases]
    return "\n".join([*parts, f"[targets]\n{targets}\n", gates, more, left_out])


def deciding(*items: str) -> str:
    """Return the table of items that are left out, without those that are to be decided."""
    lines = LEFT_OUT.splitlines()
    return "\n".join(line for line in lines if line.split(" ")[0] not in items) + "\n"


def command_gate(command: str, name: str = "tests", items: str = '["tests"]', more: str = "") -> str:
    """Return a gate that runs a command."""
    return f"[gates.{name}]\ntool = \"command\"\nitems = {items}\ncommand = '''{command}'''\n{more}\n"


REPORTED_TESTS = """
[gates.tests]
tool = "coverage"
command = "sh run-tests.sh"
junit = "out/junit.xml"
report = "out/lcov.info"
"""
"""A test suite whose outcome stands in files, so that it costs nothing: see `results`."""


def results(*tests: str, covered: int = 10, lines: int = 10, code: int = 0) -> dict[str, str]:
    """Return the files of a suite with these tests (`name` passed, `name!` failed, `name?` was skipped)."""
    outcomes = {"!": "<failure message='it is wrong'/>", "?": "<skipped message='not today'/>"}
    cases = "".join(
        f'<testcase classname="suite" name="{test.rstrip("!?")}" time="0">{outcomes.get(test[-1], "")}</testcase>'
        for test in tests or ("adds", "removes")
    )
    executed = "".join(f"DA:{number},{int(number <= covered)}\n" for number in range(1, lines + 1))
    code = code or int(any("!" in test for test in tests))
    return {
        "results/junit.xml": f'<testsuites><testsuite name="suite">{cases}</testsuite></testsuites>',
        "results/lcov.info": f"SF:small/app.js\n{executed}end_of_record\n",
        "small/app.js": "".join(f"line({number});\n" for number in range(1, lines + 1)),
        "run-tests.sh": f"mkdir -p out && cp results/* out/ && exit {code}\n",
    }


def small_project(root: Path, toml: str, **files: str) -> Project:
    """Return a project with a backend of the standard library, committed once."""
    root.mkdir(parents=True, exist_ok=True)
    project = Project(root)
    # A profile of the project's own, without any gate.
    project.write({"profiles/backends/plain.toml": 'title = "nothing in particular"\n'})
    shutil.copy(HERE / "small_backend.py", root / "small_backend.py")
    project.write({"gates.toml": toml, ".gitignore": "__pycache__/\n.pytest_cache/\n.coverage*\n/out/\n", **files})
    project.commit("the beginning")
    return project


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes, alive, that carry a mark in their environment or on their command line."""
    found = []
    for one in psutil.process_iter(["cmdline", "status"]):
        if one.info["status"] == psutil.STATUS_ZOMBIE or one.pid == os.getpid():
            continue
        try:
            words = (*(one.info["cmdline"] or ()), *Path(f"/proc/{one.pid}/environ").read_bytes().decode().split("\0"))
        except (OSError, UnicodeDecodeError):
            continue  # it ended, or it is somebody else's
        if any(mark in word for word in words):
            found.append(one)
    return found


def left_of(mark: str, seconds: float = 20.0) -> list[psutil.Process]:
    """Return what is still there of the marked processes after a time in which all should have gone."""
    deadline = time.monotonic() + seconds
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
