"""One valid request for every operation of an OpenAPI or Swagger document: the work that load is made of.

A request stays a blueprint until it is sent, because the identifiers in it are those of the backend it goes to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlencode

from gates.document import Document, DocumentError, Operation
from gates.load.assignment import Sendable
from gates.load.scalars import Unbuildable
from gates.load.values import NOTHING, FileText, Values, shown_value
from gates.results import RecordedRequest

PARAMETER = re.compile(r"\{([^{}/]+)\}")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BOUNDARY = "gates-of-this-request"
_NOT_FOR_REQUESTS = ("accept", "content-type", "authorization")
_SCHEMA_KEYS = ("name", "in", "description", "required", "schema", "example", "examples", "x-example", "content")


class Identifiers(Protocol):
    """What is known of the resources of a backend; see `gates.load.resources`."""

    def of_path(self, operation: Operation, parameter: str) -> Any:
        """Return the value for a path parameter, or None."""

    def of_field(self, operation: Operation, name: str) -> Any:
        """Return the value for a field that names another resource, such as `customer_id`, or None."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A request before its identifiers are filled in. `path` is the template with the base path.

    `body` is data for JSON, a mapping for forms, and text for everything else.
    """

    operation: Operation
    path: str
    values: Mapping[str, str]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str | None = None
    body: Any = None


def draw(document: Document, operation: Operation, *, full: bool = False, unique: bool = False) -> Blueprint:
    """Return a request that the document calls valid: what is required, and whatever it gives an example of.

    `full` and `unique` are those of `gates.load.values.Values`, and speak of the body. Raises Unbuildable.
    """
    plain = Values(document)
    values: dict[str, str] = {}
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for parameter in operation.parameters:
        name, place = str(parameter.get("name")), parameter.get("in")
        if place not in ("path", "query", "header", "cookie") or not _is_sent(document, parameter):
            continue
        value = _value_of(document, plain, parameter, name)
        if place == "path":
            values[name] = _joined(value)
        elif place == "query":
            query += _query_pairs(parameter, name, value)
        elif place == "cookie":
            cookies.append(f"{name}={quote(_joined(value))}")
        elif name.lower() not in _NOT_FOR_REQUESTS:
            headers[name] = _joined(value)
    if accepted := _documented_media(document, operation):
        headers["Accept"] = ", ".join([*accepted, "*/*;q=0.1"])
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    path = document.base_path + operation.path
    for name in PARAMETER.findall(path):
        values.setdefault(name, "1")
    media, body = _body(document, operation, Values(document, full=full, unique=unique))
    return Blueprint(operation, path, values, tuple(query), headers, media, body)


def _documented_media(document: Document, operation: Operation) -> list[str]:
    """Return the media types that a success is documented with, as a client that read the document would ask for."""
    kinds = [str(kind) for kind in operation.definition.get("produces") or document.content.get("produces") or ()]
    responses = operation.definition.get("responses")
    for status, raw in responses.items() if isinstance(responses, Mapping) else ():
        response = _resolved(document, raw) if str(status).startswith("2") else None
        content = response.get("content") if isinstance(response, Mapping) else None
        kinds += [str(kind) for kind in content] if isinstance(content, Mapping) else []
    return [
        kind for kind in dict.fromkeys(kinds) if kind != "*/*" and re.fullmatch(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+", kind)
    ]


def _is_sent(document: Document, parameter: Mapping[str, Any]) -> bool:
    if parameter.get("required") or parameter.get("in") == "path":
        return True
    schema = _resolved(document, parameter.get("schema"))
    return any(
        key in holder
        for holder in (parameter, schema if isinstance(schema, Mapping) else {})
        for key in ("example", "examples", "x-example")
    )


def _resolved(document: Document, node: Any) -> Any:
    try:
        return document.resolve(node)
    except DocumentError as error:
        raise Unbuildable(error.message) from error


def _value_of(document: Document, values: Values, parameter: Mapping[str, Any], name: str) -> Any:
    shown = shown_value({key: value for key, value in parameter.items() if key != "schema"})
    if shown is not NOTHING:
        return shown
    if isinstance(parameter.get("schema"), Mapping):
        return values.of(parameter["schema"], name)
    content = parameter.get("content")
    if isinstance(content, Mapping) and content:
        media = _resolved(document, next(iter(content.values())))
        return json.dumps(values.of(media.get("schema", {}), name))
    own = {key: value for key, value in parameter.items() if key not in _SCHEMA_KEYS}
    if not own:
        return "1" if parameter.get("in") == "path" else name  # nothing is said of it: a number is a text as well
    return values.of(own, name)  # Swagger 2.0: the parameter is its own schema


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list):
        return json.dumps(value)
    return "" if value is None else str(value)


def _joined(value: Any) -> str:
    return ",".join(_text(item) for item in value) if isinstance(value, list) else _text(value)


def _query_pairs(parameter: Mapping[str, Any], name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, list):
        # OpenAPI 3 repeats the name unless told otherwise, Swagger 2.0 joins with commas unless told otherwise.
        joined = parameter.get("explode") is False
        if "schema" not in parameter:
            joined = parameter.get("collectionFormat", "csv") != "multi"
        separator = {"ssv": " ", "pipes": "|", "tsv": "\t", "spaceDelimited": " ", "pipeDelimited": "|"}.get(
            str(parameter.get("collectionFormat") or parameter.get("style")), ","
        )
        return [(name, separator.join(map(_text, value)))] if joined else [(name, _text(item)) for item in value]
    if isinstance(value, Mapping):
        if parameter.get("style") == "deepObject":
            return [(f"{name}[{key}]", _text(item)) for key, item in value.items()]
        return [(str(key), _text(item)) for key, item in value.items()]
    return [(name, _text(value))]


def _body(document: Document, operation: Operation, values: Values) -> tuple[str | None, Any]:
    body = _resolved(document, operation.definition.get("requestBody"))
    if isinstance(body, Mapping):
        return _body_of_content(document, body, values)
    in_body = [parameter for parameter in operation.parameters if parameter.get("in") == "body"]
    form = [parameter for parameter in operation.parameters if parameter.get("in") == "formData"]
    kinds = operation.definition.get("consumes") or document.content.get("consumes") or []
    if in_body:
        media = next((str(kind) for kind in kinds if "json" in str(kind)), _JSON)
        return media, _value_of(document, values, in_body[0], str(in_body[0].get("name", "body")))
    if not form:
        return None, None
    files = any(parameter.get("type") == "file" for parameter in form)
    sent = {
        str(one.get("name")): _value_of(document, values, one, str(one.get("name")))
        for one in form
        if _is_sent(document, one)
    }
    return (_MULTIPART if files or (_MULTIPART in kinds and _FORM not in kinds) else _FORM), sent


def _body_of_content(document: Document, body: Mapping[str, Any], values: Values) -> tuple[str | None, Any]:
    content = body.get("content")
    if not (isinstance(content, Mapping) and content):
        return None, None
    media = min((str(kind) for kind in content), key=_preference)
    described = _resolved(document, content[media])
    described = described if isinstance(described, Mapping) else {}
    shown = shown_value({key: value for key, value in described.items() if key != "schema"})
    schema = described.get("schema", {})
    sent_as = _JSON if media in ("*/*", "application/*") else media
    if _is_json(sent_as) or sent_as.startswith((_FORM, _MULTIPART)):
        if shown is not NOTHING:
            return sent_as, values.marked(shown, schema, "body")
        value = values.of(schema, "body")
        if not _is_json(sent_as) and not isinstance(value, Mapping):
            raise Unbuildable(f"a body of {media} is not an object")
        return sent_as, value
    if shown is NOTHING:
        shown = values.of(schema, "text")
    if not isinstance(shown, str) or "xml" in media:
        raise Unbuildable(f"a body of {media} cannot be made without an example")
    return sent_as, shown


def _is_json(media: str) -> bool:
    kind = media.split(";")[0].strip()
    return kind == _JSON or kind.endswith("+json")


def _preference(media: str) -> tuple[int, str]:
    order = (_JSON, _FORM, _MULTIPART, "*/*", "text/plain", "application/octet-stream")
    kind = media.split(";")[0].strip()
    return (order.index(kind) if kind in order else 1 if kind.endswith("+json") else len(order)), media


def render(blueprint: Blueprint, identifiers: Identifiers) -> Sendable:
    """Return the request with the identifiers of one backend in it."""
    operation = blueprint.operation

    def segment(match: re.Match[str]) -> str:
        known = identifiers.of_path(operation, match[1])
        return quote(_text(blueprint.values.get(match[1], "1") if known is None else known), safe="")

    target = quote(PARAMETER.sub(segment, blueprint.path), safe="/%:@!$&'()*+,;=~-._")
    pairs = [(name, _text(_known(identifiers, operation, name, value))) for name, value in blueprint.query]
    if pairs:
        target += "?" + urlencode(pairs)
    headers = dict(blueprint.headers)
    if blueprint.media is None:
        return Sendable(operation.method, target, headers, None)
    body, media = _with_identifiers(blueprint.body, identifiers, operation), blueprint.media
    if _is_json(media):
        text = json.dumps(body, separators=(",", ":"))
    elif media.startswith(_FORM) and isinstance(body, Mapping):
        text = urlencode([(key, _text(item)) for key, value in body.items() for item in _items(value)])
    elif media.startswith(_MULTIPART) and isinstance(body, Mapping):
        text, media = _multipart(body), f"{_MULTIPART}; boundary={_BOUNDARY}"
    else:
        text = str(body)
    return Sendable(operation.method, target, {**headers, "Content-Type": media}, text)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _multipart(body: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for key, value in body.items():
        for item in _items(value):
            file = '; filename="text.txt"\r\nContent-Type: text/plain' if isinstance(item, FileText) else ""
            lines += [f"--{_BOUNDARY}", f'Content-Disposition: form-data; name="{key}"{file}', "", _text(item)]
    return "\r\n".join([*lines, f"--{_BOUNDARY}--", ""])


def _known(identifiers: Identifiers, operation: Operation, name: str, value: Any) -> Any:
    known = identifiers.of_field(operation, name)
    return value if known is None else known


def _with_identifiers(value: Any, identifiers: Identifiers, operation: Operation) -> Any:
    if isinstance(value, Mapping):
        filled = {}
        for key, item in value.items():
            if isinstance(item, list) and item and all(isinstance(one, str | int) for one in item):
                known = identifiers.of_field(operation, str(key).removesuffix("s"))
                filled[key] = item if known is None else [known]
            elif isinstance(item, str | int) and not isinstance(item, bool):
                filled[key] = _known(identifiers, operation, str(key), item)
            else:
                filled[key] = _with_identifiers(item, identifiers, operation)
        return filled
    if isinstance(value, list):
        return [_with_identifiers(item, identifiers, operation) for item in value]
    return value


def redraw(document: Document, operation: Operation, recorded: RecordedRequest) -> Blueprint | None:
    """Return the blueprint of a request that an earlier phase had sent, or None when its path is no longer that.

    The path's values are kept for where this backend knows no better ones.
    """
    path = document.base_path + operation.path
    target, _, query = recorded.path.partition("?")
    names = PARAMETER.findall(path)
    match = re.fullmatch(re.sub(r"\\\{[^{}/]+?\\\}", "([^/]+)", re.escape(path)), target)
    if match is None:
        return None
    headers = dict(recorded.headers)
    media = next((headers.pop(name) for name in list(headers) if name.lower() == "content-type"), None)
    body: Any = recorded.body
    if body is None:
        media = None
    elif media is not None:
        if _is_json(media):
            body = json.loads(body)
        elif media.startswith(_FORM):
            body = dict(parse_qsl(body, keep_blank_values=True))
    values = dict(zip(names, map(unquote, match.groups()), strict=True))
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return Blueprint(operation, path, values, pairs, headers, media, body)
