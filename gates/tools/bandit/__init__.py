"""Security findings in Python source, by bandit, run from the harness's own environment.

The files are looked for here, not by bandit: what was asked for can then be held against what was answered, and no
file of the scanned project (`.bandit`, `[tool.bandit]`, a module named like one of bandit's) has a say in it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gates.errors import GatesError, NotMeasured, ToolError
from gates.process import CommandFailed, capture, last_lines, run
from gates.results import Gap, ItemId, Readings
from gates.tools.bandit.files import SUFFIXES, Search, matches, plain_path, processors, share_out
from gates.tools.bandit.report import Scan, parse, parse_log
from gates.tools.base import Context, Requirement, Tool, digest

_TEST_FILES = ("test", "tests", "tests.py", "test_*.py", "*_test.py", "conftest.py")
_CONTEXT_LINES = 40
_SYNTAX_CHECK = """
import ast, sys
try:
    ast.parse(open(sys.argv[1], "rb").read())
except SyntaxError as error:
    print(f"line {error.lineno}: {error.msg}" if error.lineno else error.msg)
else:
    print("valid", "%d.%d" % sys.version_info[:2])
"""


class Bandit(Tool):
    """Looks for insecure Python with bandit; findings keep their identity when code moves."""

    tool: Literal["bandit"] = "bandit"
    items: tuple[ItemId, ...] = Field(
        default=("security",), description="Items of the Definition of Done this gate helps decide"
    )
    paths: tuple[str, ...] = Field(
        default=(), description="Files and folders to scan, relative to the project; empty means `[project] source`"
    )
    exclude: tuple[str, ...] = Field(
        default=_TEST_FILES,
        description="Patterns of what is not scanned: without a slash, of the name of a file or folder at any depth; "
        "with one, of the path relative to the project. Test files by default: asserts and invented "
        "passwords are what they are made of",
    )
    skip_rules: tuple[Annotated[str, Field(pattern=r"^B\d{3}$")], ...] = Field(
        default=(), description='Rules that are not applied anywhere, for example ["B101"]'
    )

    measures = ("security.high", "security.medium", "security.low", "security.lines", "security.nosec")

    def run(self, context: Context) -> Readings:
        """Scan the source; raises NotMeasured when there is nothing to scan, ToolError when a file was not read."""
        paths = self.paths or context.source or (".",)
        search, missing = self._search(context.root, paths)
        context.progress(None, f"scanning {len(search.files)} files")
        scan, internal = self._scan(context, search.files)
        answered = {subject.name for subject in scan.readings.subjects} | scan.unread.keys()
        silent = dict.fromkeys({plain_path(path) for path in search.files} - answered, "bandit did not mention it")
        if unread := {**search.unread, **scan.unread, **silent}:
            raise _unread_error(context, unread, len(search.files) + len(search.unread), scan.readings)
        if not any(m.value for m in scan.readings.measurements if m.name == "security.lines"):
            raise NotMeasured(
                f"there is no line of code in the {len(search.files)} Python files below {', '.join(paths)}",
                "name the folder that holds the code in `[project] source` or in this gate's `paths`",
            )
        settings = {"paths": paths, "exclude": self.exclude, "skip_rules": self.skip_rules}
        return replace(
            scan.readings,
            gaps=(*map(_missing_gap, missing), *map(_outside_gap, search.outside), *internal),
            configurations={"bandit": digest(json.dumps(settings, sort_keys=True))},
            versions={"bandit": version("bandit"), "python of gates": ".".join(map(str, sys.version_info[:3]))},
            notes=tuple(self._notes(context, search, scan, paths)),
        )  # fmt: skip

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the source is there and holds Python that this interpreter can be expected to read."""
        paths = self.paths or context.source or (".",)
        try:
            search, _ = self._search(context.root, paths)
        except NotMeasured as nothing:
            return [Requirement("Python source for bandit", False, nothing.message, nothing.hint)]
        return [
            Requirement("bandit", True, version("bandit")),
            Requirement("Python source for bandit", True, f"{len(search.files)} files below {', '.join(paths)}"),
        ]

    def _search(self, root: Path, paths: Sequence[str]) -> tuple[Search, list[str]]:
        missing = [path for path in paths if not os.path.lexists(root / path)]
        search = Search(os.path.abspath(root), self.exclude)
        search.look(path for path in paths if path not in missing)
        if search.files or search.unread:
            return search, missing
        looked = ", ".join(paths)
        everything = Search(os.path.abspath(root), ())
        everything.look(["."])
        if not everything.files:
            raise NotMeasured(
                f"bandit reads Python only: nothing here is Python (looked for {' and '.join(SUFFIXES)} files)",
                "leave this gate out, and give the item `security` a scanner of the backend's own language",
            )
        hint = (
            f"name the folder that holds the code in `[project] source` or `paths`; {min(everything.files)} is Python"
        )
        if missing and len(missing) == len(paths):
            raise NotMeasured(f"the source to scan is not there: {', '.join(missing)}", hint)
        if search.excluded:
            raise NotMeasured(f"everything below {looked} is left out by `exclude`: {_some(search.excluded)}", hint)
        raise NotMeasured(f"there is no Python file below {looked}", hint)

    def _scan(self, context: Context, files: Mapping[str, int]) -> tuple[Scan, list[Gap]]:
        # bandit looks for a `.bandit` in the folders it is given, and gets none; with a file that is named it does not
        # look anywhere, which a later version might.
        ini = context.directory / "bandit.ini"
        ini.write_text("[bandit]\n")
        deadline = time.monotonic() + self.timeout
        shards = share_out(files, processors())
        done = 0

        def scan(numbered: tuple[int, list[str]]) -> tuple[str, str]:
            nonlocal done
            number, paths = numbered
            report, errors = (context.directory / f"bandit-{number}.{kind}" for kind in ("json", "stderr"))
            # -P and -E: no module of the project can take the place of one of bandit's.
            command = [
                sys.executable, "-P", "-E", "-m", "bandit", "--quiet", "--exit-zero", "--format", "json",
                "--number", str(_CONTEXT_LINES), "--ini", str(ini), "--exclude", "", "--output", str(report),
                *(("--skip", ",".join(self.skip_rules)) if self.skip_rules else ()),
                *(os.path.join(".", path) for path in paths),
            ]  # fmt: skip
            try:
                run(
                    command, cwd=context.root, env=os.environ, stdout=context.directory / f"bandit-{number}.stdout",
                    stderr=errors, timeout=max(0.001, deadline - time.monotonic()),
                )  # fmt: skip
            except CommandFailed as failed:
                # Its own hint would be a command line of thousands of file names.
                raise ToolError(
                    "bandit" + failed.message.removeprefix(Path(sys.executable).name),
                    "give the gate a longer `timeout`, or leave out with `exclude` what need not be scanned",
                ) from failed
            done += 1
            context.progress(done / len(shards), f"{len(files)} files")
            return _read_report(report, errors), errors.read_text("utf-8", "replace")

        with ThreadPoolExecutor(min(len(shards), processors()) or 1) as pool:
            outputs = list(pool.map(scan, enumerate(shards, 1)))
        gaps = [gap for _, errors in outputs for gap in parse_log(errors)]
        return parse(*(report for report, _ in outputs)), gaps

    def _notes(self, context: Context, search: Search, scan: Scan, paths: Sequence[str]) -> Iterator[str]:
        if search.excluded:
            yield f"not scanned, by `exclude`: {_some(search.excluded)}"
        if "exclude" in self.model_fields_set:
            matched = [pattern for pattern in self.exclude
                       if any(matches(path, os.path.basename(path), pattern) for path in search.excluded)]  # fmt: skip
            if unmatched := [pattern for pattern in self.exclude if pattern not in matched]:
                yield f"patterns of `exclude` that match nothing: {', '.join(unmatched)}"
        if search.built:
            yield f"taken for build output and not scanned: {_some(search.built)}"
        if self.skip_rules:
            yield f"rules that `skip_rules` switches off: {', '.join(self.skip_rules)}"
        if ignored := _own_configuration(context.root, paths):
            yield f"{' and '.join(ignored)} not read: what may be left out stands in gates.toml"
        if scan.suppressed:
            now, before = sum(scan.suppressed.values()), _suppressed_before(context)
            change = "" if before is None else f" ({now - before:+d} since the earlier phase)"
            files = _some([f"{path} ({count})" for path, count in scan.suppressed.items()])
            yield f"{now} findings are hidden by `# nosec`{change}: {files}"


def _read_report(report: Path, errors: Path) -> str:
    try:
        return report.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"bandit wrote no report that can be read; its last lines:\n{last_lines(errors)}") from error


def _missing_gap(path: str) -> Gap:
    return Gap(f"security scan of {path}", "it is not there", "correct `[project] source` or this gate's `paths`")


def _outside_gap(path: str) -> Gap:
    hint = "name its target in `paths`, or the link in `exclude`"
    return Gap(f"security scan of {path}", "it is a link that leads out of the project", hint)


def _unread_error(context: Context, unread: Mapping[str, str], asked: int, readings: Readings) -> ToolError:
    """Name the files that were not read and why; a syntax error is located by the backend's own interpreter."""
    reasons = dict(unread)
    newer = ""
    for path in [path for path, reason in unread.items() if "syntax error" in reason][:5]:
        try:
            _, said, _ = capture([context.python, "-I", "-c", _SYNTAX_CHECK, path], cwd=context.root, timeout=20)
        except GatesError:
            break  # no such interpreter: bandit's own words have to do
        if said.startswith("valid"):
            newer = said.split()[-1]
            reasons[path] = f"valid in Python {newer}, not in {sys.version_info[0]}.{sys.version_info[1]}"
        elif said.strip():
            reasons[path] = said.strip()
    names = _some([f"{path} ({reason})" for path, reason in sorted(reasons.items())])
    counts = ", ".join(f"{m.value:g} {m.name.removeprefix('security.')}" for m in readings.measurements[:3])
    hint = "correct them, or name them in `exclude` when they are no Python on purpose"
    if newer:
        hint = f"bandit reads the syntax of the Python it runs under: install gates under Python {newer} or newer"
    return ToolError(
        f"bandit could not read {len(unread)} of {asked} files: {names}; findings in the others: {counts}", hint
    )


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _own_configuration(root: Path, paths: Sequence[str]) -> list[str]:
    """Return what of the project bandit would have let itself be told by."""
    found = [path for path in dict.fromkeys(os.path.join(path, ".bandit") for path in (".", *paths))
             if (root / path).is_file()]  # fmt: skip
    pyproject = root / "pyproject.toml"
    if pyproject.is_file() and "[tool.bandit" in pyproject.read_text("utf-8", "replace"):
        found.append("[tool.bandit] in pyproject.toml")
    return [os.path.normpath(name) for name in found]


def _suppressed_before(context: Context) -> int | None:
    measurements = context.baseline.readings.measurements if context.baseline else ()
    return next((int(m.value) for m in measurements if m.name == "security.nosec"), None)
