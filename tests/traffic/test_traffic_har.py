from __future__ import annotations

import json
from typing import Any

import pytest

from gates.traffic.calls import Call
from gates.traffic.har import NoHar, is_meant, read_har


def entry(url: object, status: object = 200, method: object = "GET", kind: str = "application/json") -> dict[str, Any]:
    return {
        "startedDateTime": "2026-11-24T16:00:00.000Z",
        "request": {"method": method, "url": url, "headers": [{"name": "Authorization", "value": "Bearer secret"}]},
        "response": {"status": status, "content": {"mimeType": kind, "text": "secret"}},
    }


def har(*entries: object) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}})


def test_only_method_path_and_status_are_read_and_only_of_the_backend() -> None:
    read = read_har(
        har(
            entry("http://localhost:8000/orders/1?token=secret"), entry("http://127.0.0.1/page", kind="text/html; x"),
            entry("https://fonts.example.org/a.woff"), entry("https://fonts.example.org/b"),
            entry("http://[::1]:9/x", 0),
            entry("http://[::1]:9/x", "204", "DELETE"), "garbage", entry(17), entry("http://[broken/"),
        )
    )  # fmt: skip
    at = 1795536000.0
    assert read.calls == (
        Call("GET", "/orders/1", 200, at=at), Call("GET", "/page", 200, page=True, at=at),
        Call("DELETE", "/x", 204, at=at),
    )  # fmt: skip
    assert read.other_hosts == {"fonts.example.org": 2}
    assert read.unreadable == 4
    assert "secret" not in repr(read)


def test_hosts_are_named_with_or_without_their_port() -> None:
    text = har(
        entry("https://api.example.org:8443/a"), entry("https://user@api.example.org/b"), entry("http://localhost/c")
    )
    assert [call.path for call in read_har(text, ["api.example.org"]).calls] == ["/a", "/b"]
    assert [call.path for call in read_har(text, ["api.example.org:8443"]).calls] == ["/a"]


@pytest.mark.parametrize(
    ("host", "meant"),
    [("127.0.0.1:80", True), ("127.9.9.9", True), ("[::1]:80", True), ("testserver", True), ("app.localhost:1", True),
     ("localhost.example.org", False), ("10.0.0.1", False), ("", False)],
)  # fmt: skip
def test_this_machine_is_meant_by_default(host: str, meant: bool) -> None:
    assert is_meant(host, ()) is meant


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"log": []}', '{"log": {"entries": {}}}', "[" * 100_000])
def test_what_is_no_har_says_so(text: str) -> None:
    with pytest.raises(NoHar, match="it "):
        read_har(text)
