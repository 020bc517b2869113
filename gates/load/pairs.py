"""Pairs of requests: the same work for two builds, one right after the other, so that noise falls on both alike.

A burst of a neighbour slows both halves of a pair; their ratio hardly moves. Each ratio is counted in fine bins, apart
by which build was asked first: what the second of two requests loses to the first then cancels out.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gates.errors import ToolError
from gates.load.histogram import merge, total
from gates.load.recording import Record, parse_record, write_record
from gates.load.scenario import Scenario, scenario_from
from gates.load.schedule import Arrivals, Slot, evenly, slots

FORMAT = "gates.load.pairs/1"
WIDTH = 0.0005
"""Of a bin, in natural logarithms: a twentieth of a percent."""
FURTHEST = 5.0
"""Ratios beyond e^5 are counted there."""


@dataclass(frozen=True, slots=True)
class PairSlot(Slot):
    """One half of a pair; `number` is that of the pair, `new` says which build it is for."""

    new: bool
    measured: bool


def pair_slots(arrivals: Arrivals, weights: Mapping[str, float], seed: object) -> Iterator[PairSlot]:
    """Yield slots, two by two for the same operation, in the order of a coin; the rate is that of both builds.

    A pair belongs to the warm up, or to what is measured, as a whole; half a pair at the end is left out.
    """
    names, coin = evenly(weights, seed), random.Random(f"{seed}:coin")
    moments = slots(arrivals, {"": 1.0}, seed)
    for number, (first, second) in enumerate(zip(moments, moments, strict=False)):
        name = next(names, None)
        if name is None:
            return
        new, measured = coin.random() < 0.5, first.due >= arrivals.warm_up
        yield PairSlot(number, first.due, name, new, measured)
        yield PairSlot(number, second.due, name, not new, measured)


@dataclass(slots=True)
class Ratios:
    """Of one operation: how many pairs had which log(new / old), by whether the new build was asked first."""

    new_first: dict[int, int] = field(default_factory=dict)
    old_first: dict[int, int] = field(default_factory=dict)

    @property
    def pairs(self) -> int:
        """How many pairs were counted."""
        return total(self.new_first) + total(self.old_first)

    def add(self, ratio: float, *, new_first: bool) -> None:
        """Count one log(new / old)."""
        counts = self.new_first if new_first else self.old_first
        number = round(max(-FURTHEST, min(FURTHEST, ratio)) / WIDTH)
        counts[number] = counts.get(number, 0) + 1

    def shift(self) -> float:
        """Return the middle log ratio, each order counting half. Raises ValueError when there are no pairs."""
        medians = [median(counts) for counts in (self.new_first, self.old_first) if counts]
        if not medians:
            raise ValueError("without pairs there is no shift")
        return sum(medians) / len(medians)


def median(counts: Mapping[int, int]) -> float:
    """Return the median log ratio of some bins, interpolated inside its bin. Raises ValueError when they are empty.

    It is looked for from both ends: of an even number of ratios the lower one alone would let every build that is new
    look faster than the same build of before, by the more the fewer pairs there are.
    """
    return (_from_below(counts) - _from_below({-number: count for number, count in counts.items()})) / 2


def _from_below(counts: Mapping[int, int]) -> float:
    wanted, below = total(counts) / 2, 0
    for number in sorted(counts):
        count = counts[number]
        if count and below + count >= wanted:
            return (number - 0.5 + (wanted - below) / count) * WIDTH
        below += count
    raise ValueError("an empty histogram has no median")


def together(ratios: Mapping[str, Ratios]) -> Ratios:
    """Return the ratios of all operations as those of one."""
    return Ratios(merge(one.new_first for one in ratios.values()), merge(one.old_first for one in ratios.values()))


@dataclass(slots=True)
class PairRecord:
    """One stretch of load on two builds: what each recorded, and the ratios of pairs that succeeded alike."""

    new: Record
    old: Record
    ratios: dict[str, Ratios] = field(default_factory=dict)
    waiting: dict[int, tuple[PairSlot, int | None, float]] = field(default_factory=dict)
    """Halves that came first, by the number of their pair; as many as are under way."""
    scenario: Scenario | None = None
    """Of task runs of the project's own users."""

    def of(self, new: bool) -> Record:
        """Return the record of one build."""
        return self.new if new else self.old

    def ended(self, slot: PairSlot, status: int | None, latency: float) -> None:
        """Take in one half of a pair; `status` is None when it was not answered. Latency is in seconds."""
        other = self.waiting.pop(slot.number, None)
        if other is None:
            self.waiting[slot.number] = slot, status, latency
            return
        other_slot, other_status, other_latency = other
        if status is None or status != other_status or not 200 <= status < 400:
            return
        new, old = (latency, other_latency) if slot.new else (other_latency, latency)
        first = slot if slot.due < other_slot.due else other_slot
        if new > 0 and old > 0:
            self.compare(slot.operation, math.log(new / old), new_first=first.new)

    def compare(self, operation: str, ratio: float, *, new_first: bool) -> None:
        """Count a pair whose halves succeeded alike, by its log(new / old)."""
        self.ratios.setdefault(operation, Ratios()).add(ratio, new_first=new_first)


def write_pairs(record: PairRecord) -> str:
    """Return a record of pairs as text."""
    return json.dumps(
        {
            "format": FORMAT,
            "new": json.loads(write_record(record.new)),
            "old": json.loads(write_record(record.old)),
            "ratios": {
                name: {"new_first": one.new_first, "old_first": one.old_first}
                for name, one in sorted(record.ratios.items())
            },
            "scenario": record.scenario.as_data() if record.scenario else None,
        },
        indent=1,
    )


def parse_pairs(text: str) -> PairRecord:
    """Return the record that `write_pairs` wrote; raises ToolError when it is not one or contradicts itself."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data["format"] != FORMAT:
            raise ToolError(f"the record of the load has the format {data['format']!r}, not {FORMAT!r}")
        ratios = {
            name: Ratios(*({int(key): int(value) for key, value in one[order].items()}
                           for order in ("new_first", "old_first")))
            for name, one in data["ratios"].items()
        }  # fmt: skip
        new, old = json.dumps(data["new"]), json.dumps(data["old"])
        scenario = scenario_from(data["scenario"]) if data["scenario"] else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"the record of the load cannot be read: {type(error).__name__}: {error}") from error
    record = PairRecord(parse_record(new), parse_record(old), ratios, scenario=scenario)
    for name, one in ratios.items():
        fewest = min(build.of(name).succeeded for build in (record.new, record.old))
        if one.pairs > fewest:
            raise ToolError(f"the record of the load has {one.pairs} pairs of {fewest} answers of {name}")
    return record


def with_single(paired: Record, single: Record) -> Record:
    """Return what a build recorded in pairs, and after it alone, as one stretch of load.

    The two must be of different operations; how late requests left is that of both.
    """
    seconds = single.end - single.begin
    return replace(
        paired,
        end=paired.end + seconds,
        last=paired.end + (single.last - single.begin) if single.last else paired.last,
        scheduled=paired.scheduled + single.scheduled,
        sent=paired.sent + single.sent,
        reopened=paired.reopened + single.reopened,
        generator_cpu=max(paired.generator_cpu, single.generator_cpu),
        operations={**paired.operations, **single.operations},
        lag=merge((paired.lag, single.lag)),
        waited=merge((paired.waited, single.waited)),
    )
