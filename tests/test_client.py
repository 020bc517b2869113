"""The harness's own requests: any answer is an answer, and what is none is told in one sentence."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from gates import client

Answers = Callable[..., str]


@pytest.fixture
def answering() -> Iterator[Answers]:
    """Returns the origin of a server that sends these bytes, whatever it is asked, and then closes the connection."""
    servers: list[socket.socket] = []

    def start(*pieces: bytes, listen: bool = True) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        port = server.getsockname()[1]
        if not listen:
            server.close()
            return f"http://127.0.0.1:{port}"

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{port}"

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.0 503 Busy\r\nContent-Length: 0\r\n\r\n", 503, b""),
        (b"HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\nContent-Length: 0\r\n\r\n", 302, b""),
    ],
    ids=["length", "close", "chunked", "empty", "old", "redirect"],
)
def test_an_answer_is_an_answer_and_redirects_are_never_followed(
    answering: Answers, raw: bytes, status: int, body: bytes
) -> None:
    answer = client.request(answering(raw), "GET", "/")
    assert (answer.status, answer.body) == (status, body)


def test_header_names_are_lower_case_and_text_is_text_whatever_it_is(answering: Answers) -> None:
    answer = client.request(answering(b"HTTP/1.1 200 OK\r\nX-Thing: Yes\r\nContent-Length: 2\r\n\r\n\xff!"), "GET", "/")
    assert answer.headers["x-thing"] == "Yes"
    assert answer.text == "\ufffd!"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", "broke off 8 bytes before its end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", "GET /x was not answered"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "GET /x was not answered"),
        (b"", "GET /x was not answered"),
    ],
    ids=["length", "chunked", "not HTTP", "nothing"],
)
def test_what_is_no_whole_answer_is_none(answering: Answers, raw: bytes, reason: str) -> None:
    with pytest.raises(client.NoAnswer, match=reason):
        client.request(answering(raw), "GET", "/x")


def test_nobody_listens(answering: Answers) -> None:
    with pytest.raises(client.NoAnswer, match=r"GET / was not answered: .*refused"):
        client.request(answering(listen=False), "GET", "/")


def test_silence_ends_with_the_time(answering: Answers) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, pytest.raises(client.NoAnswer, match=r"GET / was not answered within 0\.2 s"):
        client.request(f"http://127.0.0.1:{silent.getsockname()[1]}", "GET", "/", timeout=0.2)


def test_an_answer_that_is_too_large_is_not_kept(answering: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BODY", 1024)
    with pytest.raises(client.NoAnswer, match="answered with more than"):
        client.request(answering(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 5000), "GET", "/")


def test_a_header_that_cannot_be_sent_is_told(answering: Answers) -> None:
    with pytest.raises(client.NoAnswer):
        client.request(answering(b""), "GET", "/", headers={"X": "a\nb"})


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", client.free_port())):
        pass
