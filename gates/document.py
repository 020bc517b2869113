"""The API description of a backend: OpenAPI 3.x or Swagger 2.0, JSON or YAML, read into operations.

Pure: takes text, gives data; a reference to anything outside the document is never followed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gates.errors import GatesError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MAX_BYTES = 64 * 1024 * 1024
_MAX_NODES = 20_000_000


class DocumentError(GatesError):
    """The text is not an API description that could be read."""


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


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed API description; `base_path` is the prefix that servers or basePath put before every path."""

    text: str
    content: Mapping[str, Any]
    version: str
    base_path: str
    operations: tuple[Operation, ...]

    def as_json(self) -> str:
        """Return the document as JSON text, which every tool can read: as it was written, where it is JSON already."""
        try:
            json.loads(self.text)
        except ValueError:
            return json.dumps(self.content, default=str)
        return self.text

    def resolve(self, node: Any) -> Any:
        """Return what a node with `$ref` points to inside this document; other nodes are returned as they are.

        Raises DocumentError for a reference that leaves the document, is circular or points to nothing.
        """
        seen: set[str] = set()
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                raise DocumentError(f"the reference {reference!r} refers to itself")
            seen.add(reference)
            node = _pointer(self.content, reference)
        return node


def _pointer(content: Mapping[str, Any], reference: str) -> Any:
    if not reference.startswith("#/"):
        raise DocumentError(f"the reference {reference!r} leaves the document", "bundle the document into one file")
    node: Any = content
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            raise DocumentError(f"the reference {reference!r} points to nothing")
    return node


def _load(text: str) -> Any:
    if len(text) > _MAX_BYTES:
        raise DocumentError(f"the document is larger than {_MAX_BYTES // 2**20} MiB")
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as json_error:
        if text.lstrip()[:1] in ("{", "["):
            raise DocumentError(f"the document is not valid JSON: {json_error}") from json_error
    import yaml

    class PlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """The safe loader, without dates."""

    # A date in an example stays the text it was written as, as it would in JSON.
    PlainLoader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        content = yaml.load(text, PlainLoader)
        _expanded_size(content, {}, set())
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DocumentError(f"the document is neither JSON nor YAML: {str(error).splitlines()[0]}") from error
    return content


def _expanded_size(node: Any, known: dict[int, int], open_nodes: set[int]) -> int:
    """Return how many nodes a text with YAML aliases stands for; a few hundred bytes of them can mean gigabytes."""
    if not isinstance(node, (dict, list)):
        return 1
    if id(node) in open_nodes:
        raise DocumentError("the document contains itself (a YAML alias inside its own anchor)")
    if id(node) not in known:
        open_nodes.add(id(node))
        children = node.values() if isinstance(node, dict) else node
        known[id(node)] = 1 + sum(_expanded_size(child, known, open_nodes) for child in children)
        open_nodes.discard(id(node))
        if known[id(node)] > _MAX_NODES:
            raise DocumentError(f"the document's YAML aliases stand for more than {_MAX_NODES:,} values")
    return known[id(node)]


def parse_document(text: str) -> Document:
    """Return the operations that a description names.

    Raises DocumentError when the text is not JSON or YAML, or not an OpenAPI 3.x or Swagger 2.0 document.
    """
    content = _load(text)
    if not isinstance(content, Mapping):
        raise DocumentError("the document is not an object", "is this the address of the OpenAPI document?")
    version = content.get("openapi") or content.get("swagger")
    if not isinstance(version, str) or not version.startswith(("3.", "2.")):
        raise DocumentError(
            f"the document names no OpenAPI version that is known here (found {version!r})",
            "OpenAPI 3.x and Swagger 2.0 can be read",
        )
    paths = content.get("paths")
    if not isinstance(paths, Mapping):
        raise DocumentError("the document has no `paths`", "is this the address of the OpenAPI document?")
    draft = Document(text, content, version, _base_path(content), ())
    return Document(text, content, version, draft.base_path, tuple(_operations(draft, paths)))


def _base_path(content: Mapping[str, Any]) -> str:
    if isinstance(content.get("basePath"), str):
        return "/" + content["basePath"].strip("/") if content["basePath"].strip("/") else ""
    servers = content.get("servers")
    if not (isinstance(servers, list) and servers and isinstance(servers[0], Mapping)):
        return ""
    url = str(servers[0].get("url", ""))
    variables = servers[0].get("variables")
    for name, variable in (variables if isinstance(variables, Mapping) else {}).items():
        if isinstance(variable, Mapping):
            url = url.replace("{" + str(name) + "}", str(variable.get("default", "")))
    try:
        path = urlsplit(url).path.strip("/")
    except ValueError:
        return ""
    return f"/{path}" if path else ""


def _operations(document: Document, paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, raw in paths.items():
        try:
            item = document.resolve(raw)
        except DocumentError:
            continue  # schemathesis reports it as an operation that could not be tested
        if not isinstance(item, Mapping) or not str(path).startswith("/"):
            continue
        shared = item.get("parameters") if isinstance(item.get("parameters"), list) else []
        for method in METHODS:
            definition = item.get(method)
            if isinstance(definition, Mapping):
                own = definition.get("parameters") if isinstance(definition.get("parameters"), list) else []
                yield Operation(method.upper(), str(path), definition, _parameters(document, shared, own))


def _parameters(document: Document, shared: Any, own: Any) -> tuple[Mapping[str, Any], ...]:
    merged: dict[tuple[str, str], Mapping[str, Any]] = {}
    for raw in [*shared, *own]:
        try:
            parameter = document.resolve(raw)
        except DocumentError:
            continue
        if isinstance(parameter, Mapping):
            merged[(str(parameter.get("in")), str(parameter.get("name")))] = parameter
    return tuple(merged.values())


def operation_of(document: Document, method: str, path: str) -> Operation | None:
    """Return the operation that a concrete request path belongs to; literal segments win over templates."""
    if document.base_path and path.startswith(document.base_path + "/"):
        path = path[len(document.base_path) :]
    best: Operation | None = None
    for operation in document.operations:
        if operation.method != method.upper():
            continue
        if operation.path == path:
            return operation
        pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(operation.path))
        if re.fullmatch(pattern, path) and (best is None or operation.path.count("{") < best.path.count("{")):
            best = operation
    return best


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
    media += [str(kind) for key in ("consumes", "produces") for kind in definition.get(key) or ()]
    if any(kind.startswith(_FILE_MEDIA) for kind in media):
        return "file"
    return "simple" if name.split(" ")[0] in ("GET", "HEAD", "OPTIONS") else "complex"


def matches(name: str, pattern: str) -> bool:
    """Return whether an operation name fits a pattern, in which `*` stands for anything."""
    method, _, path = pattern.strip().partition(" ")
    expression = re.escape(f"{method.upper()} {path.strip()}").replace(r"\*", ".*")
    return re.fullmatch(expression, name) is not None
