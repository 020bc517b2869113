"""What must hold for any two documents: none differs from itself, places mirror, names are silent, no break is missed.

Documents are derived from the realistic one by combinations of single changes, and schemas are made at random; there
a validator of JSON Schema is the judge: a value that was allowed and is refused now must have been found.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema_rs
import pytest
import yaml
from documents import BREAKS, breaks, changed, differences, nodes, realistic, renamed, reordered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import MUTATIONS, Mutation

from gates.contract import compare_documents
from gates.document import document_of, parse_document

Json = Any
QUICK = settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
# These rewrite the whole document, so that what comes after them would not find its place.
WHOLE = ("keys_in_another_order", "rewritten_as_openapi_3_1", "path_parameter_renamed")
SINGLE = [mutation for mutation in MUTATIONS if mutation.name not in WHOLE]


def combined(mutations: list[Mutation]) -> Json:
    """Return the realistic document after several changes; one that finds its place gone is left out."""
    content = realistic()
    for mutation in mutations:
        attempt = copy.deepcopy(content)
        try:
            mutation.apply(attempt)
        except (KeyError, IndexError, ValueError, StopIteration, TypeError, AttributeError):
            continue
        content = attempt
    return content


some = st.lists(st.sampled_from(SINGLE), max_size=6, unique_by=lambda mutation: mutation.name)
documents = some.map(combined)


@QUICK
@given(documents)
def test_nothing_differs_from_itself_however_it_is_written(content: Json) -> None:
    written = json.dumps(content)
    assert differences(content, json.loads(written)) == ()
    assert differences(content, reordered(content)) == ()
    as_yaml = parse_document(yaml.safe_dump(json.loads(written), sort_keys=False))
    assert as_yaml.content == content
    assert tuple(compare_documents(parse_document(written), as_yaml).changes) == ()


@QUICK
@given(documents, documents)
def test_the_same_two_documents_give_the_same_differences_each_once(old: Json, new: Json) -> None:
    found = differences(old, new)
    again = differences(json.loads(json.dumps(old)), json.loads(json.dumps(reordered(new))))
    assert {change.fingerprint: seen(change) for change in found} == {one.fingerprint: seen(one) for one in again}
    assert len({change.fingerprint for change in found}) == len(found)
    assert [seen(change) for change in found] == [seen(change) for change in differences(old, new)]


def seen(change: Any) -> tuple[object, ...]:
    return (change.rule, change.severity, change.message, change.pointer, change.earlier_pointer)


@QUICK
@given(documents, documents)
def test_words_do_not_touch_a_fingerprint(old: Json, new: Json) -> None:
    worded = copy.deepcopy(new)
    for number, node in enumerate(nodes(worded)):
        for key in ("description", "summary", "title"):
            if isinstance(node.get(key), str):
                node[key] = f"Other words, {number}."
    fingerprints = {change.fingerprint for change in breaks(old, new)}
    assert {change.fingerprint for change in breaks(old, worded)} == fingerprints


COMPONENTS = [
    (kind, name)
    for kind in ("schemas", "parameters", "responses", "requestBodies", "headers")
    for name in realistic()["components"][kind]
]


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_a_component_by_another_name_is_no_difference(kind: str, name: str) -> None:
    def rename(content: Json) -> None:
        renamed(content, kind, name, "Zebra")

    found = differences(realistic(), changed(rename))
    assert [(change.rule, change.message) for change in found] == []


@QUICK
@given(documents, st.data())
def test_any_components_by_other_names_are_no_difference(content: Json, data: st.DataObject) -> None:
    other = copy.deepcopy(content)
    for kind, name in data.draw(st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=8, unique=True)):
        if name in content["components"][kind]:
            renamed(other, kind, name, f"{name}Renamed")
    assert [(change.rule, change.message) for change in differences(content, other)] == []


def places(change: Any) -> tuple[str, str]:
    return change.earlier_pointer, change.pointer


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_there_and_back_speak_of_the_same_places(mutation: Mutation) -> None:
    old, new = realistic(), changed(mutation.apply)
    there = {places(change) for change in differences(old, new)}
    back = {places(change)[::-1] for change in differences(new, old)}
    # A break asks for another version, and what breaks on the way there does not on the way back.
    there, back = ({pair for pair in both if "/info/version" not in pair} for both in (there, back))
    assert there == back


ADDED = [
    mutation
    for mutation in MUTATIONS
    if not mutation.breaking
    and mutation.name
    in (
        "optional_parameter_added", "optional_header_added_to_the_path", "optional_request_property_added",
        "property_of_an_answer_added", "required_property_of_an_answer_added", "media_type_of_an_answer_added",
        "request_media_type_added", "header_of_an_answer_added", "operation_added", "path_added",
        "security_alternative_added", "alternative_of_a_request_added", "request_enum_value_added",
    )
]  # fmt: skip


@pytest.mark.parametrize("mutation", ADDED, ids=lambda mutation: mutation.name)
def test_what_may_be_added_may_not_be_taken_away(mutation: Mutation) -> None:
    old, new = realistic(), changed(mutation.apply)
    assert breaks(old, new) == ()
    (removed,) = breaks(new, old)
    assert removed.earlier_pointer
    assert any(change.pointer == removed.earlier_pointer for change in differences(old, new))


# --- Random schemas, judged by a validator

texts = st.sampled_from(["", "a", "ab", "abc", "abcd", "abcde", "zz"])
bounds = st.integers(0, 5)


def with_bounds(lower: str, upper: str, kind: str) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"type": st.just(kind)}, optional={lower: bounds, upper: bounds.map(lambda n: n + 3)})


leaves = st.one_of(
    with_bounds("minLength", "maxLength", "string"),
    with_bounds("minimum", "maximum", "integer"),
    with_bounds("minimum", "exclusiveMaximum", "number"),
    st.fixed_dictionaries({"enum": st.lists(texts, min_size=1, max_size=4, unique=True)}),
    st.fixed_dictionaries({"type": st.just("integer"), "multipleOf": st.sampled_from([2, 3, 4])}),
    st.just({"type": "boolean"}),
    st.just({"type": ["string", "null"]}),
    st.just({"type": ["integer", "string"]}),
    st.just({"const": "abc"}),
    st.just({}),
)
names = st.sampled_from(["a", "b", "c"])


def grown(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(names, inner, max_size=3)},
        optional={
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(2, 4),
        },
    )
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"minItems": st.integers(0, 2), "maxItems": st.integers(1, 4), "uniqueItems": st.booleans()},
    )
    together = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        objects, objects, lists,
        together.map(lambda parts: {"allOf": parts}), together.map(lambda parts: {"anyOf": parts}),
    )  # fmt: skip


schemas = st.recursive(leaves, grown, max_leaves=6)


@st.composite
def edited(draw: st.DrawFn, schema: Json) -> Json:
    """Return a schema with one part exchanged, added or removed, at any depth."""
    other = copy.deepcopy(schema)
    parts = [node for node in nodes(other) if "type" in node or "enum" in node or "allOf" in node or "anyOf" in node]
    if not parts or draw(st.integers(0, 9)) == 0:
        return draw(schemas)
    node = draw(st.sampled_from(parts))
    replacement = draw(leaves) if draw(st.booleans()) else {}
    if draw(st.booleans()) and len(node) > 1:
        del node[draw(st.sampled_from([key for key in node if key != "type"] or list(node)))]
    elif node.get("type") == "object" and draw(st.booleans()):
        node["required"] = sorted({*node.get("required", ()), draw(names)})
    else:
        node.clear()
        node.update(replacement)
    return other


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 9), st.sampled_from([0.5, 2.5, 4.0]), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=6,
)


def conforming(schema: Json) -> st.SearchStrategy[Json]:
    """Return values that mostly are what a schema asks for: those made of any kind hardly ever hit one."""
    if not isinstance(schema, dict):
        return values
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for key in ("allOf", "anyOf"):
        if key in schema:
            return st.one_of([conforming(part) for part in schema[key]])
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        needed = {name: conforming(properties.get(name, {})) for name in schema.get("required", ())}
        rest = {name: conforming(one) for name, one in properties.items() if name not in needed}
        known = st.fixed_dictionaries(needed, optional=rest)
        extra = conforming(schema["additionalProperties"]) if "additionalProperties" in schema else values
        return st.tuples(st.dictionaries(names, extra, max_size=1), known).map(lambda both: {**both[0], **both[1]})
    if kind == "array":
        return st.lists(conforming(schema.get("items", {})), max_size=4)
    simple = {"string": texts, "integer": st.integers(-1, 9), "number": st.one_of(st.integers(-1, 9), st.just(2.5)),
              "boolean": st.booleans(), "null": st.none()}  # fmt: skip
    kinds = kind if isinstance(kind, list) else [kind] if kind else []
    return st.one_of([simple[one] for one in kinds]) if kinds else values


def around(schema: Json, direction: str) -> Json:
    """Return a document of one operation that receives or answers what a schema says."""
    media = {"content": {"application/json": {"schema": schema}}}
    post: Json = {"responses": {"200": {"description": "Done."}}}
    if direction == "request":
        post["requestBody"] = {"required": True, **media}
    else:
        post["responses"]["200"] = {"description": "Done.", **media}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/things": {"post": post}}}


@settings(QUICK, max_examples=300)
@given(st.data())
def test_a_value_that_is_not_allowed_any_more_was_found(data: st.DataObject) -> None:
    narrow = data.draw(schemas, label="one")
    wide = data.draw(edited(narrow), label="other")
    if data.draw(st.booleans()):
        narrow, wide = wide, narrow
    value = data.draw(st.one_of(conforming(wide), values), label="value")
    if not jsonschema_rs.is_valid(wide, value) or jsonschema_rs.is_valid(narrow, value):
        return
    # A request that was allowed is refused now; an answer comes now that was not promised.
    for direction, old, new in (("request", wide, narrow), ("answer", narrow, wide)):
        found = differences(around(old, direction), around(new, direction))
        assert any(change.severity in BREAKS for change in found), f"{direction}: {json.dumps(value)} tells them apart"


LIMITS = {
    "type", "enum", "const", "minLength", "maxLength", "minimum", "maximum", "exclusiveMaximum", "multipleOf",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
}  # fmt: skip


@settings(QUICK, max_examples=200)
@given(st.data())
def test_a_limit_less_is_no_break_in_a_request_and_one_more_none_in_an_answer(data: st.DataObject) -> None:
    narrow = data.draw(schemas, label="narrow")
    wide = copy.deepcopy(narrow)
    limited = [(node, key) for node in nodes(wide) for key in node if key in LIMITS and not isinstance(node[key], dict)]
    if not limited:
        return
    node, key = data.draw(st.sampled_from(limited))
    del node[key]
    for direction, old, new in (("request", narrow, wide), ("answer", wide, narrow)):
        found = breaks(around(old, direction), around(new, direction))
        assert [(change.rule, change.message) for change in found] == [], f"{direction}: without {key}"


@settings(QUICK, max_examples=100)
@given(schemas)
def test_a_random_schema_does_not_differ_from_itself(schema: Json) -> None:
    for direction in ("request", "answer"):
        assert differences(around(schema, direction), around(copy.deepcopy(schema), direction)) == ()
        document_of(around(schema, direction))
