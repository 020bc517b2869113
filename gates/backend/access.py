"""How the harness gets into a backend that is up: seed requests, the login, the OpenAPI document."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from gates import client
from gates.backend.commands import expand, expand_all
from gates.backend.environment import split_operation
from gates.backend.state import ServingBackend
from gates.config.model import Login
from gates.document import DocumentError, parse_document
from gates.errors import BackendFailed, ToolError

_WELL_KNOWN_DOCUMENTS = (
    "/openapi.json", "/swagger.json", "/v3/api-docs", "/api/openapi.json", "/openapi.yaml", "/api/schema/", "/api-docs",
    "/documentation/json", "/api-json", "/docs/json", "/api-docs.json", "/apispec_1.json", "/spec.json",
    "/swagger/doc.json", "/api/swagger.json", "/api/v1/openapi.json",
)  # fmt: skip
_EXCERPT = 200
_SHORTEST_SECRET = 4
"""A shorter word would take innocent ones apart."""


def make_usable(backend: ServingBackend, root: Path) -> None:
    """Seed it, log in, and read its OpenAPI document; a document that cannot be read is noted, not raised."""
    _seed_and_log_in(backend)
    _read_document(backend, root)


def _seed_and_log_in(backend: ServingBackend) -> None:
    auth = backend.settings.auth
    for name, value in auth.headers.items():
        backend.headers[name] = expand(value, {}, f"[backend.auth.headers] {name}")
    if auth.basic:
        secret = expand(auth.basic, {}, "[backend.auth] basic")
        backend.headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    for seed in backend.settings.seed:
        method, path = split_operation(seed.operation, "[[backend.seed]] operation")
        headers = {name: expand(value, {}, "[[backend.seed]] headers") for name, value in seed.headers.items()}
        _send(backend, method, path, expand_all(seed.body, "[[backend.seed]] body"), headers, "the seed request")
    if auth.login:
        _log_in(backend, auth.login)


def _log_in(backend: ServingBackend, login: Login) -> None:
    method, path = split_operation(login.operation, "[backend.auth] login.operation")
    body = expand_all(login.body, "[backend.auth] login.body")
    answer = _send(backend, method, path, body, {}, "the login", form=login.form)
    try:
        token: Any = json.loads(answer.body)
        for part in re.findall(r"[^.\[\]$'\"]+", login.token):
            token = token[int(part)] if isinstance(token, list) else token[part]
        if not isinstance(token, str | int) or isinstance(token, bool) or token == "":
            raise TypeError("a token is a word")
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ToolError(
            f"the login {login.operation} answered {answer.status} without a token at {login.token!r}",
            "[backend.auth] login.token says where it stands in the answer",
        ) from error
    backend.headers[login.header] = f"{login.scheme} {token}".strip()


def _send(
    backend: ServingBackend,
    method: str,
    path: str,
    body: Any,
    headers: Mapping[str, str],
    what: str,
    form: bool = False,
) -> client.Answer:
    content, kind = None, {}
    if form:
        content, kind = urlencode(body).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    elif body is not None:
        content, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
    try:
        answer = client.request(backend.url, method, path, headers={**kind, **headers}, body=content)
    except client.NoAnswer as error:
        if backend.running is not None:
            backend.running.wait(0.5)  # one that died of this is a moment away from having ended
        backend.check()
        raise BackendFailed(f"{what} {error.message}", "the backend accepted connections before that") from error
    if not 200 <= answer.status < 300:
        said = _excerpt(answer, [body, *headers.values(), *backend.headers.values()])
        raise ToolError(
            f"{what} {method} {path} was refused with {answer.status}" + (f": {said}" if said else ""),
            "try it by hand against the running backend",
        )
    return answer


def _excerpt(answer: client.Answer, sent: Any) -> str:
    """Return the beginning of an answer in one line, without anything that was sent: a secret may be among it."""
    text = answer.text
    for word in sorted(set(_words_in(sent)), key=len, reverse=True):
        for written in (word, json.dumps(word)[1:-1], quote(word), quote_plus(word)):
            text = text.replace(written, "[as sent]")
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"


def _words_in(value: Any) -> Iterator[str]:
    """Yield every text in JSON-like data, and the credentials after the scheme of a header."""
    if isinstance(value, str):
        yield from (word for word in (value, value.partition(" ")[2]) if len(word) >= _SHORTEST_SECRET)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _words_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words_in(item)


def _read_document(backend: ServingBackend, root: Path) -> None:
    place = backend.settings.openapi
    try:
        if place is None:
            _find_document(backend)
        elif place.startswith("/"):
            backend.document = parse_document(_fetch_document(backend, place))
        else:
            backend.document = parse_document((root / place).read_bytes())
    except DocumentError as error:
        backend.document_error = f"the OpenAPI document {place} cannot be read: {error.message}"
    except OSError as error:
        backend.document_error = f"the OpenAPI document {place} cannot be read: {error}"
    prefix = (backend.settings.base_path or "").strip("/")
    if prefix and backend.document is not None and not backend.document.base_path:
        backend.document = replace(backend.document, base_path=f"/{prefix}")


def _fetch_document(backend: ServingBackend, path: str) -> bytes:
    """Return the document as it was sent; one that is made on first use may need a while."""
    deadline = time.monotonic() + backend.settings.start_timeout
    while True:
        try:
            answer = client.request(backend.url, "GET", path, headers=backend.headers, timeout=30)
            if answer.status == 200:
                return answer.body
            problem = f"GET {path} answered {answer.status}"
            if answer.status in (401, 403):
                problem += ", so it needs a login: see [backend.auth]"
            final = answer.status not in (425, 429, 500, 502, 503, 504)
        except client.NoAnswer as error:
            problem, final = error.message, not backend.alive()
        if final or time.monotonic() > deadline:
            raise DocumentError(problem, "[backend] openapi is a path on the backend, or a file")
        time.sleep(0.25)


def _find_document(backend: ServingBackend) -> None:
    for path in _WELL_KNOWN_DOCUMENTS:
        try:
            answer = client.request(backend.url, "GET", path, headers=backend.headers)
            if answer.status == 200:
                backend.document = parse_document(answer.body)
                backend.notes.append(f"the OpenAPI document was found at {path}: write openapi = {path!r} to say so")
                return
        except (client.NoAnswer, DocumentError):
            continue
    backend.document_error = (
        "no OpenAPI document was found at the usual addresses "
        f"({', '.join(_WELL_KNOWN_DOCUMENTS)}): name it with [backend] openapi"
    )
