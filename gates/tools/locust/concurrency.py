"""How many connections a backend serves at once: all open together, each sending back to back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gates.load.assignment import Assignment
from gates.load.recording import Record
from gates.tools.locust.epoch import Loaded, failures_of, times
from gates.tools.locust.run import Outcome

BORNE_ERRORS = 0.001
"""Of the requests of all connections at once: so many may fail, and they are still all served."""
_HALVINGS = 2


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many connections were all served at once, out of how many that were tried; `peak` is memory in bytes."""

    borne: int
    tried: int
    peak: int
    trouble: str = ""
    """What happened when all that were tried were too many."""


def all_at_once(closed: Assignment, load: Callable[[Assignment], Outcome], died: Callable[[str], None]) -> Concurrency:
    """Return how many connections are all served at once; halved when as many as assigned were too many.

    `load` runs one assignment, `died` is told when the backend did not live to its end.
    """
    connections = tried = closed.connections
    peak, first, trouble = 0, closed.first, ""
    for _ in range(_HALVINGS + 1):
        outcome = load(replace(closed, connections=connections, first=first))
        peak = max(peak, outcome.observation.peak)
        if outcome.record is None or outcome.died:
            died(f"with {connections} connections at once")
            break
        record = outcome.record
        failed = record.requests - record.succeeded
        if record.connections == connections and failed <= BORNE_ERRORS * record.requests:
            return Concurrency(connections, tried, peak, trouble)
        trouble = trouble or _trouble(record, connections)
        first += record.sent + 1
        if connections == 1:
            break
        connections //= 2
    return Concurrency(0, tried, peak, trouble)


def users_at_once(epochs: Sequence[Loaded]) -> Concurrency | None:
    """Return how many users of a locustfile were served at once in every epoch."""
    users = min(epoch.record.connections for epoch in epochs)
    if not users:
        return None
    requests = sum(epoch.record.requests for epoch in epochs)
    failed = requests - sum(epoch.record.succeeded for epoch in epochs)
    return Concurrency(users if failed <= BORNE_ERRORS * requests else 0, users, 0)


def _trouble(record: Record, connections: int) -> str:
    told = [f"{kind} {times(count)}" for kind, count in failures_of(record.operations.values()).most_common(3)]
    if record.connections < connections:
        told.append(f"{connections - record.connections} of the connections got no answer at all")
    return ", ".join(told)
