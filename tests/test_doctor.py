"""`gates doctor` on a small backend: what is not as it should be is told with what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from projects import HERE, SMALL_BACKEND, Project

from gates.config.load import build_configuration
from gates.doctor import examine
from gates.tools.base import Requirement


def document(*paths: str) -> str:
    answers = {"get": {"responses": {"200": {"description": "It is there."}}}}
    content = {"openapi": "3.1.0", "info": {"title": "small", "version": "1"}, "paths": dict.fromkeys(paths, answers)}
    return json.dumps(content)


def operations(root: Path, backend: Mapping[str, object]) -> list[Requirement]:
    """Return what the doctor says of the operations of a document, for a backend that has /health and /things."""
    shutil.copy(HERE / "small_backend.py", root)
    settings = {"start": SMALL_BACKEND, "openapi": "openapi.json", "ready": "/health", **backend}
    configuration = build_configuration({"project": {"name": "small"}, "backend": settings}, root)
    said = list(examine(root, configuration))
    assert [one.met for one in said if one.what == "OpenAPI document"] == [True]
    return [one for one in said if one.what == "operations"]


def test_a_document_without_the_prefix_of_its_paths_is_told_with_the_prefix_that_is_likely(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(document("/", "/living", "/{id}"))
    (said,) = operations(tmp_path, {"ready": "/api/v1/living?now"})
    assert not said.met
    assert said.detail == "none that was asked for is there: GET /, GET /living answered 404"
    assert said.hint.endswith('[backend] base_path = "/api/v1"')


@pytest.mark.parametrize(
    ("paths", "backend"),
    [
        (("/health", "/not-yet"), {}),  # some are there
        (("/{id}",), {}),  # none can be asked for without knowing more
    ],
)
def test_nothing_is_said_where_the_document_may_well_be_right(
    tmp_path: Path, paths: tuple[str, ...], backend: Mapping[str, object]
) -> None:
    (tmp_path / "openapi.json").write_text(document(*paths))
    assert operations(tmp_path, backend) == []


def examined(root: Path, backend: Mapping[str, object] | None = None, **more: object) -> dict[str, Requirement]:
    """Return what the doctor says, by what it speaks of; of several lines the last that is not met."""
    shutil.copy(HERE / "small_backend.py", root)
    settings = {"start": SMALL_BACKEND, "openapi": "/openapi.json", "ready": "/health", **(backend or {})}
    configuration = build_configuration({"project": {"name": "small"}, "backend": settings, **more}, root)
    said: dict[str, Requirement] = {}
    for one in examine(root, configuration):
        if one.what not in said or not one.met:
            said[one.what] = one
        assert one.met or one.hint, one
    return said


def test_a_sound_project_has_everything(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.commit("all of it", **{"small/__init__.py": ""})
    said = examined(tmp_path)
    assert [one for one in said.values() if not one.met] == []
    assert said["backend"].detail.startswith("ready after ")
    assert said["OpenAPI document"].detail == "3.1.0, 2 operations"
    assert said["git"].detail.startswith(f"at {project.git('rev-parse', 'HEAD')[:12]}")
    assert [path.name for path in tmp_path.iterdir() if path.name == ".gates"] == []


def test_a_gate_that_is_left_out_needs_nothing(tmp_path: Path) -> None:
    tests = {"tool": "coverage", "command": "no-such-runner"}
    assert not examined(tmp_path, gates={"tests": tests})["test command"].met
    assert "test command" not in examined(tmp_path, gates={"tests": {**tests, "skip": "There are no tests here."}})


def test_what_git_lacks_is_told(tmp_path: Path) -> None:
    assert examined(tmp_path)["git"].detail == "this is not a git repository"
    project = Project(tmp_path)
    project.git("init", "--quiet")
    assert examined(tmp_path)["git"].detail == "there is no commit yet"
    for number in range(2):
        project.commit(f"commit {number}")
    clone = tmp_path / "clone"
    project.git("clone", "--quiet", "--depth", "1", tmp_path.as_uri(), str(clone))
    git = examined(clone)["git"]
    assert not git.met
    assert "a shallow clone" in git.detail
    assert "git fetch --unshallow" in git.hint


@pytest.mark.parametrize(
    ("backend", "what", "detail"),
    [
        ({"env": {"TROUBLE": "dies"}}, "backend", "the small backend has no database"),
        ({"env": {"TROUBLE": "silent"}, "start_timeout": 1}, "backend", "was not ready after 1 s"),
        ({"start": "no-such-server"}, "backend", "no-such-server"),
        ({"start": "x ${NOT_SET_ANYWHERE}"}, "backend", "NOT_SET_ANYWHERE"),
        ({"env": {"TROUBLE": "garbage"}}, "OpenAPI document", "is not valid JSON"),
        ({"auth": {"headers": {"X-Token": "wrong"}, "check": "GET /me"}}, "login", "GET /me refused it"),
        ({"auth": {"login": {"operation": "POST /login", "body": {"password": "x"}}}}, "backend", "refused with 401"),
    ],
)
def test_what_is_wrong_with_the_backend_is_told(
    tmp_path: Path, backend: Mapping[str, object], what: str, detail: str
) -> None:
    said = examined(tmp_path, backend)
    assert not said[what].met
    assert detail in said[what].detail


def test_a_tool_that_is_not_there_is_told_and_nothing_needs_a_backend_then(tmp_path: Path) -> None:
    (tmp_path / "profiles" / "backends").mkdir(parents=True)
    (tmp_path / "profiles" / "backends" / "plain.toml").touch()
    gates = {"lint": {"tool": "command", "command": "no-such-linter ."}, "ls": {"tool": "command", "command": "ls"}}
    said = examined(tmp_path, {"profile": "plain"}, gates=gates)
    assert not said["no-such-linter"].met
    assert said["ls"].met
    assert "backend" not in said


def test_the_login_that_works_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL", "open sesame")
    login = {"operation": "POST /login", "body": {"password": "${SMALL}"}, "token": "$.data.tokens[0]"}
    said = examined(tmp_path, {"auth": {"login": login, "check": "GET /me"}, "env": {"TROUBLE": "everywhere"}})
    assert said["login"].detail == "accepted"
    assert said["backend"].met
