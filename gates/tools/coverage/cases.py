"""What a test run was: its tests by identity and outcome, and what kept tests from running at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from gates.results import Finding, Measurement, Severity, Subject
from gates.rules import fingerprint

Outcome = Literal["passed", "failed", "error", "skipped", "flaky"]
ObstacleRule = Literal["tests.collection", "tests.setup"]

_WORST_FIRST: tuple[Outcome, ...] = ("failed", "error", "flaky", "passed", "skipped")
_FAILING = ("failed", "error")
_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Case:
    """One test: an identity that survives line shifts (`tests/test_cart.py::TestCart::test_sum`), and its outcome."""

    name: str
    outcome: Outcome
    message: str = ""
    is_module: bool = False
    """Whether it stands for a whole module, which asked to be skipped."""

    @property
    def failing(self) -> bool:
        """Whether it failed or could not be set up or cleared up."""
        return self.outcome in _FAILING


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that is no test, and kept tests from running: a module that cannot be imported, a failed setUpClass."""

    rule: ObstacleRule
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All that one test run said of its tests."""

    cases: tuple[Case, ...] = ()
    obstacles: tuple[Obstacle, ...] = field(default=())

    @property
    def failing(self) -> tuple[Case, ...]:
        """The tests that failed."""
        return tuple(case for case in self.cases if case.failing)

    @property
    def empty(self) -> bool:
        """Whether there was no test at all."""
        return all(case.is_module for case in self.cases)

    @property
    def collected(self) -> bool:
        """Whether every module of the suite could be loaded."""
        return not any(obstacle.rule == "tests.collection" for obstacle in self.obstacles)


def first_lines(text: str, count: int = 3, limit: int = 400) -> str:
    """Return the first lines of a failure that say something, without colours, at most `limit` characters."""
    lines = [line.strip() for line in _ESCAPE_SEQUENCE.sub("", text).splitlines() if line.strip()]
    short = "\n".join(lines[:count])
    return short if len(short) <= limit else short[: limit - 1] + "…"


def node_id(dotted: str, file: str, is_file: Callable[[str], bool]) -> str:
    """Return `path/to/module.py::Class::test` for a dotted name such as `path.to.module.Class.test`.

    `file` is where the test was defined, which for an inherited test is another module than the one it ran in;
    then the longest part of the name that is a file of the project (asked of `is_file`) is the module.
    """
    for stem in (file.removesuffix(".py").replace("/", "."), file.replace("/", ".")):
        if stem and (dotted == stem or dotted.startswith(stem + ".")):
            return "::".join([file, *filter(None, dotted[len(stem) :].split("."))])
    words = dotted.split(".")
    for length in range(len(words), 0, -1):
        path = "/".join(words[:length]) + ".py"
        if is_file(path):
            return "::".join([path, *words[length:]])
    return dotted


def merge_same(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return cases with one entry per identity and its worst outcome: a test that failed twice over is one test."""
    merged: dict[str, Case] = {}
    for case in cases:
        known = merged.get(case.name)
        if known is None or _WORST_FIRST.index(case.outcome) < _WORST_FIRST.index(known.outcome):
            merged[case.name] = case
    return tuple(merged.values())


def number_same(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return cases whose identities are unique: the second test of the same name is `name#2`."""
    seen: dict[str, int] = {}
    unique = []
    for case in cases:
        seen[case.name] = seen.get(case.name, 0) + 1
        number = seen[case.name]
        unique.append(case if number == 1 else replace(case, name=f"{case.name}#{number}"))
    return tuple(unique)


def after_retry(cases: Sequence[Case], retried: Iterable[Case]) -> tuple[Case, ...]:
    """Return cases in which a failing test that passed when it was tried again is flaky."""
    passed = {case.name for case in retried if case.outcome == "passed"}
    return tuple(
        replace(case, outcome="flaky", message=f"failed, then passed on the same build: {case.message}")
        if case.failing and case.name in passed
        else case
        for case in cases
    )


def measure_cases(cases: Sequence[Case]) -> tuple[Measurement, ...]:
    """Return tests.total, tests.failed (errors among them) and tests.skipped."""
    failed = sum(case.failing for case in cases)
    skipped = sum(case.outcome == "skipped" for case in cases)
    return (
        Measurement("tests.total", len(cases), "1", "neither"),
        Measurement("tests.failed", failed, "1", "lower"),
        Measurement("tests.skipped", skipped, "1", "lower"),
    )


def subjects(cases: Iterable[Case]) -> tuple[Subject, ...]:
    """Return the tests as subjects, in the order of their names; what changed about them is judged elsewhere."""
    return tuple(
        Subject("test", case.name, case.outcome, case.message) for case in sorted(cases, key=lambda case: case.name)
    )


def finding(rule: str, message: str, *parts: str, path: str | None = None, fix: str = "") -> Finding:
    """Return a finding about the test run as a whole; `parts` tell it from others of its rule."""
    return Finding(rule, Severity.HIGH, message, fingerprint(rule, *parts), path=path, fix=fix)


def obstacle_findings(obstacles: Iterable[Obstacle]) -> tuple[Finding, ...]:
    """Return a finding for everything that kept tests from running."""
    texts = {
        "tests.collection": ("could not be loaded, so none of its tests ran", "repair what the message names"),
        "tests.setup": ("failed, so the tests it stands before did not run", "repair what the message names"),
    }
    return tuple(
        finding(
            obstacle.rule,
            f"{obstacle.place} {texts[obstacle.rule][0]}: {obstacle.message}",
            obstacle.place,
            path=obstacle.place if obstacle.place.endswith(".py") else None,
            fix=texts[obstacle.rule][1],
        )
        for obstacle in {(each.rule, each.place): each for each in obstacles}.values()
    )
