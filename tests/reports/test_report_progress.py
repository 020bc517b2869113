"""Progress: a moving display on a terminal, two lines for each gate in a pipe, nothing when quiet."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from report_samples import HOSTILE, bench_gate, coverage_gate, fuzz_gate, load_gate
from rich.console import Console

from gates import engine
from gates.reports.terminal import Progress
from gates.reports.terminal.ink import Ink
from gates.reports.terminal.progress import LiveProgress

EVENTS = (
    engine.RunStarted(("tests", "fuzz", "load")),
    engine.GateFinished(bench_gate()),
    engine.GateStarted("tests", "coverage"),
    engine.GateProgress("tests", None, "12 tests"),
    engine.GateFinished(replace(coverage_gate(), cached=True)),
    engine.GateStarted("fuzz", "schemathesis"),
    engine.GateProgress("fuzz", 0.5, "GET /orders"),
    engine.GateFinished(fuzz_gate()),
    "an event of somebody else",
)


def console(terminal: bool, width: int = 100) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, _environ={"TERM": "xterm"})


def written(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def shown(console: Console, **options: bool) -> str:
    with Progress.on_console(**{"quiet": False, "colour": True, **options}, console=console) as progress:
        for event in EVENTS:
            progress.show(event)
    return written(console)


def test_a_pipe_gets_a_line_when_a_gate_starts_and_one_when_it_ends() -> None:
    assert shown(console(terminal=False)).splitlines() == [
        "– bench (benchmark) skipped: --skip bench",
        "  tests (coverage) started",
        "✓ tests (coverage) pass after 12.4 s · cached · 41 tests · 1 skipped · 96.41 % lines · 91 % branches",
        "  fuzz (schemathesis) started",
        "! fuzz (schemathesis) error after 61.0 s: schemathesis was killed by signal 9 after 61 s",
    ]


def test_a_line_in_a_pipe_is_not_broken_however_narrow_it_seems() -> None:
    assert shown(console(terminal=False, width=20)).count("\n") == 5


def test_quiet_says_nothing() -> None:
    for terminal in (True, False):
        assert shown(console(terminal), quiet=True) == ""


def test_ascii_is_ascii() -> None:
    assert shown(console(terminal=False), ascii=True).isascii()


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_text_stays_text(terminal: bool) -> None:
    on = console(terminal)
    gate = replace(load_gate(), gate=HOSTILE, tool=HOSTILE, reason=HOSTILE)
    with Progress.on_console(quiet=False, colour=False, console=on) as progress:
        progress.show(engine.GateStarted(HOSTILE, HOSTILE))
        progress.show(engine.GateProgress(HOSTILE, 0.1, HOSTILE))
        progress.show(engine.GateFinished(gate))
    text = written(on)
    assert "\x1b[2J" not in text
    assert "\x1b]" not in text
    assert "\u202e" not in text
    assert not any(line.strip().startswith("::") for line in text.splitlines())


def rows(progress: LiveProgress, width: int = 100) -> list[str]:
    target = Console(file=io.StringIO(), width=width, force_terminal=False)
    target.print(progress.render())
    return [line.rstrip() for line in written(target).splitlines()]


def live(width: int = 100) -> LiveProgress:
    return LiveProgress(console(terminal=True, width=width), Ink(False, width))


def test_a_terminal_shows_a_row_for_each_gate_from_the_beginning() -> None:
    progress = live()
    for event in EVENTS[:7]:
        progress.show(event)
    lines = rows(progress)
    assert re.match(r"  ✓  tests +coverage +pass after 12.4 s · cached", lines[0])
    assert re.match(r"  . +fuzz +schemathesis +━+.*━* +[0-9.]+ s +GET /orders", lines[1])
    assert re.match(r" +load +waiting", lines[2])
    assert re.match(r"  –  bench +benchmark +skipped: --skip bench", lines[3])


def test_where_the_end_is_not_known_there_is_no_bar() -> None:
    progress = live()
    for event in EVENTS[:4]:
        progress.show(event)
    assert "12 tests" in rows(progress)[0]
    assert "━" not in rows(progress)[0]


def test_no_name_is_cut_off_and_no_row_is_wider_than_the_terminal() -> None:
    progress = live(60)
    for event in (*EVENTS[:7], engine.GateProgress("fuzz", 2.0, "x" * 500)):
        progress.show(event)
    lines = rows(progress, 60)
    assert len(lines) == 4
    assert all(len(line) <= 60 for line in lines)
    assert "schemathesis" in lines[1]


def test_the_display_is_gone_when_the_run_is_over() -> None:
    text = shown(console(terminal=True))
    assert "schemathesis" in text
    assert text.rstrip("\n").endswith("\x1b[1A\x1b[2K")
    assert "\x1b[?25h" in text, "the cursor is back"


def test_a_terminal_that_cannot_move_its_cursor_gets_lines() -> None:
    dumb = Console(file=io.StringIO(), force_terminal=True, width=100, _environ={"TERM": "dumb"})
    assert len(shown(dumb).splitlines()) == 5
