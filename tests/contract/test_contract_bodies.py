"""Request bodies and media types, with their ranges."""

from __future__ import annotations

import pytest
from small_documents import JSON, changes, document, edited, rules

from gates.results import Severity

TEXT = {"schema": {"type": "string"}}


def posting(body: object = None) -> dict[str, object]:
    operation: dict[str, object] = {"responses": {"200": {"description": "ok"}}}
    if body is not None:
        operation["requestBody"] = body
    return document({"/a": {"post": operation}})


def body(*media: str, **more: object) -> dict[str, object]:
    return {"content": dict.fromkeys(media, TEXT), **more}


def test_a_new_body_breaks_only_when_it_is_required() -> None:
    found = changes(posting(), posting(body(JSON, required=True)))["required-body-added"]
    assert (found.severity, found.pointer) == (Severity.HIGH, "/paths/~1a/post/requestBody")
    assert found.message == "POST /a, request body: new, and required"
    assert rules(posting(), posting(body(JSON))) == {"body-added"}


def test_a_removed_body_breaks() -> None:
    found = changes(posting(body(JSON)), posting())["body-removed"]
    assert (found.severity, found.earlier_pointer) == (Severity.HIGH, "/paths/~1a/post/requestBody")


def test_required_and_back() -> None:
    assert rules(posting(body(JSON)), posting(body(JSON, required=True))) == {"body-became-required"}
    assert rules(posting(body(JSON, required=True)), posting(body(JSON))) == {"body-became-optional"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([JSON], [JSON, "text/xml"], {"request-media-type-added"}),
        ([JSON, "text/xml"], [JSON], {"request-media-type-removed"}),
        ([JSON], ["application/json; charset=utf-8"], set()),
        ([JSON], ["Application/JSON"], set()),
        ([JSON], ["application/*"], {"request-media-type-added"}),
        ([JSON], ["*/*"], {"request-media-type-added"}),
        (["application/*"], [JSON], {"request-media-type-removed"}),
        (["text/*"], [JSON], {"request-media-type-removed", "request-media-type-added"}),
        (["application/vnd.a+json"], [JSON], {"request-media-type-removed", "request-media-type-added"}),
        ([f"{JSON};version=1"], [f"{JSON}; version=2"], {"request-media-type-removed", "request-media-type-added"}),
    ],
)
def test_media_types_and_ranges(old: list[str], new: list[str], expected: set[str]) -> None:
    assert rules(posting(body(*old)), posting(body(*new))) == expected


def test_a_schema_is_compared_with_that_of_the_range_that_holds_it() -> None:
    new = posting({"content": {"application/*": {"schema": {"type": "string", "maxLength": 5}}}})
    assert rules(posting(body(JSON)), new) == {"request-media-type-added", "request-constraint-tightened"}


def test_a_media_type_without_a_schema_takes_anything() -> None:
    old, new = posting({"content": {JSON: {}}}), posting(body(JSON))
    assert rules(old, new) == {"request-type-narrowed"}
    assert rules(new, old) == {"request-widened"}


def test_the_encoding_of_a_form() -> None:
    form = {"schema": {"type": "object"}, "encoding": {"a": {"contentType": "text/csv"}}}
    old = posting({"content": {"multipart/form-data": form}})
    other = {**form, "encoding": {"a": {"contentType": "text/xml"}}}
    new = posting({"content": {"multipart/form-data": other}})
    assert changes(old, new)["request-encoding-changed"].severity is Severity.MEDIUM
    assert rules(old, old) == set()


def test_a_shared_body_is_one_change() -> None:
    operation = {"requestBody": {"$ref": "#/components/requestBodies/B"}, "responses": {"200": {"description": "ok"}}}
    old = document({f"/{n}": {"post": operation} for n in range(5)}, components={"requestBodies": {"B": body(JSON)}})
    new = edited(old, "components", "requestBodies", "B", "required", to=True)
    found = changes(old, new)["body-became-required"]
    assert (found.pointer, len(found.operations)) == ("/components/requestBodies/B", 5)
    assert found.message.startswith("request body B: required now; affects POST /0")


def test_the_encoding_of_a_part_that_is_new_is_no_other_encoding() -> None:
    old = {"schema": {"type": "object", "properties": {"a": {}}}}
    new = {"schema": {"type": "object", "properties": {"a": {}, "b": {}}}, "encoding": {"b": {"contentType": "a/b"}}}
    documents = [posting({"content": {"multipart/form-data": form}}) for form in (old, new)]
    assert rules(*documents) == {"request-property-added"}
