"""What one stretch of load recorded: written in Locust's process, read in the harness.

Every request is counted; latencies are kept as histograms, so that memory does not grow with the length of a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.errors import ToolError
from gates.load.histogram import add, merge, quantile, total
from gates.load.slices import Slices, slices_from_data, slices_to_data

FORMAT = "gates.load/1"


@dataclass(slots=True)
class OperationRecord:
    """One operation: answers by status, failures without an answer by kind, latencies by the status' first digit."""

    statuses: dict[int, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    latencies: dict[int, dict[int, int]] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many were sent and came to an end."""
        return sum(self.statuses.values()) + sum(self.failures.values())

    @property
    def succeeded(self) -> int:
        """How many were answered with a success or a redirect, and not refused by the locustfile itself."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 400)

    @property
    def failed(self) -> int:
        """How many were answered with an error, or not at all."""
        return self.requests - self.succeeded

    @property
    def server_errors(self) -> dict[int, int]:
        """Answers that say the backend itself failed."""
        return {status: count for status, count in self.statuses.items() if status >= 500}

    def success_latencies(self) -> dict[int, int]:
        """Return the histogram of the answers that succeeded: a failing operation looks fast."""
        return merge(self.latencies.get(digit, {}) for digit in (2, 3))

    def success_quantile(self, share: float) -> float | None:
        """Return a quantile of their latencies, in seconds; None when none succeeded."""
        latencies = self.success_latencies()
        return quantile(latencies, share) if latencies else None


def middle(looks: Mapping[int, int]) -> int:
    """Return the median of a number that was looked at so often with each value; 0 when it never was."""
    seen = 0
    for value in sorted(looks):
        seen += looks[value]
        if 2 * seen >= sum(looks.values()):
            return value
    return 0


@dataclass(slots=True)
class Record:
    """One stretch of load. Times are of the monotonic clock that all processes of the machine share.

    `queue` counts looks by how many requests were due and not answered at that moment; `queue_end` is the
    shorter of the last two, because one moment may be unlucky. `queue_first` and `queue_last` are medians of the
    looks in the first and in the last third of the time. With two builds all of these are of both together.
    `lag` is how late requests were sent though a connection was free, `waited` how long the others waited for one.
    `generator_cpu` is seconds of CPU per second. `connections` had at least one success; with the project's own
    locustfile it is the number of its users. `went_first` is whether the system woke the generator before others.
    `behind` is after how many seconds the arrivals were ended because too many requests waited; 0 is never.
    `slices` are there where the assignment asks for them.
    """

    begin: float = 0.0
    end: float = 0.0
    last: float = 0.0
    scheduled: int = 0
    sent: int = 0
    reopened: int = 0
    connections: int = 0
    generator_cpu: float = 0.0
    went_first: bool = False
    locust: str = ""
    operations: dict[str, OperationRecord] = field(default_factory=dict)
    lag: dict[int, int] = field(default_factory=dict)
    waited: dict[int, int] = field(default_factory=dict)
    queue: dict[int, int] = field(default_factory=dict)
    queue_end: int = 0
    queue_first: int = 0
    queue_last: int = 0
    behind: float = 0.0
    slices: Slices | None = None

    def left(self, late: float, *, was_free: bool) -> None:
        """Count a request that is sent so many seconds after it was due; `was_free` as with `lag` and `waited`."""
        self.sent += 1
        add(self.lag if was_free else self.waited, late)

    def answered(self, operation: str, status: int, latency: float) -> None:
        """Count an answer; `latency` counts from when the request was due."""
        record = self.of(operation)
        record.statuses[status] = record.statuses.get(status, 0) + 1
        add(record.latencies.setdefault(status // 100, {}), latency)

    def failed(self, operation: str, kind: str) -> None:
        """Count a request that was not answered."""
        record = self.of(operation)
        record.failures[kind] = record.failures.get(kind, 0) + 1

    def of(self, operation: str) -> OperationRecord:
        """Return the record of an operation."""
        record = self.operations.get(operation)
        if record is None:
            record = self.operations[operation] = OperationRecord()
        return record

    @property
    def requests(self) -> int:
        """How many requests came to an end."""
        return sum(record.requests for record in self.operations.values())

    @property
    def succeeded(self) -> int:
        """How many of them succeeded."""
        return sum(record.succeeded for record in self.operations.values())

    @property
    def throughput(self) -> float:
        """Successful answers per second, over the time until the last of them came."""
        seconds = max(self.end, self.last) - self.begin
        return self.succeeded / seconds if seconds > 0 else 0.0

    @property
    def queue_median(self) -> int:
        """How many requests were due and not answered, half of the time."""
        return middle(self.queue)

    def statuses(self) -> dict[int, int]:
        """Return the answers by status over all operations."""
        return merge(record.statuses for record in self.operations.values())

    def success_latencies(self) -> dict[int, int]:
        """Return the histogram of all successful answers."""
        return merge(record.success_latencies() for record in self.operations.values())


def write_record(record: Record) -> str:
    """Return a record as text."""
    data = {name: getattr(record, name) for name in Record.__slots__ if name not in ("operations", "slices")}
    if record.slices is not None:
        data["slices"] = slices_to_data(record.slices)
    data["operations"] = {
        name: {"statuses": one.statuses, "failures": one.failures, "latencies": one.latencies}
        for name, one in sorted(record.operations.items())
    }
    return json.dumps({"format": FORMAT, **data}, indent=1)


def _whole(data: Mapping[str, Any]) -> dict[int, int]:
    return {int(key): int(value) for key, value in data.items()}


def parse_record(text: str) -> Record:
    """Return the record that Locust's process wrote.

    Raises ToolError when it is not one, or is not consistent with itself.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ToolError(f"the record of the load has the format {data['format']!r}, not {FORMAT!r}")
        record = Record(
            begin=float(data["begin"]), end=float(data["end"]), last=float(data["last"]),
            scheduled=int(data["scheduled"]), sent=int(data["sent"]), reopened=int(data["reopened"]),
            connections=int(data["connections"]), generator_cpu=float(data["generator_cpu"]),
            went_first=bool(data["went_first"]), locust=str(data["locust"]),
            lag=_whole(data["lag"]), waited=_whole(data["waited"]),
            queue=_whole(data["queue"]), queue_end=int(data["queue_end"]),
            queue_first=int(data["queue_first"]), queue_last=int(data["queue_last"]), behind=float(data["behind"]),
            slices=slices_from_data(data["slices"]) if "slices" in data else None,
            operations={
                name: OperationRecord(
                    _whole(one["statuses"]),
                    {str(kind): int(number) for kind, number in one["failures"].items()},
                    {int(digit): _whole(counts) for digit, counts in one["latencies"].items()},
                )
                for name, one in data["operations"].items()
            },
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"the record of the load cannot be read: {type(error).__name__}: {error}") from error
    for name, one in record.operations.items():
        timed = sum(total(counts) for counts in one.latencies.values())
        if timed != sum(one.statuses.values()):
            raise ToolError(f"the record of the load has {timed} latencies for other answers of {name}")
    return record
