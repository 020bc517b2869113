"""Trouble on purpose, switched on by environment variables; see README.md."""

import itertools
import os
import sys
import time

from flask import Flask, Response, abort, request


def slow_start() -> None:
    """Keep everybody waiting before the service listens."""
    time.sleep(float(os.environ.get("SLOW_START", "0")))


def slow_down() -> None:
    """Take longer than needed."""
    time.sleep(float(os.environ.get("SLOW_MS", "0")) / 1000)


def crash_on(value: object) -> None:
    """Crash for one input."""
    if str(value) == os.environ.get("CRASH_ON"):
        raise RuntimeError(f"{value} was too much for the notes")


def add_trouble(app: Flask) -> None:
    """Let the service die, never become ready, or describe itself in garbage."""
    numbers = itertools.count()

    @app.before_request
    def trouble() -> Response | None:
        if next(numbers) == int(os.environ.get("DIE_AFTER_REQUESTS", "-1")):
            print("The notes were lost.", file=sys.stderr, flush=True)
            os._exit(3)
        if request.path == "/health" and os.environ.get("NEVER_READY"):
            abort(503, "The notes are not there yet.")
        if request.path == "/openapi.json" and os.environ.get("GARBAGE_OPENAPI"):
            return Response('{"openapi": "3.0.3", "paths": {', mimetype="application/json")
        return None
