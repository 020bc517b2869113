"""What a test command means: which Python program it runs, so that coverage.py can be put before it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

Kind = Literal["pytest", "python"]

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_PYTHON = re.compile(r"python(\d(\.\d+)?)?")
_PYTEST = ("pytest", "py.test")
_RUNNERS = ("poetry", "uv", "pipenv", "pdm", "hatch", "rye", "tox", "nox", "make")
_TAKES_VALUE = ("-W", "-X")


@dataclass(frozen=True, slots=True)
class PythonCommand:
    """A test command that runs in Python: `<python> <options> [-m] target arguments`, with variables set before it."""

    kind: Kind
    python: str
    options: tuple[str, ...]
    target: tuple[str, ...]
    arguments: tuple[str, ...]
    env: Mapping[str, str]

    @property
    def words(self) -> tuple[str, ...]:
        """The command as it is, by the interpreter of the project."""
        return (self.python, *self.options, *self.target, *self.arguments)

    def under_coverage(self, rcfile: Path, more: Sequence[str] = ()) -> list[str]:
        """Return the command that runs the same under coverage.py; `more` are put where no argument swallows them."""
        run = [self.python, *self.options, "-m", "coverage", "run", f"--rcfile={rcfile}", *self.target]
        if "--" in self.arguments:
            end = self.arguments.index("--")
            return [*run, *self.arguments[:end], *more, *self.arguments[end:]]
        return [*run, *self.arguments, *more]


@dataclass(frozen=True, slots=True)
class OtherCommand:
    """A test command that coverage.py cannot be put before, why, and what would help."""

    words: tuple[str, ...]
    reason: str
    hint: str = ""

    @property
    def env(self) -> Mapping[str, str]:
        """Variables set before it: none, for the shell sees to them."""
        return {}


def understand(command: str, python: str) -> PythonCommand | OtherCommand:
    """Return what a command runs; `python` is the interpreter of the project, for commands that name none by its path.

    Raises ValueError when its quotes do not match.
    """
    words = _split(command)
    as_shell = ("sh", "-c", command)
    if any(set(word) <= set("();<>|&") for word in words) or re.search(r"[$`]", command):
        return OtherCommand(as_shell, "it needs a shell")
    env: dict[str, str] = {}
    while words and (match := _ASSIGNMENT.fullmatch(words[0])):
        env[match[1]] = match[2]
        words.pop(0)
    if not words:
        return OtherCommand(as_shell, "it names no program")
    program, arguments = words[0], words[1:]
    name = PurePosixPath(program).name
    if name in _PYTEST:
        return PythonCommand("pytest", _beside(program, python), (), ("-m", "pytest"), tuple(arguments), env)
    if name == "django-admin":
        return PythonCommand("python", _beside(program, python), (), ("-m", "django"), tuple(arguments), env)
    if _PYTHON.fullmatch(name):
        found = _python_command(program if "/" in program else python, arguments, env)
        if isinstance(found, PythonCommand):
            return found
        return OtherCommand(as_shell if env else tuple(words), found)
    hint = ""
    if name in _RUNNERS:
        hint = "write the command as it runs inside the environment (`pytest …`), and name its `python` under [backend]"
    if name == "coverage":
        hint = "write it without `coverage run`: gates puts that before it"
    return OtherCommand(as_shell if env else tuple(words), f"{name!r} is no Python program", hint)


def _split(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def _beside(program: str, python: str) -> str:
    """Return the interpreter that a script in the `bin` folder of an environment belongs to."""
    return str(PurePosixPath(program).with_name("python")) if "/" in program else python


def _python_command(python: str, arguments: list[str], env: dict[str, str]) -> PythonCommand | str:
    """Return the command, or in a few words why coverage.py cannot run it."""
    options: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        option = rest.pop(0)
        if option.startswith("-c") or option == "-":
            return "it is code on the command line"
        options.append(option)
        if option in _TAKES_VALUE and rest:
            options.append(rest.pop(0))
    module = rest.pop(0) == "-m" if rest and rest[0] == "-m" else False
    if not rest:
        return "it names no module and no script"
    target = rest.pop(0)
    if module and target == "coverage":
        return "it runs coverage.py itself; write it without, gates puts that before it"
    return PythonCommand(
        "pytest" if module and target in ("pytest", "py.test") else "python",
        python, tuple(options), ("-m", target) if module else (target,), tuple(rest), env,
    )  # fmt: skip
