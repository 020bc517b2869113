"""What git knows is read from real repositories, broken and odd ones included."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gates.errors import GatesError
from gates.git import (
    add_worktree,
    changed_lines,
    lost_worktrees,
    parse_diff,
    read_checkout,
    remove_worktree,
    tracked_changes,
)

IDENTITY = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text("one\ntwo\nthree\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def test_a_clean_tree_and_its_commit(repository: Path) -> None:
    checkout = read_checkout(repository)
    assert checkout.commit == git(repository, "rev-parse", "HEAD")
    assert not checkout.dirty


def test_a_changed_and_an_untracked_file_make_it_dirty(repository: Path) -> None:
    (repository / "b.py").write_text("new\n")
    assert read_checkout(repository).dirty
    (repository / "b.py").unlink()
    (repository / "a.py").write_text("changed\n")
    assert read_checkout(repository).dirty


def test_a_baseline_that_was_just_written_does_not(repository: Path) -> None:
    (repository / "baselines").mkdir()
    (repository / "baselines" / "01-main.md").write_text("signed\n")
    assert not read_checkout(repository).dirty


def test_no_repository_no_commit_and_a_detached_head(tmp_path: Path, repository: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    assert read_checkout(outside).commit is None
    assert "not a git repository" in read_checkout(outside).reason
    git(outside, "init", "-q")
    assert read_checkout(outside).reason == "there is no commit yet"
    git(repository, "checkout", "-q", "--detach")
    assert read_checkout(repository).commit == git(repository, "rev-parse", "HEAD")


def test_changed_lines_are_those_of_the_working_tree(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    (repository / "a.py").write_text("one\nTWO\nthree\nfour\n")
    (repository / "ünew name.py").write_text("x\ny\n")
    changed = changed_lines(repository, base)
    assert changed["a.py"] == {2, 4}
    assert changed["ünew name.py"] >= {1, 2}


@pytest.mark.parametrize("setting", ["diff.noprefix", "diff.mnemonicPrefix"])
def test_the_configuration_of_git_hides_no_changed_line(repository: Path, setting: str) -> None:
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "config", setting, "true")
    (repository / "a.py").write_text("one\nTWO\nthree\n")
    assert changed_lines(repository, base) == {"a.py": {2}}


def test_a_shallow_clone_says_what_to_fetch(tmp_path: Path, repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    (repository / "a.py").write_text("two\n")
    git(repository, "commit", "-q", "-am", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    shallow = tmp_path / "shallow"
    assert read_checkout(shallow).shallow
    with pytest.raises(GatesError, match="not in this clone") as caught:
        changed_lines(shallow, base)
    assert "unshallow" in caught.value.hint


def test_a_project_in_a_subfolder_sees_its_own_paths(repository: Path) -> None:
    inner = repository / "service"
    inner.mkdir()
    (inner / "b.py").write_text("x\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "inner")
    base = git(repository, "rev-parse", "HEAD")
    (inner / "b.py").write_text("y\n")
    (repository / "a.py").write_text("outside\n")
    assert changed_lines(inner, base) == {"b.py": {1}}


def test_deleted_lines_are_nowhere_in_the_new_file() -> None:
    diff = "--- a/x\n+++ b/x\n@@ -3,2 +2,0 @@\n-a\n-b\n@@ -9 +7,2 @@\n-c\n+d\n+e\n"
    diff += "--- a/y\n+++ /dev/null\n@@ -1 +0,0 @@\n-z\n"
    assert parse_diff(diff) == {"x": {7, 8}}


def test_a_worktree_takes_the_place_of_one_whose_making_was_interrupted(repository: Path, tmp_path: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    folder = tmp_path / "a build"
    assert add_worktree(repository, commit, folder) == folder
    assert (folder / "a.py").read_text() == "one\ntwo\nthree\n"
    assert tracked_changes(folder) == ""
    git(repository, "worktree", "lock", "--reason", "initializing", str(folder))
    shutil.rmtree(folder)
    assert lost_worktrees(repository, tmp_path) == [folder]
    assert add_worktree(repository, commit, folder) == folder
    (folder / "a.py").write_text("changed\n")
    assert "a.py" in tracked_changes(folder)
    with pytest.raises(GatesError, match="could not check out") as caught:
        add_worktree(repository, commit, folder)
    assert "already exists" in caught.value.message
    remove_worktree(repository, folder)
    remove_worktree(repository, folder)
    assert not folder.exists()
    assert git(repository, "worktree", "list").count("\n") == 0
