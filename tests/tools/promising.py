"""Starts the backend that keeps or breaks its promises, and offers it as a Serving; signs what a gate brought."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fuzzed import FuzzedBackend

from gates.client import NoAnswer, free_port, request
from gates.process import start
from gates.results import GateResult, Readings, Run, Verdict
from gates.tools.base import Context

PROGRAM = Path(__file__).with_name("promising_backend.py")
LOGIN = {"Authorization": "Bearer sesame-4711"}


class PromisingBackend(FuzzedBackend):
    """The Serving protocol over a real process."""

    def login_works(self) -> bool | None:
        return request(self.url, "GET", "/me", headers=self.headers).status == 200 if self.headers else None


@contextlib.contextmanager
def promising_backend(directory: Path, *features: str, login: Mapping[str, str] | None = None) -> Iterator[Any]:
    directory.mkdir(parents=True, exist_ok=True)
    port, output = free_port(), directory / "backend.log"
    command = [sys.executable, "-P", str(PROGRAM), str(port), *features]
    headers = LOGIN if "login" in features and login is None else login or {}
    with start(command, cwd=directory.parent, env=dict(os.environ), stdout=output) as running:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with contextlib.suppress(NoAnswer):
                request(url, "GET", "/openapi.json", timeout=5)
                break
            time.sleep(0.05)
        yield PromisingBackend(url, running, output, headers)


def promising_context(
    directory: Path, *features: str, signed: Mapping[str, Run] | None = None, login: Mapping[str, str] | None = None,
    **more: Any,
) -> Context:  # fmt: skip
    starts = itertools.count(1)

    def serve(*, cpus: frozenset[int] | None = None) -> contextlib.AbstractContextManager[Any]:
        return promising_backend(directory / f"backend-{next(starts)}", *features, login=login)

    gate = directory / "gate"
    gate.mkdir(parents=True)
    return Context(
        root=directory, source=(), python=sys.executable, env={}, directory=gate, gate="promises", serve=serve,
        classify=lambda name, definition: "simple", signed=signed or {}, **more,
    )  # fmt: skip


def run_of(phase: str, *gates: GateResult) -> Run:
    """Return the run of a phase that was signed off with some gates."""
    return Run(
        phase, "orders", phase, "c0ffee", False, "2026-11-24T10:00:00Z", 1.0, {}, {}, "{}", "", Verdict.PASS, 0,
        gates=gates,
    )  # fmt: skip


def signed(phase: str, readings: Readings, tool: str) -> dict[str, Run]:
    """Return what a later phase sees of one that was signed off with what a gate brought."""
    return {phase: run_of(phase, GateResult("promises", tool, Verdict.PASS, 1.0, readings=readings))}
