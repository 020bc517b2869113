"""Which JavaScript runner a test command ends in, and how that is asked for its tests and the lines they reach.

node --test, jest, vitest and mocha can tell both on request, by arguments or by the environment: nobody has to change
a package.json for it. What they write goes to a folder of the gate.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_MANAGERS = ("npm", "pnpm", "yarn")
_ALIASES = {"t": "test", "tst": "test"}
_MEASURING = ("c8", "nyc")
_OTHER_SCRIPT = re.compile(r"(npm|pnpm|yarn)( run)? [\w:.-]+")
_MOST_SCRIPTS = 5
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
KNOWN = "node --test, jest, vitest and mocha"


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that makes a runner leave its tests, and the lines they reach, in files of ours.

    `lines` is an LCOV file, or a folder of V8's own reports where `from_v8`; None where `no_lines` says why not.
    """

    runner: str
    words: tuple[str, ...]
    env: Mapping[str, str]
    tests: Path | None
    lines: Path | None
    from_v8: bool = False
    no_lines: str = ""


class NotAsked(Exception):
    """Why a command's runner cannot be asked, in a sentence without its end."""


@dataclass
class _Request:
    """What is added to a command, and where the answers are then."""

    directory: Path
    arguments: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    tests: Path | None = None
    lines: Path | None = None
    from_v8: bool = False
    no_lines: str = ""

    def expect_tests(self, name: str) -> str:
        self.tests = self.directory / name
        return str(self.tests)

    def expect_lcov(self) -> str:
        self.lines = self.directory / "lcov.info"
        return str(self.directory)

    def expect_v8(self) -> None:
        self.lines, self.from_v8 = self.directory / "v8", True
        self.env["NODE_V8_COVERAGE"] = str(self.lines)


def ask_runner(
    command: str, root: Path, directory: Path, env: Mapping[str, str], *, tests: bool, lines: bool
) -> Asked | None:
    """Return a command with what makes its runner tell its tests and lines; None when it is no JavaScript at all.

    `tests` and `lines` say what is wanted, the rest is left to files that the project names. Raises NotAsked.
    """
    words = _words(_last(command))
    if words and _name(words[0]) in _MANAGERS:
        command, script = _script(command, words, root)
        runner, separator = _runner(script), " --" if _name(_words(_last(command))[0]) == "npm" else ""
        if runner is None:
            raise NotAsked(f"it runs `{script}`, which ends in none of {KNOWN}")
    else:
        script, separator = command, ""
        runner = _runner(command)
        if runner is None:
            return None
    request = _Request(directory)
    _RUNNERS[runner](request, script, root, env, tests, lines)
    if lines and any(word in _MEASURING for word in map(_name, _words(_last(script)))):
        request.lines, request.no_lines = None, "the script measures them itself, with c8 or nyc"
        request.env.pop("NODE_V8_COVERAGE", None)
    if request.arguments:
        command += (separator if "--" not in words else "") + " " + shlex.join(request.arguments)
    return Asked(
        runner, ("sh", "-c", command), request.env, request.tests, request.lines, request.from_v8, request.no_lines
    )


def _last(text: str) -> str:
    """Return the last of the commands in a line: arguments that are added at the end reach that one."""
    return re.split(r"&&|\|\||[;|\n]", text)[-1]


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise NotAsked(f"`{text}` cannot be read: {error}") from error
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    return words


def _name(word: str) -> str:
    return PurePosixPath(word).name.removesuffix(".js").removesuffix(".mjs").removeprefix("_")


def _script(command: str, words: Sequence[str], root: Path) -> tuple[str, str]:
    """Return the command that runs a script of package.json, and that script; one that runs another is followed."""
    try:
        scripts = json.loads((root / "package.json").read_text("utf-8"))["scripts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAsked("there is no package.json with `scripts` in the project's folder") from error
    for _ in range(_MOST_SCRIPTS):
        names = [_ALIASES.get(word, word) for word in words[1:] if word not in ("run", "run-script")]
        if not names or names[0].startswith("-"):
            raise NotAsked("which script it runs cannot be told")
        script = scripts.get(names[0]) if isinstance(scripts, Mapping) else None
        if not isinstance(script, str):
            raise NotAsked(f"package.json has no script `{names[0]}`")
        if not _OTHER_SCRIPT.fullmatch(script.strip()):
            return command, script
        command, words = script.strip(), _words(script)
    raise NotAsked("its scripts run one another in a circle")


def _runner(text: str) -> str | None:
    words = _words(_last(text))
    for number, word in enumerate(words):
        if _name(word) in ("jest", "vitest", "mocha"):
            return _name(word)
        if _name(word) in ("node", "tsx") and "--test" in words[number:]:
            return "node"
    return None


def _own(script: str, option: str) -> bool:
    return any(word == option or word.startswith(option + "=") for word in _words(_last(script)))


def _node(request: _Request, script: str, root: Path, env: Mapping[str, str], tests: bool, lines: bool) -> None:
    if tests:
        if _own(script, "--test-reporter") or "NODE_OPTIONS=" in script:
            raise NotAsked("its script sets reporters or NODE_OPTIONS of its own")
        path = request.expect_tests("junit.xml")
        options = ["--test-reporter=junit", f"--test-reporter-destination={path}"]
        options += ["--test-reporter=spec", "--test-reporter-destination=stdout"]
        quoted = ['"' + option.replace("\\", "\\\\").replace('"', '\\"') + '"' for option in options]
        request.env["NODE_OPTIONS"] = " ".join([env.get("NODE_OPTIONS", ""), *quoted]).strip()
    if lines:
        request.expect_v8()


def _mocha(request: _Request, script: str, root: Path, env: Mapping[str, str], tests: bool, lines: bool) -> None:
    if tests:
        if _own(script, "--reporter") or _own(script, "-R"):
            raise NotAsked("its script names a reporter of its own")
        request.arguments += ["--reporter", "xunit", "--reporter-option", f"output={request.expect_tests('junit.xml')}"]
    if lines:
        request.expect_v8()


def _jest(request: _Request, script: str, root: Path, env: Mapping[str, str], tests: bool, lines: bool) -> None:
    if tests:
        request.arguments += ["--json", f"--outputFile={request.expect_tests('jest.json')}"]
    if lines:
        request.arguments += ["--coverage", "--coverageReporters=lcovonly", "--coverageThreshold={}"]
        request.arguments.append(f"--coverageDirectory={request.expect_lcov()}")


def _vitest(request: _Request, script: str, root: Path, env: Mapping[str, str], tests: bool, lines: bool) -> None:
    if not _own(script, "run"):
        request.arguments.append("--run")
    if tests:
        request.arguments += ["--reporter=default", "--reporter=junit"]
        request.arguments.append(f"--outputFile.junit={request.expect_tests('junit.xml')}")
    if lines:
        packages = ("coverage-v8", "coverage-istanbul")
        if not any((root / "node_modules" / "@vitest" / name).is_dir() for name in packages):
            request.no_lines = "vitest needs a package for it: npm install --save-dev @vitest/coverage-v8"
            return
        request.arguments += ["--coverage.enabled=true", "--coverage.reporter=lcovonly"]
        request.arguments.append(f"--coverage.reportsDirectory={request.expect_lcov()}")


_RUNNERS: Mapping[str, Callable[[_Request, str, Path, Mapping[str, str], bool, bool], None]] = {
    "node": _node, "mocha": _mocha, "jest": _jest, "vitest": _vitest,
}  # fmt: skip
