"""What Locust's process is told to do: one file of JSON, without secrets (these go through the environment).

Standard library only, because it is read where nothing may import pydantic.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from gates.load.schedule import Arrivals

ASSIGNMENT_VARIABLE = "GATES_LOAD_ASSIGNMENT"
"""Names the file of the assignment."""
HEADERS_VARIABLE = "GATES_LOAD_HEADERS"
"""Holds the headers of the login as a JSON object; a project's own locustfile may read it."""
EARLIER_HEADERS_VARIABLE = "GATES_LOAD_EARLIER_HEADERS"
"""Holds those of the earlier build, where two are loaded in pairs."""

STARTING = 60.0
"""Seconds in which all users of a project's have to be through with on_start, on two builds."""
TRIAL_LANES = 4
"""How many pairs of users make their runs at the same time in a trial."""
LONGEST_TRIAL = 4.0
"""A trial goes on for so many times its length when not a single run came to its end."""

UNIQUE = "uniq0000000"
"""Stands in a request where a value has to differ each time; its digits become the number of the request."""

Kind = Literal["open", "closed", "locustfile", "pairs", "turns", "scenarios", "trial"]
"""Arrivals on a schedule; connections that send back to back; the users of the project's own locustfile; arrivals in
pairs, one for each of two builds; connections that send back to back to either of them in turns; task runs of the
project's own users in such pairs; the same in a closed loop, to see how many are borne."""


@dataclass(frozen=True, slots=True)
class Sendable:
    """A request, ready to be serialised for whichever backend it goes to."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One operation under load: how often it comes compared with the others, and what is sent for it."""

    operation: str
    request: Sendable
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The earlier build of load in pairs: where it is, and the same work with its own identifiers."""

    url: str
    work: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class OwnUsers:
    """The users of the project's own locustfile: where it is, the folder its imports start from, and how they come.

    `users` are shared out among their classes by weight; of these there are as many pairs as the assignment has
    connections. `spawn_rate` is users per second.
    """

    path: str
    root: str
    users: int
    spawn_rate: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """One stretch of load on one backend; times in seconds. `first` is the number of its first request."""

    kind: Kind
    url: str
    arrivals: Arrivals
    connections: int
    timeout: float
    seed: str
    result: str
    work: tuple[Work, ...] = ()
    first: int = 0
    base_path: str = ""
    operations: tuple[str, ...] = ()
    """All operations of the document, so that what a locustfile names can be told apart."""
    earlier: Counterpart | None = None
    """Of load in pairs."""
    cpus: tuple[int, ...] = ()
    """The cores that Locust keeps to; none for all."""
    mix: Mapping[str, float] = field(default_factory=dict)
    """The weights of operations that are not 1, for the record: the `work` has the rates that follow from them."""
    slice_seconds: float = 0.0
    """How long the slices of time are in which it is recorded as well; 0 for none."""
    patience: float = 0.0
    """The arrivals end when the requests of so many seconds wait for their answers; 0 is never."""
    own: OwnUsers | None = None
    """Of scenarios."""


def write_assignment(assignment: Assignment) -> str:
    """Return an assignment as text."""
    return json.dumps(asdict(assignment), indent=1)


def read_assignment(text: str) -> Assignment:
    """Return the assignment that `write_assignment` wrote."""
    data: dict[str, Any] = json.loads(text)
    earlier = data["earlier"]
    return Assignment(
        **{
            **data,
            "arrivals": Arrivals(**{**data["arrivals"], "steps": tuple(data["arrivals"]["steps"])}),
            "work": _work(data["work"]),
            "operations": tuple(data["operations"]),
            "earlier": Counterpart(earlier["url"], _work(earlier["work"])) if earlier else None,
            "cpus": tuple(data["cpus"]),
            "own": OwnUsers(**data["own"]) if data["own"] else None,
        }
    )


def _work(items: list[dict[str, Any]]) -> tuple[Work, ...]:
    return tuple(Work(item["operation"], Sendable(**item["request"]), item["weight"]) for item in items)


class Numbered:
    """A serialised request whose unique values become the number it is sent with; the length never changes."""

    def __init__(self, request: bytes) -> None:
        self._parts = request.split(UNIQUE.encode())

    def __call__(self, number: int) -> bytes:
        """Return the bytes to send; numbers repeat after ten million."""
        if len(self._parts) == 1:
            return self._parts[0]
        unique = b"uniq%07d" % (number % 10_000_000)
        return unique.join(self._parts)
