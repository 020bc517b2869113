"""A project as it is at one moment: operations, tables, events, environment, dependencies, components; pure.

It is stored as JSON, `gates.snapshot/1`:

    {"format": "gates.snapshot/1", "base_path": "/api/v1",
     "operations": {"GET /orders": "openapi"},                            method and path → where it was found
     "tables": {"orders": {"origin": "live", "place": "orders.db", "columns": {"id": "INTEGER, key"}}},
     "events": {"order.placed": "orders/app.py:31"},                      name → where it is published first
     "environment": {"ORDERS_DB": "orders/settings.py:7"},                name → where it is read first, never a value
     "dependencies": {"requirements.txt": {"fastapi": "==0.139"}},        file → name → version as it is written
     "components": {"orders/app.py": {"files": 1, "lines": 130}},         the project's own source
     "not_seen": {"tables": "why nothing could be seen of them"}, "left_out": {"operations": 12}}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gates.tools.phase.references import KINDS, Kind, operation_form

FORMAT = "gates.snapshot/1"
DOCUMENT = "snapshot"
"""Under which name it stands among the documents of a gate's readings."""
_MOST = {"operations": 5000, "tables": 2000, "events": 2000, "environment": 2000, "components": 2000}
_MOST_COLUMNS = 500
_MOST_DEPENDENCIES = 5000
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Table:
    """A table: `live` was seen in the database, `declared` in migrations or models; columns with what they are."""

    columns: Mapping[str, str] = field(default_factory=dict)
    origin: str = "live"
    place: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A package, or a module of it: how many files, how many lines."""

    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is. Mappings are from names to where they were found; see the module for their form as JSON."""

    operations: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    dependencies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    components: Mapping[str, Component] = field(default_factory=dict)
    base_path: str = ""
    not_seen: Mapping[str, str] = field(default_factory=dict)
    """By kind, why nothing is known of it: that is not the same as there being nothing."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """By kind, how many were beyond what is kept."""

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Return the names of a kind; those of tables with all their columns as `table.column`."""
        if kind == "tables":
            return tuple(self._tables())
        return tuple(getattr(self, kind)) if kind in KINDS else ()

    def _tables(self) -> Iterator[str]:
        for name, table in self.tables.items():
            yield name
            yield from (f"{name}.{column}" for column in table.columns)


def bounded(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot in order, and no larger than what is kept; `left_out` says what was beyond that."""
    kept: dict[str, Any] = {}
    left: dict[str, int] = {}
    for kind, most in _MOST.items():
        found = {_short(name): value for name, value in sorted(getattr(snapshot, kind).items())}
        if kind == "operations":
            found = {name: found[name] for name in sorted(found, key=_by_path)}
        kept[kind] = dict(list(found.items())[:most])
        if len(found) > most:
            left[kind] = len(found) - most
    tables = {}
    for name, table in kept["tables"].items():
        columns = {_short(column): _short(what) for column, what in list(table.columns.items())[:_MOST_COLUMNS]}
        tables[name] = replace(table, columns=columns, place=_short(table.place))
        if len(table.columns) > _MOST_COLUMNS:
            left["columns"] = left.get("columns", 0) + len(table.columns) - _MOST_COLUMNS
    dependencies: dict[str, dict[str, str]] = {}
    room = _MOST_DEPENDENCIES
    for file, versions in sorted(snapshot.dependencies.items()):
        dependencies[file] = {_short(name): _short(versions[name]) for name in sorted(versions)[:room]}
        room -= len(dependencies[file])
        if len(dependencies[file]) < len(versions):
            left["dependencies"] = left.get("dependencies", 0) + len(versions) - len(dependencies[file])
    for kind in ("operations", "events", "environment"):
        kept[kind] = {name: _short(place) for name, place in kept[kind].items()}
    return Snapshot(
        **{**kept, "tables": tables}, dependencies=dependencies, base_path=_short(snapshot.base_path),
        not_seen=dict(sorted(snapshot.not_seen.items())), left_out=left,
    )  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def to_json(snapshot: Snapshot) -> str:
    """Return a snapshot as `gates.snapshot/1`."""
    content = {
        "format": FORMAT,
        "base_path": snapshot.base_path,
        **{kind: dict(getattr(snapshot, kind)) for kind in ("operations", "events", "environment", "dependencies")},
        "tables": {
            name: {"origin": table.origin, "place": table.place, "columns": dict(table.columns)}
            for name, table in snapshot.tables.items()
        },
        "components": {name: {"files": one.files, "lines": one.lines} for name, one in snapshot.components.items()},
        "not_seen": dict(snapshot.not_seen),
        "left_out": dict(snapshot.left_out),
    }
    return json.dumps(content, indent=1, ensure_ascii=True)


def from_json(text: str) -> Snapshot:
    """Return a snapshot that was stored.

    Raises ValueError when it is of a later format: what it means is not known here.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"the snapshot is not of the format {FORMAT}")
    texts = {
        kind: {str(name): str(place) for name, place in content[kind].items()}
        for kind in ("operations", "events", "environment", "not_seen")
    }
    return Snapshot(
        **texts,
        tables={
            name: Table({str(key): str(what) for key, what in one["columns"].items()}, one["origin"], one["place"])
            for name, one in content["tables"].items()
        },
        dependencies={file: dict(versions) for file, versions in content["dependencies"].items()},
        components={name: Component(one["files"], one["lines"]) for name, one in content["components"].items()},
        base_path=content["base_path"],
        left_out=dict(content["left_out"]),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one kind since an earlier snapshot; `changed` says how, name by name.

    Columns that a table which was there before has got or lost stand among the tables, as `table.column`.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, str] = field(default_factory=dict)


def differences(earlier: Snapshot, present: Snapshot) -> dict[str, Change]:
    """Return, by kind, what is new, gone, or not what it was; kinds of which too little is known are left out.

    A kind that was cut, or not seen, in one of the two would show things as new that only had no room before.
    """
    unknown = {*earlier.not_seen, *present.not_seen, *earlier.left_out, *present.left_out}
    unknown |= {"tables"} & {"tables" if kind == "columns" else kind for kind in unknown}
    found = {}
    for kind in (*KINDS, "dependencies", "components"):
        if kind in unknown:
            continue
        old, new = _comparable(earlier, kind, present), _comparable(present, kind, earlier)
        changed = {name: how for name in new.keys() & old.keys() if (how := _how(old[name], new[name]))}
        added, removed = new.keys() - old.keys(), old.keys() - new.keys()
        if kind == "tables":
            added, removed = _without_those_of_others(added), _without_those_of_others(removed)
        found[kind] = Change(
            tuple(_shown(present, kind, added)), tuple(_shown(earlier, kind, removed)), dict(sorted(changed.items()))
        )
    return found


def first_changes(snapshot: Snapshot) -> dict[str, Change]:
    """Return the changes of a first phase: everything there is, is new."""
    return {kind: Change(change.added) for kind, change in differences(Snapshot(), snapshot).items()}


def _comparable(snapshot: Snapshot, kind: str, other: Snapshot) -> dict[str, str]:
    """Return what there is of a kind by its identity, with what may change of it."""
    if kind == "operations":
        return {operation_form(name): "" for name in snapshot.operations}
    if kind == "tables":
        found = dict.fromkeys(snapshot.tables, "")
        for name, table in snapshot.tables.items():
            # Of a table of which only the name is known no column came or went.
            if name not in other.tables or other.tables[name].columns:
                found |= {f"{name}.{column}": what for column, what in table.columns.items()}
        return found
    if kind == "dependencies":
        return {
            f"{name} ({file})": version
            for file, versions in snapshot.dependencies.items()
            for name, version in versions.items()
        }
    return dict.fromkeys(getattr(snapshot, kind), "")


def _without_those_of_others(names: set[str]) -> set[str]:
    """Return tables and columns without the columns of tables that came or went as a whole."""
    return {name for name in names if "." not in name or name.partition(".")[0] not in names}


def _shown(snapshot: Snapshot, kind: str, identities: set[str]) -> list[str]:
    if kind != "operations":
        return sorted(identities)
    return sorted((name for name in snapshot.operations if operation_form(name) in identities), key=_by_path)


def _by_path(name: str) -> tuple[str, str]:
    """Return the key that keeps the operations of one path together."""
    return name.partition(" ")[2], name


def _how(old: str, new: str) -> str:
    return "" if old == new else f"{old or 'any'} → {new or 'any'}"
