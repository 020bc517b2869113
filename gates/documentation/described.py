"""Is every operation described, with its parameters, its responses and what they carry?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.document import Document, DocumentError, Operation
from gates.documentation.examples import is_json, is_success, responses
from gates.documentation.places import escape, operation_at, places
from gates.documentation.rules import finding
from gates.results import Finding

_ADVICE = re.compile(
    r"/\w|https?:|\b(use|using|instead|replace[ds]?|replacement|see|prefer|migrate|moved?|supersede[ds]?|successor|"
    r"favou?r|switch|removed?|sunset|until)\b",
    re.IGNORECASE,
)
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the operations, parameters and properties of a document are described."""

    described: int
    total: int


def _blank(text: Any) -> bool:
    return not (isinstance(text, str) and text.strip())


def check_described(document: Document) -> list[Finding]:
    """Return what is not described, an operation or a schema at a time."""
    found = list(_info(document))
    tagged = any(operation.definition.get("tags") for operation in document.operations)
    for operation in document.operations:
        found += _operation(operation, tagged)
        found += _responses(document, operation)
        found += _parameters(document, operation)
    return found + list(_properties(document))


def described_share(document: Document) -> Share:
    """Return how much of a document is described."""
    described = total = 0
    for operation in document.operations:
        lacking = sum(not _is_described(document, one) for one in operation.parameters)
        total += 1 + len(operation.parameters)
        described += (not _undescribed(operation)) + len(operation.parameters) - lacking
    for place in places(document):
        properties = place.node.get("properties") if place.is_schema else None
        for schema in properties.values() if isinstance(properties, Mapping) else ():
            total += 1
            described += _is_described(document, schema)
    return Share(described, total)


def pointer_of(operation: Operation) -> str:
    """Return the JSON pointer of an operation."""
    return f"/paths/{escape(operation.path)}/{operation.method.lower()}"


def _info(document: Document) -> Iterator[Finding]:
    info = document.content.get("info")
    # Without them the document is invalid, and told as that.
    for key in ("title", "version"):
        if isinstance(info, Mapping) and isinstance(info.get(key), str) and _blank(info[key]):
            yield finding("doc.info", f"`info.{key}` is empty", f"/info/{key}")


def _undescribed(operation: Operation) -> bool:
    return all(_blank(operation.definition.get(key)) for key in ("summary", "description"))


def _operation(operation: Operation, tagged: bool) -> Iterator[Finding]:
    definition, pointer, name = operation.definition, pointer_of(operation), operation.name
    if _undescribed(operation):
        yield finding("doc.operation-description", "it has neither a summary nor a description", pointer, name)
    if tagged and not definition.get("tags"):
        yield finding("doc.tag", "it has no tag, and others have", pointer, name)
    if definition.get("deprecated") is True and not _says_what_next(definition):
        yield finding("doc.deprecated", "it is deprecated, and does not say what to use in its place", pointer, name)


def _says_what_next(definition: Mapping[str, Any]) -> bool:
    texts = [definition.get(key) for key in ("summary", "description")]
    if any(isinstance(text, str) and _ADVICE.search(text) for text in texts):
        return True
    return "externalDocs" in definition or any(
        key.startswith("x-") and re.search("sunset|replac|deprecat", key) for key in definition
    )


def _responses(document: Document, operation: Operation) -> Iterator[Finding]:
    pointer, name = pointer_of(operation), operation.name
    documented = dict(responses(document, operation))
    if not any(is_success(status) or status[:1] in ("1", "3") for status in documented):
        told = "no success is documented" + (" besides `default`" if "default" in documented else "")
        yield finding("doc.success-response", told, pointer, name)
    for status, response in documented.items():
        where = f"{pointer}/responses/{escape(status)}"
        if isinstance(response.get("description"), str) and _blank(response["description"]):
            told = f"the description of its {status} response is empty"
            yield finding("doc.response-description", told, where, name, identity=(name, status))
        if is_success(status) and (media := _untyped(document, response)) is not None:
            told = f"its {status} response is {media}, and no schema says what is in it"
            yield finding("doc.response-schema", told, where, name, identity=(name, status))


def _untyped(document: Document, response: Mapping[str, Any]) -> str | None:
    """Return the first JSON media type of a response that has no schema, or one that says nothing."""
    content = response.get("content")
    for media, body in content.items() if isinstance(content, Mapping) else ():
        schema = body.get("schema") if isinstance(body, Mapping) else None
        if is_json(media) and (schema is None or schema == {}):
            return str(media)
    return None


def _parameters(document: Document, operation: Operation) -> Iterator[Finding]:
    lacking = [str(one.get("name")) for one in operation.parameters if not _is_described(document, one)]
    if lacking:
        told = f"no description of {_parts('parameter', lacking)}"
        yield finding("doc.parameter-description", told, pointer_of(operation), operation.name)


def _properties(document: Document) -> Iterator[Finding]:
    for place in places(document):
        properties = place.node.get("properties") if place.is_schema else None
        if not isinstance(properties, Mapping):
            continue
        lacking = [name for name, schema in properties.items() if not _is_described(document, schema)]
        if lacking:
            told = f"{place.pointer}: no description of {_parts('property', lacking)}"
            yield finding(
                "doc.property-description", told, place.pointer, operation_at(place.pointer), identity=(place.pointer,)
            )


def _parts(noun: str, names: list[str]) -> str:
    nouns = noun if len(names) == 1 else {"property": "properties"}.get(noun, f"{noun}s")
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"the {nouns} {', '.join(names[:_NAMED])}{more}"


def _is_described(document: Document, node: Any) -> bool:
    """Return whether a parameter or a schema is described, beside a reference, behind it, or as its only part."""
    for _ in range(_NAMED):
        if not isinstance(node, Mapping):
            return node is True  # a schema that allows anything
        inner = node.get("schema")
        if not _blank(node.get("description")) or (isinstance(inner, Mapping) and not _blank(inner.get("description"))):
            return True
        if "$ref" in node:
            try:
                node = document.resolve(node)
            except DocumentError:
                return False
        elif isinstance(node.get("allOf"), list) and len(node["allOf"]) == 1:
            node = node["allOf"][0]
        else:
            return False
    return False
