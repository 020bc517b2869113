"""Starts the shop for tests of the load, and offers it as a Serving."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gates.backend.opened import opened_connections
from gates.client import NoAnswer, free_port, request
from gates.document import parse_document
from gates.errors import BackendFailed
from gates.process import Running, Usage, last_lines, start
from gates.results import GateResult
from gates.tools.base import Context

PROGRAM = Path(__file__).with_name("shop_backend.py")
LOGIN = {"Authorization": "Bearer sesame-4711"}


class Shop:
    """The Serving protocol over a real process."""

    data: Path | None = None
    document_error = ""

    def __init__(self, url: str, running: Running, output: Path, headers: Mapping[str, str], ours: bool = True) -> None:
        self.url, self.running, self.output, self.headers = url, running, output, headers
        self.started_by_us = ours
        self.checked = True
        self.document = parse_document(request(url, "GET", "/openapi.json").text)

    def alive(self) -> bool:
        return self.running.ended() is None

    def last_lines(self, count: int = 10) -> str:
        return last_lines(self.output, count)

    def usage(self) -> Usage | None:
        return self.running.usage() if self.started_by_us else None

    def connections(self) -> Mapping[str, int] | None:
        return opened_connections(self.running.processes()) if self.started_by_us else None

    def login_works(self) -> bool | None:
        if not self.headers or not self.checked:
            return None
        return request(self.url, "GET", "/api/orders", headers=self.headers).status == 200

    def check(self) -> None:
        if not self.alive():
            raise BackendFailed("the backend died")

    def seen(self) -> list[str]:
        """Return every request that the shop was sent, as method and path."""
        found: list[str] = json.loads(request(self.url, "GET", "/seen").body)
        return found


@contextlib.contextmanager
def open_shop(
    directory: Path, *features: str, ours: bool = True, cpus: frozenset[int] | None = None, program: Path = PROGRAM
) -> Iterator[Shop]:
    port, output = free_port(), directory / "backend.log"
    headers = LOGIN if "login" in features else {}
    with start([sys.executable, "-P", str(program), str(port), *features], cwd=directory, env=dict(os.environ),
               stdout=output, cpus=cpus) as running:  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with contextlib.suppress(NoAnswer):
                request(url, "GET", "/openapi.json", timeout=5)
                break
            time.sleep(0.05)
        yield Shop(url, running, output, headers, ours)


def shop_context(
    directory: Path,
    *features: str,
    ours: bool = True,
    root: Path | None = None,
    baseline: GateResult | None = None,
    progress: Callable[[float | None, str], None] = lambda share, text: None,
    program: Path = PROGRAM,
    **more: Any,
) -> Context:
    def serve(*, cpus: frozenset[int] | None = None) -> contextlib.AbstractContextManager[Shop]:
        return open_shop(directory, *features, ours=ours, cpus=cpus, program=program)

    return Context(
        root=root or directory, source=(), python=sys.executable, env=dict(os.environ), directory=directory,
        gate="load", serve=serve, progress=progress, baseline=baseline,
        classify=lambda name, definition: "simple", **more,
    )  # fmt: skip
