"""Do examples validate against their schema, and is there one for what an operation takes and answers with?

Examples stand beside a schema (media types, parameters, headers; one or several by name) or in it; `default` is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from gates.document import Document, DocumentError, Operation
from gates.documentation.checkable import Checkable, Unusable, pattern_problem
from gates.documentation.places import Place, escape, operation_at, places, unescape
from gates.documentation.rules import finding
from gates.results import Finding

_LONGEST = 200
_MAX_DEPTH = 8
"""So many levels of properties are looked at for examples."""


@dataclass(frozen=True, slots=True)
class Example:
    """A value that is shown, where it stands, and the schema that it claims to fulfil."""

    pointer: str
    value: Any
    schema: str
    """The JSON pointer of the schema."""
    media: str = ""
    """The media type that the value is sent as; empty where there is none."""
    is_text: bool = False
    """Whether it is sent as text whatever it is, as parameters and headers are."""


def check_examples(document: Document) -> list[Finding]:
    """Return the examples that do not validate, the schemas that no example can be held against, and what has none."""
    patterns: list[Finding] = []
    shown: list[Example] = []
    for place in places(document):
        if place.is_schema:
            patterns += _pattern(place)
            shown += _in_schema(place, document)
        else:
            shown += _beside_schema(place, document)
    return [*patterns, *_invalid(document, shown), *_missing(document)]


def _in_schema(place: Place, document: Document) -> Iterator[Example]:
    if "example" in place.node:
        yield Example(f"{place.pointer}/example", place.node["example"], place.pointer)
    several = place.node.get("examples")
    if isinstance(several, list) and not document.version.startswith(("2.", "3.0")):
        for number, value in enumerate(several):
            yield Example(f"{place.pointer}/examples/{number}", value, place.pointer)


def _beside_schema(place: Place, document: Document) -> Iterator[Example]:
    if not isinstance(place.node.get("schema"), Mapping):
        return
    schema = _meant(place.node["schema"], f"{place.pointer}/schema")
    parent, _, name = place.pointer.rpartition("/")
    media = unescape(name) if parent.endswith("/content") else ""
    is_text = not media
    if document.version.startswith("2."):
        by_media = place.node.get("examples")
        for kind, value in by_media.items() if isinstance(by_media, Mapping) else ():
            yield Example(f"{place.pointer}/examples/{escape(kind)}", value, schema, kind)
        return
    if "example" in place.node:
        yield Example(f"{place.pointer}/example", place.node["example"], schema, media, is_text)
    by_name = place.node.get("examples")
    for name, raw in by_name.items() if isinstance(by_name, Mapping) else ():
        try:
            shown = document.resolve(raw)
        except DocumentError:
            continue  # a reference to nothing is told as that
        if isinstance(shown, Mapping) and "value" in shown:
            yield Example(f"{place.pointer}/examples/{escape(name)}", shown["value"], schema, media, is_text)


def _meant(schema: Mapping[str, Any], pointer: str) -> str:
    """Return the pointer of a schema, or of what it only refers to, so that a component is compiled once."""
    reference = schema.get("$ref")
    alone = isinstance(reference, str) and reference.startswith("#/") and len(schema) == 1
    return unquote(str(reference)[1:]) if alone else pointer


def _invalid(document: Document, shown: Sequence[Example]) -> Iterator[Finding]:
    checkable = Checkable(document, (example.schema for example in shown))
    unusable: set[str] = set()
    for example in shown:
        operation = operation_at(example.pointer)
        try:
            problem = _problem(example, checkable)
        except Unusable as error:
            if example.schema not in unusable:
                unusable.add(example.schema)
                text = f"{example.schema}: its examples cannot be checked: {error}"
                yield finding("doc.unusable-schema", text, example.schema, operation, identity=(example.schema,))
            continue
        if problem is not None:
            text = f"the example {example.pointer} does not fit its schema: {problem}"
            yield finding("doc.example-invalid", text, example.pointer, operation, identity=(example.pointer,))


def _pattern(place: Place) -> Iterator[Finding]:
    pattern = place.node.get("pattern")
    if isinstance(pattern, str) and (problem := pattern_problem(pattern)):
        text = f"{place.pointer}: its pattern cannot be used: {problem}"
        yield finding(
            "doc.unusable-schema", text, place.pointer, operation_at(place.pointer),
            identity=(place.pointer, "pattern"),
        )  # fmt: skip


def _problem(example: Example, checkable: Checkable) -> str | None:
    """Return what is wrong with an example, led by the part of it that is; None when it validates."""
    try:
        errors = checkable.errors(example.schema, example.value, 4)
    except ValueError as refused:  # a number that no double-precision number holds, and the like
        return str(refused)[:_LONGEST]
    if not errors or _written_as_text(example, checkable):
        return None
    told = []
    for error in errors[:3]:
        where = "".join(f"/{escape(str(part))}" for part in error.instance_path[1:])
        message = error.message if len(error.message) <= _LONGEST else f"{error.message[:_LONGEST]}…"
        told.append(f"{where}: {message}" if where else message)
    return "; ".join(told) + (" and more" if len(errors) > 3 else "")


def is_json(media: str) -> bool:
    """Return whether a media type is JSON: `application/json`, `application/problem+json`."""
    kind = media.partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))


def _written_as_text(example: Example, checkable: Checkable) -> bool:
    """Return whether a value is what is sent, in a text: XML has to be, and JSON that validates is as good."""
    if not isinstance(example.value, str) or not (example.media or example.is_text):
        return False
    if example.is_text:
        parts = [_value_of(part) for part in example.value.split(",")]
        return any(checkable.is_valid(example.schema, value) for value in (_value_of(example.value), parts))
    return not is_json(example.media) or checkable.is_valid(example.schema, _value_of(example.value))


def _value_of(text: str) -> Any:
    """Return what a text says in JSON, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _missing(document: Document) -> Iterator[Finding]:
    shown = Shown(document)
    for operation in document.operations:
        lacking = [name for name, holder in _exchanged(document, operation) if not shown.by(holder)]
        if lacking:
            text = f"there is no example of {_listed(lacking)}"
            pointer = f"/paths/{escape(operation.path)}/{operation.method.lower()}"
            yield finding("doc.example-missing", text, pointer, operation.name)


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _exchanged(document: Document, operation: Operation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the JSON bodies of an operation's request and successes, with a name for each."""
    if document.version.startswith("2."):
        bodies = [one for one in operation.parameters if one.get("in") == "body"]
        yield from (("the request body", body) for body in bodies)
    else:
        yield from (("the request body", one) for one in json_contents(document, operation.definition, "requestBody"))
    for status, response in responses(document, operation):
        if not is_success(status):
            continue
        if document.version.startswith("2."):
            if isinstance(response.get("schema"), Mapping):
                yield f"the {status} response", response
        else:
            yield from ((f"the {status} response", one) for one in json_contents(document, {"r": response}, "r"))


def responses(document: Document, operation: Operation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the documented responses of an operation with their status: `200`, `2XX`, `default`."""
    found = operation.definition.get("responses")
    for status, raw in found.items() if isinstance(found, Mapping) else ():
        try:
            response = document.resolve(raw)
        except DocumentError:
            continue  # a reference to nothing is told as that
        if isinstance(response, Mapping) and not status.startswith("x-"):
            yield status, response


def is_success(status: str) -> bool:
    """Return whether a documented status is a 2xx."""
    return len(status) == 3 and status[0] == "2"


def json_contents(document: Document, holder: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    """Yield the media type objects of JSON in a request body or response of OpenAPI 3."""
    try:
        body = document.resolve(holder.get(key))
    except DocumentError:
        return
    content = body.get("content") if isinstance(body, Mapping) else None
    for media, one in content.items() if isinstance(content, Mapping) else ():
        if is_json(media) and isinstance(one, Mapping):
            yield one


class Shown:
    """Whether bodies show a value: beside their schema, in it, or for every part of it; each schema is seen once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[int, bool] = {}

    def by(self, holder: Mapping[str, Any]) -> bool:
        """Return whether a media type object, or what holds a schema in Swagger 2.0, shows a value."""
        return "example" in holder or bool(holder.get("examples")) or self._in(holder.get("schema"), 0)

    def _in(self, raw: Any, depth: int) -> bool:
        if isinstance(raw, Mapping) and ("example" in raw or raw.get("examples")):
            return True  # beside a reference, too
        try:
            schema = self._document.resolve(raw)
        except DocumentError:
            return False
        if not isinstance(schema, Mapping):
            return depth > 0
        if any(key in schema for key in ("example", "const", "default")) or schema.get("examples"):
            return True
        if schema.get("enum") or depth > _MAX_DEPTH:
            return True
        if id(schema) not in self._known:
            self._known[id(schema)] = True  # inside itself it lacks nothing of its own
            parts = [part for part in _parts(schema) if isinstance(part, Mapping)]
            told = all(self._in(part, depth + 1) for part in parts) if parts else _says_all(schema)
            self._known[id(schema)] = told
        return self._known[id(schema)]


def _says_all(schema: Mapping[str, Any]) -> bool:
    return not schema or schema.get("type") in ("boolean", "null")


def _parts(schema: Mapping[str, Any]) -> Iterator[Any]:
    properties = schema.get("properties")
    yield from properties.values() if isinstance(properties, Mapping) else ()
    if schema.get("items"):
        yield schema["items"]
    yield from schema["allOf"] if isinstance(schema.get("allOf"), list) else ()
    for key in ("anyOf", "oneOf"):
        # One of several forms is enough, and that a value may be null says nothing.
        forms = schema[key] if isinstance(schema.get(key), list) else []
        yield from [form for form in forms if form != {"type": "null"}][:1]
