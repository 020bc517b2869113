"""A backend whose limits are known: `python shapes_backend.py PORT [parallel=N] [ms=N] [leak=BYTES] [dial=PORT:N]`.

`GET /work` takes so many milliseconds, for so many requests at once; each keeps so many bytes; and so many connections
are held to a port. It crashes after `crash=N` requests, and refuses (429) what comes faster than `most=N` per second.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SETTINGS = dict(part.split("=") for part in sys.argv[2:])
AT_ONCE = threading.Semaphore(int(SETTINGS.get("parallel", "1000")))
SECONDS = float(SETTINGS.get("ms", "0")) / 1000
LEAK = int(SETTINGS.get("leak", "0"))
MOST = float(SETTINGS.get("most", "inf"))
CRASH = float(SETTINGS.get("crash", "inf"))
KEPT: list[bytes] = []
SEEN: list[float] = []
PORT, _, NUMBER = SETTINGS.get("dial", "").partition(":")
HELD = [socket.create_connection(("127.0.0.1", int(PORT))) for _ in range(int(NUMBER or 0))]
ANSWERS = {"responses": {"200": {"description": "done"}, "429": {"description": "too many"}}}
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Work", "version": "1"},
    "paths": {"/work": {"get": ANSWERS}, "/other": {"get": ANSWERS}},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        return None

    def do_GET(self) -> None:
        body, status = b"{}", 200
        if self.path == "/openapi.json":
            body = json.dumps(DOCUMENT).encode()
        elif self.path in ("/work", "/other"):
            SEEN.append(time.monotonic())
            if len(SEEN) > CRASH:
                sys.stderr.write("too much for me\n")
                os._exit(3)
            if len(SEEN) > MOST and SEEN[-1] - SEEN[-1 - int(MOST)] < 1.0:
                status = 429
            else:
                with AT_ONCE:
                    time.sleep(SECONDS)
                if LEAK:
                    KEPT.append(os.urandom(LEAK))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 512
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
