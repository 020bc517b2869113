"""How paths are built: version, depth, slashes, extensions, parameters, and the names of operations."""

from __future__ import annotations

import pytest
from rest_samples import Json, document, found, get, operation, post, query

from gates.rest import Conventions, check_conventions

NO_SERVERS: Json = {"servers": []}


@pytest.mark.parametrize(
    ("paths", "over"),
    [
        (get("/users"), {"servers": [{"url": "https://api.example.com/api/v1"}]}),
        (get("/api/v1/users"), NO_SERVERS),
        (get("/v2/users"), NO_SERVERS),
        (get("/apis/apps/v1beta1/deployments"), NO_SERVERS),
        (get("/2010-04-01/Accounts"), NO_SERVERS),
        (get("/v{version}/users"), NO_SERVERS),
        (get("/users"), {"servers": [{"url": "https://a.example/{v}", "variables": {"v": {"default": "v1"}}}]}),
        ({"/users": {"servers": [{"url": "https://a.example/v3"}], "get": operation()}}, NO_SERVERS),
        (get("/health", "/metrics", "/openapi.json"), NO_SERVERS),
    ],
)
def test_a_version_anywhere_before_the_resource_is_seen(paths: Json, over: Json) -> None:
    assert found("rest.version-prefix", paths, **over) == []


def test_operations_without_a_version_are_one_finding() -> None:
    names = [f"/things-{number}" for number in range(40)]
    (finding,) = found("rest.version-prefix", get(*names), **NO_SERVERS)
    assert "40 of 40 operations have no version in the path" in finding.message
    assert finding.fix == "serve them below /api/v1: /api/v1/users"
    (finding,) = found("rest.version-prefix", get("/api/v1/users", "/orders"), **NO_SERVERS)
    assert "1 of 2 operations has" in finding.message
    assert "GET /orders" in finding.message


@pytest.mark.parametrize("path", ["/users/{id}/v1", "/users", "/api/users", "/vips/users", "/v/users"])
def test_what_is_no_version_does_not_count(path: str) -> None:
    assert len(found("rest.version-prefix", get(path), **NO_SERVERS)) == 1


def test_a_project_can_say_its_prefix() -> None:
    wanted = Conventions(version_prefix="/api/v{n}")
    assert found("rest.version-prefix", get("/api/v12/users"), wanted, **NO_SERVERS) == []
    assert found("rest.version-prefix", get("/users"), wanted) == []
    assert len(found("rest.version-prefix", get("/v1/users"), wanted, **NO_SERVERS)) == 1
    assert len(found("rest.version-prefix", get("/api/v1beta/users"), wanted, **NO_SERVERS)) == 1
    assert found("rest.version-prefix", get("/users"), Conventions(version_prefix="any"), **NO_SERVERS) == []


def test_one_document_has_one_major_version() -> None:
    (finding,) = found("rest.one-version", get("/api/v1/users", "/api/v1/orders", "/api/v2/users"), **NO_SERVERS)
    assert "2 major versions (v1: 2 operations, v2: 1 operation)" in finding.message
    assert found("rest.one-version", get("/api/v1/users", "/api/v1.1/orders"), **NO_SERVERS) == []
    assert found("rest.one-version", get("/api/v1/users", "/orders"), **NO_SERVERS) == []
    assert found("rest.one-version", get("/v2/users", "/v2beta1/users"), **NO_SERVERS) == []


@pytest.mark.parametrize(
    ("path", "deep"),
    [
        ("/users/{id}/orders/{id2}/items", False), ("/users/{id}/orders/{o}/items/{i}", False),
        ("/repos/{owner}/{repo}/pulls/{n}/comments/{c}", False), ("/a/b/c/d/e", False),
        ("/users/{id}/orders/{o}/items/{i}/notes", True), ("/repos/{owner}/{repo}/pulls/{n}/comments/{c}/replies",
        True),
        ("/api/v1/a/{a}/b/{b}/c/{c}/d/{d}/e", True),
    ],
)  # fmt: skip
def test_nesting_has_a_limit(path: str, deep: bool) -> None:
    assert bool(found("rest.depth", get(path))) is deep


def test_deep_paths_below_one_place_are_one_finding() -> None:
    below = "/users/{id}/orders/{o}/items/{i}/notes"
    (finding,) = found("rest.depth", get(below, f"{below}/{{n}}", f"{below}/{{n}}/tags"))
    assert "`/users/{}/orders/{}/items/{}/notes`" in finding.message
    assert "begin a path with `notes`" in finding.fix
    assert found("rest.depth", get(below), Conventions(maximum_depth=4)) == []
    assert len(found("rest.depth", get("/users/{id}/orders"), Conventions(maximum_depth=1))) == 1


def test_a_slash_at_the_end_is_told_where_others_have_none() -> None:
    (finding,) = found("rest.trailing-slash", get("/users", "/orders", "/items/"))
    assert (finding.operation, finding.fix) == ("GET /items/", "`/items`")
    (finding,) = found("rest.trailing-slash", get("/users/", "/orders/", "/items"))
    assert (finding.operation, finding.fix) == ("GET /items", "`/items/`")
    assert found("rest.trailing-slash", get("/users/", "/orders/")) == []
    assert found("rest.trailing-slash", get("/", "/users", "/orders")) == []
    assert len(found("rest.trailing-slash", get("/users/", "/orders/"), Conventions(trailing_slash="never"))) == 2
    assert found("rest.trailing-slash", get("/users/", "/orders"), Conventions(trailing_slash="any")) == []


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        ("/users.json", ".json"), ("/users/{id}.json", ".json"), ("/reports.XML", ".xml"), ("/users.{format}",
        ".{format}"),
        ("/users", None), ("/files/{name}", None), ("/chat.post", None), ("/openapi.json", None), ("/v1.1/users", None),
        ("/.well-known/jwks.json", None), ("/robots.txt", None), ("/outline/story.json", None),
    ],
)  # fmt: skip
def test_file_extensions(path: str, extension: str | None) -> None:
    findings = found("rest.file-extension", get(path))
    assert [extension is not None and f"`{extension.lower()}`" in finding.message for finding in findings] == (
        [] if extension is None else [True]
    )


def test_an_extension_everywhere_is_one_finding() -> None:
    (finding,) = found("rest.file-extension", get("/users.json", "/orders.json", "/orders/{id}.json"))
    assert "3 paths in `.json`" in finding.message


@pytest.mark.parametrize(
    ("path", "empty"),
    [("/users//orders", True), ("//users", True), ("/users//", True), ("/users/", False), ("/", False)],
)
def test_empty_segments(path: str, empty: bool) -> None:
    assert bool(found("rest.empty-segment", get(path))) is empty


@pytest.mark.parametrize(
    ("paths", "count"),
    [
        (get("/users/{id}", "/users/{name}"), 1),
        ({"/users/{id}": {"get": operation()}, "/users/{user_id}": {"delete": operation("204")}}, 1),
        (get("/a/{x}/b/{y}", "/a/{y}/b/{x}", "/a/{p}/b/{q}"), 1),
        (get("/users/{id}", "/users/me"), 0), (get("/users/{id}", "/users/{id}/orders"), 0),
        (get("/files/{a}-{b}", "/files/{a}"), 0), (get("/users", "/users/"), 0),
    ],
)  # fmt: skip
def test_paths_that_cannot_be_told_apart(paths: Json, count: int) -> None:
    assert len(found("rest.ambiguous-path", paths)) == count


def test_path_parameters_are_those_of_the_template() -> None:
    id_, name = ({"name": name, "in": "path", "required": True, "schema": {}} for name in ("id", "name"))
    cases = {
        "/a/{id}": ({"parameters": [], "get": operation()}, ["`{id}` is in the path and is not defined"]),
        "/b/{id}": ({"parameters": [id_], "get": operation()}, []),
        "/c/{id}": ({"parameters": [], "get": operation(parameters=[id_])}, []),
        "/d": ({"get": operation(parameters=[name])}, ["`name` is defined and is not in the path"]),
        "/e/{id}/{id}": ({"parameters": [id_], "get": operation()}, ["`{id}` is in the path twice"]),
        "/f/{id}": ({"parameters": [{"$ref": "other.json#/Id"}], "get": operation()}, []),
        "/g/{id}": ({"parameters": [{"$ref": "#/components/parameters/Id"}], "get": operation()}, []),
        "/h/{id:[0-9]+}": ({"parameters": [id_], "get": operation()}, []),
        "/i/{+id}": ({"parameters": [id_], "get": operation()}, []),
    }
    for path, (item, told) in cases.items():
        findings = found("rest.path-parameter", {path: item}, components={"parameters": {"Id": id_}})
        assert len(findings) == len(told), path
        for finding, words in zip(findings, told, strict=True):
            assert words in finding.message


def test_operation_ids_are_there_and_unique() -> None:
    def named(**ids: str | None) -> Json:
        return {f"/{path}": {"get": operation(**({"operationId": name} if name else {}))} for path, name in ids.items()}

    assert found("rest.operation-id", named(a="listA", b="listB")) == []
    assert [finding.operation for finding in found("rest.operation-id", named(a="listA", b=None))] == ["GET /b"]
    assert len(found("rest.operation-id", named(a=None, b=None, c=None))) == 3
    assert found("rest.operation-id-unique", named(a="listA", b="listB", c=None)) == []
    (finding,) = found("rest.operation-id-unique", named(a="list", b="list", c="other"))
    assert "`list` is given to GET /a, GET /b" in finding.message
    assert len(found("rest.operation-id-unique", named(a="x", b="x", c="y", d="y"))) == 2
    (finding,) = found("rest.operation-id-case", named(a="listA", b="listB", c="list_c"))
    assert finding.fix == "`listC`"
    assert found("rest.operation-id-case", named(a="list_a", b="list_b", c="list")) == []


def test_what_is_wrong_anywhere_is_told_of_exempt_operations_too() -> None:
    paths = {**post("/login"), "/health/{x}": {"parameters": [], "get": operation(parameters=query("password"))}}
    rules = {finding.rule for finding in check_conventions(document(paths, servers=[]))}
    assert rules == {"rest.path-parameter", "rest.secret-in-query"}
