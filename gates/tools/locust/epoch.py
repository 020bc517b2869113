"""One epoch of load and what is to be thought of it; and how the epochs of a campaign are summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gates.load.assignment import Assignment
from gates.load.histogram import quantile
from gates.load.rate import Recorded
from gates.load.recording import OperationRecord, Record
from gates.load.validity import Doubt, doubts, kept_up
from gates.results import Epoch
from gates.tools.locust.observation import Observation
from gates.tools.locust.run import Outcome

_COMMON_RATE = "operation_rate"
_OWN_RATE = "rate of "
_WEIGHT = "weight of "


@dataclass(frozen=True, slots=True)
class Loaded:
    """One epoch that ended with a record. `memory` is the peak in bytes, `cpu` seconds per second; None: not seen."""

    number: int
    assignment: Assignment
    record: Record
    conditions: Mapping[str, float]
    doubts: tuple[Doubt, ...]
    memory: int | None
    cpu: float | None

    @property
    def valid(self) -> bool:
        """Whether its latencies are the backend's own."""
        return not self.doubts

    @property
    def repeatable(self) -> bool:
        """Whether another try may do better: answers that fail will fail again."""
        return not {"failures", "login"} & {doubt.check for doubt in self.doubts}

    @property
    def kept_up(self) -> bool:
        """Whether the backend got through its requests as fast as they came."""
        return kept_up(self.conditions)

    def row(self) -> Epoch:
        """Return the epoch as it is stored."""
        return Epoch(self.number, self.record.end - self.record.begin, self.conditions)


def failures_of(records: Iterable[OperationRecord]) -> Counter[str]:
    """Return how often requests failed, by status or reason."""
    found: Counter[str] = Counter()
    for record in records:
        found.update({str(status): count for status, count in record.statuses.items() if status >= 400})
        found.update(record.failures)
    return found


def times(count: int) -> str:
    """Return how often something happened, as people say it."""
    return "once" if count == 1 else f"{count} times"


def assess(
    number: int,
    assignment: Assignment,
    outcome: Outcome,
    *,
    login_works: bool | None,
    allowed_lag: float,
    beside_cpu: float | None = 0.0,
    meant: Collection[str] = (),
) -> Loaded:
    """Return an epoch with its conditions, and the doubts that follow from them; the outcome must have a record.

    `beside_cpu` is what another build used on the same cores, in seconds per second. `meant` are checks that are to
    fail under this load.
    """
    record, observation = outcome.record, outcome.observation
    assert record is not None
    cpu = observation.cpu(record.begin, record.end)
    both = None if cpu is None or beside_cpu is None else cpu + beside_cpu
    conditions = {
        **_conditions(assignment, record, observation, cpu),
        **_use_of_cores(assignment, record, observation, both),
    }
    found = doubts(conditions, failures_of(record.operations.values()), allowed_lag, meant=meant)
    if login_works is False:
        found.append(
            Doubt("login", "the login was no longer accepted afterwards", "exclude the operation that ends it")
        )
    return Loaded(
        number, assignment, record, {**conditions, "valid": float(not found)}, tuple(found),
        observation.peak or None, cpu,
    )  # fmt: skip


def rate_conditions(assignment: Assignment) -> dict[str, float]:
    """Return the rate of an operation of the weight 1, the weights, and the rate of what comes less often than that."""
    if not assignment.work:
        return {}
    weights = {work.operation: assignment.mix.get(work.operation, 1.0) for work in assignment.work}
    common = max(work.weight / weights[work.operation] for work in assignment.work)
    own = {
        f"{_OWN_RATE}{work.operation}": work.weight
        for work in assignment.work
        if work.weight < common * weights[work.operation] * (1 - 1e-9)
    }
    mix = {f"{_WEIGHT}{name}": weight for name, weight in weights.items() if weight != 1.0}
    return {_COMMON_RATE: common, **own, **mix}


def recorded_rates(epoch: Epoch) -> Recorded | None:
    """Return the rates that an earlier phase's epoch was loaded with; None when they were not its own to choose."""
    common = epoch.conditions.get(_COMMON_RATE)
    if not common:
        return None
    named = [
        {name.removeprefix(what): value for name, value in epoch.conditions.items() if name.startswith(what)}
        for what in (_OWN_RATE, _WEIGHT)
    ]
    return Recorded(common, *named)


def _use_of_cores(
    assignment: Assignment, record: Record, observation: Observation, servers: float | None
) -> dict[str, float]:
    """Return how busy the servers' cores were, with the servers, a generator that shares them, and everything."""
    cores = len(observation.cores)
    if servers is None or not cores:
        return {}
    apart = observation.generator_cores and not observation.generator_cores & observation.cores
    used = observation.used(record.begin, record.end)
    return {
        "servers_share": servers / cores,
        "shared_share": 0.0 if apart else record.generator_cpu / cores,
        **({} if used is None else {"cores_share": used}),
    }


def _conditions(
    assignment: Assignment, record: Record, observation: Observation, cpu: float | None
) -> dict[str, float]:
    latencies, requests = record.success_latencies(), record.requests
    own = assignment.kind == "locustfile"
    seen: dict[str, float | None] = {
        "requests": float(requests),
        "operations": float(len(record.operations)),
        "rate": None if own else assignment.arrivals.rate,
        **rate_conditions(assignment),
        "users": float(assignment.connections) if own or assignment.own else None,
        "sent_share": record.sent / record.scheduled if record.scheduled and not own else None,
        "lag_p99": quantile(record.lag, 0.99) if record.lag else None,
        "waited_share": sum(record.waited.values()) / record.sent if record.sent and not own else None,
        "queue_median": float(record.queue_median) if record.queue else None,
        "queue_end": float(record.queue_end) if record.queue else None,
        "queue_first": float(record.queue_first) if record.queue else None,
        "queue_last": float(record.queue_last) if record.queue else None,
        "p50": quantile(latencies, 0.5) if latencies else None,
        "failed_share": (requests - record.succeeded) / requests if requests else None,
        "reopened": float(record.reopened),
        "generator_cpu": record.generator_cpu,
        "went_first": None if own else float(record.went_first),
        "server_cpu": cpu,
        "pressure": observation.pressure(record.begin, record.end),
        "steal": observation.steal(record.begin, record.end),
        "throttled": observation.throttled(record.begin, record.end),
        "clock_jump": observation.clock_jump(record.begin, record.end),
    }
    return {name: value for name, value in seen.items() if value is not None}
