"""Test suites of small projects that are run by the coverage tool, so that the recorder of calls listens to them."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gates.demands import parse_demand
from gates.document import Document, parse_document
from gates.errors import BackendFailed
from gates.results import OperationSeen, Readings
from gates.tools.base import Context
from gates.tools.coverage import Coverage

SHOP = ("GET /orders", "POST /orders", "GET /orders/{order_id}", "DELETE /orders/{order_id}")


def document(*operations: str) -> Document:
    """Return a document with these operations, each with its usual success."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        method, _, path = operation.partition(" ")
        status = {"POST": "201", "DELETE": "204"}.get(method, "200")
        paths.setdefault(path, {})[method.lower()] = {"responses": {status: {"description": "fine"}}}
    content = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    return parse_document(json.dumps(content))


@dataclass
class Backend:
    """What a tool sees of a backend, without one; `url` may be that of a real server."""

    document: Document | None = None
    url: str = "http://127.0.0.1:9"
    dead: str = ""
    document_error: str = "GET /openapi.json answered 404"
    headers: Mapping[str, str] = field(default_factory=dict)
    started_by_us: bool = True
    starts: int = 0

    @contextlib.contextmanager
    def serve(self, *, cpus: frozenset[int] | None = None) -> Iterator[Any]:
        self.starts += 1
        if self.dead == "at once":
            raise BackendFailed("the backend ended before it was ready", "see its output")
        yield self

    def check(self) -> None:
        if self.dead:
            raise BackendFailed("the backend died", "see its output")


@dataclass
class Suite:
    """A project in a folder, whose tests are run by a coverage gate."""

    root: Path
    directory: Path
    backend: Backend
    env: dict[str, str] = field(default_factory=dict)
    demanded: str = ""
    fast: bool = False

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def run(self, **settings: Any) -> Readings:
        self.directory.mkdir(exist_ok=True)
        targets = {"tests.operations": parse_demand(self.demanded, "share")} if self.demanded else {}
        context = Context(
            root=self.root, source=("shop",), python=sys.executable,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": "ignore", **self.env},
            directory=self.directory, gate="tests", serve=self.backend.serve,
            classify=lambda name, definition: "simple", targets=targets, fast=self.fast,
        )  # fmt: skip
        return Coverage(tool="coverage", **settings).run(context)


def seen(readings: Readings) -> dict[str, tuple[dict[int, int], bool | None]]:
    """Return statuses and success by operation."""
    return {one.operation: (dict(one.statuses), one.success) for one in readings.operations}


def share(readings: Readings) -> tuple[int | None, int | None] | None:
    """Return how many of how many operations the tests ask."""
    found = [one for one in readings.measurements if one.name == "tests.operations"]
    return (found[0].count, found[0].total) if found else None


def of_tests(readings: Readings) -> list[OperationSeen]:
    return [one for one in readings.operations if one.source != "tests"]
