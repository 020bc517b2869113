"""The project of a phase as its gate saw it: schema, events, environment, dependencies, components, promises; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gates.reports.markdown.escape import code, prose
from gates.reports.markdown.kept import Kept
from gates.reports.markdown.lists import bounded, folded, listed
from gates.reports.wording import plural

_KINDS = ("operations", "tables", "events", "environment", "files")
_ONE = {"operations": "", "tables": "table ", "events": "event ", "environment": "environment variable ",
        "files": "file ", "": ""}  # fmt: skip
_NOUNS = {
    "operations": ("operation", "operations"), "tables": ("table", "tables"), "events": ("event", "events"),
    "environment": ("environment variable", "environment variables"), "dependencies": ("dependency", "dependencies"),
}  # fmt: skip
_MOST_COLUMNS = 60
_NO_CHANGE = "nothing is new, gone or changed"


def in_short(kept: Kept) -> list[str]:
    """Return in a sentence how much there is of everything, and how much of it is new."""
    if kept.snapshot is None:
        return []
    amounts = {kind: len(kept.snapshot[kind]) for kind in ("operations", "tables", "events", "environment")}
    amounts["dependencies"] = sum(len(versions) for versions in kept.snapshot["dependencies"].values())
    parts = []
    for kind, amount in amounts.items():
        if kept.unseen(kind) is not None:
            continue
        one, several = _NOUNS[kind]
        change = kept.change(kind)
        new = len(change.added) if change and kept.since else 0
        parts.append(f"{amount:,} {one if amount == 1 else several}" + (f" ({new:,} new)" if new else ""))
    return ["", f"In short: {', '.join(parts)}."]


def provided(kept: Kept) -> list[str]:
    """Return what a phase provides by its document, what earlier phases do, and what is listed and not there."""
    if kept.record is None:
        return [f"What it provides by its document is {kept.missing}."]
    there = [one for one in kept.record["provides"] if one["name"]]
    places = ", ".join(code(place) for place in kept.record["places"]) or "nothing that was written down"
    if not there:
        lines = [f"By its document ({places}) it provides nothing."]
    else:
        lines = [f"By its document ({places}) it provides:", "", *bounded(listed(_references(there)))]
    absent = [code(one["written"]) for one in kept.record["provides"] if not one["name"]]
    if absent:
        lines += ["", f"Listed there, and not in the project: {', '.join(absent)}."]
    for phase, promises in kept.record["kept"].items():
        names = listed(_references(promises))
        if names:
            title = f"Of phase {phase}, and there still ({len(names):,})"
            lines += ["", *folded(title, names, few=0)]
    return lines


def consumed(kept: Kept) -> list[str]:
    """Return what a phase builds on, by the phase that it is from."""
    if kept.record is None:
        return [kept.missing]
    by_phase: dict[str, list[Mapping[str, str]]] = {}
    for one in kept.record["consumes"]:
        by_phase.setdefault(one.get("phase", ""), []).append(one)
    lines: list[str] = []
    for phase, ones in sorted(by_phase.items(), key=lambda pair: (not pair[0], pair[0])):
        names = listed(_references(one for one in ones if one["name"]))
        names += [f"- {code(one['written'])} (is not there)" for one in ones if not one["name"]]
        lines += ["", f"From phase {prose(phase)}:" if phase else "From elsewhere:", "", *bounded(names)]
    return lines[1:] or ["nothing that was written down"]


def _order(one: Mapping[str, str]) -> tuple[int, str]:
    kind = one["kind"]
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS), one["name"] or one["written"]


def _references(found: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Yield each thing in a line, the columns of a table beside it."""
    ordered = sorted(found, key=_order)
    tables = {one["name"] for one in ordered if one["kind"] == "tables"}
    columns: dict[str, list[str]] = {}
    for one in ordered:
        table, _, column = one["name"].partition(".")
        if one["kind"] == "tables" and column and table in tables:
            columns.setdefault(table, []).append(code(column))
    for one in ordered:
        kind, name = one["kind"], one["name"]
        table, _, column = name.partition(".")
        if kind == "tables" and column:
            if table not in tables:
                yield f"column {code(name)}"
        else:
            inner = f" ({', '.join(columns[name])})" if kind == "tables" and name in columns else ""
            yield f"{_ONE[kind]}{code(name)}{inner}"


def schema(kept: Kept) -> list[str]:
    """Return tables and columns, and what changed of them."""
    if (why := kept.unseen("tables")) is not None or kept.snapshot is None:
        return [why or kept.missing]
    tables: Mapping[str, Any] = kept.snapshot["tables"]
    lines = []
    for name, table in tables.items():
        columns = list(table["columns"].items())
        told = ", ".join(_column(kept, name, column, what) for column, what in columns[:_MOST_COLUMNS])
        more = f" and {len(columns) - _MOST_COLUMNS} more" if len(columns) > _MOST_COLUMNS else ""
        new = " (new)" if kept.is_new("tables", name) else ""
        lines.append(f"- {code(name)}{new}: {told or 'its columns are not known'}{more}")
    places = sorted({str(table["place"]).rpartition(":")[0] or str(table["place"]) for table in tables.values()})
    live = {table["origin"] for table in tables.values()} == {"live"}
    seen = "as they are in the started backend" if live else "as migrations and models declare them"
    origin = f"{plural(len(tables), 'table')}, {seen}: {', '.join(code(place) for place in places[:5])}"
    head = [origin, ""] if tables else ["no table"]
    return [*head, *folded(f"{plural(len(tables), 'table')} with their columns", lines), *_changes(kept, "tables")]


def _column(kept: Kept, table: str, column: str, what: str) -> str:
    new = " (new)" if kept.is_new("tables", f"{table}.{column}") else ""
    return code(column) + (f" ({prose(what)})" if what else "") + new


def _changes(kept: Kept, kind: str, *, added: bool = False) -> list[str]:
    """Return what is gone and what changed since the phase before; what is new is marked in the list itself."""
    if not kept.since:
        return []
    change = kept.change(kind)
    if change is None:
        return ["", f"What changed since phase {prose(kept.since)} is not known: it was not seen then."]
    lines = [f"- new: {code(name)}" for name in change.added] if added else []
    lines += [f"- gone: {code(name)}" for name in change.removed]
    lines += [f"- changed: {code(name)}: {_in_code(how)}" for name, how in change.changed.items()]
    if not lines:
        told = "" if change.added and not added else f"{_NO_CHANGE} since phase {prose(kept.since)}"
        return ["", told] if told else []
    return ["", f"Since phase {prose(kept.since)}:", "", *folded(f"{len(lines):,} changes", lines)]


def _in_code(how: str) -> str:
    return " → ".join(code(part) for part in how.split(" → "))


def events(kept: Kept) -> list[str]:
    """Return the events that are published, with the file that does."""
    return _named(kept, "events", "published in", "no event was found in the source")


def environment(kept: Kept) -> list[str]:
    """Return the names of environment variables, never their values."""
    return _named(kept, "environment", "read in", "no variable was found in the source")


def _named(kept: Kept, kind: str, verb: str, none: str) -> list[str]:
    if (why := kept.unseen(kind)) is not None or kept.snapshot is None:
        return [why or kept.missing]
    lines = []
    for name, place in kept.snapshot[kind].items():
        # Without its line, which shifts.
        path, _, line = place.rpartition(":")
        new = " (new)" if kept.is_new(kind, name) else ""
        lines.append(f"- {code(name)}{new}, {verb} {code(path if path and line.isdigit() else place)}")
    if not lines:
        return [none, *_changes(kept, kind)]
    return [*folded(f"{len(lines):,} in all", lines), *_changes(kept, kind)]


def dependencies(kept: Kept) -> list[str]:
    """Return what is new, gone and of another version; and everything, folded."""
    if kept.snapshot is None:
        return [kept.missing]
    files: Mapping[str, Mapping[str, str]] = kept.snapshot["dependencies"]
    if not files:
        return ["no file that names dependencies was found"]
    lines = []
    for file, versions in files.items():
        lines.append(f"- {code(file)}: {len(versions):,}")
        lines += [f"  - {code(f'{name} {version}'.strip())}" for name, version in versions.items()]
    count = sum(len(versions) for versions in files.values())
    body = folded(f"{count:,} in {plural(len(files), 'file')}", lines, most=1000)
    return [*body, *_changes(kept, "dependencies", added=True)]


def components(kept: Kept) -> list[str]:
    """Return the packages and modules of the project's own source, with their size."""
    if kept.snapshot is None:
        return [kept.missing]
    lines = [
        f"- {code(name)}{' (new)' if kept.is_new('components', name) else ''}: "
        f"{plural(one['files'], 'file')}, {plural(one['lines'], 'line')}"
        for name, one in kept.snapshot["components"].items()
    ]
    if not lines:
        return ["no source was found: name it in [project] source"]
    return [*folded(f"{len(lines):,} packages and modules", lines), *_changes(kept, "components")]
