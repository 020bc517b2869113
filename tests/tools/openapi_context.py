"""A context for tests of the openapi tool: a project in a folder, a document that is served, and earlier phases."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from gates.document import parse_document
from gates.results import GateResult, Readings, Run, Severity, Verdict
from gates.tools.base import Context, Serving

ORDERS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1.0.0"},
    "paths": {
        "/api/v1/orders": {
            "get": {
                "summary": "Every order",
                "operationId": "listOrders",
                "parameters": [{"name": "limit", "in": "query", "description": "How many.", "schema": {
                    "type": "integer", "minimum": 1, "maximum": 100}}],
                "responses": {
                    "200": {"description": "They.", "content": {"application/json": {
                        "schema": {"type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/Order"}},
                        "example": [{"id": 1}]}}},
                    "422": {"description": "The limit is wrong."},
                },
            }
        },
        "/api/v1/orders/{id}": {
            "get": {
                "summary": "One order",
                "operationId": "readOrder",
                "parameters": [{"name": "id", "in": "path", "required": True, "description": "Its number.",
                                "schema": {"type": "integer", "minimum": 1}}],
                "responses": {
                    "200": {"description": "It.", "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Order"}, "example": {"id": 1}}}},
                    "404": {"description": "There is none."},
                },
            }
        },
    },
    "components": {"schemas": {"Order": {
        "type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "description": "Its number."}}
    }}},
}  # fmt: skip


def orders() -> dict[str, Any]:
    """Return the document, to be changed."""
    return json.loads(json.dumps(ORDERS))  # type: ignore[no-any-return]


class ServedDocument:
    """What the tool knows of a backend that is up: its document."""

    def __init__(self, content: Mapping[str, Any] | None) -> None:
        self.document = None if content is None else parse_document(json.dumps(content))
        self.document_error = "GET /openapi.json answered 404"


def signed_run(phase: str, **documents: Mapping[str, Any] | None) -> Run:
    """Return the run of a phase; each gate (by its tool) kept a document, or none."""
    gates = tuple(
        GateResult(
            tool, tool, Verdict.PASS, 1.0,
            readings=Readings(documents={} if content is None else {"openapi": json.dumps(content)}),
        )
        for tool, content in documents.items()
    )  # fmt: skip
    return Run(
        phase, "orders", phase, "c0ffee", False, "2026-11-24T10:00:00Z", 1.0, {}, {}, "{}", "", Verdict.PASS, 0,
        gates=gates,
    )  # fmt: skip


def openapi_context(
    root: Path,
    served: Mapping[str, Any] | None = None,
    *,
    openapi: str | None = "/openapi.json",
    signed: Mapping[str, Run] | None = None,
    base_commit: str | None = None,
) -> Context:
    """Return the context of a gate in a project; a document that is None is not served."""
    directory = root / ".gates" / "contract"
    directory.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def serve(*, cpus: frozenset[int] | None = None) -> Iterator[Serving]:
        assert openapi is None or openapi.startswith("/"), "a file is read without the backend"
        yield cast(Serving, ServedDocument(served))

    return Context(
        root=root, source=("orders",), python="python", env={}, directory=directory, gate="contract", serve=serve,
        classify=lambda name, definition: "simple", openapi=openapi, signed=signed or {}, base_commit=base_commit,
    )  # fmt: skip


def told(readings: Readings, *severities: Severity) -> list[str]:
    """Return the rules of what was found, of some severities only where they are named."""
    return [one.rule for one in readings.findings if not severities or one.severity in severities]
