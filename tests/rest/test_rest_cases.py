"""One style of writing: the majority's, or the one that the project says."""

from __future__ import annotations

import pytest
from rest_samples import Json, answer, body, found, get, operation, query, thing

from gates.rest import Conventions
from gates.rest.words import plural_of, style_of, styled, words_of


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("user-name", "kebab"), ("user_name", "snake"), ("userName", "camel"), ("UserName", "pascal"), ("users", ""),
        ("Users", "pascal"), ("ID", ""), ("MAX_SIZE", ""), ("user-name_x", "mixed"), ("User-Name", "mixed"),
        ("user_Name", "mixed"),
        ("_links", ""), ("$filter", ""), ("filter[name]", ""), ("@type", ""), ("oauth2", ""), ("größe", ""), ("a.b",
        ""), ("x1", ""),
        ("iPhone", "camel"), ("md5_hash", "snake"), ("class_", ""),
    ],
)  # fmt: skip
def test_styles_of_names(name: str, style: str) -> None:
    assert style_of(name) == style


def test_words_and_other_styles_of_names() -> None:
    assert words_of("getHTTPResponse") == ("get", "http", "response")
    assert words_of("order_items-2") == ("order", "items", "2")
    assert styled("userName", "snake") == "user_name"
    assert styled("user-name", "camel") == "userName"
    assert styled("user_name", "kebab") == "user-name"
    assert styled("line1Text", "snake") == "line1_text"
    assert [plural_of(word) for word in ("day", "city", "box", "person", "wish")] == [
        "days",
        "cities",
        "boxes",
        "people",
        "wishes",
    ]


def test_path_segments_of_another_style_are_told_once_each() -> None:
    paths = get(
        "/order-items",
        "/order-items/{id}",
        "/price-lists",
        "/userProfiles",
        "/userProfiles/{id}",
        "/stock_items",
        "/me",
    )
    findings = found("rest.path-case", paths)
    assert [finding.fix for finding in findings] == ["`user-profiles`", "`stock-items`"] or [
        finding.fix for finding in findings
    ] == ["`stock-items`", "`user-profiles`"]
    assert "kebab-case is that of 2 other names" in findings[0].message
    assert found("rest.path-case", get("/users", "/orders", "/order-items")) == []
    assert found("rest.path-case", get("/Accounts", "/Messages")) == []
    assert found("rest.path-case", get("/users/{userId}", "/order-items/{order_item}")) == []


def test_a_project_can_say_its_styles() -> None:
    paths = get("/order_items", "/price_lists")
    assert found("rest.path-case", paths) == []
    assert len(found("rest.path-case", paths, Conventions(path_case="kebab"))) == 2
    assert "is the rule here" in found("rest.path-case", paths, Conventions(path_case="kebab"))[0].message
    assert found("rest.path-case", get("/a-b", "/a_b"), Conventions(path_case="any")) == []


def test_parameters() -> None:
    def asked(*names: str) -> Json:
        return {"/users": {"get": operation(parameters=query(*names))}}

    (finding,) = found("rest.parameter-case", asked("page_size", "sort_by", "userName"))
    assert (finding.fix, finding.operation) == ("`user_name`", "GET /users")
    assert found("rest.parameter-case", asked("page", "limit", "sortBy")) == []
    assert found("rest.parameter-case", asked("page_size", "filter[name]", "$top")) == []
    headers = {"parameters": [{"name": "X-Request-Id", "in": "header"}, *query("page_size", "sort_by")]}
    assert found("rest.parameter-case", {"/users": {"get": operation(**headers)}}) == []


def test_properties_wherever_they_stand() -> None:
    schemas = {
        "User": {"type": "object", "properties": {"first_name": {"type": "string"}, "last_name": {"type": "string"}}},
        "Order": {"allOf": [{"$ref": "#/components/schemas/User"}, {"properties": {"lineItems": {"type": "array"}}}]},
    }
    paths = {"/orders": {"post": operation("201", requestBody=body(thing("shipTo", "zip")))}}
    findings = found("rest.property-case", paths, components={"schemas": schemas})
    assert sorted(finding.fix for finding in findings) == ["`line_items`", "`ship_to`"]
    assert {finding.pointer for finding in findings} == {
        "/components/schemas/Order/allOf/1",
        "/paths/~1orders/post/requestBody/content/application~1json/schema",
    }
    assert found("rest.property-case", paths) == []
    nested = answer({"type": "array", "items": {"properties": {"a_b": {"properties": {"cD": {}, "e_f": {}}}}}})
    paths = {"/orders": {"get": {"responses": {"200": nested}}}}
    assert [finding.fix for finding in found("rest.property-case", paths)] == ["`c_d`"]
    assert len(found("rest.property-case", paths, Conventions(property_case="camel"))) == 2


def test_examples_and_names_of_schemas_are_no_properties() -> None:
    schema = {**thing("a_b", "c_d"), "example": {"properties": {"eF": 1}}, "default": {"gH": 1}}
    paths = {"/orders": {"get": {"responses": {"200": answer(schema)}}}}
    assert found("rest.property-case", paths, components={"schemas": {"orderItem": thing("e_f")}}) == []


def test_a_tie_is_decided_the_same_way_every_time() -> None:
    one = found("rest.path-case", get("/a-b", "/c_d"))
    other = found("rest.path-case", get("/c_d", "/a-b"))
    assert [finding.fix for finding in one] == [finding.fix for finding in other] == ["`c-d`"]
