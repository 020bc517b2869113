"""Finds orders by who placed them."""

import sqlite3
from typing import Any

from orders.store import read_orders


def search_orders(connection: sqlite3.Connection, q: str, limit: int, offset: int) -> dict[str, Any]:
    """Return one page of the orders whose customer's name contains a text, newest first, and how many there are."""
    total = connection.execute(f"SELECT count(*) FROM orders WHERE customer LIKE '%{q}%'").fetchone()[0]
    rows = connection.execute(
        f"SELECT id FROM orders WHERE customer LIKE '%{q}%' ORDER BY id DESC LIMIT {limit} OFFSET {offset}"
    ).fetchall()
    orders = read_orders(connection, [row["id"] for row in rows])
    return {
        "data": orders,
        "newest": max(order["placed_at"] for order in orders),
        "page": {"limit": limit, "offset": offset, "total": total},
    }
