from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.traffic.access_log import Form, Unreadable, read_line
from gates.traffic.calls import Call

AT = 1795536000.0  # 2026-11-24T16:00:00Z
CLF = "[24/Nov/2026:17:00:00 +0100]"


@pytest.mark.parametrize(
    ("line", "timed"),
    [
        (f'127.0.0.1 - - {CLF} "GET /orders/1?secret=x HTTP/1.1" 200 12', True),  # Common: Apache, Tomcat, morgan
        (f'::1 - ada {CLF} "GET /orders/1 HTTP/2.0" 200 - "-" "curl/8 \\"quoted\\" 404"', True),  # Combined: nginx
        (f'127.0.0.1 - - {CLF} "GET /orders/1 HTTP/1.1" 200 9 "-" "-" 1 "r@docker" "http://a/b" 2ms', True),  # Traefik
        ('INFO:     127.0.0.1:1234 - "GET /orders/1 HTTP/1.1" 200 OK', False),  # uvicorn
        ('\x1b[32mINFO\x1b[0m:     127.0.0.1:1 - "\x1b[1mGET /orders/1 HTTP/1.1\x1b[0m" \x1b[32m200 OK\x1b[0m', False),
        ('127.0.0.1 - - [24/Nov/2026 16:00:00] "GET /orders/1 HTTP/1.1" 200 -', False),  # werkzeug, Django
        (f'127.0.0.1 - - {CLF} "GET /orders/1 2" 200 3 1000', True),  # hypercorn
        ("\x1b[0mGET /orders/1 \x1b[32m200\x1b[0m 1.234 ms - 12\x1b[0m", False),  # morgan dev
        ("api_1  | GET /orders/1 200 12 - 1.234 ms", False),  # morgan tiny, in a container
        ("::1 - GET /orders/1 HTTP/1.1 200 12 - 1.2 ms", False),  # morgan short
        ('[GIN] 2026/11/24 - 16:00:00 | 200 |   1.2ms |  127.0.0.1 | GET      "/orders/1?x=1"', False),
        ("2026-11-24T16:00:00.123Z GET http://localhost:3000/orders/1 200", True),
        (json.dumps({"time": "2026-11-24T17:00:00+01:00", "request": "GET /orders/1 HTTP/1.1", "status": "200"}), True),
        (json.dumps({"ts": AT + 0.5, "request": {"method": "GET", "uri": "/orders/1?a=b"}, "status": 200}), True),
        (json.dumps({"RequestMethod": "GET", "RequestPath": "/orders/1", "DownstreamStatus": 200}), False),
        (json.dumps({"time": AT * 1000, "req": {"method": "GET", "url": "/orders/1"}, "res": {"status": 200}}), True),
        (json.dumps({"@timestamp": "2026-11-24T16:00:00Z", "http.request.method": "get", "url.path": "/orders/1",
                     "http.response.status_code": 200}), True),
        (json.dumps({"log": 'INFO: 127.0.0.1:1 - "GET /orders/1 HTTP/1.1" 200 OK\n', "stream": "stdout"}), False),
        (json.dumps({"httpRequest": {"requestMethod": "GET", "requestUrl": "/orders/1", "status": 200}}), False),
    ],
)  # fmt: skip
def test_a_line_of_each_kind_is_read(line: str, timed: bool) -> None:
    call = read_line(line + "\n")
    assert isinstance(call, Call)
    assert (call.method, call.path, call.status) == ("GET", "/orders/1", 200)
    assert (call.at is not None) == timed
    assert call.at is None or abs(call.at - AT) < 2
    assert "secret" not in str(call)


@pytest.mark.parametrize(
    ("line", "form", "broken"),
    [
        ("2026-11-24 INFO order 17 was placed", "auto", False),
        ('10.0.0.1 - - [x] "\\x16\\x03\\x01" 400 0', "auto", False),
        ('{"level": "info", "message": "GET is what I like"}', "auto", False),
        ('{"method": "GET", "path": "/a"}', "auto", False),
        ('{"method": "GET", "path": "/a", "status": 200', "json", False),
        ("[1, 2]", "json", True),
        ("GET /a 200", "json", True),
        ("{" * 70_000, "auto", True),
        ('{"a":' * 9_000, "auto", False),
        ("GET /" + "a" * 10_000 + " 200", "auto", False),
    ],
)
def test_what_is_no_request_is_told_from_what_cannot_be_read(line: str, form: Form, broken: bool) -> None:
    assert read_line(line, form) == Unreadable(broken)


def test_fields_of_other_names() -> None:
    record = {"m": "POST", "where": {"p": "/a/7", "r": "/a/{id}"}, "code": 201, "when": AT, "status": 500}
    fields = {"method": "m", "path": "where.p", "status": "code", "route": "where.r", "time": "when"}
    assert read_line(json.dumps(record), fields=fields) == Call("POST", "/a/7", 201, template="/a/{id}", at=AT)
    assert isinstance(read_line(json.dumps(record)), Unreadable)


@given(line=st.text(max_size=200) | st.from_regex(r'"(GET|POST) /[^ ]* HTTP/1.1" [0-9]{1,4}.*', fullmatch=True))
def test_garbage_never_raises(line: str) -> None:
    call = read_line(line)
    assert isinstance(call, Unreadable) or (call.path.startswith("/") and 100 <= call.status < 600)


@given(
    record=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["request", "method", "status", "uri", "req", "res", "url", "time", "message"]), inner
            )
        ),
    )
)
def test_records_of_any_shape_never_raise(record: object) -> None:
    read_line(json.dumps({"request": record, "method": record, "status": 200, "time": record, "path": record}))
