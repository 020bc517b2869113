"""Runs one stretch of load: Locust as a process of its own, told by an assignment, watched until it has ended."""

from __future__ import annotations

import json
import os
import site
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from gates import load, process
from gates.errors import ToolError
from gates.load.assignment import (
    ASSIGNMENT_VARIABLE,
    HEADERS_VARIABLE,
    LONGEST_TRIAL,
    STARTING,
    Assignment,
    write_assignment,
)
from gates.load.recording import Record, parse_record
from gates.tools.locust.observation import Observation

_LOCUSTFILE = Path(load.__file__).with_name("locustfile.py")
_PACKAGE = _LOCUSTFILE.parent.parent
_LOOK_EVERY = 0.2
_STARTING = 30.0
"""Seconds that Locust may take to import, and to end."""


class Observed(Protocol):
    """What can be seen of the backend while it is loaded."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that carry the login."""

    @property
    def started_by_us(self) -> bool:
        """Whether its processes are known."""

    def alive(self) -> bool:
        """Return whether it still runs."""

    def usage(self) -> process.Usage | None:
        """Return what its process tree uses now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a stretch of load; `died` when the backend did not live to its end, and there is no record then."""

    record: Record | None
    observation: Observation
    died: bool


@dataclass(frozen=True, slots=True)
class Locustfile:
    """The project's own locustfile, the folder its imports start from, and how fast its users come (per second)."""

    path: Path
    root: Path
    spawn_rate: float


def locust_environment(home: Path, assignment: Path, logins: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return an environment in which no file or variable of the project or of the user's home changes what Locust does.

    Logins go along in variables, so that they stand in no file and in no command line.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("LOCUST", "GATES_LOAD", "OTEL_", "GEVENT_"))
        and not name.lower().endswith("_proxy")
    }
    environment["HOME"] = str(home)
    # What is installed for this user alone, and this package itself, are found all the same.
    environment.setdefault("PYTHONUSERBASE", site.getuserbase())
    inherited = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (inherited, str(_PACKAGE.parent))))
    environment[ASSIGNMENT_VARIABLE] = str(assignment)
    environment.update({variable: json.dumps(dict(headers)) for variable, headers in logins.items()})
    return environment


def run_load(
    assignment: Assignment,
    backend: Observed,
    directory: Path,
    *,
    locustfile: Locustfile | None = None,
    progress: Callable[[float], None] = lambda share: None,
    cores: frozenset[int] | None = None,
) -> Outcome:
    """Load a backend as assigned and return what was recorded; `progress` is told the share of the time that passed.

    `cores` are those that the backend is bound to; without them it may run on all. Raises ToolError when Locust failed,
    took too long, or left no record that can be read.
    """
    observation = Observation(
        cores=process.available_cores() if cores is None else cores, generator_cores=frozenset(assignment.cpus)
    )

    def look(share: float) -> bool:
        observation.take(backend.usage)
        progress(share)
        return backend.started_by_us and not backend.alive()  # one at a URL would be sent a request to find out

    text = drive(assignment, directory, {HEADERS_VARIABLE: backend.headers}, look, locustfile)
    if text is None:
        return Outcome(None, observation, died=True)
    return Outcome(parse_record(text), observation, died=not backend.alive())


def drive(
    assignment: Assignment,
    directory: Path,
    logins: Mapping[str, Mapping[str, str]],
    look: Callable[[float], bool],
    locustfile: Locustfile | None = None,
) -> str | None:
    """Run Locust as assigned and return what it recorded; None when `look`, called again and again, ended it.

    `look` is told the share of the time that passed. `logins` are headers by the variable that carries them.
    """
    directory.mkdir(parents=True, exist_ok=True)
    result, told = directory / "record.json", directory / "assignment.json"
    result.unlink(missing_ok=True)
    told.write_text(write_assignment(replace(assignment, result=str(result))), "utf-8")
    environment = locust_environment(directory, told, logins)
    files, users, spawn_rate = [str(_LOCUSTFILE)], assignment.connections, float(assignment.connections)
    expected = assignment.arrivals.end
    if locustfile is not None:
        files.append(str(locustfile.path))
        spawn_rate = locustfile.spawn_rate
        environment["PYTHONPATH"] = os.pathsep.join((str(locustfile.root), environment["PYTHONPATH"]))
        expected += assignment.connections / spawn_rate
    if assignment.own is not None:  # imported by ours, which keeps one user of its own
        users = spawn_rate = 1
        environment["PYTHONPATH"] = os.pathsep.join((assignment.own.root, environment["PYTHONPATH"]))
        expected += assignment.connections / assignment.own.spawn_rate
    command = [
        sys.executable, "-m", "locust", "-f", ",".join(files), "--headless", "--only-summary",
        "--host", assignment.url, "--users", str(users), "--spawn-rate", str(spawn_rate),
        "--stop-timeout", str(int(assignment.timeout) + 1), "--loglevel", "WARNING",
    ]  # fmt: skip
    # Slots may be late by `timeout`, and the last answer, tried again on a new connection, by twice that.
    longest = expected + 3 * assignment.timeout + 2 * _STARTING
    if assignment.own is not None:
        longest += STARTING + LONGEST_TRIAL * assignment.arrivals.seconds
    stdout, stderr = directory / "locust.out", directory / "locust.err"
    began = time.monotonic()
    with process.start(command, cwd=directory, env=environment, stdout=stdout, stderr=stderr, serve=False) as running:
        while (ended := running.wait(_LOOK_EVERY)) is None:
            passed = time.monotonic() - began
            if look(min(1.0, passed / (expected + 1.0))):
                return None
            if passed > longest:
                raise ToolError(
                    f"Locust did not end within {longest:.0f} s{_last(stderr)}", "give the load fewer `seconds`"
                )
    if ended.exit_code != 0 or not result.exists():
        raise ToolError(f"Locust ended with {ended.describe()}{_last(stderr)}", f"its output is in {stdout.name}")
    return result.read_text("utf-8")


def _last(path: Path) -> str:
    lines = process.last_lines(path)
    return f"; its last lines:\n{lines}" if lines else " and wrote no message"
