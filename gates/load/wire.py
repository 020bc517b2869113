"""What a connection stands on: a socket that sends all it is given, and waits until a deadline for what comes.

`PlainWire` is for the harness. In Locust's process others run while one waits: `gates.load.gevent_wire`.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Protocol

AT_ONCE = 64 * 1024
"""Bytes that are asked for at a time."""


class Wire(Protocol):
    """A connected socket for one caller at a time. Deadlines are of the monotonic clock; its errors are OSError."""

    def stale(self) -> bool:
        """Return whether something came, or the other side closed, while nobody had asked for anything."""

    def send(self, data: bytes, deadline: float) -> None:
        """Send everything."""

    def receive(self, deadline: float) -> bytes:
        """Return what comes next; nothing when the other side has closed."""

    def close(self) -> None:
        """Close it."""


Dial = Callable[[tuple[str, int], float], Wire]
"""Opens a wire to host and port, in so many seconds at most; raises OSError."""


class PlainWire:
    """A wire that blocks its whole thread."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self._socket = socket.create_connection(address, timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watched = select.poll()
        self._watched.register(self._socket, select.POLLIN)

    def stale(self) -> bool:
        """Return whether something came, or the other side closed, while nobody had asked for anything."""
        return bool(self._watched.poll(0))

    def send(self, data: bytes, deadline: float) -> None:
        """Send everything."""
        self._socket.settimeout(_left(deadline))
        self._socket.sendall(data)

    def receive(self, deadline: float) -> bytes:
        """Return what comes next; nothing when the other side has closed."""
        self._socket.settimeout(_left(deadline))
        return self._socket.recv(AT_ONCE)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
