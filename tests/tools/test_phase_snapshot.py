"""The snapshot: how it is kept, how much of it, and what two of them say of each other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.tools.phase.references import KINDS
from gates.tools.phase.snapshot import (
    Change,
    Component,
    Snapshot,
    Table,
    bounded,
    differences,
    first_changes,
    from_json,
    to_json,
)

WORDS = st.text("abcd", min_size=1, max_size=4)
TABLES = st.dictionaries(WORDS, st.dictionaries(WORDS, st.sampled_from(["", "INT", "TEXT"]), max_size=3).map(Table))
SNAPSHOTS = st.builds(
    Snapshot,
    operations=st.dictionaries(WORDS.map("GET /{}".format), st.just("openapi")),
    tables=TABLES,
    events=st.dictionaries(WORDS, st.just("a.py:1")),
    environment=st.dictionaries(WORDS, st.just("a.py:1")),
    dependencies=st.dictionaries(WORDS, st.dictionaries(WORDS, WORDS, min_size=1), max_size=2),
    components=st.dictionaries(WORDS, st.just(Component(1, 2))),
)


def old() -> Snapshot:
    return Snapshot(
        operations={"GET /orders/{id}": "openapi", "GET /gone": "openapi"},
        tables={
            "orders": Table({"id": "INTEGER, key", "total": "REAL", "old": "TEXT"}),
            "dropped": Table({"a": "INT"}),
        },
        environment={"A": "x"},
        dependencies={"requirements.txt": {"fastapi": "==1", "left": ""}},
    )


def new() -> Snapshot:
    return Snapshot(
        operations={"GET /orders/{order_id}": "openapi", "GET /search": "openapi"},
        tables={"orders": Table({"id": "INTEGER, key", "total": "TEXT", "note": "TEXT"}), "search": Table({"a": ""})},
        environment={"A": "y", "B": "y"},
        dependencies={"requirements.txt": {"fastapi": "==2"}, "package.json": {"express": ""}},
    )


def test_what_became_of_everything() -> None:
    found = differences(old(), new())
    assert found["operations"] == Change(("GET /search",), ("GET /gone",))
    assert found["tables"] == Change(
        ("orders.note", "search"), ("dropped", "orders.old"), {"orders.total": "REAL → TEXT"}
    )
    assert found["environment"] == Change(("B",))
    assert found["dependencies"] == Change(
        ("express (package.json)",), ("left (requirements.txt)",), {"fastapi (requirements.txt)": "==1 → ==2"}
    )
    assert found["events"] == Change()


def test_a_table_of_which_only_the_name_was_known_gets_no_new_columns() -> None:
    declared = Snapshot(tables={"orders": Table(origin="declared")})
    assert differences(declared, new())["tables"] == Change(("search",))


@pytest.mark.parametrize("kind", ["operations", "tables", "dependencies"])
def test_of_what_was_not_seen_or_cut_nothing_is_said(kind: str) -> None:
    assert kind not in differences(Snapshot(not_seen={kind: "why"}), new())
    assert kind not in differences(new(), Snapshot(left_out={kind: 3}))
    assert "tables" not in differences(new(), Snapshot(left_out={"columns": 1}))


def test_in_a_first_phase_everything_is_new() -> None:
    found = first_changes(new())
    assert found["tables"] == Change(("orders", "search"))
    assert found["operations"].added == ("GET /orders/{order_id}", "GET /search")


@given(SNAPSHOTS)
def test_a_snapshot_is_kept_as_it_is_and_has_no_difference_to_itself(snapshot: Snapshot) -> None:
    kept = bounded(snapshot)
    assert from_json(to_json(kept)) == kept
    assert bounded(kept) == kept
    assert all(change == Change() for change in differences(kept, kept).values())
    assert set(differences(kept, kept)) == {*KINDS, "dependencies", "components"}


@given(SNAPSHOTS, SNAPSHOTS)
def test_what_is_new_one_way_is_gone_the_other(first: Snapshot, second: Snapshot) -> None:
    there, back = differences(first, second), differences(second, first)
    for kind, change in there.items():
        assert change.added == back[kind].removed
        assert change.removed == back[kind].added
        assert change.changed.keys() == back[kind].changed.keys()


def test_a_huge_project_is_cut_and_says_so() -> None:
    huge = Snapshot(
        operations={f"GET /{number}": "openapi" for number in range(6000)},
        tables={"wide": Table({f"c{number}": "x" * 1000 for number in range(600)})},
        events={"e" * 5000: "a.py"},
        dependencies={"a": {f"p{number}": "1" for number in range(4000)}, "b": {f"q{n}": "1" for n in range(4000)}},
        components={f"m{number}": Component(1, 1) for number in range(3000)},
    )
    kept = bounded(huge)
    assert kept.left_out == {"operations": 1000, "columns": 100, "dependencies": 3000, "components": 1000}
    assert len(to_json(kept)) < 2_000_000
    assert max(len(name) for name in kept.events) == 300
    assert bounded(new()).left_out == {}


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "gates.snapshot/2"}', "nonsense"])
def test_another_format_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        from_json(text)


def test_the_form_is_the_documented_one() -> None:
    content = json.loads(to_json(bounded(new())))
    assert content["format"] == "gates.snapshot/1"
    assert set(content) == {
        "format", "base_path", "operations", "tables", "events", "environment", "dependencies", "components",
        "not_seen", "left_out",
    }  # fmt: skip
    assert content["tables"]["orders"] == {
        "origin": "live", "place": "", "columns": {"id": "INTEGER, key", "total": "TEXT", "note": "TEXT"},
    }  # fmt: skip
