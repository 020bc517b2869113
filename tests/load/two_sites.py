"""Two builds of a small site with logins and notes, in threads of the test, and Locust as a process that loads both."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gates.load.assignment import (
    EARLIER_HEADERS_VARIABLE,
    HEADERS_VARIABLE,
    Assignment,
    Counterpart,
    OwnUsers,
)
from gates.load.pairs import PairRecord, parse_pairs
from gates.load.schedule import Arrivals
from gates.tools.locust.run import drive


class Site(ThreadingHTTPServer):
    """Remembers what it was sent: `seen` are (session, method and path, body), in the order of arrival.

    `failing` are paths that answer 500. `odd` makes it answer POST /notes without the id.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name: str, failing: frozenset[str] = frozenset(), odd: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name, self.failing, self.odd = name, failing, odd
        self.seen: list[tuple[str, str, str]] = []
        self.notes: set[int] = set()
        self.numbers = itertools.count(1)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def of(self, what: str) -> list[str]:
        """Return the bodies, sorted, that came with one method and path."""
        return sorted(body for _, asked, body in self.seen if asked == what)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Site

    def log_message(self, *_: object) -> None:
        return

    def handle_one(self) -> None:
        site = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        session = self.headers.get("Cookie") or self.headers.get("Authorization") or ""
        site.seen.append((session, f"{self.command} {self.path}", body))
        status, answer, cookie = 200, {}, ""
        number = int(self.path.rpartition("/")[2]) if self.path.startswith("/notes/") else 0
        if self.path in site.failing:
            status = 500
        elif self.path == "/login":
            cookie = f"session={site.name}-{json.loads(body)['user']}"
        elif self.command == "POST":
            number = next(site.numbers)
            site.notes.add(number)
            status, answer = 201, {} if site.odd else {"id": number}
        elif number and number not in site.notes:
            status = 404
        elif self.command == "DELETE":
            site.notes.discard(number)
        content = json.dumps(answer).encode()
        self.send_response(status)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = handle_one  # noqa: N815


@contextlib.contextmanager
def open_site(name: str, **how: Any) -> Iterator[Site]:
    """Serve a site while the block runs."""
    site = Site(name, **how)
    thread = threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.shutdown()
        site.server_close()


def load_sites(
    directory: Path,
    locustfile: str,
    new: Site,
    old: Site,
    *,
    kind: Any = "scenarios",
    rate: float = 60.0,
    seconds: float = 2.0,
    pairs: int = 4,
    users: int = 4,
    timeout: float = 3.0,
    operations: tuple[str, ...] = ("GET /notes", "POST /notes", "GET /notes/{id}", "DELETE /notes/{id}", "POST /login"),
    files: Mapping[str, str] = {},
) -> PairRecord:
    """Load two sites with the text of a locustfile; `rate` is of task runs on both together."""
    directory.mkdir(exist_ok=True)
    for name, text in {"locustfile.py": locustfile, **files}.items():
        (directory / name).write_text(text, "utf-8")
    assignment = Assignment(
        kind, new.url, Arrivals(rate, 0.3, seconds), pairs, timeout, "seed", "", operations=operations,
        earlier=Counterpart(old.url, ()), own=OwnUsers(str(directory / "locustfile.py"), str(directory), users, 100.0),
        cpus=(max(os.sched_getaffinity(0)),) if hasattr(os, "sched_getaffinity") else (),
    )  # fmt: skip
    logins = {
        HEADERS_VARIABLE: {"Authorization": "login-of-new"}, EARLIER_HEADERS_VARIABLE: {"Authorization": "login-of-old"}
    }  # fmt: skip
    text = drive(assignment, directory / "load", logins, lambda share: False)
    assert text is not None
    return parse_pairs(text)
