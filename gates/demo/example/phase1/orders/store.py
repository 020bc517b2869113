"""What is kept about orders and products, and how it is read back."""

import sqlite3
from collections.abc import Iterable
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
    prices = dict(connection.execute("SELECT id, price_cents FROM products").fetchall())
    priced = []
    for product_id, quantity in lines:
        if product_id not in prices:
            raise UnknownProduct(product_id)
        priced.append((product_id, quantity, prices[product_id]))
    order_id = connection.execute(
        "INSERT INTO orders (customer, placed_at, total_cents) VALUES (?, ?, ?)",
        (customer, datetime.now(UTC).isoformat(), sum(quantity * price for _, quantity, price in priced)),
    ).lastrowid
    connection.executemany(
        "INSERT INTO order_lines (order_id, product_id, quantity, price_cents) VALUES (?, ?, ?, ?)",
        [(order_id, *line) for line in priced],
    )
    return order_id


def get_order(connection: sqlite3.Connection, order_id: int) -> dict[str, Any] | None:
    """Return one order with its lines, or None when there is no such order."""
    orders = _with_lines(
        connection.execute(
            """
            SELECT o.id, o.customer, o.placed_at, o.total_cents,
                   l.product_id, p.name, l.quantity, l.price_cents
            FROM orders o
            JOIN order_lines l ON l.order_id = o.id
            JOIN products p ON p.id = l.product_id
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
    orders = _with_lines(
        connection.execute(
            """
            SELECT o.id, o.customer, o.placed_at, o.total_cents,
                   l.product_id, p.name, l.quantity, l.price_cents
            FROM (SELECT * FROM orders ORDER BY id DESC LIMIT ? OFFSET ?) o
            JOIN order_lines l ON l.order_id = o.id
            JOIN products p ON p.id = l.product_id
            ORDER BY o.id DESC, l.id
            """,
            (limit, offset),
        )
    )
    return orders, total


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
