"""One run of Schemathesis against one started backend: its configuration, its process, what it left behind.

Everything it is told stands in a configuration file of ours, so that no `schemathesis.toml` of the project has a say;
the login and the address reach it through the environment only.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.errors import ToolError
from gates.process import Ended, last_lines, start
from gates.tools.base import Serving
from gates.tools.schemathesis.events import Observed, read_events
from gates.tools.schemathesis.evidence import Log, read_log
from gates.tools.schemathesis.findings import Scrub
from gates.tools.schemathesis.known import annotate

_INSIDE = Path(__file__).with_name("inside.py")
_WIND_UP = 10.0
"""Seconds after its time in which Schemathesis, whose every further request is refused by then, comes to its end."""
_STOP = 5.0
"""Seconds that it has for its reports once it is told to stop."""
_DROPPED = ("SCHEMATHESIS_", "HYPOTHESIS_", "PYTHON", "GATES_")
_PHASES = ("examples", "coverage", "fuzzing", "stateful")
_MAX_RECORDED_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to do; the text of its configuration is the same wherever and whenever it runs."""

    document: str
    base_path: str
    operations: int
    excluded: tuple[str, ...]
    phases: tuple[str, ...]
    checks: tuple[str, ...]
    cases: int
    coverage_cases: int
    seconds: float
    request_timeout: float
    seed: int
    header_names: tuple[str, ...]
    known: str
    positive_only: bool = False
    """Whether nothing invalid is sent."""

    def configuration(self) -> str:
        """Return the `schemathesis.toml` of this run."""
        named = enumerate(self.header_names)
        headers = ", ".join(f'{json.dumps(name)} = "${{{_variable(number)}}}"' for number, name in named)
        lines = [
            # Not the tool's own setting, but part of what decides the requests.
            f"# coverage-cases = {self.coverage_cases}",
            # Said on the command line, whose default goes before what a configuration says.
            *(['# mode = "positive"'] if self.positive_only else []),
            f"seed = {self.seed}",
            'hooks = "${GATES_FUZZ_HOOKS}"',
            'base-url = "${GATES_FUZZ_URL}"',
            # Otherwise an operation's first failure ends its turn, and shrinking it sends an unbounded number more.
            "continue-on-failure = true",
            # A redirect is an answer: followed, it could lead away from the backend.
            "max-redirects = 0",
            f"request-timeout = {self.request_timeout}",
            # With more, their order, and so what they find, would differ from run to run.
            "workers = 1",
            f"headers = {{ {headers} }}",
            "[generation]",
            "deterministic = true",
            "no-shrink = true",
            f"max-examples = {self.cases}",
            "[cache]",
            "enabled = false",
            "[auth]",
            "auto-signup = false",
            "[output.truncation]",
            f"max-recorded-payload-size = {_MAX_RECORDED_BODY}",
        ]  # fmt: skip
        lines += [f"[phases.{phase}]\nenabled = {_toml(phase in self.phases)}" for phase in _PHASES]
        # A case for every operation before any gets many, so that each has something when the time is short.
        lines[lines.index(f"[phases.examples]\nenabled = {_toml('examples' in self.phases)}")] += (
            "\nfill-missing = true"
        )
        lines += ["[checks]", "enabled = false", *(f"{check}.enabled = true" for check in self.checks)]
        for name in self.excluded:
            lines += ["[[operations]]", f"include-name = {json.dumps(name)}", "enabled = false"]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run left: its events, its log, the parts of its own report that say more, and how its process ended."""

    observed: Observed
    log: Log
    known: str
    known_ids: tuple[str, ...]
    stopped: str
    """Why it was ended before its end, in words; empty when it came to its end."""
    requests: int


def _toml(value: bool) -> str:
    return "true" if value else "false"


def _variable(number: int) -> str:
    return f"GATES_FUZZ_HEADER_{number}"


def carry_out(
    plan: Plan, serving: Serving, directory: Path, scrub: Scrub, progress: Callable[[float | None, str], None]
) -> Trial:
    """Fuzz a backend and return what there is to see of it; raises ToolError when the tool itself failed."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {name: directory / name for name in ("openapi.json", "schemathesis.toml", "report.json", "events.ndjson",
                                                 "known.json", "limits.log", "output.txt")}  # fmt: skip
    files["openapi.json"].write_text(plan.document, encoding="utf-8")
    files["schemathesis.toml"].write_text(plan.configuration(), encoding="utf-8")
    files["known.json"].write_text(plan.known, encoding="utf-8")
    files["limits.log"].write_text("")
    try:
        ended, stopped = _run(plan, serving, directory, files, progress)
        return _gather(plan, files, ended, stopped, scrub)
    finally:
        # Answers may carry secrets of the backend, and there may be many MB of them.
        for name in ("events.ndjson", "output.txt"):
            files[name].unlink(missing_ok=True)


def _command(plan: Plan, files: Mapping[str, Path]) -> list[str]:
    mode = ["--mode", "positive"] if plan.positive_only else []
    return [
        sys.executable, "-P", "-m", "schemathesis.cli", "--config-file", files["schemathesis.toml"].name,
        "run", files["openapi.json"].name, "--no-color", "--report", "json,ndjson",
        "--report-json-path", files["report.json"].name, "--report-ndjson-path", files["events.ndjson"].name,
        "--baseline", files["known.json"].name, "--baseline-update", *mode,
    ]  # fmt: skip


def _environment(plan: Plan, serving: Serving, files: Mapping[str, Path]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_DROPPED) and not name.lower().endswith("_proxy")
    }
    limits = {
        "seconds": plan.seconds,
        "coverage_cases": plan.coverage_cases,
        "operations": plan.operations,
        "phases": plan.phases,
        "log": str(files["limits.log"]),
    }
    secrets = {_variable(number): serving.headers[name] for number, name in enumerate(plan.header_names)}
    return {
        **kept,
        **secrets,
        "GATES_FUZZ_URL": serving.url + plan.base_path,
        "GATES_FUZZ_HOOKS": str(_INSIDE),
        "GATES_FUZZ_LIMITS": json.dumps(limits),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(files["limits.log"].with_name("hypothesis")),
        # The order of sets decides which case is made first.
        "PYTHONHASHSEED": "0",
        # Neither a proxy nor a ~/.netrc stands between the tool and the backend.
        "NO_PROXY": "*",
        "NETRC": os.devnull,
        "COLUMNS": "200",
    }


def _run(
    plan: Plan,
    serving: Serving,
    directory: Path,
    files: Mapping[str, Path],
    progress: Callable[[float | None, str], None],
) -> tuple[Ended, str]:
    """Return how the process ended, and why it was stopped if it was."""
    began, stopped, told = time.monotonic(), "", 0
    with start(
        _command(plan, files), cwd=directory, env=_environment(plan, serving, files), stdout=files["output.txt"],
        grace=2.0, serve=False,
    ) as running:  # fmt: skip
        while running.wait(0.25) is None:
            seconds = time.monotonic() - began
            progress(*_progress(plan, files["limits.log"], seconds))
            if seconds < plan.seconds + _WIND_UP + told * _STOP:
                continue
            if told == 2:
                break
            # The first signal asks for an orderly end, the second does not wait for what is under way.
            stopped = f"it was stopped after {seconds:.0f} s, as it did not end by itself"
            running.signal(signal.SIGTERM)
            told += 1
    ended = running.ended()
    assert ended is not None, "leaving the block waits for the end"
    return ended, stopped


def _progress(plan: Plan, path: Path, seconds: float) -> tuple[float | None, str]:
    log = read_log(path.read_text(encoding="utf-8"))
    turns = plan.operations * sum(1 for phase in plan.phases if phase != "stateful")
    share = min(0.99, max(len(log.began) / turns if turns else 0.0, 0.0)) if log.began else None
    at = f"{log.phase}: {log.began[-1][1]}" if log.began and log.phase == log.began[-1][0] else log.phase
    return share, f"{at or 'reading the document'} ({seconds:.0f} of at most {plan.seconds:g} s)"


def _gather(plan: Plan, files: Mapping[str, Path], ended: Ended, stopped: str, scrub: Scrub) -> Trial:
    last = scrub(last_lines(files["output.txt"], 6))
    hint = f"what it was told is in {files['schemathesis.toml'].parent}; `gates doctor` shows its version"
    if not stopped and (ended.signal is not None or ended.exit_code not in (0, 1, 2)):
        raise ToolError(
            f"Schemathesis ended with {ended.describe()}" + (f"; its last lines:\n{last}" if last else ""), hint
        )
    login = [name.lower() for name in plan.header_names]
    observed = _observed(files["events.ndjson"], login)
    if observed.fatal:
        raise ToolError(
            f"Schemathesis cannot use the document: {scrub(' '.join(observed.fatal.split())[:300])}",
            "correct the OpenAPI document where the message points to",
        )
    if not stopped and (ended.exit_code == 2 or observed.stop_reason is None):
        raise ToolError(
            f"Schemathesis ended with {ended.describe()} before it tested anything"
            + (f"; its last lines:\n{last}" if last else ""),
            hint,
        )
    report = _report(files["report.json"], needed=not stopped)
    known = files["known.json"].read_text(encoding="utf-8")
    baseline = report.get("baseline")
    ids = baseline.get("known_ids", ()) if isinstance(baseline, Mapping) else ()
    return Trial(
        observed,
        read_log(files["limits.log"].read_text(encoding="utf-8")),
        annotate(known, observed.failures.values()),
        tuple(str(one) for one in ids),
        stopped or _stop_reason(observed.stop_reason),
        len(observed.calls),
    )


def _stop_reason(reason: str | None) -> str:
    return {
        "completed": "",
        "server_unavailable": "the backend stopped answering",
        "interrupted": "it was interrupted",
    }.get(reason or "", f"it stopped early ({reason})")


def _observed(path: Path, login: Sequence[str]) -> Observed:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return read_events(lines, login)
    except FileNotFoundError:
        return Observed()


def _report(path: Path, *, needed: bool) -> Mapping[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if needed:
            raise ToolError(f"Schemathesis left no report that can be read: {error}") from error
        return {}
    return content if isinstance(content, Mapping) else {}
