"""Runs the command of a gate in a build, and reads the numbers that it printed or wrote."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gates.demands import BASE_UNIT
from gates.errors import GatesError, ToolError
from gates.process import CommandNotFound, Finished, capture, last_lines, run, shell_words
from gates.results import Finding, Gap, Measurement, Severity
from gates.rules import fingerprint
from gates.shell import NEEDS_SHELL, PLACEHOLDER, SHELLS, fill_in
from gates.tools.base import Place, Serving
from gates.tools.command.numbers import Number, NumberMissing, dimension_of, parse

_SEARCHED_BYTES = 2**20
_JSON_BYTES = 64 * 2**20
_SEARCH_SECONDS = 20.0
_WILDCARDS = re.compile(r"[*?]")
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, what it measured, and which numbers were not there."""

    finished: Finished
    failure: Finding | None
    measurements: tuple[Measurement, ...]
    missing: tuple[Gap, ...]


@dataclass(frozen=True)
class Execution:
    """The command of a gate, what of it is no failure, and the numbers to read."""

    gate: str
    command: str
    expect_exit: tuple[int, ...]
    numbers: Mapping[str, Number]

    def run(self, place: Place, serving: Serving | None, directory: Path, timeout: float, address: str = "") -> Outcome:
        """Run it once; its outputs go to `directory`. `address` is told in the place of the backend's own.

        Raises ToolError when it could not run to its end, or a number is missing although it succeeded.
        """
        directory.mkdir(parents=True, exist_ok=True)
        files = {number.file for number in self.numbers.values() if number.file is not None}
        before = {file: _stamp(place.root / file) for file in files}
        finished = self._execute(place, serving, directory, timeout, address)
        if serving is not None:
            serving.check()  # when the backend died, that is why the command failed
        failure = self._failure(finished)
        measurements, missing = self._measure(place, finished, directory, before)
        if missing and failure is None:
            raise ToolError(
                f"{'; '.join(f'{gap.what} is not there: {gap.reason}' for gap in missing)}"
                f"; the last lines of `{self.command}`:\n{_last_words(finished) or '(it printed nothing)'}",
                "correct this gate's `numbers`, or what the command prints",
            )
        return Outcome(finished, failure, measurements, missing)

    def words(self, place: Place, serving: Serving | None, url: str = "") -> list[str]:
        """Return the command as it is run in a place; without a backend its address stays as it is written."""
        words = shell_words(self.command)
        script = words[0] in SHELLS and words[1:2] == ["-c"]
        if not script and (NEEDS_SHELL.search(self.command) or _WILDCARDS.search(self.command)):
            words, script = ["sh", "-c", self.command], True
        values = {"python": place.python}
        if serving is not None:
            url = url or serving.url
            address = urlsplit(url)
            port = address.port or (443 if address.scheme == "https" else 80)
            values |= {"base_url": url, "port": str(port)}
            if serving.data is not None:
                values["data"] = str(serving.data)
            elif "{data}" in self.command:
                raise ToolError(
                    "{data} stands for nothing: the backend was not started by gates", "leave it out of `command`"
                )

        def value_of(match: re.Match[str]) -> str:
            return values.get(match[1], match[0])

        return [
            fill_in(word, value_of) if script and position == 2 else PLACEHOLDER.sub(value_of, word)
            for position, word in enumerate(words)
        ]

    def _execute(
        self, place: Place, serving: Serving | None, directory: Path, timeout: float, address: str
    ) -> Finished:
        told = {"GATES_BASE_URL": address or serving.url} if serving is not None else {}
        finished = run(
            self.words(place, serving, address), cwd=place.root, env={**place.env, **told},
            stdout=directory / "stdout.txt", stderr=directory / "stderr.txt", timeout=timeout, normal=None,
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

    def _failure(self, finished: Finished) -> Finding | None:
        if finished.exit_code in self.expect_exit:
            return None
        expected = " or ".join(map(str, self.expect_exit))
        return Finding(
            rule="command.failed",
            severity=Severity.HIGH,
            message=f"`{self.command}` ended with exit code {finished.exit_code} instead of {expected}; "
            f"its last lines:\n{_last_words(finished)}".rstrip(),
            # By exit code: a failure that was accepted once does not stand for every other one.
            fingerprint=fingerprint("command.failed", self.gate, str(finished.exit_code)),
            fix="run the command by hand in the project's folder, and put right what its last lines say",
        )

    def _measure(
        self, place: Place, finished: Finished, directory: Path, before: Mapping[str, _Stamp | None]
    ) -> tuple[tuple[Measurement, ...], tuple[Gap, ...]]:
        measurements, missing = [], []
        for name, number in self.numbers.items():
            try:
                texts = _texts(place.root, number, finished, before)
                if number.pattern is not None:
                    _try_pattern(directory, number.pattern, texts)
                value = parse(number, *texts)
            except NumberMissing as reason:
                missing.append(Gap(f"{self.gate}.{name}", str(reason), "make the command succeed"))
                continue
            unit = BASE_UNIT[dimension_of(number.unit)[0]]
            measurements.append(Measurement(f"{self.gate}.{name}", value, unit, number.better))
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
