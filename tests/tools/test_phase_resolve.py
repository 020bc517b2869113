"""Names looked up in a snapshot, and the nearest one to a name that is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.tools.phase.references import Reference, operation_form
from gates.tools.phase.resolve import Resolver, nearest, not_there
from gates.tools.phase.snapshot import Snapshot, Table

SNAPSHOT = Snapshot(
    operations=dict.fromkeys(
        ("GET /orders", "POST /orders", "GET /orders/{order_id}", "GET /orders/search", "GET /orders/{id}/lines/{no}"),
        "openapi",
    ),
    tables={
        "orders": Table({"id": "INTEGER, key", "total": "REAL"}), "Lines": Table({"order_id": "INTEGER"}),
        "bare": Table(),
    },
    events={"order.placed": "a.py:1"},
    environment={"ORDERS_DB": "a.py:2"},
    base_path="/api/v1",
)  # fmt: skip
RESOLVER = Resolver(SNAPSHOT, lambda path: path == "orders/app.py")
WORDS = st.text("abcdefgh_", min_size=1, max_size=8)
OPERATIONS = st.builds(
    lambda method, parts: f"{method} /{'/'.join(parts)}",
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.lists(st.one_of(WORDS, WORDS.map("{{{}}}".format)), min_size=1, max_size=4),
)


def find(kind: str, name: str, *, listed: bool = True) -> tuple[str, str] | None:
    return RESOLVER.find(Reference(kind, name, "", listed=listed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("operations", "GET /orders/{id}", ("operations", "GET /orders/{order_id}")),
        ("operations", "GET /orders/:id", ("operations", "GET /orders/{order_id}")),
        ("operations", "GET /orders/<int:id>", ("operations", "GET /orders/{order_id}")),
        ("operations", "get /orders/", ("operations", "GET /orders")),
        ("operations", "GET /api/v1/orders", ("operations", "GET /orders")),
        ("operations", "GET /orders?limit=1", ("operations", "GET /orders")),
        ("operations", "/orders/search", ("operations", "GET /orders/search")),
        ("operations", "DELETE /orders", None),
        ("operations", "GET /order/{id}", None),
        ("tables", "orders", ("tables", "orders")),
        ("tables", "ORDERS.ID", ("tables", "orders.id")),
        ("tables", "lines", ("tables", "Lines")),
        ("tables", "public.orders", ("tables", "orders")),
        ("tables", "public.orders.total", ("tables", "orders.total")),
        ("tables", "orders.note", None),
        ("tables", "order", None),
        ("events", "order.placed", ("events", "order.placed")),
        ("events", "order.placd", None),
        ("environment", "ORDERS_DB", ("environment", "ORDERS_DB")),
        ("environment", "orders_db", None),
        ("files", "orders/app.py", ("files", "orders/app.py")),
        ("files", "orders/apps.py", None),
        ("", "orders.id", ("tables", "orders.id")),
        ("", "order.placed", ("events", "order.placed")),
        ("", "ORDERS_DB", ("environment", "ORDERS_DB")),
        ("", "nothing", None),
    ],
)
def test_what_is_there_is_found(kind: str, name: str, found: tuple[str, str] | None) -> None:
    assert find(kind, name) == found


def test_a_path_as_it_is_sent_is_found_only_where_it_is_mentioned() -> None:
    assert find("operations", "GET /orders/17", listed=False) == ("operations", "GET /orders/{order_id}")
    assert find("operations", "GET /orders/17/lines/3", listed=False) is not None
    assert find("operations", "GET /orders/17") is None, "a misspelt /orders/serach would be one as well"


def test_a_kind_that_was_not_seen_is_not_gone() -> None:
    blind = Resolver(Snapshot(not_seen={"tables": "no database"}))
    assert blind.not_seen(Reference("tables", "orders", "")) == "no database"
    assert blind.not_seen(Reference("", "orders", "")) == "no database", "it may be a table"
    assert blind.not_seen(Reference("operations", "GET /a", "")) is None


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("operations", "GET /order/{id}", "GET /orders/{order_id}"),
        ("operations", "DELETE /orders", "GET /orders"),
        ("operations", "GET /api/v1/order", "GET /orders"),
        ("operations", "GET /orders/serach", "GET /orders/search"),
        ("tables", "order", "orders"),
        ("tables", "orders.totl", "orders.total"),
        ("events", "order.place", "order.placed"),
        ("environment", "ORDER_DB", "ORDERS_DB"),
        ("", "order", "orders"),
        ("tables", "zzz", None),
    ],
)
def test_the_nearest_is_named(kind: str, name: str, near: str | None) -> None:
    reference = Reference(kind, name, "")  # type: ignore[arg-type]
    assert RESOLVER.nearest(reference) == near
    told = not_there(reference, near)
    assert name in told
    assert (f"the nearest is {near}" if near else "nothing like it") in told


def test_the_message_of_the_brief() -> None:
    reference = Reference("operations", "GET /api/v1/order/{id}", "")
    there = Resolver(Snapshot(operations={"GET /api/v1/orders/{order_id}": "openapi"}))
    assert not_there(reference, there.nearest(reference)) == (
        "GET /api/v1/order/{id} is not there; the nearest is GET /api/v1/orders/{order_id}"
    )


# ---- properties


@given(st.sets(WORDS, max_size=12), WORDS)
def test_the_nearest_is_one_of_the_names_and_itself_when_it_is_there(names: set[str], name: str) -> None:
    near = nearest(name, names)
    assert near is None or near in names
    if name in names:
        assert near == name
    assert nearest(name, sorted(names, reverse=True)) == near, "their order plays no part"


@given(st.sets(WORDS, max_size=8), WORDS)
def test_one_letter_more_is_near(names: set[str], name: str) -> None:
    long = f"{name}_{name}_orders"
    assert nearest(f"{long}x", {*names, long}) == long


@given(OPERATIONS, st.data())
def test_names_of_parameters_play_no_part(operation: str, data: st.DataObject) -> None:
    renamed = "/".join(
        f"{{{data.draw(WORDS)}}}" if part.startswith("{") else part for part in operation.split("/")
    )  # fmt: skip
    assert operation_form(renamed) == operation_form(operation)
    there = Resolver(Snapshot(operations={operation: "openapi"}))
    assert there.find(Reference("operations", renamed, "")) == ("operations", operation)


@given(OPERATIONS)
def test_the_form_of_an_operation_is_its_own_form(operation: str) -> None:
    assert operation_form(operation_form(operation)) == operation_form(operation)


@given(st.lists(OPERATIONS, unique_by=operation_form, max_size=8), OPERATIONS)
def test_an_operation_is_found_exactly_when_one_of_its_form_is_there(operations: list[str], wanted: str) -> None:
    there = Resolver(Snapshot(operations=dict.fromkeys(operations, "openapi")))
    found = there.find(Reference("operations", wanted, ""))
    same = [one for one in operations if operation_form(one) == operation_form(wanted)]
    assert found == (("operations", same[0]) if same else None)
    near = there.nearest(Reference("operations", wanted, ""))
    assert near is None or near in operations


@given(st.dictionaries(WORDS, st.lists(WORDS, unique=True, max_size=4), max_size=5))
def test_every_table_and_column_of_a_snapshot_is_found_in_it(tables: dict[str, list[str]]) -> None:
    snapshot = Snapshot(tables={name: Table(dict.fromkeys(columns, "")) for name, columns in tables.items()})
    there = Resolver(snapshot)
    for name in snapshot.names("tables"):
        assert there.find(Reference("tables", name, "")) == ("tables", name)
        assert there.find(Reference("tables", name.upper(), "")) == ("tables", name)
