"""The SQLite database: its connections and the steps that bring its schema up to date."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRODUCTS = [
    ("Notebook, lined, A5", 450),
    ("Notebook, dotted, A4", 790),
    ("Fountain pen, medium nib", 2490),
    ("Ink, blue-black, 50 ml", 690),
    ("Pencils, HB, dozen", 520),
    ("Eraser, white", 90),
    ("Ruler, steel, 30 cm", 610),
    ("Envelopes, C5, fifty", 840),
    ("Sealing wax, red", 1150),
    ("Letter opener, brass", 1890),
    ("Desk lamp, green shade", 5900),
    ("Blotting paper, ten sheets", 380),
]

MIGRATIONS = [
    # 1: products, orders and their lines.
    """
    CREATE TABLE products (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        price_cents INTEGER NOT NULL CHECK (price_cents > 0)
    );
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY,
        customer TEXT NOT NULL,
        placed_at TEXT NOT NULL,
        total_cents INTEGER NOT NULL
    );
    CREATE TABLE order_lines (
        id INTEGER PRIMARY KEY,
        order_id INTEGER NOT NULL REFERENCES orders (id),
        product_id INTEGER NOT NULL REFERENCES products (id),
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        price_cents INTEGER NOT NULL
    );
    CREATE INDEX order_lines_of_order ON order_lines (order_id);
    """,
    # 2: a line keeps the name its product had when it was ordered. SQLite adds no NOT NULL column to a table with rows,
    # so the table is written anew.
    """
    CREATE TABLE new_order_lines (
        id INTEGER PRIMARY KEY,
        order_id INTEGER NOT NULL REFERENCES orders (id),
        product_id INTEGER NOT NULL REFERENCES products (id),
        name TEXT NOT NULL,
        quantity INTEGER NOT NULL CHECK (quantity > 0),
        price_cents INTEGER NOT NULL
    );
    INSERT INTO new_order_lines (id, order_id, product_id, name, quantity, price_cents)
        SELECT l.id, l.order_id, l.product_id, p.name, l.quantity, l.price_cents
        FROM order_lines l JOIN products p ON p.id = l.product_id;
    DROP TABLE order_lines;
    ALTER TABLE new_order_lines RENAME TO order_lines;
    """,
    # 3: the index went with the old table.
    "CREATE INDEX order_lines_of_order ON order_lines (order_id);",
]


class Database:
    """A database file; every thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, isolation_level=None)
            connection.row_factory = sqlite3.Row
            # Everybody waits for a checkpoint: a few milliseconds, after each 4 MB as SQLite has it, after 40 MB here.
            connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 10000;"
                "PRAGMA foreign_keys = ON;"
            )
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything done inside happens, or none of it."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def migrate(self) -> None:
        """Take the steps that this database has not taken yet."""
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self.connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
        if version == 0:
            with self.transaction() as connection:
                connection.executemany("INSERT INTO products (name, price_cents) VALUES (?, ?)", PRODUCTS)
