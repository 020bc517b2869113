"""A lean HTTP/1.1 client for load: what is sent was serialised before, what comes back is read and not interpreted.

It stands on a wire: a plain socket in the harness, one that lets others run meanwhile in Locust's process.
Redirects are answers. Bodies are read to their end and kept only as far as asked. Standard library only.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from gates.load.wire import Dial, PlainWire, Wire

MAX_HEAD = 64 * 1024
MAX_BODY = 256 * 1024 * 1024
_HEAD_END = b"\r\n\r\n"
_H = ord("H")
_MOST_KNOWN, _LONGEST_KNOWN = 512, 2048
_HEX = re.compile(rb"[0-9a-fA-F]{1,15}")
_UNSAFE_TARGET = re.compile(r"[^\x21-\x7e]")
_UNSAFE_HEADER = re.compile(r"[\r\n\0]")

FailureKind = Literal["refused", "closed", "timeout", "malformed", "too large", "network"]
"""Why there was no answer: no connection, it ended too early, too slow, not HTTP, endless, or no socket to be had."""


class ExchangeFailed(Exception):
    """There was no answer to a request; `kind` says why."""

    def __init__(self, kind: FailureKind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, its head as it was received, as much of the body as was asked for, its whole length."""

    status: int
    head: bytes
    body: bytes
    length: int

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever case its name is written in."""
        value = _field(self.head.lower(), name.lower().encode(), self.head)
        return None if value is None else value.decode("latin-1")


def address_of(origin: str) -> tuple[str, int]:
    """Return host and port of an origin such as `http://127.0.0.1:8000`."""
    parts = urlsplit(origin)
    return parts.hostname or "127.0.0.1", parts.port or 80


def serialize(origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """Return a request as it goes over the wire; `target` is a path with its query, percent-encoded.

    Raises ValueError for a target or header that would break out of its line.
    """
    if not target.startswith("/") or _UNSAFE_TARGET.search(target):
        raise ValueError(f"{target!r} is not a request target")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(origin).netloc}"]
    given = {name.lower() for name in headers}
    for name, value in headers.items():
        if _UNSAFE_HEADER.search(name + value) or ":" in name:
            raise ValueError(f"the header {name!r} cannot be sent")
        lines.append(f"{name}: {value}")
    if "accept" not in given:
        lines.append("Accept: */*")
    if body is not None or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body or b'')}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def _field(lowered: bytes, name: bytes, head: bytes) -> bytes | None:
    start = lowered.find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    end = lowered.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()


_KNOWN: dict[bytes, Answer] = {}
"""Answers by their head, to be known again: a backend repeats itself, but for the second in its `Date`.

Only what ends by its Content-Length on a connection that stays open.
"""


def _remember(answer: Answer) -> None:
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    if len(answer.head) <= _LONGEST_KNOWN:
        _KNOWN[answer.head] = answer


class Connection:
    """One kept-alive connection, opened when it is needed; used by one caller at a time.

    `timeout` bounds an exchange; `keep` is how many bytes of a body are kept. `reopened` counts how often the backend
    had closed it between two requests: the request is then sent on a new one, and it is no failure.
    """

    def __init__(self, address: tuple[str, int], timeout: float, keep: int = 0, dial: Dial = PlainWire) -> None:
        self.reopened = 0
        self._address, self._timeout, self._keep, self._dial = address, timeout, keep, dial
        self._wire: Wire | None = None
        self._deadline = 0.0
        self._silent = True

    def open(self) -> None:
        """Connect, where it is not connected yet; raises ExchangeFailed."""
        if self._wire is not None:
            return
        try:
            self._wire = self._dial(self._address, self._timeout)
        except OSError as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Close it; the next request opens a new one."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def exchange(self, request: bytes) -> Answer:
        """Send a serialised request and return its answer; raises ExchangeFailed."""
        if self._wire is None:
            return self._exchange_once(request)
        if self._wire.stale():
            # The backend closed it, or said something that answers nothing: neither belongs to this request.
            self.close()
        else:
            try:
                return self._exchange_once(request)
            except ExchangeFailed as error:
                # Nothing came back on a connection that had served before: the backend closed it while it was idle.
                if not (self._silent and error.kind == "closed"):
                    raise
        self.reopened += 1
        return self._exchange_once(request)

    def _exchange_once(self, request: bytes) -> Answer:
        self._silent = True
        self._deadline = deadline = time.monotonic() + self._timeout
        try:
            if self._wire is None:
                self.open()
                assert self._wire is not None
            try:  # noqa: SIM105 (a context manager costs as much as half of the rest)
                self._wire.send(request, deadline)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it may have answered, and closed, before it had read everything: 413
            data = self._wire.receive(deadline)
            end = data.find(_HEAD_END)
            if end > 0:
                known = _KNOWN.get(data[:end])
                if known is not None and len(data) == end + 4 + known.length and not self._keep and request[0] != _H:
                    return known
            return self._read(data, request.startswith(b"HEAD "))
        except ExchangeFailed:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise _failure(error) from error
        except BaseException:
            self.close()  # whoever interrupts leaves half an answer on the wire
            raise

    def _receive(self) -> bytes:
        assert self._wire is not None
        data = self._wire.receive(self._deadline)
        if not data:
            raise ExchangeFailed("closed", "before the answer was complete")
        if time.monotonic() > self._deadline:
            raise ExchangeFailed("timeout", "the answer did not end in time")
        return data

    def _read(self, data: bytes, to_head: bool) -> Answer:
        if not data:
            raise ExchangeFailed("closed", "before the answer was complete")
        self._silent = False
        while True:
            end = data.find(_HEAD_END)
            if end < 0:
                if len(data) > MAX_HEAD:
                    raise ExchangeFailed("too large", "the head of the answer")
                data += self._receive()
                continue
            if not (data.startswith(b"HTTP/1.") and data[9:12].isdigit()):
                raise ExchangeFailed("malformed", "the first line is not that of HTTP/1")
            status = int(data[9:12])
            if status >= 200:
                break
            if status == 101:
                raise ExchangeFailed("malformed", "the protocol was switched")
            data = data[end + 4 :]
        head, rest = data[:end], data[end + 4 :]
        lowered = head.lower()
        connection = _field(lowered, b"connection", lowered) or b""
        last = b"close" in connection or (head.startswith(b"HTTP/1.0") and b"keep-alive" not in connection)
        plain = False
        if to_head or status in (204, 304):
            body, length = b"", 0
        elif b"chunked" in (_field(lowered, b"transfer-encoding", lowered) or b""):
            body, length, rest = self._read_chunks(rest)
        elif (announced := _field(lowered, b"content-length", lowered)) is not None:
            if not announced.isdigit():
                raise ExchangeFailed("malformed", "Content-Length is not a number")
            length = int(announced)
            body, rest = self._read_exactly(rest, length, self._keep)
            plain = not last
        else:
            body, length = self._read_to_end(rest)
            last, rest = True, b""
        if last or rest:
            self.close()
        answer = Answer(status, head, body, length)
        if plain and not self._keep:
            _remember(answer)
        return answer

    def _read_exactly(self, data: bytes, length: int, keep: int) -> tuple[bytes, bytes]:
        if length > MAX_BODY:
            raise ExchangeFailed("too large", "the body of the answer")
        if len(data) >= length:
            return data[: min(length, keep)], data[length:]
        kept = [data[:keep]] if keep else []
        left, wanted = length - len(data), keep - len(data)
        while True:
            data = self._receive()
            if wanted > 0:
                kept.append(data[: min(wanted, left)])
                wanted -= len(data)
            if len(data) >= left:
                return b"".join(kept), data[left:]
            left -= len(data)

    def _read_line(self, data: bytes) -> tuple[bytes, bytes]:
        while (end := data.find(b"\r\n")) < 0:
            if len(data) > MAX_HEAD:
                raise ExchangeFailed("malformed", "a chunk has no size")
            data += self._receive()
        return data[:end], data[end + 2 :]

    def _read_chunks(self, data: bytes) -> tuple[bytes, int, bytes]:
        kept: list[bytes] = []
        length, wanted = 0, self._keep
        while True:
            line, data = self._read_line(data)
            match = _HEX.match(line)
            if match is None:
                raise ExchangeFailed("malformed", "a chunk has no size")
            size = int(match[0], 16)
            if size == 0:
                break
            length += size
            if length > MAX_BODY:
                raise ExchangeFailed("too large", "the body of the answer")
            part, data = self._read_exactly(data, size, max(0, wanted))
            kept.append(part)
            wanted -= size
            line, data = self._read_line(data)
            if line:
                raise ExchangeFailed("malformed", "a chunk is longer than its size")
        while line:
            line, data = self._read_line(data)  # trailers, up to the empty line
        return b"".join(kept), length, data

    def _read_to_end(self, data: bytes) -> tuple[bytes, int]:
        kept, length = data[: self._keep], len(data)
        while True:
            try:
                data = self._receive()
            except ExchangeFailed as error:
                if error.kind == "closed":
                    return kept, length
                raise
            length += len(data)
            if length > MAX_BODY:
                raise ExchangeFailed("too large", "the body of the answer")
            kept += data[: max(0, self._keep - len(kept))]


def _failure(error: OSError) -> ExchangeFailed:
    if isinstance(error, TimeoutError):
        return ExchangeFailed("timeout", "no answer in time")
    if isinstance(error, ConnectionRefusedError):
        return ExchangeFailed("refused", str(error))
    if isinstance(error, ConnectionError):
        return ExchangeFailed("closed", str(error))
    return ExchangeFailed("network", str(error))
