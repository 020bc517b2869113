"""What git knows of the project: which commit this is, whether it is clean, and what changed since another."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from gates.errors import GatesError
from gates.process import CommandNotFound, capture

_PATIENCE = 600.0
"""Seconds for a checkout: a large repository takes its time."""
_OF_A_HOOK = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_INTERNAL_SUPER_PREFIX", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
    "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_IMPLICIT_WORK_TREE",
)  # fmt: skip
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Checkout:
    """The state of a working tree; `commit` is None outside git or before the first commit."""

    commit: str | None
    dirty: bool
    reason: str = ""
    shallow: bool = False


def _git(root: Path, *arguments: str) -> tuple[int, str, str]:
    # A project's own git configuration must not page, colour, quote or run anything in what is read here.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_PAGER": "cat"}
    return capture(
        ["git", "-c", "core.quotePath=false", "-c", "core.fsmonitor=", "-c", "diff.external=", *arguments],
        cwd=root, env=environment,
    )  # fmt: skip


def read_checkout(root: Path, ignore: tuple[str, ...] = ("baselines",)) -> Checkout:
    """Return the commit and whether anything in the project differs from it.

    `ignore` names folders that this program writes itself (a baseline that was just signed makes no tree dirty).
    """
    try:
        code, commit, errors = _git(root, "rev-parse", "--verify", "HEAD")
    except CommandNotFound:
        return Checkout(None, False, "git is not installed")
    if code != 0:
        if "not a git repository" in errors:
            return Checkout(None, False, "this is not a git repository")
        if "dubious ownership" in errors:
            return Checkout(None, False, "git refuses this folder: it belongs to another user")
        return Checkout(None, True, "there is no commit yet")
    excluded = [f":(exclude){name}" for name in ignore if (root / name).exists()]
    code, changes, errors = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", ".", *excluded)
    if code != 0:
        raise GatesError(f"git status failed: {errors.strip()}", "run it by hand in this folder")
    _, shallow, _ = _git(root, "rev-parse", "--is-shallow-repository")
    return Checkout(commit.strip(), bool(changes.strip()), changes.strip(), shallow.strip() == "true")


def commit_time(root: Path) -> float | None:
    """Return when the present commit was made, in seconds since 1970; None where there is no commit, or no git."""
    try:
        code, text, _ = _git(root, "log", "-1", "--format=%ct", "HEAD")
    except CommandNotFound:
        return None
    return float(text) if code == 0 and text.strip().isdigit() else None


def has_commit(root: Path, commit: str) -> bool:
    """Return whether a commit is there (a shallow clone may lack it)."""
    return _git(root, "cat-file", "-e", f"{commit}^{{commit}}")[0] == 0


def is_ignored(root: Path, name: str) -> bool:
    """Return whether git is told to leave a file of the project out; False where there is no git."""
    try:
        return _git(root, "check-ignore", "--quiet", "--", name)[0] == 0
    except CommandNotFound:
        return False


def _need_commit(root: Path, commit: str) -> None:
    if not has_commit(root, commit):
        raise GatesError(
            f"the commit {commit[:12]} of the earlier phase is not in this clone",
            "fetch the whole history (git fetch --unshallow; in GitHub Actions: fetch-depth: 0)",
        )


def git_folder(root: Path) -> Path:
    """Return the folder that git keeps for this checkout; raises GatesError when there is none."""
    code, text, errors = _worktree(root, "rev-parse", "--absolute-git-dir")
    if code != 0:
        raise GatesError(f"git does not know this folder: {errors.strip()}", "is it a checkout of the project?")
    return Path(text.rstrip("\n"))


def files_at(root: Path, commit: str) -> dict[str, str]:
    """Return the files of the project's own folder as they were at a commit, not those further down: name to blob.

    Raises GatesError when the commit is not there, or has no such folder.
    """
    _need_commit(root, commit)
    code, text, errors = _git(root, "ls-tree", "-z", commit)
    if code != 0:
        raise GatesError(f"git ls-tree failed: {errors.strip()}", "run it by hand in this folder")
    rows = [row.partition("\t") for row in text.split("\0") if row]
    if not rows:
        raise GatesError(f"the commit {commit[:12]} of the earlier phase has nothing in the folder of this project")
    return {name: words.split()[2] for words, _, name in rows if words.split()[1] == "blob"}


def add_worktree(root: Path, commit: str, folder: Path) -> Path:
    """Check a commit out in a folder of its own and return where the project lies in it.

    The head is detached, no hook runs, and neither branches nor index of the user are touched. A registration that
    was left behind for this folder is replaced. Raises GatesError when git cannot do it.
    """
    _need_commit(root, commit)
    code, prefix, errors = _worktree(root, "rev-parse", "--show-prefix")
    if code == 0:
        # Twice --force: also over a registration that was locked because its making was interrupted.
        code, _, errors = _worktree(
            root, "worktree", "add", "--force", "--force", "--detach", "--quiet", str(folder.absolute()), commit
        )
    if code != 0:
        raise GatesError(
            f"git could not check out {commit[:12]} beside this one: {errors.strip() or 'it did not say why'}",
            f"try it by hand: git worktree add --detach {folder} {commit[:12]}",
        )
    return folder / prefix.rstrip("\n")


def remove_worktree(root: Path, folder: Path) -> None:
    """Remove what `add_worktree` made, its registration included; one that is not there is no error."""
    _worktree(root, "worktree", "remove", "--force", "--force", str(folder.absolute()))
    shutil.rmtree(folder, ignore_errors=True)
    # Where the folder is no worktree (any more), git refuses; only what could not be deleted is an error.
    if folder.exists():
        raise GatesError(f"{folder} could not be removed", "delete it by hand")


def lost_worktrees(root: Path, folder: Path) -> list[Path]:
    """Return the worktrees registered inside a folder that are no longer there, because somebody deleted them."""
    _, text, _ = _worktree(root, "worktree", "list", "--porcelain")
    inside = f"worktree {folder.resolve()}{os.sep}"
    paths = [Path(line.removeprefix("worktree ")) for line in text.splitlines() if line.startswith(inside)]
    return [path for path in paths if not path.exists()]


def unknown_files(root: Path) -> list[str]:
    """Return what git does not keep of a checkout, ignored or not; a folder of nothing else is one entry."""
    code, names, errors = _worktree(root, "ls-files", "--others", "--directory", "--no-empty-directory", "-z")
    if code != 0:
        raise GatesError(f"git ls-files failed: {errors.strip()}", f"run it by hand in {root}")
    return [name.rstrip("/") for name in names.split("\0") if name]


def tracked_changes(root: Path) -> str:
    """Return how the tracked files of a checkout differ from its commit; empty when they do not."""
    code, changes, errors = _worktree(root, "status", "--porcelain", "--untracked-files=no")
    return changes if code == 0 else errors or "git status failed"


def _worktree(root: Path, *arguments: str) -> tuple[int, str, str]:
    # `gates` may itself run in a hook of git, whose variables name the user's index: a checkout would write into it.
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    environment |= {"LC_ALL": "C", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}
    return capture(
        ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=", *arguments],
        cwd=root, env=environment, timeout=_PATIENCE,
    )  # fmt: skip


def changed_lines(root: Path, base: str) -> dict[str, set[int]]:
    """Return the lines added or changed since a commit, by path relative to `root`; untracked files count whole.

    Raises GatesError when the commit is not there.
    """
    _need_commit(root, base)
    code, text, errors = _git(
        root, "diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--relative",
        "--no-renames", "--src-prefix=a/", "--dst-prefix=b/", base, "--", ".",
    )  # fmt: skip
    if code != 0:
        raise GatesError(f"git diff failed: {errors.strip()}")
    changed = parse_diff(text)
    _, untracked, _ = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    for name in filter(None, untracked.split("\0")):
        try:
            count = (root / name).read_bytes().count(b"\n") + 1
        except OSError:
            continue
        changed[name] = set(range(1, count + 1))
    return changed


def parse_diff(text: str) -> dict[str, set[int]]:
    """Return the new line numbers of a `git diff --unified=0`, by path."""
    changed: dict[str, set[int]] = {}
    path: str | None = None
    for line in text.splitlines():
        if line.startswith("+++ "):
            name = line[4:].rstrip("\t")
            path = name[2:] if name.startswith("b/") else None
        elif path is not None and (match := _HUNK.match(line)):
            start, count = int(match[1]), int(match[2] or "1")
            changed.setdefault(path, set()).update(range(start, start + count))
    return changed
