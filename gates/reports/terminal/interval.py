"""The interval of a comparison as one line: where no change is, what is tolerated, and what was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

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
    border = 1 + float(tolerated[1]) / 100
    least, most = min(low, 1 / math.sqrt(border)), max(high, border * math.sqrt(border))
    cell = _scale(least, most)
    nothing, inside, left, right, unchanged, limit, measured = _SIGNS_ASCII if ascii else _SIGNS
    drawn = [nothing] * _CELLS
    drawn[cell(low) : cell(high) + 1] = [inside] * (cell(high) + 1 - cell(low))
    for place, sign in ((low, left), (high, right), (1.0, unchanged), (border, limit), (ratio, measured)):
        drawn[cell(place)] = sign
    return f"{least:.2f} {''.join(drawn)} {most:.2f}"


def _scale(least: float, most: float) -> Callable[[float], int]:
    width = math.log(most / least)
    return lambda value: round(math.log(value / least) / width * (_CELLS - 1))


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
