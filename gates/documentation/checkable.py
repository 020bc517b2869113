"""The schemas of a document as JSON Schema, by which values can be checked: what OpenAPI adds is written out.

`nullable` becomes a type, `readOnly` and `writeOnly` properties are not required (an example is one of a request or of
an answer, and a schema is often used for both), and `type: file` allows anything. All schemas that are needed are
compiled together, so that what they share is compiled once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from gates.document import Document, DocumentError

if TYPE_CHECKING:
    from jsonschema_rs import Registry, ValidationError, Validator

_URI = "urn:gates:document"
_REGEX_MEMORY = 50_000_000
_MOST_COMPILED = 100
"""So often schemas are compiled in smaller groups, to tell those that cannot be from the others."""
_WRAPPED = "x-gates-nullable"
_BASES = ("$id", "id", "$anchor", "$dynamicAnchor", "$schema")
"""What gives a schema a name or rules of its own in JSON Schema; references by such a name are told, not followed."""


class Unusable(Exception):
    """A schema that no validator can be made of; the text says why."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Schemas that were compiled together, each as the property of an object, by its pointer; or why they were not."""

    made: Validator | None
    names: Mapping[str, str]
    problem: str = ""


class Checkable:
    """Checks values by schemas of one document, which are named by their JSON pointers."""

    def __init__(self, document: Document, pointers: Iterable[str]) -> None:
        self._draft4 = document.version.startswith(("2.", "3.0"))
        self._left = _MOST_COMPILED
        self._groups: dict[str, _Group] = {}
        wanted = list(dict.fromkeys(pointers))
        if wanted:
            self._content = _written_out(document)
            self._compile(wanted, self._registry())

    def errors(self, pointer: str, value: Any, most: int) -> list[ValidationError]:
        """Return the first errors of a value by the schema at a pointer; raises Unusable, ValueError for a value."""
        group = self._group(pointer)
        assert group.made is not None
        return list(islice(group.made.iter_errors({group.names[pointer]: value}), most))

    def is_valid(self, pointer: str, value: Any) -> bool:
        """Return whether a value is valid by the schema at a pointer; raises Unusable, ValueError for a value."""
        return not self.errors(pointer, value, 1)

    def _group(self, pointer: str) -> _Group:
        group = self._groups[pointer]
        if group.made is None:
            raise Unusable(group.problem)
        return group

    def _compile(self, pointers: Sequence[str], registry: Registry) -> None:
        """Compile schemas together; where that fails, halves of them, so that one does not spoil the others."""
        import jsonschema_rs

        names = {pointer: f"e{number}" for number, pointer in enumerate(pointers)}
        references = {name: {"$ref": _URI + _fragment(self._moved(pointer))} for pointer, name in names.items()}
        kind = jsonschema_rs.Draft4Validator if self._draft4 else jsonschema_rs.Draft202012Validator
        self._left -= 1
        try:
            made = kind(
                {"properties": references}, registry=registry, offline=True, validate_formats=True, mask="it",
                pattern_options=_regex_options(),
            )  # fmt: skip
            self._groups |= dict.fromkeys(pointers, _Group(made, names))
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            if len(pointers) == 1 or self._left <= 0:
                message = str(getattr(error, "message", "") or error).splitlines()[0][:240]
                self._groups |= dict.fromkeys(pointers, _Group(None, names, message))
                return
            half = len(pointers) // 2
            self._compile(pointers[:half], registry)
            self._compile(pointers[half:], registry)

    def _registry(self) -> Registry:
        import jsonschema_rs

        draft = jsonschema_rs.Draft4 if self._draft4 else jsonschema_rs.Draft202012
        return jsonschema_rs.Registry([(_URI, self._content)], draft=draft)

    def _moved(self, pointer: str) -> str:
        return moved(self._content, pointer)


def moved(content: Any, pointer: str) -> str:
    """Return where a place of the document is in what was written out: inside of what may be null, it is deeper."""
    node, path = content, ""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and node.get(_WRAPPED) is True:
            node, path = node["anyOf"][0], f"{path}/anyOf/0"
        if isinstance(node, Mapping):
            node = node.get(key)
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        path = f"{path}/{part}"
    return path


def _fragment(pointer: str) -> str:
    return "#" + quote(pointer, safe="/~")


def _regex_options() -> Any:
    import jsonschema_rs

    return jsonschema_rs.FancyRegexOptions(size_limit=_REGEX_MEMORY)


@functools.lru_cache(maxsize=4096)
def pattern_problem(pattern: str) -> str:
    """Return why a pattern cannot be used; empty where it can."""
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_regex_options(), offline=True)
    except ValueError as error:
        return str(getattr(error, "message", "") or error).splitlines()[0][:240]
    return ""


def _written_out(document: Document) -> Any:
    """Return the document with its schemas in plain JSON Schema; what is shared by YAML aliases stays shared."""
    made: dict[int, Any] = {}
    waiting: list[tuple[Any, bool]] = [(document.content, False)]
    references: list[dict[str, Any]] = []
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
            if isinstance(plain.get("$ref"), str):
                references.append(plain)
            made[id(node)] = _as_json_schema(plain, document)
    content = made[id(document.content)]
    for reference in references:
        _follow(reference, document, content)
    return content


def _follow(reference: dict[str, Any], document: Document, content: Any) -> None:
    """Let a reference lead to where its target was written to; one to nothing allows anything: it is told as that."""
    try:
        document.resolve({"$ref": reference["$ref"]})
    except DocumentError:
        del reference["$ref"]
        return
    reference["$ref"] = _fragment(moved(content, unquote(reference["$ref"][1:])))


def _as_json_schema(node: dict[str, Any], document: Document) -> dict[str, Any]:
    """Return an object of the document changed where it is a schema that says what JSON Schema says otherwise."""
    if isinstance(node.get("required"), list) and isinstance(node.get("properties"), Mapping):
        properties = node["properties"]
        node["required"] = [name for name in node["required"] if not _one_way(properties, name, document)]
        if not node["required"]:
            del node["required"]  # JSON Schema draft 4 wants one at least
    if node.get("type") == "file":
        del node["type"]
    if isinstance(node.get("pattern"), str) and pattern_problem(node["pattern"]):
        del node["pattern"]
    if any(isinstance(node.get(key), str) for key in _BASES):
        node = {key: value for key, value in node.items() if key not in _BASES}
    if not document.version.startswith(("2.", "3.0")):
        return node
    return _nullable(node) if node.get("nullable") is True or node.get("x-nullable") is True else node


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("enum"), list) and None not in node["enum"]:
        node["enum"] = [*node["enum"], None]
    if isinstance(node.get("type"), str) and not any(key in node for key in ("allOf", "anyOf", "oneOf", "not")):
        node["type"] = [node["type"], "null"]
        return node
    # Strictly it has no effect without a type; everybody who writes it beside a reference means it.
    return {"anyOf": [node, {"type": "null"}], _WRAPPED: True}


def _one_way(properties: Mapping[str, Any], name: Any, document: Document) -> bool:
    if not isinstance(name, str):
        return False
    schema = properties.get(name)
    if isinstance(schema, Mapping) and schema.get(_WRAPPED) is True:
        schema = schema["anyOf"][0]
    try:
        schema = document.resolve(schema) if isinstance(schema, Mapping) and "readOnly" not in schema else schema
    except DocumentError:
        return False
    return isinstance(schema, Mapping) and (schema.get("readOnly") is True or schema.get("writeOnly") is True)
