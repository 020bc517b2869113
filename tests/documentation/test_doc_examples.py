"""Examples validate against their schema, wherever they stand, or are told with the part that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from described_documents import changed, document, only, openapi, rules, swagger

from gates.documentation.examples import check_examples

Change = Callable[[dict[str, Any]], Any]
THREE = ["3.0.3", "3.1.0"]


def media(content: dict[str, Any]) -> dict[str, Any]:
    return content["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]  # type: ignore[no-any-return]


def order(content: dict[str, Any]) -> dict[str, Any]:
    return content["components"]["schemas"]["Order"]  # type: ignore[no-any-return]


def parameter(content: dict[str, Any]) -> dict[str, Any]:
    return content["paths"]["/orders/{id}"]["get"]["parameters"][0]  # type: ignore[no-any-return]


WRONG: list[tuple[Change, str, str]] = [
    (lambda d: media(d).update(example={"id": 1}), "/paths/~1orders/post/requestBody/content/application~1json/example",
     '"item" is a required property'),
    (lambda d: media(d).update(example={"id": "one", "item": "tea"}),
     "/paths/~1orders/post/requestBody/content/application~1json/example", '/id: it is not of type "integer"'),
    (lambda d: media(d).update(examples={"bad": {"value": {"id": 1, "item": ""}}}),
     "/paths/~1orders/post/requestBody/content/application~1json/examples/bad", "/item: it is shorter"),
    (lambda d: parameter(d).update(example="seven"), "/paths/~1orders~1{id}/get/parameters/0/example", "integer"),
    (lambda d: parameter(d).update(examples={"one": {"value": 1}, "two": {"value": "two"}}),
     "/paths/~1orders~1{id}/get/parameters/0/examples/two", "integer"),
    (lambda d: order(d).update(example={"id": 1, "item": 2}), "/components/schemas/Order/example", "string"),
    (lambda d: order(d)["properties"]["item"].update(example=5),
     "/components/schemas/Order/properties/item/example", "string"),
    (lambda d: order(d)["properties"].update(at={"type": "string", "format": "date-time", "example": "yesterday"}),
     "/components/schemas/Order/properties/at/example", "date-time"),
    (lambda d: d["components"].update(examples={"Bad": {"value": {"item": 1}}})
     or media(d).update(examples={"there": {"$ref": "#/components/examples/Bad"}}),
     "/paths/~1orders/post/requestBody/content/application~1json/examples/there", "string"),
]  # fmt: skip


@pytest.mark.parametrize("version", THREE)
@pytest.mark.parametrize(("change", "pointer", "told"), WRONG)
def test_an_example_that_does_not_fit_is_told(change: Change, pointer: str, told: str, version: str) -> None:
    finding = only(check_examples(changed(change, version)), "doc.example-invalid")
    assert finding.pointer == pointer
    assert told in finding.message


def test_the_examples_of_a_schema_are_a_list_from_3_1_on() -> None:
    finding = only(check_examples(changed(lambda d: order(d).update(examples=[{"id": 1, "item": "tea"}, 5]))),
                   "doc.example-invalid")  # fmt: skip
    assert finding.pointer == "/components/schemas/Order/examples/1"


def test_examples_of_swagger() -> None:
    content = swagger()
    content["paths"]["/orders/{id}"]["get"]["responses"]["200"]["examples"]["application/json"] = {"id": "one"}
    finding = only(check_examples(document(content)), "doc.example-invalid")
    assert finding.operation == "GET /orders/{id}"
    content = swagger()
    content["definitions"]["Order"]["properties"]["item"] = {"type": "string", "x-nullable": True, "example": None}
    assert check_examples(document(content)) == []


FINE: list[tuple[str, Change]] = [
    *((version, change) for version in THREE for change in (
        # What only answers have is not required of a request, and the other way round.
        lambda d: media(d).update(example={"item": "tea"}),
        lambda d: media(d).update(example='{"id": 1, "item": "tea"}'),
        lambda d: d["paths"]["/orders"]["post"]["requestBody"]["content"].update(
            {"application/xml": {"schema": {"$ref": "#/components/schemas/Order"}, "example": "<order/>"}}
        ),
        lambda d: order(d).update(default=7),
        # Parameters are sent as text.
        lambda d: parameter(d).update(example="7"),
        lambda d: parameter(d).update(schema={"type": "array", "items": {"type": "integer"}}, example="7,8"),
        lambda d: parameter(d).update(schema={"type": "array", "items": {"type": "string"}}, example="a"),
    )),
    ("3.0.3", lambda d: order(d)["properties"].update(note={"type": "string", "nullable": True, "example": None})),
    ("3.0.3", lambda d: order(d)["properties"].update(
        note={"type": "string", "enum": ["a"], "nullable": True, "example": None})),
    ("3.0.3", lambda d: order(d)["properties"].update(
        other={"allOf": [{"$ref": "#/components/schemas/Order"}], "nullable": True, "example": None})),
    ("3.0.3", lambda d: order(d)["properties"].update(
        size={"type": "number", "minimum": 0, "exclusiveMinimum": True, "example": 0.5})),
    ("3.1.0", lambda d: order(d)["properties"].update(note={"type": ["string", "null"], "example": None})),
    ("3.0.3", lambda d: order(d)["properties"].update(id={"nullable": True, "readOnly": True, "allOf": [{}]})
     or media(d).update(example={"item": "tea"})),
]  # fmt: skip


@pytest.mark.parametrize(("version", "change"), FINE)
def test_what_openapi_allows_is_no_finding(version: str, change: Change) -> None:
    assert [one for one in check_examples(changed(change, version)) if one.rule != "doc.example-missing"] == []


def test_without_nullable_null_is_wrong() -> None:
    change: Change = lambda d: order(d)["properties"].update(note={"type": "string", "example": None})  # noqa: E731
    assert rules(check_examples(changed(change, "3.0.3"))) == ["doc.example-invalid"]


@pytest.mark.parametrize("version", THREE)
def test_a_schema_inside_itself_is_checked_to_the_depth_of_the_example(version: str) -> None:
    def change(content: dict[str, Any]) -> None:
        content["components"]["schemas"]["Tree"] = {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"},
                           "next": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
            "example": {"name": "a", "next": [{"name": "b", "next": [{"name": 3}]}]},
        }  # fmt: skip

    finding = only(check_examples(changed(change, version)), "doc.example-invalid")
    assert "/next/0/next/0/name" in finding.message


def test_names_with_slashes_and_signs_are_found() -> None:
    def change(content: dict[str, Any]) -> None:
        content["components"]["schemas"] |= {"A.b-c": {"type": "integer", "example": "no"}}
        content["paths"]["/a~b/{x y}"] = {"get": {
            "responses": {"200": {"description": "It.", "content": {
                "application/vnd.a+json": {"schema": {"type": "integer"}, "example": "no"}}}}}}  # fmt: skip

    found = check_examples(changed(change))
    assert rules(found) == ["doc.example-invalid", "doc.example-invalid"]
    assert "GET /a~b/{x y}" in [one.operation for one in found]


def test_a_pattern_that_cannot_be_used_is_told_and_the_rest_of_the_schema_is_checked() -> None:
    def change(content: dict[str, Any]) -> None:
        order(content)["properties"]["item"]["pattern"] = "("
        order(content)["example"] = {"id": "one", "item": "tea"}

    found = check_examples(changed(change))
    assert rules(found) == ["doc.unusable-schema", "doc.example-invalid"]
    assert "its pattern cannot be used" in found[0].message
    assert found[0].pointer == "/components/schemas/Order/properties/item"


def test_one_schema_that_no_validator_reads_does_not_spoil_the_others() -> None:
    def change(content: dict[str, Any]) -> None:
        schemas = content["components"]["schemas"]
        for number in range(40):
            schemas[f"Good{number}"] = {"type": "integer", "example": "no"}
        schemas["Bad"] = {"type": "whole", "example": 1}

    found = check_examples(changed(change))
    assert rules(found).count("doc.example-invalid") == 40
    (unusable,) = [one for one in found if one.rule == "doc.unusable-schema"]
    assert unusable.pointer == "/components/schemas/Bad"
    assert "cannot be checked" in unusable.message


def test_nothing_is_fetched_and_what_is_referred_to_allows_anything() -> None:
    def change(content: dict[str, Any]) -> None:
        media(content)["schema"] = {"$ref": "http://127.0.0.1:1/schema.json"}
        order(content)["properties"]["item"] = {"$ref": "other.yaml#/Item"}
        order(content)["example"] = {"id": "one", "item": 7}

    finding = only(check_examples(changed(change)), "doc.example-invalid")
    assert finding.message.endswith('/id: it is not of type "integer"')


def test_what_may_be_null_is_checked_inside_too() -> None:
    def change(content: dict[str, Any]) -> None:
        content["components"]["schemas"]["Maybe"] = {
            "nullable": True,
            "allOf": [{"type": "object", "properties": {"a": {"type": "integer", "example": "no"}}}],
            "properties": {"b": {"nullable": True, "properties": {"c": {"type": "integer", "example": "no"}}}},
            "example": None,
        }
        order(content)["properties"]["item"] = {
            "$ref": "#/components/schemas/Maybe/properties/b/properties/c", "example": "not looked at"
        }  # fmt: skip
        order(content)["example"] = {"id": 1, "item": "no"}

    found = check_examples(changed(change, "3.0.3"))
    assert sorted(one.pointer for one in found if one.rule == "doc.example-invalid")[:3] == [
        "/components/schemas/Maybe/allOf/0/properties/a/example",
        "/components/schemas/Maybe/properties/b/properties/c/example",
        "/components/schemas/Order/example",
    ]
    assert {one.rule for one in found} == {"doc.example-invalid"}


def without_examples(content: dict[str, Any]) -> None:
    for path, method, statuses in (("/orders", "post", ["201"]), ("/orders/{id}", "get", ["200"])):
        operation = content["paths"][path][method]
        operation.get("requestBody", {"content": {"application/json": {}}})["content"]["application/json"].pop(
            "example", None
        )
        for status in statuses:
            operation["responses"][status]["content"]["application/json"].pop("example", None)


def test_what_has_no_example_is_told_of_its_operation() -> None:
    first, second = check_examples(changed(without_examples))
    assert first.rule == second.rule == "doc.example-missing"
    assert first.message == "there is no example of the request body and the 201 response"
    assert (first.operation, second.operation) == ("POST /orders", "GET /orders/{id}")


def test_an_example_in_the_schema_or_of_all_its_properties_is_enough() -> None:
    def whole(content: dict[str, Any]) -> None:
        without_examples(content)
        order(content)["example"] = {"id": 1, "item": "tea"}

    def parts(content: dict[str, Any]) -> None:
        without_examples(content)
        order(content)["properties"]["id"]["example"] = 1
        order(content)["properties"]["item"]["examples"] = ["tea"]

    def most(content: dict[str, Any]) -> None:
        parts(content)
        del order(content)["properties"]["item"]["examples"]

    assert check_examples(changed(whole)) == []
    assert check_examples(changed(parts)) == []
    assert rules(check_examples(changed(most))) == ["doc.example-missing", "doc.example-missing"]


def test_a_deep_and_wide_graph_of_schemas_is_seen_once() -> None:
    content = openapi()
    schemas = content["components"]["schemas"]
    for level in range(60):
        schemas[f"L{level}"] = {
            "type": "object",
            "properties": {f"p{n}": {"$ref": f"#/components/schemas/L{level + 1}"} for n in range(20)},
        }
    schemas["L60"] = {"type": "string"}
    without_examples(content)
    media(content)["schema"] = {"$ref": "#/components/schemas/L0"}
    assert "doc.example-missing" in rules(check_examples(document(content)))
