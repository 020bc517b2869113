"""The identifiers of a backend's resources, learnt from its answers, so that requests speak of what is really there.

`POST /orders` answers with an id: it stands for the parameter of `/orders/{order_id}`, and for `order_id` elsewhere.
Links of the document and the Location header are heeded as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from gates.document import Document, DocumentError, Operation
from gates.load.client import Answer
from gates.load.workload import PARAMETER

_OWN_KEYS = ("id", "_id", "uuid", "guid")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_SUFFIXES = ("uuid", "guid", "id", "key", "ref")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _resource_in(name: str) -> str:
    """Return the resource that a name such as `order_id` or `orderId` speaks of, or "" when it names none."""
    plain = _plain(name)
    for suffix in _SUFFIXES:
        if plain.endswith(suffix):
            return plain[: -len(suffix)]
    return ""


def _singular(word: str) -> str:
    plain = _plain(word)
    if plain.endswith("ies"):
        return plain[:-3] + "y"
    if plain.endswith(("sses", "xes", "ches", "shes")):
        return plain[:-2]
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain


def _shape(path: str) -> str:
    """Return a path template without the names of its parameters, which differ between operations."""
    return PARAMETER.sub("{}", path)


def _collection(path: str, parameter: str) -> str:
    """Return the template of the collection that a path parameter chooses from."""
    return path.partition("{" + parameter + "}")[0].rstrip("/")


def _resource_of(collection: str) -> str:
    """Return the resource that a collection holds: its last word that is no parameter, in the singular."""
    words = [word for word in collection.split("/") if word and not word.startswith("{")]
    return _singular(words[-1]) if words else ""


class Resources:
    """What is known of one backend; `known` grows with everything that is learnt."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._items: dict[str, tuple[str, str]] = {}
        """By the shape of a collection: the template of one of its items, and the parameter that chooses it."""
        for template in dict.fromkeys(operation.path.rstrip("/") for operation in document.operations):
            collection, _, last = template.rpartition("/")
            if PARAMETER.fullmatch(last):
                self._items.setdefault(_shape(collection), (template, last[1:-1]))
        self._collections: dict[str, Any] = {}
        self._names: dict[str, Any] = {}
        self._links: dict[tuple[str, str], Any] = {}

    @property
    def known(self) -> int:
        """How many identifiers are known."""
        return len(self._collections) + len(self._names) + len(self._links)

    def of_path(self, operation: Operation, parameter: str) -> Any:
        """Return the value for a path parameter, or None."""
        linked = self._links.get((operation.name, parameter))
        if linked is not None:
            return linked
        collection = _collection(operation.path, parameter)
        if _shape(collection) in self._collections:
            return self._collections[_shape(collection)]
        return self._names.get(_resource_in(parameter) or _resource_of(collection))

    def of_field(self, operation: Operation, name: str) -> Any:
        """Return the value for a field that names another resource, such as `customer_id`, or None."""
        linked = self._links.get((operation.name, name))
        if linked is not None:
            return linked
        resource = _resource_in(name)
        if not resource or resource == _resource_of(operation.path):
            return None  # its own identifier is not ours to choose
        return self._names.get(resource)

    def learn(self, operation: Operation, target: str, answer: Answer, sent_body: str | None = None) -> None:
        """Take in what an answer below 400 says; the first value for a place is kept.

        `target` and `sent_body` are those of the request.
        """
        sent = self._values_in(operation, target)
        if operation.method == "PUT":
            for name, value in sent.items():
                self._keep(_collection(operation.path, name), value)
        location = answer.header("location")
        if location:
            self._learn_location(urlsplit(location).path)
        body = _read(answer.body)
        request = _Sent(sent, dict(parse_qsl(target.partition("?")[2])), _read(sent_body))
        self._learn_links(operation, request, answer, body)
        if operation.method in ("POST", "PUT", "GET"):
            self._learn_body(operation, body)

    def _values_in(self, operation: Operation, target: str) -> dict[str, str]:
        values = _match(self._document.base_path + operation.path, target.partition("?")[0]) or ()
        return dict(zip(PARAMETER.findall(operation.path), values, strict=False))

    def _keep(self, collection: str, value: Any) -> None:
        if value is None or isinstance(value, bool | Mapping | list):
            return
        self._collections.setdefault(_shape(collection), value)
        if resource := _resource_of(collection):
            self._names.setdefault(resource, value)

    def _learn_location(self, path: str) -> None:
        path = path.removeprefix(self._document.base_path).rstrip("/")
        for collection, (template, _) in self._items.items():
            if template.count("/") == path.count("/") and (values := _match(template, path)):
                self._keep(collection, values[-1])
                return

    def _learn_body(self, operation: Operation, body: Any) -> None:
        base = operation.path.rstrip("/")
        if _shape(base) in self._items:
            self._keep(base, _identifier(body, self._items[_shape(base)][1], _resource_of(base)))
        resource = _resource_of(base)
        if resource and (found := _identifier(body, f"{resource}_id", resource)) is not None:
            self._names.setdefault(resource, found)
        for item in _objects(body):
            for key, value in item.items():
                named = _resource_in(str(key))
                if named and isinstance(value, str | int) and not isinstance(value, bool):
                    self._names.setdefault(named, value)

    def _learn_links(self, operation: Operation, sent: _Sent, answer: Answer, body: Any) -> None:
        found = self._document.response_of(operation, answer.status)
        described = self._resolved(found[1]) if found else None
        links = described.get("links") if isinstance(described, Mapping) else None
        for raw in links.values() if isinstance(links, Mapping) else ():
            link = self._resolved(raw)
            target = self._linked(link) if isinstance(link, Mapping) else None
            parameters = link.get("parameters") if target else None
            for name, expression in parameters.items() if isinstance(parameters, Mapping) else ():
                value = _evaluate(str(expression), sent, answer, body)
                if target and isinstance(value, str | int):
                    self._links.setdefault((target.name, str(name).split(".")[-1]), value)

    def _resolved(self, node: Any) -> Any:
        try:
            return self._document.resolve(node)
        except DocumentError:
            return None  # a link that leads nowhere teaches nothing

    def _linked(self, link: Mapping[str, Any]) -> Operation | None:
        reference = str(link.get("operationRef", ""))
        for operation in self._document.operations:
            if "operationId" in link and operation.definition.get("operationId") == link["operationId"]:
                return operation
            pointer = operation.path.replace("~", "~0").replace("/", "~1")
            if reference.endswith(f"#/paths/{pointer}/{operation.method.lower()}"):
                return operation
        return None


def _match(template: str, path: str) -> tuple[str, ...] | None:
    match = re.fullmatch(re.sub(r"\\\{[^{}/]+?\\\}", "([^/]+)", re.escape(template)), path)
    return tuple(map(unquote, match.groups())) if match else None


def _objects(body: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the object an answer is about: itself, the first of a list, or what a wrapper holds."""
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, Mapping):
        return
    yield body
    for value in body.values():
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, Mapping):
            yield inner


def _identifier(body: Any, parameter: str, resource: str) -> Any:
    """Return the value in an answer that identifies the resource it is about, or None."""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, int) and not isinstance(body, bool):
        return body
    if isinstance(body, str):
        return body if _UUID.fullmatch(body) else None
    wanted = {_plain(parameter), _plain(f"{resource}id")}
    for item in _objects(body):
        for key in item:
            if _plain(str(key)) in wanted:
                return item[key]
        for key in _OWN_KEYS:
            if isinstance(item.get(key), str | int):
                return item[key]
    return None


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a request carried, for the runtime expressions of links."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


def _read(body: bytes | str | None) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _evaluate(expression: str, sent: _Sent, answer: Answer, body: Any) -> Any:
    """Return the value of a runtime expression of a link, or the expression itself when it is a constant."""
    if (braced := re.fullmatch(r"\{(\$[^{}]+)\}", expression)) is not None:
        expression = braced[1]
    if not expression.startswith("$"):
        return expression
    source, _, pointer = expression.partition("#")
    if source in ("$response.body", "$request.body"):
        return pointed(body if source == "$response.body" else sent.body, pointer)
    kind, _, name = expression.partition(".")[2].partition(".")
    if expression.startswith("$response.header."):
        return answer.header(name)
    if expression.startswith("$request."):
        return {"path": sent.path, "query": sent.query}.get(kind, {}).get(name)
    return None


def pointed(node: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to, None when it leads nowhere."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            node = node.get(key) if isinstance(node, Mapping) else None
    return node
