from __future__ import annotations

from dataclasses import replace

import pytest

from gates.traffic import calls as module
from gates.traffic.calls import Call, Counted, make_call, path_of
from gates.traffic.templates import guess_template


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/orders?token=secret#part", "/orders"),
        ("http://user:secret@127.0.0.1:80/orders/1?x=1", "/orders/1"),
        ("https://example.org", "/"),
        ("/caf%C3%A9/a%2Fb", "/café/a%2Fb"),
        ("/orders;jsessionid=0123", "/orders"),
        ("/map/1;2", "/map/1;2"),
        ("*", ""),
        ("example.org:443", ""),
        ("http://[broken/", ""),
        ("/" + "a" * 5_000, ""),
    ],
)
def test_of_a_target_only_the_path_is_kept(target: str, path: str) -> None:
    assert path_of(target) == path


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/a", 0), ("GET", "/a", 99), ("GET", "/a", 600), ("GET", "/a", "2xx"), ("GET", "/a", "9" * 5_000),
        ("GET", "/a", "²00"), ("G\x1bT", "/a", 200), ("", "/a", 200), (None, "/a", 200), ("GET", None, 200),
        ("GET", "a", 200), ("GET", "/a", None), ("GET", "/a", float("nan")),
    ],
)  # fmt: skip
def test_what_is_no_answered_request_is_none(method: object, target: object, status: object) -> None:
    assert make_call(method, target, status) is None


@pytest.mark.parametrize("status", [200, 200.0, "200", " 200 ", "200.0"])
def test_statuses_as_logs_write_them(status: object) -> None:
    assert make_call("get", "/a", status) == Call("GET", "/a", 200)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/orders/17/items/-3", "/orders/{id}/items/{id}"),
        ("/api/v1/users/5e0c8f5a-2b0e-4c37-9d7d-0d3b0f6d2a11", "/api/v1/users/{id}"),
        ("/files/deadbeef01", "/files/{id}"),
        ("/files/deadbeef", "/files/deadbeef"),
        ("/days/2026-11-24/report", "/days/{id}/report"),
        ("/u/ada@example.org", "/u/{id}"),
        ("/k/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/k/{id}"),
        ("/orders/ORD-0017", "/orders/{id}"),
        ("/t/eyJhbGciOiJIUzI1NiJ9.abc", "/t/{id}"),
        ("/users/me/password-reset-requests", "/users/me/password-reset-requests"),
        ("/v2/health", "/v2/health"),
        ("/oauth2/token", "/oauth2/token"),
    ],
)
def test_identifiers_are_guessed_and_words_are_kept(path: str, template: str) -> None:
    assert guess_template(path) == template


def test_counting_is_bounded_and_loses_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PATHS", 10)
    counted = Counted()
    for number in range(100):
        counted.add(Call("GET", f"/orders/{number}", 200, at=float(number)))
        counted.add(Call("GET", f"/words/{'a' * (number + 1)}", 200))
    assert counted.total == sum(call.count for call in counted) == 200
    assert len(counted) <= 21
    assert replace(Call("GET", "/orders/{id}", 200), count=95) in list(counted)
