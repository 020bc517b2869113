"""Starts the backend under test and stops it whole: `serving()` is the only door."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from gates import client, process
from gates.backend.access import make_usable
from gates.backend.commands import expand, shown, words_of
from gates.backend.environment import backend_environment, check_settings
from gates.backend.state import ServingBackend
from gates.config.model import Backend
from gates.errors import BackendFailed, ToolError
from gates.shell import SHELLS

_NOT_RUN = (126, 127)
"""Exit codes by which a shell says that the command itself could not be run."""
_BY_HAND = "it runs on an empty data folder, as for a new colleague: run it by hand in the project's folder"


@contextlib.contextmanager
def serving(
    settings: Backend, root: Path, directory: Path, cpus: frozenset[int] | None = None
) -> Iterator[ServingBackend]:
    """Yield the backend once it is ready, seeded and logged in; stop it and everything it started afterwards.

    `root` is the folder it is started in, the project or an earlier build of it; `cpus` are the cores it is bound to.
    Raises BackendFailed when it dies or never becomes ready, ToolError when its command could not be run or the login
    is refused, ConfigurationError when gates.toml does not say enough.
    """
    check_settings(settings, root)
    directory.mkdir(parents=True, exist_ok=True)
    if settings.url:
        yield _connect(settings, root, directory)
        return
    data = directory / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    port = client.free_port()
    environment, values = backend_environment(settings, root, port, data)
    output = directory / "backend.log"
    try:
        _run_setup(settings, root, environment, values, output)
        words = words_of(settings.start or "", values, environment, "[backend] start")
        with process.start(words, cwd=root, env=environment, stdout=output, cpus=cpus) as running:
            backend = ServingBackend(f"http://127.0.0.1:{port}", settings, output, data, running)
            _wait_until_ready(backend, port, shown(settings.start or "", values, "[backend] start"))
            make_usable(backend, root)
            yield backend
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _connect(settings: Backend, root: Path, directory: Path) -> ServingBackend:
    url = expand(settings.url or "", {}, "[backend] url").rstrip("/")
    parts = urlsplit(url)
    backend = ServingBackend(f"{parts.scheme}://{parts.netloc}", settings, directory / "backend.log")
    try:
        answer = client.request(backend.url, "GET", settings.ready)
    except client.NoAnswer as error:
        raise BackendFailed(f"nothing answers at {url}: {error.message}", "start the backend first") from error
    if answer.status >= 500:
        raise BackendFailed(
            f"the backend at {url} is not ready: GET {settings.ready} answered {answer.status}",
            "[backend] ready is a path that answers below 500 once it is",
        )
    make_usable(backend, root)
    return backend


def _run_setup(
    settings: Backend, root: Path, environment: Mapping[str, str], values: Mapping[str, str], output: Path
) -> None:
    for command in settings.setup:
        words = words_of(command, values, environment, "[backend] setup")
        log = output.with_name("setup.log")
        try:
            finished = process.run(words, cwd=root, env=environment, stdout=log, stderr=log.with_suffix(".err"),
                                   timeout=settings.start_timeout, normal=None)  # fmt: skip
        except process.CommandFailed as error:
            raise BackendFailed(f"[backend] setup = {command!r} failed: {error.message}", _BY_HAND) from error
        if finished.exit_code == 0:
            continue
        last = process.last_lines(finished.stderr) or process.last_lines(finished.stdout)
        if finished.exit_code in _NOT_RUN and words[0] in SHELLS:
            raise ToolError(f"[backend] setup could not be run: {last}", "is it installed where PATH finds it?")
        raise BackendFailed(
            f"[backend] setup = {command!r} failed: it ended with {finished.ended.describe()}"
            + (f"; its last lines:\n{last}" if last else ""),
            _BY_HAND,
        )


def _wait_until_ready(backend: ServingBackend, port: int, command: str) -> None:
    running, settings = backend.running, backend.settings
    assert running is not None
    deadline = time.monotonic() + settings.start_timeout
    last = "it never accepted a connection"
    while time.monotonic() < deadline:
        ended = running.ended()
        if ended is not None and not running.processes():
            lines = backend.last_lines()
            if ended.exit_code in _NOT_RUN and running.command[0] in SHELLS:
                raise ToolError(f"[backend] start could not be run: {lines}", "is it installed where PATH finds it?")
            raise BackendFailed(
                f"the backend ended before it was ready ({ended.describe()})"
                + (f"; its last lines:\n{lines}" if lines else "; it wrote nothing"),
                f"it is started on an empty data folder, as a new colleague would: run `{command}` by hand",
            )
        try:
            answer = client.request(backend.url, "GET", settings.ready, timeout=min(5.0, settings.start_timeout))
            if answer.status < 500:
                _check_listener(backend, port)
                return
            last = f"GET {settings.ready} answered {answer.status}"
        except client.NoAnswer as error:
            last = error.message
        time.sleep(0.05)
    lines = backend.last_lines()
    raise BackendFailed(
        f"the backend was not ready after {settings.start_timeout:g} s: {last}"
        + (f"; its last lines:\n{lines}" if lines else ""),
        f"it must serve on the port it is given ({{port}} was {port}) and answer GET {settings.ready} below 500; "
        "a slow one needs a longer [backend] start_timeout",
    )


def _check_listener(backend: ServingBackend, port: int) -> None:
    """Make sure that it was our process that answered, and say so when it listens to the whole network."""
    assert backend.running is not None
    ours = {child.pid for child in backend.running.processes()}
    try:
        listeners = [
            connection
            for connection in psutil.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        ]
    except psutil.Error:
        return  # the system does not let us look (macOS without root)
    strangers = [one for one in listeners if one.pid is not None and one.pid not in ours]
    if listeners and len(strangers) == len(listeners):
        raise BackendFailed(
            f"another process answers on port {port}, not the one that was started",
            "does the start command hand over to a service that was already running?",
        )
    if any(one.laddr and one.laddr[0] in ("0.0.0.0", "::") for one in listeners):
        backend.notes.append("the backend listens on all interfaces, not only on loopback: bind it to 127.0.0.1")
