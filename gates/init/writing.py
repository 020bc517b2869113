"""Writes what `gates init` made: all of it or nothing, and never over something that is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gates.errors import ConfigurationError


def write_new(files: Mapping[Path, str]) -> None:
    """Write files that are not there yet; each appears whole, and where one cannot be written none is left.

    Raises ConfigurationError when one is there by now, OSError with the file's name when it cannot be written.
    """
    for path in files:
        if os.path.lexists(path):
            raise ConfigurationError(f"there is a {path.name} here already", "nothing was written")
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}.new") for path in files}
    placed: list[Path] = []
    current = next(iter(files))
    try:
        for current, text in files.items():
            beside[current].write_text(text, "utf-8")
        for current in files:
            os.replace(beside[current], current)
            placed.append(current)
    except BaseException as error:
        for left in (*beside.values(), *placed):
            left.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(current)) from error
        raise
