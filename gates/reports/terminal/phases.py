"""The phases of a project, their state, who signed what, and the numbers that matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from gates.reports.terminal.ink import Ink, in_a_row
from gates.reports.wording import key_numbers, one_line
from gates.results import Measurement, Verdict


class PhaseRow(Protocol):
    """What is told of a phase; what was not signed off has no signer, time and commit, and may have no verdict.

    `numbers` are the measurements of its baseline, or of its latest run.
    """

    @property
    def number(self) -> int:
        """Its place in the plan, from 1."""

    @property
    def name(self) -> str:
        """Its name in gates.toml."""

    @property
    def title(self) -> str:
        """What it is about; may be empty."""

    @property
    def state(self) -> str:
        """`signed off`, `current` or `open`."""

    @property
    def by(self) -> str | None:
        """Who signed it."""

    @property
    def at(self) -> str | None:
        """When, in ISO 8601."""

    @property
    def commit(self) -> str | None:
        """At which commit."""

    @property
    def verdict(self) -> Verdict | None:
        """How its baseline or its latest run was judged."""

    @property
    def numbers(self) -> Sequence[Measurement]:
        """What was measured."""


_STATE_STYLE = {"signed off": "good", "current": "accent", "open": "dim"}


def render_phases(rows: Iterable[PhaseRow], *, colour: bool, width: int, ascii: bool = False) -> str:  # noqa: A002
    """Return the phases in their order, as text for a terminal of `width` cells."""
    ink = Ink(colour, width, ascii)
    rows = list(rows)
    if not rows:
        return "\n".join(ink.hang("", "no phase is planned; write [[phases]] in gates.toml")) + "\n"
    names = max(len(one_line(row.name)) for row in rows)
    digits = len(str(max(row.number for row in rows)))
    lines: list[str] = []
    margin = digits + 5
    for row in rows:
        facts = in_a_row(
            (row.state, one_line(row.by or ""), one_line(row.at or "")[:10], one_line(row.commit or "")[:10])
        )
        style = _STATE_STYLE.get(row.state, "")
        lead = f"{one_line(row.name):<{names}}  "
        first, *rest = ink.hang(lead, facts, lead_style="bold", style=style, indent=margin)
        mark = ink.mark(row.verdict) if row.verdict else " "
        lines += [f"{row.number:>{digits}}  {mark}  {first[margin:]}", *rest]
        below = [text for text in (row.title, in_a_row(key_numbers(row.numbers))) if text]
        lines += [line for text in below for line in ink.hang("", text, indent=margin, style="dim")]
    return "\n".join(lines) + "\n"
