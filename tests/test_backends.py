"""The backends that other tests run against are what they are taken for: sound projects that fail only when told to."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import express_backend
import pytest

from gates import client
from gates.backend.serving import serving
from gates.config.model import Backend
from gates.process import Running, capture, last_lines, start
from gates.profiles import discover_app, load_profile

BACKENDS = Path(__file__).parent / "backends"
pytestmark = pytest.mark.slow


def _command(name: str, port: int) -> list[str]:
    if name == "express":
        return ["node", "src/server.js"]
    if name == "flask":
        return [sys.executable, "-m", "flask", "--app", "notes.app:app", "run", "--port", str(port), "--no-reload"]
    return [sys.executable, "-m", "uvicorn", "library.app:app", "--host", "127.0.0.1", "--port", str(port)]


Start = Callable[..., contextlib.AbstractContextManager[tuple[Running, int]]]


@pytest.fixture
def start_backend(tmp_path: Path) -> Start:
    """Starts a backend in a copy of its folder, with some trouble switched on."""

    @contextlib.contextmanager
    def serve(name: str, trouble: Mapping[str, str]) -> Iterator[tuple[Running, int]]:
        folder = tmp_path / name
        if name == "express":
            express_backend.copy_project(folder)
        else:
            shutil.copytree(BACKENDS / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
        port = client.free_port()
        environment = {
            **express_backend.node_environment(), "PORT": str(port), "LIBRARY_DB": str(tmp_path / "library.db"),
            "LIBRARY_PASSWORD": "secret", "PYTHONDONTWRITEBYTECODE": "1", **trouble,
        }  # fmt: skip
        with start(_command(name, port), cwd=folder, env=environment, stdout=tmp_path / "output.txt") as running:
            yield running, port

    return serve


def ask(running: Running, port: int, path: str, headers: Mapping[str, str] | None = None) -> client.Answer:
    """Return the answer, once the backend listens."""
    while True:
        try:
            return client.request(f"http://127.0.0.1:{port}", "GET", path, headers=headers or {})
        except client.NoAnswer:
            assert running.wait(0.02) is None, "the backend ended before it listened"


def log_in(running: Running, port: int) -> dict[str, str]:
    """Return the headers that let one into the library; the other two are open."""
    ask(running, port, "/health")
    answer = client.request(
        f"http://127.0.0.1:{port}", "POST", "/login",
        headers={"Content-Type": "application/json"}, body=b'{"user": "reader", "password": "reading"}',
    )  # fmt: skip
    return {"Authorization": f"Bearer {json.loads(answer.body)['access_token']}"} if answer.status == 200 else {}


@pytest.mark.parametrize(("name", "resource"), [("fastapi", "books"), ("flask", "notes"), ("express", "parts")])
class TestEachBackend:
    def test_trouble_shows_on_the_wire(self, start_backend: Start, name: str, resource: str) -> None:
        trouble = {"CRASH_ON": "2", "NEVER_READY": "1", "GARBAGE_OPENAPI": "1", "SLOW_START": "0.2"}
        with start_backend(name, trouble) as (running, port):
            headers = log_in(running, port)
            statuses = [ask(running, port, f"/api/v1/{resource}/{number}", headers).status for number in (1, 2, 3)]
            assert statuses == [200, 500, 200]
            assert ask(running, port, "/health").status == 503
            with pytest.raises(ValueError, match="Expecting"):
                json.loads(ask(running, port, "/openapi.json").body)

    def test_it_dies_with_a_last_word(self, start_backend: Start, name: str, resource: str, tmp_path: Path) -> None:
        with start_backend(name, {"DIE_AFTER_REQUESTS": "2"}) as (running, port):
            assert ask(running, port, "/health").status == 200
            described = json.loads(ask(running, port, "/openapi.json").body)
            assert f"/api/v1/{resource}" in described["paths"]
            with pytest.raises(client.NoAnswer):
                client.request(f"http://127.0.0.1:{port}", "GET", "/health")
            ended = running.wait(10)
        assert ended is not None
        assert ended.exit_code == 3
        assert any(word in last_lines(tmp_path / "output.txt") for word in ("burned down", "were lost", "was stolen"))


@pytest.mark.parametrize(("name", "command"), [("fastapi", ["-m", "pytest", "-q"]), ("flask", ["-m", "unittest"])])
def test_the_python_backends_pass_their_own_tests(name: str, command: list[str], tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(BACKENDS / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    code, output, errors = capture([sys.executable, *command], cwd=folder, env=environment)
    assert code == 0, output + errors
    assert "passed" in output or "OK" in errors


def test_the_express_backend_passes_its_own_tests_and_leaves_the_reports(tmp_path: Path) -> None:
    folder = express_backend.copy_project(tmp_path / "express")
    code, output, errors = capture(["npm", "test"], cwd=folder, env=express_backend.node_environment())
    assert code == 0, output + errors
    assert "<testcase" in (folder / "reports" / "junit.xml").read_text("utf-8")
    assert "SF:src/app.js" in (folder / "reports" / "lcov.info").read_text("utf-8")


def test_express_does_not_call_it_a_start_when_the_port_is_taken(start_backend: Start, tmp_path: Path) -> None:
    with start_backend("express", {}) as (running, port):
        ask(running, port, "/health")
        environment = {**express_backend.node_environment(), "PORT": str(port)}
        code, output, errors = capture(["npm", "start"], cwd=tmp_path / "express", env=environment)
    assert code != 0
    assert "EADDRINUSE" in errors
    assert "counted at" not in output


def test_an_application_that_a_factory_makes_is_found_and_served_as_the_profile_says(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from fastapi import FastAPI\n\n\ndef create_app(debug: bool = False) -> FastAPI:\n    return FastAPI()\n",
        "utf-8",
    )
    profile = load_profile("backends", "fastapi", tmp_path)
    found = {**profile.content["backend"], "app": discover_app(profile, tmp_path), "python": sys.executable}
    with serving(Backend.model_validate(found), tmp_path, tmp_path / "work") as backend:
        assert backend.document is not None
