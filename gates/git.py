"""What git knows of the project: which commit this is, whether it is clean, and what changed since another."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from gates.errors import GatesError
from gates.process import CommandNotFound, capture

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


def has_commit(root: Path, commit: str) -> bool:
    """Return whether a commit is there (a shallow clone may lack it)."""
    return _git(root, "cat-file", "-e", f"{commit}^{{commit}}")[0] == 0


def changed_lines(root: Path, base: str) -> dict[str, set[int]]:
    """Return the lines added or changed since a commit, by path relative to `root`; untracked files count whole.

    Raises GatesError when the commit is not there.
    """
    if not has_commit(root, base):
        raise GatesError(
            f"the commit {base[:12]} of the earlier phase is not in this clone",
            "fetch the whole history (git fetch --unshallow; in GitHub Actions: fetch-depth: 0)",
        )
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
