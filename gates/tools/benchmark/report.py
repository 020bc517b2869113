"""What one process of pytest-benchmark left behind, and the readings of several. Pure."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from xml.etree.ElementTree import Element, ParseError

from pydantic import BaseModel, Field, ValidationError

from gates.errors import ToolError
from gates.results import Finding, Gap, Measurement, Readings, Severity, Subject
from gates.rules import fingerprint

_NOT_A_BENCHMARK = "--benchmark-only active"


class _Stats(BaseModel):
    min: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    median: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Benchmark(BaseModel):
    fullname: str
    stats: _Stats
    options: dict[str, Any] = Field(default_factory=dict)


class _Report(BaseModel):
    benchmarks: list[_Benchmark]


@dataclass(frozen=True, slots=True)
class Failed:
    """A benchmark that failed, or a file that could not be collected; `line` counts from 1."""

    message: str
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process brought: medians in seconds, failures and skips by benchmark, and how many tests it had."""

    medians: Mapping[str, float] = field(default_factory=dict)
    failed: Mapping[str, Failed] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    tests: int = 0
    least: Mapping[str, float] = field(default_factory=dict)
    """The shortest time of each benchmark, in seconds."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The settings that pytest-benchmark really measured each benchmark with, as JSON."""


def parse(report: str | None, junit: str | None) -> Sample:
    """Return what one process measured, from its JSON report and its JUnit file; None for one that was not written.

    Older pytest-benchmark creates the report at once, and leaves it empty when it measured nothing.
    Raises ToolError when a text is not such a file.
    """
    failed, skipped, tests = _parse_junit(junit) if junit is not None else ({}, {}, 0)
    if not report:
        return Sample(failed=failed, skipped=skipped, tests=tests)
    try:
        benchmarks = _Report.model_validate_json(report).benchmarks
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole text"
        raise ToolError(f"pytest-benchmark's report could not be read: {where}: {first['msg']}") from error
    # What failed after it was timed has a median as well, and failing looks fast.
    medians = {one.fullname: one.stats.median for one in benchmarks if one.fullname not in failed}
    options = {one.fullname: json.dumps(one.options, sort_keys=True) for one in benchmarks}
    least = {one.fullname: one.stats.min for one in benchmarks}
    return Sample(medians, failed, skipped, tests, least, options)


def _parse_junit(text: str) -> tuple[dict[str, Failed], dict[str, str], int]:
    from defusedxml.ElementTree import fromstring

    try:
        cases = list(fromstring(text).iter("testcase"))
    except (ParseError, ValueError) as error:
        raise ToolError(f"pytest's JUnit file could not be read: {error}") from error
    failed: dict[str, Failed] = {}
    skipped: dict[str, str] = {}
    for case in cases:
        for kind in ("failure", "error"):
            if (problem := case.find(kind)) is not None:
                line = case.get("line")
                failed[_test_name(case)] = Failed(
                    _first_line(problem), case.get("file"), int(line) + 1 if line is not None else None
                )
        if (skip := case.find("skipped")) is not None and _NOT_A_BENCHMARK not in skip.get("message", ""):
            skipped[_test_name(case)] = _first_line(skip)
    return failed, skipped, len(cases)


def _test_name(case: Element) -> str:
    """Return the name that pytest itself gives a test: `benchmarks/test_x.py::TestY::test_z[1]`."""
    file, classname, name = case.get("file"), case.get("classname", ""), case.get("name", "")
    if not file:
        return name or classname
    module = file.removesuffix(".py").replace("/", ".")
    if name == module:
        return file  # it could not be collected
    classes = classname.removeprefix(module).strip(".").replace(".", "::")
    return "::".join(part for part in (file, classes, name) if part)


def _first_line(problem: Element) -> str:
    """Return what went wrong in a line; where pytest only says in which stage, the line that it marks with E."""
    message, text = (problem.get("message") or "").strip(), (problem.text or "").strip()
    marked = [line.removeprefix("E").strip() for line in text.splitlines() if line.startswith("E ")]
    if problem.tag == "error" and marked:
        return marked[0][:300]
    return (message or text or problem.tag).splitlines()[0][:300]


def combine(samples: Sequence[Sample]) -> Readings:
    """Return the readings of several processes: per benchmark the median over processes of their medians, in s."""
    names = sorted({name for sample in samples for name in sample.medians})
    measurements, gaps = [], []
    for name in names:
        medians = tuple(sample.medians[name] for sample in samples if name in sample.medians)
        if not min(medians):
            gaps.append(Gap(f"benchmark {name}", "it took no time that its timer could see", "time more work at once"))
            continue
        if len(medians) + sum(name in sample.failed for sample in samples) < len(samples):
            gaps.append(
                Gap(f"benchmark {name}", f"it was measured in {len(medians)} of {len(samples)} processes",
                    "a benchmark must not come and go")
            )  # fmt: skip
        measurements.append(
            Measurement("bench.median", statistics.median(medians), "s", "lower", name, samples=medians)
        )
    if not measurements:
        gaps.append(Gap("benchmarks", "none was measured", "put right those that fail"))
    skipped = sorted({name for sample in samples for name in sample.skipped})
    return Readings(
        measurements=tuple(measurements),
        findings=tuple(_findings(samples)),
        subjects=tuple(Subject("benchmark", measurement.scope, "measured") for measurement in measurements),
        gaps=tuple(gaps),
        notes=(f"{len(skipped)} benchmarks were skipped: {', '.join(skipped[:5])}",) if skipped else (),
    )


def _findings(samples: Sequence[Sample]) -> Iterator[Finding]:
    names = dict.fromkeys(name for sample in samples for name in sample.failed)
    for name in names:
        failures = [sample.failed[name] for sample in samples if name in sample.failed]
        often = f" in {len(failures)} of {len(samples)} processes" if len(failures) < len(samples) else ""
        yield Finding(
            rule="bench.failed",
            severity=Severity.HIGH,
            message=f"{name} failed{often}: {failures[0].message}",
            fingerprint=fingerprint("bench.failed", name),
            path=failures[0].path,
            line=failures[0].line,
            fix="a benchmark that fails measures nothing: make it pass, then time it",
        )
