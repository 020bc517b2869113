"""What changed between two API descriptions, or what is wrong with one, as a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from gates.contract.changes import Change
from gates.contract.examination import Examination
from gates.reports.markdown.escape import code, prose, tag_text
from gates.results import Verdict

_COMMENT = 60_000
"""Characters; code hosts refuse a comment of more than 65,536."""
_ROOMS = ((300, 2000), (100, 600), (30, 300), (10, 160), (3, 80))
"""How many changes of each kind, with how many characters each: the first that fits."""
_MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.UNKNOWN: "❔"}
_HEADINGS = {
    "error": ("Breaks clients", "Errors"), "warning": ("May break clients", "Warnings"), "info": ("Additive", "Infos"),
}  # fmt: skip


def render_contract(found: Examination) -> str:
    """Return an examination as Markdown that fits into a comment; where there is too much, it says what it left out."""
    text = ""
    for rows, most in _ROOMS:
        text = _compose(found, rows, most)
        if len(text) <= _COMMENT:
            break
    return text


def _compose(found: Examination, rows: int, most: int) -> str:
    names = [one.name for one in (found.earlier, found.new) if one is not None]
    facts = found.counts()
    if found.unread:
        facts.append(f"{len(found.unread):,} not compared")
    blocks = [
        f"## {_MARKS[found.verdict]} API contract: {', '.join(facts)}",
        " → ".join(code(name) for name in names) + _versions(found),
    ]
    for word, (of_two, of_one) in _HEADINGS.items():
        changes = found.of(word)
        if not changes:
            continue
        title = f"{of_two if found.earlier else of_one} ({len(changes):,})"
        listed = _listed(changes, rows, most)
        # What nobody has to do anything about is folded away.
        folded = f"<details><summary>{tag_text(title)}</summary>\n\n{listed}\n\n</details>"
        blocks.append(folded if word == "info" else f"### {title}\n\n{listed}")
    if found.unread:
        lines = [f"- {prose(text, most)}" for text in found.unread[:rows]]
        blocks.append("\n".join((f"### Not compared ({len(found.unread):,})", "", *lines)))
    return "\n\n".join(blocks) + "\n"


def _versions(found: Examination) -> str:
    versions = [one.version for one in (found.earlier, found.new) if one is not None and one.version]
    return f" · version {' → '.join(code(version) for version in versions)}" if versions else ""


def _listed(changes: Sequence[Change], rows: int, most: int) -> str:
    lines = []
    for change in changes[:rows]:
        lines.append(f"- {prose(change.message, most)}<br>{code(change.rule)} · {code(change.pointer or '/')}")
    if len(changes) > rows:
        lines.append(f"- … and {len(changes) - rows:,} more")
    return "\n".join(lines)
