"""HAR 1.2: what browsers and test tools record. Only method, address, status, time and media type are read."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gates.traffic.calls import Call, make_call
from gates.traffic.times import time_of

_PAGES = ("text/html", "application/xhtml+xml")
_OF_TESTS = ("testserver", "localhost")


class NoHar(ValueError):
    """The text is no HAR file; the message says in a few words why."""


@dataclass(frozen=True, slots=True)
class HarCalls:
    """The requests of a HAR file to the hosts that were meant, how many went to which others, and what is unreadable.

    A request that was blocked or not answered has the status 0 and is among the unreadable ones.
    """

    calls: tuple[Call, ...]
    other_hosts: Mapping[str, int]
    unreadable: int


def read_har(text: str, hosts: Collection[str] = ()) -> HarCalls:
    """Return the requests of a HAR file to some hosts (`api.example.org` or `localhost:8000`); by default to loopback.

    Raises NoHar.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoHar(f"it is not JSON: {error}") from error
    log = content.get("log") if isinstance(content, Mapping) else None
    entries = log.get("entries") if isinstance(log, Mapping) else None
    if not isinstance(entries, list):
        raise NoHar("it has no `log.entries`")
    calls: list[Call] = []
    others: Counter[str] = Counter()
    unreadable = 0
    for entry in entries:
        host, call = _entry(entry)
        if call is None:
            unreadable += 1
        elif is_meant(host, hosts):
            calls.append(call)
        else:
            others[host] += 1
    return HarCalls(tuple(calls), dict(others.most_common()), unreadable)


def _entry(entry: Any) -> tuple[str, Call | None]:
    request, response = _part(entry, "request"), _part(entry, "response")
    url = request.get("url")
    try:
        host = urlsplit(url).netloc.rpartition("@")[2].lower() if isinstance(url, str) else ""
    except ValueError:
        host = ""
    kind = _part(response, "content").get("mimeType")
    page = isinstance(kind, str) and kind.lower().startswith(_PAGES)
    at = time_of(entry.get("startedDateTime")) if isinstance(entry, Mapping) else None
    return host, make_call(request.get("method"), url, response.get("status"), page=page, at=at) if host else None


def _part(thing: Any, name: str) -> Mapping[str, Any]:
    part = thing.get(name) if isinstance(thing, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def is_meant(host: str, hosts: Collection[str]) -> bool:
    """Return whether a host, with or without its port, is among some; without any, whether it is this machine."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if hosts:
        return host in hosts or name in hosts
    name = name.strip("[]")
    if name in _OF_TESTS or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
