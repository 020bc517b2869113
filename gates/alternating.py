"""Two builds measured in turns by the same command, until what they say is decided. Pure: who measures is handed in.

A block is one process of each build, in the order of a fair coin; it gives one natural-log ratio for each number that
both brought, larger than zero where the present build is worse. A block is to `gates.sequential` what an epoch is.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from gates.demands import Tolerances
from gates.errors import GatesError, ToolError
from gates.results import Gap, Measurement, Readings
from gates.sequential import (
    CONFIRMED,
    CONFIRMING,
    FIRST_LOOK,
    FLOOR,
    FLOOR_USED,
    PLANNED,
    look,
    plan,
    quantities_of,
    settled,
)  # fmt: skip

BLOCKS = 12
"""So many blocks there are at most, as of epochs under load; four more confirm a fail."""


DISTURBED = 1.15
"""How many times further than usual a process's middle may lie above its smallest. On two cores shared by six others,
one process in five read two to thirty times its usual median, its smallest unchanged; other medians varied by 4 %."""


ALONE = "not measured side by side: "
"""How the note begins that says why the earlier build was not measured."""


class NotBeside(GatesError):
    """The earlier build cannot be measured in turns with this one; the message says why."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One process that is due: of which build, in which block, and how far that is (between 0 and 1) in words."""

    new: bool
    block: int
    share: float
    told: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A number of one process, above zero; `least` is the smallest of the many that it is the middle of, if it is."""

    value: float
    least: float | None = None

    @property
    def excess(self) -> float:
        """How far the middle lies above the smallest: more than usual where other programs took the processor."""
        return self.value / self.least if self.least else 1.0


Measure = Callable[[Turn], Mapping[str, Reading]]
"""Runs one process, and returns its numbers by scope. Raises NotBeside when it is the earlier build that fails."""


@dataclass
class Alternation:
    """Blocks of two builds, and what they say so far; `name` is that of the measurement, as `gates.sequential` has it.

    `higher` are the scopes of which more is better. `room` tells before each block whether there is time for it.
    """

    name: str
    planned: int
    seed: int
    tolerances: Tolerances
    floor: float = FLOOR
    higher: Collection[str] = ()
    room: Callable[[], bool] = lambda: True
    seen: dict[str, list[tuple[Reading, Reading]]] = field(default_factory=dict)
    """Of each scope, what a block read of this build and of the earlier one."""
    blocks: int = 0
    confirmed: int = 0
    cut: bool = False
    """Whether the time ran out before everything was decided."""

    def run(self, measure: Measure) -> None:
        """Measure until everything is decided, the blocks are used up, or the time is.

        Raises NotBeside when there was no time for the blocks before the first look.
        """
        looks, wrong, looked = plan(self.planned), False, 0
        most = self.planned + self.planned // 4
        while self.counted < self.planned and self.blocks < most and self._measure(measure):
            if self.counted in looks and self.counted > looked:
                looked = self.counted
                quantities = quantities_of(self.measurements(), self.tolerances)
                decisions = look(quantities, position=looks.index(looked), looks=looks, floor=self.floor)
                wrong = any(one.verdict == "fail" for one in decisions)
                if settled(decisions):
                    break
        most = self.blocks + 2 * CONFIRMING
        while wrong and self.confirmed < CONFIRMING and self.blocks < most and self._measure(measure):
            self.confirmed = max(0, self.counted - looked)
        if self.cut and self.blocks < min(FIRST_LOOK, self.planned):
            raise NotBeside(
                f"there was time for {self.blocks} of the {FIRST_LOOK} blocks before anything can be said",
                "give the gate a longer `timeout`",
            )

    def _measure(self, measure: Measure) -> bool:
        """Measure a block, unless there is no time for it."""
        if not self.room():
            self.cut = True
            return False
        number = self.blocks + 1
        new_first = random.Random(f"{self.seed}:{number}:order").random() < 0.5
        most = max(number, self.planned)
        found: dict[bool, Mapping[str, Reading]] = {}
        for half, new in enumerate((new_first, not new_first)):
            told = f"block {number} of at most {most}: {'this build' if new else 'the earlier one'}"
            found[new] = measure(Turn(new, number, (2 * number - 2 + half) / (2 * most), told))
        self.blocks = number
        for scope in sorted(found[True].keys() & found[False].keys()):
            self.seen.setdefault(scope, []).append((found[True][scope], found[False][scope]))
        return True

    @property
    def counted(self) -> int:
        """How many blocks count, for the scope with the most."""
        return max((len(self.ratios(scope)) for scope in self.seen), default=0)

    def ratios(self, scope: str) -> list[float]:
        """Return the natural logarithms of the blocks that count, larger than zero where this build is worse.

        A block does not count where one of its processes was disturbed more than others of the same build: its middle
        lies further above its smallest. Where that is so in most, nothing tells what is usual, and all count.
        """
        pairs = self.seen[scope]
        usual = [min(pair[side].excess for pair in pairs) for side in (0, 1)]
        calm = [pair for pair in pairs if all(pair[side].excess <= DISTURBED * usual[side] for side in (0, 1))]
        believed = calm if 2 * len(calm) >= len(pairs) else pairs
        sign = -1 if scope in self.higher else 1
        return [sign * math.log(new.value / old.value) for new, old in believed]

    def measurements(self) -> list[Measurement]:
        """Return the ratios of each scope: `value` how many times worse this build is, `samples` one log per block."""
        each = {scope: self.ratios(scope) for scope in self.seen}
        ratios = [
            Measurement(self.name, math.exp(math.fsum(logs) / len(logs)), "ratio", "lower", scope, samples=tuple(logs))
            for scope, logs in each.items()
        ]
        return [
            *ratios,
            Measurement(PLANNED, float(self.planned), "1", "neither"),
            Measurement(CONFIRMED, float(self.confirmed), "1", "neither"),
            Measurement(FLOOR_USED, self.floor, "ratio", "neither"),
        ]

    def notes(self, phase: str, commit: str) -> list[str]:
        """Return how it was measured, in sentences."""
        notes = [f"measured beside {phase} ({commit[:7]}): {self.blocks} blocks of one process of each build, in turns"]
        if self.confirmed:
            notes.append(f"{self.confirmed} of the blocks were to confirm what had become slower")
        lost = {scope: len(pairs) - len(self.ratios(scope)) for scope, pairs in self.seen.items()}
        if (most := max(lost.values(), default=0)) > 0:
            notes.append(
                f"up to {most} of the blocks do not count for a number, because other programs took the processor"
            )
        if self.cut:
            notes.append("the time of the gate ran out before everything was decided: give it a longer `timeout`")
        return notes


def is_inside(path: str, folder: str) -> bool:
    """Return whether a path of the project is a folder of it, or lies in it; `.` is the whole project."""
    inner, outer = PurePosixPath(path).parts, PurePosixPath(folder).parts
    return inner[: len(outer)] == outer


def check_path(path: str) -> str:
    """Return a path that stays inside the project, as it is written without detours; raises ValueError for others."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or parts[0] in ("/", "~") or parts[0] == ".git":
        raise ValueError(f"{path!r} is no file or folder inside the project")
    return "/".join(parts)


def check_measured_with(names: Collection[str], source: Collection[str], exists: Callable[[str], bool]) -> None:
    """Raise ToolError when `measured_with` names what is not there, or the source: both would be the same build."""
    for name in names:
        if not exists(name):
            raise ToolError(
                f"`measured_with` names {name}, which does not exist", "paths begin in the project's folder"
            )
        if any(is_inside(folder, name) for folder in source):
            raise ToolError(
                f"`measured_with` names {name}, which holds the source itself: both builds would be the same",
                "name only what measures",
            )


@contextmanager
def of_the_earlier() -> Iterator[None]:
    """Whatever goes wrong in the earlier build is no verdict on this one, only the reason why it is measured alone."""
    try:
        yield
    except NotBeside:
        raise
    except GatesError as error:
        raise NotBeside(error.message, error.hint) from error


def without_earlier(readings: Readings, refused: NotBeside, *, demanded: bool) -> Readings:
    """Return what was measured of this build alone, with the reason: in a note, or a gap where both are demanded."""
    if demanded:
        gap = Gap("side by side", refused.message, refused.hint)
        return replace(readings, gaps=(*readings.gaps, gap))
    hint = " ".join(refused.hint.split())  # it may be the last lines of a backend that died
    told = f"{ALONE}{refused.message}" + (f" ({hint})" if hint else "")
    return replace(readings, notes=(told, *readings.notes))
