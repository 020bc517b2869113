"""A server that is faster than every load generator: answers of canned bytes, one loop, standard library only.

Run: python server.py PORT CORE
/items        JSON of a hundred bytes, at once
/held         the same, 2 ms after the request came
/unlike       the same with a head that is never the same twice
/chunked /gzip /error /away /close /drop   other framings, a 503, a redirect, a connection that ends after the answer
              without saying so, one that ends without an answer
/count        how many requests were answered, and the seconds of CPU that it took: text, two numbers
"""

import ctypes
import gzip
import os
import select
import socket
import sys
import time
from collections import deque

HELD = 0.002
BODY = b'{"items":[{"id":1,"name":"tea","price":350},{"id":2,"name":"coffee","price":420}],"total":2}'
PACKED = gzip.compress(BODY * 20)
END = b"\r\n\r\n"


def answer(line: bytes, body: bytes, *headers: bytes) -> bytes:
    head = (b"HTTP/1.1 " + line, b"Content-Type: application/json", b"Date: Mon, 02 Nov 2026 10:00:00 GMT", *headers)
    return b"\r\n".join((*head, b"Content-Length: %d" % len(body), b"", body))


ITEMS = answer(b"200 OK", BODY)
ANSWERS = {
    b"gzip": answer(b"200 OK", PACKED, b"Content-Encoding: gzip"),
    b"chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    b"error": answer(b"503 Busy", b"busy"),
    b"away": answer(b"302 Found", b"", b"Location: /items"),
    b"close": ITEMS,
    b"drop": b"",
}


class Timer:
    """A timer that epoll can watch: its own timeouts are whole milliseconds."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self.number = self._library.timerfd_create(1, 0o4000)
        self._spec = (ctypes.c_long * 4)()

    def set(self, moment: float) -> None:
        """Let `number` become readable at a moment of the monotonic clock; not any more before that."""
        seconds = int(moment)
        self._spec[2], self._spec[3] = seconds, int((moment - seconds) * 1e9) + 1
        self._library.timerfd_settime(self.number, 1, self._spec, None)


class Server:
    def __init__(self, port: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self.listener.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(self.listener.fileno(), select.EPOLLIN)
        self.timer = Timer()
        self.epoll.register(self.timer.number, select.EPOLLIN)
        self.peers: dict[int, socket.socket] = {}
        self.held: deque[tuple[float, socket.socket]] = deque()
        self.answered = 0

    def serve(self) -> None:
        poll, held, peers = self.epoll.poll, self.held, self.peers
        while True:
            for number, _ in poll():
                peer = peers.get(number)
                if peer is None:
                    if number == self.timer.number:
                        self.release()
                    else:
                        self.accept()
                    continue
                try:
                    data = peer.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    self.forget(peer)
                elif data.startswith(b"GET /items"):
                    self.answered += 1
                    peer.send(ITEMS)
                elif data.startswith(b"GET /held"):
                    held.append((time.monotonic() + HELD, peer))
                    if len(held) == 1:
                        self.timer.set(held[0][0])
                else:
                    self.other(peer, data[5 : data.index(b" ", 5)])

    def release(self) -> None:
        held = self.held
        while held and held[0][0] <= time.monotonic():
            self.answered += 1
            peer = held.popleft()[1]
            if peer.fileno() >= 0:
                peer.send(ITEMS)
        self.timer.set(held[0][0] if held else float(2**31))

    def accept(self) -> None:
        peer, _ = self.listener.accept()
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peers[peer.fileno()] = peer
        self.epoll.register(peer.fileno(), select.EPOLLIN)

    def forget(self, peer: socket.socket) -> None:
        del self.peers[peer.fileno()]
        peer.close()

    def other(self, peer: socket.socket, path: bytes) -> None:
        if path == b"count":
            peer.send(answer(b"200 OK", b"%d %f" % (self.answered, time.process_time())))
            return
        self.answered += 1
        if path == b"unlike":
            peer.send(answer(b"200 OK", BODY, b"X-Request-Id: %d" % self.answered))
        else:
            peer.send(ANSWERS[path])
            if path in (b"close", b"drop"):
                self.forget(peer)


def first() -> bool:
    """Let this process run before ordinary ones, so that neighbours disturb less, and return whether it may."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[2])})
    first()
    Server(int(sys.argv[1])).serve()
