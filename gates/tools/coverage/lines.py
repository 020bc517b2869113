"""Which lines the tests executed, file by file, and the measurements that follow from it."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gates.results import Measurement

_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "__mocks__", "spec", "e2e"})
_TEST_FILE = re.compile(r"(^test_|_test\.|\.test\.|\.spec\.|\.config\.|\.d\.ts$|^conftest\.py$)")
_NOT_SOURCE = frozenset({"node_modules", "site-packages", "__pycache__", "bower_components"})


@dataclass(frozen=True, slots=True)
class FileLines:
    """The executable lines of one file, by whether the tests reached them; branches as (covered, total)."""

    path: str
    executed: frozenset[int]
    missing: frozenset[int]
    branches: tuple[int, int] | None = None
    excluded: int = 0

    @property
    def total(self) -> int:
        """How many lines could have been executed."""
        return len(self.executed) + len(self.missing)


def is_within(path: str, source: Sequence[str]) -> bool:
    """Return whether a path relative to the project lies in one of the source folders (or is a source file)."""
    if path.startswith("../") or posixpath.isabs(path):
        return False
    names = [posixpath.normpath(name) for name in source]
    return any(name == "." or path == name or path.startswith(name + "/") for name in names)


def is_prunable(folder: str, name: str) -> bool:
    """Return whether a folder below the source holds other people's code: hidden, a virtual environment, installed."""
    return name.startswith(".") or name in _NOT_SOURCE or os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))


def is_own(root: Path, path: str, source: Sequence[str]) -> bool:
    """Return whether a path is in the source and in no folder below it that holds other people's code."""
    for name in (posixpath.normpath(each) for each in source):
        if not is_within(path, [name]):
            continue
        top = root if name == "." else root / name
        *folders, _ = PurePosixPath(path).parts if name == "." else PurePosixPath(path).relative_to(name).parts or ("",)
        inside = ((str(top.joinpath(*folders[:number])), each) for number, each in enumerate(folders))
        if not any(is_prunable(folder, each) for folder, each in inside):
            return True
    return False


def source_files(root: Path, source: Sequence[str], suffixes: Iterable[str]) -> Iterator[str]:
    """Yield the paths, relative to the project, of files under its source that end in one of the suffixes."""
    wanted = tuple(suffixes)
    for name in source:
        top = root / name
        if top.is_file():
            yield posixpath.normpath(name)
            continue
        for folder, folders, files in os.walk(top):
            folders[:] = sorted(each for each in folders if not is_prunable(folder, each))
            below = os.path.relpath(folder, root)
            yield from (posixpath.normpath(f"{below}/{file}") for file in sorted(files) if file.endswith(wanted))


def is_test_file(path: str) -> bool:
    """Return whether a path is that of a test by the custom of its language (or of a tool's configuration)."""
    *folders, name = path.split("/")
    return bool(_TEST_FOLDERS.intersection(folders)) or _TEST_FILE.search(name) is not None


def measure_lines(files: Sequence[FileLines]) -> tuple[Measurement, ...]:
    """Return coverage.lines over all and per file, and coverage.branches where branches were counted."""
    measurements = []
    covered, total = sum(len(file.executed) for file in files), sum(file.total for file in files)
    if total:
        measurements.append(_share("coverage.lines", covered, total))
    branches = [file.branches for file in files if file.branches is not None]
    if sum(total for _, total in branches):
        measurements.append(
            _share("coverage.branches", sum(hit for hit, _ in branches), sum(total for _, total in branches))
        )
    measurements.extend(
        _share("coverage.lines", len(file.executed), file.total, file.path) for file in files if file.total
    )
    return tuple(measurements)


def measure_changed(files: Iterable[FileLines], changed: Mapping[str, set[int]]) -> Measurement:
    """Return coverage.changed_lines: of the executable lines among `changed` (by path), those the tests reached.

    Where no executable line changed it is a share of nothing, with a total of 0, which is judged as such.
    """
    covered = total = 0
    for file in files:
        lines = changed.get(file.path, set())
        covered += len(file.executed & lines)
        total += len((file.executed | file.missing) & lines)
    return _share("coverage.changed_lines", covered, total)


def _share(name: str, count: int, total: int, scope: str = "") -> Measurement:
    return Measurement(name, count / total if total else 1.0, "ratio", "higher", scope, count=count, total=total)
