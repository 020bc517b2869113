"""A backend that is up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gates import client, process
from gates.backend.environment import split_operation
from gates.backend.opened import opened_connections
from gates.config.model import Backend
from gates.document import Document
from gates.errors import BackendFailed


@dataclass
class ServingBackend:
    """A backend that is up; see `gates.tools.base.Serving`."""

    url: str
    settings: Backend
    output: Path
    data: Path | None = None
    running: process.Running | None = None
    headers: dict[str, str] = field(default_factory=dict)
    document: Document | None = None
    document_error: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def started_by_us(self) -> bool:
        """Whether it is ours to stop."""
        return self.running is not None

    def alive(self) -> bool:
        """Return whether it still runs; for a URL, whether it still answers."""
        if self.running is not None:
            return self.running.ended() is None or bool(self.running.processes())
        try:
            client.request(self.url, "GET", self.settings.ready, timeout=5)
        except client.NoAnswer:
            return False
        return True

    def last_lines(self, count: int = 10) -> str:
        """Return the end of its output."""
        return process.last_lines(self.output, count)

    def usage(self) -> process.Usage | None:
        """Return what its process tree uses now; None for a backend that was already up."""
        return self.running.usage() if self.running is not None else None

    def connections(self) -> Mapping[str, int] | None:
        """Return what its process tree has opened and holds, by remote address; None for one that was already up."""
        return opened_connections(self.running.processes()) if self.running is not None else None

    def check(self) -> None:
        """Raise BackendFailed when it has died."""
        if not self.alive():
            raise BackendFailed(f"the backend died{self._how()}", self._hint())

    def login_works(self) -> bool | None:
        """Return whether the login is still accepted; None when there is nothing to ask."""
        if not self.settings.auth.check:
            return None
        method, path = split_operation(self.settings.auth.check, "[backend.auth] check")
        try:
            return 200 <= client.request(self.url, method, path, headers=self.headers).status < 300
        except client.NoAnswer:
            return False

    def _how(self) -> str:
        ended = self.running.ended() if self.running else None
        return f" ({ended.describe()})" if ended else ""

    def _hint(self) -> str:
        last = self.last_lines()
        return f"its last lines were:\n{last}" if last else "it wrote nothing before that"
