"""What a phase document speaks of: operations, tables and columns, events, environment variables, files; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Kind = Literal["operations", "tables", "events", "environment", "files", ""]
"""What a reference is to; a table's column is `table.column`. Empty where the document does not say which it is."""
KINDS: tuple[Kind, ...] = ("operations", "tables", "events", "environment")
"""Those that a phase provides and consumes, in the order in which they are told."""
ONE_OF: Mapping[str, str] = {
    "operations": "operation", "tables": "table", "events": "event", "environment": "environment variable",
    "files": "file", "": "name",
}  # fmt: skip
"""A single one of each kind, in words."""
SEVERAL: Mapping[str, str] = {
    "operations": "operations", "tables": "tables and columns", "events": "events",
    "environment": "environment variables", "files": "files", "": "names",
}  # fmt: skip
OPERATION = re.compile(r"\b(GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH|TRACE) +(/[^\s`|,;]*)")
_OPERATION = re.compile(r"(?:GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH|TRACE) /\S*")
_TABLE = re.compile(r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*){0,2}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r"\{[^/{}]*\}|(?<=/):[A-Za-z_]\w*|(?<=/)<[^/<>]*>")


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a phase document says is there.

    `place` is where it is written; `phase` is the one it is consumed from, if one is named; `listed` is false for what
    is only mentioned in passing.
    """

    kind: Kind
    name: str
    place: str
    phase: str = ""
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """All that a phase says of itself: what it provides, what it consumes, and what it mentions besides."""

    provides: tuple[Reference, ...] = ()
    consumes: tuple[Reference, ...] = ()
    mentions: tuple[Reference, ...] = ()
    remarks: tuple[str, ...] = ()
    """What could not be read as a reference, where references are expected."""
    places: tuple[str, ...] = ()
    """The files and tables it is written in."""
    complete: bool = False
    """Whether it says what is provided, be it nothing: a text without that is no document of a phase."""


def _like(pattern: re.Pattern[str], what: str) -> Any:
    def check(text: str) -> str:
        text = text.strip()
        if pattern.fullmatch(text) is None:
            raise ValueError(f"{text!r} is not {what}")
        return text

    return AfterValidator(check)


def _some(text: str) -> str:
    if not text.strip():
        raise ValueError("an event has a name")
    return text.strip()


class References(BaseModel):
    """What a phase provides, or consumes: names of four kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operations: tuple[Annotated[str, _like(_OPERATION, "an operation: write it as `GET /path`")], ...] = Field(
        default=(), description="Method and path as in the OpenAPI document; names of path parameters may differ",
        examples=["GET /orders/{id}"],
    )  # fmt: skip
    tables: tuple[Annotated[str, _like(_TABLE, "a table or column: write `orders` or `orders.id`")], ...] = Field(
        default=(), description="Tables, and columns as `table.column`", examples=["orders.id"]
    )
    events: tuple[Annotated[str, AfterValidator(_some)], ...] = Field(
        default=(), description="Names of events that are published", examples=["order.placed"]
    )
    environment: tuple[Annotated[str, _like(_VARIABLE, "the name of an environment variable")], ...] = Field(
        default=(), description="Environment variables that the backend reads", examples=["ORDERS_DB"]
    )

    def names(self) -> list[tuple[Kind, str]]:
        """Return every name with its kind."""
        return [(kind, name) for kind in KINDS for name in getattr(self, kind)]


class Consumes(References):
    """What a phase needs; a table with the name of an earlier phase says which phase it comes from."""

    model_config = ConfigDict(extra="allow", frozen=True)

    __pydantic_extra__: dict[str, References] = Field(init=False)

    @model_validator(mode="before")
    @classmethod
    def _kinds_are_known(cls, given: Any) -> Any:
        """A misspelt kind would otherwise be taken for the name of a phase."""
        from gates.profiles import nearest_hint

        for key, value in given.items() if isinstance(given, Mapping) else ():
            if key in KINDS and isinstance(value, Mapping):
                raise ValueError(f"{key!r} lists {key} here; from a phase of that name only phases/NAME.md can consume")
            if key not in KINDS and not isinstance(value, Mapping):
                raise ValueError(
                    f"there is no key {key!r}; {nearest_hint(str(key), list(KINDS))}, and the name of an earlier "
                    "phase with a table of these"
                )
        return given

    @property
    def by_phase(self) -> Mapping[str, References]:
        """What comes from a named phase."""
        return self.__pydantic_extra__ or {}


def listed(references: References, place: str, phase: str = "") -> list[Reference]:
    """Return what a table lists, as references that stand in a place."""
    return [Reference(kind, name, place, phase) for kind, name in references.names()]


def consumed(consumes: Consumes, place: str) -> list[Reference]:
    """Return everything that is consumed, whether a phase is named or not."""
    found = listed(consumes, place)
    for phase, references in consumes.by_phase.items():
        found += listed(references, place, phase)
    return found


def called(kind: str, name: str) -> str:
    """Return a thing in words: `table orders`, `column orders.id`; an operation, or what may be any, by its name."""
    if kind in ("operations", ""):
        return name
    return f"{'column' if kind == 'tables' and '.' in name else ONE_OF[kind]} {name}"


def operation_form(name: str) -> str:
    """Return an operation in the form in which two are compared: path parameters without their names, no query.

    `GET /orders/{id}`, `GET /orders/:id` and `get /orders/{order_id}/` are the same.
    """
    method, _, path = name.strip().partition(" ")
    path = path.strip().partition("?")[0].partition("#")[0]
    return f"{method.upper()} {_PARAMETER.sub('{}', path).rstrip('/') or '/'}"


def merge(parts: Iterable[Written]) -> Written:
    """Return what several places say together, each name once for each thing that is said of it."""
    parts = [part for part in parts if part.places]
    provides: dict[tuple[str, ...], Reference] = {}
    consumes: dict[tuple[str, ...], Reference] = {}
    for part in parts:
        for one in part.provides:
            provides.setdefault(same_thing(one), one)
        for one in part.consumes:
            consumes.setdefault((*same_thing(one), one.phase), one)
    return Written(
        tuple(provides.values()),
        tuple(consumes.values()),
        tuple(one for part in parts for one in part.mentions),
        tuple(one for part in parts for one in part.remarks),
        tuple(dict.fromkeys(one for part in parts for one in part.places)),
        any(part.complete for part in parts),
    )


def same_thing(reference: Reference) -> tuple[str, str]:
    """Return what two references to the same thing have in common, whatever their parameters are called."""
    is_operation = reference.kind == "operations"
    return reference.kind, operation_form(reference.name) if is_operation else reference.name
