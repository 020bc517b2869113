"""Whole documents: shared and recursive parts, renamed components, what cannot be read, and what each change has."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from small_documents import JSON, answering, changes, compared, document, edited, rules, taking

from gates.contract import RULES, compare_documents
from gates.document import document_of
from gates.results import Finding, Severity

TEXT = {"type": "string"}


def shared(uses: int, **schemas: Any) -> dict[str, Any]:
    """Return a document in which many operations answer with `Order`."""
    content = {JSON: {"schema": {"$ref": "#/components/schemas/Order"}}}
    operation = {"responses": {"200": {"description": "ok", "content": content}}}
    return document({f"/{number}": {"get": operation} for number in range(uses)}, components={"schemas": schemas})


def order(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"total": {"type": "number"}, **properties}, "required": ["total"]}


def test_a_changed_component_is_one_change_however_often_it_is_used() -> None:
    old = shared(200, Order=order())
    new = edited(old, "components", "schemas", "Order", "properties", "total", "type", to="string")
    found = changes(old, new)["type-changed"]
    assert found.pointer == found.earlier_pointer == "/components/schemas/Order/properties/total"
    assert len(found.operations) == 200
    assert found.operation == ""
    assert found.message == (
        "Order.total in responses: the type is string now, it was number; "
        "affects GET /0, GET /1, GET /2 and 197 more operations"
    )


def test_a_component_in_requests_and_responses_is_one_change_that_is_as_bad_as_the_worse() -> None:
    old = shared(1, Order=order())
    body = {"requestBody": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Order"}}}}}
    old["paths"]["/0"]["post"] = {**body, "responses": {"200": {"description": "ok"}}}
    changed = edited(old, "components", "schemas", "Order", "properties", "total", "type", to="string")
    assert changes(old, changed)["type-changed"].operations == ("GET /0", "POST /0")
    gone = edited(old, "components", "schemas", "Order", "properties", to={})
    gone["components"]["schemas"]["Order"]["required"] = []
    found = changes(old, gone)
    assert set(found) == {"response-property-removed"}
    assert found["response-property-removed"].operations == ("GET /0",)


def test_what_an_extended_schema_has_from_another_one_is_told_there_once() -> None:
    def extending(name: str) -> dict[str, Any]:
        return {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {name: TEXT}}]}

    base = {"type": "object", "properties": {"id": TEXT, "at": TEXT}, "required": ["id", "at"]}
    items = [{"$ref": f"#/components/schemas/{name}"} for name in ("A", "B", "Base")]
    old = shared(3, Order={"type": "array", "prefixItems": items}, A=extending("a"), B=extending("b"), Base=base)
    new = edited(old, "components", "schemas", "Base", "required", to=["id"])
    found = changes(old, new)["response-property-became-optional"]
    assert found.pointer == "/components/schemas/Base/properties/at"
    assert len(found.operations) == 3


def test_moving_properties_into_a_shared_base_changes_nothing() -> None:
    plain = order(note=TEXT)
    base = {"type": "object", "properties": {"note": TEXT}}
    split = {"allOf": [{"$ref": "#/components/schemas/Base"}, order()]}
    assert rules(shared(2, Order=plain), shared(2, Order=split, Base=base)) == set()
    assert rules(shared(2, Order=split, Base=base), shared(2, Order=plain)) == set()


def test_a_renamed_component_changes_nothing() -> None:
    tree = order(children={"type": "array", "items": {"$ref": "#/components/schemas/Order"}})
    old = shared(3, Order=tree)
    new = copy.deepcopy(old)
    new["components"]["schemas"] = {
        "Purchase": order(children={"type": "array", "items": {"$ref": "#/components/schemas/Purchase"}})
    }
    for item in new["paths"].values():
        item["get"]["responses"]["200"]["content"][JSON]["schema"]["$ref"] = "#/components/schemas/Purchase"
    assert rules(old, new) == set()
    new["components"]["schemas"]["Purchase"]["properties"]["total"]["type"] = "integer"
    assert rules(old, new) == {"response-narrowed"}


def test_inlining_a_component_changes_nothing() -> None:
    old = shared(1, Order=order())
    assert (
        rules(old, edited(old, "paths", "/0", "get", "responses", "200", "content", JSON, "schema", to=order()))
        == set()
    )


def test_recursion_ends_and_is_looked_through() -> None:
    def tree(leaf: Any) -> dict[str, Any]:
        node = {"$ref": "#/components/schemas/Node"}
        inner = order(up={"$ref": "#/components/schemas/Order"}, leaf=leaf, any={"anyOf": [node, TEXT]})
        return shared(2, Order=order(left=node), Node=inner)

    assert rules(tree(TEXT), tree(TEXT)) == set()
    found = changes(tree(TEXT), tree({"type": "integer"}))["type-changed"]
    assert found.operations == ("GET /0", "GET /1")


def test_a_recursive_schema_may_be_unrolled() -> None:
    rolled = shared(1, Order=order(next={"$ref": "#/components/schemas/Order"}))
    unrolled = shared(1, Order=order(next={"$ref": "#/components/schemas/Other"}), Other=order(
        next={"$ref": "#/components/schemas/Order"}))  # fmt: skip
    assert rules(rolled, unrolled) == set()


def test_a_long_chain_of_components_is_no_recursion() -> None:
    chain = {
        f"C{number}": {"type": "object", "properties": {"next": {"$ref": f"#/components/schemas/C{number + 1}"}}}
        for number in range(3000)
    }
    old = shared(1, Order={"$ref": "#/components/schemas/C0"}, C3000=TEXT, **chain)
    new = edited(old, "components", "schemas", "C3000", "type", to="integer")
    assert changes(old, new)["type-changed"].operations == ("GET /0",)


def test_changes_go_from_worst_to_least() -> None:
    old = document({"/a": {"get": {"responses": {"200": {"description": "ok"}}}}})
    new = document({"/b": {"get": {"responses": {"200": {"description": "ok"}}}}})
    severities = [change.severity for change in compared(old, new).changes]
    assert severities == [Severity.HIGH, Severity.MEDIUM, Severity.INFO]


def test_adding_and_removing_mirror_each_other() -> None:
    old = taking({"type": "object", "properties": {"a": TEXT, "b": {"type": "integer", "minimum": 1}}})
    new = taking({"type": "object", "properties": {"b": {"type": "integer", "minimum": 3}, "c": TEXT}})
    there, back = compared(old, new), compared(new, old)
    places = [sorted((change.pointer, change.earlier_pointer) for change in found.changes
                     if change.rule != "contract.major-version") for found in (there, back)]  # fmt: skip
    assert places[0] == sorted((earlier, new) for new, earlier in places[1])


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"$ref": "other.yaml#/A"}, "leaves the document"),
        ({"$ref": "https://example.org/a.json"}, "leaves the document"),
        ({"$ref": "#/components/schemas/Missing"}, "points to nothing"),
        ({"$ref": "#anchor"}, "names an anchor"),
        ({"$dynamicRef": "#node"}, "a dynamic reference is not followed"),
        ({"$ref": "#/components/schemas/Loop"}, "refers to nothing but itself"),
        ("string", "there is no schema where one should be"),
    ],
)
def test_what_cannot_be_read_is_told_and_never_a_pass(schema: Any, reason: str) -> None:
    one = answering(schema, Loop={"$ref": "#/components/schemas/Again"}, Again={"$ref": "#/components/schemas/Loop"})
    found = compared(one, answering(TEXT))
    assert any(reason in text and text.startswith("earlier document, /") for text in found.unread), found.unread
    same = compared(one, one)
    assert same.changes == ()
    assert len(same.unread) == 2


def test_other_references_that_cannot_be_read() -> None:
    lost = {"$ref": "elsewhere.yaml"}
    operation = {"parameters": [lost], "requestBody": lost, "responses": {"200": lost}}
    headers = {"responses": {"200": {"description": "ok", "headers": {"X": lost}}}}
    one = document({"/a": {"post": operation, "get": headers}, "/b": lost})
    assert len(compared(one, one).unread) == 2  # the same reference is told once for each document


def test_what_is_no_object_where_one_should_be_is_told() -> None:
    bad = document({"/a": {"get": 3}, "/b": [], "/c": {"get": {"responses": [], "parameters": [3], "requestBody": 4}}})
    found = compared(bad, bad)
    assert found.changes == ()
    assert len(found.unread) >= 10
    assert all("there is no object where one should be" in text for text in found.unread)


def test_of_very_many_that_cannot_be_read_the_first_are_told() -> None:
    one = document({f"/{number}": {"$ref": f"{number}.yaml"} for number in range(500)})
    found = compared(one, one)
    assert len(found.unread) == 102
    assert "there is more that could not be read" in found.unread[50]


def test_a_change_is_a_finding_of_its_operation() -> None:
    old = document({"/a": {"get": {"responses": {}}}})
    (change, _) = compared(old, document()).changes
    assert change.as_finding() == Finding(
        "contract.operation-removed", Severity.HIGH, change.message, change.fingerprint, operation="GET /a",
        fix=RULES["contract.operation-removed"].fix, pointer="/paths", earlier_pointer="/paths/~1a/get",
    )  # fmt: skip


def test_swagger_2_is_compared_with_itself_and_with_openapi_3() -> None:
    swagger = {
        "swagger": "2.0", "info": {"title": "x", "version": "1"}, "basePath": "/api",
        "paths": {"/a": {"get": {"produces": ["application/json"], "responses": {
            "200": {"description": "ok", "schema": {"$ref": "#/definitions/Order"}}}}}},
        "definitions": {"Order": order()},
    }  # fmt: skip
    new = copy.deepcopy(swagger)
    new["definitions"]["Order"]["properties"]["total"]["type"] = "string"  # type: ignore[index]
    found = [change for change in compared(swagger, new).changes if change.rule == "contract.type-changed"]
    assert [change.pointer for change in found] == ["/definitions/Order/properties/total"]
    assert compared(swagger, copy.deepcopy(swagger)).changes == ()
    openapi = shared(1, Order=order())
    openapi["paths"] = {"/api/a": openapi["paths"]["/0"]}
    assert compared(swagger, openapi).changes == ()


def test_documents_are_not_changed_and_parts_may_be_the_same_objects() -> None:
    one = shared(2, Order=order())
    parsed = document_of(one)
    assert compare_documents(parsed, parsed).changes == ()


def test_what_could_not_be_read_is_neither_gone_nor_new() -> None:
    operation = {
        "parameters": [{"name": "q", "in": "query", "schema": TEXT}],
        "responses": {"200": {"description": "ok"}},
    }
    whole = document({"/a": {"get": operation}, "/b": {"get": operation}})
    partly = document(
        {"/a": {"get": {**operation, "parameters": [{"$ref": "elsewhere.yaml#/q"}]}}, "/b": {"$ref": "b.yaml"}}
    )
    for old, new in ((whole, partly), (partly, whole)):
        found = compared(old, new)
        assert found.changes == ()
        assert len(found.unread) == 2
