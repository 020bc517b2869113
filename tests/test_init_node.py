"""`gates init` in projects that are no Python: what is guessed, and which targets are written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from gates.config.load import load_configuration
from gates.init import propose


def project(root: Path, *packages: str, **scripts: str) -> Path:
    content = {"name": "todos", "scripts": scripts, "dependencies": dict.fromkeys(packages, "1")}
    (root / "package.json").write_text(json.dumps(content, indent=2))
    return root


@pytest.mark.parametrize(
    ("packages", "profile"), [(("express",), "express"), (("fastify",), "node"), (("@nestjs/core", "rxjs"), "node")]
)
def test_a_server_of_node_is_started_by_npm(tmp_path: Path, packages: tuple[str, ...], profile: str) -> None:
    proposal = propose(project(tmp_path, *packages, start="node server.js"))
    (tmp_path / "gates.toml").write_text(proposal.text)
    configuration = load_configuration(tmp_path / "gates.toml")
    assert configuration.backend.profile == profile
    assert (configuration.backend.start, configuration.backend.env["PORT"]) == ("npm start", "{port}")
    assert sorted(configuration.gates) == ["fuzz", "guidelines", "load", "phase", "tests"]


def test_a_package_that_starts_nothing_is_any_backend(tmp_path: Path) -> None:
    assert 'profile = "generic"' in propose(project(tmp_path, "left-pad", build="tsc")).text


@pytest.mark.parametrize(
    ("packages", "written", "left"),
    [(("express",), {"coverage", "load"}, {"security"}), ((), {"load"}, {"security", "coverage"})],
)
def test_targets_that_no_gate_of_the_profile_measures_are_only_shown(
    tmp_path: Path, packages: tuple[str, ...], written: set[str], left: set[str]
) -> None:
    text = propose(project(tmp_path, *packages)).text
    targets = tomllib.loads(text)["targets"]
    assert written <= targets.keys()
    assert not left & targets.keys()
    assert all(f"# {name}." in text for name in left)


def test_where_the_document_is_written_is_shown_when_no_profile_knows_it(tmp_path: Path) -> None:
    assert '\n# openapi = "/openapi.json"   # a path' in propose(project(tmp_path, "express", start="node .")).text


def test_a_document_that_is_a_file_stands_for_the_one_of_the_profile(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "openapi.yaml").write_text("openapi: 3.1.0\n")
    (tmp_path / "app.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    lines = [line for line in propose(tmp_path).text.splitlines() if line.lstrip("# ").startswith("openapi =")]
    assert lines == ['openapi = "docs/openapi.yaml"']
