"""Starts the misbehaving backend for tests of the schemathesis tool, and offers it as a Serving."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gates.client import NoAnswer, free_port, request
from gates.document import parse_document
from gates.process import Running, Usage, last_lines, start
from gates.results import GateResult
from gates.tools.base import Context

PROGRAM = Path(__file__).with_name("fuzzed_backend.py")
LOGIN = {"Authorization": "Bearer sesame-4711"}


class FuzzedBackend:
    """The Serving protocol over a real process."""

    data: Path | None = None
    started_by_us = True
    document_error = ""

    def __init__(self, url: str, running: Running, output: Path, headers: Mapping[str, str]) -> None:
        self.url, self.running, self.output, self.headers = url, running, output, headers
        self.document = parse_document(request(url, "GET", "/openapi.json").text)

    def alive(self) -> bool:
        return self.running.ended() is None

    def last_lines(self, count: int = 10) -> str:
        return last_lines(self.output, count)

    def connections(self) -> Mapping[str, int] | None:
        return None

    def usage(self) -> Usage | None:
        return self.running.usage()

    def login_works(self) -> bool | None:
        if not self.headers:
            return None
        answer = request(self.url, "GET", self.document.base_path + "/me", headers=self.headers)
        return answer.status == 200

    def check(self) -> None:
        assert self.alive()


@contextlib.contextmanager
def fuzzed_backend(
    directory: Path, *features: str, headers: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None
) -> Iterator[FuzzedBackend]:
    port, output = free_port(), directory / "backend.log"
    command = [sys.executable, "-P", str(PROGRAM), str(port), *features]
    with start(command, cwd=directory, env={**os.environ, **(env or {})}, stdout=output) as running:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with contextlib.suppress(NoAnswer):
                request(url, "GET", "/openapi.json", timeout=5)
                break
            time.sleep(0.05)
        yield FuzzedBackend(url, running, output, headers or {})


def fuzz_context(
    directory: Path,
    *features: str,
    headers: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    fast: bool = False,
    known: frozenset[str] = frozenset(),
    baseline: GateResult | None = None,
    progress: Callable[[float | None, str], None] = lambda share, text: None,
    **more: Any,
) -> Context:
    starts = itertools.count(1)

    def serve() -> contextlib.AbstractContextManager[FuzzedBackend]:
        place = directory / f"backend-{next(starts)}"
        place.mkdir(parents=True)
        return fuzzed_backend(place, *features, headers=headers, env=env)

    gate = directory / "gate"
    gate.mkdir(parents=True)
    return Context(
        root=directory, source=(), python=sys.executable, env={}, directory=gate, gate="fuzz", serve=serve,
        classify=lambda name, definition: "simple", progress=progress, baseline=baseline, known=known, fast=fast,
        **more,
    )  # fmt: skip
