"""Files that the project's own tools write: only what this run wrote is believed."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Expected:
    """Files by a path or pattern relative to the project, and how those looked that were there before the run."""

    root: Path
    pattern: str
    before: dict[Path, tuple[int, ...]]

    def fresh(self) -> list[Path]:
        """Return the files that were written since; whatever still looks as it did before is not among them."""
        return [path for path in _matching(self.root, self.pattern) if _looks(path) != self.before.get(path)]

    def stale(self) -> list[Path]:
        """Return the files that are still as they were before the run."""
        return [path for path in _matching(self.root, self.pattern) if _looks(path) == self.before.get(path)]


def expect(root: Path, pattern: str) -> Expected:
    """Note how the files look before a run. Nothing is deleted: a pattern may be wrong, and name something precious."""
    return Expected(root, pattern, {path: _looks(path) for path in _matching(root, pattern)})


def _matching(root: Path, pattern: str) -> list[Path]:
    return sorted(path for name in glob.glob(pattern, root_dir=root, recursive=True) if (path := root / name).is_file())


def _looks(path: Path) -> tuple[int, ...]:
    state = path.stat()
    return (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
