"""Tells Locust of each request, so that its own statistics and listeners see the load as they would any other."""

from __future__ import annotations

from typing import Any

from gates.load.client import Answer


def fire(environment: Any, operation: str, seconds: float, answer: Answer | None, error: Exception | None) -> None:
    """Fire Locust's request event for one request; an error status is a failure to Locust."""
    method, _, name = operation.partition(" ")
    if answer is not None and answer.status >= 400:
        error = ErrorStatus(answer.status)
    environment.events.request.fire(
        request_type=method,
        name=name,
        response_time=seconds * 1000,
        response_length=answer.length if answer else 0,
        exception=error,
        context={},
    )


class ErrorStatus(Exception):
    """An answer that was an error, as Locust's own statistics want to see it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
