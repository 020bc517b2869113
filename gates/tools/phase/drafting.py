"""A phase document made out of what is new: nobody has to write it by hand; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from gates.tools.phase.references import KINDS, Kind, Reference
from gates.tools.phase.snapshot import Snapshot

_HEADINGS: Mapping[str, str] = {
    "operations": "Operations", "tables": "Tables", "events": "Events", "environment": "Environment",
}  # fmt: skip


def draft_lines(kind: Kind, names: Sequence[str], snapshot: Snapshot | None = None) -> Iterator[str]:
    """Yield the lines of a list that names things of a kind; tables with the columns that a snapshot has of them."""
    label = {"tables": "table ", "events": "event ", "environment": "environment "}.get(kind, "")
    for name in names:
        table = snapshot.tables.get(name) if snapshot and kind == "tables" else None
        columns = ", ".join(f"`{column}`" for column in table.columns) if table else ""
        yield f"- {label}`{name}`" + (f" ({columns})" if columns else "")


def draft_document(
    phase: str, title: str, snapshot: Snapshot, new: Mapping[Kind, Sequence[str]], since: str,
    listed: tuple[Sequence[Reference], Sequence[Reference]] = ((), ()),
) -> str:  # fmt: skip
    """Return `phases/<phase>.md` with everything that is new since a phase, ready to be committed.

    What its document already lists as provided and as consumed stays in it.
    """
    provides, consumes = listed
    lines = [f"# {title or phase}", "", "## Provides", ""]
    names = {kind: list(new.get(kind, ())) for kind in KINDS}
    for one in provides:
        if one.kind in names and not _is_covered(one, names[one.kind]):
            names[one.kind].append(one.name)
    for kind in KINDS:
        if names[kind]:
            lines += [f"### {_HEADINGS[kind]}", "", *draft_lines(kind, names[kind], snapshot), ""]
    if not any(names.values()):
        lines += ["none", ""]
    lines += ["## Consumes", "", *_needed(consumes, since)]
    return "\n".join([*lines, ""])


def _is_covered(one: Reference, names: Sequence[str]) -> bool:
    """Return whether a name is among some, or the column of a table that is."""
    return one.name in names or (one.kind == "tables" and one.name.partition(".")[0] in names)


def _needed(consumes: Sequence[Reference], since: str) -> Iterator[str]:
    if not consumes:
        if since:
            yield f"<!-- What this phase builds on, from {since} for example: - `GET /…`, - table `…` -->"
        yield "none"
    for phase in dict.fromkeys(one.phase for one in consumes):
        if phase:
            yield from (f"### From {phase}", "")
        for kind in KINDS:
            yield from draft_lines(kind, [one.name for one in consumes if (one.kind, one.phase) == (kind, phase)])
        yield ""


def draft_table(new: Mapping[Kind, Sequence[str]], most: int = 12) -> str:
    """Return the same as keys of the phase's table in gates.toml, at most so many names of a kind."""
    lines = []
    for kind in KINDS:
        if names := new.get(kind):
            shown = ", ".join(_quoted(name) for name in names[:most])
            more = f"  # and {len(names) - most} more" if len(names) > most else ""
            lines.append(f"provides.{kind} = [{shown}]{more}")
    return "\n".join(lines) or "provides = {}"


def _quoted(text: str) -> str:
    # A text of JSON is one of TOML as well.
    return json.dumps(text)
