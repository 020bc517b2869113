"""Parameters: added, removed, required, written in another way, and by what they are the same."""

from __future__ import annotations

import pytest
from small_documents import asking, changes, compared, document, edited, query, rules

from gates.results import Severity

LIMIT = query("limit", {"type": "integer"})


def header(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "in": "header", "schema": {"type": "string"}, **more}


def test_a_new_parameter_breaks_only_when_it_is_required() -> None:
    found = changes(asking(), asking({**LIMIT, "required": True}))["required-parameter-added"]
    assert found.severity is Severity.HIGH
    assert found.message == "GET /things, query parameter limit: new, and required"
    assert found.pointer == "/paths/~1things/get/parameters/0"
    assert found.earlier_pointer == "/paths/~1things/get"
    assert changes(asking(), asking(LIMIT))["parameter-added"].severity is Severity.INFO


def test_a_removed_parameter_may_break() -> None:
    found = changes(asking(LIMIT), asking())["parameter-removed"]
    assert found.severity is Severity.MEDIUM
    assert found.earlier_pointer == "/paths/~1things/get/parameters/0"


def test_required_and_back() -> None:
    needed = {**LIMIT, "required": True}
    assert rules(asking(LIMIT), asking(needed)) == {"parameter-became-required"}
    assert rules(asking(needed), asking(LIMIT)) == {"parameter-became-optional"}


def test_headers_have_no_case_and_some_are_said_otherwise() -> None:
    assert rules(asking(header("X-Trace")), asking(header("x-trace"))) == set()
    for name in ("Accept", "Content-Type", "Authorization"):
        assert rules(asking(), asking(header(name, required=True))) == set()


def test_another_place_is_another_parameter() -> None:
    assert rules(asking(query("q")), asking(header("q"))) == {"parameter-removed", "parameter-added"}


def test_the_order_of_parameters_does_not_matter() -> None:
    assert rules(asking(LIMIT, query("q")), asking(query("q"), LIMIT)) == set()


def test_parameters_of_the_path_item_hold_for_each_operation() -> None:
    ok = {"responses": {"200": {"description": "ok"}}}
    shared = document({"/a": {"parameters": [LIMIT], "get": ok, "delete": ok}})
    own = document({"/a": {"get": {**ok, "parameters": [LIMIT]}, "delete": {**ok, "parameters": [LIMIT]}}})
    assert rules(shared, own) == set()
    tight = edited(shared, "paths", "/a", "parameters", 0, "required", to=True)
    found = changes(shared, tight)["parameter-became-required"]
    assert found.operations == ("GET /a", "DELETE /a")
    assert found.pointer == "/paths/~1a/parameters/0"
    gone = changes(shared, edited(shared, "paths", "/a", "parameters", to=[]))["parameter-removed"]
    assert gone.operations == ("GET /a", "DELETE /a")


def test_an_operations_own_parameter_goes_first() -> None:
    ok = {"responses": {"200": {"description": "ok"}}}
    old = document({"/a": {"parameters": [LIMIT], "get": {**ok, "parameters": [query("limit", {"type": "string"})]}}})
    new = edited(old, "paths", "/a", "parameters", to=[])
    assert rules(old, new) == set()


def test_a_shared_parameter_is_one_change() -> None:
    operation = {"parameters": [{"$ref": "#/components/parameters/Limit"}], "responses": {"200": {"description": "ok"}}}
    old = document(
        {f"/{number}": {"get": operation} for number in range(20)}, components={"parameters": {"Limit": LIMIT}}
    )
    new = edited(old, "components", "parameters", "Limit", "required", to=True)
    found = changes(old, new)["parameter-became-required"]
    assert len(found.operations) == 20
    assert found.pointer == found.earlier_pointer == "/components/parameters/Limit"
    assert found.message == (
        "query parameter limit: required now; affects GET /0, GET /1, GET /2 and 17 more operations"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"style": "form"}, {}, set()),
        ({"explode": True}, {}, set()),
        ({"explode": False}, {}, {"parameter-serialization-changed"}),
        ({"style": "pipeDelimited"}, {"style": "spaceDelimited"}, {"parameter-serialization-changed"}),
        ({}, {"allowReserved": True}, {"request-widened"}),
        ({"allowReserved": True}, {}, {"parameter-serialization-changed"}),
        ({"allowEmptyValue": True}, {}, {"request-constraint-tightened"}),
        ({}, {"allowEmptyValue": True}, {"request-widened"}),
    ],
)
def test_how_a_list_is_written(old: dict[str, object], new: dict[str, object], expected: set[str]) -> None:
    listed = {"type": "array", "items": {"type": "string"}}
    assert rules(asking(query("ids", listed, **old)), asking(query("ids", listed, **new))) == expected


def test_how_a_single_value_is_exploded_does_not_matter() -> None:
    assert rules(asking(query("q", explode=False)), asking(query("q", explode=True))) == set()


def test_the_style_in_a_path_matters_for_single_values_too() -> None:
    def styled(style: str) -> dict[str, object]:
        return {"name": "id", "in": "path", "required": True, "style": style, "schema": {"type": "string"}}

    old, new = asking(styled("simple"), path="/a/{id}"), asking(styled("matrix"), path="/a/{id}")
    assert rules(old, new) == {"parameter-serialization-changed"}


def test_a_parameter_as_a_media_type() -> None:
    as_json = {"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "string"}}}}
    assert rules(asking(query("q")), asking(as_json)) == {"parameter-serialization-changed"}
    as_text = {"name": "q", "in": "query", "content": {"text/plain": {"schema": {"type": "string"}}}}
    assert rules(asking(as_json), asking(as_text)) == {"parameter-serialization-changed"}
    longer = {
        "name": "q",
        "in": "query",
        "content": {"application/json": {"schema": {"type": "string", "minLength": 2}}},
    }
    assert rules(asking(as_json), asking(longer)) == {"request-constraint-tightened"}


def test_as_text_every_number_is_a_text() -> None:
    number, text = query("q", {"type": "integer"}), query("q", {"type": "string"})
    assert rules(asking(number), asking(text)) == {"request-widened"}
    assert rules(asking(text), asking(number)) == {"request-type-narrowed"}


@pytest.mark.parametrize(
    ("old", "new", "rule", "severity"),
    [
        (20, 50, "default-changed", Severity.MEDIUM),
        (20, None, "default-changed", Severity.MEDIUM),
        (None, 20, "default-added", Severity.INFO),
        (20, 20.0, None, None),
    ],
)
def test_defaults(old: object, new: object, rule: str | None, severity: Severity | None) -> None:
    one, other = (
        asking(query("limit", {"type": "integer", **({} if value is None else {"default": value})}))
        for value in (old, new)
    )
    found = changes(one, other)
    assert set(found) == ({rule} if rule else set())
    assert [change.severity for change in found.values()] == ([severity] if severity else [])


def test_the_default_of_what_is_required_is_never_used() -> None:
    one, other = (asking(query("q", {"type": "string", "default": value}, required=True)) for value in "ab")
    assert rules(one, other) == set()


def test_a_parameter_can_be_deprecated() -> None:
    assert rules(asking(LIMIT), asking({**LIMIT, "deprecated": True})) == {"deprecated"}


def test_path_parameters_belong_together_by_where_they_stand() -> None:
    def with_type(name: str, kind: str) -> dict[str, object]:
        return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}

    old = asking(with_type("a", "integer"), with_type("b", "string"), path="/x/{a}/{b}")
    new = asking(with_type("b", "string"), with_type("a", "integer"), path="/x/{b}/{a}")
    found = compared(old, new)
    assert {change.rule for change in found.changes if change.rule != "contract.major-version"} == {
        "contract.request-widened",
        "contract.request-type-narrowed",
    }


def test_a_path_parameter_that_is_not_described_is_there_all_the_same() -> None:
    described = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    assert rules(asking(path="/a/{id}"), asking(described, path="/a/{id}")) == set()
