"""Finds orders by who placed them."""

import sqlite3
from typing import Any

from orders.store import read_orders


def search_orders(connection: sqlite3.Connection, q: str, limit: int, offset: int) -> dict[str, Any]:
    """Return one page of the orders whose customer's name contains a text, newest first, and how many there are."""
    # % and _ are letters of a name here, not wildcards.
    pattern = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    total = connection.execute("SELECT count(*) FROM orders WHERE customer LIKE ? ESCAPE '\\'", (pattern,)).fetchone()[
        0
    ]
    rows = connection.execute(
        "SELECT id FROM orders WHERE customer LIKE ? ESCAPE '\\' ORDER BY id DESC LIMIT ? OFFSET ?",
        (pattern, limit, offset),
    )
    orders = read_orders(connection, [row["id"] for row in rows])
    return {
        "data": orders,
        "newest": max((order["placed_at"] for order in orders), default=None),
        "page": {"limit": limit, "offset": offset, "total": total},
    }
