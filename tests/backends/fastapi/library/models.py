"""What goes in and out, as the OpenAPI document describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LARGEST_INTEGER = 2**31 - 1

BookId = Annotated[int, Field(ge=1, le=LARGEST_INTEGER, description="The number of the book", examples=[1])]


def _whole(value: Any) -> Any:
    # In JSON, 1929.0 is the same integer as 1929.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Year = Annotated[int, Field(ge=1450, le=2100, examples=[1929]), BeforeValidator(_whole)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Credentials(Strict):
    """Who wants to come in."""

    user: str = Field(min_length=1, max_length=50, examples=["reader"])
    password: str = Field(min_length=1, max_length=200, examples=["reading"])


class Token(BaseModel):
    """What lets its bearer in, for an hour."""

    access_token: str
    token_type: str = "bearer"


class Account(BaseModel):
    """Who is asking."""

    user: str
    role: str


class NewBook(Strict):
    """A book to be added, or what a book is changed to."""

    title: str = Field(min_length=1, max_length=200, examples=["A Room of One's Own"])
    author: str = Field(min_length=1, max_length=100, examples=["Virginia Woolf"])
    year: Year


class Book(BaseModel):
    """A book of the catalogue."""

    id: int
    title: str
    author: str
    year: int


class Page(BaseModel):
    """Where a list was cut."""

    limit: int
    offset: int
    total: int


class BookAnswer(BaseModel):
    data: Book


class BooksAnswer(BaseModel):
    data: list[Book]
    page: Page


class AccountAnswer(BaseModel):
    data: Account


class Health(BaseModel):
    status: str


class Problem(BaseModel):
    status: int
    message: str


class ErrorAnswer(BaseModel):
    """The one shape of all errors."""

    error: Problem
