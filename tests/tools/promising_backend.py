"""A small order service that keeps or breaks what it promised: `promising_backend.py PORT FEATURE…`.

Its document is the same whatever it breaks, unless a feature says `documented`. Identifiers differ from start to start.

no-count      orders lack `count`            refuses     an order needs a `channel` as well
text-ids      identifiers are texts          renamed     /orders is /purchases
nullable      `item` may be null             no-delete   DELETE is answered 405
created-200   POST answers 200               no-id       a new order is answered without its `id`
extra         orders have one property more  text        /status is plain text
crash         /status answers 500            moody       /moody answers 400 on every third start
accepting     a wrong body is accepted       login       everything but /status needs the login
deadly        /deadly ends the backend       once        /status answers 500 on the first start, by a file
documented    the document goes along with `renamed`; without it, what is gone stays in the document
seeded        there is an order from the start, and no way to make one
one-member    there may be one member only
sunset        the orders' operations are announced to end
"""

from __future__ import annotations

import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FEATURES = set(sys.argv[2:])
LOGIN = "Bearer sesame-4711"
ORDERS = "/purchases" if "renamed" in FEATURES else "/orders"
STARTS = int(Path("starts").read_text()) + 1 if Path("starts").exists() else 1
FIRST = 1000 + os.getpid() % 5000
SEEDED = {FIRST: {"id": FIRST, "item": "tea", "count": 1}} if "seeded" in FEATURES else {}
STATE: dict[str, dict[int, dict[str, Any]]] = {"orders": SEEDED, "members": {}}

ORDER = {
    "type": "object",
    "required": ["id", "item", "count"],
    "properties": {"id": {"type": "integer"}, "item": {"type": "string"}, "count": {"type": "integer"}},
}
NEW_ORDER = {
    "type": "object",
    "required": ["item", "count"],
    "properties": {
        "item": {"type": "string", "minLength": 1, "maxLength": 40, "example": "tea"},
        "count": {"type": "integer", "minimum": 1, "maximum": 99},
    },
}
NEW_MEMBER = {
    "type": "object",
    "required": ["email", "password"],
    "properties": {
        "email": {"type": "string", "format": "email"},
        "password": {"type": "string", "example": "the-shown-secret-99"},
    },
}


def answers(*statuses: int, schema: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = {str(status): {"description": "as it is"} for status in statuses}
    if schema is not None:
        found[str(statuses[0])]["content"] = {"application/json": {"schema": schema}}
    return {"responses": found}


def sent(schema: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def document() -> dict[str, Any]:
    orders = ORDERS if "documented" in FEATURES else "/orders"
    ending = {"deprecated": True, "x-sunset": "2026-01-31"} if "sunset" in FEATURES else {}
    number = {"name": "order_id", "in": "path", "required": True, "schema": {"type": "integer"}}
    member = {"name": "member_id", "in": "path", "required": True, "schema": {"type": "integer"}}
    secret = {"name": "api_key", "in": "query", "schema": {"type": "string"}, "example": "the-shown-key-77"}
    paths: dict[str, Any] = {
        orders: {
            "get": {**answers(200, 401, schema={"type": "array", "items": ORDER}), **ending},
            "post": {**sent(NEW_ORDER), **answers(201, 401, 422, schema=ORDER), **ending},
        },
        f"{orders}/{{order_id}}": {
            "parameters": [number],
            "get": {**answers(200, 401, 404, 422, schema=ORDER), **ending},
            "delete": {**answers(204, 401, 404, 422), **ending},
        },
        "/members": {"post": {**sent(NEW_MEMBER), **answers(201, 401, 409, 422)}},
        "/members/{member_id}": {"get": {"parameters": [member, secret], **answers(200, 401, 404)}},
        "/status": {"get": answers(200, schema={"type": "object", "required": ["version"]})},
        "/logout": {"post": answers(204)},
    }
    if "seeded" in FEATURES:
        del paths[orders]["post"]
    for feature in ("moody", "deadly"):
        if feature in FEATURES:
            paths[f"/{feature}"] = {"get": answers(200, 400)}
    return {"openapi": "3.0.3", "info": {"title": "orders", "version": "1"}, "paths": paths}


class Handler(BaseHTTPRequestHandler):
    """Answers as the features say."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def log_message(self, *arguments: object) -> None:
        print(self.command, self.path, flush=True)

    def answer(self, status: int, content: Any = None, kind: str = "application/json") -> None:
        body = b"" if content is None else (content if kind == "text/plain" else json.dumps(content)).encode()
        self.send_response(status)
        if body:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path == "/openapi.json":
            return self.answer(200, document())
        if path == "/status" and self.command == "GET":
            return self.status()
        if "login" in FEATURES and self.headers.get("Authorization") != LOGIN:
            return self.answer(401, {"problem": "who are you?"})
        match = re.fullmatch(rf"({ORDERS}|/members)(?:/([^/]+))?", path)
        if match is not None:
            return self.resource("members" if match[1] == "/members" else "orders", match[2], content)
        if path == "/logout" and self.command == "POST":
            return self.answer(204)
        if path == "/me":
            return self.answer(200, {})
        if path == "/moody" and "moody" in FEATURES:
            return self.answer(200 if STARTS % 3 else 400, {"mood": "any"})
        if path == "/deadly" and "deadly" in FEATURES:
            print("going down", flush=True)
            os._exit(3)
        return self.answer(404, {"problem": "no such thing"})

    def status(self) -> None:
        once = Path("once")
        first = "once" in FEATURES and not once.exists()
        if first:
            once.touch()
        if "crash" in FEATURES or first:
            return self.answer(500, {"problem": "oh"})
        if "text" in FEATURES:
            return self.answer(200, "version 1", "text/plain")
        return self.answer(200, {"version": "1", "load": 0.5, "2026-11-24": 1})

    def resource(self, name: str, key: str | None, content: bytes) -> None:
        if key is None and self.command == "GET" and name == "orders":
            return self.answer(200, [self.shown(name, one) for one in STATE[name].values()])
        if key is None and self.command == "POST" and not (name == "orders" and "seeded" in FEATURES):
            return self.create(name, content)
        if key is None:
            return self.answer(405)
        number = int(key) if key.isdigit() else -1
        if self.command not in ("GET", "DELETE") or (self.command == "DELETE" and "no-delete" in FEATURES):
            return self.answer(405)
        if number not in STATE[name]:
            return self.answer(404, {"problem": "no such thing"})
        if self.command == "DELETE":
            del STATE[name][number]
            return self.answer(204)
        return self.answer(200, self.shown(name, STATE[name][number]))

    def create(self, name: str, content: bytes) -> None:
        try:
            new = json.loads(content)
        except ValueError:
            new = None
        needed = {"orders": {"item", "count"}, "members": {"email", "password"}}[name]
        needed |= {"channel"} if "refuses" in FEATURES and name == "orders" else set()
        if "accepting" in FEATURES and not isinstance(new, dict):
            new = {"item": "nothing", "count": 1, "email": str(len(STATE[name])), "password": "x"}
        good = isinstance(new, dict) and needed <= new.keys()
        if good and name == "orders":
            good = isinstance(new["item"], str) and isinstance(new["count"], int) and 1 <= new["count"] <= 99
        if not good:
            return self.answer(422, {"problem": "that is not valid"})
        if name == "members" and "one-member" in FEATURES and STATE[name]:
            return self.answer(409, {"problem": "there is one already"})
        if name == "members" and any(one["email"] == new["email"] for one in STATE[name].values()):
            return self.answer(409, {"problem": "there already"})
        number = FIRST + len(STATE[name]) + (0 if name == "orders" else 700_000)
        STATE[name][number] = {"id": number, **{key: new[key] for key in sorted(needed)}}
        shown = self.shown(name, STATE[name][number])
        if "no-id" in FEATURES and name == "orders":
            del shown["id"]
        return self.answer(200 if "created-200" in FEATURES else 201, shown)

    def shown(self, name: str, one: dict[str, Any]) -> dict[str, Any]:
        found = {key: value for key, value in one.items() if key != "password"}
        if name == "members":
            return found
        if "no-count" in FEATURES:
            del found["count"]
        if "nullable" in FEATURES:
            found["item"] = None
        if "text-ids" in FEATURES:
            found["id"] = str(found["id"])
        return {**found, "more": True} if "extra" in FEATURES else found

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = handle_one  # noqa: N815


if __name__ == "__main__":
    Path("starts").write_text(str(STARTS))
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
