"""A recording proxy in front of one backend: tests in any language send their requests to it, and it notes each answer.

It listens on loopback, forwards to that backend alone, and changes nothing: bodies are streamed as they come, chunked
or not, compressed or not; `Expect: 100-continue`, early answers, upgrades (WebSocket) and answers without a length go
through. No login is added. A connection of a client has one of its own to the backend, which lives as long: what a
backend does with connections that are kept, or closed, it does as if the client had come itself.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from urllib.parse import urlsplit

from gates.traffic.calls import Call, Counted, make_call

_MOST_HEAD = 256 * 1024
_MOST_FIELDS = 1_000
_CHUNK = 65_536
_PATIENCE = 5.0
_ANSWERS = {400: "Bad Request", 403: "Forbidden", 431: "Request Header Fields Too Large", 502: "Bad Gateway"}


class _Ended(Exception):
    """The other side closed its connection where a message could end."""


class _Broken(Exception):
    """What came is no HTTP message, or broke off inside one; `status` is what the sender of a request is told."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Head:
    """The first line and the header fields of a message, as they came, and what they say of the body."""

    raw: bytes
    first: str
    fields: dict[str, str] = field(default_factory=dict)

    def names(self, name: str, word: str) -> bool:
        """Return whether a header field holds a word."""
        return word in (part.strip().lower() for part in self.fields.get(name, "").split(","))

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.names("transfer-encoding", "chunked")

    @property
    def persists(self) -> bool:
        """Whether the connection is kept after this message, as far as its sender is concerned."""
        if "HTTP/1.0" in self.first and not self.names("connection", "keep-alive"):
            return False
        return not self.names("connection", "close")

    @property
    def length(self) -> int | None:
        """How long the body is; None where nothing says so. Raises _Broken for a length that is none."""
        text = self.fields.get("content-length")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise _Broken(f"the length {text[:40]!r} is no number")
        return int(text)


def _read_head(reader: BufferedReader) -> _Head:
    raw = bytearray()
    fields: dict[str, str] = {}
    first = ""
    while True:
        line = reader.readline(_MOST_HEAD + 1)
        if not line and not raw:
            raise _Ended
        raw += line
        if len(raw) > _MOST_HEAD or len(fields) > _MOST_FIELDS:
            raise _Broken("the header is too large", 431)
        if not line.endswith(b"\n"):
            raise _Broken("the header broke off")
        text = line.decode("latin-1").rstrip("\r\n")
        if not first:
            if not text:
                raw.clear()  # an empty line before a message is allowed
                continue
            first = text
        elif not text:
            return _Head(bytes(raw), first, fields)
        else:
            name, _, value = text.partition(":")
            key = name.strip().lower()
            fields[key] = f"{fields[key]}, {value.strip()}" if key in fields else value.strip()


class RecordingProxy:
    """A proxy that is up; `calls` are the requests that the backend answered, `troubles` what went wrong on the way."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self.origin = origin
        self._backend = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._counted = Counted()
        self._troubles: dict[str, int] = {}
        self._open: set[socket.socket] = set()
        self._closing = threading.Event()

    def calls(self) -> list[Call]:
        """Return the requests that were answered by the backend so far."""
        with self._lock:
            return list(self._counted)

    def troubles(self) -> dict[str, int]:
        """Return what kept requests from being answered by the backend, and how often."""
        with self._lock:
            return dict(self._troubles)

    def serve(self) -> None:
        """Accept connections until it is closed, each in a thread of its own."""
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                self._closing.wait(0.05)  # closed, or no file can be opened at the moment
                continue
            threading.Thread(target=self._serve_client, args=(client,), daemon=True, name="recording proxy").start()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            open_now = list(self._open)
        for one in open_now:
            _end(one)

    def _note(self, method: str, target: str, status: int) -> None:
        call = make_call(method, target, status)
        if call is not None:
            with self._lock:
                self._counted.add(call)

    def _tell(self, trouble: str) -> None:
        with self._lock:
            self._troubles[trouble] = self._troubles.get(trouble, 0) + 1

    @contextlib.contextmanager
    def _kept(self, one: socket.socket) -> Iterator[socket.socket]:
        """Hold a connection as one that is ended when the proxy is closed."""
        with self._lock:
            self._open.add(one)
        try:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._closing.is_set():
                raise ConnectionAbortedError("the proxy is being closed")
            yield one
        finally:
            with self._lock:
                self._open.discard(one)
            _end(one)
            one.close()

    def _serve_client(self, client: socket.socket) -> None:
        # A client that goes away in the middle is no trouble: it has what it wanted, or its test says so.
        with (
            contextlib.suppress(OSError, ValueError), self._kept(client), client.makefile("rb") as reader,
            contextlib.ExitStack() as stack,
        ):  # fmt: skip
            backend: _Backend | None = None
            while True:
                try:
                    head = _read_head(reader)
                    if backend is None or not backend.waits():
                        stack.close()
                        backend = self._connect(stack)
                    if not self._exchange(client, reader, head, backend):
                        return
                except _Ended:
                    return
                except _Broken as broken:
                    self._refuse(client, broken.status, str(broken))
                    return

    def _refuse(self, client: socket.socket, status: int, why: str) -> None:
        self._tell(why)
        body = f"gates' recording proxy: {why}\n".encode()
        head = f"HTTP/1.1 {status} {_ANSWERS[status]}\r\nContent-Type: text/plain\r\n"
        client.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    def _connect(self, stack: contextlib.ExitStack) -> _Backend:
        try:
            connection = socket.create_connection(self._backend, timeout=_PATIENCE)
        except OSError as error:
            raise _Broken(f"the backend cannot be reached: {error.strerror or error}", 502) from error
        connection.settimeout(None)
        stack.enter_context(self._kept(connection))
        return _Backend(connection, stack.enter_context(connection.makefile("rb")))

    def _exchange(self, client: socket.socket, reader: BufferedReader, head: _Head, backend: _Backend) -> bool:
        """Forward one request and its answer; return whether the client may send another on this connection."""
        words = head.first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise _Broken(f"{head.first[:60]!r} is no request of HTTP/1")
        method, target = words[0], words[1]
        raw = head.raw
        if not target.startswith("/") and target != "*":
            own = f"{self.url}/"
            if not target.startswith(own):
                raise _Broken(f"a request to {target[:100]!r} was refused: only the backend is reached from here", 403)
            raw = raw.replace(target.encode("latin-1"), target[len(own) - 1 :].encode("latin-1"), 1)
        has_body = head.chunked or bool(head.length)
        try:
            backend.connection.sendall(raw)
        except OSError as error:
            raise _Broken("the backend closed the connection before it was asked", 502) from error
        sender = _Sender(head, reader, backend.connection)
        if has_body:
            sender.start()
        kept = self._relay(client, backend.answers, method, target, sender)
        whole = not has_body or sender.finished()
        return kept and whole and head.persists

    def _relay(self, client: socket.socket, answers: BufferedReader, method: str, target: str, sender: _Sender) -> bool:
        """Pass the answer on; return whether its end can be seen, so that another may follow on the connection."""
        while True:
            try:
                head = _read_head(answers)
                status = int(head.first.split(" ")[1])
            except (_Ended, _Broken, OSError, ValueError, IndexError) as error:
                raise _Broken(f"the backend gave no answer to {method} {target[:100]}", 502) from error
            if status == 101:
                self._note(method, target, status)
                client.sendall(head.raw)
                sender.join_both_ways(answers, client)
                return False
            if status >= 200:
                break
            client.sendall(head.raw)
        self._note(method, target, status)
        client.sendall(self._towards_here(head))
        if method == "HEAD" or status in (204, 304):
            return head.persists
        try:
            if head.chunked:
                _pass_chunks(answers, client)
            elif head.length is not None:
                _pass_bytes(answers, client, head.length)
            else:
                _pass_all(answers, client)
                return False
        except (_Broken, OSError):
            self._tell(f"the answer to {method} {target[:100]} did not get through whole")
            return False
        return head.persists

    def _towards_here(self, head: _Head) -> bytes:
        """Return the head of an answer with a redirection to the backend's own address leading through the proxy."""
        place = head.fields.get("location", "")
        if not place.startswith((f"{self.origin}/", f"{self.origin}?")) and place != self.origin:
            return head.raw
        return head.raw.replace(place.encode("latin-1"), (self.url + place[len(self.origin) :]).encode("latin-1"), 1)


@dataclass(frozen=True, slots=True)
class _Backend:
    """A connection to the backend, and the answers that come on it."""

    connection: socket.socket
    answers: BufferedReader

    def waits(self) -> bool:
        """Return whether it waits for another request: one that was closed has something to be read, its end."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        return not poll.poll(0)


class _Sender:
    """Sends the body of a request while its answer is already waited for: it may come first, or ask for the body."""

    def __init__(self, head: _Head, reader: BufferedReader, upstream: socket.socket) -> None:
        self._head, self._reader, self._upstream = head, reader, upstream
        self._thread = threading.Thread(target=self._send, daemon=True, name="recording proxy, a request's body")
        self._done = False

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def finished(self) -> bool:
        """Return whether all was sent; one that is still on its way was not wanted by the backend."""
        self._thread.join(timeout=0.2)
        return self._done

    def _send(self) -> None:
        # The backend may answer and close before it has read everything; the client may go.
        with contextlib.suppress(OSError, ValueError, _Broken):
            if self._head.chunked:
                _pass_chunks(self._reader, self._upstream)
            else:
                _pass_bytes(self._reader, self._upstream, self._head.length or 0)
            self._done = True

    def join_both_ways(self, answers: BufferedReader, client: socket.socket) -> None:
        """Pass bytes both ways until either side ends: the connection now speaks another protocol."""
        back = threading.Thread(target=_pump, args=(answers, client), daemon=True, name="recording proxy, upgraded")
        back.start()
        _pump(self._reader, self._upstream)
        back.join()


def _pump(reader: BufferedReader, writer: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError):
        _pass_all(reader, writer)
    with contextlib.suppress(OSError):
        writer.shutdown(socket.SHUT_WR)


def _pass_all(reader: BufferedReader, writer: socket.socket) -> None:
    while part := reader.read1(_CHUNK):
        writer.sendall(part)


def _pass_bytes(reader: BufferedReader, writer: socket.socket, count: int) -> None:
    while count > 0:
        part = reader.read1(min(count, _CHUNK))
        if not part:
            raise _Broken("the body broke off")
        writer.sendall(part)
        count -= len(part)


def _pass_chunks(reader: BufferedReader, writer: socket.socket) -> None:
    while True:
        line = reader.readline(_CHUNK)
        if not line.endswith(b"\n"):
            raise _Broken("a chunk broke off")
        writer.sendall(line)
        try:
            size = int(line.split(b";")[0].strip() or b"-1", 16)
        except ValueError:
            size = -1
        if size < 0:
            raise _Broken("a chunk has no length")
        if size == 0:
            break
        _pass_bytes(reader, writer, size)
        ending = reader.readline(3)
        if ending not in (b"\r\n", b"\n"):
            raise _Broken("a chunk has no end")
        writer.sendall(ending)
    for _ in range(_MOST_FIELDS):
        line = reader.readline(_CHUNK)
        writer.sendall(line)
        if line in (b"\r\n", b"\n"):
            return
    raise _Broken("the trailer has no end")


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def recording(origin: str) -> Iterator[RecordingProxy]:
    """Yield a proxy in front of the backend at an origin such as `http://127.0.0.1:41234`; it is gone afterwards."""
    proxy = RecordingProxy(origin)
    thread = threading.Thread(target=proxy.serve, daemon=True, name="recording proxy")
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(timeout=_PATIENCE)
