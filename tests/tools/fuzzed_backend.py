"""A small HTTP API that misbehaves on request: `fuzzed_backend.py PORT FEATURE…`; its document names the features."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "sesame-4711"
FEATURES = set(sys.argv[2:])
BASE = "/api/v1" if "base" in FEATURES else ""
ITEMS: dict[int, dict[str, Any]] = {1: {"id": 1, "name": "first"}}
STATE = {"logged_in": True, "answers": 0}

ITEM = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
    "required": ["id", "name"],
}
NEW_ITEM = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 20}},
    "required": ["name"],
    "additionalProperties": False,
}
PROBLEM = {"description": "A problem", "content": {"application/json": {"schema": {"type": "object"}}}}


def answers(schema: dict[str, Any], status: str = "200", *others: str) -> dict[str, Any]:
    good = {"description": "Good", "content": {"application/json": {"schema": schema}}}
    return {status: good, **dict.fromkeys(("400", "405", *others), PROBLEM)}


def query(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": True, "schema": schema}


def operations() -> dict[str, dict[str, Any]]:
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    body = {"required": True, "content": {"application/json": {"schema": NEW_ITEM}}}
    bearer = [{"bearer": []}]
    possible: dict[str, dict[str, Any]] = {
        "items": {
            "/items": {
                "get": {"responses": answers({"type": "array", "items": ITEM})},
                "post": {"requestBody": body, "responses": answers(ITEM, "201")},
            },
            "/items/{id}": {"get": {"parameters": [number], "responses": answers(ITEM, "200", "404")}},
        },
        "crash": {"/crash": {"get": {"parameters": [query("n", type="integer")], "responses": answers({})}}},
        "liar": {"/liar": {"get": {"responses": answers(ITEM)}}},
        "drop": {"/drop": {"get": {"responses": answers({})}}},
        "slow": {"/slow": {"get": {"responses": answers({})}}},
        "sleepy": {
            f"/sleepy{n}": {"get": {"parameters": [query("n", type="integer")], "responses": answers({})}}
            for n in range(4)
        },
        "moody": {"/moody": {"get": {"responses": answers({})}}},
        "shutdown": {"/shutdown": {"post": {"responses": answers({})}}},
        "away": {"/away": {"get": {"responses": {"302": {"description": "Elsewhere"}, **answers({})}}}},
        "me": {"/me": {"get": {"security": bearer, "responses": answers({"type": "object"}, "200", "401")}}},
        "diary": {"/diary": {"get": {"security": bearer, "responses": answers({"type": "object"})}}},
        "logout": {"/logout": {"post": {"security": bearer, "responses": answers({}, "200", "401")}}},
        "broken": {
            "/broken": {"get": {"parameters": [{"$ref": "#/components/parameters/nowhere"}], "responses": answers({})}}
        },
    }
    paths: dict[str, dict[str, Any]] = {}
    for feature, found in possible.items():
        if feature in FEATURES:
            paths.update(found)
    for item in paths.values():
        # Neither is to be believed: the target is this process.
        item["servers"] = [{"url": "http://stranger.invalid:81/elsewhere"}]
    return paths


def document() -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": "fuzzed", "version": "1"},
        "servers": [{"url": f"http://stranger.invalid{BASE}"}],
        "paths": operations(),
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet: no wait for a delayed acknowledgement

    def log_message(self, *arguments: object) -> None:
        print(self.command, self.path, flush=True)

    def answer(self, status: int, content: Any = None, **headers: str) -> None:
        body = json.dumps(content if content is not None else {"problem": status}).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self) -> None:
        size = self.headers.get("Content-Length", "0")
        self.content = self.rfile.read(int(size)) if size.isdigit() else b""
        parts = urlsplit(self.path)
        if parts.path == "/openapi.json":
            return self.answer(200, document())
        path = parts.path.removeprefix(BASE) if parts.path.startswith(BASE) else "/nowhere"
        methods = {
            method.upper()
            for template, item in operations().items()
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]*", template), path)
            for method in item
            if method != "servers"
        }
        if not methods:
            return self.answer(404)
        if self.command not in methods:
            return self.answer(405, Allow=", ".join(sorted(methods)))
        return self.act(path, parse_qs(parts.query, keep_blank_values=True))

    def number(self, values: list[str] | None) -> int | None:
        text = values[0] if values and len(values) == 1 else ""
        return int(text) if re.fullmatch(r"-?(0|[1-9][0-9]*)", text) else None

    def may(self) -> bool:
        return STATE["logged_in"] and self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def act(self, path: str, values: dict[str, list[str]]) -> None:
        name = path.split("/")[1]
        if name == "items":
            return self.items(path)
        if name in ("crash", "sleepy0", "sleepy1", "sleepy2", "sleepy3"):
            n = self.number(values.get("n"))
            time.sleep(0.3 if name.startswith("sleepy") else 0)
            crashes = name == "crash" and n == 0 and "healed" not in FEATURES
            return self.answer(400 if n is None else 500 if crashes else 200)
        if name == "liar":
            return self.answer(200, {"id": 1, "name": "me"} if "healed" in FEATURES else {"id": "not a number"})
        if name == "drop":
            self.close_connection = True
            return None
        if name == "slow":
            time.sleep(3)
        if name == "moody":
            STATE["answers"] += 1
            first = not os.path.exists(os.environ.get("MOOD", "/nonexistent"))
            return self.answer(500 if STATE["answers"] == 1 and first and self.set_mood() else 200)
        if name == "away":
            return self.answer(302, Location="http://stranger.invalid/")
        if name in ("me", "diary", "logout"):
            if not self.may():
                return self.answer(401)
            STATE["logged_in"] = name != "logout"
            return self.answer(200, {"authorization": self.headers.get("Authorization")})
        self.answer(200)
        if name == "shutdown":
            self.wfile.flush()
            print("going down, as asked", flush=True)
            os._exit(3)
        return None

    def set_mood(self) -> bool:
        with open(os.environ["MOOD"], "w") as file:
            file.write("better")
        return True

    def items(self, path: str) -> None:
        if self.command == "POST":
            try:
                new = json.loads(self.content)
            except ValueError:
                return self.answer(400)
            good = isinstance(new, dict) and set(new) == {"name"} and isinstance(new["name"], str)
            if not good or not 1 <= len(new["name"]) <= 20 or "json" not in (self.headers.get("Content-Type") or ""):
                return self.answer(400)
            ITEMS[len(ITEMS) + 1] = item = {"id": len(ITEMS) + 1, "name": new["name"]}
            return self.answer(201, item)
        if path == "/items":
            return self.answer(200, list(ITEMS.values()))
        n = self.number([path.split("/")[2]])
        if n is None or n < 1:
            return self.answer(400)
        return self.answer(200, ITEMS[n]) if n in ITEMS else self.answer(404)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_TRACE = do_QUERY = handle_one  # noqa: N815


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
