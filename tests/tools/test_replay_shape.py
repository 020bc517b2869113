"""Shapes: a superset is reflexive and transitive, a property more is never a loss, and no value is ever in one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gates.tools.replay.shape import ANY, Shape, as_json, cut, decode, encode, from_json, is_data, lost, merge, shape_of

NAMES = st.sampled_from(["a", "b", "c", "id", "a/b", "x~y"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)
# Where nothing is known (an empty list, only null, what is missing at times) a shape may stand between two that differ.
KNOWN = st.recursive(
    st.sampled_from([True, 1, "text"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=1), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=3,
)
QUICK = settings(max_examples=150, deadline=None)


@given(VALUES)
@QUICK
def test_an_answer_is_a_superset_of_itself(value: Any) -> None:
    assert lost(shape_of(value), shape_of(value)) == []


@given(VALUES, VALUES)
@QUICK
def test_what_may_be_either_allows_both(one: Any, other: Any) -> None:
    either = merge(shape_of(one), shape_of(other))
    assert lost(either, shape_of(one)) == lost(either, shape_of(other)) == []
    assert merge(shape_of(other), shape_of(one)) == either


@given(st.lists(KNOWN, min_size=3, max_size=3))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_a_superset_of_a_superset_is_one(values: list[Any]) -> None:
    first = shape_of(values[0])
    # A superset by making: of something that may be either, and of an object with one more.
    second = shape_of(values[0]) if not isinstance(values[0], dict) else shape_of({**values[0], "c": values[1]})
    third = second if not isinstance(values[0], dict) else shape_of({**values[0], "c": values[1], "d": values[2]})
    assert lost(first, second) == lost(second, third) == lost(first, third) == []
    shapes = [shape_of(one) for one in values]
    assume(not lost(shapes[0], shapes[1]) and not lost(shapes[1], shapes[2]))
    assert lost(shapes[0], shapes[2]) == []


@given(st.dictionaries(NAMES, VALUES, max_size=4), VALUES)
@QUICK
def test_a_property_more_is_no_loss_and_one_less_is(value: dict[str, Any], more: Any) -> None:
    with_more = {**value, "another": more}
    assert lost(shape_of(value), shape_of(with_more)) == []
    assert [(one.what, one.pointer) for one in lost(shape_of(with_more), shape_of(value))] == [("gone", "/another")]


@given(VALUES)
@QUICK
def test_a_shape_is_the_same_after_it_was_written_and_read(value: Any) -> None:
    shape = shape_of(value)
    assert from_json(json.loads(json.dumps(as_json(shape)))) == shape
    assert decode(encode("application/json", shape)) == ("application/json", shape)


@given(st.dictionaries(st.text(max_size=8), st.text(min_size=6, max_size=12, alphabet="QXZ"), max_size=5))
@QUICK
def test_no_value_is_in_a_shape(value: dict[str, str]) -> None:
    text = encode("application/json", shape_of([value, list(value.values())]))
    assert not [one for one in value.values() if one in text and one not in value]


@pytest.mark.parametrize(
    ("earlier", "now", "losses"),
    [
        ({"a": 1}, {}, ["/a is gone"]),
        ({"a": 1}, {"a": "1"}, ["/a was a number and is a string"]),
        ({"a": "x"}, {"a": None}, ["/a may be null now"]),
        ({"a": {"b": [1]}}, {"a": {"b": ["1"]}}, ["/a/b/* was a number and is a string"]),
        ([{"a": 1}], [{"a": 1}, {}], ["/*/a may be missing now"]),
        ({"a": {}}, {"a": []}, ["/a was an object and is an array"]),
        ({"a": 1, "b": 2}, {"b": None}, ["/a is gone", "/b may be null now"]),
        ({"a/b": 1}, {}, ["/a~1b is gone"]),
        ([], {}, ["the answer was an array and is an object"]),
        ("text", 1, ["the answer was a string and is a number"]),
        ({"4f2d9f3e-9d0a-4b1e-8f61-6b8f3a4c2e11": 1}, {"00000000-9d0a-4b1e-8f61-6b8f3a4c2e11": "x"},
         ["/* was a number and is a string"]),
    ],
)  # fmt: skip
def test_what_is_lost_is_told_with_its_place(earlier: Any, now: Any, losses: list[str]) -> None:
    assert [one.text for one in lost(shape_of(earlier), shape_of(now))] == losses


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 1.5}),
        ({"a": None}, {"a": "now known"}),
        ({"a": []}, {"a": [1]}),
        ({"a": [1]}, {"a": []}),
        ([{"a": 1}, {}], [{}]),
        ([{"a": 1}, {"a": None}], [{"a": None}]),
        ({"4f2d9f3e-9d0a-4b1e-8f61-6b8f3a4c2e11": 1}, {"00000000-9d0a-4b1e-8f61-6b8f3a4c2e11": 2}),
        ({"ada@example.org": 1}, {"bob@example.org": 2}),
        ({"2026-11-24": 1}, {"2027-01-01": 2}),
    ],
)
def test_what_is_no_loss(earlier: Any, now: Any) -> None:
    assert lost(shape_of(earlier), shape_of(now)) == []


def test_names_that_are_data_are_not_kept() -> None:
    shape = shape_of({"id": 1, "ada@example.org": {"x": 1}, "a" * 70: {"x": 2}, "0123456789abcdef0": {"x": 3}})
    assert set(shape.properties) == {"id"}
    assert shape.keys == shape_of({"x": 1})
    assert [name for name in ("id", "@type", "x-rate", "created_at", "v2") if is_data(name)] == []


def test_what_is_deep_or_large_promises_less_and_stays_small() -> None:
    deep: Any = {"end": 1}
    for _ in range(100):
        deep = {"next": deep}
    shape = shape_of(deep)
    for _ in range(12):
        shape = shape.properties["next"]
    assert shape == ANY
    wide = {f"name_{chr(97 + n % 26)}{chr(97 + n // 26)}": {"x": [{"y": {"z": n}}]} for n in range(190)}
    text = encode("application/json", shape_of({"data": [wide] * 3, "other": wide}))
    assert len(text) <= 16 * 1024
    (_, kept) = decode(text)
    assert kept is not None
    assert lost(kept, shape_of({"data": [wide], "other": wide})) == []
    assert shape_of({f"name{n}": 1 for n in range(5000)}).properties == {}


def test_a_cut_shape_promises_nothing_below() -> None:
    assert lost(cut(shape_of({"a": {"b": 1}}), 1), shape_of({"a": 5})) == []


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"type":1}', '{"type":"a","body":["x"]}', '{"type":"a","body":{"kinds":["bit"]}}',
     '{"type":"a","body":{"other":1}}', '{"type":"a","body":{"kinds":"object"}}',
     '{"type":"a","body":{"properties":3}}'],
)  # fmt: skip
def test_a_text_that_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(text)


def test_an_answer_without_json_has_a_type_only() -> None:
    assert decode(encode("text/plain", None)) == ("text/plain", None)
    assert decode(encode("application/json", Shape(frozenset({"null"})))) == (
        "application/json", Shape(frozenset({"null"})),
    )  # fmt: skip
