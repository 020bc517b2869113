"""The recording proxy before a real server: what goes through is what was sent, and each answer is noted once."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from gates.client import free_port
from gates.proxy import RecordingProxy, recording

LARGE = b"0123456789abcdef" * (8 * 2**16)  # 8 MiB


class Handler(BaseHTTPRequestHandler):
    """Answers what its path asks for."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[tuple[str, int]]] = set()

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        name = self.path.partition("?")[0].strip("/").replace("-", "_") or "plain"
        getattr(self, f"answer_{name}", self.answer_missing)()

    do_POST = do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815 - the names that http.server asks for

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_plain(self) -> None:
        self.send(200, b"hello", X_Host=self.headers["Host"], X_Auth=self.headers.get("Authorization", "none"))

    def answer_missing(self) -> None:
        self.send(404)

    def answer_empty(self) -> None:
        self.send_response(204)
        self.end_headers()

    def answer_same(self) -> None:
        self.send_response(304)
        self.send_header("Content-Length", "500")
        self.end_headers()

    def answer_gzip(self) -> None:
        self.send(200, gzip.compress(b"squeezed", mtime=0), Content_Encoding="gzip")

    def answer_large(self) -> None:
        self.send(200, LARGE)

    def answer_digest(self) -> None:
        self.send(200, hashlib.sha256(self.read_body()).hexdigest().encode())

    def answer_away(self) -> None:
        self.send(302, Location=f"http://127.0.0.1:{self.server.server_address[1]}/plain?x=1")

    def answer_elsewhere(self) -> None:
        self.send(302, Location="http://example.org/plain")

    def answer_early(self) -> None:
        self.close_connection = True
        self.send(413, b"too large")

    def answer_until_closed(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"until the end")

    def answer_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b"one", b"two" * 1000, b"three"):
            self.wfile.write(f"{len(part):x};note=1\r\n".encode() + part + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\nX-Trailer: yes\r\n\r\n")

    def answer_short(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")

    def answer_silent(self) -> None:
        self.close_connection = True

    def answer_socket(self) -> None:
        self.close_connection = True
        self.send_response(101)
        self.send_header("Upgrade", "echo")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        while data := self.connection.recv(1024):
            self.connection.sendall(data.upper())

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Lets as many wait as many clients at once are."""

    request_queue_size = 128
    daemon_threads = True


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def proxy(origin: str) -> Iterator[RecordingProxy]:
    with recording(origin) as proxy:
        yield proxy


Ask = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def connection(proxy: RecordingProxy) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=10)) as connection:
        yield connection


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, *arguments: Any, **options: Any
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, path, *arguments, **options)
    answer = connection.getresponse()
    return answer, answer.read()


def noted(proxy: RecordingProxy) -> dict[tuple[str, str, int], int]:
    return {(call.method, call.path, call.status): call.count for call in proxy.calls()}


def test_many_requests_on_one_connection(proxy: RecordingProxy, connection: http.client.HTTPConnection) -> None:
    for _ in range(3):
        answer, body = ask(connection, "GET", "/plain?secret=1")
        assert (answer.status, body) == (200, b"hello")
    kept = connection.sock
    for method, path, status in (
        ("HEAD", "/plain", 200), ("GET", "/empty", 204), ("GET", "/same", 304), ("DELETE", "/nothing", 404),
        ("GET", "/plain", 200),
    ):  # fmt: skip
        answer, _ = ask(connection, method, path)
        assert answer.status == status
        assert connection.sock is kept
    assert noted(proxy) == {
        ("GET", "/plain", 200): 4, ("HEAD", "/plain", 200): 1, ("GET", "/empty", 204): 1, ("GET", "/same", 304): 1,
        ("DELETE", "/nothing", 404): 1,
    }  # fmt: skip
    assert proxy.troubles() == {}


def test_headers_and_bodies_are_not_touched(proxy: RecordingProxy, connection: http.client.HTTPConnection) -> None:
    answer, _ = ask(connection, "GET", "/plain")
    assert answer.headers["X-Host"] == urlsplit(proxy.url).netloc
    assert answer.headers["X-Auth"] == "none"  # no login is added
    answer, _ = ask(connection, "GET", "/plain", headers={"Authorization": "mine"})
    assert answer.headers["X-Auth"] == "mine"
    answer, body = ask(connection, "GET", "/gzip")
    assert (answer.headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", b"squeezed")
    answer, body = ask(connection, "GET", "/chunks")
    assert body == b"one" + b"two" * 1000 + b"three"
    answer, body = ask(connection, "GET", "/until-closed")
    assert body == b"until the end"


def test_large_bodies_go_through_both_ways(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "GET", "/large")[1] == LARGE
    told = hashlib.sha256(LARGE).hexdigest().encode()
    assert ask(connection, "POST", "/digest", LARGE)[1] == told
    parts = (LARGE[start : start + 2**18] for start in range(0, len(LARGE), 2**18))
    assert ask(connection, "PUT", "/digest", parts, encode_chunked=True)[1] == told


def raw(proxy: RecordingProxy, *parts: bytes) -> bytes:
    """Send parts, each after an answer to the one before began to come; return all that was answered."""
    answer = b""
    with socket.create_connection(("127.0.0.1", urlsplit(proxy.url).port or 0), timeout=10) as client:
        for number, part in enumerate(parts):
            if number:
                answer += client.recv(65536)
            client.sendall(part)
        client.shutdown(socket.SHUT_WR)
        while data := client.recv(65536):
            answer += data
    return answer


def test_a_body_that_waits_to_be_asked_for(proxy: RecordingProxy) -> None:
    head = b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    answer = raw(proxy, head, b"abc")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n")
    assert answer.endswith(hashlib.sha256(b"abc").hexdigest().encode())
    assert noted(proxy) == {("POST", "/digest", 200): 1}


def test_an_answer_before_the_body_was_sent(proxy: RecordingProxy) -> None:
    answer = raw(proxy, b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", b"abc")
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b"too large")


def test_an_upgraded_connection_speaks_its_own_protocol(proxy: RecordingProxy) -> None:
    answer = raw(proxy, b"GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n", b"hello")
    assert answer.startswith(b"HTTP/1.1 101")
    assert answer.endswith(b"HELLO")
    assert noted(proxy) == {("GET", "/socket", 101): 1}


def test_redirections_to_the_backend_stay_before_it(
    proxy: RecordingProxy, connection: http.client.HTTPConnection
) -> None:
    assert ask(connection, "GET", "/away")[0].headers["Location"] == f"{proxy.url}/plain?x=1"
    assert ask(connection, "GET", "/elsewhere")[0].headers["Location"] == "http://example.org/plain"


def test_only_the_backend_is_reached(proxy: RecordingProxy, origin: str) -> None:
    assert raw(proxy, f"GET {proxy.url}/plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()).endswith(
        b"hello"
    )
    for target in ("http://example.org/plain", origin + "/plain", "example.org:443"):
        method = "GET" if "/" in target else "CONNECT"
        assert raw(proxy, f"{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).startswith(b"HTTP/1.1 403")
    assert noted(proxy) == {("GET", "/plain", 200): 1}
    assert all("only the backend is reached" in trouble for trouble in proxy.troubles())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00garbage\r\n\r\n", 400), (b"GET /plain\r\n\r\n", 400),
        (b"GET /plain HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET /plain HTTP/1.1\r\nX: " + b"a" * 300_000 + b"\r\n\r\n", 431), (b"GET /plain HTTP/1.1\r\nHost", 400),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(proxy: RecordingProxy, sent: bytes, status: int) -> None:
    assert raw(proxy, sent).startswith(f"HTTP/1.1 {status} ".encode())
    assert noted(proxy) == {}


def test_what_the_backend_does_not_answer_is_told_and_is_none_of_its_answers(
    proxy: RecordingProxy, connection: http.client.HTTPConnection
) -> None:
    answer, body = ask(connection, "GET", "/silent")
    assert (answer.status, b"gave no answer to GET /silent" in body) == (502, True)
    connection.request("GET", "/short")
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    assert noted(proxy) == {("GET", "/short", 200): 1}
    assert list(proxy.troubles()) == [
        "the backend gave no answer to GET /silent", "the answer to GET /short did not get through whole",
    ]  # fmt: skip


def test_a_backend_that_is_gone_is_a_502() -> None:
    with recording(f"http://127.0.0.1:{free_port()}") as proxy:
        with contextlib.closing(http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=10)) as connection:
            answer, body = ask(connection, "GET", "/plain")
        assert (answer.status, b"cannot be reached" in body) == (502, True)
        assert noted(proxy) == {}


def test_many_clients_at_once_are_each_counted(proxy: RecordingProxy) -> None:
    def client() -> None:
        with contextlib.closing(http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=30)) as connection:
            for number in range(20):
                assert ask(connection, "POST", "/digest", b"x" * number)[0].status == 200

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert noted(proxy) == {("POST", "/digest", 200): 320}


def test_nothing_is_left_of_it(origin: str) -> None:
    before = set(threading.enumerate())
    with recording(origin) as proxy:
        idle = socket.create_connection(("127.0.0.1", urlsplit(proxy.url).port or 0), timeout=10)
        idle.sendall(b"GET /plain HTTP/1.1\r\n")
    with contextlib.suppress(ConnectionResetError):
        assert idle.recv(1) == b""
    idle.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", urlsplit(proxy.url).port or 0), timeout=1)
    for thread in set(threading.enumerate()) - before:
        if "proxy" in thread.name:
            thread.join(timeout=5)
            assert not thread.is_alive()
