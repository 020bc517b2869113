"""What was told wrongly of documents by others, each as small as it gets: it has to stay untold.

And beside each what is like it, and is rightly told, so that no rule is silenced by its exceptions.
"""

from __future__ import annotations

import pytest
from rest_samples import Json, answer, body, found, get, operation, post, query, thing

NO_SERVERS: Json = {"servers": []}
EMPTY_FORM = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {}}}}}


@pytest.mark.parametrize(
    ("rule", "untold", "told"),
    [
        # A token for removal, a list of checks before sending, a queue of what is tried again.
        ("rest.noun-path", post("/runners/remove-token"), post("/runners/remove-runner")),
        ("rest.noun-path", get("/campaigns/{id}/send-checklist"), get("/campaigns/{id}/sendChecklist")),
        ("rest.action-path", post("/envelopes/{id}/retry_queue"), post("/envelopes/{id}/retry_envelope")),
        ("rest.action-path", post("/tokens/{id}/provision-token"), post("/tokens/{id}/provision")),
        # The timeline of a list, not a list of timelines.
        ("rest.noun-path", get("/timelines/list/{list_id}"), get("/users/list/{flag}")),
        # Behind `actions` a verb is meant; the policy for actions speaks of it.
        ("rest.noun-path", post("/servers/{id}/actions/create_image"), post("/servers/{id}/create_image")),
        # What can be taken back where it was put is a resource.
        ("rest.action-path", {"/repos/{id}/lock": {"delete": operation("204")}}, post("/repos/{id}/lock")),
        ("rest.action-path", {"/classes/{id}/archive": {"delete": operation("204"), "post": operation()}},
         post("/classes/{id}/archive")),
        # One calendar with many events, one stream, a period; a parameter that is not about the segment.
        ("rest.plural-collection", get("/characters/{id}/calendar/{event_id}"), get("/calendar/{calendar_id}")),
        ("rest.plural-collection", get("/stream/{n}"), get("/stream/{id}")),
        ("rest.plural-collection", get("/instances/{id}/transfer/{year}/{month}"), get("/transfer/{transferId}")),
        ("rest.plural-collection", get("/projects/user/{user_id}"), get("/user/{user_id}")),
        ("rest.plural-collection", get("/timelines/tag/{hashtag}"), get("/tag/{id}")),
        ("rest.plural-collection", get("/tags/protection/{id}"), get("/subscription/{id}")),
        ("rest.plural-collection", get("/carts/{id}/checkGiftCard/{giftCardCode}"), get("/giftCard/{giftCardCode}")),
        # Keys of an example that stand in the path as they are.
        ("rest.path-case", get("/a-b", "/c-d", "/keys/kN2aK9EO8a7b627e425717d9196c"), get("/a-b", "/c-d",
        "/keys/kNaK")),
        # Verbs are told of by their own rule, and have no part in the style of the others.
        ("rest.path-case", {**post("/tasks/addTag", "/tasks/removeTag"), **get("/task_lists")},
         get("/task_lists", "/task_tags", "/taskMaps")),
        ("rest.depth", post("/a/{a}/b/{b}/c/{c}/restore"), post("/a/{a}/b/{b}/c/{c}/logs")),
        ("rest.file-extension", get("/oidc/keys.json", "/spi/3.1/GI.xml"), get("/orders.json")),
        # Empty bodies that generators write.
        ("rest.get-body", {"/charges": {"get": operation(requestBody=EMPTY_FORM)}},
         {"/charges": {"get": operation(requestBody=body(thing("ids")))}}),
        ("rest.no-content", {"/jobs/{id}": {"delete": {"responses": {"204": answer({})}}}},
         {"/jobs/{id}": {"delete": {"responses": {"204": answer(thing("id"))}}}}),
        ("rest.no-content", {"/jobs/{id}": {"delete": {"responses": {"204": answer({"nullable": True})}}}},
         {"/jobs/{id}": {"delete": {"responses": {"204": answer({"type": "string"})}}}}),
        # It makes nothing that stays: it is read by its operationId.
        ("rest.safe-get", {"/songs/{id}/mix": {"get": operation(summary="Creates an instant mix",
        operationId="GetMix")}},
         {"/songs/{id}/mix": {"get": operation(summary="Creates an instant mix", operationId="InstantMix")}}),
        ("rest.item-post", {"/snippets": {"get": operation()}, "/snippets/{workspace}": {
            "get": operation(), "post": operation(summary="Create a snippet")}},
         {"/snippets": {"get": operation()}, "/snippets/{id}": {"get": operation(), "post": operation()}}),
        # The labels of an issue are replaced as a whole.
        ("rest.collection-put", {"/issues/{id}/labels": {"put": operation(), "post": operation("201")},
                                 "/issues/{id}/labels/{name}": {"get": operation()}},
         {"/labels": {"put": operation(), "post": operation("201")}, "/labels/{name}": {"get": operation()}}),
        ("rest.create-status", {"/nodes/{n}/proxy": {method: operation() for method in ("get", "put", "patch", "post")},
                                "/nodes/{n}/proxy/{path}": {"get": operation()}},
         {"/nodes": {"post": operation()}, "/nodes/{n}": {"get": operation()}}),
    ],
)  # fmt: skip
def test_what_was_wrongly_told_stays_untold_and_its_like_is_told(rule: str, untold: Json, told: Json) -> None:
    assert found(rule, untold) == []
    assert len(found(rule, told)) == 1


@pytest.mark.parametrize("url", ["https://a.example/api/1.0", "https://a.example/2.0", "https://a.example/rest/api/3"])
def test_a_version_may_be_a_number(url: str) -> None:
    assert found("rest.version-prefix", get("/tasks"), servers=[{"url": url}]) == []
    assert len(found("rest.version-prefix", get("/tasks"), servers=[{"url": "https://a.example/latest"}])) == 1


def test_a_version_may_stand_behind_a_tenant_and_has_none_above_it() -> None:
    assert found("rest.version-prefix", get("/{tenant}/v2/users"), **NO_SERVERS) == []
    entries = get("/apis/", "/apis/apps/", "/apis/apps/v1/deployments", "/healthcheck", "/version/")
    assert found("rest.version-prefix", entries, **NO_SERVERS) == []
    assert len(found("rest.version-prefix", {**entries, **get("/apis/batch")}, **NO_SERVERS)) == 1


def test_credentials_in_a_query_are_those_that_let_in() -> None:
    def scheme(name: str) -> Json:
        return {"securitySchemes": {"Sudo": {"type": "apiKey", "in": "query", "name": name}}}

    assert found("rest.secret-in-query", {}, components=scheme("sudo")) == []
    assert len(found("rest.secret-in-query", {}, components=scheme("private_token"))) == 1


def test_path_parameters_are_not_compared_with_those_of_queries() -> None:
    paths = {
        f"/a/{{userId}}/b/{{orderId}}/{n}": {"get": operation(parameters=query("page_size", "sort_by"))} for n in "xy"
    }
    assert found("rest.parameter-case", paths) == []


@pytest.mark.parametrize(
    "name", ["access_token", "grant_type", "redirect_uri", "x-kubernetes-list-type", "session_state"]
)
def test_names_of_protocols_have_their_own_style(name: str) -> None:
    def named(*names: str) -> Json:
        return {"/a": {"get": {"responses": {"200": answer(thing(*names))}}}}

    assert found("rest.property-case", named("firstName", "lastName", name)) == []
    assert len(found("rest.property-case", named("firstName", "lastName", "zip_code"))) == 1


def test_a_form_is_no_json() -> None:
    form = {"requestBody": body(thing("FriendlyName", "StatusUrl"), "application/x-www-form-urlencoded")}
    paths = {"/a": {"post": {**form, "responses": {"201": answer(thing("friendly_name", "status_url", "date_sent"))}}}}
    assert found("rest.property-case", paths) == []


def test_generated_operation_ids_have_no_style() -> None:
    ids = ("circuits_circuit-types_list", "dcim_list", "dcim_sites_list", "extras_tags_read")
    paths = {f"/{n}": {"get": operation(operationId=name)} for n, name in enumerate(ids)}
    assert found("rest.operation-id-case", paths) == []


def test_what_does_not_grow_needs_no_pages() -> None:
    bare = {"responses": {"200": answer({"type": "array", "items": {}})}}
    catalogue = {"/locations": {"get": bare}, "/locations/{id}": {"get": operation()}}
    chosen = {"/tracks": {"get": {**bare, "parameters": [{"name": "ids", "in": "query", "required": True}]},
                          "post": operation("201")}}  # fmt: skip
    for paths in (catalogue, chosen):
        assert found("rest.pagination", paths) == []
    assert len(found("rest.pagination", {"/tracks": {"get": bare, "post": operation("201")}})) == 1


def test_pages_of_html_are_no_data() -> None:
    paths = {"/markdown": {"post": {"responses": {"200": answer({"type": "string"}, "text/html")}}}}
    assert found("rest.media-type", paths) == []
