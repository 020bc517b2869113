"""Any command as a gate: its exit code decides, and numbers that it prints become measurements."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from gates.demands import BASE_UNIT, Demand, parse_demand
from gates.errors import GatesError, ToolError
from gates.process import CommandNotFound, Finished, capture, last_lines, run, shell_words
from gates.results import Finding, Gap, Measurement, Readings, Severity
from gates.tools.base import Context, Requirement, Serving, Tool, digest, fingerprint
from gates.tools.command.numbers import Number, NumberMissing, dimension_of, parse

_SEARCHED_BYTES = 2**20
_JSON_BYTES = 64 * 2**20
_SEARCH_SECONDS = 20.0
_NEEDS_SHELL = re.compile(r"\$[A-Za-z_{]|[*?]")
_PLACEHOLDERS = ("{base_url}", "{port}", "{data}")
# Searching cannot be interrupted from within, so every pattern is first tried in a process that can be stopped.
_TRIAL = """
import re, sys
text = open(sys.argv[1], encoding="utf-8", newline="").read()
for pattern in sys.argv[2:]:
    for match in re.finditer(pattern, text, re.MULTILINE):
        pass
"""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What of a file changes when it is written again, whatever the clock's resolution."""

    inode: int
    modified: int
    changed: int
    size: int


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _Stamp(status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


class Command(Tool):
    """Runs a command; its exit code is a verdict, and numbers it prints are measured and judged."""

    tool: Literal["command"] = "command"
    command: str = Field(
        min_length=1,
        description="Run in the project's folder; through `sh -c` when it has pipes, redirections, variables or "
        "wildcards, and then the exit code of a pipe is that of its last part. {python} is the backend's "
        "interpreter; with `backend`, {base_url}, {port} and {data} are the backend's",
    )
    expect_exit: tuple[Annotated[int, Field(ge=0, le=255)], ...] = Field(
        default=(0,), min_length=1, description="Exit codes that are no failure"
    )
    numbers: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")], Number] = Field(
        default_factory=dict, description="Numbers to measure, by name: GATE.NAME is the measurement"
    )
    backend: bool = Field(
        default=False, description="Start the backend for it; its address is in the environment as GATES_BASE_URL"
    )
    runs_alone: bool = Field(default=False, description="Let nothing run beside it, because it measures time")

    @property
    def needs_backend(self) -> bool:  # type: ignore[override]  # what is fixed for other tools is the user's choice here
        """Whether the backend is started for it."""
        return self.backend

    @property
    def alone(self) -> bool:  # type: ignore[override]  # as above
        """Whether nothing else may run beside it."""
        return self.runs_alone

    @model_validator(mode="after")
    def _holds_together(self) -> Command:
        if not shell_words(self.command):
            raise ValueError("the command is empty")
        used = [name for name in _PLACEHOLDERS if name in self.command]
        if used and not self.backend:
            raise ValueError(f"{used[0]} needs the backend: add `backend = true`")
        return self

    def demands(self, gate: str) -> dict[str, Demand]:
        """Return what is demanded of this gate's measurements, by their names."""
        return {
            f"{gate}.{name}": parse_demand(number.demand, dimension_of(number.unit)[0])
            for name, number in self.numbers.items()
            if number.demand is not None
        }

    def run(self, context: Context) -> Readings:
        """Run the command; raises ToolError when it could not run to its end or a number is not there."""
        files = {number.file for number in self.numbers.values() if number.file is not None}
        before = {file: _stamp(context.root / file) for file in files}
        context.progress(None, self.command)
        with ExitStack() as stack:
            serving = stack.enter_context(context.serve()) if self.backend else None
            finished = self._execute(context, serving)
            if serving is not None:
                serving.check()  # when the backend died, that is why the command failed
        failure = self._failure(context.gate, finished)
        measurements, missing = self._measure(context, finished, before)
        if missing and failure is None:
            raise ToolError(
                f"{'; '.join(f'{gap.what} is not there: {gap.reason}' for gap in missing)}"
                f"; the last lines of `{self.command}`:\n{_last_words(finished) or '(it printed nothing)'}",
                "correct this gate's `numbers`, or what the command prints",
            )
        return Readings(
            measurements=measurements,
            findings=(failure,) if failure else (),
            gaps=missing,
            configurations={"command": digest(self.model_dump_json(exclude={"items", "skip", "timeout"}))},
            notes=("of `a | b`, only the exit code of b counts",) if _has_pipe(self.command) else (),
        )

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the program is there; of a command for the shell, only whether there is a shell."""
        word = self._words(context, None)[0]
        path = context.env.get("PATH", os.defpath)
        found = shutil.which(str(context.root / word) if "/" in word else word, path=path)
        hint = "" if found else "install it, or put its folder into `[backend] path`"
        return [Requirement(word, found is not None, found or "not found on the PATH of the backend", hint)]

    def _words(self, context: Context, serving: Serving | None) -> list[str]:
        words = shell_words(self.command)
        if words[0] != "sh" and _NEEDS_SHELL.search(self.command):
            words = ["sh", "-c", self.command]
        values = {"{python}": context.python}
        if serving is not None:
            address = urlsplit(serving.url)
            port = address.port or (443 if address.scheme == "https" else 80)
            values |= {"{base_url}": serving.url, "{port}": str(port)}
            if serving.data is not None:
                values["{data}"] = str(serving.data)
            elif "{data}" in self.command:
                raise ToolError(
                    "{data} stands for nothing: the backend was not started by gates", "leave it out of `command`"
                )
        for name, value in values.items():
            text = shlex.quote(value) if words[0] == "sh" else value
            words = [word.replace(name, text) for word in words]
        return words

    def _execute(self, context: Context, serving: Serving | None) -> Finished:
        address = {"GATES_BASE_URL": serving.url} if serving is not None else {}
        finished = run(
            self._words(context, serving), cwd=context.root, env={**context.env, **address},
            stdout=context.directory / "stdout.txt", stderr=context.directory / "stderr.txt",
            timeout=self.timeout, normal=None,
        )  # fmt: skip
        code = finished.exit_code
        if finished.command[0] == "sh" and code not in self.expect_exit:
            # What would have been an error without the shell in between is one with it.
            if code in (126, 127):
                raise CommandNotFound(
                    f"the shell could not run `{self.command}`: {last_lines(finished.stderr, 1)}", "is it installed?"
                )
            if code - 128 in set(signal.Signals):
                raise ToolError(
                    f"`{self.command}` was killed by {signal.Signals(code - 128).name}; its last lines:\n"
                    f"{_last_words(finished)}",
                    "run it by hand",
                )
        return finished

    def _failure(self, gate: str, finished: Finished) -> Finding | None:
        if finished.exit_code in self.expect_exit:
            return None
        expected = " or ".join(map(str, self.expect_exit))
        return Finding(
            rule="command.failed",
            severity=Severity.HIGH,
            message=f"`{self.command}` ended with exit code {finished.exit_code} instead of {expected}; "
            f"its last lines:\n{_last_words(finished)}".rstrip(),
            # By exit code: a failure that was accepted once does not stand for every other one.
            fingerprint=fingerprint("command.failed", gate, str(finished.exit_code)),
            fix="run the command by hand in the project's folder, and put right what its last lines say",
        )

    def _measure(
        self, context: Context, finished: Finished, before: Mapping[str, _Stamp | None]
    ) -> tuple[tuple[Measurement, ...], tuple[Gap, ...]]:
        measurements, missing = [], []
        for name, number in self.numbers.items():
            try:
                texts = _texts(context.root, number, finished, before)
                if number.pattern is not None:
                    _try_pattern(context.directory, number.pattern, texts)
                value = parse(number, *texts)
            except NumberMissing as reason:
                missing.append(Gap(f"{context.gate}.{name}", str(reason), "make the command succeed"))
                continue
            unit = BASE_UNIT[dimension_of(number.unit)[0]]
            measurements.append(Measurement(f"{context.gate}.{name}", value, unit, number.better))
        return tuple(measurements), tuple(missing)


def _texts(root: Path, number: Number, finished: Finished, before: Mapping[str, _Stamp | None]) -> list[str]:
    """Return where a number is looked for: its file, or the output and (for a pattern) the error output."""
    if number.file is not None:
        stamp = _stamp(root / number.file)
        if stamp is None or stamp == before[number.file]:
            state = "does not exist" if stamp is None else "is older than this run: the command did not write it"
            raise NumberMissing(f"{number.wanted}: {number.file} {state}")
        paths = [root / number.file]
    else:
        paths = [finished.stdout] if number.json_path is not None else [finished.stdout, finished.stderr]
    return [_read_end(path, number) for path in paths]


def _read_end(path: Path, number: Number) -> str:
    """Return a text, of which a pattern sees the last megabyte; JSON makes sense only as a whole."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if number.pattern is None and size > _JSON_BYTES:
                raise NumberMissing(f"{number.wanted}: it is larger than {_JSON_BYTES // 2**20} MiB")
            file.seek(max(0, size - _SEARCHED_BYTES) if number.pattern is not None else 0)
            return file.read().decode("utf-8-sig", "replace")
    except OSError as error:
        raise NumberMissing(f"{number.wanted}: it could not be read ({error.strerror})") from error


def _try_pattern(directory: Path, pattern: str, texts: list[str]) -> None:
    path = directory / "searched.txt"
    path.write_text("\n".join(texts), "utf-8", newline="")
    command = [sys.executable, "-I", "-S", "-c", _TRIAL, str(path), pattern]
    try:
        capture(command, cwd=directory, timeout=_SEARCH_SECONDS)
    except GatesError as error:
        raise ToolError(
            f"the pattern `{pattern}` was not done with the last {path.stat().st_size} bytes of output "
            f"after {_SEARCH_SECONDS:g} s",
            "write it without a repetition inside a repetition, and begin it with ^ and a fixed text",
        ) from error
    finally:
        path.unlink()


def _last_words(finished: Finished) -> str:
    return "\n".join(filter(None, (last_lines(finished.stdout, 6), last_lines(finished.stderr, 6))))


def _has_pipe(command: str) -> bool:
    lexer = shlex.shlex(command, posix=False, punctuation_chars=True)
    lexer.whitespace_split = True
    return "|" in list(lexer)
