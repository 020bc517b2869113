"""Sockets in Locust's process, with as little between a request and the kernel as there can be.

gevent's own sockets set up a watcher and a timer for every wait, and try to read before there can be anything. Here a
watcher stays with its socket, and one timer looks after all deadlines: half of the CPU of a request.
"""

from __future__ import annotations

import _socket
import time
from typing import Any

import gevent
import gevent.socket
from gevent.hub import get_hub

from gates.load.wire import AT_ONCE

_READ = 1
_LOOK_EVERY = 0.05
"""Seconds; so much later than its deadline a wait may end."""


class Exchange:
    """Opens wires for the greenlets of this thread, and ends what waits beyond its deadline."""

    def __init__(self) -> None:
        self._wires: set[GeventWire] = set()
        self._timer = get_hub().loop.timer(_LOOK_EVERY, _LOOK_EVERY, ref=False)
        self._timer.start(self._look)

    def dial(self, address: tuple[str, int], timeout: float) -> GeventWire:
        """Open a wire to host and port; raises OSError."""
        return GeventWire(address, timeout, self._wires)

    def close(self) -> None:
        """Look after deadlines no longer."""
        self._timer.stop()
        self._timer.close()

    def _look(self) -> None:
        now = time.monotonic()
        for wire in [wire for wire in self._wires if wire.overdue(now)]:
            wire.give_up()


class GeventWire:
    """A wire that lets other greenlets run while its own waits."""

    __slots__ = ("_deadline", "_hub", "_more", "_receive", "_send", "_socket", "_unasked", "_waiting", "_watcher",
                 "_wires")  # fmt: skip

    def __init__(self, address: tuple[str, int], timeout: float, wires: set[GeventWire]) -> None:
        connected = gevent.socket.create_connection(address, timeout)
        connected.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        # The socket below gevent's: its calls return at once, and nothing stands between them and the kernel.
        self._socket = _socket.socket(connected.family, connected.type, connected.proto, connected.detach())
        self._socket.setblocking(False)
        self._receive, self._send = self._socket.recv, self._socket.send
        self._waiting: Any = None
        self._deadline = 0.0
        self._unasked = self._more = False
        self._hub = get_hub()
        self._watcher = self._hub.loop.io(self._socket.fileno(), _READ)
        self._watcher.start(self._readable)
        self._wires = wires
        wires.add(self)

    def stale(self) -> bool:
        """Return whether something came, or the other side closed, while nobody had asked for anything."""
        return self._unasked

    def send(self, data: bytes, deadline: float) -> None:
        """Send everything."""
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        while sent < len(data):
            gevent.socket.wait_write(self._socket.fileno(), max(1e-3, deadline - time.monotonic()))
            try:
                sent += self._send(memoryview(data)[sent:])
            except BlockingIOError:
                continue

    def receive(self, deadline: float) -> bytes:
        """Return what comes next; nothing when the other side has closed."""
        if self._unasked:
            self._unasked = False
            self._watcher.start(self._readable)
        while True:
            if not self._more:
                self._deadline, self._waiting = deadline, gevent.getcurrent()
                try:
                    self._hub.switch()
                finally:
                    self._waiting = None
            self._more = False
            try:
                data: bytes = self._receive(AT_ONCE)
            except BlockingIOError:
                continue
            self._more = len(data) == AT_ONCE
            return data

    def close(self) -> None:
        """Close it."""
        self._wires.discard(self)
        self._watcher.stop()
        self._watcher.close()
        self._socket.close()

    def overdue(self, now: float) -> bool:
        """Return whether somebody waits beyond the deadline."""
        return self._waiting is not None and now > self._deadline

    def give_up(self) -> None:
        """End the wait; the one who waits gets a TimeoutError."""
        if self._waiting is not None:
            self._waiting.throw(TimeoutError("the answer did not come in time"))

    def _readable(self) -> None:
        # In the loop's own greenlet, which goes on when the one who waited waits again, or ends.
        if self._waiting is not None:
            self._waiting.switch()
        else:
            self._unasked = True
            self._watcher.stop()
