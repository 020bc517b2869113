"""When a number means nothing: the conditions of a stretch of load, and what about them forbids to believe it.

Pure. A latency that is the generator's own, or the machine's, is never reported as the backend's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHORTEST_LAG = 1e-3
LAG_SHARE = 0.05
GENERATOR_CPU = 0.70
SENT_SHARE = 0.99
STEAL = 0.05
FAILED_SHARE = 0.50
WAITED_SHARE = 0.01
SHORT_QUEUE = 10
"""Requests; a queue no longer than this tells nothing by its growth."""
INVALID_SHARE = 0.25
"""Of all epochs; when more stay invalid, the load is not judged."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A check that failed: its name, what was seen in words, and what could be done."""

    check: str
    text: str
    hint: str


def doubts(
    conditions: Mapping[str, float], failures: Mapping[str, int], allowed_lag: float = SHORTEST_LAG
) -> list[Doubt]:
    """Return what speaks against an epoch. A condition that was not observed is not held against it.

    `allowed_lag` is how many seconds late a request may leave. Latency counts from when it was due, so lag can only
    make a backend look slower: what may be forgiven is a small part of what is demanded of it.

    Conditions: lag_p99 and p50 in seconds; generator_cpu in seconds per second; sent_share, steal and failed_share.
    `failures` counts requests by the status or the reason with which they failed.
    """
    found: list[Doubt] = []
    lag, median = conditions.get("lag_p99"), conditions.get("p50")
    if lag is not None and lag >= (limit := max(allowed_lag, LAG_SHARE * (median or 0.0))):
        found.append(
            Doubt("lag", f"requests left up to {lag * 1000:.2g} ms late (p99; {limit * 1000:.2g} ms is the limit)",
                  "the machine was busy with something else: run it alone, or on one with more cores")
        )  # fmt: skip
    cpu = conditions.get("generator_cpu")
    if cpu is not None and cpu > GENERATOR_CPU:
        found.append(
            Doubt("generator", f"the load generator used {cpu:.0%} of its core ({GENERATOR_CPU:.0%} is the limit)",
                  "lower the `rate`")
        )  # fmt: skip
    sent = conditions.get("sent_share")
    if sent is not None and sent < SENT_SHARE:
        found.append(
            Doubt("schedule", f"only {sent:.1%} of the requests that were due could be sent",
                  "the backend does not bear this rate: lower the `rate`, or allow more `connections`")
        )  # fmt: skip
    steal = conditions.get("steal")
    if steal is not None and steal > STEAL:
        found.append(
            Doubt("steal", f"other guests of this machine's host took {steal:.1%} of its time",
                  "run it again at a quieter time, or on a machine of its own")
        )  # fmt: skip
    failed = conditions.get("failed_share")
    if failed is not None and failed > FAILED_SHARE:
        found.append(_failing(failed, failures))
    return found


def _failing(share: float, failures: Mapping[str, int]) -> Doubt:
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

    Conditions: waited_share of the requests that found no free connection; queue_median and queue_end, requests that
    were due and not yet answered.
    """
    if conditions.get("waited_share", 0.0) > WAITED_SHARE:
        return False
    return conditions.get("queue_end", 0.0) <= max(SHORT_QUEUE, 2 * conditions.get("queue_median", 0.0))


def too_many(invalid: int, epochs: int) -> bool:
    """Return whether so many epochs stayed invalid that the rest cannot speak for the backend."""
    return invalid > INVALID_SHARE * epochs
