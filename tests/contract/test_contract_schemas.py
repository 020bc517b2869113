"""Schemas: what breaks in a request is the opposite of what breaks in a response, keyword by keyword."""

from __future__ import annotations

from typing import Any

import pytest
from small_documents import answering, both, changes, compared, edited, rules, taking

from gates.results import Severity

WIDENED, NARROWED = {"request-widened"}, {"response-narrowed"}
TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def thing(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


@pytest.mark.parametrize(
    ("wide", "narrow", "in_request", "in_response"),
    [
        (NUMBER, WHOLE, "request-type-narrowed", "response-type-widened"),
        ({"type": ["string", "integer"]}, TEXT, "request-type-narrowed", "response-type-widened"),
        ({}, TEXT, "request-type-narrowed", "response-type-widened"),
        (True, TEXT, "request-type-narrowed", "response-type-widened"),
        ({"type": ["string", "null"]}, TEXT, "request-null-refused", "response-became-nullable"),
        (TEXT, {**TEXT, "enum": ["a"]}, "request-enum-added", "response-enum-removed"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "request-enum-value-removed", "response-enum-value-added"),
        ({"enum": ["a", "b"]}, {"const": "a"}, "request-enum-value-removed", "response-enum-value-added"),
        (TEXT, {**TEXT, "pattern": "^a"}, "request-pattern-changed", "response-pattern-changed"),
        (TEXT, {**TEXT, "format": "date"}, "request-format-added", "response-format-removed"),
        ({**WHOLE, "format": "int64"}, {**WHOLE, "format": "int32"}, "request-format-added", "response-format-removed"),
        (
            {"type": "object", "properties": {"a": {}}},
            {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
            "request-additional-properties-refused",
            "response-additional-properties-allowed",
        ),
        (
            {"type": "object"},
            {"type": "object", "unevaluatedProperties": False},
            "request-additional-properties-refused",
            "response-additional-properties-allowed",
        ),
        (
            {"type": "object", "additionalProperties": True},
            {"type": "object", "additionalProperties": TEXT},
            "request-type-narrowed",
            "response-type-widened",
        ),
        (thing(a=TEXT), thing("a", a=TEXT), "property-became-required", "response-property-became-optional"),
        ({"type": "array"}, {"type": "array", "items": TEXT}, "request-type-narrowed", "response-type-widened"),
        (
            {"type": "array", "items": NUMBER},
            {"type": "array", "items": WHOLE},
            "request-type-narrowed",
            "response-type-widened",
        ),
        (
            {"type": "array", "prefixItems": [{}, NUMBER]},
            {"type": "array", "prefixItems": [{}, WHOLE]},
            "request-type-narrowed",
            "response-type-widened",
        ),
        (
            {"type": "object", "patternProperties": {"^x": NUMBER}},
            {"type": "object", "patternProperties": {"^x": WHOLE}},
            "request-type-narrowed",
            "response-type-widened",
        ),
    ],
)  # fmt: skip
def test_narrowing_harms_requests_and_widening_harms_responses(
    wide: Any, narrow: Any, in_request: str, in_response: str
) -> None:
    assert both(wide, narrow) == ({in_request}, NARROWED)
    assert both(narrow, wide) == (WIDENED, {in_response})


BOUNDS = [
    (TEXT, {"minLength": 1}),
    ({**TEXT, "minLength": 1}, {"minLength": 2}),
    ({**TEXT, "maxLength": 9}, {"maxLength": 8}),
    (NUMBER, {"minimum": 0}),
    ({**NUMBER, "minimum": 0}, {"minimum": 1}),
    ({**NUMBER, "minimum": 0}, {"exclusiveMinimum": 0}),
    ({**NUMBER, "maximum": 9}, {"maximum": 8.5}),
    ({**NUMBER, "multipleOf": 2}, {"multipleOf": 6}),
    ({"type": "array"}, {"minItems": 1}),
    ({"type": "array", "maxItems": 3}, {"maxItems": 2}),
    ({"type": "array"}, {"uniqueItems": True}),
    ({"type": "object"}, {"minProperties": 1}),
    ({"type": "object", "maxProperties": 3}, {"maxProperties": 1}),
    (TEXT, {"not": {"const": "a"}}),
    ({"type": "array"}, {"contains": {"const": 1}}),
    ({"type": "object"}, {"propertyNames": {"pattern": "^a"}}),
    ({"type": "object"}, {"dependentRequired": {"a": ["b"]}}),
]


@pytest.mark.parametrize(("wide", "bound"), BOUNDS, ids=str)
def test_bounds(wide: dict[str, Any], bound: dict[str, Any]) -> None:
    narrow = {**{key: value for key, value in wide.items() if key == "type"}, **bound}
    assert both(wide, narrow) == ({"request-constraint-tightened"}, NARROWED)
    assert both(narrow, wide) == (WIDENED, {"response-constraint-loosened"})


@pytest.mark.parametrize(
    ("old", "new", "in_request", "in_response"),
    [
        (TEXT, WHOLE, "type-changed", "type-changed"),
        ({"type": "object"}, {"type": "array"}, "type-changed", "type-changed"),
        ({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^b"}, "request-pattern-changed", "response-pattern-changed"),
        ({**TEXT, "format": "date"}, {**TEXT, "format": "email"}, "format-changed", "format-changed"),
        ({**NUMBER, "multipleOf": 2}, {**NUMBER, "multipleOf": 3}, "request-constraint-tightened",
         "response-constraint-loosened"),
        ({**TEXT, "not": {"const": "a"}}, {**TEXT, "not": {"const": "b"}}, "condition-changed", "condition-changed"),
        ({"if": {"type": "string"}, "then": {"minLength": 1}}, {"if": {"type": "string"}, "then": {"minLength": 2}},
         "condition-changed", "condition-changed"),
    ],
)  # fmt: skip
def test_what_is_neither_wider_nor_narrower_harms_both(old: Any, new: Any, in_request: str, in_response: str) -> None:
    assert both(old, new) == ({in_request}, {in_response})
    assert both(new, old) == ({in_request}, {in_response})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"enum": ["a"]}, {"const": "a"}),
        ({"enum": ["a", "b"]}, {"type": "string", "enum": ["b", "a"]}),
        ({"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]}, {"enum": ["a", "b"]}),
        ({"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}),
        ({"type": ["string", "null"]}, {"oneOf": [{"type": "null"}, TEXT]}),
        ({"type": ["string", "integer"]}, {"anyOf": [TEXT, WHOLE]}),
        ({"type": ["string", "integer"], "maxLength": 3, "minimum": 1},
         {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "maxLength": 3}]}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"type": "array", "items": {}}, {"type": "array"}),
        ({"type": "array", "minItems": 0, "uniqueItems": False}, {"type": "array"}),
        ({"type": "object", "additionalProperties": {}}, {"type": "object"}),
        ({"properties": {"a": TEXT}}, {"type": "object", "properties": {"a": TEXT}}),
        ({"allOf": [thing(a=TEXT), thing("b", b=TEXT)]}, thing("b", a=TEXT, b=TEXT)),
        ({"allOf": [TEXT]}, TEXT),
        ({"anyOf": [TEXT]}, TEXT),
        ({"allOf": [{"minLength": 1}, {"minLength": 3}], "type": "string"}, {**TEXT, "minLength": 3}),
        ({**WHOLE, "format": "int64"}, WHOLE),
        ({**TEXT, "format": "password"}, TEXT),
        ({**TEXT, "format": "binary"}, {**TEXT, "contentMediaType": "application/octet-stream"}),
        ({**TEXT, "title": "x", "description": "y", "examples": ["z"], "x-own": 1, "$comment": "c"}, TEXT),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer", "enum": [1.0, 2.0]}),
        ({"required": ["a"], "type": "object", "properties": {"a": TEXT}}, thing("a", a=TEXT)),
    ],
    ids=str,
)  # fmt: skip
def test_the_same_in_other_words_is_silent(one: Any, other: Any) -> None:
    assert both(one, other) == (set(), set())
    assert both(other, one) == (set(), set())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({**TEXT, "nullable": True}, {"type": ["string", "null"]}),
        ({**TEXT, "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({**TEXT, "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a"]}),
        ({**TEXT, "nullable": True, "enum": ["a", None]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"nullable": True, "allOf": [{"$ref": "#/components/schemas/A"}]},
         {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}),
        ({"nullable": True, "oneOf": [{"$ref": "#/components/schemas/A"}, TEXT]},
         {"oneOf": [{"$ref": "#/components/schemas/A"}, TEXT, {"type": "null"}]}),
        ({**NUMBER, "minimum": 0, "exclusiveMinimum": True}, {**NUMBER, "exclusiveMinimum": 0}),
        ({**NUMBER, "maximum": 5, "exclusiveMaximum": False}, {**NUMBER, "maximum": 5}),
        ({"enum": ["a"]}, {"const": "a"}),
        ({**TEXT, "format": "byte"}, {**TEXT, "contentEncoding": "base64"}),
    ],
    ids=str,
)  # fmt: skip
def test_from_openapi_30_to_31_without_another_meaning(old: Any, new: Any) -> None:
    assert both(old, new, "3.0.3", "3.1.0", A=thing(a=TEXT)) == (set(), set())


def test_null_is_told_in_each_way_it_can_be_said() -> None:
    reference = {"$ref": "#/components/schemas/A"}
    for version, none, some in (
        ("3.0.3", TEXT, {**TEXT, "nullable": True}),
        ("3.1.0", TEXT, {"type": ["string", "null"]}),
        ("3.1.0", TEXT, {"anyOf": [TEXT, {"type": "null"}]}),
        ("3.1.0", reference, {"anyOf": [reference, {"type": "null"}]}),
        ("3.0.3", reference, {"allOf": [reference], "nullable": True}),
        ("3.1.0", {"enum": ["a"]}, {"enum": ["a", None]}),
    ):
        assert both(none, some, version, A=thing(a=TEXT)) == (WIDENED, {"response-became-nullable"}), some
        assert both(some, none, version, A=thing(a=TEXT)) == ({"request-null-refused"}, NARROWED), some


def test_in_30_siblings_of_a_reference_say_nothing_and_in_31_they_do() -> None:
    plain, more = {"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A", "maxLength": 3}
    assert both(plain, more, "3.0.3", A=TEXT) == (set(), set())
    assert both(plain, more, "3.1.0", A=TEXT) == ({"request-constraint-tightened"}, NARROWED)


def test_properties_in_requests() -> None:
    small, larger, needed = thing(a=TEXT), thing(a=TEXT, b=TEXT), thing("b", a=TEXT, b=TEXT)
    assert rules(taking(small), taking(larger)) == {"request-property-added"}
    found = changes(taking(small), taking(needed))["required-property-added"]
    assert found.severity is Severity.HIGH
    assert found.pointer.endswith("/schema/properties/b")
    assert found.earlier_pointer.endswith("/schema")
    gone = changes(taking(larger), taking(small))["request-property-removed"]
    assert gone.severity is Severity.MEDIUM
    closed = {**small, "additionalProperties": False}
    refused = changes(taking({**larger, "additionalProperties": False}), taking(closed))["request-property-refused"]
    assert refused.severity is Severity.HIGH


def test_properties_in_responses() -> None:
    small, larger, always = thing(a=TEXT), thing(a=TEXT, b=TEXT), thing("b", a=TEXT, b=TEXT)
    assert changes(answering(always), answering(small))["response-property-removed"].severity is Severity.HIGH
    assert changes(answering(larger), answering(small))["optional-property-removed"].severity is Severity.MEDIUM
    assert rules(answering(small), answering(always)) == {"response-property-added"}
    closed = {**small, "additionalProperties": False}
    found = changes(answering(closed), answering({**larger, "additionalProperties": False}))
    assert found["closed-response-property-added"].severity is Severity.MEDIUM


def test_what_only_the_api_writes_is_no_part_of_a_request() -> None:
    own = {"type": "string", "readOnly": True}
    assert both(thing(a=TEXT), thing("id", a=TEXT, id=own)) == (set(), {"response-property-added"})
    assert both(thing("id", id=own), thing("id", id={"type": "integer", "readOnly": True})) == (
        set(),
        {"type-changed"},
    )
    assert both(thing(id=TEXT), thing(id=own)) == ({"property-became-read-only"}, set())
    assert both(thing("id", id=own), thing("id", id=TEXT)) == ({"required-property-added"}, set())


def test_what_only_the_client_writes_is_no_part_of_a_response() -> None:
    secret = {"type": "string", "writeOnly": True}
    assert both(thing(a=TEXT), thing(a=TEXT, p=secret)) == ({"request-property-added"}, set())
    assert both(thing("p", p=TEXT), thing("p", p=secret)) == (set(), {"response-property-removed"})


def test_read_only_behind_a_reference() -> None:
    def via(schema: dict[str, Any]) -> dict[str, Any]:
        return taking(thing("id", id={"allOf": [{"$ref": "#/components/schemas/Id"}]}), "3.0.3", Id=schema)

    assert rules(via({"type": "string", "readOnly": True}), via({"type": "integer", "readOnly": True})) == set()


def test_a_property_that_others_hold() -> None:
    held = {"type": "object", "additionalProperties": TEXT}
    named = {**held, "properties": {"a": WHOLE}}
    assert both(held, named) == (
        {"request-property-added", "type-changed"},
        {"response-property-added", "type-changed"},
    )


def test_the_default_of_a_property_matters_in_requests() -> None:
    one, other = thing(a={**TEXT, "default": "x"}), thing(a={**TEXT, "default": "y"})
    assert both(one, other) == ({"default-changed"}, set())
    assert both(thing(a=TEXT), one) == ({"default-added"}, set())


def test_a_property_can_be_deprecated() -> None:
    assert both(thing(a=TEXT), thing(a={**TEXT, "deprecated": True})) == ({"deprecated"}, {"deprecated"})


def test_false_allows_nothing() -> None:
    assert both(thing(a=TEXT), thing(a=False)) == ({"request-type-narrowed"}, NARROWED)


def test_the_message_says_what_was_and_what_is() -> None:
    old, new = taking(thing(a={**TEXT, "maxLength": 20})), taking(thing(a={**TEXT, "maxLength": 10}))
    found = changes(old, new)["request-constraint-tightened"]
    assert found.message == "POST /things, request body (application/json) .a: maxLength 10 replaces maxLength 20"
    assert found.pointer == found.earlier_pointer
    assert found.pointer == "/paths/~1things/post/requestBody/content/application~1json/schema/properties/a"


def test_values_that_went_and_came_are_two_changes() -> None:
    found = compared(answering({"enum": ["a", "b"]}), answering({"enum": ["a", "c"]})).changes
    assert {change.rule for change in found} == {"contract.response-narrowed", "contract.response-enum-value-added"}
    assert 'the new value "c"' in found[0].message


def test_the_identity_of_a_change_is_where_and_what() -> None:
    old = taking(thing(a={**TEXT, "maxLength": 20}, b={**TEXT, "maxLength": 20}))
    body = ("paths", "/things", "post", "requestBody", "content", "application/json", "schema", "properties")
    prints = set()
    for name, length in (("a", 10), ("a", 5), ("b", 10)):
        (found,) = changes(old, edited(old, *body, name, "maxLength", to=length)).values()
        prints.add(found.fingerprint)
    assert len(prints) == 2  # that of a, however tight it became, and that of b


def test_bounds_of_listed_values_do_not_matter() -> None:
    long, listed = {**TEXT, "maxLength": 5000}, {**TEXT, "enum": ["a"]}
    assert both(long, listed) == ({"request-enum-added"}, NARROWED)
    assert both(listed, long) == (WIDENED, {"response-enum-removed"})
