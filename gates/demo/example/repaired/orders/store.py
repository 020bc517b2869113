"""What is kept about orders and products, and how it is read back."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any


class UnknownProduct(Exception):
    """An order names a product that is not sold here."""

    def __init__(self, product_id: int) -> None:
        super().__init__(f"There is no product {product_id}.")


def list_products(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return all products, in the order they were added."""
    return [dict(row) for row in connection.execute("SELECT id, name, price_cents FROM products ORDER BY id")]


def place_order(connection: sqlite3.Connection, customer: str, lines: Iterable[tuple[int, int]]) -> int:
    """Store an order of (product, quantity) lines at today's prices and return its number.

    Raises UnknownProduct.
    """
    products = {
        row["id"]: (row["name"], row["price_cents"])
        for row in connection.execute("SELECT id, name, price_cents FROM products")
    }
    priced = []
    for product_id, quantity in lines:
        if product_id not in products:
            raise UnknownProduct(product_id)
        name, price = products[product_id]
        priced.append((product_id, name, quantity, price))
    order_id = connection.execute(
        "INSERT INTO orders (customer, placed_at, total_cents) VALUES (?, ?, ?)",
        (customer, datetime.now(UTC).isoformat(), sum(quantity * price for _, _, quantity, price in priced)),
    ).lastrowid
    connection.executemany(
        "INSERT INTO order_lines (order_id, product_id, name, quantity, price_cents) VALUES (?, ?, ?, ?, ?)",
        [(order_id, *line) for line in priced],
    )
    return order_id


def get_order(connection: sqlite3.Connection, order_id: int) -> dict[str, Any] | None:
    """Return one order with its lines, or None when there is no such order."""
    orders = _with_lines(
        connection.execute(
            """
            SELECT o.id, o.customer, o.placed_at, o.total_cents,
                   l.product_id, l.name, l.quantity, l.price_cents
            FROM orders o
            JOIN order_lines l ON l.order_id = o.id
            WHERE o.id = ?
            ORDER BY l.id
            """,
            (order_id,),
        )
    )
    return orders[0] if orders else None


def list_orders(connection: sqlite3.Connection, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Return one page of the orders with their lines, newest first, and how many orders there are."""
    total = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
    rows = connection.execute("SELECT id FROM orders ORDER BY id DESC LIMIT ? OFFSET ?", (limit, offset))
    return read_orders(connection, [row["id"] for row in rows]), total


def read_orders(connection: sqlite3.Connection, order_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return orders with their lines, newest first, all in one query; shared by the list and the search."""
    return _with_lines(
        connection.execute(
            """
            SELECT o.id, o.customer, o.placed_at, o.total_cents,
                   l.product_id, l.name, l.quantity, l.price_cents
            FROM orders o
            JOIN order_lines l ON l.order_id = o.id
            WHERE o.id IN (SELECT value FROM json_each(?))
            ORDER BY o.id DESC, l.id
            """,
            (json.dumps(order_ids),),
        )
    )


def _with_lines(rows: Iterable[sqlite3.Row]) -> list[dict[str, Any]]:
    orders: dict[int, dict[str, Any]] = {}
    for order_id, customer, placed_at, total_cents, product_id, name, quantity, price_cents in rows:
        order = orders.get(order_id)
        if order is None:
            order = orders[order_id] = {
                "id": order_id,
                "customer": customer,
                "placed_at": placed_at,
                "total_cents": total_cents,
                "lines": [],
            }
        order["lines"].append(
            {"product_id": product_id, "name": name, "quantity": quantity, "price_cents": price_cents}
        )
    return list(orders.values())
