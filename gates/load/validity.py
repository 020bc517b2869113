"""When a number means nothing: the conditions of a stretch of load, and what about them forbids to believe it.

Pure. A latency that is the generator's own, or the machine's, is never reported as the backend's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

SHORTEST_LAG = 1e-3
LAG_SHARE = 0.05
GENERATOR_CPU = 0.70
SENT_SHARE = 0.99
CORES_USED = 0.70
"""Of the cores that the servers run on, by whatever ran there: above it, requests wait for a core more and more."""
STEAL = 0.05
THROTTLED = 0.05
"""Of the periods of a CPU quota, those that ended with nothing left of it: time that was taken, like what is stolen."""
CLOCK_JUMP = 0.1
"""Seconds; clocks are slewed by far less while a stretch of load is measured."""
FAILED_SHARE = 0.50
WAITED_SHARE = 0.01
SHORT_QUEUE = 10
"""Requests; a queue no longer than this tells nothing by its growth."""
GROWTH = 2.0
INVALID_SHARE = 0.25
"""Of all epochs; when more stay invalid, the load is not judged."""
OVERLOAD = frozenset({"server", "queue", "schedule"})
"""Checks that fail when the backend does not bear the rate: its times are its own then, and only too good."""

TAKEN = frozenset({"neighbours", "steal", "throttled"})
"""Checks that fail when others took what the servers needed: that can only make a backend look slower."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A check that failed: its name, what was seen in words, and what could be done."""

    check: str
    text: str
    hint: str


def doubts(
    conditions: Mapping[str, float],
    failures: Mapping[str, int],
    allowed_lag: float = SHORTEST_LAG,
    *,
    meant: Collection[str] = (),
) -> list[Doubt]:
    """Return what speaks against an epoch. A condition that was not observed is not held against it.

    `allowed_lag` is how many seconds late a request may leave. Latency counts from when it was due, so lag can only
    make a backend look slower: what may be forgiven is a small part of what is demanded of it. `meant` are checks that
    fail on purpose, because that load was asked for.

    Conditions: lag_p99, p50 and clock_jump in seconds; generator_cpu in seconds per second; servers_share and
    shared_share, of the servers' cores, what the servers themselves used, and the generator where it has the same
    cores; cores_share, what everything used; sent_share, steal, throttled and failed_share; queue_median, queue_end,
    queue_first and queue_last in requests. `failures` counts requests by the status or the reason with which they
    failed.
    """
    found = (
        _late(conditions, allowed_lag), _generator(conditions), _schedule(conditions), _cores(conditions),
        _steal(conditions), _throttled(conditions), _jumped(conditions), _queue(conditions),
        _failing(conditions, failures),
    )  # fmt: skip
    return [doubt for doubt in found if doubt is not None and doubt.check not in meant]


def _late(conditions: Mapping[str, float], allowed: float) -> Doubt | None:
    lag, median = conditions.get("lag_p99"), conditions.get("p50", 0.0)
    limit = max(allowed, LAG_SHARE * median)
    if lag is None or lag < limit:
        return None
    return Doubt(
        "lag", f"requests left up to {lag * 1000:.2g} ms late (p99; {limit * 1000:.2g} ms is the limit)",
        "the machine was busy with something else: run it alone, or on one with more cores",
    )  # fmt: skip


def _generator(conditions: Mapping[str, float]) -> Doubt | None:
    used = conditions.get("generator_cpu", 0.0)
    if used <= GENERATOR_CPU:
        return None
    return Doubt(
        "generator", f"the load generator used {used:.0%} of its core ({GENERATOR_CPU:.0%} is the limit)",
        "lower the `rate`",
    )  # fmt: skip


def _schedule(conditions: Mapping[str, float]) -> Doubt | None:
    sent = conditions.get("sent_share", 1.0)
    if sent >= SENT_SHARE:
        return None
    return Doubt(
        "schedule", f"only {sent:.1%} of the requests that were due could be sent ({SENT_SHARE:.0%} is the least)",
        "the backend does not bear this rate: lower the `rate`, or allow more `connections`",
    )  # fmt: skip


def _cores(conditions: Mapping[str, float]) -> Doubt | None:
    """Return the doubt of cores that were too busy: by the servers and what belongs to the load, or by neighbours."""
    servers, shared = conditions.get("servers_share"), conditions.get("shared_share", 0.0)
    if servers is None:
        return None
    used = conditions.get("cores_share", servers + shared)
    limit = f"{CORES_USED:.0%} is the limit"
    if servers + shared > CORES_USED:
        who = "the servers and the load generator" if shared else "the servers"
        return Doubt(
            "server", f"{who} used {servers + shared:.0%} of the cores they have ({limit})",
            "lower the `rate` (side by side, the `pair_share`)",
        )  # fmt: skip
    if used > CORES_USED:
        return Doubt(
            "neighbours",
            f"the servers' cores were {used:.0%} busy ({limit}), {used - servers - shared:.0%} with other programs",
            "end what else runs on this machine, or run it at a quieter time",
        )
    return None


def _steal(conditions: Mapping[str, float]) -> Doubt | None:
    steal = conditions.get("steal", 0.0)
    if steal <= STEAL:
        return None
    return Doubt(
        "steal", f"other guests of this machine's host took {steal:.1%} of its time ({STEAL:.0%} is the limit)",
        "run it again at a quieter time, or on a machine of its own",
    )  # fmt: skip


def _throttled(conditions: Mapping[str, float]) -> Doubt | None:
    throttled = conditions.get("throttled", 0.0)
    if throttled <= THROTTLED:
        return None
    return Doubt(
        "throttled",
        f"this container's CPU quota was used up in {throttled:.0%} of its periods ({THROTTLED:.0%} is the limit)",
        "give the container more CPU, or lower the `rate`",
    )  # fmt: skip


def _jumped(conditions: Mapping[str, float]) -> Doubt | None:
    jump = conditions.get("clock_jump", 0.0)
    if abs(jump) <= CLOCK_JUMP:
        return None
    return Doubt(
        "clock", f"the clock jumped by {jump:+.2g} s: the machine stood still, or its clock was set",
        "keep the machine awake while it is measured",
    )  # fmt: skip


def _queue(conditions: Mapping[str, float]) -> Doubt | None:
    """Return the doubt of a queue that grew: fast, so that its end is past its median, or steadily, third by third."""
    if "queue_end" not in conditions:
        return None
    median, end = conditions.get("queue_median", 0.0), conditions["queue_end"]
    first, last = conditions.get("queue_first", 0.0), conditions.get("queue_last", 0.0)
    if end > max(SHORT_QUEUE, GROWTH * median):
        grew = f"{end:.0f} requests were unanswered at the end, and {median:.0f} in the middle of the time"
    elif last > max(SHORT_QUEUE, GROWTH * first):
        grew = f"{last:.0f} requests were unanswered in the last third of the time, and {first:.0f} in the first"
    else:
        return None
    return Doubt(
        "queue", f"the backend's queue grew: {grew}", "the backend does not bear this rate: make it faster, or lower it"
    )


def _failing(conditions: Mapping[str, float], failures: Mapping[str, int]) -> Doubt | None:
    share = conditions.get("failed_share", 0.0)
    if share <= FAILED_SHARE:
        return None
    most = max(failures, key=lambda kind: failures[kind], default="")
    hints = {
        "401": "the login is missing or was lost: see [backend.auth]",
        "403": "the login may not do this: see [backend.auth]",
        "429": "the backend limits the rate: switch that off for the run, or set a lower `rate`",
    }
    text = f"{share:.0%} of the requests failed, and failing answers look fast"
    if most:
        text += f" (most often: {most}, {failures[most]} times)"
    return Doubt("failures", text, hints.get(most, "the backend's log says why"))


def kept_up(conditions: Mapping[str, float]) -> bool:
    """Return whether the backend kept up with its requests: a connection was free, and the queue did not grow.

    Conditions: waited_share of the requests that found no free connection, and those of the queue (see `doubts`).
    """
    return conditions.get("waited_share", 0.0) <= WAITED_SHARE and _queue(conditions) is None


def too_many(invalid: int, epochs: int) -> bool:
    """Return whether so many epochs stayed invalid that the rest cannot speak for the backend."""
    return invalid > INVALID_SHARE * epochs
