"""The served document equals the committed one by what both say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from described_documents import changed, only, openapi

from gates.document import parse_document
from gates.documentation import check_served

Change = Callable[[dict[str, Any]], Any]
COMMITTED = changed(lambda content: None)


def turned(node: Any) -> Any:
    """Return the same with the keys of every object the other way round."""
    if isinstance(node, dict):
        return {key: turned(node[key]) for key in reversed(list(node))}
    return [turned(child) for child in node] if isinstance(node, list) else node


SAME: list[Change] = [
    lambda d: None,
    lambda d: d.update(servers=[{"url": "http://127.0.0.1:41234"}]),
    lambda d: d["paths"]["/orders"].update(servers=[{"url": "/"}]),
    lambda d: d["components"]["schemas"]["Order"]["required"].reverse(),
]


@pytest.mark.parametrize("change", SAME)
def test_order_and_the_address_of_the_server_make_no_difference(change: Change) -> None:
    served = changed(change)
    assert check_served(served, COMMITTED, "openapi.json") == []
    assert check_served(COMMITTED, served, "openapi.json") == []
    assert check_served(parse_document(json.dumps(turned(served.content))), COMMITTED, "openapi.json") == []


def test_yaml_and_json_say_the_same() -> None:
    yaml = (
        "openapi: 3.1.0\ninfo: {title: a, version: '1'}\npaths:\n  /a:\n    get: {responses: {200: {description: b}}}\n"
    )
    content = {"openapi": "3.1.0", "info": {"title": "a", "version": "1"},
               "paths": {"/a": {"get": {"responses": {"200": {"description": "b"}}}}}}  # fmt: skip
    assert check_served(parse_document(yaml), parse_document(json.dumps(content)), "openapi.yaml") == []


OTHER: list[tuple[Change, str, str]] = [
    (lambda d: d["info"].update(version="2"), "/info/version differs", "/info/version"),
    (lambda d: d["paths"]["/orders"].update(get={"responses": {}}), "GET /orders is not in it",
     "/paths/~1orders/get"),
    (lambda d: d["paths"].update({"/new": {}}), "/new is not in it", "/paths/~1new"),
    (lambda d: d["paths"].pop("/orders"), "/orders is only in it", "/paths/~1orders"),
    (lambda d: d["paths"]["/orders/{id}"]["get"].update(summary="Get it"), "GET /orders/{id} differs",
     "/paths/~1orders~1{id}/get/summary"),
    (lambda d: d["paths"]["/orders"]["post"].update(deprecated=True), "POST /orders differs",
     "/paths/~1orders/post/deprecated"),
    (lambda d: d["components"]["schemas"]["Order"]["properties"]["id"].update(readOnly=1),
     "/components/schemas/Order/properties/id/readOnly differs",
     "/components/schemas/Order/properties/id/readOnly"),
    (lambda d: d["components"]["schemas"]["Order"]["properties"].update(servers={"type": "array"}),
     "/components/schemas/Order/properties/servers is not in it",
     "/components/schemas/Order/properties/servers"),
    (lambda d: d["components"]["schemas"]["Order"]["required"].pop(),
     "/components/schemas/Order/required differs", "/components/schemas/Order/required"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told", "pointer"), OTHER)
def test_the_first_difference_is_named(change: Change, told: str, pointer: str) -> None:
    finding = only(check_served(changed(change), COMMITTED, "openapi.json"), "doc.served-differs")
    assert finding.message == f"openapi.json is not what is served: {told}"
    assert (finding.operation, finding.pointer) == (None, pointer)


def test_of_many_differences_three_are_named() -> None:
    content = openapi()
    content["paths"] |= {f"/a{n}": {} for n in range(7)}
    finding = only(check_served(parse_document(json.dumps(content)), COMMITTED, "api.json"), "doc.served-differs")
    assert finding.message.endswith("/a0 is not in it; /a1 is not in it; /a2 is not in it and 4 more")
