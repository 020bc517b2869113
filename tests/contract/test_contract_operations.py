"""Operations: removed, added, moved between servers and paths, renamed, deprecated; callbacks and webhooks."""

from __future__ import annotations

import pytest
from small_documents import JSON, answering, changes, compared, document, edited, rules

from gates.results import Severity

OK = {"responses": {"200": {"description": "ok"}}}
TWO = document({"/a": {"get": OK, "post": OK}, "/b/{id}": {"delete": OK}})


def test_a_removed_operation_breaks_and_an_added_one_does_not() -> None:
    one = edited(TWO, "paths", "/a", "post")
    found = changes(TWO, one)["operation-removed"]
    assert found.severity is Severity.HIGH
    assert found.message == "POST /a: gone, and it was not deprecated before"
    assert (found.operation, found.operations) == ("POST /a", ("POST /a",))
    assert (found.pointer, found.earlier_pointer) == ("/paths", "/paths/~1a/post")
    added = changes(one, TWO)["operation-added"]
    assert added.severity is Severity.INFO
    assert (added.pointer, added.earlier_pointer) == ("/paths/~1a/post", "/paths")


def test_a_removed_path_is_a_change_for_each_of_its_operations() -> None:
    found = compared(TWO, edited(TWO, "paths", "/a")).breaking
    assert [change.operation for change in found] == ["GET /a", "POST /a"]
    assert len({change.fingerprint for change in found}) == 2


def test_what_was_deprecated_before_is_told_as_such() -> None:
    old = document({"/a": {"get": {**OK, "deprecated": True}}})
    assert changes(old, document())["operation-removed"].message == "GET /a: gone, after it was deprecated"


@pytest.mark.parametrize("path", ["/b/{key}", "/b/{ID}"])
def test_names_of_path_parameters_are_nobodys_business(path: str) -> None:
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    old = document({"/b/{id}": {"parameters": [parameter], "get": OK}})
    new = document({path: {"parameters": [{**parameter, "name": path[4:-1]}], "get": OK}})
    assert rules(old, new) == set()


def test_another_literal_segment_is_another_path() -> None:
    old, new = document({"/b/{id}": {"get": OK}}), document({"/b/{id}/": {"get": OK}})
    assert rules(old, new) == {"operation-removed", "operation-added"}


def servers(*urls: str, **variables: object) -> list[dict[str, object]]:
    return [{"url": url, **({"variables": variables} if variables else {})} for url in urls]


def test_a_prefix_that_moved_from_the_servers_into_the_paths_is_silent() -> None:
    old = document({"/a": {"get": OK}}, servers=servers("https://example.org/api/v1/"))
    new = document({"/api/v1/a": {"get": OK}}, servers=servers("https://example.org"))
    assert rules(old, new) == set()
    assert rules(new, old) == set()


def test_a_changed_base_path_is_one_break_of_all_operations() -> None:
    old = document(TWO["paths"], servers=servers("https://example.org/v1"))
    new = document(TWO["paths"], servers=servers("https://example.org/v2"))
    found = changes(old, new)
    assert set(found) == {"base-path-changed"}
    assert found["base-path-changed"].operations == ("GET /a", "POST /a", "DELETE /b/{id}")
    assert found["base-path-changed"].pointer == "/servers"
    assert "`/v1`" in found["base-path-changed"].message


def test_a_further_server_is_no_break_and_a_lost_one_is() -> None:
    old = document({"/a": {"get": OK}}, servers=servers("/v1"))
    new = document({"/a": {"get": OK}}, servers=servers("/v2", "/v1"))
    assert rules(old, new) == set()
    assert rules(new, old) == {"base-path-changed"}


def test_variables_of_a_server_stand_for_all_their_values() -> None:
    variable = {"default": "v2", "enum": ["v1", "v2"]}
    old = document({"/a": {"get": OK}}, servers=servers("/v1"))
    new = document({"/a": {"get": OK}}, servers=servers("/{base}", base=variable))
    assert rules(old, new) == set()


def test_servers_of_paths_and_operations_go_first() -> None:
    old = document({"/a": {"get": OK, "servers": servers("/v1")}}, servers=servers("/v0"))
    new = document({"/a": {"get": {**OK, "servers": servers("/v1")}}}, servers=servers("/v9"))
    assert rules(old, new) == set()
    moved = document({"/a": {"get": {**OK, "servers": servers("/v3")}}}, servers=servers("/v9"))
    assert rules(old, moved) == {"base-path-changed"}


def test_another_host_is_told_and_loopback_is_no_host() -> None:
    old = document({"/a": {"get": OK}}, servers=servers("https://one.example.org"))
    assert rules(old, document({"/a": {"get": OK}}, servers=servers("https://two.example.org"))) == {"servers-changed"}
    local = [document({"/a": {"get": OK}}, servers=servers(f"http://127.0.0.1:{port}")) for port in (80, 81)]
    assert rules(local[0], local[1]) == set()


def test_the_operation_id_is_for_generated_clients() -> None:
    old = document({"/a": {"get": {**OK, "operationId": "one"}}})
    found = changes(old, edited(old, "paths", "/a", "get", "operationId", to="two"))
    assert found["operation-id-changed"].severity is Severity.INFO
    assert rules(document({"/a": {"get": OK}}), old) == set()


def test_deprecated_and_back_again() -> None:
    old = document({"/a": {"get": OK}})
    new = document({"/a": {"get": {**OK, "deprecated": True}}})
    assert changes(old, new)["deprecated"].severity is Severity.INFO
    assert rules(new, old) == {"no-longer-deprecated"}


def test_deprecated_without_a_sunset_is_told_where_it_is_asked_for() -> None:
    old = document({"/a": {"get": OK}})
    new = document({"/a": {"get": {**OK, "deprecated": True}}})
    wanted = {"contract.deprecated-without-sunset": Severity.MEDIUM}
    assert [change.rule for change in compared(old, new, wanted).may_break] == ["contract.deprecated-without-sunset"]
    dated = edited(new, "paths", "/a", "get", "x-sunset", to="2030-01-01")
    assert compared(old, dated, wanted).may_break == ()


def test_a_rule_can_be_turned_off_or_called_otherwise() -> None:
    one = edited(TWO, "paths", "/a", "post")
    assert compared(TWO, one, {"contract.operation-removed": None}).changes == ()
    found = compared(TWO, one, {"contract.operation-removed": Severity.LOW}).changes
    assert [change.severity for change in found] == [Severity.LOW]


def test_a_path_item_may_stand_elsewhere() -> None:
    old = document({"/a": {"get": OK}})
    new = document({"/a": {"$ref": "#/components/pathItems/A"}}, components={"pathItems": {"A": {"get": OK}}})
    assert rules(old, new) == set()
    less = edited(new, "components", "pathItems", "A", "get")
    assert rules(new, less) == {"operation-removed"}


def event(schema: object, **more: object) -> dict[str, object]:
    return {"post": {"requestBody": {"content": {JSON: {"schema": schema}}}, **OK, **more}}


def test_in_a_webhook_the_directions_are_reversed() -> None:
    closed, wider = {"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a", "b"]}
    old, new = document(webhooks={"made": event(closed)}), document(webhooks={"made": event(wider)})
    found = changes(old, new)
    assert set(found) == {"response-enum-value-added"}
    assert found["response-enum-value-added"].operations == ("webhook made (POST)",)
    assert rules(new, old) == {"response-narrowed"}


def test_what_answers_a_webhook_is_written_by_the_client() -> None:
    def answer(schema: object) -> dict[str, object]:
        return event({}, responses={"200": {"description": "ok", "content": {JSON: {"schema": schema}}}})

    old = document(webhooks={"made": answer({"type": "object", "properties": {"a": {}}})})
    new = document(webhooks={"made": answer({"type": "object", "properties": {"a": {}}, "required": ["a"]})})
    assert rules(old, new) == {"property-became-required"}


def test_webhooks_and_callbacks_that_go_break() -> None:
    old = document(webhooks={"made": event({}), "gone": event({})})
    new = document(webhooks={"made": event({})})
    assert changes(old, new)["callback-removed"].severity is Severity.HIGH
    assert changes(new, old)["callback-added"].severity is Severity.INFO
    plain = document({"/a": {"post": OK}})
    calling = document({"/a": {"post": {**OK, "callbacks": {"done": {"{$request.body#/url}": event({})}}}}})
    found = changes(calling, plain)["callback-removed"]
    assert found.operation == "POST /a"
    assert rules(plain, calling) == {"callback-added"}


def test_callbacks_are_compared_inside() -> None:
    def calling(schema: object, expression: str) -> dict[str, object]:
        return document({"/a": {"post": {**OK, "callbacks": {"done": {expression: event(schema)}}}}})

    old = calling({"type": "string", "maxLength": 5}, "{$request.body#/url}")
    new = calling({"type": "string"}, "{$request.body#/callback}")
    assert rules(old, new) == {"response-constraint-loosened"}


def test_a_document_is_no_different_from_itself() -> None:
    for one in (TWO, answering({"type": "string"})):
        assert compared(one, one).changes == ()
