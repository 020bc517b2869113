"""The interval of a comparison as one line: where no change is, what is tolerated, and what was measured."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gates.reports.terminal.ink import Ink
from gates.reports.wording import subject
from gates.results import Judgement, Run, Verdict

_CELLS = 41
# Nothing, inside the interval, its ends, no change, what is tolerated, the measured ratio.
_SIGNS, _SIGNS_ASCII = tuple("·─├┤│╎●"), tuple(".-[]|!o")
_TOLERATED = re.compile(r"at most ([0-9.]+) %")


def draw_interval(judgement: Judgement, *, ascii: bool = False) -> str | None:  # noqa: A002
    """Return the line of a judgement that was measured side by side: `0.98 ··│·├──●──┤╎··· 1.08`; None for others.

    The ends of the scale are ratios, it is logarithmic. What is tolerated is read out of the judgement's demand.
    """
    ratio, low, high = judgement.ratio, judgement.low, judgement.high
    tolerated = _TOLERATED.match(judgement.demand)
    if judgement.kind != "beside" or ratio is None or low is None or high is None or tolerated is None or low <= 0:
        return None
    found = Interval(low, ratio, high, 1 + float(tolerated[1]) / 100)
    least, most = found.scale()
    return f"{least:.2f} {found.draw(least, most, _CELLS, ascii=ascii)} {most:.2f}"


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
        """Return it as so many cells of a logarithmic scale between two ratios that have it between them."""

        def cell(value: float) -> int:
            return round(math.log(value / least) / math.log(most / least) * (cells - 1))

        nothing, inside, left, right, unchanged, limit, measured = _SIGNS_ASCII if ascii else _SIGNS
        drawn = [nothing] * cells
        drawn[cell(self.low) : cell(self.high) + 1] = [inside] * (cell(self.high) + 1 - cell(self.low))
        for place, sign in (
            (self.low, left), (self.high, right), (1.0, unchanged), (self.border, limit), (self.ratio, measured),
        ):  # fmt: skip
            drawn[cell(place)] = sign
        return "".join(drawn)


def interval_legend(*, ascii: bool = False) -> str:  # noqa: A002
    """Return what the signs of the lines mean."""
    _, inside, left, right, unchanged, limit, measured = _SIGNS_ASCII if ascii else _SIGNS
    drawn = f"{left}{inside}{measured}{inside}{right}"
    return f"{drawn} measured, with its interval   {unchanged} no change   {limit} tolerated"


def intervals(run: Run, ink: Ink) -> list[str]:
    """Return what was measured side by side and did not pass, each with its line, under a title; empty without any."""
    lines: list[str] = []
    for result in run.gates:
        for judgement in result.judgements:
            drawn = draw_interval(judgement, ascii=ink.ascii)
            if drawn is not None and judgement.verdict in (Verdict.FAIL, Verdict.UNKNOWN):
                name = subject(judgement.measurement.removeprefix("pair."), judgement.scope or "everything")
                told = ink.hang("", f"{name} {judgement.ratio:.3f}×", indent=4)
                lines += [f"  {ink.mark(judgement.verdict)} {told[0][4:]}", *told[1:], f"      {drawn}"]
    if not lines:
        return []
    return [*ink.title("Side by side"), *lines, f"      {ink.paint(interval_legend(ascii=ink.ascii), 'dim')}"]
