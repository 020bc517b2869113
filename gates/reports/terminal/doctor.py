"""What the gates need, and whether it is here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gates.reports.terminal.ink import Ink
from gates.reports.wording import one_line, plural
from gates.results import Verdict

if TYPE_CHECKING:
    from gates.tools.base import Requirement


def render_requirement(requirement: Requirement, *, colour: bool, width: int = 100, ascii: bool = False) -> str:  # noqa: A002
    """Return one requirement, with what to do about it when it is not met, ending in a newline."""
    ink = Ink(colour, width, ascii)
    what = one_line(requirement.what)
    first, *rest = ink.hang("  ", f"{what}: {requirement.detail}" if requirement.detail else what, indent=2)
    mark = ink.mark(Verdict.PASS if requirement.met else Verdict.FAIL)
    lines = [f"  {mark} {first[4:]}", *rest]
    if not requirement.met and requirement.hint:
        lines += ink.hang("→ ", requirement.hint, indent=6, lead_style="accent")
    return "\n".join(lines) + "\n"


def render_doctor(requirements: Sequence[Requirement], *, colour: bool, width: int, ascii: bool = False) -> str:  # noqa: A002
    """Return a line for each requirement and a summary; nothing to look at is not everything in order."""
    ink = Ink(colour, width, ascii)
    missing = sum(not requirement.met for requirement in requirements)
    if not requirements:
        summary, style = "nothing was looked at: no gate is configured", "doubt"
    elif missing:
        summary, style = f"{missing:,} of {plural(len(requirements), 'requirement')} not met", "bad"
    else:
        summary, style = f"everything is here ({plural(len(requirements), 'requirement')})", "good"
    told = [render_requirement(one, colour=colour, width=width, ascii=ascii) for one in requirements]
    return "".join([*told, "\n" if told else "", *(f"{line}\n" for line in ink.hang("", summary, style=style))])
