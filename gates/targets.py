"""Every target that gates.toml may set: what it is a demand on, and which measurement decides it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gates.demands import Dimension
from gates.document import OPERATION_CLASSES, classify, matches
from gates.results import ItemId, Measurement

Reach = Literal["whole", "class", "operation", "benchmark"]


@dataclass(frozen=True, slots=True)
class TargetKind:
    """What a target speaks of: one number of the whole, or those of the operations or benchmarks it names."""

    dimension: Dimension
    measurement: str
    item: ItemId
    looks_for: str
    """What is said to be missing when nothing was found."""
    advice: str
    """What makes a missed target met."""
    reach: Reach = "whole"
    optional: bool = False
    """Whether a sound backend may have nothing of the kind; the default target is silent then."""


_FASTER = "make it faster, or class it differently in [operations]"
TARGETS: Mapping[str, TargetKind] = {
    "coverage.lines": TargetKind("share", "coverage.lines", "tests", "covered lines", "add tests"),
    "coverage.branches": TargetKind("share", "coverage.branches", "tests", "covered branches", "add tests"),
    "coverage.changed_lines": TargetKind(
        "share", "coverage.changed_lines", "tests", "coverage of changed lines", "test what was changed", optional=True
    ),
    "tests.operations": TargetKind(
        "share", "tests.operations", "tests", "operations of the API that the project's own tests ask",
        "test the operations that `gates check --operations` shows without a test",
    ),
    **{
        f"security.{severity}": TargetKind(
            "count", f"security.{severity}", "security", f"a count of findings of {severity} severity", "fix them"
        )
        for severity in ("high", "medium", "low")
    },
    **{
        f"response_time.{name}": TargetKind(
            "time", "load.p95", "performance", f"requests to operations of class {name}", _FASTER, "class", True
        )
        for name in OPERATION_CLASSES
    },
    "operation.": TargetKind(
        "time", "load.p95", "performance", "an operation under load", "make it faster", "operation"
    ),
    "benchmark.": TargetKind(
        "time", "bench.median", "performance", "a benchmark", "make it faster", "benchmark"
    ),
    "load.errors": TargetKind(
        "share", "load.errors", "performance", "answers under load", "see which operations failed, and with what"
    ),
    "load.concurrency": TargetKind(
        "count", "load.concurrency", "performance", "how many requests ran at once",
        "`gates explain` of the load gate says what failed with more; a `locustfile` needs as many `users`",
    ),
    "load.memory": TargetKind(
        "size", "load.memory", "performance", "memory under load", "find what holds the memory, or run fewer workers"
    ),
    "load.throughput": TargetKind(
        "rate", "load.throughput", "performance", "answers per second under load", "raise the rate, or make it faster"
    ),
    "load.knee": TargetKind(
        "rate", "load.knee", "performance", 'the highest rate borne (a load with find = "knee", as the profile stress)',
        "`gates explain` of the gate says what gave way first",
    ),
    "load.leak": TargetKind(
        "growth", "load.leak", "performance", 'growth of memory (a load with find = "leak", as the profile soak)',
        "find what is kept: caches without bound, listeners, sessions",
    ),
    "load.recovery": TargetKind(
        "time", "load.recovery", "performance",
        'the time after a burst (a load with find = "recovery", as the profile spike)',
        "bound the queue, refuse what comes too late, and let retries back off",
    ),
    "load.connections": TargetKind(
        "count", "load.connections", "performance", "connections that the backend opened under load",
        "make the pools smaller, or use one connection for several requests",
    ),
    "database.connections": TargetKind(
        "count", "database.connections", "database",
        "connections to a database on one of the usual ports (others are named in `databases` of the load gate)",
        "make the pool smaller",
    ),
}  # fmt: skip
"""By the name in gates.toml; a name that ends in a dot is a family, followed by an operation or benchmark."""


def kind_of(name: str) -> TargetKind | None:
    """Return what a target speaks of; None for the numbers that command gates define: `<gate>.<key>`."""
    if name in TARGETS:
        return TARGETS[name]
    return next((kind for family, kind in TARGETS.items() if family.endswith(".") and name.startswith(family)), None)


def measurement_of(name: str) -> str:
    """Return the name of the measurement that decides a target."""
    kind = kind_of(name)
    return kind.measurement if kind else name


def find_owners(targets: Iterable[str], measures: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the gates that would bring what each target needs.

    `measures` holds, by gate, the names (or prefixes ending in a dot) of what it measures. A command gate measures the
    numbers that it defines, whoever else does: `[gates.coverage]` may be a command that prints `coverage.lines`. The
    name of a gate alone makes it nobody's owner: `[gates.load]` may be a command that prints nothing.
    """
    owners: dict[str, tuple[str, ...]] = {}
    for target in targets:
        needed = measurement_of(target)
        owners[target] = tuple(
            gate
            for gate, names in measures.items()
            if any(needed == name or (name.endswith(".") and needed.startswith(name)) for name in names)
        )
    return owners


def class_of(operation: str, classes: Mapping[str, str]) -> str:
    """Return the class of an operation; one that no document names is classed by its method."""
    return classes.get(operation) or classify(operation, {}, {})


def _fits(scope: str, wanted: str, reach: Reach, classes: Mapping[str, str]) -> bool:
    if reach == "whole" or not scope:
        return reach == "whole" and not scope
    if reach == "class":
        return class_of(scope, classes) == wanted
    if reach == "operation":
        return scope == wanted or matches(scope, wanted)
    return scope == wanted or _like(scope, wanted)


def _like(name: str, pattern: str) -> bool:
    # Only `*` is special: benchmark names carry brackets.
    first, *rest = pattern.split("*")
    if not rest or not name.startswith(first):
        return name == pattern
    position = len(first)
    for part in rest[:-1]:
        found = name.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return name.endswith(rest[-1]) and len(name) - len(rest[-1]) >= position


def find_measurements(
    name: str, measurements: Iterable[Measurement], classes: Mapping[str, str]
) -> tuple[Measurement, ...]:
    """Return the measurements that a target judges."""
    kind = kind_of(name)
    needed, reach = (kind.measurement, kind.reach) if kind else (name, "whole")
    wanted = name.partition(".")[2]
    return tuple(
        measurement
        for measurement in measurements
        if measurement.name == needed and _fits(measurement.scope, wanted, reach, classes)
    )
