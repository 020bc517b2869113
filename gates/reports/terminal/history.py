"""A measurement over runs, as a chart that a terminal can draw."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Protocol

from rich.cells import cell_len

from gates.reports.terminal.ink import Ink, in_a_row
from gates.reports.wording import change, one_line, plural, value

_ROWS = 9
_SPARKS = ("▁▂▃▄▅▆▇█", "_.-=+*%#")
# Horizontal, vertical, and the corners of a step up and a step down: where it leaves the old level and meets the new.
_LINES = ("─", "│", "╯", "╭", "╮", "╰")
_LINES_ASCII = ("-", "|", "'", ",", ".", "`")


class HistoryPoint(Protocol):
    """One value of a measurement in one finished run; `value` in base units, `scope` is "" for the whole."""

    @property
    def run_id(self) -> str:
        """The run."""

    @property
    def started(self) -> str:
        """When, in ISO 8601."""

    @property
    def phase(self) -> str:
        """The phase it checked."""

    @property
    def commit(self) -> str | None:
        """The commit it ran at."""

    @property
    def scope(self) -> str:
        """The operation, benchmark or file; "" for the whole."""

    @property
    def value(self) -> float:
        """What was measured."""

    @property
    def unit(self) -> str:
        """Its unit: `s`, `B`, `ratio`, `1`, `1/s`."""


def render_history(
    points: Iterable[HistoryPoint],
    *,
    colour: bool,
    width: int,
    ascii: bool = False,  # noqa: A002 - what it means everywhere else, too
    measurement: str = "",
) -> str:
    """Return a chart of the points, oldest first; with several scopes, a chart of the whole and a line for each other.

    Values that are no numbers are left out, and the output says how many.
    """
    ink = Ink(colour, width, ascii)
    points = list(points)
    usable = [point for point in points if math.isfinite(point.value)]
    name = one_line(measurement) or "this measurement"
    if not usable:
        told = f"no finished run has measured {name}; run `gates check`, or look the name up in its JSON result"
        return "\n".join(ink.hang("", told)) + "\n"
    scopes: dict[str, list[HistoryPoint]] = {}
    for point in usable:
        scopes.setdefault(point.scope, []).append(point)
    main = "" if "" in scopes else max(scopes, key=lambda scope: len(scopes[scope]))
    blocks = [_chart(scopes.pop(main), f"{name} of {one_line(main)}" if main else name, ink)]
    if scopes:
        blocks.append(_sparks(scopes, ink))
    if len(points) > len(usable):
        blocks.append(ink.hang("note  ", f"{plural(len(points) - len(usable), 'value')} left out: not a number"))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _columns(values: Sequence[float], room: int) -> list[float]:
    """Return one value for each column: each value several times, or the median of several values, to fill the room."""
    count = len(values)
    if count <= room:
        times = min(room // count, 12)
        return [number for number in values for _ in range(times)]
    edges = [position * count // room for position in range(room + 1)]
    return [statistics.median(values[start:end]) for start, end in itertools.pairwise(edges)]


def _level(number: float, low: float, high: float, levels: int) -> int:
    return levels // 2 if high == low else round((number - low) / (high - low) * (levels - 1))


def _plot(columns: Sequence[float], ascii_only: bool) -> list[str]:
    """Return the rows of a line plot, the highest first."""
    flat, upright, leave_up, meet_up, leave_down, meet_down = _LINES_ASCII if ascii_only else _LINES
    low, high = min(columns), max(columns)
    grid = [[" "] * len(columns) for _ in range(_ROWS)]
    before = _level(columns[0], low, high, _ROWS)
    for position, number in enumerate(columns):
        now = _level(number, low, high, _ROWS)
        grid[now][position] = flat
        if now != before:
            grid[before][position] = leave_up if now > before else leave_down
            grid[now][position] = meet_up if now > before else meet_down
            for between in range(min(before, now) + 1, max(before, now)):
                grid[between][position] = upright
        before = now
    return ["".join(row) for row in reversed(grid)]


def _chart(points: Sequence[HistoryPoint], title: str, ink: Ink) -> list[str]:
    if len(points) == 1:
        return [*ink.title(title), *_summary(points, 1, ink)]
    values = [point.value for point in points]
    low, high = min(values), max(values)
    unit = points[0].unit
    labels = {0: value(high, unit), _ROWS - 1: value(low, unit)}
    if high > low:
        labels[_ROWS // 2] = value((high + low) / 2, unit)
    else:
        labels = {_ROWS // 2: value(low, unit)}
    labels = {row: ink.safe(text) for row, text in labels.items()}
    margin = max(map(cell_len, labels.values()))
    columns = _columns(values, max(ink.width - margin - 5, 10))
    corner, floor, stop, wall = ("+", "-", "+", "|") if ink.ascii else ("└", "─", "┴", "┤")
    lines = ink.title(title)
    for row, plotted in enumerate(_plot(columns, ink.ascii)):
        label = labels.get(row, "").rjust(margin)
        lines.append(f"  {label} {wall} {ink.paint(plotted.rstrip(), 'accent')}".rstrip())
    starts = _phase_starts(points, len(columns))
    axis = "".join(stop if column in starts else floor for column in range(len(columns)))
    lines.append(f"  {' ' * margin} {corner}{floor}{axis}")
    first, last = one_line(points[0].started)[:10], one_line(points[-1].started)[:10]
    gap = " " * max(len(columns) - len(first) - len(last), 2)
    lines.append(ink.paint(f"  {' ' * margin}   {ink.safe(first)}{gap}{ink.safe(last)}", "dim"))
    return [*lines, "", *_summary(points, len(columns), ink)]


def _phase_starts(points: Sequence[HistoryPoint], columns: int) -> set[int]:
    """Return the columns at which another phase begins."""
    return {
        position * columns // len(points)
        for position in range(1, len(points))
        if points[position].phase != points[position - 1].phase
    }


def _phases(points: Sequence[HistoryPoint]) -> str:
    spans: list[tuple[str, int]] = []
    for point in points:
        if spans and spans[-1][0] == point.phase:
            spans[-1] = (point.phase, spans[-1][1] + 1)
        else:
            spans.append((point.phase, 1))
    return in_a_row(f"{one_line(phase)} ({plural(count, 'run')})" for phase, count in spans)


def _summary(points: Sequence[HistoryPoint], columns: int, ink: Ink) -> list[str]:
    values = [point.value for point in points]
    last, unit = points[-1], points[-1].unit
    told = [f"latest {value(last.value, unit)} at {one_line(last.commit or 'no commit')[:10]}"]
    if len(points) > 1:
        told.append(f"{change(last.value / points[-2].value if points[-2].value else None)} of the run before")
        told.append(f"lowest {value(min(values), unit)}")
        told.append(f"highest {value(max(values), unit)}")
    told.append(plural(len(points), "run"))
    lines = ink.hang("  ", in_a_row(told)) + ink.hang("phases  ", _phases(points), indent=2, lead_style="dim")
    if len(points) > columns:
        most = -(-len(points) // columns)
        lines += ink.hang("  ", f"each column is the median of up to {most} runs", style="dim")
    return lines


def _spark(values: Sequence[float], ascii_only: bool, room: int) -> str:
    ramp = _SPARKS[ascii_only]
    columns = _columns(values, room) if len(values) > room else values
    return "".join(ramp[_level(number, min(values), max(values), len(ramp))] for number in columns)


def _sparks(scopes: dict[str, list[HistoryPoint]], ink: Ink) -> list[str]:
    room = max(ink.width // 4, 10)
    lines = ink.title("by scope, each on its own scale")
    rows = []
    for scope, points in sorted(scopes.items()):
        values = [point.value for point in points]
        ends = (value(values[0], points[0].unit), value(values[-1], points[-1].unit))
        ratio = change(values[-1] / values[0] if values[0] else None)
        rows.append([scope or "the whole", _spark(values, ink.ascii, room), *ends, ratio])
    return lines + ink.table(["", "oldest to latest", "first", "latest", "ratio"], rows, right=frozenset({2, 3, 4}))
