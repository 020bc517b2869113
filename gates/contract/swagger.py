"""Swagger 2.0 read as OpenAPI 3.0, so that whatever looks at a document has to know one form only.

Pure and linear: nothing of the given document is changed, and what many operations share is converted once and stays
shared. What has no counterpart in 3.0 (lists separated by tabs) keeps a name of its own, so that its change is seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gates.document import METHODS, Document, DocumentError, document_of

_VERSION = "3.0.3"
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_MAX_MEDIA = 100
_OF_THE_ROOT = frozenset(
    ("swagger", "host", "basePath", "schemes", "consumes", "produces", "paths", "definitions", "parameters",
     "responses", "securityDefinitions")
)  # fmt: skip
_OF_AN_OPERATION = frozenset(("consumes", "produces", "schemes", "parameters", "responses"))
_OF_A_PARAMETER = frozenset(("name", "in", "description", "required", "allowEmptyValue", "deprecated"))
_OF_A_HEADER = frozenset(("description",))
_STYLES = {"ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited"}
_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}


def as_openapi3(document: Document) -> Document:
    """Return a Swagger 2.0 document as OpenAPI 3.0; pointers then go into the converted one. Others come back as is.

    Raises DocumentError when `consumes` or `produces` names more media types than any backend has.
    """
    if not document.version.startswith("2."):
        return document
    return replace(document_of(_Conversion(document).converted()), base_path=document.base_path)


@dataclass(slots=True)
class _Sent:
    """What a list of parameters sends: in path, query and header; as the body, with the reference to it; in a form."""

    parameters: list[Any] = field(default_factory=list)
    body: tuple[str | None, Mapping[str, Any]] | None = None
    form: dict[str, Mapping[str, Any]] = field(default_factory=dict)


class _Names:
    """Names for components that Swagger has no place for, made of where they stand and unlike any that is taken."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._given: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def known(self, key: str) -> bool:
        return key in self._given

    def of(self, key: str) -> str:
        if key not in self._given:
            wanted = name = re.sub(r"[^A-Za-z0-9_-]+", ".", key).strip(".")
            while name in self._taken:
                self._numbers[wanted] = self._numbers.get(wanted, 1) + 1
                name = f"{wanted}.{self._numbers[wanted]}"
            self._taken.add(name)
            self._given[key] = name
        return self._given[key]


class _Conversion:
    """One document on its way; keeps what was made of shared parts, and which schemas have to become components."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._content = document.content
        self._schemas: dict[str, Any] = {}
        self._responses: dict[str, Any] = {}
        self._schema_names = _Names(_object(self._content.get("definitions")))
        self._response_names = _Names(_object(self._content.get("responses")))
        self._pending: list[tuple[str, Any]] = []
        self._made: dict[tuple[str, int, tuple[str, ...]], Any] = {}
        self._consumes = _media(self._content, "consumes")
        self._produces = _media(self._content, "produces")

    def converted(self) -> dict[str, Any]:
        content = {key: value for key, value in self._content.items() if key not in _OF_THE_ROOT}
        content["openapi"] = _VERSION
        content["servers"] = self._servers(self._content.get("schemes"))
        for name, schema in _object(self._content.get("definitions")).items():
            self._schemas[name] = self._schema(schema)
        content["paths"] = {
            path: self._path_item(item)
            for path, item in _object(self._content.get("paths")).items()
            if isinstance(item, Mapping)
        }
        content["components"] = self._components()
        return content

    def _components(self) -> dict[str, Any]:
        parameters = {}
        for name, raw in _object(self._content.get("parameters")).items():
            parameter = self._resolved(raw)
            if isinstance(parameter, Mapping) and parameter.get("in") not in ("body", "formData"):
                parameters[name] = self._parameter(parameter)
        for name in _object(self._content.get("responses")):
            self._shared_response(f"#/responses/{_escaped(name)}", self._produces)
        while self._pending:
            # Not where they are met: a chain of such references may be longer than Python's stack.
            name, target = self._pending.pop()
            self._schemas[name] = self._schema(target)
        given = _object(self._content.get("securityDefinitions"))
        schemes = {name: _security_scheme(scheme) for name, scheme in given.items() if isinstance(scheme, Mapping)}
        return {
            "schemas": self._schemas,
            "responses": self._responses,
            "parameters": parameters,
            "securitySchemes": schemes,
        }

    def _servers(self, schemes: Any) -> list[dict[str, str]]:
        base, host = self._content.get("basePath"), self._content.get("host")
        path = "/" + base.strip("/") if isinstance(base, str) and base.strip("/") else ""
        if not isinstance(host, str) or not host:
            return [{"url": path or "/"}]
        return [{"url": f"{scheme}://{host}{path}"} for scheme in _texts(schemes)] or [{"url": f"//{host}{path}"}]

    def _path_item(self, item: Mapping[str, Any]) -> Any:
        reference = item.get("$ref")
        if isinstance(reference, str):
            target = None if reference.startswith("#/paths/") else self._resolved(item)
            if not isinstance(target, Mapping):
                return item
            return self._once("item", target, (), lambda: self._path_item(target))
        shared = self._sent(item.get("parameters"))
        made = {key: value for key, value in item.items() if key not in METHODS and key != "parameters"}
        if shared.parameters:
            made["parameters"] = shared.parameters
        for method in METHODS:
            if isinstance(item.get(method), Mapping):
                made[method] = self._operation(item[method], shared)
        return made

    def _operation(self, definition: Mapping[str, Any], shared: _Sent) -> dict[str, Any]:
        made = {key: value for key, value in definition.items() if key not in _OF_AN_OPERATION}
        own = self._sent(definition.get("parameters"))
        if own.parameters:
            made["parameters"] = own.parameters
        consumes = _media(definition, "consumes", self._consumes)
        body = own.body or (None if own.form else shared.body)
        form = {**shared.form, **own.form}
        if body is not None:
            made["requestBody"] = self._body(*body, consumes)
        elif form:
            made["requestBody"] = self._form(form, consumes)
        produces = _media(definition, "produces", self._produces)
        made["responses"] = {
            status: self._response_or_reference(response, produces) if isinstance(response, Mapping) else response
            for status, response in _object(definition.get("responses")).items()
        }
        if _texts(definition.get("schemes")):
            made["servers"] = self._servers(definition["schemes"])
        return made

    def _sent(self, listed: Any) -> _Sent:
        sent = _Sent()
        for raw in listed if isinstance(listed, list) else ():
            parameter = self._resolved(raw)
            reference = raw.get("$ref") if isinstance(raw, Mapping) else None
            if not isinstance(parameter, Mapping):
                if isinstance(reference, str):
                    sent.parameters.append({"$ref": reference})  # it leads nowhere, there as here
            elif parameter.get("in") == "body":
                sent.body = (reference, parameter)
            elif parameter.get("in") == "formData":
                sent.form[str(parameter.get("name"))] = parameter
            elif isinstance(reference, str) and reference.startswith("#/parameters/"):
                sent.parameters.append({"$ref": f"#/components{reference[1:]}"})
            else:
                sent.parameters.append(self._parameter(parameter))
        return sent

    def _parameter(self, parameter: Mapping[str, Any]) -> Any:
        def make() -> dict[str, Any]:
            made = {key: value for key, value in parameter.items() if key in _OF_A_PARAMETER or _extends(key)}
            return made | {"schema": self._simple(parameter, _OF_A_PARAMETER)} | _separation(parameter)

        return self._once("parameter", parameter, (), make)

    def _simple(self, node: Mapping[str, Any], but: Collection[str]) -> Any:
        """Return the schema that Swagger spreads over a parameter or a header itself."""
        if isinstance(node.get("schema"), Mapping):
            return self._schema(node["schema"])
        left = {"collectionFormat", *but}
        return self._schema({key: value for key, value in node.items() if key not in left and not _extends(key)})

    def _body(self, reference: str | None, parameter: Mapping[str, Any], consumes: tuple[str, ...]) -> dict[str, Any]:
        schema = parameter.get("schema")
        if reference is not None and isinstance(schema, Mapping) and "$ref" not in schema:
            # What several operations share stays one thing, so that a change of it is one change.
            converted: Any = {"$ref": self._hoisted(f"{reference}/schema", schema)}
        else:
            converted = self._schema(schema)
        media = [one for one in consumes if one not in (_URLENCODED, _MULTIPART)] or consumes or ("application/json",)
        made = {key: value for key, value in parameter.items() if key in ("description", "required") or _extends(key)}
        described = {} if converted is None else {"schema": converted}
        return made | {"content": {one: dict(described) for one in media}}

    def _form(self, form: Mapping[str, Mapping[str, Any]], consumes: tuple[str, ...]) -> dict[str, Any]:
        files = any(parameter.get("type") == "file" for parameter in form.values())
        media = [one for one in consumes if one in (_URLENCODED, _MULTIPART)] or [_MULTIPART if files else _URLENCODED]
        required = [name for name, parameter in form.items() if parameter.get("required") is True]
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: self._field(parameter) for name, parameter in form.items()},
        }
        if required:
            schema["required"] = required
        separated = {name: _separation(parameter) for name, parameter in form.items()}
        encoding = {name: how for name, how in separated.items() if how and not how["explode"]}
        content = {"schema": schema} | ({"encoding": encoding} if encoding else {})
        return {"required": bool(required), "content": {one: dict(content) for one in media}}

    def _field(self, parameter: Mapping[str, Any]) -> Any:
        but = _OF_A_PARAMETER - {"description"}
        return self._once("field", parameter, (), lambda: self._simple(parameter, but))

    def _response_or_reference(self, raw: Mapping[str, Any], produces: tuple[str, ...]) -> Any:
        reference = raw.get("$ref")
        if not isinstance(reference, str):
            return self._response(raw, produces)
        if reference.startswith("#/responses/"):
            return {"$ref": self._shared_response(reference, produces)}
        response = self._resolved(raw)
        if not isinstance(response, Mapping):
            return {"$ref": reference}
        return self._once("response", response, produces, lambda: self._response(response, produces))

    def _shared_response(self, reference: str, produces: tuple[str, ...]) -> str:
        """Return the reference to a shared response for the media types of an operation."""
        response = self._resolved({"$ref": reference})
        name = _unescaped(reference.removeprefix("#/responses/"))
        if not isinstance(response, Mapping) or name not in _object(self._content.get("responses")):
            return reference
        if produces != self._produces and response.get("schema") is not None:
            name = self._response_names.of(".".join((name, *produces)))
        if name not in self._responses:
            self._responses[name] = self._response(response, produces)
        return f"#/components/responses/{_escaped(name)}"

    def _response(self, response: Mapping[str, Any], produces: tuple[str, ...]) -> dict[str, Any]:
        made = {key: value for key, value in response.items() if key == "description" or _extends(key)}
        if response.get("schema") is not None:
            schema = self._schema(response["schema"])
            file = _object(response["schema"]).get("type") == "file"
            examples = _object(response.get("examples"))
            media = produces or ("application/octet-stream" if file else "application/json",)
            made["content"] = {
                one: {"schema": schema} | ({"example": examples[one]} if one in examples else {}) for one in media
            }
        headers = {name: one for name, one in _object(response.get("headers")).items() if isinstance(one, Mapping)}
        if headers:
            made["headers"] = {
                name: {key: value for key, value in header.items() if key in _OF_A_HEADER or _extends(key)}
                | {"schema": self._simple(header, _OF_A_HEADER)}
                for name, header in headers.items()
            }
        return made

    def _schema(self, node: Any) -> Any:
        if not isinstance(node, Mapping):
            return node
        if isinstance(node.get("$ref"), str):
            return {"$ref": self._reference(node["$ref"])}
        made = {key: self._keyword(key, value) for key, value in node.items() if key != "x-nullable"}
        types = made.get("type")
        if types == "file":
            made |= {"type": "string", "format": "binary"}
        elif isinstance(types, list) and len(types) == 2 and "null" in types:
            made |= {"type": next((one for one in types if one != "null"), "null"), "nullable": True}
        if node.get("x-nullable") is True:
            made["nullable"] = True
        return made

    def _keyword(self, key: str, value: Any) -> Any:
        if key in ("properties", "patternProperties") and isinstance(value, Mapping):
            return {name: self._schema(one) for name, one in value.items()}
        if key in ("allOf", "anyOf", "oneOf", "items") and isinstance(value, list):
            return [self._schema(one) for one in value]
        if key in ("items", "additionalProperties", "not"):
            return self._schema(value)
        if key == "discriminator" and isinstance(value, str):
            return {"propertyName": value}
        return value

    def _reference(self, reference: str) -> str:
        if reference.startswith("#/definitions/"):
            return f"#/components/schemas/{reference.removeprefix('#/definitions/')}"
        if not self._schema_names.known(reference):
            target = self._resolved({"$ref": reference})
            if target is None:
                return reference
            return self._hoisted(reference, target)
        return f"#/components/schemas/{self._schema_names.of(reference)}"

    def _hoisted(self, reference: str, target: Any) -> str:
        """Return the reference to a component that is made of a schema which stands elsewhere."""
        known = self._schema_names.known(reference)
        name = self._schema_names.of(reference)
        if not known:
            self._pending.append((name, target))
        return f"#/components/schemas/{name}"

    def _resolved(self, node: Any) -> Any:
        try:
            return self._document.resolve(node)
        except DocumentError:
            return None

    def _once(self, kind: str, node: Mapping[str, Any], media: tuple[str, ...], make: Any) -> Any:
        key = (kind, id(node), media)
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def _object(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}


def _texts(node: Any) -> list[str]:
    return [one for one in node if isinstance(one, str)] if isinstance(node, list) else []


def _extends(key: str) -> bool:
    return key.startswith("x-") and key != "x-nullable"


def _media(node: Mapping[str, Any], key: str, otherwise: tuple[str, ...] = ()) -> tuple[str, ...]:
    if not isinstance(node.get(key), list):
        return otherwise
    media = tuple(dict.fromkeys(_texts(node[key])))
    if len(media) > _MAX_MEDIA:
        raise DocumentError(f"`{key}` of the document names more than {_MAX_MEDIA} media types")
    return media


def _separation(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the values of a list are told apart, in the words of OpenAPI 3."""
    if parameter.get("type") != "array":
        return {}
    way = parameter.get("collectionFormat")
    if way == "multi":
        return {"style": "form", "explode": True}
    if isinstance(way, str) and way in _STYLES:
        return {"style": _STYLES[way], "explode": False}
    return {"style": "form", "explode": False} if parameter.get("in") in ("query", "formData") else {}


def _security_scheme(scheme: Mapping[str, Any]) -> dict[str, Any]:
    kind = scheme.get("type")
    if kind == "basic":
        rest = {key: value for key, value in scheme.items() if key != "type"}
        return {"type": "http", "scheme": "basic", **rest}
    if kind != "oauth2":
        return dict(scheme)
    moved = ("flow", "authorizationUrl", "tokenUrl", "scopes")
    rest = {key: value for key, value in scheme.items() if key not in moved}
    flow = {key: scheme[key] for key in moved[1:] if key in scheme}
    name = scheme.get("flow")
    return {**rest, "flows": {_FLOWS.get(name, name) if isinstance(name, str) else "": {"scopes": {}, **flow}}}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")
