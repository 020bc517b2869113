"""Trouble on purpose, switched on by environment variables; see README.md."""

import os
import sys
import time

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


def slow_start() -> None:
    """Keep everybody waiting before the service listens."""
    time.sleep(float(os.environ.get("SLOW_START", "0")))


def slow_down() -> None:
    """Take longer than needed."""
    time.sleep(float(os.environ.get("SLOW_MS", "0")) / 1000)


def crash_on(value: object) -> None:
    """Crash for one input."""
    if str(value) == os.environ.get("CRASH_ON"):
        raise RuntimeError(f"{value} was too much for the library")


class Trouble:
    """Dies, never becomes ready, or describes itself in garbage."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.requests_left = int(os.environ.get("DIE_AFTER_REQUESTS", "-1"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if self.requests_left == 0:
            print("The library has burned down.", file=sys.stderr, flush=True)
            os._exit(3)
        self.requests_left -= 1
        answer: ASGIApp = self.app
        if scope["path"] == "/health" and os.environ.get("NEVER_READY"):
            answer = JSONResponse({"error": {"status": 503, "message": "The library is not open yet."}}, 503)
        if scope["path"] == "/openapi.json" and os.environ.get("GARBAGE_OPENAPI"):
            answer = PlainTextResponse('{"openapi": "3.1.0", "paths": {', media_type="application/json")
        return await answer(scope, receive, send)
