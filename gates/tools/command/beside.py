"""A command in this build and in the earlier one, in turns, so that its numbers are those of the same minutes.

Each build runs its own files. Where the command names a file that is not the same in both, and that is not source, the
user has to say whether it measures (`measured_with`): another script would print other numbers of the same build.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gates import git
from gates.alternating import Alternation, NotBeside, Reading, Turn, check_measured_with, is_inside, of_the_earlier
from gates.demands import format_value
from gates.process import last_lines
from gates.results import Measurement
from gates.sequential import FIRST_LOOK, NUMBER
from gates.tools.base import BesideEarlier, Place
from gates.tools.command.execution import Execution, Outcome

TIMED = ("s", "1/s")
_COMPARED = (*TIMED, "B")
"""Units of numbers that vary from run to run; counts and shares are exact, and compared with the stored ones."""
_WORD = re.compile(r"[^\s'\"=;|&<>()]+")


@dataclass(kw_only=True)
class CommandBeside(BesideEarlier):
    """Runs of this build and of the earlier one in turns, and everything that was found out; `first` is known."""

    execution: Execution
    first: Outcome
    backend: bool
    outcomes: list[Outcome] = field(default_factory=list)
    """Of this build, the first run aside."""
    _run_seconds: float = 0.0

    def run(self) -> None:
        """Measure until everything is decided.

        Raises NotBeside when the earlier build cannot be measured, or this one failed after all; ToolError for this
        build as when it is measured alone.
        """
        if self.context.fast:
            raise NotBeside("--fast runs the command once")
        check_measured_with(
            self.measured_with or (), self.context.source, lambda name: (self.context.root / name).exists()
        )
        if not self._compared(self.first):
            raise NotBeside("none of its numbers is above zero, has a `better`, and is a time, a rate or a size")
        self._run_seconds = self.first.finished.seconds
        if 2 * FIRST_LOOK * self._run_seconds > self.left():
            raise NotBeside(
                f"a run takes {format_value(self._run_seconds, 's')}, and there is no time for {2 * FIRST_LOOK} more "
                "within the `timeout` of this gate",
                "give the gate a longer `timeout`, or set `pair_blocks = 0`",
            )
        with ExitStack() as stack:
            with of_the_earlier():
                there = stack.enter_context(self._place())
                self.context.progress(None, f"trying the command in the build of {self.earlier.phase}")
                allowed = self._allowed(self._run(there, "trial-earlier", new=False))
            self._alternate(there, allowed)

    @contextmanager
    def _place(self) -> Iterator[Place]:
        earlier, began = self.earlier, time.monotonic()
        if earlier.place is None:
            raise NotBeside(earlier.reason or "the earlier build cannot be built")
        if self.measured_with is None:
            with earlier.place() as own:
                self._refuse_changed(own.root)
        with earlier.place(present=self.measured_with or ()) as there:
            self.deadline += time.monotonic() - began
            yield there

    def _refuse_changed(self, then: Path) -> None:
        now, phase = self.context.root, self.earlier.phase
        source = [folder for folder in self.context.source if folder != "."]  # that is no knowledge of where it is
        unknown = {*git.unknown_files(now), *git.unknown_files(then)}  # such as what the command itself writes
        for name in dict.fromkeys(word.removeprefix("./") for word in _WORD.findall(self.execution.command)):
            if name.startswith(("/", "..", "-")) or any(is_inside(name, folder) for folder in (*source, *unknown)):
                continue
            if (now / name).is_file() and not (then / name).is_file():
                state = f"is not there in {phase}"
            elif (then / name).is_file() and not (now / name).is_file():
                state = "is no longer there"
            elif (now / name).is_file() and (now / name).read_bytes() != (then / name).read_bytes():
                state = f"is not as in {phase}"
            else:
                continue
            raise NotBeside(
                f"{name}, which the command names, {state}, so the two may not measure the same",
                f'if it measures, `measured_with = ["{name}"]` lets both builds use that of this one; if it is what is '
                "measured, `measured_with = []` lets each use its own",
            )

    def _compared(self, outcome: Outcome) -> dict[str, Measurement]:
        return {
            one.name: one for one in outcome.measurements
            if one.better != "neither" and one.unit in _COMPARED and one.value > 0
        }  # fmt: skip

    def _allowed(self, then: Outcome) -> frozenset[str]:
        now, before = self._compared(self.first), self._compared(then)
        alone = sorted(now.keys() - before.keys())
        if len(alone) == len(now):
            raise NotBeside(f"the command brings no {alone[0]} above zero in the build of {self.earlier.phase}")
        if alone:
            self.remarks.append(f"not above zero in the build of {self.earlier.phase}: {', '.join(alone)}")
        return frozenset(now.keys() & before.keys())

    def _run(self, place: Place, name: str, *, new: bool) -> Outcome:
        """Run the command once more; raises NotBeside when it ends as it should not."""
        directory, began = self.context.directory / name, time.monotonic()
        with ExitStack() as stack:
            serving = None
            if self.backend:
                serve = self.context.serve if new else self.earlier.serve
                if serve is None:
                    raise NotBeside(self.earlier.reason or "the earlier build cannot be started")
                serving = stack.enter_context(serve())
            outcome = self.execution.run(place, serving, directory, self.left())
        self._run_seconds = max(self._run_seconds, time.monotonic() - began)
        if new:
            self.outcomes.append(outcome)
        if outcome.failure is not None:
            which = "this build, where it had succeeded before" if new else f"the build of {self.earlier.phase}"
            ended = f"{outcome.finished.ended.describe()}: {_last_line(outcome)}".rstrip(": ")
            raise NotBeside(f"in {which}, the command ended with {ended}")
        return outcome

    def _alternate(self, there: Place, allowed: frozenset[str]) -> None:
        here = Place(self.context.root, self.context.python, self.context.env)

        def measure(turn: Turn) -> Mapping[str, Reading]:
            self.context.progress(turn.share, f"{turn.told}, beside {self.earlier.phase}")
            if turn.new:
                outcome = self._run(here, f"block-{turn.block}", new=True)
            else:
                with of_the_earlier():
                    outcome = self._run(there, f"block-{turn.block}-earlier", new=False)
            return {name: Reading(one.value) for name, one in self._compared(outcome).items() if name in allowed}

        higher = _higher(self.first.measurements)
        self.alternation = Alternation(
            NUMBER, self.blocks, self.context.seed, self.context.tolerances, self.context.floor.value, higher,
            room=lambda: time.monotonic() + 2.2 * self._run_seconds < self.deadline,
        )  # fmt: skip
        self.alternation.run(measure)


def _higher(measurements: Sequence[Measurement]) -> frozenset[str]:
    return frozenset(one.name for one in measurements if one.better == "higher")


def _last_line(outcome: Outcome) -> str:
    return last_lines(outcome.finished.stderr, 1) or last_lines(outcome.finished.stdout, 1)
