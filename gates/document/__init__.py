"""The API description of a backend: OpenAPI 3.x or Swagger 2.0, JSON or YAML, read into operations.

Pure: takes text, gives data; a reference to anything outside the document is never followed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from gates.document.reading import DocumentError, text_of, values_of
from gates.document.routes import Routes

__all__ = [
    "METHODS", "OPERATION_CLASSES", "Document", "DocumentError", "Operation", "classify", "document_of", "matches",
    "operation_of", "parse_document",
]  # fmt: skip

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MAX_CHAIN = 100


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path template; `name` is the form used everywhere: `GET /orders/{id}`."""

    method: str
    path: str
    definition: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """The operation as people write it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Document:
    """A parsed API description; `base_path` is the prefix that servers or basePath put before every path.

    `content` has only what JSON has: keys are texts, numbers are finite.
    """

    text: str
    content: Mapping[str, Any]
    version: str
    base_path: str
    operations: tuple[Operation, ...]

    def as_json(self) -> str:
        """Return the document as JSON text, which every tool can read: as it was written, where it is JSON already."""
        return self.text if self.text.lstrip()[:1] == "{" else json.dumps(self.content)

    @cached_property
    def routes(self) -> Routes[Operation]:
        """The operations, found by the path of a request; made when first asked for."""
        return Routes((operation.method, operation.path, operation) for operation in self.operations)

    def response_of(self, operation: Operation, status: int) -> tuple[str, Any] | None:
        """Return under which name an operation documents a status (its own, its range, `default`), and what it says.

        None where it does not, or where its responses cannot be read.
        """
        try:
            responses = self.resolve(operation.definition.get("responses"))
        except DocumentError:
            return None
        named = {str(name).upper(): said for name, said in responses.items()} if isinstance(responses, Mapping) else {}
        names = (str(status), f"{status // 100}XX", "DEFAULT")
        return next(((name, named[name]) for name in names if name in named), None)

    def resolve(self, node: Any) -> Any:
        """Return what a node with `$ref` points to inside this document; other nodes are returned as they are.

        Raises DocumentError for a reference that leaves the document, is circular, points to nothing, or begins a
        chain of more than a hundred.
        """
        seen: set[str] = set()
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                raise DocumentError(f"the reference {_shown(reference)} refers to itself")
            if len(seen) == _MAX_CHAIN:
                raise DocumentError(f"{_shown(reference)} is the end of a chain of more than {_MAX_CHAIN} references")
            seen.add(reference)
            node = _pointer(self.content, reference)
        return node


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else f"{text[:200]}…")


def _pointer(content: Mapping[str, Any], reference: str) -> Any:
    if reference == "#":
        return content
    if not reference.startswith("#/"):
        if reference.startswith("#"):
            raise DocumentError(f"the reference {_shown(reference)} is no JSON pointer", "write it as #/components/…")
        raise DocumentError(
            f"the reference {_shown(reference)} leaves the document", "bundle the document into one file"
        )
    node: Any = content
    for part in reference[2:].split("/"):
        node = _step(node, part.replace("~1", "/").replace("~0", "~"), reference)
    return node


def _step(node: Any, key: str, reference: str) -> Any:
    if isinstance(node, Mapping):
        # In the fragment of a URI, signs such as braces may be written as %7B.
        for name in (key, unquote(key)):
            if name in node:
                return node[name]
    elif isinstance(node, list) and key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(node):
        return node[int(key)]
    raise DocumentError(f"the reference {_shown(reference)} points to nothing")


def parse_document(source: str | bytes) -> Document:
    """Return the operations that a description names; bytes are read as UTF-8, UTF-16 or UTF-32.

    Raises DocumentError when the text is not JSON or YAML, or not an OpenAPI 3.x or Swagger 2.0 document.
    """
    text = text_of(source) if isinstance(source, bytes) else source.removeprefix("\ufeff")
    return document_of(values_of(text), text)


def document_of(content: Any, text: str | None = None) -> Document:
    """Return the document that values such as those of a JSON file make; `text` is how they were written.

    Raises DocumentError when they are not an OpenAPI 3.x or Swagger 2.0 document.
    """
    if not isinstance(content, Mapping):
        raise DocumentError("the document is not an object", "is this the address of the OpenAPI document?")
    named = content.get("openapi") or content.get("swagger")
    # `swagger: 2.0` without quotes is a number in YAML, and what is meant is clear.
    version = str(named) if isinstance(named, (str, float)) else ""
    if not version.startswith(("3.", "2.")):
        raise DocumentError(
            f"the document names no OpenAPI version that is known here (found {_shown(str(named))})",
            "OpenAPI 3.x and Swagger 2.0 can be read",
        )
    paths = content.get("paths", {} if _may_lack_paths(content, version) else None)
    if not isinstance(paths, Mapping):
        problem = "the `paths` of the document are no object" if "paths" in content else "the document has no `paths`"
        raise DocumentError(problem, "is this the address of the OpenAPI document?")
    draft = Document(json.dumps(content) if text is None else text, content, version, _base_path(content), ())
    return Document(draft.text, content, version, draft.base_path, tuple(_operations(draft, paths)))


def _may_lack_paths(content: Mapping[str, Any], version: str) -> bool:
    return not version.startswith(("2.", "3.0")) and ("components" in content or "webhooks" in content)


def _base_path(content: Mapping[str, Any]) -> str:
    if isinstance(content.get("basePath"), str):
        return "/" + content["basePath"].strip("/") if content["basePath"].strip("/") else ""
    servers = content.get("servers")
    if not (isinstance(servers, list) and servers and isinstance(servers[0], Mapping)):
        return ""
    url = str(servers[0].get("url", ""))
    given = servers[0].get("variables")
    variables = given if isinstance(given, Mapping) else {}

    def default(found: re.Match[str]) -> str:
        variable = variables.get(found[1])
        return str(variable.get("default", "")) if isinstance(variable, Mapping) else found[0]

    url = re.sub(r"\{([^{}]*)\}", default, url)
    try:
        path = urlsplit(url).path.strip("/")
    except ValueError:
        return ""
    return f"/{path}" if path else ""


def _operations(document: Document, paths: Mapping[str, Any]) -> Iterator[Operation]:
    # Paths that share one item, by reference or by a YAML alias, share what was made of it: parameters are merged once.
    known: dict[int, list[Operation]] = {}
    for path, raw in paths.items():
        try:
            item = document.resolve(raw)
        except DocumentError:
            continue  # schemathesis reports it as an operation that could not be tested
        if not isinstance(item, Mapping) or not path.startswith("/"):
            continue
        if id(item) not in known:
            known[id(item)] = list(_operations_of(document, path, item))
        yield from (Operation(made.method, path, made.definition, made.parameters) for made in known[id(item)])


def _operations_of(document: Document, path: str, item: Mapping[str, Any]) -> Iterator[Operation]:
    shared = _parameters(document, item.get("parameters"))
    for method in METHODS:
        definition = item.get(method)
        if isinstance(definition, Mapping):
            own = _parameters(document, definition.get("parameters"))
            yield Operation(method.upper(), path, definition, tuple({**shared, **own}.values()))


def _parameters(document: Document, listed: Any) -> dict[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for raw in listed if isinstance(listed, list) else ():
        try:
            parameter = document.resolve(raw)
        except DocumentError:
            continue
        if isinstance(parameter, Mapping):
            found[(str(parameter.get("in")), str(parameter.get("name")))] = parameter
    return found


def operation_of(document: Document, method: str, path: str) -> Operation | None:
    """Return the operation that a concrete request path belongs to; literal segments win over templates."""
    if document.base_path and path.startswith(document.base_path + "/"):
        path = path[len(document.base_path) :]
    return document.routes.find(method.upper(), path)


OPERATION_CLASSES = ("simple", "complex", "file", "external")
_FILE_MEDIA = ("multipart/", "application/octet-stream", "image/", "video/", "audio/", "application/pdf")


def classify(name: str, definition: Mapping[str, Any], overrides: Mapping[str, tuple[str, ...]]) -> str:
    """Return the operation class: what `[operations]` says, else `file` by media type, else by method.

    `overrides` maps a class to patterns such as `GET /reports/*`; reading is simple, changing something is complex.
    """
    for operation_class, patterns in overrides.items():
        if any(matches(name, pattern) for pattern in patterns):
            return operation_class
    responses = definition.get("responses")
    bodies = [definition.get("requestBody"), *(responses.values() if isinstance(responses, Mapping) else ())]
    media = [
        str(kind)
        for body in bodies
        if isinstance(body, Mapping) and isinstance(body.get("content"), Mapping)
        for kind in body["content"]
    ]
    named = (definition.get(key) for key in ("consumes", "produces"))
    media += [str(kind) for kinds in named if isinstance(kinds, list) for kind in kinds]
    if any(kind.startswith(_FILE_MEDIA) for kind in media):
        return "file"
    return "simple" if name.split(" ")[0] in ("GET", "HEAD", "OPTIONS") else "complex"


def matches(name: str, pattern: str) -> bool:
    """Return whether an operation name fits a pattern, in which `*` stands for anything."""
    return _expression(pattern).fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    method, _, path = pattern.strip().partition(" ")
    return re.compile(re.escape(f"{method.upper()} {path.strip()}").replace(r"\*", ".*"))
