"""A copy of an earlier build with some files of the present one laid over it: what measures has to be the same in both.

The copy is a worktree of its own, so that the build stays as it was prepared. What git does not know of the build
(an environment, packages, what was compiled in place) is linked into it.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from gates import git
from gates.builds.own_source import Build, localised
from gates.errors import GatesError

COPY = "beside"
"""The name of the copy among the builds. There is one at a time: two that measure would disturb each other."""
_BY_PRODUCTS = ("__pycache__", ".pytest_cache", ".benchmarks", ".gates")


@contextlib.contextmanager
def laid_over(root: Path, commit: str, build: Build, present: Sequence[str]) -> Iterator[Build]:
    """Yield the build of a commit with the files and folders `present` as they are in the project now.

    Paths are relative to the project. Raises GatesError when another gates holds the copy, or it cannot be made.
    """
    directory = build.folder.parent
    with _held(directory / ".beside"):
        folder = directory / COPY
        git.remove_worktree(root, folder)
        project = git.add_worktree(root, commit, folder)
        try:
            try:
                _link_others(build.folder, folder)
                for name in present:
                    _lay(root / name, project / name)
            except OSError as error:
                raise GatesError(
                    f"the earlier build could not be copied to {folder}: {error.strerror}", "is there room?"
                ) from error
            yield localised(root, project, folder, directory, build.settings, build.notes)
        finally:
            git.remove_worktree(root, folder)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise GatesError(
                "another gates is measuring beside an earlier build of this checkout", "let it end first"
            ) from error
        yield


def _link_others(build: Path, copy: Path) -> None:
    for name in git.unknown_files(build):
        path = copy / name
        if not set(Path(name).parts) & set(_BY_PRODUCTS) and not path.exists() and not path.is_symlink():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(build / name)


def _lay(there: Path, here: Path) -> None:
    """Put a file or folder of the present project in the place of the earlier one, or take that away with it."""
    if here.is_symlink() or here.is_file():
        here.unlink()
    elif here.is_dir():
        shutil.rmtree(here)
    here.parent.mkdir(parents=True, exist_ok=True)
    if there.is_dir():
        shutil.copytree(there, here, symlinks=True, ignore=shutil.ignore_patterns(*_BY_PRODUCTS))
    elif there.exists():
        shutil.copy2(there, here)
