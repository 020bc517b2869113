"""Task runs of the project's own users, on two builds: what each sent, and which requests of both are compared.

A run is what a user does between two pauses. The same run on both builds is a pair: the requests at the same position
are compared when they are of the same operation and were answered alike. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gates.load.pairs import PairRecord

TASK = "task "
ON_START = "on_start of "
"""Under these names failures are counted that came without a request; no operation is called like that."""


@dataclass(slots=True)
class Scenario:
    """What is known of the users of a stretch on two builds, their requests aside.

    `refused` is why the locustfile cannot be run on two builds at once. `broken` is why no user got through on_start,
    by build ("new", "old"). `runs` were ended by both builds, `unlike` of them took another course on one of them.
    `comparable` are requests of runs in which nothing failed, by operation, in the build that sent more of them.
    `taking` is how long a trial took, in seconds, and `generator` the CPU of this process in it. `outside` are
    operations that were sent before, after or between what was measured.
    """

    refused: str = ""
    broken: dict[str, str] = field(default_factory=dict)
    users: int = 0
    runs: int = 0
    unlike: int = 0
    comparable: dict[str, int] = field(default_factory=dict)
    taking: float = 0.0
    generator: float = 0.0
    outside: set[str] = field(default_factory=set)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {name: getattr(self, name) for name in Scenario.__slots__ if name != "outside"} | {
            "outside": sorted(self.outside)
        }


def scenario_from(data: Mapping[str, Any]) -> Scenario:
    """Return what `as_data` returned; raises KeyError, TypeError or ValueError when it is something else."""
    return Scenario(
        refused=str(data["refused"]), broken={str(build): str(why) for build, why in data["broken"].items()},
        users=int(data["users"]), runs=int(data["runs"]), unlike=int(data["unlike"]),
        comparable={str(name): int(count) for name, count in data["comparable"].items()},
        taking=float(data["taking"]), generator=float(data["generator"]), outside=set(map(str, data["outside"])),
    )  # fmt: skip


@dataclass(slots=True)
class Sent:
    """One request: `status` as it was answered, 0 where it was not or is not HTTP; `failure` is empty where none.

    `latency` is in seconds, `at` is when it was sent, on the monotonic clock.
    """

    operation: str
    status: int
    failure: str
    latency: float
    at: float


@dataclass(slots=True)
class Run:
    """One run of one user: `number` is that of the pair, `late` how many seconds after it was due it began.

    `tasks` were begun in it, `error` is the name of the exception that ended one of them.
    """

    number: int
    new: bool
    first: bool
    measured: bool
    late: float = 0.0
    tasks: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    error: str = ""

    def close(self) -> None:
        """Put the requests in the order in which they were sent, and settle what each one was.

        The first one waited for its user as long as the run did. What raised after an answer could not work with it:
        the answer counts as a failure then, and so does a run that raised before it sent anything.
        """
        self.sent.sort(key=lambda one: one.at)
        if self.sent:
            self.sent[0].latency += self.late
        if self.error and not (self.sent and self.sent[-1].failure):
            if self.sent:
                self.sent[-1].failure = self.error
            else:
                self.sent.append(Sent(self._task(), 0, self.error, 0.0, 0.0))

    def hang(self, after: float) -> None:
        """Count it as a failure that the run had not ended when there was no more time; after so many seconds."""
        self.error = ""
        self.sent.append(Sent(self._task(), 0, "timeout", after, float("inf")))

    def _task(self) -> str:
        return f"{TASK}{self.tasks[-1] if self.tasks else 'without a name'}"


class Matching:
    """Takes in runs as they end, counts what was sent, and compares the two of a pair when both are there."""

    def __init__(self, both: PairRecord, scenario: Scenario) -> None:
        self._both, self._scenario = both, scenario
        self._waiting: dict[int, Run] = {}

    def ended(self, run: Run) -> bool:
        """Take in a run that ended; return whether the two of its pair ran the same tasks, as far as both are known."""
        run.close()
        if run.measured:
            self._count(run)
        other = self._waiting.pop(run.number, None)
        if other is None:
            self._waiting[run.number] = run
            return True
        if run.measured:
            self._compare(*((run, other) if run.new else (other, run)))
        return run.tasks == other.tasks

    def alone(self, number: int) -> None:
        """Forget a run whose counterpart will not come."""
        self._waiting.pop(number, None)

    def _count(self, run: Run) -> None:
        record = self._both.of(run.new)
        for one in run.sent:
            if one.status >= 400 and one.failure:
                record.answered(one.operation, one.status, one.latency)
            elif one.failure:
                record.failed(one.operation, one.failure)
            else:
                # Not HTTP, or an error that the locustfile expects: it says itself that it went well.
                record.answered(one.operation, one.status if 200 <= one.status < 400 else 200, one.latency)

    def _compare(self, new: Run, old: Run) -> None:
        self._scenario.runs += 1
        if not any(one.failure for one in (*new.sent, *old.sent)):
            counts = [Counter(one.operation for one in run.sent) for run in (new, old)]
            comparable = self._scenario.comparable
            for name, count in (counts[0] | counts[1]).items():
                comparable[name] = comparable.get(name, 0) + count
        if new.error or old.error or new.tasks != old.tasks or len(new.sent) != len(old.sent):
            self._scenario.unlike += 1
            return
        for now, then in zip(new.sent, old.sent, strict=True):
            alike = now.operation == then.operation and now.status == then.status
            if alike and not (now.failure or then.failure) and now.latency > 0 and then.latency > 0:
                self._both.compare(now.operation, math.log(now.latency / then.latency), new_first=new.first)
