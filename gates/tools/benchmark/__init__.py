"""Benchmarks of the project, by pytest-benchmark in the project's own interpreter.

Rounds within one process share its memory layout, hash seed and neighbours, so they are not independent: the whole
command is run in several fresh processes, and each contributes one median per benchmark. Options go in through
PYTEST_ADDOPTS, which stands after the project's own `addopts` and reaches pytest through any wrapper.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from gates.alternating import BLOCKS, NotBeside, check_path, without_earlier
from gates.errors import NotMeasured, ToolError
from gates.process import shell_words
from gates.results import ItemId, Readings
from gates.tools.base import Context, Place, Requirement, Seconds, Tool, digest
from gates.tools.benchmark.beside import BenchmarksBeside
from gates.tools.benchmark.execution import Runner, installed
from gates.tools.benchmark.report import Sample, combine

_OURS = re.compile(r"--(benchmark-json|junit-?xml)\b")


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
    pair_blocks: int = Field(
        default=BLOCKS,
        ge=0,
        description="How many blocks of one process of this build and one of the earlier build there are at most; it "
        "ends as soon as everything is decided, and takes four more where something became slower, to confirm it; 0 "
        "measures this build alone",
    )
    measured_with: tuple[Annotated[str, AfterValidator(check_path)], ...] | None = Field(
        default=None,
        description="Files and folders that measure and are not measured: both builds use those of this one. By "
        "default the folders that hold the benchmarks",
        examples=[["benchmarks", "tests/data"]],
    )
    timeout: Seconds = Field(default=1800.0, description="After this time the gate is stopped and is an error")

    alone = True
    slow = True
    measures = ("bench.", "pair.")

    @field_validator("command")
    @classmethod
    def _command_is_readable(cls, command: str) -> str:
        shell_words(command)  # raises ValueError for an open quotation
        if match := _OURS.search(command):
            raise ValueError(f"leave out {match[0]}: where the results go is for gates to say")
        return command

    def run(self, context: Context) -> Readings:
        """Measure, beside the earlier build where that can be.

        Raises NotMeasured when there is no benchmark, ToolError when the command cannot do its work.
        """
        runner = Runner(_place(context), self.command, self.max_time, context.directory)
        if "pytest-benchmark" not in runner.versions:
            raise ToolError(
                f"pytest-benchmark is not installed for {context.python}",
                f"{context.python} -m pip install pytest-benchmark",
            )
        deadline = time.monotonic() + self.timeout
        if context.earlier is None or context.side_by_side == "never":
            return self._readings(self._alone(context, runner, deadline), runner)
        beside = BenchmarksBeside(
            context=context, here=runner, blocks=self.pair_blocks, deadline=deadline, measured_with=self.measured_with
        )
        try:
            beside.run()
        except NotBeside as refused:
            samples = self._alone(context, runner, beside.deadline, beside.samples)
            readings = self._readings(samples, runner)
            return without_earlier(readings, refused, demanded=context.side_by_side == "always")
        readings = self._readings(beside.samples, runner)
        return replace(
            readings,
            measurements=(*beside.measurements(), *readings.measurements),
            notes=(*beside.notes(), *readings.notes),
        )

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether pytest and pytest-benchmark are there for the project's interpreter."""
        try:
            versions = installed(_place(context))
        except ToolError as error:
            return [Requirement("the project's Python", False, error.message, error.hint)]
        return [
            Requirement(name, name in versions, versions.get(name, f"not installed for {context.python}"),
                        "" if name in versions else f"{context.python} -m pip install {name}")
            for name in ("pytest", "pytest-benchmark")
        ]  # fmt: skip

    def _alone(
        self, context: Context, runner: Runner, deadline: float, before: list[Sample] | None = None
    ) -> list[Sample]:
        """Return the samples of this build, those from `before` among them: these may be all there was time for."""
        samples = list(before or ())
        for number in range(len(samples) + 1, self.processes + 1):
            left = deadline - time.monotonic()
            if before and left <= 0:
                break
            context.progress((number - 1) / self.processes, f"process {number} of {self.processes}")
            samples.append(runner.measure(f"benchmark-{number}", max(0.1, round(left, 1))))
            if not samples[0].medians:
                break  # the next processes would find no more
        return samples

    def _readings(self, samples: list[Sample], runner: Runner) -> Readings:
        if not samples[0].medians and not samples[0].failed:
            raise NotMeasured(*self._nothing(samples[0]))
        options = {text for sample in samples for text in sample.options.values()}
        settings = [self.command, self.processes, *sorted(options)]
        return replace(
            combine(samples), configurations={"benchmark": digest(json.dumps(settings))}, versions=runner.versions
        )

    def _nothing(self, sample: Sample) -> tuple[str, str]:
        found = f"{sample.tests} tests were found, {len(sample.skipped)} benchmarks among them were skipped"
        return (
            f"`{self.command}` measured no benchmark: it looked for tests that use the `benchmark` fixture; {found}",
            "correct this gate's `command`, or what deselects them in the project's pytest configuration (`-m`, `-k`)",
        )


def _place(context: Context) -> Place:
    return Place(context.root, context.python, context.env)
