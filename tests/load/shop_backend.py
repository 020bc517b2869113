"""A small shop over HTTP, on the standard library alone, with features that can be switched on by name.

`python shop_backend.py PORT [FEATURE…]`; the features are listed in OPTIONAL, and there are `login`,
`sluggish`, with which orders are listed late, `steady`, with which no answer takes less than 2 ms, and `healed`, which
does not crash. State is in memory.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FEATURES = frozenset(sys.argv[2:])
ORDER = {
    "type": "object",
    "required": ["item", "count"],
    "properties": {"item": {"type": "string", "example": "tea"}, "count": {"type": "integer", "minimum": 2}},
}


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def answers(*statuses: int) -> dict[str, Any]:
    return {"responses": {str(status): {"description": "as it is"} for status in statuses}}


OPTIONAL: dict[str, dict[str, Any]] = {
    "customers": {
        "/customers": {
            "post": {
                **json_body({"required": ["email"], "properties": {"email": {"type": "string", "format": "email"}}}),
                **answers(201, 409),
            }
        },
        "/orders/{order_id}/notes": {
            "post": {
                **json_body({"required": ["customer_id"], "properties": {"customer_id": {"type": "integer"}}}),
                **answers(201, 404),
            }
        },
    },
    "shutdown": {"/admin/shutdown": {"post": answers(200)}},
    "logout": {"/logout": {"post": answers(204)}},
    "deadly": {"/deadly": {"post": answers(200)}},
    "forgetful": {"/forgetful": {"post": answers(204)}},
    "moody": {"/moody": {"get": answers(200)}},
    "crashing": {"/crashing": {"get": answers(200)}},
    "failing": {"/failing": {"get": answers(200)}},
    "slow": {"/slow": {"get": answers(200)}},
    "fleeting": {"/fleeting": {"get": answers(200)}},
    "rude": {"/rude": {"get": answers(200)}},
    "away": {"/away": {"get": answers(302)}},
    "busy": {"/busy": {"get": answers(200)}},
    "growing": {"/growing": {"get": answers(200)}},
}  # fmt: skip
PATHS: dict[str, Any] = {
    "/orders": {"post": {**json_body(ORDER), **answers(201)}, "get": answers(200)},
    "/orders/{order_id}": {
        "parameters": [{"name": "order_id", "in": "path", "required": True, "schema": {"type": "integer"}}],
        "get": answers(200, 404),
        "put": {**json_body(ORDER), **answers(200, 404)},
        "delete": answers(204, 404),
    },
}
for feature in sorted(FEATURES & OPTIONAL.keys()):
    PATHS.update(OPTIONAL[feature])
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "http://192.0.2.1/api"}],
    "paths": PATHS,
}


class Shop:
    """What the shop knows."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.orders: dict[int, Any] = {}
        self.customers: dict[int, str] = {}
        self.next_order = 41
        self.visits: Counter[str] = Counter()
        self.logged_in = True
        self.seen: list[str] = []


SHOP = Shop()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        return

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(0.002 if "steady" in FEATURES else 0.0)
        path = self.path.partition("?")[0]
        if path == "/openapi.json":
            return self.answer(200, DOCUMENT)
        if path == "/seen":
            return self.answer(200, SHOP.seen)
        path = path.removeprefix("/api")
        if "login" in FEATURES and not (SHOP.logged_in and self.headers.get("Authorization") == "Bearer sesame-4711"):
            return self.answer(401)
        with SHOP.lock:
            SHOP.seen.append(f"{self.command} {path}")
            return self.route(path, json.loads(body) if body else None)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815

    def route(self, path: str, body: Any) -> None:
        order = re.fullmatch(r"/orders/(\d+)(/notes)?", path)
        if path == "/orders" and self.command == "POST":
            if body["count"] < 2:
                return self.answer(422)
            number, SHOP.next_order = SHOP.next_order, SHOP.next_order + 1
            SHOP.orders[number] = body
            return self.answer(201, {"id": number, **body}, Location=f"/api/orders/{number}")
        if path == "/orders":
            time.sleep(0.006 if "sluggish" in FEATURES else 0.0)
            return self.answer(200, [{"id": number} for number in list(SHOP.orders)[:10]])
        if order and int(order[1]) not in SHOP.orders:
            return self.answer(404)
        if order and order[2]:
            return self.answer(201 if body["customer_id"] in SHOP.customers else 404)
        if order and self.command == "DELETE":
            del SHOP.orders[int(order[1])]
            return self.answer(204)
        if order:
            return self.answer(200, {"id": int(order[1])})
        return self.special(path, body)

    def special(self, path: str, body: Any) -> None:
        if path not in PATHS:
            return self.answer(404)
        SHOP.visits[path] += 1
        visits = SHOP.visits[path]
        if path == "/customers":
            if body["email"] in SHOP.customers.values():
                return self.answer(409)
            SHOP.customers[7000 + len(SHOP.customers)] = body["email"]
            return self.answer(201, {"customer": {"id": 6999 + len(SHOP.customers)}})
        crashes = path == "/crashing" and visits > 8 and "healed" not in FEATURES
        if path in ("/admin/shutdown", "/deadly") or crashes:
            sys.stderr.write("going down\n")
            os._exit(3)
        if path in ("/logout", "/forgetful"):
            SHOP.logged_in = False
            return self.answer(204)
        if path == "/moody":
            return self.answer(500 if visits % 4 == 0 else 200)
        if path == "/failing":
            return self.answer(500)
        if path == "/fleeting":
            return self.answer(200 if visits == 1 else 429)
        if path == "/slow":
            time.sleep(0.02)
        if path == "/busy":
            end = time.thread_time() + 0.01
            while time.thread_time() < end:
                pass
        if path == "/growing":
            time.sleep(min(0.03, 0.0005 * visits))  # later and later: it bears 33 requests/s in the end
        if path == "/rude":
            self.close_connection = True  # without saying so
        if path == "/away":
            return self.answer(302, Location="http://192.0.2.1/elsewhere")
        return self.answer(200, {"ok": True})


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 256
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
