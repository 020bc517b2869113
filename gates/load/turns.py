"""What two builds get through, in turns: a few connections send back to back to one of them, then to the other.

On a schedule both builds echo its rate; only when the next request leaves with every answer does a build show how many
it gets through. In a turn each build is sent the same operations in the same order, for as many answers, so that
neither the mix nor what was written before differs. Pure: what sends is given.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gates.errors import ToolError
from gates.load.assignment import Assignment
from gates.load.schedule import evenly

FORMAT = "gates.load.turns/1"
CONNECTIONS = 8
"""How many send back to back: enough that a server on one core is never idle, and few enough for its queue."""
WARMING = 0.1
"""Of all seconds: how long the first turns are, which only show how fast both are."""
SHORTEST = 0.1
"""Seconds that a turn takes at least: many short ones share out what comes and goes on the machine."""
FEWEST = 64
"""Answers of a turn, as long as that leaves a turn for each order: what is on its way at both ends must not count."""
LEAST = 32
"""Answers of a turn; with fewer nothing is measured."""
_PATIENCE = 5.0
"""A turn may take so many times as long as expected, before it is given up."""
_ROUND = 4
"""Turns of a round: one build, the other, the other, the one; what drifts steadily cancels out."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a turn showed: how many answers and how many of these failed, in how many seconds, with how many of CPU."""

    new: bool
    answers: int
    failed: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """How many answers per second succeeded."""
        return (self.answers - self.failed) / self.seconds


@dataclass(slots=True)
class TurnsRecord:
    """All turns of an epoch, the first ones aside; `failures` counts those of all turns by build, then by reason.

    `trouble` says why there are no more turns: "few" answers in a turn, or one that took too "long".
    """

    turns: list[Told] = field(default_factory=list)
    failures: dict[str, dict[str, int]] = field(default_factory=dict)
    trouble: str = ""

    def rate(self, new: bool) -> float:
        """Return how many answers per second succeeded, in the middle one of its turns."""
        return statistics.median(turn.rate for turn in self.turns if turn.new is new)

    def ratio(self) -> float:
        """Return the natural logarithm of how many times what the new build gets through the old one does.

        The middle one of all pairs of turns that follow each other: a burst of a neighbour hits one of them.
        """
        pairs = zip(self.turns[::2], self.turns[1::2], strict=True)
        return statistics.median(
            math.log(other.rate / one.rate) * (1 if one.new else -1) for one, other in pairs
        )  # fmt: skip

    def failed_share(self, new: bool) -> float:
        """Return the share of the answers that failed; 1 when all of a turn did."""
        own = [turn for turn in self.turns if turn.new is new]
        if any(turn.failed == turn.answers for turn in own):
            return 1.0
        answers = sum(turn.answers for turn in own)
        return sum(turn.failed for turn in own) / answers if answers else 0.0

    def generator(self) -> float:
        """Return how much of its core what sends used, with the build with which it used more."""
        each = [[turn for turn in self.turns if turn.new is new] for new in (True, False)]
        return max(
            (sum(turn.cpu for turn in own) / sum(turn.seconds for turn in own) for own in each if own), default=0.0
        )


class Turn:
    """One build's turn, while it lasts: what to send next, and whether it is over.

    The first `settle` answers do not count; it is over after `count` more, and `least` seconds, but when `most` seconds
    have gone by at the latest.
    """

    def __init__(
        self, new: bool, names: Iterator[str], numbers: Iterator[int], *, settle: int, count: int, most: float,
        least: float = 0.0,         spent: Callable[[], float] = time.process_time,
    ) -> None:  # fmt: skip
        self.new, self.over = new, False
        self.failures: Counter[str] = Counter()
        self._names, self._numbers, self._spent = names, numbers, spent
        self._settle, self._count, self._least, self._most = settle, count, least, most
        self._answers = self._failed = 0
        self._first = self._begin = self._end = 0.0
        self._cpu = self._cpu_end = 0.0

    def take(self) -> tuple[str, int]:
        """Return the next operation, and the number of its request."""
        return next(self._names), next(self._numbers)

    def ended(self, status: int | None, now: float) -> None:
        """Take in an answer, or that there was none, at a moment of the monotonic clock; late ones do not count."""
        succeeded = status is not None and status < 400
        if not succeeded:
            self.failures["no answer" if status is None else str(status)] += 1
        if self.over:
            return
        self._answers += 1
        self._first = self._first or now
        if self._answers > self._settle:
            self._failed += not succeeded
        elif self._answers == self._settle:
            self._begin, self._cpu = now, self._spent()
        passed = now - self._first
        if (self.complete and passed >= self._least) or passed >= self._most:
            self.over, self._end, self._cpu_end = True, now, self._spent()

    @property
    def complete(self) -> bool:
        """Whether it had all its answers."""
        return self._answers >= self._settle + self._count

    def told(self) -> Told:
        """Return what it showed."""
        counted = max(0, self._answers - self._settle)
        if not counted:
            return Told(self.new, 0, 0, 0.0, 0.0)
        return Told(self.new, counted, self._failed, self._end - self._begin, self._cpu_end - self._cpu)


def rounds_of(rate: float, seconds: float) -> tuple[int, int]:
    """Return how many rounds of turns fit into some seconds, and how many answers each of their turns has.

    `rate` is that of the slower build, in answers per second.
    """
    turn = max(SHORTEST, FEWEST / rate) if rate > 0 else seconds
    rounds = max(1, int(seconds / (_ROUND * turn)))
    return rounds, int(rate * seconds / (_ROUND * rounds))


def take_turns(assignment: Assignment, play: Callable[[Turn], None]) -> TurnsRecord:
    """Load two builds in turns, and return what that showed; `play` lets the connections send until a turn is over."""
    record, seconds, connections = TurnsRecord(), assignment.arrivals.seconds, assignment.connections
    weights = {work.operation: work.weight for work in assignment.work}
    coin, numbers = random.Random(f"{assignment.seed}:turns"), [itertools.count(assignment.first) for _ in range(2)]

    def turn(new: bool, seed: object, count: int, most: float, least: float = 0.0) -> Turn:
        names = evenly(weights, f"{assignment.seed}:turn:{seed}")
        made = Turn(new, names, numbers[new], settle=connections, count=count, most=most, least=least)
        play(made)
        failures = record.failures.setdefault("new" if new else "old", {})
        failures.update(Counter(failures) + made.failures)
        return made

    one = coin.random() < 0.5
    first = [turn(new, "first", LEAST, seconds / _ROUND, WARMING * seconds / 2).told() for new in (one, not one)]
    rate = min(told.answers / told.seconds if told.seconds else 0.0 for told in first)
    rounds, count = rounds_of(rate, (1 - WARMING) * seconds)
    if count < LEAST:
        record.trouble = "few"
        return record
    for number in range(rounds):
        one = coin.random() < 0.5
        for position, new in enumerate((one, not one, not one, one)):
            made = turn(new, f"{number}:{position // 2}", count, _PATIENCE * count / rate)
            if not made.complete:
                record.trouble = "long"
                return record
            record.turns.append(made.told())
    return record


def write_turns(record: TurnsRecord) -> str:
    """Return a record as text."""
    return json.dumps({"format": FORMAT, **asdict(record)}, indent=1)


def parse_turns(text: str) -> TurnsRecord:
    """Return the record that `write_turns` wrote; raises ToolError when it is none."""
    try:
        data: Mapping[str, Any] = json.loads(text)
        if data["format"] != FORMAT:
            raise ToolError(f"the record of the turns has the format {data['format']!r}, not {FORMAT!r}")
        turns = [
            Told(bool(one["new"]), int(one["answers"]), int(one["failed"]), float(one["seconds"]), float(one["cpu"]))
            for one in data["turns"]
        ]
        failures = {
            str(build): {str(kind): int(count) for kind, count in kinds.items()}
            for build, kinds in data["failures"].items()
        }
        return TurnsRecord(turns, failures, str(data["trouble"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"the record of the turns cannot be read: {type(error).__name__}: {error}") from error
