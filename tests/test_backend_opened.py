"""Which connections a backend opened itself: to databases and services, by address; not those it accepted."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from gates.backend.opened import opened_connections
from gates.client import free_port
from gates.process import start

CLIENT = """
import os, socket, sys, time
held = []
for remote in sys.argv[2:]:
    made = socket.socket(socket.AF_UNIX if remote.startswith("/") else socket.AF_INET)
    made.connect(remote if remote.startswith("/") else ("127.0.0.1", int(remote)))
    held.append(made)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.fork()  # a worker holds what its parent opened
accepted = listener.accept()
time.sleep(60)
"""


def test_what_was_opened_counts_once_and_what_was_accepted_does_not(tmp_path: Path) -> None:
    database, port = socket.create_server(("127.0.0.1", 0)), free_port()
    remote = str(database.getsockname()[1])
    (tmp_path / "client.py").write_text(CLIENT, "utf-8")
    command = [sys.executable, str(tmp_path / "client.py"), str(port), remote, remote, remote]
    with database, start(command, cwd=tmp_path, env=dict(os.environ), stdout=tmp_path / "log") as running:
        accepted = [database.accept()[0] for _ in range(3)]
        loaders: list[socket.socket] = []
        deadline = time.monotonic() + 10
        while not loaders and time.monotonic() < deadline:
            try:
                loaders.append(socket.create_connection(("127.0.0.1", port)))
            except ConnectionRefusedError:
                time.sleep(0.05)
        loaders.append(socket.create_connection(("127.0.0.1", port)))
        while len(running.processes()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert opened_connections(running.processes()) == {f"127.0.0.1:{remote}": 3}
        for one in [*accepted, *loaders]:
            one.close()


@pytest.mark.skipif(sys.platform != "linux", reason="sock_diag is Linux")
def test_unix_sockets_are_named_by_the_path_they_lead_to(tmp_path: Path) -> None:
    path = str(tmp_path / ".s.PGSQL.5432")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    (tmp_path / "client.py").write_text(CLIENT, "utf-8")
    command = [sys.executable, str(tmp_path / "client.py"), str(free_port()), path, path]
    with listener, start(command, cwd=tmp_path, env=dict(os.environ), stdout=tmp_path / "log") as running:
        accepted = [listener.accept()[0] for _ in range(2)]
        assert opened_connections(running.processes()) == {f"unix:{path}": 2}
        for one in accepted:
            one.close()


def test_nothing_opened_is_nothing() -> None:
    assert opened_connections([]) == {}
