"""Two operations and a login, on the standard library alone: `python pair_backend.py PORT LOGIN SECONDS`.

`/slow` takes SECONDS longer than it has to; both answer 401 without the login.
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOGIN, EXTRA = sys.argv[2], float(sys.argv[3])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        time.sleep(0.004 + (EXTRA if self.path == "/slow" else 0.0))
        self.send_response(200 if self.headers.get("Authorization") == LOGIN else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


if __name__ == "__main__":
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
