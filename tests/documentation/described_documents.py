"""Documents for the tests of documentation: a flawless one of each version, and how to change a part of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from gates.document import Document, parse_document
from gates.results import Finding

_ORDER = {
    "type": "object",
    "required": ["id", "item"],
    "properties": {
        "id": {"type": "integer", "description": "Its number.", "readOnly": True},
        "item": {"type": "string", "description": "What was ordered.", "minLength": 1},
    },
}


def _operations(body: Any, answer: Any, refused: Any) -> dict[str, Any]:
    return {
        "/orders": {
            "post": {
                "operationId": "placeOrder",
                "summary": "Place an order",
                "tags": ["orders"],
                **body,
                "responses": {"201": answer, "422": refused},
            }
        },
        "/orders/{id}": {
            "get": {
                "operationId": "readOrder",
                "summary": "Read an order",
                "tags": ["orders"],
                "parameters": [
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "description": "The number of the order.",
                        **({"schema": {"type": "integer"}} if "requestBody" in body else {"type": "integer"}),
                    }
                ],
                "responses": {"200": answer, "404": refused},
            }
        },
    }


def unshared(content: Any) -> Any:
    """Return a copy in which no two places share an object, so that a change is one of one place."""
    return json.loads(json.dumps(content))


def openapi(version: str = "3.1.0") -> dict[str, Any]:
    """Return a flawless document of OpenAPI 3."""
    shown = {
        "application/json": {"schema": {"$ref": "#/components/schemas/Order"}, "example": {"id": 1, "item": "tea"}}
    }
    return unshared({
        "openapi": version,
        "info": {"title": "Orders", "version": "1.2.0"},
        "paths": _operations(
            {"requestBody": {"content": shown}},
            {"description": "The order.", "content": shown},
            {"description": "It was refused."},
        ),
        "components": {"schemas": {"Order": _ORDER}},
    })  # fmt: skip


def swagger() -> dict[str, Any]:
    """Return the same in Swagger 2.0."""
    reference = {"$ref": "#/definitions/Order"}
    shown = {"application/json": {"id": 1, "item": "tea"}}
    return unshared({
        "swagger": "2.0",
        "info": {"title": "Orders", "version": "1.2.0"},
        "paths": _operations(
            {"parameters": [{"name": "order", "in": "body", "description": "The order.", "schema": reference}]},
            {"description": "The order.", "schema": reference, "examples": shown},
            {"description": "It was refused."},
        ),
        "definitions": {"Order": {**_ORDER, "example": {"id": 1, "item": "tea"}}},
    })  # fmt: skip


def document(content: Any) -> Document:
    """Return content as a document, as it would come from a file."""
    return parse_document(json.dumps(content))


def changed(change: Callable[[dict[str, Any]], Any], version: str = "3.1.0") -> Document:
    """Return a flawless document with one change; Swagger for version 2.0."""
    content = swagger() if version == "2.0" else openapi(version)
    change(content)
    return document(content)


def rules(findings: list[Finding]) -> list[str]:
    """Return the rules of findings, in order."""
    return [finding.rule for finding in findings]


def only(findings: list[Finding], rule: str) -> Finding:
    """Return the one finding of a rule, and that there is no other finding."""
    assert rules(findings) == [rule], findings
    return findings[0]
