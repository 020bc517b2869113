"""Tells Locust of the requests, so that its own statistics and listeners see the load as they would any other.

Its statistics cost a third of what a request costs, and keep an entry for every second: they are given the sums in the
end. A listener that somebody else has added is told of every request at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from locust.stats import StatsError, bucket_response_time

from gates.load.client import Answer
from gates.load.histogram import bounds, merge
from gates.load.recording import OperationRecord, Record


class Ear:
    """Whether anybody listens to each request, Locust's own statistics aside."""

    def __init__(self) -> None:
        self.open = True
        self.taken_over = False
        """Whether Locust's statistics hear of nothing until `settle`."""

    def take_over(self, environment: Any) -> None:
        """Keep Locust's own statistics from listening; to be called when its runner is there."""
        event = environment.events.request
        for listener in [one for one in event._handlers if one.__module__ == "locust.runners"]:  # it has no public list
            event.remove_listener(listener)
            self.taken_over = True
        # Neither a copy of the times every second nor a row of history every five.
        environment.stats.total.use_response_times_cache = False
        self.open = bool(event._handlers)


def fire(environment: Any, operation: str, seconds: float, answer: Answer | None, error: Exception | None) -> None:
    """Fire Locust's request event for one request; an error status is a failure to Locust."""
    method, _, name = operation.partition(" ")
    if answer is not None and answer.status >= 400:
        error = ErrorStatus(f"status {answer.status}")
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


def settle(stats: Any, records: Iterable[Record]) -> None:
    """Give Locust's statistics what was recorded; its times are in milliseconds."""
    for record in records:
        for operation, one in record.operations.items():
            method, _, name = operation.partition(" ")
            for entry in (stats.total, stats.entries[name, method]):
                _count(entry, one)
            failures = {f"status {status}": count for status, count in one.statuses.items() if status >= 400}
            for kind, count in {**failures, **one.failures}.items():
                key = StatsError.create_key(method, name, kind)
                error = stats.errors.setdefault(key, StatsError(method, name, kind))
                error.occurrences += count


def _count(entry: Any, one: OperationRecord) -> None:
    unanswered = sum(one.failures.values())
    entry.num_requests += one.requests
    entry.num_none_requests += unanswered
    entry.num_failures += unanswered + sum(count for status, count in one.statuses.items() if status >= 400)
    entry.last_request_timestamp = time.time()
    for number, count in merge(one.latencies.values()).items():
        milliseconds = bounds(number)[1] * 1000
        entry.total_response_time += milliseconds * count
        entry.response_times[bucket_response_time(milliseconds)] += count
        entry.max_response_time = max(entry.max_response_time, milliseconds)
        shortest = entry.min_response_time
        entry.min_response_time = milliseconds if shortest is None else min(shortest, milliseconds)
