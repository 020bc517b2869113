"""The client against servers that keep to HTTP, and against those that do not."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from gates.load.client import MAX_HEAD, Connection, ExchangeFailed, address_of, serialize

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def scripted(*connections: list[bytes | None]) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """Serve scripted answers: per connection one per request; None waits; after the last it closes."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        for answers in connections:
            with contextlib.suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    for answer in answers:
                        data = b""
                        while b"\r\n\r\n" not in data:
                            data += peer.recv(65536)
                        received.append(data)
                        if answer is None:
                            over.wait(10)
                            return
                        peer.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[:2], received
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # an accept that waits would outlive the close
        listener.close()
        thread.join(5)


def request(target: str = "/", method: str = "GET") -> bytes:
    return serialize("http://127.0.0.1:1", method, target, {})


def exchange(answer: bytes, *, keep: int = 100, method: str = "GET") -> tuple[int, bytes, int]:
    with scripted([answer]) as (address, _):
        got = Connection(address, 2.0, keep).exchange(request(method=method))
        return got.status, got.body, got.length


def test_requests_are_written_as_http() -> None:
    raw = serialize("http://127.0.0.1:8000", "POST", "/a?b=%20", {"X-Key": "1"}, b"body")
    assert raw.startswith(b"POST /a?b=%20 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Key: 1\r\n")
    assert raw.endswith(b"Content-Length: 4\r\n\r\nbody")
    assert b"Content-Length: 0" in serialize("http://h", "PUT", "/", {})
    assert b"Content-Length" not in serialize("http://h", "GET", "/", {})


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("http://elsewhere/", {}),
        ("/a b", {}),
        ("/a\r\nEvil: 1", {}),
        ("/", {"X": "1\r\nEvil: 1"}),
        ("/", {"X\n": "1"}),
        ("/ä", {}),
    ],
)
def test_nothing_breaks_out_of_its_line(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"request target|cannot be sent"):
        serialize("http://127.0.0.1", "GET", target, headers)


def test_one_connection_serves_many_requests_and_nothing_of_one_answer_reaches_the_next() -> None:
    with scripted([OK, b"HTTP/1.1 404 No\r\ncontent-length:3\r\n\r\nnay", OK]) as (address, received):
        connection = Connection(address, 2.0, keep=10)
        answers = [connection.exchange(request(f"/{number}")) for number in range(3)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok"), (404, b"nay"), (200, b"ok")]
    assert len(received) == 3
    assert connection.reopened == 0


@pytest.mark.parametrize(
    ("answer", "body", "length"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"abcde", 5),
        (b"HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: 1\r\nMore: 2\r\n\r\n", b"a", 1),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end", 13),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", 0),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", b"", 0),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, b"ok", 2),
        (b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", b"", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"x" * 200, b"x" * 100, 200),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n" + b"x" * 200 + b"\r\n0\r\n\r\n", b"x" * 100, 200),
    ],
)  # fmt: skip
def test_bodies_end_where_http_says_and_are_kept_as_far_as_asked(answer: bytes, body: bytes, length: int) -> None:
    assert exchange(answer)[1:] == (body, length)


def test_an_answer_to_head_has_no_body() -> None:
    with scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", OK]) as (address, _):
        connection = Connection(address, 2.0, keep=10)
        assert connection.exchange(request(method="HEAD")).length == 0
        assert connection.exchange(request()).body == b"ok"


def test_an_answer_may_come_in_small_pieces() -> None:
    whole = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nLocation: /a/5\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
    listener = socket.create_server(("127.0.0.1", 0))

    def dribble() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.recv(65536)
            for number in range(len(whole)):
                peer.sendall(whole[number : number + 1])
                time.sleep(0.0005)

    thread = threading.Thread(target=dribble, daemon=True)
    thread.start()
    answer = Connection(listener.getsockname()[:2], 5.0, keep=10).exchange(request())
    listener.close()
    assert (answer.status, answer.body, answer.header("location")) == (201, b"abcd", "/a/5")


@pytest.mark.parametrize(
    "last", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", b"HTTP/1.0 200 OK\r\n\r\nok"]
)
def test_a_connection_that_the_backend_ends_politely_is_replaced(last: bytes) -> None:
    with scripted([last], [OK]) as (address, received):
        connection = Connection(address, 2.0, keep=10)
        assert connection.exchange(request()).status == 200
        assert connection.exchange(request()).status == 200
    assert connection.reopened == 0
    assert len(received) == 2


def test_a_connection_that_was_closed_while_idle_is_opened_again_and_is_no_failure() -> None:
    with scripted([OK], [OK]) as (address, received):
        connection = Connection(address, 2.0)
        connection.exchange(request("/first"))
        time.sleep(0.05)
        assert connection.exchange(request("/second")).status == 200
    assert connection.reopened == 1
    assert [line.split()[1] for line in received] == [b"/first", b"/second"]


def failure(answer: bytes | None, timeout: float = 2.0) -> str:
    with scripted([answer]) as (address, _):
        with pytest.raises(ExchangeFailed) as caught:
            Connection(address, timeout).exchange(request())
        return caught.value.kind


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n", "malformed"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "malformed"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MAX_HEAD + 10), "too large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "too large"),
    ],
)
def test_what_is_no_answer_says_why(answer: bytes, kind: str) -> None:
    assert failure(answer) == kind


def test_a_fresh_connection_that_ends_without_an_answer_is_a_failure_at_once() -> None:
    with scripted([b""], [OK]) as (address, received):
        with pytest.raises(ExchangeFailed, match="closed"):
            Connection(address, 2.0).exchange(request())
        assert len(received) == 1


def test_half_an_answer_on_a_kept_connection_is_not_repeated() -> None:
    with scripted([OK, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal"], [OK]) as (address, _):
        connection = Connection(address, 2.0)
        connection.exchange(request())
        with pytest.raises(ExchangeFailed, match="closed"):
            connection.exchange(request())


def test_silence_ends_with_the_timeout() -> None:
    assert failure(None, timeout=0.2) == "timeout"


def test_an_endless_answer_ends_with_the_timeout() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def stream() -> None:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not over.wait(0.02):
                peer.sendall(b"1\r\na\r\n")

    thread = threading.Thread(target=stream, daemon=True)
    thread.start()
    with pytest.raises(ExchangeFailed) as caught:
        Connection(listener.getsockname()[:2], 0.3).exchange(request())
    over.set()
    listener.close()
    assert caught.value.kind == "timeout"


def test_nobody_there_is_told_apart_from_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()[:2]
    with pytest.raises(ExchangeFailed) as caught:
        Connection(address, 1.0).exchange(request())
    assert caught.value.kind == "refused"


def test_an_answer_that_comes_before_the_request_was_read_counts() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        peer, _ = listener.accept()
        peer.recv(1000)
        peer.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        peer.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        peer.close()

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    body = b"x" * 4_000_000
    answer = Connection(listener.getsockname()[:2], 2.0).exchange(serialize("http://h", "POST", "/", {}, body))
    listener.close()
    assert answer.status == 413


def test_addresses() -> None:
    assert address_of("http://127.0.0.1:8123") == ("127.0.0.1", 8123)
    assert address_of("http://[::1]") == ("::1", 80)
