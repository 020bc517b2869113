"""A phase document made out of what is new: nobody has to write it by hand; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from gates.tools.phase.references import KINDS, Kind
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


def draft_document(phase: str, title: str, snapshot: Snapshot, new: Mapping[Kind, Sequence[str]], before: str) -> str:
    """Return `phases/<phase>.md` with everything that is new since the phase `before`, ready to be committed."""
    since = f"since phase {before}" if before else "in the first phase"
    lines = [f"# {title or phase}", "", "## Provides", ""]
    if not new:
        lines += ["none", ""]
    for kind in KINDS:
        if new.get(kind):
            lines += [f"### {_HEADINGS[kind]}", "", *draft_lines(kind, new[kind], snapshot), ""]
    lines += ["## Consumes", ""]
    lines += ["none"] if not before else [f"<!-- From {before}: what this phase builds on, each in a list. -->", "none"]
    return "\n".join([*lines, "", f"<!-- Drafted by gates from what is new {since}. -->", ""])


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
