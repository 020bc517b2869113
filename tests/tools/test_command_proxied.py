"""A command that is given the backend's address gets that of a recording proxy, unless it measures times."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from recorded_suites import SHOP, Backend, document, seen
from test_coverage_recorder_trouble import Orders

from gates.results import Readings
from gates.tools.base import Context
from gates.tools.command import Command

ASK = "import sys, urllib.request as u; print(sys.argv[1]); [u.urlopen(sys.argv[1] + p) for p in sys.argv[2:]]"


@pytest.fixture
def backend() -> Iterator[Backend]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Orders)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Backend(document(*SHOP), url=f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    thread.join()


def run(backend: Backend, tmp_path: Path, command: str, **settings: Any) -> Readings:
    context = Context(
        root=tmp_path, source=(), python=sys.executable, env=dict(os.environ), directory=tmp_path / "run", gate="e2e",
        serve=backend.serve, classify=lambda name, definition: "simple",
    )  # fmt: skip
    backend.data = None  # type: ignore[attr-defined]
    return Command(tool="command", backend=True, command=f"{{python}} -c '{ASK}' {command}", **settings).run(context)


def test_the_operations_that_it_asked_are_known(backend: Backend, tmp_path: Path) -> None:
    found = run(backend, tmp_path, "{base_url} /orders /orders/1 /orders/2 /internal")
    assert seen(found) == {
        "GET /orders": ({200: 1}, True), "GET /orders/{order_id}": ({200: 2}, True), "GET /internal": ({200: 1}, None),
    }  # fmt: skip
    assert {one.source for one in found.operations} == {"tests"}
    assert [one.operation for one in found.findings] == ["GET /internal"]
    assert backend.url not in (tmp_path / "run" / "stdout.txt").read_text()
    assert run(backend, tmp_path, "$GATES_BASE_URL /internal", ignore=["/internal"]).findings == ()


def test_a_command_that_failed_tested_nothing(backend: Backend, tmp_path: Path) -> None:
    found = run(backend, tmp_path, "{base_url} /orders nowhere://x")
    assert seen(found) == {"GET /orders": ({200: 1}, False)}
    assert [one.rule for one in found.findings] == ["command.failed"]


def test_one_that_measures_times_speaks_to_the_backend_itself(backend: Backend, tmp_path: Path) -> None:
    found = run(backend, tmp_path, "{base_url} /orders", runs_alone=True)
    assert found.operations == ()
    assert backend.url in (tmp_path / "run" / "stdout.txt").read_text()


def test_without_a_document_it_is_judged_by_its_end(backend: Backend, tmp_path: Path) -> None:
    backend.document = None
    found = run(backend, tmp_path, "{base_url} /orders")
    assert (found.operations, found.findings) == ((), ())
    assert found.notes[-1] == "which operations it asked is not known: GET /openapi.json answered 404"
