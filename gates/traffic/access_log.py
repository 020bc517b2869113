"""Lines of access logs, whoever wrote them: text of many servers, or a JSON object a line.

Read are the Common and Combined Log Format (nginx, Apache, gunicorn, Tomcat, Caddy, Traefik, uvicorn, werkzeug,
Django), what morgan writes (`dev tiny short common combined`), gin, and JSON with the usual names of fields (nginx,
Caddy, Traefik, pino, bunyan, ECS, zap, logstash) or with names that are given. Of a line only method, path, status and
time are kept: a query, a header or a body may hold a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gates.traffic.calls import Call, make_call
from gates.traffic.times import time_in, time_of

Form = Literal["auto", "text", "json"]
FIELDS = ("method", "path", "status", "route", "time")
"""What a record may be asked for by a name of its own."""
LONGEST_LINE = 65_536
"""Characters; no request line is longer in any server."""
_DEEPEST = 8

_METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|QUERY"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_QUOTED = re.compile(rf'"({_METHODS}) ([^\s"]+)(?: [^\s"]*)?" ([1-5][0-9]{{2}})(?![^\s,;|])')
_BARE = re.compile(rf"(?:^|\s)({_METHODS}) ((?:/|https?://)\S*)(?: HTTP/[0-9.]+)? ([1-5][0-9]{{2}})(?=\s|$)")
_REQUEST_LINE = re.compile(rf"({_METHODS}) (\S+)(?: HTTP/[0-9.]+)?")

_USUAL: Mapping[str, tuple[str, ...]] = {
    "method": (
        "method", "request_method", "requestMethod", "RequestMethod", "http_method", "httpMethod", "verb",
        "request.method", "req.method", "http.request.method", "http.method", "httpRequest.requestMethod",
    ),
    "path": (
        "path", "uri", "url", "request_uri", "requestURI", "requestUri", "requested_uri", "request_path", "requestPath",
        "RequestPath", "url_path", "request_url", "request.uri", "request.path", "request.url", "req.url", "req.path",
        "url.path", "url.original", "http.url", "http.target", "http.path", "httpRequest.requestUrl", "target",
    ),
    "status": (
        "status", "status_code", "statusCode", "DownstreamStatus", "OriginStatus", "response_status", "http_status",
        "responseStatus", "response.status", "response.status_code", "response.statusCode", "res.statusCode",
        "res.status", "http.response.status_code", "http.status_code", "httpRequest.status", "resp_status",
    ),
    "route": ("route", "http.route", "request.route", "route_path", "matched_route", "uri_template"),
    "time": (
        "time", "timestamp", "ts", "@timestamp", "StartUTC", "start_time", "time_iso8601", "time_local", "datetime",
        "date", "startTime",
    ),
}  # fmt: skip
_LINES_IN = ("request", "request_line", "requestLine")
_TEXTS_IN = ("message", "msg", "log", "event")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no request; `broken` when it is not even a line of the form that was expected."""

    broken: bool


def read_line(line: str, form: Form = "auto", fields: Mapping[str, str] | None = None) -> Call | Unreadable:
    """Return the request that a line of a log tells of.

    `fields` are the names under which a JSON record keeps `method`, `path`, `status`, `route` and `time`; a dot leads
    into an object.
    """
    if len(line) > LONGEST_LINE:
        return Unreadable(broken=True)
    text = line.strip()
    if form != "text" and text.startswith("{"):
        return _record(text, fields or {}) or Unreadable(broken=False)
    if form == "json":
        return Unreadable(broken=True)
    return _text(text) or Unreadable(broken=False)


def read_lines(
    lines: Iterable[str], form: Form = "auto", fields: Mapping[str, str] | None = None
) -> Iterable[Call | Unreadable]:
    """Return what each line that is not blank tells of, one after another."""
    return (read_line(line, form, fields) for line in lines if line.strip())


def _text(text: str) -> Call | None:
    text = _COLOURS.sub("", text)
    match = _QUOTED.search(text) or _BARE.search(text)
    if match is not None:
        return make_call(match[1], match[2], match[3], at=time_in(text[: match.start()]))
    if "[GIN]" in text:
        parts = [part.strip() for part in text.split("|")]
        method, _, path = parts[-1].partition(" ")
        return make_call(method, path.strip().strip('"'), parts[1]) if len(parts) >= 5 else None
    return None


def _record(text: str, fields: Mapping[str, str]) -> Call | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return _text(text)
    if not isinstance(record, dict):
        return None
    asked = {name: (fields[name],) if name in fields else _USUAL[name] for name in FIELDS}
    status = _first(record, asked["status"], (int, float, str))
    method, path = _first(record, asked["method"], str), _first(record, asked["path"], str)
    if method is None or path is None:
        line = next((value for name in _LINES_IN if isinstance(value := record.get(name), str)), "")
        if (match := _REQUEST_LINE.fullmatch(line.strip())) is not None:
            method, path = match[1], match[2]
    route = _first(record, asked["route"], str)
    template = route if isinstance(route, str) and route.startswith("/") else ""
    call = make_call(method, path, status, template=template, at=time_of(_first(record, asked["time"], object)))
    if call is not None or fields:
        return call
    inner = next((value for name in _TEXTS_IN if isinstance(value := record.get(name), str)), None)
    return _text(inner) if inner is not None else None


def _first(record: Mapping[str, Any], names: Iterable[str], kind: Any) -> Any:
    for name in names:
        value = _value(record, name)
        if value is not None and isinstance(value, kind):
            return value
    return None


def _value(record: Any, name: str) -> Any:
    if name in record:
        return record[name]
    for part in name.split(".")[:_DEEPEST]:
        if not isinstance(record, Mapping) or part not in record:
            return None
        record = record[part]
    return record
