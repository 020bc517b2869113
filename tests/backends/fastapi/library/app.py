"""The HTTP interface: uvicorn library.app:app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Response

from library import database, trouble
from library.covers import draw_cover
from library.database import Connection
from library.errors import add_error_handlers, errors
from library.login import Librarian, Reader, log_in
from library.models import (
    LARGEST_INTEGER,
    AccountAnswer,
    Book,
    BookAnswer,
    BookId,
    BooksAnswer,
    Credentials,
    Health,
    NewBook,
    Page,
    Token,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    trouble.slow_start()
    database.prepare()
    yield


app = FastAPI(
    title="Library",
    version="1.0.0",
    description="A lending library's catalogue.",
    lifespan=lifespan,
    generate_unique_id_function=lambda route: route.name,
    redirect_slashes=False,
)
app.add_middleware(trouble.Trouble)
add_error_handlers(app)

Limit = Annotated[int, Query(ge=1, le=100, description="How many books a page has at most", examples=[20])]
Offset = Annotated[int, Query(ge=0, le=LARGEST_INTEGER, description="How many come before this page", examples=[0])]
Author = Annotated[str | None, Query(min_length=1, max_length=100, description="Only by this author")]

BY_ID = {"operationId": "get_book", "parameters": {"book_id": "$response.body#/data/id"}}
COVER_BY_ID = {**BY_ID, "operationId": "get_cover"}


@app.get("/health", tags=["service"])
def health(connection: Connection) -> Health:
    """Tell whether the catalogue can be reached."""
    connection.execute("SELECT 1 FROM books LIMIT 1").fetchone()
    return Health(status="ok")


@app.post("/login", tags=["service"], responses=errors(400, 401, 422))
def login(credentials: Credentials) -> Token:
    """Get a token for a user and a password."""
    return Token(access_token=log_in(credentials))


@app.get("/api/v1/me", tags=["service"], responses=errors(401))
def get_account(account: Reader) -> AccountAnswer:
    """Tell who is asking."""
    return AccountAnswer(data=account)


@app.get("/api/v1/books", tags=["books"], responses=errors(401, 422))
def list_books(
    connection: Connection, account: Reader, limit: Limit = 20, offset: Offset = 0, author: Author = None
) -> BooksAnswer:
    """List the books, in the order they were added."""
    trouble.slow_down()
    books, total = database.list_books(connection, author, limit, offset)
    return BooksAnswer(data=[Book(**book) for book in books], page=Page(limit=limit, offset=offset, total=total))


@app.post(
    "/api/v1/books",
    tags=["books"],
    status_code=201,
    responses={
        201: {"description": "The book was added.", "links": {"book": BY_ID, "cover": COVER_BY_ID}},
        **errors(400, 401, 403, 422),
    },
)
def add_book(connection: Connection, account: Librarian, book: NewBook, response: Response) -> BookAnswer:
    """Add a book."""
    book_id = database.add_book(connection, book.title, book.author, book.year)
    response.headers["Location"] = f"/api/v1/books/{book_id}"
    return BookAnswer(data=_existing(connection, book_id or 0))


@app.get("/api/v1/books/{book_id}", tags=["books"], responses=errors(401, 404, 422))
def get_book(connection: Connection, account: Reader, book_id: BookId) -> BookAnswer:
    """Read a book."""
    trouble.crash_on(book_id)
    return BookAnswer(data=_existing(connection, book_id))


@app.put("/api/v1/books/{book_id}", tags=["books"], responses=errors(400, 401, 403, 404, 422))
def change_book(connection: Connection, account: Librarian, book_id: BookId, book: NewBook) -> BookAnswer:
    """Change all that is known of a book."""
    database.change_book(connection, book_id, book.title, book.author, book.year)
    return BookAnswer(data=_existing(connection, book_id))


@app.delete("/api/v1/books/{book_id}", tags=["books"], status_code=204, responses=errors(401, 403, 404, 422))
def remove_book(connection: Connection, account: Librarian, book_id: BookId) -> None:
    """Remove a book."""
    if not database.remove_book(connection, book_id):
        raise HTTPException(404, f"There is no book {book_id}.")


@app.get(
    "/api/v1/books/{book_id}/cover",
    tags=["books"],
    response_class=Response,
    responses={
        200: {
            "description": "The cover.",
            "content": {"image/png": {"schema": {"type": "string", "contentMediaType": "image/png"}}},
        },
        **errors(401, 404, 422),
    },
)
def get_cover(connection: Connection, account: Reader, book_id: BookId) -> Response:
    """Download the cover of a book."""
    book = _existing(connection, book_id)
    return Response(
        draw_cover(book.title),
        media_type="image/png",
        headers={"Content-Disposition": f'attachment; filename="book-{book_id}.png"'},
    )


def _existing(connection: Connection, book_id: int) -> Book:
    book = database.get_book(connection, book_id)
    if book is None:
        raise HTTPException(404, f"There is no book {book_id}.")
    return Book(**book)
