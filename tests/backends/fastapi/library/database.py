"""The catalogue in SQLite; every request has a connection of its own."""

import os
import sqlite3
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends

BOOKS = [
    ("The Dispossessed", "Ursula K. Le Guin", 1974),
    ("Middlemarch", "George Eliot", 1871),
    ("Beloved", "Toni Morrison", 1987),
    ("Invisible Cities", "Italo Calvino", 1972),
    ("The Waves", "Virginia Woolf", 1931),
    ("Pale Fire", "Vladimir Nabokov", 1962),
    ("Things Fall Apart", "Chinua Achebe", 1958),
    ("The Master and Margarita", "Mikhail Bulgakov", 1967),
]


def connect() -> sqlite3.Connection:
    """Return a new connection to the database that LIBRARY_DB names."""
    # FastAPI may open it in one thread and use it in another, though never in two at once.
    connection = sqlite3.connect(os.environ.get("LIBRARY_DB", "library.db"), check_same_thread=False, timeout=30)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def prepare() -> None:
    """Make the table, and fill it when it is new."""
    connection = connect()
    connection.execute("PRAGMA journal_mode = WAL")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS books "
            "(id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, year INTEGER NOT NULL)"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS books_by_author ON books (author)")
        if connection.execute("SELECT count(*) FROM books").fetchone()[0] == 0:
            connection.executemany("INSERT INTO books (title, author, year) VALUES (?, ?, ?)", BOOKS * 25)
    connection.close()


def connection_of_request() -> Iterator[sqlite3.Connection]:
    connection = connect()
    try:
        yield connection
    finally:
        connection.close()


Connection = Annotated[sqlite3.Connection, Depends(connection_of_request)]


def list_books(
    connection: sqlite3.Connection, author: str | None, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """Return one page of the books, and how many there are on all pages."""
    if author is None:
        total = connection.execute("SELECT count(*) FROM books").fetchone()[0]
        rows = connection.execute("SELECT * FROM books ORDER BY id LIMIT ? OFFSET ?", (limit, offset))
    else:
        total = connection.execute("SELECT count(*) FROM books WHERE author = ?", (author,)).fetchone()[0]
        rows = connection.execute(
            "SELECT * FROM books WHERE author = ? ORDER BY id LIMIT ? OFFSET ?", (author, limit, offset)
        )
    return [dict(row) for row in rows], total


def get_book(connection: sqlite3.Connection, book_id: int) -> dict[str, Any] | None:
    """Return a book, or None when there is no such book."""
    row = connection.execute("SELECT * FROM books WHERE id = ?", (book_id,)).fetchone()
    return dict(row) if row else None


def add_book(connection: sqlite3.Connection, title: str, author: str, year: int) -> int | None:
    """Store a book and return its number."""
    with connection:
        return connection.execute(
            "INSERT INTO books (title, author, year) VALUES (?, ?, ?)", (title, author, year)
        ).lastrowid


def change_book(connection: sqlite3.Connection, book_id: int, title: str, author: str, year: int) -> bool:
    """Change a book and return whether there was one."""
    with connection:
        return (
            connection.execute(
                "UPDATE books SET title = ?, author = ?, year = ? WHERE id = ?", (title, author, year, book_id)
            ).rowcount
            == 1
        )


def remove_book(connection: sqlite3.Connection, book_id: int) -> bool:
    """Remove a book and return whether there was one."""
    with connection:
        return connection.execute("DELETE FROM books WHERE id = ?", (book_id,)).rowcount == 1
