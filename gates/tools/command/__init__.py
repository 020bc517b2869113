"""Any command as a gate: its exit code decides, and numbers that it prints become measurements.

A time that is compared with earlier phases is measured beside the earlier build, again and again in turns: one reading
says nothing of how it varies.
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gates.alternating import BLOCKS, NotBeside, check_path, without_earlier
from gates.demands import BASE_UNIT, Demand, parse_demand
from gates.process import shell_words
from gates.proxy import recording
from gates.results import Measurement, Readings
from gates.tools.base import Context, Place, Requirement, Tool, digest
from gates.tools.command.beside import TIMED, CommandBeside
from gates.tools.command.execution import Execution, Outcome
from gates.tools.command.numbers import Number, dimension_of
from gates.tools.command.operations import with_operations

_NO_OTHER_NUMBERS = {"items", "skip", "timeout", "pair_blocks", "measured_with", "ignore"}
"""Settings that do not change what a run measures."""
_PLACEHOLDERS = ("{base_url}", "{port}", "{data}")


class Command(Tool):
    """Runs a command; its exit code is a verdict, and numbers it prints are measured and judged."""

    tool: Literal["command"] = "command"
    command: str = Field(
        min_length=1,
        description="Run in the project's folder; through `sh -c` when it has pipes, redirections, variables or "
        "wildcards, and then the exit code of a pipe is that of its last part. {python} is the backend's "
        "interpreter; with `backend`, {base_url}, {port} and {data} are the backend's",
    )
    expect_exit: tuple[Annotated[int, Field(ge=0, le=255)], ...] = Field(
        default=(0,), min_length=1, description="Exit codes that are no failure"
    )
    numbers: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")], Number] = Field(
        default_factory=dict, description="Numbers to measure, by name: GATE.NAME is the measurement"
    )
    backend: bool = Field(
        default=False,
        description="Start the backend for it; its address is in the environment as GATES_BASE_URL. Unless times are "
        "measured, that is a proxy which notes which operations it asks, and how they are answered",
    )
    ignore: tuple[str, ...] = Field(
        default=(),
        description="Routes that it may ask although no document has them, by patterns",
        examples=[["/internal/*"]],
    )
    runs_alone: bool = Field(
        default=False,
        description="Let nothing run beside it, because it measures time; so it is where a time is compared anyway",
    )
    pair_blocks: int | None = Field(
        default=None,
        ge=0,
        description="How many blocks of one run in this build and one in the earlier build there are at most, so that "
        f"times are compared that were measured side by side. By default {BLOCKS} where a time or rate has a `better`, "
        "else 0: a size or a count is exact, and one run is enough. It ends as soon as everything is decided, and "
        "takes four more where something became worse",
    )
    measured_with: tuple[Annotated[str, AfterValidator(check_path)], ...] | None = Field(
        default=None,
        description="Files and folders that measure and are not measured, such as a script: both builds use those of "
        "this one. Needed only where a file that the command names has changed; [] lets each build use its own",
        examples=[["scripts/bench.py"]],
    )

    @property
    def needs_backend(self) -> bool:  # type: ignore[override]  # what is fixed for other tools is the user's choice here
        """Whether the backend is started for it."""
        return self.backend

    @property
    def alone(self) -> bool:  # type: ignore[override]  # as above
        """Whether nothing else may run beside it."""
        return self.runs_alone or self._times_compared

    @model_validator(mode="after")
    def _holds_together(self) -> Command:
        if not shell_words(self.command):
            raise ValueError("the command is empty")
        used = [name for name in _PLACEHOLDERS if name in self.command]
        if used and not self.backend:
            raise ValueError(f"{used[0]} needs the backend: add `backend = true`")
        return self

    def demands(self, gate: str) -> dict[str, Demand]:
        """Return what is demanded of this gate's measurements, by their names."""
        return {
            f"{gate}.{name}": parse_demand(number.demand, dimension_of(number.unit)[0])
            for name, number in self.numbers.items()
            if number.demand is not None
        }

    def measured_as(self, gate: str) -> tuple[str, ...]:
        """Return its numbers, by the names of their measurements."""
        return tuple(f"{gate}.{name}" for name in self.numbers)

    @property
    def _times_compared(self) -> bool:
        return any(
            number.better != "neither" and BASE_UNIT[dimension_of(number.unit)[0]] in TIMED
            for number in self.numbers.values()
        )

    @property
    def _blocks(self) -> int:
        if self.pair_blocks is not None:
            return self.pair_blocks
        return BLOCKS if self._times_compared else 0

    def run(self, context: Context) -> Readings:
        """Run the command, beside the earlier build where a time is compared.

        Raises ToolError when it could not run to its end or a number is not there.
        """
        execution, began = self._execution(context.gate), time.monotonic()
        context.progress(None, self.command)
        if self.backend and not self.alone and not self._blocks:
            return self._recorded(execution, context)
        with ExitStack() as stack:
            serving = stack.enter_context(context.serve()) if self.backend else None
            first = execution.run(_place(context), serving, context.directory, self.timeout)
        if context.earlier is None or context.side_by_side == "never" or not self._blocks or first.failure:
            return self._readings([first])
        beside = CommandBeside(
            context=context, execution=execution, first=first, blocks=self._blocks, deadline=began + self.timeout,
            measured_with=self.measured_with, backend=self.backend,
        )  # fmt: skip
        try:
            beside.run()
        except NotBeside as refused:
            readings = self._readings([first, *beside.outcomes])
            return without_earlier(readings, refused, demanded=context.side_by_side == "always")
        readings = self._readings(beside.outcomes)
        return replace(
            readings,
            measurements=(*beside.measurements(), *readings.measurements),
            notes=(*beside.notes(), *readings.notes),
        )

    def _recorded(self, execution: Execution, context: Context) -> Readings:
        """Return what it brings, and which operations it asked of the backend behind a proxy."""
        with context.serve() as serving, ExitStack() as stack:
            proxy = stack.enter_context(recording(serving.url)) if serving.url.startswith("http:") else None
            address = proxy.url if proxy else ""
            outcome = execution.run(_place(context), serving, context.directory, self.timeout, address)
            found = self._readings([outcome])
            return with_operations(found, proxy, serving, self.ignore) if proxy else found

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the program is there; of a command for the shell, only whether there is a shell."""
        word = self._execution(context.gate).words(_place(context), None)[0]
        path = context.env.get("PATH", os.defpath)
        found = shutil.which(str(context.root / word) if "/" in word else word, path=path)
        hint = "" if found else "install it, or put its folder into `[backend] path`"
        return [Requirement(word, found is not None, found or "not found on the PATH of the backend", hint)]

    def _execution(self, gate: str) -> Execution:
        return Execution(gate, self.command, self.expect_exit, self.numbers)

    def _readings(self, outcomes: Sequence[Outcome]) -> Readings:
        failures = {one.failure.fingerprint: one.failure for one in outcomes if one.failure is not None}
        missing = {gap.what: gap for one in outcomes for gap in one.missing}
        return Readings(
            measurements=_over(outcomes),
            findings=tuple(failures.values()),
            gaps=tuple(missing.values()),
            configurations={"command": digest(self.model_dump_json(exclude=_NO_OTHER_NUMBERS))},
            notes=("of `a | b`, only the exit code of b counts",) if _has_pipe(self.command) else (),
        )


def _over(outcomes: Sequence[Outcome]) -> tuple[Measurement, ...]:
    """Return the numbers of several runs: the median of each, with what each run brought."""
    if len(outcomes) == 1:
        return outcomes[0].measurements
    found: dict[str, list[Measurement]] = {}
    for outcome in outcomes:
        for one in outcome.measurements:
            found.setdefault(one.name, []).append(one)
    return tuple(
        replace(ones[0], value=statistics.median(one.value for one in ones), samples=tuple(one.value for one in ones))
        for ones in found.values()
    )


def _place(context: Context) -> Place:
    return Place(context.root, context.python, context.env)


def _has_pipe(command: str) -> bool:
    lexer = shlex.shlex(command, posix=False, punctuation_chars=True)
    lexer.whitespace_split = True
    return "|" in list(lexer)
