"""The realistic document, and how the tests of the contract get at its parts and at its differences."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gates.contract import compare_documents
from gates.document import document_of, parse_document
from gates.results import Severity

Json = Any
BREAKS = (Severity.HIGH, Severity.MEDIUM)
REALISTIC = Path(__file__).parent / "realistic.yaml"
_CONTENT = parse_document(REALISTIC.read_bytes()).content


def realistic() -> Json:
    """Return the content of the realistic document, to be changed as one likes."""
    return copy.deepcopy(_CONTENT)


def changed(apply: Callable[[Json], None]) -> Json:
    """Return the realistic document after one change."""
    content = realistic()
    apply(content)
    return content


def differences(old: Json, new: Json) -> tuple[Any, ...]:
    """Return all changes between two contents."""
    return tuple(compare_documents(document_of(old), document_of(new)).changes)


def breaks(old: Json, new: Json) -> tuple[Any, ...]:
    """Return the changes that break, or may break, somebody who relied on the old content.

    The new one gets a major version of its own: that a break without one is a finding as well is tested apart.
    """
    raised = {**new, "info": {**new["info"], "version": "9.0.0"}} if isinstance(new.get("info"), dict) else new
    return tuple(change for change in differences(old, raised) if change.severity in BREAKS)


def concerned(change: Any) -> set[str]:
    """Return the names of all operations that a change speaks of."""
    return {name for name in (change.operation, *change.operations) if name}


def operation(content: Json, name: str) -> Json:
    """Return an operation by its name, such as `GET /v1/orders`."""
    method, path = name.split(" ")
    return content["paths"][path][method.lower()]


def schema(content: Json, name: str) -> Json:
    """Return a schema of the components."""
    return content["components"]["schemas"][name]


def parameter(content: Json, name: str, of: str) -> Json:
    """Return a parameter of an operation or of a path, by its name."""
    listed = (operation(content, of) if " " in of else content["paths"][of])["parameters"]
    return next(one for one in listed if one.get("name") == name)


def answer(content: Json, name: str, status: str, media: str = "application/json") -> Json:
    """Return the schema of an answer."""
    return operation(content, name)["responses"][status]["content"][media]["schema"]


def sent(content: Json, name: str, media: str = "application/json") -> Json:
    """Return the schema of a request body."""
    return operation(content, name)["requestBody"]["content"][media]["schema"]


def nodes(node: Json) -> Iterator[dict[str, Json]]:
    """Yield every object in a content, the outer ones first."""
    pending = [node]
    while pending:
        at = pending.pop()
        if isinstance(at, dict):
            yield at
        pending += reversed(list(at.values()) if isinstance(at, dict) else at if isinstance(at, list) else [])


def renamed(content: Json, kind: str, old: str, new: str) -> None:
    """Give a component another name, and everything that refers to it."""
    part = content["components"][kind]
    content["components"][kind] = {new if name == old else name: one for name, one in part.items()}
    before, after = f"#/components/{kind}/{old}", f"#/components/{kind}/{new}"
    for node in nodes(content):
        for key, value in node.items():
            if isinstance(value, str) and value == before:
                node[key] = after


def reordered(node: Json) -> Json:
    """Return the same content with the keys of every object in another order."""
    if isinstance(node, dict):
        return {key: reordered(node[key]) for key in sorted(node, reverse=True)}
    if isinstance(node, list):
        return [reordered(one) for one in node]
    return node
