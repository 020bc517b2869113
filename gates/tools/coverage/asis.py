"""Runs a test command as it is, and reads the files that the project's own tools write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from gates.errors import ToolError
from gates.process import Finished, last_lines, run
from gates.results import Gap
from gates.tools.base import Context
from gates.tools.coverage.cases import Outcomes, number_same
from gates.tools.coverage.command import OtherCommand, PythonCommand
from gates.tools.coverage.formats import parse_report
from gates.tools.coverage.javascript import Asked
from gates.tools.coverage.jest import parse_jest
from gates.tools.coverage.junit import parse_junit
from gates.tools.coverage.lines import FileLines, is_own, is_test_file, source_files
from gates.tools.coverage.suite import Suite
from gates.tools.coverage.v8 import read_v8
from gates.tools.coverage.written import Expected, expect

_NO_JUNIT = Gap(
    "tests",
    "the command writes no JUnit file, so which tests ran is not known",
    "let it write one, and name that in the setting `junit` of this gate",
)


def run_as_it_is(
    command: PythonCommand | OtherCommand,
    text: str,
    junit: str | None,
    report: str | None,
    context: Context,
    timeout: float,
    asked: Asked | None = None,
) -> Suite:
    """Run a command, written `text`, and read its JUnit and coverage files, if this run wrote them.

    What no file of the project brings, a runner may have been `asked` for. Raises ToolError when the command could not
    be run, or wrote none of the files that were expected.
    """
    root = context.root.resolve()
    expected_junit = expect(root, junit) if junit else None
    expected_report = expect(root, report) if report else None
    context.progress(None, f"running {text}")
    words, env = (asked.words, asked.env) if asked else (command.words, command.env)
    finished = run(
        words, cwd=root, env={**context.env, **env}, stdout=context.directory / "tests.out",
        stderr=context.directory / "tests.err", timeout=timeout, normal=None,
    )  # fmt: skip
    suite = Suite(finished.exit_code, last_lines(finished.stderr, 3) or last_lines(finished.stdout, 3))
    if expected_junit is not None:
        suite.outcomes = read_outcomes(expected_junit, finished)
        if stale := expected_junit.stale():
            suite.notes.append(f"{len(stale)} of the files {junit} are from before this run and were not read")
    elif asked is not None and asked.tests is not None:
        suite.outcomes = _asked_outcomes(asked, asked.tests, root, finished)
    else:
        suite.gaps.append(_NO_JUNIT)
    if expected_report is not None:
        suite.files = _read_files(expected_report, finished, suite, context.source)
    elif asked is not None and asked.lines is not None:
        suite.files = _asked_files(asked, asked.lines, root, suite, context.source)
    else:
        reason = asked.no_lines if asked else "the command is no Python program that could be run under coverage.py"
        suite.gaps.append(
            Gap(
                "coverage",
                reason,
                "let it write LCOV, Cobertura XML or coverage.py's JSON, and name that in the setting `report`",
            )
        )
    return suite


def _asked_outcomes(asked: Asked, path: Path, root: Path, finished: Finished) -> Outcomes:
    if not path.is_file():
        last = last_lines(finished.stderr) or last_lines(finished.stdout)
        raise ToolError(
            f"{asked.runner} told nothing of its tests; the command ended with {finished.ended.describe()}"
            + (f"; its last lines:\n{last}" if last else ""),
            "run the command by hand; if it works, let it write a JUnit file, and name that in `junit`",
        )
    name = f"what {asked.runner} told of its tests"
    if path.suffix == ".json":
        return parse_jest(path.read_bytes(), name, str(root))
    return parse_junit(path.read_bytes(), name, str(root), lambda name: (root / name).is_file())


def _asked_files(
    asked: Asked, path: Path, root: Path, suite: Suite, source: Sequence[str]
) -> tuple[FileLines, ...] | None:
    told: Sequence[FileLines] = ()
    if asked.from_v8:
        found = read_v8(path, root)
        told = found.files
        if found.rewritten:
            what = f"{', '.join(found.rewritten[:5])}{' and others' if len(found.rewritten) > 5 else ''}"
            reason = f"other text ran than stands in {what} (TypeScript, or a transpiler)"
            hint = "let c8 or the runner write LCOV, and name that in the setting `report`"
            suite.gaps.append(Gap("coverage", reason, hint))
            return None
    elif path.is_file():
        told = parse_report(path.read_bytes(), "the report", str(root), lambda name: (root / name).is_file())
    return _own_files(told, f"what {asked.runner} told of lines", root, suite, source)


def read_outcomes(expected: Expected, finished: Finished | None) -> Outcomes:
    """Return the tests of the JUnit files that were written since. Raises ToolError when there is none."""
    fresh = expected.fresh()
    if not fresh:
        raise ToolError(_not_written(expected, "JUnit", finished), _not_written_hint("junit"))
    root = expected.root
    parts = [
        parse_junit(path.read_bytes(), str(path.relative_to(root)), str(root), lambda name: (root / name).is_file())
        for path in fresh
    ]
    return Outcomes(
        number_same(case for part in parts for case in part.cases),
        tuple(each for part in parts for each in part.obstacles),
    )


def _read_files(
    expected: Expected, finished: Finished, suite: Suite, source: Sequence[str]
) -> tuple[FileLines, ...] | None:
    fresh = expected.fresh()
    if len(fresh) > 1:
        names = ", ".join(str(path.relative_to(expected.root)) for path in fresh)
        raise ToolError(f"several coverage reports were written: {names}", "name one of them in `report`")
    if not fresh:
        if suite.outcomes is None:
            raise ToolError(_not_written(expected, "coverage", finished), _not_written_hint("report"))
        suite.gaps.append(Gap("coverage", _not_written(expected, "coverage", None), _not_written_hint("report")))
        return None
    name = str(fresh[0].relative_to(expected.root))
    root = expected.root
    told = parse_report(fresh[0].read_bytes(), name, str(root), lambda path: (root / path).is_file())
    return _own_files(told, name, root, suite, source)


def _own_files(
    told: Sequence[FileLines], name: str, root: Path, suite: Suite, source: Sequence[str]
) -> tuple[FileLines, ...] | None:
    files = [file for file in told if is_own(root, file.path, source)]
    if not files:
        first = f"it begins with {told[0].path}" if told else "it names no file at all"
        suite.gaps.append(
            Gap(
                "coverage",
                f"{name} tells of no file under {', '.join(source)}: {first}",
                "correct `source` under [project], or let the report name its files from the project's folder",
            )
        )
        return None
    return (*files, *_untold(root, files, source, suite.notes))


def _untold(root: Path, files: Sequence[FileLines], source: Sequence[str], notes: list[str]) -> list[FileLines]:
    """Return the source files that the report is silent about: no test loads them, so each of their lines is missing.

    What is a statement in them nobody has said; every line that is not blank counts, so the figure is never too good.
    """
    known = {file.path for file in files}
    suffixes = {PurePosixPath(path).suffix for path in known} - {""}
    untold = []
    for path in source_files(root, source, suffixes):
        if path in known or is_test_file(path):
            continue
        lines = (root / path).read_text("utf-8", "replace").splitlines()
        untold.append(FileLines(path, frozenset(), frozenset(n for n, line in enumerate(lines, 1) if line.strip())))
    if untold:
        names = ", ".join(file.path for file in untold[:5]) + (", …" if len(untold) > 5 else "")
        notes.append(f"not in the coverage report, and so counted as not covered ({len(untold)}): {names}")
    return untold


def _not_written(expected: Expected, kind: str, finished: Finished | None) -> str:
    stale = expected.stale()
    state = "is still the one from before" if stale else "was not written"
    message = f"the {kind} file {expected.pattern} {state}: this run left no results in it"
    if finished is None:
        return message
    last = last_lines(finished.stderr) or last_lines(finished.stdout)
    told = f"; its last lines:\n{last}" if last else ""
    return f"{message}; the command ended with {finished.ended.describe()}{told}"


def _not_written_hint(setting: str) -> str:
    return f"does the command write it on every run (build tools skip what is up to date), and is `{setting}` its path?"
