from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from traffic_documents import document

from gates.document import operation_of
from gates.traffic.router import Router

SEGMENTS = st.sampled_from(
    ["a", "b", "{x}", "{y}", "{x}.json", "v{x}", "{x}-{y}", "{x}{y}", "a{x}b{y}c", "{}", "", "ü"]
)
ASKED = st.sampled_from(
    ["a", "b", "c", "a.json", "v1", "1-2", "-", "ab", "aXbYc", "abc", "abbc", "{}", "", "ü", "a-b-c"]
)


@given(
    paths=st.lists(st.lists(SEGMENTS, min_size=1, max_size=3), min_size=1, max_size=8),
    asked=st.lists(ASKED, min_size=1, max_size=3),
    base=st.sampled_from(["", "/a"]),
)
@example(paths=[["{x}", "b"], ["a", "{x}"]], asked=["a", "b"], base="")
@example(paths=[["{x}-{y}"]], asked=["-1"], base="")
def test_it_finds_what_the_document_finds(paths: list[list[str]], asked: list[str], base: str) -> None:
    here = document(*(f"GET /{'/'.join(path)}" for path in paths), base=base)
    path = f"{base}/{'/'.join(asked)}"
    found, expected = Router(here).find("GET", path), operation_of(here, "get", path)
    assert (found and found.name) == (expected and expected.name)


def test_methods_are_kept_apart_and_a_slash_at_the_end_is_forgiven() -> None:
    router = Router(document("GET /orders", "POST /orders/", "GET /orders/{id}"))
    assert router.find("POST", "/orders") is None
    found = router.find_loosely("POST", "/orders")
    assert found is not None
    assert found.name == "POST /orders/"
    assert router.find_loosely("DELETE", "/orders") is None
    assert router.template_of("/orders/7/") == "/orders/{id}"
    assert router.template_of("/nothing") is None


@pytest.mark.parametrize("segment", ["{a}{b}{c}{d}{e}{f}{g}{h}x", "{a}-{b}-{c}-{d}-{e}-{f}-{g}x"])
def test_a_hostile_template_costs_no_more_than_another(segment: str) -> None:
    router = Router(document(f"GET /{segment}"))
    for length in range(3_000, 3_030):
        assert router.find("GET", "/" + "a-" * length) is None  # by a regular expression this would not end


def test_thousands_of_paths_that_look_alike_are_told_apart() -> None:
    names = [f"GET /things/{number}/{{id}}/part{number}" for number in range(5_000)]
    router = Router(document(*names))
    for number in (0, 2_500, 4_999):
        found = router.find("GET", f"/things/{number}/x/part{number}")
        assert found is not None
        assert found.name == names[number]
    assert router.find("GET", "/things/1/x/part2") is None
