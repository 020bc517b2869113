"""A whole backend of the standard library alone, for tests: `python small_backend.py PORT DATA`.

Its behaviour is chosen by words in the environment variable TROUBLE, separated by blanks:

dies             ends with exit code 3 before it listens        crashes=PATH    dies when that path is asked for
silent           runs, and never listens                        everywhere      listens on all interfaces
unready          answers 503 to GET /health for ever            stubborn        ignores SIGTERM
late=SECONDS     listens only after that time                   daemon          leaves a process in a session of its own
garbage          its document is no JSON                        private         shows its document only after a login
slow-document=N  answers 503 for the document N times           moved           its document is elsewhere: a redirect
trickle          its document comes a byte at a time

Every request it got stands in DATA/requests.txt, so a test can tell what was asked of it.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

TROUBLE = dict(word.partition("=")[::2] for word in os.environ.get("TROUBLE", "").split())
TOKEN = "the-secret-token-of-the-small-backend"
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "small", "version": "1.0.0"},
    "paths": {
        "/health": {"get": {"responses": {"200": {"description": "It is up."}}}},
        "/things": {"get": {"responses": {"200": {"description": "All things."}}}},
    },
}


class Handler(BaseHTTPRequestHandler):
    """Answers a handful of paths."""

    protocol_version = "HTTP/1.1"
    documents_asked = 0

    def do_GET(self) -> None:
        self.note("")
        if self.path == TROUBLE.get("crashes"):
            print("the small backend crashed", flush=True)
            os._exit(7)
        if self.path == "/openapi.json":
            self.document()
        elif self.path == "/health":
            self.answer(503 if "unready" in TROUBLE else 200, {"status": "ok"})
        elif self.path == "/me":
            self.answer(200 if self.logged_in() else 401, {})
        elif self.path in ("/things", "/elsewhere.json"):
            self.answer(200, DOCUMENT if self.path == "/elsewhere.json" else [])
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.note(body)
        if self.path == "/login":
            is_form = self.headers["Content-Type"] == "application/x-www-form-urlencoded"
            fields = {name: one[0] for name, one in parse_qs(body).items()} if is_form else json.loads(body)
            if fields.get("password") == os.environ.get("SMALL_PASSWORD", "open sesame"):
                self.answer(200, {"data": {"tokens": [TOKEN]}})
            else:
                self.answer(401, {"error": "no", "input": fields})
        else:
            self.answer(201 if self.path == "/things" else 404, {})

    do_PUT = do_POST  # noqa: N815 - as above

    def logged_in(self) -> bool:
        basic = "Basic " + base64.b64encode(b"demo:open sesame").decode()
        return self.headers.get("Authorization") in (f"Bearer {TOKEN}", basic) or self.headers.get("X-Token") == TOKEN

    def document(self) -> None:
        Handler.documents_asked += 1
        if Handler.documents_asked <= int(TROUBLE.get("slow-document") or 0):
            self.answer(503, {})
        elif "private" in TROUBLE and not self.logged_in():
            self.answer(401, {})
        elif "moved" in TROUBLE:
            self.answer(302, {}, {"Location": "/elsewhere.json"})
        elif "garbage" in TROUBLE:
            self.answer(200, '{"openapi": "3.1.0", "paths": {')
        else:
            self.answer(200, DOCUMENT)

    def answer(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if "trickle" not in TROUBLE or self.path != "/openapi.json":
            self.wfile.write(body)
            return
        for position in range(len(body)):
            self.wfile.write(body[position : position + 1])
            time.sleep(0.2)

    def note(self, body: str) -> None:
        with (Path(sys.argv[2]) / "requests.txt").open("a") as file:
            file.write(f"{self.command} {self.path} {self.headers.get('Content-Type', '-')} {body}\n")

    def log_message(self, *arguments: object) -> None:
        pass


def main() -> None:
    print("the small backend starts", flush=True)
    if "dies" in TROUBLE:
        print("the small backend has no database", file=sys.stderr, flush=True)
        sys.exit(3)
    if "stubborn" in TROUBLE:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "daemon" in TROUBLE:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", *sys.argv[3:]], start_new_session=True)
    if "silent" in TROUBLE:
        time.sleep(300)
    time.sleep(float(TROUBLE.get("late") or 0))
    address = "0.0.0.0" if "everywhere" in TROUBLE else "127.0.0.1"
    ThreadingHTTPServer((address, int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
