"""A backend that is watched while it is loaded: how its memory went, and what connections it opened itself.

It stands for the backend wherever that is asked what it uses; memory of its own does not grow with the time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from gates.document import Document
from gates.process import Usage
from gates.tools.base import Serving

_KEPT = 600
_CONNECTIONS_EVERY = 1.0


class MemoryTrace:
    """The least memory of each stretch of time, in bytes; stretches grow so that there are never too many.

    The least, because that is what a garbage collector leaves; what leaks is in it.
    """

    def __init__(self) -> None:
        self.seconds = 0.1
        self._least: dict[int, int] = {}

    def add(self, moment: float, memory: int) -> None:
        """Take in one look."""
        number = int(moment / self.seconds)
        self._least[number] = min(memory, self._least.get(number, memory))
        if len(self._least) > _KEPT:
            halved: dict[int, int] = {}
            for one, least in self._least.items():
                halved[one // 2] = min(least, halved.get(one // 2, least))
            self._least, self.seconds = halved, 2 * self.seconds

    def between(self, begin: float, end: float) -> list[tuple[float, int]]:
        """Return the middle of each stretch between two moments with its least memory, in order."""
        looks = [((number + 0.5) * self.seconds, least) for number, least in sorted(self._least.items())]
        return [(moment, least) for moment, least in looks if begin <= moment <= end]


class Watched:
    """The Serving protocol over another one; `opened` holds the most connections at once by remote address.

    "" is that over all of them; empty when nobody could look.
    """

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.memory = MemoryTrace()
        self.opened: dict[str, int] = {}
        self._looked = 0.0

    def usage(self) -> Usage | None:
        """Return what its process tree uses now, and keep what is to be kept of it."""
        seen, now = self.serving.usage(), time.monotonic()
        if seen is None or not seen.processes:
            return seen
        self.memory.add(now, seen.memory_bytes)
        if now - self._looked >= _CONNECTIONS_EVERY:
            self._looked = now
            self._look_at_connections()
        return seen

    def _look_at_connections(self) -> None:
        opened = self.serving.connections()
        if opened is None:
            return
        for remote, count in {**opened, "": sum(opened.values())}.items():
            self.opened[remote] = max(count, self.opened.get(remote, 0))

    def connections(self) -> Mapping[str, int] | None:
        """Return the connections that its process tree has opened itself and holds now, by remote address."""
        return self.serving.connections()

    @property
    def url(self) -> str:
        """Its origin."""
        return self.serving.url

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that carry the login."""
        return self.serving.headers

    @property
    def document(self) -> Document | None:
        """Its API description."""
        return self.serving.document

    @property
    def document_error(self) -> str:
        """Why there is no document."""
        return self.serving.document_error

    @property
    def data(self) -> Path | None:
        """Its data folder."""
        return self.serving.data

    @property
    def started_by_us(self) -> bool:
        """Whether it was started, and can be started anew."""
        return self.serving.started_by_us

    def alive(self) -> bool:
        """Return whether it still runs."""
        return self.serving.alive()

    def last_lines(self, count: int = 10) -> str:
        """Return the end of its output."""
        return self.serving.last_lines(count)

    def login_works(self) -> bool | None:
        """Return whether the login is still accepted."""
        return self.serving.login_works()

    def check(self) -> None:
        """Raise BackendFailed when the backend has died."""
        self.serving.check()
