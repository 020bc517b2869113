"""A document as the rules look at it: each operation read once, whatever version of OpenAPI it is written in.

Pure; a reference that points to nothing, or out of the document, is an empty object here: other rules tell of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from gates.document import Document, DocumentError, Operation

VERSION = re.compile(
    r"v\d+(?:[._-]\d+)*(?:[._-]?(?:alpha|beta|rc|preview)\d*)?|\d{4}-\d{2}(?:-\d{2})?|\d+(?:\.\d+)*",
    re.IGNORECASE,
)
"""A segment that names a version: v1, v2.1, v1beta1, 2010-04-01, 2.0."""
_EXTENSION = re.compile(r"\.(json|xml|html?|php|aspx?|jsp|cgi|do|csv|ya?ml|\{format\})$", re.IGNORECASE)
_PARAMETER = re.compile(r"\{([^{}]*)\}")
_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its body's schemas by media type; `headers` are the names of those it documents, in lower case."""

    schemas: Mapping[str, Any]
    headers: frozenset[str]
    linked: bool = False


@dataclass(frozen=True)
class Described:
    """An operation and all that rules ask of it; `base` is what stands before its path, by its servers."""

    operation: Operation
    base: str
    pointer: str
    bodies: Mapping[str, Any]
    has_body: bool
    answers: Mapping[str, Answer]
    protected: bool
    complete: bool
    """Whether every parameter could be read: one that is defined elsewhere may be any."""

    @property
    def name(self) -> str:
        """The operation as people write it."""
        return self.operation.name

    @property
    def method(self) -> str:
        """The method, in capitals."""
        return self.operation.method

    @property
    def path(self) -> str:
        """The path template, without what the servers put before it."""
        return self.operation.path

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The segments of the path, without empty ones."""
        return segments_of(self.path)

    @cached_property
    def template(self) -> str:
        """The path with all parameters alike, to which other paths are compared."""
        return template_of(self.path)

    @cached_property
    def resource(self) -> str:
        """The first segment behind prefix and version: what findings about many operations are grouped by."""
        rest = self.segments[prefix_length(self.segments) :]
        return next((part for part in rest if not is_parameter(part)), self.path)

    @cached_property
    def summary(self) -> str:
        """What the operation says of itself, in a line."""
        text = self.operation.definition.get("summary") or self.operation.definition.get("description")
        return text.strip().splitlines()[0] if isinstance(text, str) and text.strip() else ""

    @cached_property
    def operation_id(self) -> str:
        """Its operationId, or ""."""
        value = self.operation.definition.get("operationId")
        return value if isinstance(value, str) else ""

    def parameters(self, *places: str) -> list[Mapping[str, Any]]:
        """Return its parameters in some places, such as `query`."""
        return [one for one in self.operation.parameters if one.get("in") in places]

    def statuses(self, kind: str) -> list[str]:
        """Return the statuses that begin with a digit, ranges such as 4XX included."""
        return sorted(status for status in self.answers if status.startswith(kind) and len(status) == 3)


def segments_of(path: str) -> tuple[str, ...]:
    """Return the segments of a path, without empty ones."""
    return tuple(part for part in path.split("/") if part)


def is_parameter(segment: str) -> bool:
    """Return whether a segment is filled in by the caller, as a whole or in part."""
    return "{" in segment


def looks_identified(segment: str) -> bool:
    """Return whether a segment is a number, a UUID, or another long name with digits in it, and no version."""
    digits = sum(character.isdigit() for character in segment)
    if segment.isdigit():
        return True
    return len(segment) >= 16 and digits >= 4 and all(c.isalnum() or c in "-_" for c in segment)


def extension_of(segment: str) -> str:
    """Return the file extension of a segment, such as `.json`, or ""."""
    found = _EXTENSION.search(segment)
    return found[0] if found else ""


def without_extension(segment: str) -> str:
    """Return a segment without its file extension."""
    return segment[: len(segment) - len(extension_of(segment))]


def template_of(path: str) -> str:
    """Return a path with all parameters alike and no slash at its end."""
    return _PARAMETER.sub("{}", path).rstrip("/") or "/"


def parameters_of(path: str) -> list[str]:
    """Return the names of the parameters in a path template, without patterns such as in `{id:[0-9]+}` or `{+path}`."""
    return [re.split("[:=]", name)[0].strip("+*?") for name in _PARAMETER.findall(path)]


def prefix_length(segments: Sequence[str]) -> int:
    """Return how many segments stand before the resource: up to the version, or an `api`."""
    for position, segment in enumerate(segments[:4]):
        if is_parameter(segment):
            break
        if VERSION.fullmatch(segment):
            return position + 1
    return 1 if segments and segments[0] in ("api", "rest") else 0


def escaped(key: str) -> str:
    """Return a key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True)
class Api:
    """A whole document, described; `readable` are the templates that GET answers."""

    document: Document
    known: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def operations(self) -> tuple[Described, ...]:
        """All operations, in the order of their names."""
        return tuple(sorted(map(self._described, self.document.operations), key=lambda one: one.name))

    @cached_property
    def by_template(self) -> Mapping[str, dict[str, Described]]:
        """Operations by path template, then by method."""
        found: dict[str, dict[str, Described]] = {}
        for one in self.operations:
            found.setdefault(one.template, {}).setdefault(one.method, one)
        return found

    def resolved(self, node: Any) -> Mapping[str, Any]:
        """Return the object that a node stands for, behind its `$ref`; an empty one where there is none."""
        if not isinstance(node, Mapping):
            return _EMPTY
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return node
        if reference not in self.known:
            try:
                found = self.document.resolve(node)
            except DocumentError:
                found = _EMPTY
            self.known[reference] = found if isinstance(found, Mapping) else _EMPTY
        return self.known[reference]  # type: ignore[no-any-return]

    def is_collection(self, one: Described) -> bool:
        """Return whether a path holds things of a kind: single ones can be asked for below it."""
        return bool(one.segments) and not is_parameter(one.segments[-1]) and f"{one.template}/{{}}" in self.by_template

    def _described(self, operation: Operation) -> Described:
        definition = operation.definition
        item = self.resolved(_mapping(self.document.content.get("paths")).get(operation.path))
        if self.document.version.startswith("2."):
            bodies, answers = self._swagger_bodies(operation), dict(self._swagger_answers(definition))
        else:
            bodies = _schemas(self.resolved(definition.get("requestBody")))
            answers = dict(self._answers(definition))
        security = definition.get("security", self.document.content.get("security"))
        raw = [part for holder in (item, definition) for part in _list(holder.get("parameters"))]
        return Described(
            operation=operation,
            base=_base(definition) or _base(item) or self.document.base_path,
            pointer=f"/paths/{escaped(operation.path)}/{operation.method.lower()}",
            bodies=bodies,
            has_body=bool(bodies) or "requestBody" in definition,
            answers=answers,
            protected=bool(_list(security)) and all(isinstance(way, Mapping) and way for way in _list(security)),
            complete=all(self.resolved(part) for part in raw),
        )

    def _answers(self, definition: Mapping[str, Any]) -> Iterator[tuple[str, Answer]]:
        for status, raw in _mapping(definition.get("responses")).items():
            response = self.resolved(raw)
            headers = frozenset(str(name).lower() for name in _mapping(response.get("headers")))
            yield str(status), Answer(_schemas(response), headers, bool(response.get("links")))

    def _swagger_answers(self, definition: Mapping[str, Any]) -> Iterator[tuple[str, Answer]]:
        produced = self._media("produces", definition)
        for status, raw in _mapping(definition.get("responses")).items():
            response = self.resolved(raw)
            headers = frozenset(str(name).lower() for name in _mapping(response.get("headers")))
            schema = response.get("schema")
            yield str(status), Answer(dict.fromkeys(produced, schema) if schema is not None else {}, headers)

    def _swagger_bodies(self, operation: Operation) -> Mapping[str, Any]:
        fields = {str(one.get("name")): one for one in operation.parameters if one.get("in") == "formData"}
        if fields:
            consumed = _list(operation.definition.get("consumes")) or ["application/x-www-form-urlencoded"]
            form = {"type": "object", "properties": fields}
            return {str(media): form for media in consumed}
        for one in operation.parameters:
            if one.get("in") == "body":
                return dict.fromkeys(self._media("consumes", operation.definition), one.get("schema"))
        return {}

    def _media(self, key: str, definition: Mapping[str, Any]) -> list[str]:
        said = _list(definition.get(key)) or _list(self.document.content.get(key))
        return [str(kind) for kind in said] or ["application/json"]


def is_json(media: str) -> bool:
    """Return whether a media type is JSON, or any type at all."""
    kind = media.split(";")[0].strip().lower()
    return kind in ("application/json", "*/*", "application/*") or kind.endswith(("+json", "/json"))


def _schemas(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schemas of a 3.x body or response by media type; None where a media type has none."""
    content = _mapping(holder.get("content"))
    return {str(media): _mapping(value).get("schema") for media, value in content.items()}


def _base(holder: Mapping[str, Any]) -> str:
    servers = _list(holder.get("servers"))
    url = servers[0].get("url") if servers and isinstance(servers[0], Mapping) else None
    try:
        path = urlsplit(url).path.strip("/") if isinstance(url, str) else ""
    except ValueError:
        return ""
    return f"/{path}" if path else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _EMPTY


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
