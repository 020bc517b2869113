"""Benchmarks of the project, by pytest-benchmark in the project's own interpreter.

Rounds within one process share its memory layout, hash seed and neighbours, so they are not independent: the whole
command is run in several fresh processes, and each contributes one median per benchmark. Options go in through
PYTEST_ADDOPTS, which stands after the project's own `addopts` and reaches pytest through any wrapper.
"""

from __future__ import annotations

import json
import re
import shlex
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from xml.etree.ElementTree import Element, ParseError

from pydantic import BaseModel, Field, ValidationError, field_validator

from gates.errors import GatesError, NotMeasured, ToolError
from gates.process import Finished, capture, last_lines, run, shell_words
from gates.results import Finding, Gap, ItemId, Measurement, Readings, Severity, Subject
from gates.tools.base import Context, Requirement, Seconds, Tool, digest, fingerprint

_ROUND_SECONDS = 0.0005
"""Shorter functions are repeated within a round until it takes this long: far above what a timer or a clock tick
can blur, and it keeps the raw data, which pytest-benchmark always writes, to about a thousand rounds."""
_OURS = re.compile(r"--(benchmark-json|junit-?xml)\b")
_NO_TESTS = 5
_NOT_FOUND = re.compile(r"ERROR: (?:file or directory )?not found: (\S+)")
_NOT_A_BENCHMARK = "--benchmark-only active"
_PACKAGES = ("pytest", "pytest-benchmark", "pytest-cov", "pytest-xdist")
_PROBE = """
import json, platform, sys
from importlib import metadata
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


class _Stats(BaseModel):
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
    options: frozenset[str] = frozenset()
    """The settings that pytest-benchmark really measured with, as JSON."""


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
    options = frozenset(json.dumps(one.options, sort_keys=True) for one in benchmarks)
    return Sample(medians, failed, skipped, tests, options)


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


class Benchmark(Tool):
    """Times the project's benchmarks in several fresh processes; each benchmark has one median per process."""

    tool: Literal["benchmark"] = "benchmark"
    items: tuple[ItemId, ...] = Field(
        default=("performance",), description="Items of the Definition of Done this gate helps decide"
    )
    command: str = Field(
        default="pytest benchmarks",
        min_length=1,
        description="Runs the benchmarks with pytest; {python} is the backend's own interpreter",
    )
    processes: int = Field(
        default=5, ge=2, description="How many fresh processes measure; each is one independent sample per benchmark"
    )
    max_time: Seconds = Field(default=0.5, description="How long one benchmark is repeated in one process")
    timeout: Seconds = Field(default=1800.0, description="After this time the gate is stopped and is an error")

    alone = True
    slow = True
    measures = ("bench.",)

    @field_validator("command")
    @classmethod
    def _command_is_readable(cls, command: str) -> str:
        shell_words(command)  # raises ValueError for an open quotation
        if match := _OURS.search(command):
            raise ValueError(f"leave out {match[0]}: where the results go is for gates to say")
        return command

    def run(self, context: Context) -> Readings:
        """Measure; raises NotMeasured when there is no benchmark, ToolError when the command cannot do its work."""
        versions = _installed(context)
        if "pytest-benchmark" not in versions:
            raise ToolError(
                f"pytest-benchmark is not installed for {context.python}",
                f"{context.python} -m pip install pytest-benchmark",
            )
        deadline = time.monotonic() + self.timeout
        samples: list[Sample] = []
        for number in range(1, self.processes + 1):
            context.progress((number - 1) / self.processes, f"process {number} of {self.processes}")
            samples.append(self._measure(context, number, versions, max(0.1, round(deadline - time.monotonic(), 1))))
            if not samples[0].medians:
                break  # the next processes would find no more
        if not samples[0].medians and not samples[0].failed:
            raise NotMeasured(*self._nothing(samples[0]))
        readings = combine(samples)
        settings = [self.command, self.processes, *sorted(set().union(*(sample.options for sample in samples)))]
        return Readings(
            readings.measurements, readings.findings, readings.subjects, gaps=readings.gaps, notes=readings.notes,
            configurations={"benchmark": digest(json.dumps(settings))}, versions=versions,
        )  # fmt: skip

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether pytest and pytest-benchmark are there for the project's interpreter."""
        try:
            versions = _installed(context)
        except ToolError as error:
            return [Requirement("the project's Python", False, error.message, error.hint)]
        return [
            Requirement(name, name in versions, versions.get(name, f"not installed for {context.python}"),
                        "" if name in versions else f"{context.python} -m pip install {name}")
            for name in ("pytest", "pytest-benchmark")
        ]  # fmt: skip

    def _words(self, context: Context) -> list[str]:
        words = [word.replace("{python}", context.python) for word in shell_words(self.command)]
        return [context.python, "-m", "pytest", *words[1:]] if words[0] in ("pytest", "py.test") else words

    def _options(self, context: Context, versions: Mapping[str, str], report: Path, junit: Path) -> str:
        # Each one here undoes what a project's `addopts` may hold and would make a pass of nothing, or slow it down.
        options = [
            "--benchmark-only", "--benchmark-enable", f"--benchmark-json={report}",
            f"--benchmark-max-time={self.max_time:.6f}", f"--benchmark-min-time={_ROUND_SECONDS:.6f}",
            "--maxfail=0", f"--junitxml={junit}", "-o", "junit_family=xunit1",
        ]  # fmt: skip
        if not context.env.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            options += ["-n0"] if "pytest-xdist" in versions else []
            options += ["--no-cov"] if "pytest-cov" in versions else []
        return " ".join(filter(None, (context.env.get("PYTEST_ADDOPTS", ""), shlex.join(options))))

    def _measure(self, context: Context, number: int, versions: Mapping[str, str], timeout: float) -> Sample:
        files = {kind: context.directory / f"benchmark-{number}.{kind}" for kind in ("json", "xml", "stdout", "stderr")}
        options = self._options(context, versions, files["json"], files["xml"])
        finished = run(
            self._words(context), cwd=context.root, env={**context.env, "PYTEST_ADDOPTS": options},
            stdout=files["stdout"], stderr=files["stderr"], timeout=timeout, normal=None,
        )  # fmt: skip
        texts = [
            path.read_text("utf-8", "replace") if path.exists() else None for path in (files["json"], files["xml"])
        ]
        files["json"].unlink(missing_ok=True)  # it holds every round that was timed: megabytes nobody reads again
        sample = parse(*texts)
        self._check_end(finished, sample)
        return sample

    def _check_end(self, finished: Finished, sample: Sample) -> None:
        """Raise when the command did not end as one does that ran its benchmarks, whatever they showed."""
        last = last_lines(finished.stderr) or last_lines(finished.stdout)
        if "internal" in sample.failed:
            raise ToolError(f"pytest had an internal error: {sample.failed['internal'].message}", "run it by hand")
        if finished.exit_code in (0, _NO_TESTS) or sample.failed:
            return
        if missing := _NOT_FOUND.search(last):
            raise NotMeasured(
                f"there are no benchmarks: `{self.command}` looks for {missing[1]}, which is not there",
                "write them with the `benchmark` fixture of pytest-benchmark, or correct this gate's `command`",
            )
        if "unrecognized arguments: --benchmark-only" in last:
            raise ToolError(
                "pytest-benchmark is installed, but pytest does not load it",
                "take `-p no:benchmark` out of pytest's configuration; where PYTEST_DISABLE_PLUGIN_AUTOLOAD is set, "
                "add `-p pytest_benchmark.plugin`",
            )
        raise ToolError(
            f"`{self.command}` ended with exit code {finished.exit_code} although no benchmark failed; "
            f"its last lines:\n{last}".rstrip(),
            "run it by hand; comparing with earlier results (--benchmark-compare-fail) is left to gates",
        )

    def _nothing(self, sample: Sample) -> tuple[str, str]:
        found = f"{sample.tests} tests were found, {len(sample.skipped)} benchmarks among them were skipped"
        return (
            f"`{self.command}` measured no benchmark: it looked for tests that use the `benchmark` fixture; {found}",
            "correct this gate's `command`, or what deselects them in the project's pytest configuration (`-m`, `-k`)",
        )


def _installed(context: Context) -> dict[str, str]:
    """Return the versions of Python and of the pytest packages that the project's interpreter has."""
    try:
        code, out, errors = capture([context.python, "-c", _PROBE, *_PACKAGES], cwd=context.root, env=context.env)
    except GatesError as error:
        raise ToolError(error.message, "correct `[backend] python`") from error
    if code != 0:
        last = errors.strip().splitlines()[-1:] or ["it said nothing"]
        raise ToolError(
            f"{context.python} could not be asked for its packages: {last[0]}", "is it Python 3.8 or newer?"
        )
    try:
        found = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise ToolError(f"{context.python} gave no answer that could be read: {out[:200]!r}") from error
    return {str(name): str(version) for name, version in found.items()}
