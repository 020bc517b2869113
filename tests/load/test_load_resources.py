"""Identifiers are learnt from bodies, Location and links, and used only for what they identify."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gates.document import Document, Operation, parse_document
from gates.load.client import Answer
from gates.load.resources import Resources


def api(*operations: str, links: dict[str, Any] | None = None) -> Document:
    paths: dict[str, dict[str, Any]] = {}
    for name in operations:
        method, path = name.split(" ")
        paths.setdefault(path, {})[method.lower()] = {"operationId": name}
    if links:
        first = operations[0].split(" ")
        paths[first[1]][first[0].lower()]["responses"] = {"201": {"description": "", "links": links}}
    return parse_document(json.dumps({"openapi": "3.1.0", "paths": paths, "servers": [{"url": "/v1"}]}))


def operation(document: Document, name: str) -> Operation:
    return next(one for one in document.operations if one.name == name)


def answer(body: Any = None, status: int = 201, **headers: str) -> Answer:
    head = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
    content = b"" if body is None else json.dumps(body).encode()
    return Answer(status, f"HTTP/1.1 {status} X{head}".encode(), content, len(content))


def learnt(document: Document, name: str, got: Answer, target: str | None = None) -> Resources:
    resources = Resources(document)
    one = operation(document, name)
    resources.learn(one, target or document.base_path + one.path, got)
    return resources


ORDERS = api(
    "POST /orders", "GET /orders", "GET /orders/{order_id}", "POST /orders/{number}/notes", "GET /reports/{orderId}",
    "POST /payments", "GET /customers/{id}", "PUT /orders/{order_id}",
)  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"id": 41},
        {"order_id": 41, "id": 5},
        {"orderId": 41},
        {"data": {"id": 41}},
        {"order": {"_id": 41}},
        41,
        [{"id": 41}],
        {"items": [{"id": 41}, {"id": 42}]},
    ],
)
def test_the_answer_to_a_creation_identifies_what_was_created(body: Any) -> None:
    resources = learnt(ORDERS, "POST /orders", answer(body))
    assert resources.of_path(operation(ORDERS, "GET /orders/{order_id}"), "order_id") == 41
    assert resources.of_path(operation(ORDERS, "POST /orders/{number}/notes"), "number") == 41
    assert resources.of_path(operation(ORDERS, "GET /reports/{orderId}"), "orderId") == 41
    assert resources.of_path(operation(ORDERS, "GET /customers/{id}"), "id") is None


def test_a_list_identifies_as_well_and_the_first_identifier_is_kept() -> None:
    resources = learnt(ORDERS, "GET /orders", answer([{"id": "a"}, {"id": "b"}], 200))
    resources.learn(operation(ORDERS, "POST /orders"), "/v1/orders", answer({"id": "c"}))
    assert resources.of_path(operation(ORDERS, "GET /orders/{order_id}"), "order_id") == "a"


@pytest.mark.parametrize("location", ["/v1/orders/x%2Fy", "http://127.0.0.1:1/v1/orders/x%2Fy", "/orders/x%2Fy/"])
def test_location_identifies_what_was_created(location: str) -> None:
    resources = learnt(ORDERS, "POST /orders", answer(None, location=location))
    assert resources.of_path(operation(ORDERS, "GET /orders/{order_id}"), "order_id") == "x/y"


def test_what_was_put_under_a_name_is_there() -> None:
    resources = learnt(ORDERS, "PUT /orders/{order_id}", answer({}, 200), "/v1/orders/mine?x=1")
    assert resources.of_path(operation(ORDERS, "GET /orders/{order_id}"), "order_id") == "mine"


def test_fields_that_name_another_resource_are_known_and_ones_own_are_not() -> None:
    resources = learnt(ORDERS, "POST /orders", answer({"id": 41, "customer_id": 7}))
    payment = operation(ORDERS, "POST /payments")
    assert resources.of_field(payment, "order_id") == 41
    assert resources.of_field(payment, "customerId") == 7
    assert resources.of_field(payment, "id") is None
    assert resources.of_field(payment, "valid") is None
    assert resources.of_field(payment, "amount") is None
    assert resources.of_field(operation(ORDERS, "POST /orders"), "order_id") is None


@pytest.mark.parametrize("body", ["created", True, None, {"ok": True}, [], {"id": {"deep": 1}}, {"id": None}])
def test_what_identifies_nothing_is_not_taken_for_an_identifier(body: Any) -> None:
    resources = learnt(ORDERS, "POST /orders", answer(body))
    assert resources.of_path(operation(ORDERS, "GET /orders/{order_id}"), "order_id") is None


def test_an_answer_that_is_not_json_teaches_nothing() -> None:
    resources = Resources(ORDERS)
    resources.learn(operation(ORDERS, "POST /orders"), "/v1/orders", Answer(200, b"HTTP/1.1 200 OK", b"<html>", 6))
    assert resources.known == 0


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$response.body#/made/0/key", "k1"),
        ("$response.header.X-Ticket", "t1"),
        ("constant", "constant"),
        ("$response.body#/nowhere", None),
        ("$url", None),
    ],
)
def test_links_of_the_document_come_first(expression: str, value: str | None) -> None:
    links = {"one": {"operationId": "GET /tickets/{t}", "parameters": {"path.t": expression}}}
    document = api("POST /work", "GET /tickets/{t}", links=links)
    resources = learnt(document, "POST /work", answer({"made": [{"key": "k1"}]}, **{"X-Ticket": "t1"}))
    assert resources.of_path(operation(document, "GET /tickets/{t}"), "t") == value


def test_links_by_reference_and_from_the_request() -> None:
    links = {"one": {"operationRef": "#/paths/~1a~1{b}~1c/get", "parameters": {"b": "$request.path.b"}}}
    document = api("POST /a/{b}", "GET /a/{b}/c", links=links)
    resources = learnt(document, "POST /a/{b}", answer({}), "/v1/a/x1")
    assert resources.of_path(operation(document, "GET /a/{b}/c"), "b") == "x1"


@pytest.mark.parametrize(
    ("expression", "value"),
    [("$request.query.q", "x9"), ("$request.body#/a/b", 7), ("{$request.body#/a/b}", 7), ("$request.body#/c", None)],
)
def test_links_from_what_was_sent_and_of_an_answer_by_its_kind(expression: str, value: Any) -> None:
    links = {"one": {"operationId": "GET /tickets/{t}", "parameters": {"t": expression}}}
    document = api("POST /work", "GET /tickets/{t}", links=links)
    responses: Any = document.operations[0].definition["responses"]
    responses["2XX"] = responses.pop("201")
    resources = Resources(document)
    one = operation(document, "POST /work")
    resources.learn(one, "/v1/work?q=x9", answer({}), '{"a": {"b": 7}}')
    assert resources.of_path(operation(document, "GET /tickets/{t}"), "t") == value


def test_broken_links_teach_nothing() -> None:
    links = {"one": {"$ref": "#/nowhere"}, "two": {"operationId": "gone", "parameters": {"t": "x"}}}
    assert learnt(api("POST /work", links=links), "POST /work", answer({})).known == 0


@pytest.mark.parametrize(
    ("collection", "field"),
    [
        ("categories", "category_id"),
        ("boxes", "boxId"),
        ("classes", "class_id"),
        ("news", "new_id"),
        ("address", "address_id"),
    ],
)
def test_collections_are_plural(collection: str, field: str) -> None:
    document = api(f"POST /{collection}", "POST /others")
    resources = learnt(document, f"POST /{collection}", answer({"id": 3}))
    assert resources.of_field(operation(document, "POST /others"), field) == 3
