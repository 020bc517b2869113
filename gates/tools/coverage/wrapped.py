"""Runs a Python test command under coverage.py in the project's own interpreter."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gates.errors import ToolError
from gates.process import Finished, last_lines, run
from gates.results import Gap
from gates.tools.base import Context
from gates.tools.coverage import rcfile
from gates.tools.coverage.calls import CallRecord, parse_calls
from gates.tools.coverage.cases import Case, Outcomes, after_retry
from gates.tools.coverage.command import PythonCommand
from gates.tools.coverage.formats import parse_report
from gates.tools.coverage.interpreter import Interpreter, ask, missing
from gates.tools.coverage.junit import parse_junit
from gates.tools.coverage.lines import FileLines, is_own, source_files
from gates.tools.coverage.pytest_options import own_words, pytest_options, remembers_failures
from gates.tools.coverage.recorded import Record, parse_record
from gates.tools.coverage.suite import Suite

MOST_RETRIED = 200
"""More failing tests than this are no flakiness: they are not tried again."""

_VARIABLES = frozenset(
    f"COVERAGE_{name}" for name in ("FILE", "RCFILE", "PROCESS_START", "PROCESS_CONFIG", "FORCE_CONFIG", "DEBUG")
) | {"GATES_CALLS_RECORD"}
_RECORDERS = {
    rcfile.RECORDER: Path(__file__).with_name("unittest_recorder.py"),
    "gates_call_recorder": Path(__file__).with_name("call_recorder.py"),
}
_NO_PYTHONPATH = re.compile(r"-(?![WX-])[a-zA-Z]*[EI]")
"""Options of Python with which it looks for nothing where PYTHONPATH says."""


@dataclass(frozen=True)
class Try:
    """One run of the command: how it ended, and the tests it told of (None when nothing told of any)."""

    finished: Finished
    outcomes: Outcomes | None
    ids: Mapping[str, str] = field(default_factory=dict)
    """The ids by which unittest knows its tests, by identity."""
    recorded: Record | None = None
    """What unittest said of its tests, whoever is asked for their outcomes."""

    @property
    def last_lines(self) -> str:
        """The end of what it printed."""
        return last_lines(self.finished.stderr, 3) or last_lines(self.finished.stdout, 3)


class Wrapped:
    """A Python test command of one gate, ready to be run under coverage.py."""

    def __init__(
        self, command: PythonCommand, text: str, context: Context, timeout: float, *, branches: bool, calls: bool
    ) -> None:
        self.command, self.text, self.context, self.branches = command, text, context, branches
        self.records_calls = calls and not any(_NO_PYTHONPATH.match(option) for option in command.options)
        self.root = context.root.resolve()
        self.folder = context.directory
        self.deadline = time.monotonic() + timeout
        self.env = {**unmeasured(context.env), **command.env}
        self._words = own_words(text, self.env, self.root) if self._is_pytest else ""

    def run(self, retries: int, own_outcomes: Callable[[], Outcomes] | None = None) -> Suite:
        """Run the command, then its failing tests again; `own_outcomes` reads a JUnit file that it writes itself.

        Raises ToolError when the command could not be run, or told nothing.
        """
        asked = ask(self.command.python, self.root, environment_to_ask(self.env, self.context.env), self._is_pytest)
        if (error := missing(asked, self._is_pytest)) is not None:
            raise error
        check_source(self.root, self.context.source)
        self._prepare(asked)
        options, notes = self._options(asked)
        self.context.progress(None, f"running {self.text}")
        first = self._try("tests", options, own_outcomes=own_outcomes)
        suite = Suite(
            first.finished.exit_code, first.last_lines, first.outcomes, notes=notes,
            configurations=rcfile.configurations(asked, self.root), versions=asked.versions,
            tells_its_end=self._is_pytest, sent=self._sent(), passed=frozenset(_passed(first)),
        )  # fmt: skip
        self._judge_end(suite, first)
        if suite.outcomes is not None and not suite.ended_early and own_outcomes is None:
            suite.outcomes = self._retried(suite.outcomes, first.ids, options, retries, suite.notes)
        if not suite.incomplete:
            self.context.progress(None, "reading the coverage")
            suite.files = self._measured(suite)
        if not asked.measures_subprocesses:
            suite.notes.append(
                f"coverage {asked.coverage} does not measure programs that the tests start; 7.10 and newer do"
            )
        return suite

    @property
    def _is_pytest(self) -> bool:
        return self.command.kind == "pytest"

    @property
    def _rcfile(self) -> Path:
        return self.folder / "coveragerc"

    def _prepare(self, asked: Interpreter) -> None:
        for old in self.folder.glob("data*"):
            old.unlink()
        self._rcfile.write_text(
            rcfile.render(
                asked, self.root, self.context.source, self.folder / "data",
                branches=self.branches, recorder=not self._is_pytest,
            ),
            "utf-8",
        )  # fmt: skip
        if self.records_calls:
            shutil.rmtree(self._calls, ignore_errors=True)
            self._calls.mkdir()
        if self.records_calls or not self._is_pytest:
            recorder = self.folder / "recorder"
            recorder.mkdir(exist_ok=True)
            for name, file in _RECORDERS.items():
                shutil.copyfile(file, recorder / f"{name}.py")
            path = [str(recorder), *filter(None, [self.env.get("PYTHONPATH", "")])]
            self.env["PYTHONPATH"] = os.pathsep.join(path)

    @property
    def _calls(self) -> Path:
        return self.folder / "calls"

    def _sent(self) -> CallRecord | None:
        if not self.records_calls:
            return None
        return parse_calls(path.read_text("utf-8", "replace") for path in sorted(self._calls.glob("*.jsonl")))

    def _options(self, asked: Interpreter) -> tuple[list[str], list[str]]:
        if not self._is_pytest:
            return [], []
        options, notes = pytest_options(
            asked, self._words, not self.env.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"), self.context.seed
        )
        if self.records_calls:
            options += ["-p", "gates_call_recorder"]
        return [*options, "-o", f"cache_dir={self.folder / 'cache'}"], notes

    def _remaining(self) -> int:
        return max(1, math.ceil(self.deadline - time.monotonic()))

    def _execute(self, name: str, words: Sequence[str], more: Mapping[str, str], timeout: float) -> Finished:
        return run(
            words, cwd=self.root, env={**self.env, **more},
            stdout=self.folder / f"{name}.out", stderr=self.folder / f"{name}.err", timeout=timeout, normal=None,
        )  # fmt: skip

    def _try(
        self,
        name: str,
        options: Sequence[str],
        more: Mapping[str, str] | None = None,
        own_outcomes: Callable[[], Outcomes] | None = None,
    ) -> Try:
        junit, record = self.folder / f"{name}.xml", self.folder / f"{name}.jsonl"
        for old in (junit, record):
            old.unlink(missing_ok=True)
        if self._is_pytest:
            options = [*options, f"--junitxml={junit}"]
        environment = {"GATES_UNITTEST_RECORD": str(record), **(more or {})} if not self._is_pytest else more or {}
        if self.records_calls and name == "tests":  # what a test sends that is tried again counts once
            environment = {**environment, "GATES_CALLS_RECORD": str(self._calls)}
        words = self.command.under_coverage(self._rcfile, options)
        finished = self._execute(name, words, environment, self._remaining())
        if own_outcomes is not None and not self._is_pytest:
            return Try(finished, own_outcomes(), recorded=self._read_record(record))
        if not self._is_pytest:
            told = self._read_record(record)
            return Try(finished, told.outcomes if told.started or told.outcomes.cases else None, told.ids, told)
        if finished.exit_code in (3, 4) or not junit.is_file():
            raise ToolError(
                f"pytest could not run the tests (exit code {finished.exit_code}); its last lines:\n"
                + (last_lines(finished.stderr) or last_lines(finished.stdout)),
                f"run `{self.text}` by hand in the project's environment ({self.command.python})",
            )
        return Try(finished, parse_junit(junit.read_bytes(), "pytest's JUnit file", str(self.root), self._is_file))

    def _read_record(self, record: Path) -> Record:
        text = record.read_text("utf-8") if record.is_file() else ""
        return parse_record(text, str(self.root), self._is_file)

    def _is_file(self, path: str) -> bool:
        return (self.root / path).is_file()

    def _judge_end(self, suite: Suite, first: Try) -> None:
        if suite.outcomes is None:
            suite.gaps.append(
                Gap(
                    "tests",
                    f"`{self.text}` neither used unittest nor left a JUnit file, so its tests are not known",
                    "let it write a JUnit file, and name that in the setting `junit` of this gate",
                )
            )
        elif self._is_pytest and suite.exit_code == 2 and suite.outcomes.collected:
            last = last_lines(first.finished.stdout, 3).splitlines()
            marked = [line.strip("! ") for line in last if line.startswith("!!!")]
            suite.ended_early = (marked or last or ["pytest was interrupted"])[0]

    def _retried(
        self, outcomes: Outcomes, ids: Mapping[str, str], options: Sequence[str], retries: int, notes: list[str]
    ) -> Outcomes:
        """Return outcomes in which tests that pass on another try are flaky; what those tries reach is not counted."""
        cases: tuple[Case, ...] = outcomes.cases
        for number in range(1, retries + 1):
            failing = [case for case in cases if case.failing]
            if not failing or not outcomes.collected:
                break
            if len(failing) > MOST_RETRIED:
                notes.append(f"{len(failing)} tests failed, too many to be flaky: they were not tried again")
                break
            if self._is_pytest and not remembers_failures(self._words):
                notes.append("the failed tests were not tried again: the project switches pytest's cache off")
                break
            self.context.progress(None, f"trying {len(failing)} failed tests again")
            more = {"COVERAGE_FILE": str(self.folder / f"retry{number}" / "data")}
            (self.folder / f"retry{number}").mkdir(exist_ok=True)
            again = ["--lf", "--lfnf=none"] if self._is_pytest else []
            if not self._is_pytest:
                only = self.folder / f"retry{number}.json"
                only.write_text(json.dumps([ids[case.name] for case in failing]), "utf-8")
                more["GATES_UNITTEST_ONLY"] = str(only)
            try:
                tried = self._try(f"retry{number}", [*options, *again], more)
            except ToolError as error:
                notes.append(f"the failed tests could not be tried again: {error.message.splitlines()[0]}")
                break
            cases = after_retry(cases, tried.outcomes.cases if tried.outcomes else ())
        return Outcomes(cases, outcomes.obstacles)

    def _measured(self, suite: Suite) -> tuple[FileLines, ...] | None:
        if not any(source_files(self.root, self.context.source, (".py", ".pyw"))):
            suite.gaps.append(
                Gap(
                    "coverage",
                    f"there is no Python file under {', '.join(self.context.source)}",
                    "name the folders of the code in `source` under [project], or a coverage `report` of its own tools",
                )
            )
            return None
        report = self.folder / "coverage.json"
        report.unlink(missing_ok=True)
        for step in (["combine"], ["json", "-o", str(report), "--fail-under=0"]):
            words = [self.command.python, "-m", "coverage", *step[:1], f"--rcfile={self._rcfile}", *step[1:]]
            # Reading has a minute of its own: a suite that just met its time limit is still worth its figure.
            finished = self._execute(f"coverage-{step[0]}", words, {}, max(60, self._remaining()))
            said = last_lines(finished.stdout, 3) + "\n" + last_lines(finished.stderr, 3)
            if "No data to" in said or "No usable data" in said:
                suite.gaps.append(
                    Gap(
                        "coverage",
                        "coverage.py wrote no data although the command ended",
                        "does something end the process with os._exit, or run the tests in another interpreter?",
                    )
                )
                return None
            if finished.exit_code != 0:
                raise ToolError(
                    f"coverage {step[0]} failed: {said.strip()}",
                    "correct the file it names, or `omit` it in the project's configuration of coverage.py",
                )
        files = parse_report(report.read_bytes(), "coverage.py's report", str(self.root))
        # coverage.py before 6 measures what is installed inside the source too.
        return tuple(file for file in files if is_own(self.root, file.path, self.context.source))


def _passed(first: Try) -> Iterator[str]:
    """Return the tests that passed, by the ids of unittest."""
    if first.recorded is not None:
        for case in first.recorded.outcomes.cases:
            if case.outcome == "passed":
                yield first.recorded.ids[case.name]


def unmeasured(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that would come before our configuration of coverage.py."""
    return {name: value for name, value in env.items() if name not in _VARIABLES}


def environment_to_ask(clean: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which the project's own configuration of coverage.py is read: with its COVERAGE_RCFILE.

    Unless this program is itself being measured: then that variable is of the measurement, not of the project.
    """
    rcfile = env.get("COVERAGE_RCFILE")
    return {**clean, "COVERAGE_RCFILE": rcfile} if rcfile and "COVERAGE_RUN" not in env else dict(clean)


def check_source(root: Path, source: Sequence[str]) -> None:
    """Raise ToolError when a folder of the project's source is not there."""
    for name in source:
        if not (root / name).exists():
            near = f"src/{name}"
            hint = f'write `source = ["{near}"]`' if (root / near).exists() else "correct `source`"
            raise ToolError(
                f"the source {name!r} is not there: looked for the folder or file {name!r} in the project",
                f"{hint} under [project] in gates.toml",
            )
