"""What the project's own interpreter has: its versions, its plug-ins, and its configuration of coverage.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gates.errors import ToolError
from gates.process import capture

OLDEST_COVERAGE = (5, 0)

# Asked of coverage.py itself, through its public `get_option`: it knows its files, their forms and their order best.
_PROBE = """
import importlib.util, json, sys

def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False

def version(name):
    return getattr(__import__(name), "__version__", "unknown") if found(name) else None

answer = {
    "python": "%d.%d.%d" % sys.version_info[:3],
    "coverage": version("coverage"),
    "pytest": version("pytest") if "pytest" in sys.argv[1:] else None,
    "plugins": [name for name in ("pytest_cov", "xdist", "pytest_randomly", "pytest_rerunfailures") if found(name)],
    "configuration": {}, "file": None, "options": {}, "error": None,
}
if answer["coverage"]:
    import coverage
    # Its errors have had several families over time; this is what all of them descend from.
    Failed = [kind for kind in coverage.CoverageException.__mro__ if kind.__module__.startswith("coverage")][-1]
    try:
        measuring = coverage.Coverage()
        for option in ("run:omit", "run:concurrency", "run:plugins", "run:patch", "run:sigterm",
                       "report:omit", "report:include",
                       "report:exclude_lines", "report:partial_branches", "report:partial_branches_always"):
            try:
                answer["configuration"][option] = measuring.get_option(option)
            except Failed:
                pass  # this version does not know the option
        answer["file"] = measuring.config.config_file
        for name in measuring.get_option("run:plugins") or ():
            answer["options"][name] = measuring.config.get_plugin_options(name)
    except Failed as error:
        answer["error"] = str(error)
print("\\n" + json.dumps(answer))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The project's interpreter; `configuration` holds the options of coverage.py that the project chose."""

    python: str
    version: str
    coverage: str | None
    pytest: str | None
    plugins: frozenset[str]
    configuration: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plugin_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    configured_in: str = ""
    error: str = ""

    @property
    def coverage_version(self) -> tuple[int, int]:
        """Major and minor version of its coverage.py."""
        major, minor = (self.coverage or "0.0").split(".")[:2]
        return int(major), int("".join(character for character in minor if character.isdigit()) or 0)

    @property
    def measures_subprocesses(self) -> bool:
        """Whether its coverage.py can follow the programs that the tests start."""
        return self.coverage_version >= (7, 10)

    @property
    def versions(self) -> dict[str, str]:
        """Versions, for the record of the run."""
        named = {"python": self.version, "coverage": self.coverage, "pytest": self.pytest}
        return {name: version for name, version in named.items() if version}


def ask(python: str, root: Path, env: Mapping[str, str], wants_pytest: bool) -> Interpreter:
    """Return what an interpreter has, seen from the project's folder. Raises ToolError when it does not run."""
    # With -c the project's folder comes first on its path, as it does under `python -m coverage`.
    words = [python, "-c", _PROBE, *(["pytest"] if wants_pytest else [])]
    code, output, errors = capture(words, cwd=root, env=env, timeout=120)
    if code != 0:
        last = [line for line in errors.splitlines() if line.strip()][-1:] or [f"exit code {code}"]
        raise ToolError(
            f"the project's interpreter {python} could not say what is installed in it: {last[0]}",
            "run it by hand; Python 3.7 or newer is needed",
        )
    return parse_answer(python, output)


def parse_answer(python: str, output: str) -> Interpreter:
    """Return what the last line of the interpreter's output says. Raises ToolError when that is not the answer."""
    lines = [line for line in output.splitlines() if line.strip()]
    try:
        answer = json.loads(lines[-1])
        return Interpreter(
            python, answer["python"], answer["coverage"], answer["pytest"], frozenset(answer["plugins"]),
            {name: _strings(value) for name, value in answer["configuration"].items()},
            {
                name: {key: str(value) for key, value in options.items()}
                for name, options in answer["options"].items()
            },
            answer["file"] or "", answer["error"] or "",
        )  # fmt: skip
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ToolError(
            f"the project's interpreter {python} gave no readable answer about what is installed in it",
            "does something print at its exit, such as a sitecustomize module?",
        ) from error


def _strings(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (str(value),) if isinstance(value, str | bool) else tuple(str(each) for each in value)


def missing(interpreter: Interpreter, wants_pytest: bool) -> ToolError | None:
    """Return the error that says which package must be installed where, or None when all are there."""
    wanted = {"coverage": interpreter.coverage, **({"pytest": interpreter.pytest} if wants_pytest else {})}
    absent = [name for name, version in wanted.items() if version is None]
    python = interpreter.python
    if absent:
        return ToolError(
            f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed in the project's environment "
            f"({python}, Python {interpreter.version})",
            f"install it there: {python} -m pip install {' '.join(absent)}; or name another `python` under [backend]",
        )
    if interpreter.coverage_version < OLDEST_COVERAGE:
        return ToolError(
            f"coverage {interpreter.coverage} in the project's environment ({python}) is too old",
            f"install a newer one there: {python} -m pip install --upgrade coverage",
        )
    if interpreter.error:
        return ToolError(
            f"the project's configuration of coverage.py cannot be read: {interpreter.error}",
            "correct it, or take the setting out",
        )
    return None
