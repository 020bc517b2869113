"""From the records of a campaign to readings: measurements, histograms, findings and gaps. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gates.load.histogram import merge, quantile, total
from gates.load.recording import OperationRecord
from gates.load.scenario import ON_START, TASK
from gates.load.validity import FAILED_SHARE, OVERLOAD, TAKEN, doubts, too_many
from gates.results import Finding, Gap, Histogram, Measurement, OperationSeen, Severity
from gates.rules import fingerprint
from gates.tools.locust.epoch import Loaded, failures_of, times

_QUANTILES = (("load.p50", 0.50), ("load.p95", 0.95), ("load.p99", 0.99))
_NOTED_FAILURES = 0.01


def operations_in(epochs: Sequence[Loaded]) -> list[str]:
    """Return every operation that was loaded, in the order of their names."""
    return sorted({name for epoch in epochs for name in epoch.record.operations})


def latencies(valid: Sequence[Loaded]) -> list[Measurement]:
    """Return the latencies over all operations and of each one: of all epochs together, with one sample per epoch."""
    found: list[Measurement] = []
    for scope in ("", *operations_in(valid)):
        histograms = [_latencies(epoch, scope) for epoch in valid]
        histograms = [counts for counts in histograms if total(counts)]
        if not histograms or (scope and _mostly_failed(valid, scope)):
            continue
        whole = merge(histograms)
        for name, share in _QUANTILES:
            samples = tuple(quantile(counts, share) for counts in histograms)
            found.append(
                Measurement(name, quantile(whole, share), "s", "lower", scope, total=total(whole), samples=samples)
            )
    return found


def _latencies(epoch: Loaded, scope: str) -> dict[int, int]:
    if not scope:
        return epoch.record.success_latencies()
    record = epoch.record.operations.get(scope)
    return record.success_latencies() if record else {}


def _records(epochs: Sequence[Loaded], scope: str) -> list[OperationRecord]:
    return [record for epoch in epochs for name, record in epoch.record.operations.items() if scope in ("", name)]


def _failed(epochs: Sequence[Loaded], scope: str) -> tuple[int, int]:
    records = _records(epochs, scope)
    return sum(record.failed for record in records), sum(record.requests for record in records)


def _mostly_failed(epochs: Sequence[Loaded], scope: str) -> bool:
    failed, requests = _failed(epochs, scope)
    return failed > FAILED_SHARE * requests


def errors(epochs: Sequence[Loaded]) -> list[Measurement]:
    """Return the share of requests that failed, over all operations and of each one, over every epoch there was."""
    found = []
    for scope in ("", *operations_in(epochs)):
        failed, requests = _failed(epochs, scope)
        each = [_failed([epoch], scope) for epoch in epochs]
        samples = tuple(bad / number for bad, number in each if number)
        if requests:
            found.append(
                Measurement("load.errors", failed / requests, "ratio", "lower", scope, failed, requests, samples)
            )
    return found


def resources(valid: Sequence[Loaded], later_peak: int | None) -> list[Measurement]:
    """Return throughput, CPU and peak memory; `later_peak` is the peak of the stage with all connections at once."""
    found = []
    throughput = tuple(epoch.record.throughput for epoch in valid)
    if throughput:
        answers = sum(epoch.record.succeeded for epoch in valid)
        mean = sum(throughput) / len(throughput)
        found.append(Measurement("load.throughput", mean, "1/s", "higher", total=answers, samples=throughput))
    cpu = tuple(epoch.cpu for epoch in valid if epoch.cpu is not None)
    if cpu:
        found.append(Measurement("load.cpu", sum(cpu) / len(cpu), "1", "lower", samples=cpu))
    memory = tuple(float(epoch.memory) for epoch in valid if epoch.memory is not None)
    if memory:
        found.append(Measurement("load.memory", max(*memory, later_peak or 0.0), "B", "lower", samples=memory))
    return found


def histograms(valid: Sequence[Loaded]) -> tuple[Histogram, ...]:
    """Return the latencies of successful answers, by operation and epoch."""
    return tuple(
        Histogram("latency", name, epoch.number, counts)
        for epoch in valid
        for name, record in sorted(epoch.record.operations.items())
        if (counts := record.success_latencies())
    )


def server_errors(epochs: Sequence[Loaded], refused: Mapping[str, int]) -> list[Finding]:
    """Return a finding for each operation that answered a valid request with a server error.

    `refused` are operations that did so before they could be loaded, with the status.
    """
    found: dict[str, Counter[int]] = {name: Counter({status: 1}) for name, status in refused.items() if status >= 500}
    for name in operations_in(epochs):
        for record in _records(epochs, name):
            if record.server_errors:
                found.setdefault(name, Counter()).update(record.server_errors)
    return [
        Finding(
            "load.server-errors",
            Severity.HIGH,
            f"{name} answered valid requests with server errors: "
            + ", ".join(f"{status} {times(count)}" for status, count in sorted(counts.items())),
            fingerprint("load.server-errors", name),
            operation=name,
            fix="the backend's log has the error; it may need several requests at once to happen",
        )
        for name, counts in sorted(found.items())
    ]


def operations_seen(
    epochs: Sequence[Loaded], tried: Mapping[str, Mapping[int, int]], documented: frozenset[str]
) -> tuple[OperationSeen, ...]:
    """Return every operation with its answers, those that it gave before the load included."""
    seen = []
    sent = [name for name in operations_in(epochs) if not name.startswith((TASK, ON_START))]
    for name in sorted({*tried, *sent}):
        statuses = merge([dict(tried.get(name, {})), *(record.statuses for record in _records(epochs, name))])
        success = any(200 <= status < 400 for status in statuses) if statuses else None
        seen.append(OperationSeen(name, statuses, success, name in documented))
    return tuple(seen)


def validity_gaps(finals: Sequence[Loaded]) -> list[Gap]:
    """Return what is missing because epochs could not be believed: all of it, when too many could not."""
    doubted = [epoch for epoch in finals if not epoch.valid]
    if not doubted or not too_many(len(doubted), len(finals)):
        return []
    checks = Counter(doubt.check for epoch in doubted for doubt in epoch.doubts)
    most = checks.most_common(1)[0][0]
    doubt = next(doubt for epoch in reversed(doubted) for doubt in epoch.doubts if doubt.check == most)
    return [
        Gap("load", f"{len(doubted)} of {len(finals)} epochs cannot be believed: {doubt.text}", doubt.hint),
    ]


def taken_notes(epochs: Sequence[Loaded]) -> list[str]:
    """Return a note for what others took from the servers in epochs that are believed all the same."""
    taken = [
        [doubt for doubt in doubts(epoch.conditions, {}) if doubt.check in TAKEN] for epoch in epochs if epoch.valid
    ]
    disturbed = [found for found in taken if found]
    if not disturbed:
        return []
    return [
        f"in {len(disturbed)} of {len(epochs)} epochs others took time from the servers ({disturbed[-1][0].text}): "
        "that can only have made the backend look slower"
    ]


def only_overloaded(finals: Sequence[Loaded]) -> list[Loaded]:
    """Return the epochs in which nothing was wrong but that the backend did not bear the rate.

    Their times are its own, and would only become longer: they can show that a target is missed, and the gap beside
    them keeps them from showing that it is met.
    """
    return [epoch for epoch in finals if all(doubt.check in OVERLOAD for doubt in epoch.doubts)]


def failing_gaps(valid: Sequence[Loaded]) -> list[Gap]:
    """Return a gap for each operation whose answers failed so often that its latency means nothing."""
    found = []
    for name in operations_in(valid):
        failed, requests = _failed(valid, name)
        if _mostly_failed(valid, name):
            told = _told(_records(valid, name))
            found.append(
                Gap(f"latency of {name}", f"{failed} of {requests} requests failed ({told}), and failing looks fast",
                    "see why it fails under load though it did not before; or exclude it")
            )  # fmt: skip
    return found


def failing_notes(epochs: Sequence[Loaded]) -> list[str]:
    """Return a note for each operation that failed now and then: its latency is of the answers that succeeded."""
    notes = []
    for name in operations_in(epochs):
        failed, requests = _failed(epochs, name)
        if requests and failed > _NOTED_FAILURES * requests:
            notes.append(f"{name} failed {failed} of {requests} times ({_told(_records(epochs, name))})")
    return notes


def _told(records: Sequence[OperationRecord]) -> str:
    return ", ".join(f"{kind} {times(count)}" for kind, count in failures_of(records).most_common(3))
