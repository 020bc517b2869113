"""A small shop whose time is known: python service.py --port 8080 [--data ANYWHERE].

Five operations of about half a millisecond of Python each; one of them waits for a slow archive as well. What a build
adds to that stands in `effect.py` beside this file; without one it adds nothing.
"""

import argparse
import hashlib
import importlib
import itertools
import json
import random
import signal
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import gevent
from gevent.pywsgi import WSGIServer

ROUNDS = {
    "GET /items": 13_000,
    "GET /items/{item_id}": 14_000,
    "POST /items": 15_000,
    "GET /search": 16_000,
    "GET /report": 12_000,
}
"""Rounds of work of each operation, about 35 ns each: most of what a client waits for, the archive aside."""
WHOLE = {
    "GET /items": 19_200,
    "GET /items/{item_id}": 18_900,
    "POST /items": 20_900,
    "GET /search": 21_600,
    "GET /report": 99_400,
}
"""Rounds that take as long as all that a client waits for under the load of the recorder, so that an effect of 10 % is
one of 10 % to the client. Found by trial: `replay.py` tells the shift that the rows of an effect really have."""
ARCHIVE = (0.003, 0.004)
"""Seconds that the archive takes, at least and at most."""
longer = [1.0]
"""How many times as long it takes in this build."""
WORDS = ("anchor", "basket", "candle", "drawer", "engine", "funnel", "gasket", "hammer", "insole", "jacket")
PLAIN = [("Content-Type", "application/json")]

Answer = tuple[str, bytes]
Handler = Callable[[str, bytes], Answer]


def work(rounds: int) -> int:
    """Compute something that takes time in proportion to `rounds`, without waiting."""
    value = 17
    for number in range(rounds):
        value = (value * 31 + number) & 0xFFFFFF
    return value


def ask_archive() -> None:
    """Wait for the archive, which lets other requests through in the meantime."""
    gevent.get_hub().threadpool.apply(time.sleep, (random.uniform(*ARCHIVE) * longer[0],))


ITEMS: dict[int, dict[str, Any]] = {
    number: {"id": number, "name": f"{WORDS[number % 10]} {number}", "price": 100 + number * 7 % 900}
    for number in range(1, 41)
}
NUMBERS = itertools.count(41)
KEPT = 60
"""The first numbers of items stay for good: requests may ask for them by number."""


def _json(status: str, value: Any) -> Answer:
    return status, json.dumps(value).encode()


def list_items(path: str, body: bytes) -> Answer:
    """Return the items, dearest first, with a checksum."""
    checksum = work(ROUNDS["GET /items"])
    dearest = sorted(ITEMS.values(), key=lambda item: item["price"], reverse=True)
    return _json("200 OK", {"items": dearest[:20], "checksum": checksum})


def get_item(path: str, body: bytes) -> Answer:
    """Return one item."""
    checksum = work(ROUNDS["GET /items/{item_id}"])
    last = path.rpartition("/")[2]
    item = ITEMS.get(int(last)) if last.isdigit() else None
    if item is None:
        return _json("404 Not Found", {"error": "there is no such item"})
    return _json("200 OK", {**item, "checksum": checksum})


def add_item(path: str, body: bytes) -> Answer:
    """Take an item in; only the newest few are kept, so that the shop does not grow."""
    try:
        given = json.loads(body)
        item = {"id": 0, "name": str(given["name"])[:80], "price": int(given["price"])}
    except (ValueError, KeyError, TypeError):
        return _json("422 Unprocessable Entity", {"error": "name and price are needed"})
    work(ROUNDS["POST /items"])
    item["id"] = next(NUMBERS)
    item["token"] = hashlib.sha256(json.dumps(item).encode()).hexdigest()
    ITEMS[item["id"]] = item
    if item["id"] > KEPT:
        del ITEMS[item["id"] - 5]
    return _json("201 Created", item)


def search(path: str, body: bytes) -> Answer:
    """Return the items whose name begins with the words of the query."""
    checksum = work(ROUNDS["GET /search"])
    found = [item for item in ITEMS.values() if item["name"].startswith("b")]
    return _json("200 OK", {"items": found[:10], "checksum": checksum})


def report(path: str, body: bytes) -> Answer:
    """Return sums, after the archive was asked."""
    ask_archive()
    checksum = work(ROUNDS["GET /report"])
    return _json("200 OK", {"sum": sum(item["price"] for item in ITEMS.values()), "checksum": checksum})


HANDLERS: dict[str, Handler] = {
    "GET /items": list_items,
    "GET /items/{item_id}": get_item,
    "POST /items": add_item,
    "GET /search": search,
    "GET /report": report,
}


def _document() -> dict[str, Any]:
    """Return the OpenAPI document of the five operations."""
    integer, text = {"type": "integer"}, {"type": "string"}
    ok = {"200": {"description": "as asked"}}
    item = {
        "type": "object",
        "required": ["name", "price"],
        "properties": {
            "name": {**text, "maxLength": 40, "example": "candle"},
            "price": {**integer, "minimum": 1, "example": 250},
        },
    }
    identifier = {"name": "item_id", "in": "path", "required": True, "schema": {**integer, "example": 7}}
    query = {"name": "q", "in": "query", "required": True, "schema": {**text, "example": "basket"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "detection", "version": "1"},
        "paths": {
            "/items": {
                "get": {"responses": ok},
                "post": {
                    "requestBody": {"required": True, "content": {"application/json": {"schema": item}}},
                    "responses": {"201": {"description": "taken in"}},
                },
            },
            "/items/{item_id}": {"get": {"parameters": [identifier], "responses": ok}},
            "/search": {"get": {"parameters": [query], "responses": ok}},
            "/report": {"get": {"responses": ok}},
        },
    }


def _operation(method: str, path: str) -> str:
    if path.startswith("/items/"):
        return f"{method} /items/{{item_id}}"
    return f"{method} {path}"


def _unchanged(operation: str, answer: Callable[[], Answer]) -> Answer:
    return answer()


def application(around: Callable[[str, Callable[[], Answer]], Answer]) -> Callable[..., Iterable[bytes]]:
    """Return the service as WSGI; `around` is what a build does around each of its answers."""
    document = json.dumps(_document()).encode()

    def serve(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in ("/health", "/openapi.json"):
            start("200 OK", PLAIN)
            return [document if path == "/openapi.json" else b"{}"]
        operation = _operation(environ["REQUEST_METHOD"], path)
        handler = HANDLERS.get(operation)
        if handler is None:
            start("404 Not Found", PLAIN)
            return [b"{}"]
        body = environ["wsgi.input"].read()
        status, content = around(operation, lambda: handler(path, body))
        start(status, [*PLAIN, ("Content-Length", str(len(content)))])
        return [content]

    return serve


class Server(WSGIServer):
    """Sends what it has at once: head and body go out one after the other, and would wait for each other."""

    def handle(self, client_socket: socket.socket, address: tuple[str, int]) -> None:
        client_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle(client_socket, address)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--data", help="is taken, and not used")
    options = parser.parse_args(arguments)
    try:
        around = importlib.import_module("effect").around
    except ModuleNotFoundError:
        around = _unchanged
    server = Server(("127.0.0.1", options.port), application(around), log=None)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, server.stop)
    server.serve_forever()


if __name__ == "__main__":
    import service  # not this module once more: what a build changes in it has to be what serves

    service.main()
