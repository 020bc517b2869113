"""What a calibration found out, told so that a person knows what to expect of later checks on this machine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gates.calibration import HIGHEST_FLOOR, Calibration, Noise, share
from gates.machine import describe
from gates.reports.terminal.ink import Ink
from gates.reports.terminal.interval import Interval, interval_legend, one_scale
from gates.reports.wording import one_line, plural, seconds
from gates.results import Verdict
from gates.sequential import FLOOR, MEMORY, P95, P99, SHIFT, THROUGHPUT

_QUIETER = (
    "What helps: nothing else running meanwhile (other containers, a browser, an editor that indexes), a machine of "
    "its own, a fixed processor frequency, longer epochs (`pair_seconds`), a higher `rate`; then calibrate again"
)
_NARROWEST_DRAWING, _WIDEST_DRAWING = 17, 41
_SHOWN = 3


def render_calibration(
    calibration: Calibration,
    *,
    colour: bool,
    width: int,
    ascii: bool = False,  # noqa: A002 - what it means everywhere else, too
    notes: Sequence[str] = (),
    quiet: bool = False,
) -> str:
    """Return a calibration as people read it; `quiet` leaves out the figures, the notes and what is as it should be."""
    ink = Ink(colour, width, ascii)
    lines: list[str] = []
    if not quiet:
        lines += ink.title(f"{calibration.gate}: commit {calibration.commit[:12]} measured beside itself")
        told = f"{describe(calibration.machine)}; {plural(calibration.epochs, 'epoch')}"
        lines += ink.hang("", f"{told}, {seconds(calibration.epoch_seconds)} each with starts and warm up", indent=2)
        lines += ["", *_table(calibration, ink), "", *ink.title("What that means for checks on this machine")]
    for verdict, text in conclusions(calibration):
        if not quiet or verdict is not Verdict.PASS:
            first, *rest = ink.hang("  ", text.replace(" %", "\N{NO-BREAK SPACE}%"), indent=2)
            lines += [f"  {ink.mark(verdict)} {first[4:]}", *rest]
    for note in () if quiet else notes:
        lines += ink.hang("- ", one_line(note), indent=2, style="dim")
    return "".join(f"{line}\n" for line in lines)


def name_of(one: Noise) -> str:
    """Return what was measured, in words: `GET /orders`, `p95 of GET /orders`, `peak memory`."""
    if one.name == MEMORY:
        return "peak memory"
    if one.name == THROUGHPUT:
        return "throughput"
    scope = one.scope or "all requests"
    return scope if one.name == SHIFT else f"{one.name.removeprefix('pair.')} of {scope}"


def _table(calibration: Calibration, ink: Ink) -> list[str]:
    """Return a line for each quantity, with its interval on one scale for all where there is room for it."""
    found = [
        Interval(math.exp(one.bias - one.reach), math.exp(one.bias), math.exp(one.bias + one.reach), 1 + one.tolerance)
        for one in calibration.noise
    ]
    least, most = one_scale(found)
    rows = [
        (one_line(name_of(one)), f"{math.exp(one.bias):.3f}", share(math.expm1(one.sd)), _seen(one))
        for one in calibration.noise
    ]
    headings = ("identical builds", "ratio", "noise", "seen from")
    widths = [max(len(row[column]) for row in (headings, *rows)) + 2 for column in range(4)]
    room = ink.width - 2 - sum(widths)
    right = frozenset({1, 2, 3})
    if room < _NARROWEST_DRAWING:
        return [*ink.table(headings, rows, right=right), *_legend(ink)]
    cells = min(room, _WIDEST_DRAWING)
    drawn = [one.draw(least, most, cells, ascii=ink.ascii) for one in found]
    scale = f"{least:.2f}{f'{most:.2f}'.rjust(cells - 4)}"
    table = ink.table(
        (*headings, scale), [(*row, line) for row, line in zip(rows, drawn, strict=True)], right=right, flexible=(0,)
    )
    return [*table, *ink.hang("", interval_legend(ascii=ink.ascii), indent=2, style="dim"), *_legend(ink)]


def _legend(ink: Ink) -> list[str]:
    told = "noise: of one epoch; seen from: the least worsening that a whole check tells from none"
    return ink.hang("", told, indent=2, style="dim")


def _seen(one: Noise) -> str:
    return share(one.detectable) if math.isfinite(one.detectable) else "never"


def conclusions(calibration: Calibration) -> Iterator[tuple[Verdict, str]]:
    """Yield what follows for later checks, in sentences; `pass` for what is as it should be."""
    yield _of_the_trial(calibration)
    yield _of_the_floor(calibration)
    yield Verdict.PASS, _of_the_order(calibration.order)
    yield Verdict.PASS, _of_what_is_seen(calibration)
    yield _of_the_time(calibration)


def _of_the_trial(calibration: Calibration) -> tuple[Verdict, str]:
    trial = calibration.trial
    epochs = plural(trial.epochs, "epoch")
    if trial.verdict == "pass":
        return Verdict.PASS, f"The rule of a check, tried on these epochs, passes the unchanged build after {epochs}"
    if trial.verdict == "open":
        return Verdict.UNKNOWN, f"The rule of a check, tried on these epochs, is undecided after {epochs}"
    return Verdict.FAIL, (
        f"FALSE ALARM: the rule of a check, tried on these epochs, calls this build worse than itself "
        f"({', '.join(trial.blamed)}). Believe no comparison that fails on this machine before that is gone. {_QUIETER}"
    )


def _of_the_floor(calibration: Calibration) -> tuple[Verdict, str]:
    overall = calibration.overall
    seen = f"{share(abs(math.expm1(overall.bias)))} (± {share(math.expm1(overall.reach))})"
    if calibration.too_noisy:
        return Verdict.UNKNOWN, (
            f"This machine is too noisy: identical builds may differ by {share(calibration.wanted)} here. The floor, "
            f"below which a worsening is taken for none, is raised to {share(HIGHEST_FLOOR)}, never further. {_QUIETER}"
        )
    told = f"All requests together differ by {seen} between identical builds"
    if calibration.floor > FLOOR:
        return Verdict.PASS, (
            f"{told}. The floor, below which a worsening is taken for none, is raised from {share(FLOOR)} to "
            f"{share(calibration.floor)} here; with more `--epochs` it may turn out lower"
        )
    return Verdict.PASS, f"{told}; the ordinary floor holds: less than {share(FLOOR)} worse is taken for none"


def _of_the_order(order: float) -> str:
    which = "longer" if order > 0 else "shorter"
    return (
        f"An answer that is asked for first takes {share(abs(math.expm1(order)))} {which} than its twin; each build is "
        "first as often as the other, so that this cancels out"
    )


def _of_what_is_seen(calibration: Calibration) -> str:
    kinds = [
        (_of(calibration, SHIFT, whole=True), "in all requests together"),
        (_of(calibration, SHIFT, whole=False), "in one operation"),
        (
            [*_of(calibration, P95, whole=True), *_of(calibration, P99, whole=True)],
            "in their p95 or p99",
        ),
        (_of(calibration, P95, whole=False), "in the p95 of one operation"),
        (_of(calibration, THROUGHPUT, whole=True), "in throughput"),
        (_of(calibration, MEMORY, whole=True), "in memory"),
    ]
    told = [f"{_between(found)} {where}" for found, where in kinds if found]
    return (
        f"A check that takes all its {plural(calibration.planned, 'epoch')} tells a worsening from none, four times in "
        f"five, from {', '.join(told)} on"
    )


def _of(calibration: Calibration, name: str, *, whole: bool) -> list[Noise]:
    return [one for one in calibration.noise if one.name == name and (not one.scope) is whole]


def _between(found: Sequence[Noise]) -> str:
    least, most = (choose(found, key=lambda one: one.detectable) for choose in (min, max))
    return _seen(least) if _seen(least) == _seen(most) else f"{_seen(least)} to {_seen(most)}"


def _of_the_time(calibration: Calibration) -> tuple[Verdict, str]:
    planned, needed = calibration.planned, calibration.needed
    late = [one for one in calibration.noise if one.needed is None or one.needed > planned]
    if not late and needed is not None:
        return Verdict.PASS, (
            f"An unchanged build usually passes after {plural(needed, 'epoch')}, about "
            f"{seconds(needed * calibration.epoch_seconds)}; a check ends as soon as everything is decided"
        )
    worst = sorted(late, key=lambda one: one.sd, reverse=True)[:_SHOWN]
    more = f" and {len(late) - _SHOWN} more" if len(late) > _SHOWN else ""
    names = ", ".join(f"{name_of(one)} (noise {share(math.expm1(one.sd))})" for one in worst) + more
    remedy = f"set `pair_epochs` to {needed}, or longer `pair_seconds`" if needed else "set longer `pair_seconds`"
    within = plural(planned, "epoch")
    return Verdict.UNKNOWN, f"An unchanged build usually stays undecided within {within}, because of {names}: {remedy}"
