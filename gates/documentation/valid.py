"""Is the document what OpenAPI says a document is? By the official schemas, and every reference points to something.

The schemas are those that Schemathesis ships; nothing is fetched. In OpenAPI 3.1 and later its schemas are held against
JSON Schema 2020-12 as well, which the official schema leaves to others.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gates.document import Document, DocumentError
from gates.documentation.places import Place, escape, operation_at, places
from gates.documentation.rules import finding
from gates.results import Finding

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

_MOST = 500
"""So many violations are told; who has more repairs the first ones first."""
_HERE = "what stands there"
_LONGEST = 240
_JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def check_valid(document: Document) -> list[Finding]:
    """Return what breaks the schema of the document's version, each with its pointer, and references to nothing."""
    return [*_violations(document), *_references(document)]


def family(document: Document) -> str:
    """Return the version without what makes no difference to its schema: `2.0`, `3.0`, `3.1`."""
    return ".".join(document.version.split(".")[:2])


def _violations(document: Document) -> Iterator[Finding]:
    validator = _validator(family(document))
    if validator is None:
        text = f"OpenAPI {document.version[:40]} has no schema here: 2.0, 3.0, 3.1 and 3.2 can be checked"
        yield finding("doc.invalid", text, "/openapi", identity=("version",))
        return
    seen: set[tuple[str, str]] = set()
    found = (_most_telling(error) for error in validator.iter_errors(document.content))
    for error in itertools.islice(found, _MOST):
        pointer = "".join(f"/{escape(str(part))}" for part in error.instance_path)
        sentence = _sentence(error)
        if (pointer, sentence) not in seen:
            seen.add((pointer, sentence))
            where = pointer or "the document"
            text = f"not valid OpenAPI {document.version}: {where}: {sentence}"
            names = error.kind.as_dict()
            detail = str(names.get("property") or names.get("unexpected") or "")
            identity = (pointer, error.kind.name, detail)
            yield finding("doc.invalid", text, pointer, operation_at(pointer), identity=identity)


@functools.cache
def _validator(version: str) -> Validator | None:
    """Return the validator of a version of OpenAPI; None for one that is not known here."""
    import jsonschema_rs
    from schemathesis.specs.openapi import definitions

    options: dict[str, Any] = {"mask": _HERE, "offline": True, "validate_formats": False}
    if version == "2.0":
        return jsonschema_rs.Draft4Validator(definitions.SWAGGER_20, **options)
    if version == "3.0":
        return jsonschema_rs.Draft4Validator(definitions.OPENAPI_30, **options)
    schemas: dict[str, dict[str, Any]] = {"3.1": definitions.OPENAPI_31, "3.2": definitions.OPENAPI_32}
    if version not in schemas:
        return None
    whole = schemas[version]
    # Every schema of the document is one of JSON Schema, down to the innermost: "#meta" is what its parts refer to.
    schema = {"$dynamicAnchor": "meta", "$ref": _JSON_SCHEMA}
    return jsonschema_rs.Draft202012Validator({**whole, "$defs": {**whole["$defs"], "schema": schema}}, **options)


def _most_telling(error: ValidationError) -> ValidationError:
    """Return the error inside that says what is wrong, where one says only that none of several forms fits."""
    while branches := _branches(error):
        error = max(max(branches, key=_telling), key=lambda inner: len(inner.instance_path))
    return error


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    return [list(branch) for branch in getattr(error.kind, "context", ()) if branch]


def _telling(branch: Iterable[ValidationError]) -> tuple[bool, bool, int, int]:
    # Whoever wrote no $ref meant no reference, and whoever wrote `in: path` no query parameter; of the rest the form
    # that fits furthest is the one that was meant.
    errors = list(branch)
    is_reference = any(one.kind.name == "required" and '"$ref"' in one.message for one in errors)
    is_another = any(one.kind.name == "const" or len(one.kind.as_dict().get("options", ())) == 1 for one in errors)
    return not is_reference, not is_another, max(len(one.instance_path) for one in errors), -len(errors)


def _sentence(error: ValidationError) -> str:
    kind = error.kind.as_dict()
    names: Sequence[str] = kind.get("unexpected") or ()
    if names and all(isinstance(name, str) for name in names):
        shown = ", ".join(f"`{name}`" for name in names[:5]) + (" and more" if len(names) > 5 else "")
        return f"{shown} {'is' if len(names) == 1 else 'are'} no field of it"
    if error.kind.name == "required":
        return f"`{kind['property']}` is missing"
    return error.message if len(error.message) <= _LONGEST else f"{error.message[:_LONGEST]}…"


def _references(document: Document) -> Iterator[Finding]:
    ids, anchors = set[str](), set[str]()
    found: dict[str, list[Place]] = {}
    for place in places(document):
        node = place.node
        if isinstance(node.get("$ref"), str):
            found.setdefault(node["$ref"], []).append(place)
        if place.is_schema:
            ids.update(_texts(node, "$id", "id"))
            anchors.update(_texts(node, "$anchor", "$dynamicAnchor"))
    for reference, users in found.items():
        if reference.partition("#")[0] in ids or (reference[:1] == "#" and reference[1:] in anchors):
            continue
        if (problem := _problem(document, reference)) is not None:
            more = f" (and in {len(users) - 1} other places)" if len(users) > 1 else ""
            text = f"{users[0].pointer or 'the document'}: {problem}{more}"
            pointer = users[0].pointer
            yield finding("doc.unresolved-reference", text, pointer, operation_at(pointer), identity=(reference,))


def _texts(node: Mapping[str, Any], *keys: str) -> Iterator[str]:
    return (node[key] for key in keys if isinstance(node.get(key), str))


def _problem(document: Document, reference: str) -> str | None:
    try:
        document.resolve({"$ref": reference})
    except DocumentError as error:
        return error.message
    return None
