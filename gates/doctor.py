"""`gates doctor`: is everything here that the gates need? Tools, versions, the backend starts, its document is read."""

from __future__ import annotations

import contextlib
import platform
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gates import client, machine
from gates.backend.environment import interpreter, needs_python
from gates.backend.serving import serving
from gates.backend.state import ServingBackend
from gates.calibration import Calibration, choose_floor, share
from gates.config.model import Configuration
from gates.document import Document
from gates.engine import Setting, make_context
from gates.errors import GatesError
from gates.git import read_checkout
from gates.plan import PlannedGate, make_plan
from gates.process import capture
from gates.tools.base import Requirement

_ASKED = 5
"""How many operations of the document are asked for, to see whether it speaks of this backend."""


def examine(
    root: Path, configuration: Configuration, calibrations: Sequence[Calibration] = ()
) -> Generator[Requirement]:
    """Yield one line for each thing that is needed, as soon as it is known; the backend comes last.

    `calibrations` are those in the history, the newest first.
    """
    yield Requirement("Python of gates", True, platform.python_version())
    yield _git(root)
    if needs_python(configuration.backend, root):
        yield _interpreter(root, configuration)
    with tempfile.TemporaryDirectory(prefix="gates-doctor-") as folder:
        plan = make_plan(configuration, signed=())
        policy = configuration.policy(plan.phase)
        setting = Setting(configuration, root, Path(folder), policy)
        running = [gate for gate in plan.gates if not gate.skipped]
        for gate in running:
            try:
                yield from gate.tool.requirements(make_context(gate, plan, setting))
            except GatesError as error:
                yield Requirement(f"gate {gate.name}", False, error.message, error.hint)
        for gate in running:
            if (settings := gate.tool.pairing()) is not None and configuration.baseline.side_by_side != "never":
                yield _calibration(gate.name, settings, calibrations)
        if any(gate.tool.needs_backend for gate in running):
            yield from _backend(root, configuration, Path(folder) / "backend", running)


def _git(root: Path) -> Requirement:
    if shutil.which("git") is None:
        return Requirement("git", False, "is not installed", "a sign-off is bound to a commit")
    checkout = read_checkout(root)
    if checkout.commit is None:
        return Requirement("git", False, checkout.reason, "a sign-off is bound to a commit: git init, git commit")
    detail = f"at {checkout.commit[:12]}" + (", with changes that are not committed" if checkout.dirty else "")
    if checkout.shallow:
        return Requirement("git", False, detail + ", a shallow clone", "git fetch --unshallow: changed lines need it")
    return Requirement("git", True, detail)


def _calibration(gate: str, settings: str, kept: Sequence[Calibration]) -> Requirement:
    """Return whether this machine is calibrated; a check does without, so that nothing is missing where it is not."""
    what = f"calibration of {gate}"
    floor = choose_floor(kept, gate=gate, settings=settings, machine=machine.fingerprint(), now=datetime.now(UTC))
    if floor.told:
        return Requirement(what, True, floor.told)
    told = f"none: less than {share(floor.value)} slower is taken for none, and nothing is known of the noise here"
    return Requirement(what, True, f"{told}; `gates calibrate` measures it")


def _interpreter(root: Path, configuration: Configuration) -> Requirement:
    what = "Python of the backend"
    try:
        path = interpreter(configuration.backend, root)
        code, version, errors = capture([path, "-c", "import platform; print(platform.python_version())"], cwd=root)
    except GatesError as error:
        return Requirement(what, False, error.message, error.hint)
    if code != 0:
        return Requirement(what, False, f"{path} does not run: {errors.strip()[:200]}", "[backend] python names it")
    return Requirement(what, True, f"{version.strip()} ({path})")


def _backend(
    root: Path, configuration: Configuration, folder: Path, gates: Sequence[PlannedGate]
) -> Iterator[Requirement]:
    began = time.monotonic()
    try:
        with serving(configuration.backend, root, folder) as backend:
            yield Requirement("backend", True, f"ready after {time.monotonic() - began:.1f} s")
            for note in backend.notes:
                yield Requirement("backend", True, note)
            if backend.document is None:
                yield Requirement("OpenAPI document", False, backend.document_error, "[backend] openapi names it")
            else:
                count = len(backend.document.operations)
                yield Requirement("OpenAPI document", count > 0, f"{backend.document.version}, {count} operations")
                yield from _operations(backend, backend.document)
                for gate in gates:
                    yield from gate.tool.requirements_of(backend.document)
            works = backend.login_works()
            if works is not None:
                yield Requirement(
                    "login", works, "accepted" if works else f"{configuration.backend.auth.check} refused it",
                    "is [backend.auth] right? An account that a fresh backend lacks is made by a [[backend.seed]]",
                )  # fmt: skip
    except GatesError as error:
        yield Requirement("backend", False, error.message, error.hint)


def _operations(backend: ServingBackend, document: Document) -> Iterator[Requirement]:
    """Ask for some of the document's operations; where none is there, the document most likely lacks a prefix."""
    plain = [one for one in document.operations if one.method == "GET" and "{" not in one.path][:_ASKED]
    statuses = []
    for operation in plain:
        path = document.base_path + operation.path
        with contextlib.suppress(client.NoAnswer):  # the gates will say what an operation that hangs does
            statuses.append(client.request(backend.url, "GET", path, headers=backend.headers, timeout=5).status)
    if statuses and set(statuses) == {404}:
        told = ", ".join(f"GET {document.base_path}{operation.path}" for operation in plain)
        yield Requirement(
            "operations", False, f"none that was asked for is there: {told} answered 404",
            "does the document leave out a prefix? name it: [backend] base_path = "
            f'"{_likely_prefix(backend, document) or "/api"}"',
        )  # fmt: skip


def _likely_prefix(backend: ServingBackend, document: Document) -> str:
    """Return what stands before an operation of the document in the path by which the backend is known to be ready."""
    ready = backend.settings.ready.partition("?")[0]
    paths = [operation.path for operation in document.operations if operation.path != "/"]
    return next((ready.removesuffix(path) for path in paths if ready.endswith(path) and ready != path), "")
