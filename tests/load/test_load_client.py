"""The client against servers that keep to HTTP, and against those that do not."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import gevent
import pytest

from gates.load.client import MAX_HEAD, Connection, ExchangeFailed, address_of, serialize
from gates.load.gevent_wire import Exchange

Connect = Callable[..., Connection]
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


@pytest.fixture(params=["plain", "gevent"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Returns what makes a connection, as the harness does and as Locust's process does; closes them at the end."""
    exchange = Exchange()
    dial = {"dial": exchange.dial} if request.param == "gevent" else {}
    made: list[Connection] = []

    def connecting(address: tuple[str, int], timeout: float = 2.0, keep: int = 0) -> Connection:
        made.append(Connection(address, timeout, keep, **dial))
        return made[-1]

    yield connecting
    for connection in made:
        connection.close()
    exchange.close()


def request(target: str = "/", method: str = "GET") -> bytes:
    return serialize("http://127.0.0.1:1", method, target, {})


def exchange(connect: Connect, answer: bytes, *, keep: int = 100, method: str = "GET") -> tuple[int, bytes, int]:
    with scripted([answer]) as (address, _):
        got = connect(address, 2.0, keep).exchange(request(method=method))
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


def test_one_connection_serves_many_requests_and_nothing_of_one_answer_reaches_the_next(connect: Connect) -> None:
    with scripted([OK, b"HTTP/1.1 404 No\r\ncontent-length:3\r\n\r\nnay", OK]) as (address, received):
        connection = connect(address, 2.0, keep=10)
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
def test_bodies_end_where_http_says_and_are_kept_as_far_as_asked(
    connect: Connect, answer: bytes, body: bytes, length: int
) -> None:
    assert exchange(connect, answer)[1:] == (body, length)


def test_an_answer_to_head_has_no_body(connect: Connect) -> None:
    with scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", OK]) as (address, _):
        connection = connect(address, 2.0, keep=10)
        assert connection.exchange(request(method="HEAD")).length == 0
        assert connection.exchange(request()).body == b"ok"


def test_an_answer_may_come_in_small_pieces(connect: Connect) -> None:
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
    answer = connect(listener.getsockname()[:2], 5.0, keep=10).exchange(request())
    listener.close()
    assert (answer.status, answer.body, answer.header("location")) == (201, b"abcd", "/a/5")


@pytest.mark.parametrize(
    "last", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", b"HTTP/1.0 200 OK\r\n\r\nok"]
)
def test_a_connection_that_the_backend_ends_politely_is_replaced(connect: Connect, last: bytes) -> None:
    with scripted([last], [OK]) as (address, received):
        connection = connect(address, 2.0, keep=10)
        assert connection.exchange(request()).status == 200
        assert connection.exchange(request()).status == 200
    assert connection.reopened == 0
    assert len(received) == 2


def test_a_connection_that_was_closed_while_idle_is_opened_again_and_is_no_failure(connect: Connect) -> None:
    with scripted([OK], [OK]) as (address, received):
        connection = connect(address, 2.0)
        connection.exchange(request("/first"))
        time.sleep(0.05)
        assert connection.exchange(request("/second")).status == 200
    assert connection.reopened == 1
    assert [line.split()[1] for line in received] == [b"/first", b"/second"]


def failure(connect: Connect, answer: bytes | None, timeout: float = 2.0) -> str:
    with scripted([answer]) as (address, _):
        with pytest.raises(ExchangeFailed) as caught:
            connect(address, timeout).exchange(request())
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
def test_what_is_no_answer_says_why(connect: Connect, answer: bytes, kind: str) -> None:
    assert failure(connect, answer) == kind


def test_a_fresh_connection_that_ends_without_an_answer_is_a_failure_at_once(connect: Connect) -> None:
    with scripted([b""], [OK]) as (address, received):
        with pytest.raises(ExchangeFailed, match="closed"):
            connect(address, 2.0).exchange(request())
        assert len(received) == 1


def test_half_an_answer_on_a_kept_connection_is_not_repeated(connect: Connect) -> None:
    with scripted([OK, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal"], [OK]) as (address, _):
        connection = connect(address, 2.0)
        connection.exchange(request())
        with pytest.raises(ExchangeFailed, match="closed"):
            connection.exchange(request())


def test_silence_ends_with_the_timeout(connect: Connect) -> None:
    assert failure(connect, None, timeout=0.2) == "timeout"


def test_an_endless_answer_ends_with_the_timeout(connect: Connect) -> None:
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
        connect(listener.getsockname()[:2], 0.3).exchange(request())
    over.set()
    listener.close()
    assert caught.value.kind == "timeout"


def test_nobody_there_is_told_apart_from_silence(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()[:2]
    with pytest.raises(ExchangeFailed) as caught:
        connect(address, 1.0).exchange(request())
    assert caught.value.kind == "refused"


def test_an_answer_that_comes_before_the_request_was_read_counts(connect: Connect) -> None:
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
    answer = connect(listener.getsockname()[:2], 2.0).exchange(serialize("http://h", "POST", "/", {}, body))
    listener.close()
    assert answer.status == 413


def test_addresses() -> None:
    assert address_of("http://127.0.0.1:8123") == ("127.0.0.1", 8123)
    assert address_of("http://[::1]") == ("::1", 80)


def packed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_compressed_body_is_read_to_its_end_and_stays_as_it_came(connect: Connect, chunked: bool) -> None:
    body = packed(b"a long text " * 10_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
    if chunked:
        pieces = [body[start : start + 70] for start in range(0, len(body), 70)]
        framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        answer = head + b"Transfer-Encoding: chunked\r\n\r\n" + framed
    else:
        answer = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    with scripted([answer, answer, OK]) as (address, _):
        connection = connect(address, keep=len(body))
        for _ in range(2):
            got = connection.exchange(request())
            assert (got.body, got.length, got.header("Content-Encoding")) == (body, len(body), "gzip")
        assert connection.exchange(request()).body == b"ok"
    assert connection.reopened == 0


@pytest.mark.parametrize("length", [0, 1, 65_535, 65_536, 1_000_000])
def test_bodies_of_any_length_leave_the_connection_where_the_next_answer_begins(connect: Connect, length: int) -> None:
    big = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length, b"x" * length)
    with scripted([big, OK, big, OK]) as (address, received):
        connection = connect(address)
        assert [connection.exchange(request()).length for _ in range(4)] == [length, 2, length, 2]
    assert connection.reopened == 0
    assert len(received) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers_and_nobody_goes_there(connect: Connect, status: int) -> None:
    away = b"HTTP/1.1 %d Away\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" % status
    with scripted([away, OK]) as (address, received):
        connection = connect(address)
        assert connection.exchange(request("/here")).status == status
        assert connection.exchange(request("/next")).status == 200
    assert [line.split()[1] for line in received] == [b"/here", b"/next"]


def test_an_interim_answer_that_comes_alone_is_waited_over(connect: Connect) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            for _ in range(2):
                peer.recv(65536)
                peer.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
                time.sleep(0.03)
                peer.sendall(OK)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    connection = connect(listener.getsockname()[:2])
    assert [connection.exchange(request()).status for _ in range(2)] == [200, 200]
    listener.close()


def test_an_answer_without_a_length_ends_with_its_connection_and_the_next_request_opens_another(
    connect: Connect,
) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it"
    with scripted([endless], [endless], [OK]) as (address, received):
        connection = connect(address)
        assert [connection.exchange(request()).length for _ in range(3)] == [9, 9, 2]
    assert len(received) == 3
    assert connection.reopened == 0


def test_what_comes_with_an_answer_beyond_its_end_is_not_the_next_answer(connect: Connect) -> None:
    with scripted([OK + b"HTTP/1.1 500 Not Asked For\r\nContent-Length: 0\r\n\r\n"], [OK]) as (address, received):
        connection = connect(address)
        assert [connection.exchange(request()).status for _ in range(2)] == [200, 200]
    assert len(received) == 2


@pytest.mark.parametrize("close", [False, True], ids=["open", "closed"])
def test_what_comes_while_nobody_asked_is_not_the_next_answer(connect: Connect, close: bool) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    came = threading.Event()

    def serve() -> None:
        for number in range(2):
            peer, _ = listener.accept()
            peers.append(peer)
            peer.recv(65536)
            peer.sendall(OK)
            if number == 0:
                time.sleep(0.02)
                peer.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
                if close:
                    peer.shutdown(socket.SHUT_RDWR)
                came.set()

    peers: list[socket.socket] = []
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    connection = connect(listener.getsockname()[:2])
    assert connection.exchange(request()).status == 200
    assert came.wait(5)
    gevent.sleep(0.02)  # so that the loop sees it, where there is one
    assert connection.exchange(request()).status == 200
    assert connection.reopened == 1
    thread.join(5)
    for peer in peers:
        peer.close()
    listener.close()


def test_a_server_that_closes_after_every_answer_without_saying_so_is_asked_again_each_time(connect: Connect) -> None:
    with scripted(*([OK] for _ in range(4))) as (address, received):
        connection = connect(address)
        for number in range(4):
            assert connection.exchange(request(f"/{number}")).status == 200
            gevent.sleep(0.01)
    assert connection.reopened == 3
    assert [line.split()[1] for line in received] == [b"/0", b"/1", b"/2", b"/3"]


def test_answers_that_look_alike_are_told_apart_by_what_follows_their_head(connect: Connect) -> None:
    """A head that is known is not read again: everything that could make it end elsewhere is."""
    head = b"HTTP/1.1 200 OK\r\nX: alike\r\nContent-Length: 4\r\n\r\n"
    with scripted([head + b"abcd", head + b"abcd", head, head + b"abcd"], [head + b"abcdextra"], [OK]) as (address, _):
        connection = connect(address)
        assert [connection.exchange(request()).length for _ in range(2)] == [4, 4]
        assert connection.exchange(request(method="HEAD")).length == 0
        assert connection.exchange(request()).length == 4
        gevent.sleep(0.01)
        assert connection.exchange(request()).length == 4
        assert connection.exchange(request()).length == 2


def test_a_body_that_came_with_an_answer_to_head_belongs_to_nothing(connect: Connect) -> None:
    whole = b"HTTP/1.1 200 OK\r\nX: wrong\r\nContent-Length: 4\r\n\r\nabcd"
    with scripted([whole, whole], [OK]) as (address, received):
        connection = connect(address)
        assert connection.exchange(request()).length == 4
        assert connection.exchange(request(method="HEAD")).length == 0
        assert connection.exchange(request()).length == 2
    assert len(received) == 3


def test_silence_on_a_connection_that_served_before_is_not_asked_again(connect: Connect) -> None:
    with scripted([OK, None], [OK]) as (address, received):
        connection = connect(address, 0.2)
        connection.exchange(request())
        with pytest.raises(ExchangeFailed, match="timeout"):
            connection.exchange(request())
        assert len(received) == 2
    assert connection.reopened == 0


def test_a_known_head_whose_body_breaks_off_is_no_answer(connect: Connect) -> None:
    head = b"HTTP/1.1 200 OK\r\nX: broken\r\nContent-Length: 4\r\n\r\n"
    with scripted([head + b"abcd", head + b"ab"]) as (address, _):
        connection = connect(address)
        assert connection.exchange(request()).length == 4
        with pytest.raises(ExchangeFailed, match="closed"):
            connection.exchange(request())


def test_a_known_answer_that_ends_its_connection_is_not_kept_open(connect: Connect) -> None:
    last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    with scripted([last], [last], [last]) as (address, received):
        connection = connect(address)
        assert [connection.exchange(request()).status for _ in range(3)] == [200, 200, 200]
    assert (len(received), connection.reopened) == (3, 0)


def test_a_request_that_is_larger_than_the_buffers_of_the_kernel_is_sent_whole(connect: Connect) -> None:
    body = bytes(range(256)) * 40_000
    listener = socket.create_server(("127.0.0.1", 0))
    received = bytearray()

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            time.sleep(0.05)
            while not received.endswith(body[-256:]) or len(received) < len(body):
                received.extend(peer.recv(1 << 20))
            peer.sendall(OK)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    whole = serialize("http://h", "POST", "/", {}, body)
    assert connect(listener.getsockname()[:2], 10.0).exchange(whole).status == 200
    thread.join(5)
    listener.close()
    assert bytes(received) == whole


def test_nobody_who_reads_ends_with_the_timeout(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ExchangeFailed) as caught:
        connect(listener.getsockname()[:2], 0.2).exchange(serialize("http://h", "POST", "/", {}, b"x" * 20_000_000))
    assert caught.value.kind == "timeout"


def test_other_greenlets_run_while_one_waits_for_its_answer() -> None:
    exchange = Exchange()
    with scripted([None]) as (address, _):
        waiting = gevent.spawn(Connection(address, 5.0, dial=exchange.dial).exchange, request())
        gevent.sleep(0.02)
        assert not waiting.ready()
        waiting.kill()
        assert waiting.ready()
    exchange.close()
