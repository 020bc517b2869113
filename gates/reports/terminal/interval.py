"""The interval of a comparison as one line: where no change is, what is tolerated, and what was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gates.compare.beside import subject_beside
from gates.reports.terminal.ink import Ink
from gates.reports.wording import one_line
from gates.results import Judgement, Run, Verdict

_CELLS = 41
# Nothing, inside the interval, its ends, no change, what is tolerated, the measured ratio, beyond the scale.
_SIGNS, _SIGNS_ASCII = tuple("·─├┤│╎●◂▸"), tuple(".-[]|!o<>")
_FEWEST_CELLS = 25
_MOST_DRAWN = 12
_FURTHEST = 6
"""A scale goes as far as what is tolerated, so many times over."""
_TOLERATED = re.compile(r"at most ([0-9.]+) %")


def draw_interval(judgement: Judgement, *, ascii: bool = False) -> str | None:  # noqa: A002
    """Return the line of a judgement that was measured side by side: `0.98 ··│·├──●──┤╎··· 1.08`; None for others.

    The ends of the scale are ratios, it is logarithmic. What is tolerated is read out of the judgement's demand.
    """
    found = interval_of(judgement)
    if found is None:
        return None
    least, most = found.scale()
    return f"{least:.2f} {found.draw(least, most, _CELLS, ascii=ascii)} {most:.2f}"


def interval_of(judgement: Judgement) -> Interval | None:
    """Return what was measured side by side and how much is tolerated; None for what was judged otherwise."""
    ratio, low, high = judgement.ratio, judgement.low, judgement.high
    tolerated = _TOLERATED.match(judgement.demand)
    if judgement.kind != "beside" or ratio is None or low is None or high is None or tolerated is None or low <= 0:
        return None
    return Interval(low, ratio, high, 1 + float(tolerated[1]) / 100)


@dataclass(frozen=True, slots=True)
class Interval:
    """A measured ratio with its interval, and the ratio that is still tolerated."""

    low: float
    ratio: float
    high: float
    border: float

    def scale(self) -> tuple[float, float]:
        """Return the ends of a scale that has all of it, no change, and some room beyond what is tolerated."""
        return min(self.low, 1 / math.sqrt(self.border)), max(self.high, self.border * math.sqrt(self.border))

    def draw(self, least: float, most: float, cells: int, *, ascii: bool = False) -> str:  # noqa: A002
        """Return it as so many cells of a logarithmic scale between two ratios; what lies beyond is shown to."""

        def cell(value: float) -> int:
            return min(cells - 1, max(0, round(math.log(value / least) / math.log(most / least) * (cells - 1))))

        nothing, inside, left, right, unchanged, limit, measured, below, above = _SIGNS_ASCII if ascii else _SIGNS
        drawn = [nothing] * cells
        drawn[cell(self.low) : cell(self.high) + 1] = [inside] * (cell(self.high) + 1 - cell(self.low))
        for place, sign in (
            (self.low, left), (self.high, right), (1.0, unchanged), (self.border, limit), (self.ratio, measured),
        ):  # fmt: skip
            drawn[cell(place)] = sign
        if self.low < least * (1 - 1e-9):
            drawn[0] = below
        if self.high > most * (1 + 1e-9):
            drawn[-1] = above
        return "".join(drawn)


def one_scale(found: Sequence[Interval]) -> tuple[float, float]:
    """Return the ends of a scale for several intervals, cut off where a single wide one would hide all others."""
    scales = [one.scale() for one in found]
    furthest = max(one.border for one in found) ** _FURTHEST
    return (
        max(min(low for low, _ in scales), min(1 / furthest, *(high for _, high in scales))),
        min(max(high for _, high in scales), furthest),
    )


def interval_legend(*, ascii: bool = False) -> str:  # noqa: A002
    """Return what the signs of the lines mean."""
    _, inside, left, right, unchanged, limit, measured, *_ = _SIGNS_ASCII if ascii else _SIGNS
    drawn = f"{left}{inside}{measured}{inside}{right}"
    return f"{drawn} measured, with its interval   {unchanged} no change   {limit} tolerated"


def intervals(run: Run, ink: Ink) -> list[str]:
    """Return what was measured side by side and did not pass, each drawn on one scale; empty without any."""
    lines: list[str] = []
    for result in run.gates:
        open_ones = [one for one in result.judgements if one.verdict in (Verdict.FAIL, Verdict.UNKNOWN)]
        found = [(one, interval) for one in open_ones if (interval := interval_of(one)) is not None]
        found.sort(key=lambda pair: pair[0].verdict is not Verdict.FAIL)
        if not found:
            continue
        lines += _drawn(found[:_MOST_DRAWN], ink)
        if len(found) > _MOST_DRAWN:
            lines += ink.hang("", f"and {len(found) - _MOST_DRAWN} more: gates explain {result.gate}", indent=4)
    if not lines:
        return []
    return [*ink.title("Side by side"), *lines, *ink.hang("", interval_legend(ascii=ink.ascii), indent=4, style="dim")]


def _drawn(found: Sequence[tuple[Judgement, Interval]], ink: Ink) -> list[str]:
    """Return a line for each interval, or two where the terminal is too narrow for that."""
    least, most = one_scale([interval for _, interval in found])
    names = [ink.safe(one_line(subject_beside(one.measurement, one.scope))) for one, _ in found]
    ratios = [ink.safe(f"{interval.ratio:.3f}×") for _, interval in found]
    column, number = max(map(len, names)), max(map(len, ratios))
    cells = min(_CELLS, ink.width - column - number - 8)
    narrow = cells < _FEWEST_CELLS
    cells = min(_CELLS, ink.width - 6) if narrow else cells
    scale = f"{least:.2f}{f'{most:.2f}'.rjust(cells - 4)}"
    lines = [" " * (6 if narrow else column + number + 8) + ink.paint(scale, "dim")]
    for (judgement, interval), name, ratio in zip(found, names, ratios, strict=True):
        drawn, mark = interval.draw(least, most, cells, ascii=ink.ascii), ink.mark(judgement.verdict)
        if narrow:
            first, *rest = ink.hang("", f"{name} {ratio}", indent=4)
            lines += [f"  {mark} {first[4:]}", *rest, f"      {drawn}"]
        else:
            lines.append(f"  {mark} {name.ljust(column)}  {ratio.rjust(number)}  {drawn}")
    return lines
