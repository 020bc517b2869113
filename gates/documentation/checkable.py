"""The schemas of a document as JSON Schema, by which values can be checked: what OpenAPI adds is written out.

`nullable` becomes a type, `readOnly` and `writeOnly` properties are not required (an example is one of a request or of
an answer, and a schema is often used for both), and `type: file` allows anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gates.document import Document, DocumentError

if TYPE_CHECKING:
    from jsonschema_rs import Registry, Validator

_URI = "urn:gates:document"
_REGEX_MEMORY = 50_000_000


class Unusable(Exception):
    """A schema that no validator can be made of; the text says why."""


class Checkable:
    """Validators of the schemas of one document, by the pointer of each; a schema is compiled once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._draft4 = document.version.startswith(("2.", "3.0"))
        self._made: dict[str, Validator | Unusable] = {}
        self._known: Registry | None = None

    def validator(self, pointer: str) -> Validator:
        """Return the validator of the schema at a JSON pointer; raises Unusable."""
        if pointer not in self._made:
            self._made[pointer] = self._make(pointer)
        made = self._made[pointer]
        if isinstance(made, Unusable):
            raise made
        return made

    def _make(self, pointer: str) -> Validator | Unusable:
        import jsonschema_rs

        kind = jsonschema_rs.Draft4Validator if self._draft4 else jsonschema_rs.Draft202012Validator
        try:
            return kind(
                {"$ref": f"{_URI}#{_as_fragment(pointer)}"}, registry=self._registry(), offline=True,
                validate_formats=True, mask="it",
                pattern_options=jsonschema_rs.FancyRegexOptions(size_limit=_REGEX_MEMORY),
            )  # fmt: skip
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            message = str(getattr(error, "message", "") or error)
            return Unusable(message.splitlines()[0][:240])

    def _registry(self) -> Registry:
        import jsonschema_rs

        if self._known is None:
            draft = jsonschema_rs.Draft4 if self._draft4 else jsonschema_rs.Draft202012
            self._known = jsonschema_rs.Registry([(_URI, _written_out(self._document))], draft=draft)
        return self._known


def _as_fragment(pointer: str) -> str:
    return quote(pointer, safe="/~")


def _written_out(document: Document) -> Any:
    """Return the document with its schemas in plain JSON Schema; what is shared by YAML aliases stays shared."""
    made: dict[int, Any] = {}
    waiting: list[tuple[Any, bool]] = [(document.content, False)]
    while waiting:
        node, ready = waiting.pop()
        if id(node) in made or not isinstance(node, (dict, list)):
            continue
        inner = list(node.values()) if isinstance(node, dict) else node
        if not ready:
            waiting.append((node, True))
            waiting.extend((child, False) for child in inner)
        elif isinstance(node, list):
            made[id(node)] = [made.get(id(child), child) for child in node]
        else:
            plain = {key: made.get(id(child), child) for key, child in node.items()}
            made[id(node)] = _as_json_schema(plain, document)
    return made[id(document.content)]


def _as_json_schema(node: dict[str, Any], document: Document) -> dict[str, Any]:
    """Return an object of the document changed where it is a schema that says what JSON Schema says otherwise."""
    if isinstance(node.get("required"), list) and isinstance(node.get("properties"), Mapping):
        properties = node["properties"]
        node["required"] = [name for name in node["required"] if not _one_way(properties, name, document)]
        if not node["required"]:
            del node["required"]  # JSON Schema draft 4 wants one at least
    if node.get("type") == "file":
        del node["type"]
    if not document.version.startswith(("2.", "3.0")):
        return node
    if isinstance(node.get("$id"), str) or isinstance(node.get("id"), str):
        # A base for references in JSON Schema, and nothing in OpenAPI 2.0 and 3.0.
        node = {key: value for key, value in node.items() if key not in ("id", "$id")}
    return _nullable(node) if node.get("nullable") is True or node.get("x-nullable") is True else node


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("enum"), list) and None not in node["enum"]:
        node["enum"] = [*node["enum"], None]
    if isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
        composed = any(key in node for key in ("allOf", "anyOf", "oneOf", "not"))
        return {"anyOf": [node, {"type": "null"}]} if composed else node
    # Strictly it has no effect without a type; everybody who writes it beside a reference means it.
    return {"anyOf": [node, {"type": "null"}]}


def _one_way(properties: Mapping[str, Any], name: Any, document: Document) -> bool:
    if not isinstance(name, str):
        return False
    schema = properties.get(name)
    try:
        schema = document.resolve(schema) if isinstance(schema, Mapping) and "readOnly" not in schema else schema
    except DocumentError:
        return False
    return isinstance(schema, Mapping) and (schema.get("readOnly") is True or schema.get("writeOnly") is True)
