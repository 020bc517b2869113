"""The example's repository: its commits are the states in the package, and nothing of the user's git reaches in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.demo import repository
from gates.errors import GatesError
from gates.git import read_checkout
from gates.process import capture


def git(directory: Path, *arguments: str) -> str:
    code, output, errors = capture(["git", *arguments], cwd=directory)
    assert code == 0, errors
    return output


@pytest.fixture
def bare_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has never told git who they are."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("bare_git")
def test_each_commit_is_a_state_and_leaves_a_clean_tree(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "orders"
    commits = [repository.build(directory)]
    assert read_checkout(directory).commit == commits[0]
    assert not read_checkout(directory).dirty
    assert not (directory / "orders" / "search.py").exists()

    commits.append(repository.commit_second_phase(directory))
    assert "{q}" in (directory / "orders" / "search.py").read_text("utf-8")
    assert "test_a_crash_is_logged" not in (directory / "tests" / "test_service.py").read_text("utf-8")

    commits.append(repository.commit_repair(directory))
    assert "{q}" not in (directory / "orders" / "search.py").read_text("utf-8")
    assert "test_a_crash_is_logged" in (directory / "tests" / "test_service.py").read_text("utf-8")

    assert git(directory, "log", "--reverse", "--format=%H").split() == commits
    assert git(directory, "branch", "--show-current").strip() == "main"
    assert not read_checkout(directory).dirty


def test_a_signed_off_phase_is_a_commit_of_its_baselines_alone(tmp_path: Path) -> None:
    directory = tmp_path / "orders"
    repository.build(directory)
    (directory / "baselines").mkdir()
    (directory / "baselines" / "01-foundation.md").write_text("signed", "utf-8")
    (directory / "stray.txt").write_text("not part of it", "utf-8")
    repository.commit_baselines(directory, "foundation")
    assert git(directory, "show", "--name-only", "--format=%s").split("\n\n") == [
        "Phase foundation is signed off",
        "baselines/01-foundation.md\n",
    ]


def test_no_setting_of_the_user_reaches_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks, template = tmp_path / "hooks", tmp_path / "template" / "hooks"
    for folder in (hooks, template):
        folder.mkdir(parents=True)
        (folder / "pre-commit").write_text("#!/bin/sh\nexit 1\n", "utf-8")
        (folder / "pre-commit").chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f"[core]\nhooksPath = {hooks}\nautocrlf = true\nexcludesFile = {tmp_path / 'ignore'}\n"
        f"[init]\ntemplateDir = {template.parent}\ndefaultBranch = trunk\n"
        "[commit]\ngpgSign = true\n[user]\nname = Somebody Else\nemail = else@example.org\nsigningKey = none\n",
        "utf-8",
    )
    (tmp_path / "ignore").write_text("*.py\n", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    # As in a hook of another repository.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere" / "index"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    directory = tmp_path / "orders"
    repository.build(directory)
    repository.commit_second_phase(directory)
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert set(git(directory, "log", "--format=%an").split("\n")) == {"Example Developer", ""}
    assert "orders/search.py" in git(directory, "ls-files").split()
    assert git(directory, "branch", "--show-current").strip() == "main"


def test_what_tools_left_in_the_package_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = tmp_path / "example"
    for name in ("phase1/kept.py", "phase1/__pycache__/kept.pyc", "phase1/.pytest_cache/README.md"):
        (example / name).parent.mkdir(parents=True, exist_ok=True)
        (example / name).write_text("", "utf-8")
    (example / "phase1" / "kept.py").chmod(0o444)
    monkeypatch.setattr(repository, "_EXAMPLE", example)
    directory = tmp_path / "orders"
    repository.build(directory)
    assert git(directory, "ls-files").split() == ["kept.py"]
    assert (directory / "kept.py").stat().st_mode & 0o200


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(GatesError, match="is not empty"):
        repository.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_commit_without_a_change_is_an_error(tmp_path: Path) -> None:
    directory = tmp_path / "orders"
    repository.build(directory)
    repository.commit_second_phase(directory)
    with pytest.raises(GatesError, match="git commit failed"):
        repository.commit_second_phase(directory)
