"""Values are valid for their schemas (an independent validator says so), and what the document shows comes first."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.document import Document, parse_document
from gates.load.assignment import UNIQUE
from gates.load.scalars import Unbuildable, number_for, text_matching
from gates.load.values import FileText, Values


def document(**schemas: Any) -> Document:
    return parse_document(json.dumps({"openapi": "3.1.0", "info": {}, "paths": {}, "components": {"schemas": schemas}}))


EMPTY = document()
NODE = {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"},
    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
}}  # fmt: skip

SCHEMAS: list[Any] = [
    {"type": "string"},
    {"type": "string", "minLength": 12},
    {"type": "string", "maxLength": 2},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "uuid"},
    {"type": "string", "format": "email"},
    {"type": "string", "format": "ipv4"},
    {"type": "string", "format": "ipv6"},
    {"type": "string", "format": "uri"},
    {"type": "string", "format": "hostname"},
    {"type": "string", "pattern": r"^[A-Z]{2}-\d{4}$"},
    {"type": "string", "pattern": r"^(red|green)$"},
    {"type": "string", "pattern": r"^[^\s@]+@[^\s@]+$", "minLength": 10},
    {"type": "string", "pattern": r"^[a-z0-9_-]+$", "minLength": 3, "maxLength": 5},
    {"type": "integer"},
    {"type": "integer", "minimum": 10, "maximum": 20},
    {"type": "integer", "exclusiveMinimum": 5},
    {"type": "integer", "maximum": -4},
    {"type": "integer", "multipleOf": 7, "minimum": 15},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
    {"type": "number", "multipleOf": 0.25, "minimum": 1.1},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["null", "integer"]},
    {"enum": ["a", "b"]},
    {"const": 5},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["x", "y", "z"]}, "minItems": 2, "uniqueItems": True},
    {"type": "array", "maxItems": 0},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    {"type": "object", "required": ["unnamed"]},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "minProperties": 2, "additionalProperties": False},
    {"allOf": [
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"properties": {"b": {"type": "string", "minLength": 9}}, "required": ["b"]},
    ]},
    {"oneOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]},
    {"anyOf": [{"type": "string", "pattern": "(?<=impossible)^x"}, {"type": "integer"}]},
    {"type": "object", "properties": {"kind": {"const": "cat"}}, "required": ["kind"], "anyOf": [
        {"properties": {"lives": {"type": "integer", "minimum": 9}}, "required": ["lives"]}
    ]},
    {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "array", "minItems": 1,
        "items": {"type": "object", "required": ["c"], "properties": {"c": {"type": "boolean"}}}}}, "required": ["b"]}},
     "required": ["a"]},
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
@pytest.mark.parametrize("full", [False, True])
def test_values_are_valid_and_the_same_every_time(schema: Any, full: bool) -> None:
    value = Values(EMPTY, full=full).of(schema, "thing")
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)
    assert value == Values(EMPTY, full=full).of(schema, "thing")


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
def test_values_stay_valid_with_the_number_of_a_request_in_them(schema: Any) -> None:
    value = json.loads(json.dumps(Values(EMPTY, unique=True).of(schema, "thing")).replace(UNIQUE, "uniq0000042"))
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "string", "example": "tea", "default": "no", "enum": ["no"]}, "tea"),
        ({"type": "string", "examples": ["first", "second"]}, "first"),
        ({"type": "integer", "default": 7, "minimum": 1}, 7),
        ({"type": "object", "example": {"a": 1}, "required": ["b"]}, {"a": 1}),
        ({"allOf": [{"type": "string", "example": "inner"}]}, "inner"),
        ({"type": "string", "x-example": "old"}, "old"),
        ({"type": "boolean", "default": None}, False),
    ],
)
def test_what_the_document_shows_comes_first(schema: Any, shown: Any) -> None:
    assert Values(EMPTY).of(schema, "thing") == shown


def test_only_what_is_required_is_sent_unless_all_is_asked_for() -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer"},
            "shown": {"type": "integer", "example": 3},
            "id": {"type": "integer", "readOnly": True},
        },
    }
    assert Values(EMPTY).of(schema, "x") == {"a": 1, "shown": 3}
    assert Values(EMPTY, full=True).of(schema, "x") == {"a": 1, "b": 1, "shown": 3}


def test_references_are_followed_and_recursion_ends() -> None:
    tree = document(Node=NODE)
    reference = {"$ref": "#/components/schemas/Node"}
    assert Values(tree).of(reference, "node") == {"name": "name"}
    assert Values(tree, full=True).of(reference, "node") == {"name": "name", "children": []}


@pytest.mark.parametrize(
    ("schemas", "schema"),
    [
        ({"Loop": {"required": ["self"], "properties": {"self": {"$ref": "#/components/schemas/Loop"}}}},
         {"$ref": "#/components/schemas/Loop"}),
        ({}, {"$ref": "#/components/schemas/Gone"}),
        ({}, {"$ref": "http://192.0.2.1/schema.json"}),
        ({}, False),
        ({}, {"type": "integer", "minimum": 5, "maximum": 4}),
        ({}, {"type": "string", "pattern": "("}),
        ({}, {"type": "string", "pattern": "^a$", "minLength": 3}),
        ({}, {"type": "string", "minLength": 10_000_000}),
        ({}, {"type": "array", "items": {}, "minItems": 1_000_000}),
        ({}, {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": True}),
        ({}, {"oneOf": [False]}),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_said_and_never_hangs(schemas: dict[str, Any], schema: Any) -> None:
    with pytest.raises(Unbuildable):
        Values(document(**schemas)).of(schema, "thing")


def test_texts_that_must_differ_carry_the_mark_and_what_is_tied_down_does_not() -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "email": {"type": "string", "format": "email"},
            "kind": {"enum": ["only"]},
            "code": {"type": "string", "pattern": "^[A-Z]+$"},
            "tiny": {"type": "string", "maxLength": 3},
        },
    }
    value = Values(EMPTY, full=True, unique=True).of(schema, "x")
    assert value["name"] == UNIQUE
    assert value["email"] == f"{UNIQUE}@example.com"
    assert (value["kind"], value["code"], value["tiny"]) == ("only", "A", "tin")


def test_an_example_is_made_unique_only_where_its_schema_leaves_it_free() -> None:
    schema = {
        "example": {"title": "Tea", "colour": "red", "more": 5},
        "properties": {"title": {"type": "string"}, "colour": {"enum": ["red"]}},
    }
    assert Values(EMPTY, unique=True).of(schema, "x") == {"title": UNIQUE, "colour": "red", "more": 5}
    assert Values(EMPTY).of(schema, "x")["title"] == "Tea"


@pytest.mark.parametrize(
    "schema",
    [{"type": "file"}, {"type": "string", "format": "binary"}, {"type": "string", "contentMediaType": "image/png"}],
)
def test_files_are_told_apart_from_texts(schema: Any) -> None:
    assert isinstance(Values(EMPTY).of(schema, "upload"), FileText)


def test_hand_written_type_names_are_understood() -> None:
    assert Values(EMPTY).of({"type": "int"}, "n") == 1
    assert Values(EMPTY).of({"type": "bool"}, "flag") is False


@given(
    st.integers(-50, 50), st.integers(0, 60), st.booleans(), st.booleans(), st.sampled_from([None, 1, 3, 7])
)  # fmt: skip
def test_numbers_lie_between_their_bounds(low: int, width: int, over: bool, under: bool, step: int | None) -> None:
    schema: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": low + width}
    if over:
        schema["exclusiveMinimum"] = schema.pop("minimum")
    if under:
        schema["exclusiveMaximum"] = schema.pop("maximum")
    if step:
        schema["multipleOf"] = step
    allowed = [number for number in range(low + over, low + width + 1 - under) if number % (step or 1) == 0]
    if not allowed:
        with pytest.raises(Unbuildable):
            number_for(schema, whole=True)
    else:
        assert number_for(schema, whole=True) in allowed


@given(st.from_regex(r"(\[[a-d0-3]{1,3}\]|\\d|\\w|x|\(a\|b\)|\.)([?*+]|\{[1-4]\})?", fullmatch=True))
def test_a_text_for_a_pattern_matches_it(part: str) -> None:
    pattern = f"^{part}$"
    assert re.search(pattern, text_matching(pattern))
