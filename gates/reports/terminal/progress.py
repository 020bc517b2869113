"""What happens while the gates run: a moving display on a terminal, a line for each event in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gates.reports.terminal.ink import Ink, in_a_row
from gates.reports.wording import finding_counts, key_numbers, one_line, seconds
from gates.results import GateResult, Verdict

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress_bar import ProgressBar
    from rich.text import Text

_UNWRAPPED = 1_000_000
_BAR = 16


class Progress:
    """Listens to the events of a run; this one says nothing, and so is what `--quiet` wants."""

    def show(self, event: object) -> None:
        """Take notice of an event of the engine; others are none of its business."""

    @staticmethod
    @contextmanager
    def on_console(
        *,
        quiet: bool,
        colour: bool,
        ascii: bool = False,  # noqa: A002 - what it means everywhere else, too
        console: Console | None = None,
    ) -> Iterator[Progress]:
        """Yield what listens best: nothing when quiet, a moving display on a terminal, plain lines elsewhere.

        `console` is where it is shown; the standard output when it is left out.
        """
        if quiet:
            yield Progress()
            return
        from rich.console import Console

        class Piped(Console):
            def on_broken_pipe(self) -> None:
                raise  # not rich's exit code 1, which would say that a gate failed

        console = console or Piped(no_color=not colour, highlight=False, markup=False, emoji=False)
        if not console.is_terminal or console.is_dumb_terminal:
            yield PlainProgress(
                lambda line: console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False),
                Ink(False, _UNWRAPPED, ascii),
            )
            return
        live = LiveProgress(console, Ink(colour, console.width, ascii))
        with live.displayed():
            yield live


def _ending(result: GateResult) -> str:
    """Return how a gate ended, on one line."""
    if result.verdict is Verdict.SKIPPED:
        return f"skipped: {one_line(result.reason or 'no reason was given')}"
    facts = [f"{result.verdict} after {seconds(result.seconds)}", "cached" if result.cached else ""]
    if result.reason:
        return f"{in_a_row(facts)}: {one_line(result.reason)}"
    return in_a_row([*facts, *finding_counts([result]), *key_numbers(result.readings.measurements)])


class PlainProgress(Progress):
    """For a pipe: a line when a gate starts and a line when it ends, without colours or cursor movements."""

    def __init__(self, write: Callable[[str], None], ink: Ink) -> None:
        self._write = write
        self._ink = ink

    def show(self, event: object) -> None:
        """Write a line for a gate that started or ended."""
        from gates import engine  # it brings every tool along, and no other report needs one

        if isinstance(event, engine.GateStarted):
            self._say("  ", f"{event.gate} ({event.tool}) started")
        elif isinstance(event, engine.GateFinished):
            result = event.result
            self._say(f"{self._ink.mark(result.verdict)} ", f"{result.gate} ({result.tool}) {_ending(result)}")

    def _say(self, mark: str, text: str) -> None:
        for line in self._ink.hang("", one_line(text)):
            self._write(mark + line)


@dataclass(frozen=True, slots=True)
class _Row:
    gate: str
    tool: str = ""
    began: float | None = None
    share: float | None = None
    text: str = ""
    result: GateResult | None = None


class LiveProgress(Progress):
    """For a terminal: a row for each gate, with a bar where the end is known; it disappears for the report."""

    def __init__(self, console: Console, ink: Ink) -> None:
        self._console = console
        self._ink = ink
        self._rows: dict[str, _Row] = {}
        self._frame = 0

    @contextmanager
    def displayed(self) -> Iterator[None]:
        """Show the rows as long as the block lasts."""
        from rich.live import Live

        with Live(get_renderable=self.render, console=self._console, refresh_per_second=8, transient=True):
            yield

    def show(self, event: object) -> None:
        """Change the row of the event's gate."""
        from gates import engine  # it brings every tool along, and no other report needs one

        rows = dict(self._rows)
        if isinstance(event, engine.RunStarted):
            rows = {gate: _Row(gate) for gate in event.gates}
        elif isinstance(event, engine.GateStarted):
            rows[event.gate] = _Row(event.gate, event.tool, self._console.get_time())
        elif isinstance(event, engine.GateProgress):
            old = rows.get(event.gate, _Row(event.gate))
            rows[event.gate] = replace(old, share=event.share, text=event.text)
        elif isinstance(event, engine.GateFinished):
            old = rows.get(event.result.gate, _Row(event.result.gate))
            rows[event.result.gate] = replace(old, tool=event.result.tool, result=event.result)
        # Replaced as a whole: another thread draws it at any moment.
        self._rows = rows

    def render(self) -> RenderableType:
        """Return the rows as they stand now."""
        from rich.table import Table
        from rich.text import Text

        self._frame += 1
        rows = [self._cells(row) for row in self._rows.values()]
        grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
        left = self._console.width
        for cells in [*zip(*rows, strict=True)][:-1]:
            # Of a name nothing is cut off; what a gate says about itself gives way instead.
            width = max(cell.cell_len if isinstance(cell, Text) else _BAR for cell in cells)
            grid.add_column(no_wrap=True, width=width)
            left -= width + 2
        grid.add_column(no_wrap=True, overflow="ellipsis", width=max(left - 2, _BAR))
        for row in rows:
            grid.add_row(*row)
        return grid

    def _cells(self, row: _Row) -> list[Text | ProgressBar]:
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        names = [Text(self._ink.safe(one_line(name))) for name in (row.gate, row.tool)]
        if row.result is not None:
            mark = Text.from_ansi("  " + self._ink.mark(row.result.verdict))
            text = Text(self._ink.safe(_ending(row.result)).replace("\N{NO-BREAK SPACE}", " "))
            return [mark, *names, Text(""), text]
        if row.began is None:
            return [Text("   "), *names, Text(""), Text("waiting", style="dim")]
        frames = "|/-\\" if self._ink.ascii else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
        now = self._console.get_time()
        share = row.share
        bar: Text | ProgressBar = (
            Text("") if share is None else ProgressBar(total=1.0, completed=min(max(share, 0.0), 1.0), width=_BAR)
        )
        told = f"{seconds(now - row.began)}  {one_line(row.text)}".rstrip()
        return [Text(f"  {frames[self._frame % len(frames)]}", style="cyan"), *names, bar, Text(self._ink.safe(told))]
