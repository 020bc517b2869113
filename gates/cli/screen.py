"""What a command says to a person: on the terminal, in files, and in its last words."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gates.errors import ConfigurationError

if TYPE_CHECKING:
    from gates.engine import Event
    from gates.pipeline.check import RunFinished


def say(text: str) -> None:
    """Print what a command has to say, at once."""
    print(text.rstrip("\n"), flush=True)


def colour() -> bool:
    """Return whether colours are wanted, and shown."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def ascii_only() -> bool:
    """Return whether the output can carry nothing but ASCII."""
    try:
        "✓".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False


def width() -> int:
    """Return how many cells wide a report may be."""
    import shutil

    return max(60, min(140, shutil.get_terminal_size((100, 24)).columns))


def relative(path: Path) -> str:
    """Return a path as somebody here would write it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Event], None]]:
    """Yield what shows the events of the engine."""
    from gates.reports.terminal import Progress

    with Progress.on_console(quiet=quiet, colour=colour(), ascii=ascii_only()) as listener:
        yield listener.show


def check_outputs(outputs: dict[str, Path]) -> None:
    """Refuse an output that cannot be written before an hour was spent on what should go there.

    What an earlier run left there is emptied, so that it is never taken for the result of one that broke off.
    """
    for name, path in outputs.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", "utf-8")
        except OSError as error:
            raise ConfigurationError(f"--{name} {path} cannot be written: {error.strerror}", "name a file") from error


def write_outputs(finished: RunFinished, outputs: dict[str, Path]) -> None:
    """Write the result of a check in each format that was asked for."""
    from gates.reports import FORMATS

    for name, path in outputs.items():
        path.write_text(FORMATS[name](finished.run), "utf-8")


def fail(message: str, hint: str, code: int) -> NoReturn:
    """End with an exit code, and say what happened and what to do."""
    print(f"gates: {message}", file=sys.stderr)
    if hint:
        print(f"  → {hint}" if not ascii_only() else f"  -> {hint}", file=sys.stderr)
    sys.exit(code)


def drop_output() -> None:
    """Forget what cannot be written: it would fail once more when Python ends, and end with a code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
