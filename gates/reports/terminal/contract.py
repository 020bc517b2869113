"""What changed between two API descriptions, or what is wrong with one, as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from gates.contract.changes import Change
from gates.contract.examination import Described, Examination
from gates.reports.terminal.ink import VERDICT_STYLE, Ink, in_a_row
from gates.reports.wording import EXIT_MEANINGS, one_line, plural
from gates.results import Verdict

_HEADINGS = {
    "error": ("Breaks clients", "Errors", Verdict.FAIL),
    "warning": ("May break clients", "Warnings", Verdict.UNKNOWN),
    "info": ("Additive", "Infos", Verdict.PASS),
}
_MOST = 50
"""So many of each kind are shown; all of them are in the JSON."""
_NAMED = 6
_SLASH = "/"


def render_contract(
    found: Examination,
    *,
    colour: bool,
    width: int,
    ascii: bool = False,  # noqa: A002 - what it means everywhere else, too
) -> str:
    """Return an examination as text for a terminal of `width` cells."""
    ink = Ink(colour, width, ascii)
    blocks = [_heading(found, ink)]
    for word, (of_two, of_one, verdict) in _HEADINGS.items():
        changes = found.of(word)
        if changes:
            title = f"{of_two if found.earlier else of_one} ({len(changes):,})"
            blocks.append([*ink.title(title), *_changes(changes, verdict, ink)])
    if found.unread:
        lines = [line for text in found.unread for line in _marked(Verdict.ERROR, one_line(text), ink)]
        blocks.append([*ink.title(f"Not compared ({len(found.unread):,})"), *lines])
    blocks.append(_conclusion(found, ink))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _named(one: Described) -> str:
    facts = (one_line(one.title), one_line(one.version), plural(one.operations, "operation"))
    return in_a_row(fact for fact in facts if fact)


def _heading(found: Examination, ink: Ink) -> list[str]:
    if found.earlier is None:
        return [*ink.title(one_line(found.new.name)), *ink.hang("", _named(found.new), indent=2)]
    return [
        *ink.title(f"{one_line(found.earlier.name)} → {one_line(found.new.name)}"),
        *ink.hang("earlier  ", _named(found.earlier), indent=2, lead_style="dim"),
        *ink.hang("new      ", _named(found.new), indent=2, lead_style="dim"),
    ]


def _marked(verdict: Verdict, text: str, ink: Ink) -> list[str]:
    first, *rest = ink.hang("", text, indent=4)
    return [f"  {ink.mark(verdict)} {first[4:]}", *rest]


def _changes(changes: Sequence[Change], verdict: Verdict, ink: Ink) -> list[str]:
    lines: list[str] = []
    for change in changes[:_MOST]:
        lines += _marked(verdict, one_line(change.message), ink)
        lines += ink.hang("", in_a_row((change.rule, *_where(change))), indent=6, style="dim")
        if len(change.operations) > 1 and change.operations[0] not in change.message:
            lines += ink.hang("in  ", _operations(change), indent=6, style="dim")
    if len(changes) > _MOST:
        lines += ink.hang("", f"… and {len(changes) - _MOST:,} more: `--json FILE` has them all", indent=4)
    return lines


def _where(change: Change) -> list[str]:
    """Return where it is; once, where it is at the same place in both documents."""
    if not change.earlier_pointer or change.pointer == change.earlier_pointer:
        return [one_line(change.pointer or _SLASH)]
    return [one_line(change.pointer or _SLASH), f"was {one_line(change.earlier_pointer)}"]


def _operations(change: Change) -> str:
    more = len(change.operations) - _NAMED
    names = ", ".join(one_line(name) for name in change.operations[:_NAMED])
    return f"{names} and {more:,} more" if more > 0 else names


def _conclusion(found: Examination, ink: Ink) -> list[str]:
    verdict, code = found.verdict, found.exit_code
    facts = ", ".join(found.counts())
    if found.unread:
        facts += f", {len(found.unread):,} not compared"
    if not found.changes and not found.unread:
        facts = "nothing changed for those who use the API" if found.earlier else "nothing is wrong with it"
    meaning = "something was found that it has to fail on" if code == 1 else EXIT_MEANINGS[code]
    if code == 0 and found.fail_on == "never":
        meaning = "--fail-on never"
    told = f"{facts} · exit code {code}: {meaning}"
    lines = ink.hang(f"{verdict.value.upper()} · ", told, lead_style=VERDICT_STYLE[verdict])
    if found.changes:
        lines += ink.hang("next  ", f"gates explain {found.changes[0].rule}", indent=2, lead_style="accent")
    return lines
