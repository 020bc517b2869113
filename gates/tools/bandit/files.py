"""Which Python files of a project there are to scan: each once, whatever links lead to it, none lost in silence."""

from __future__ import annotations

import fnmatch
import math
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SUFFIXES = (".py", ".pyw")
_NOT_SOURCE = frozenset(
    {".bzr", ".eggs", ".gates", ".git", ".hg", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".svn", ".tox",
     ".venv", "__pycache__", "node_modules"}
)  # fmt: skip
_MOST_PROCESSES = 8
_BYTES_PER_PROCESS = 400_000
"""About 10,000 lines: below that, starting a second process costs about what it saves."""
_ARGUMENT_BYTES = 100_000
"""Well below the smallest limit on the length of a command line that Linux sets (128 KiB)."""


@dataclass
class Search:
    """The Python files below some paths of a project: each once, by its path relative to `root`, with its size."""

    root: str
    exclude: tuple[str, ...]
    files: dict[str, int] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _links: list[str] = field(default_factory=list)
    _inside: list[str] = field(default_factory=list)

    def look(self, paths: Iterable[str]) -> None:
        """Find the files; links come last, so that a file that can be reached without one keeps its own path."""
        starts = [os.path.relpath(os.path.join(self.root, path), self.root) for path in paths]
        self._inside = [self._real(path) for path in (".", *starts)]
        for path in starts:
            self._visit(path, self._real(path), named=True)
        while self._links:
            path = self._links.pop(0)
            real = self._real(path)
            if any(real == base or real.startswith(base.rstrip("/") + "/") for base in self._inside):
                self._visit(path, real)
            else:
                self.outside.append(plain_path(path))

    def _real(self, path: str) -> str:
        return os.path.realpath(os.path.join(self.root, path))

    def _visit(self, path: str, real: str, named: bool = False) -> None:
        """Take in a file or a folder; a file that somebody named is taken for Python whatever its suffix."""
        if real in self._seen:
            return
        self._seen.add(real)
        try:
            status = os.stat(os.path.join(self.root, path))
            if stat.S_ISDIR(status.st_mode):
                self._visit_folder(path, real)
            elif not stat.S_ISREG(status.st_mode):
                self.unread[plain_path(path)] = "not a regular file"
            elif plain_path(path) != path:
                self.unread[plain_path(path)] = "its name is not UTF-8"  # a report with it could not be read
            elif named or path.endswith(SUFFIXES):
                self.files[path] = status.st_size
        except OSError as error:
            self.unread[plain_path(path)] = error.strerror or str(error)

    def _visit_folder(self, path: str, real: str) -> None:
        with os.scandir(os.path.join(self.root, path)) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            child = os.path.normpath(os.path.join(path, entry.name))
            is_folder = os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()
            if not (is_folder or entry.name.endswith(SUFFIXES)) or entry.name.startswith(".#"):
                continue  # `.#name.py` is an editor's lock: a link that leads nowhere on purpose
            if is_folder and (entry.name in _NOT_SOURCE or _is_environment(entry.path)):
                continue
            if is_folder and entry.name == "build" and not os.path.exists(os.path.join(entry.path, "__init__.py")):
                self.built.append(plain_path(child))
            elif any(matches(child, entry.name, pattern) for pattern in self.exclude):
                self.excluded.append(plain_path(child))
            elif entry.is_symlink():
                self._links.append(child)
            else:
                self._visit(child, os.path.join(real, entry.name))


def _is_environment(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, mark)) for mark in ("pyvenv.cfg", "conda-meta"))


def plain_path(name: str) -> str:
    """Return a path without `./` and, where a name is not UTF-8, in characters that every report can be written in."""
    return os.path.normpath(name).encode("utf-8", "backslashreplace").decode()


def matches(path: str, name: str, pattern: str) -> bool:
    """Return whether a pattern of `exclude` means a path, or, when it has no slash, its last part."""
    pattern = pattern.rstrip("/")
    return fnmatch.fnmatchcase(path if "/" in pattern else name, pattern)


def share_out(files: Mapping[str, int], most: int) -> list[list[str]]:
    """Share files out by size among `most` processes, or as many as pay for themselves, with bounded command lines."""
    wanted = max(1, min(most, math.ceil(sum(files.values()) / _BYTES_PER_PROCESS)))
    shares: list[list[str]] = [[] for _ in range(wanted)]
    sizes = [0] * wanted
    for path in sorted(files, key=lambda path: -files[path]):
        smallest = sizes.index(min(sizes))
        shares[smallest].append(path)
        sizes[smallest] += files[path] + 1
    shards: list[list[str]] = []
    for share in filter(None, shares):
        length = _ARGUMENT_BYTES + 1
        for path in share:
            cost = len(os.fsencode(path)) + 16
            if length + cost > _ARGUMENT_BYTES:
                shards.append([])
                length = 0
            shards[-1].append(path)
            length += cost
    return shards


def processors() -> int:
    """Return how many processes may scan at once: one for each processor that this one may use, within reason."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_PROCESSES)
