"""A call as it was seen, and many of them counted without keeping each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from gates.traffic.templates import guess_template

MOST_PATHS = 50_000
"""Distinct paths that are kept as they were; from there on only their guessed templates are."""
_LONGEST_PATH = 4_000
_STATUSES = range(100, 600)
_STATUS = re.compile(r"([1-5][0-9]{2})(?:\.0)?")
_SESSION = re.compile(r"(?i);jsessionid=[^/;]*")


@dataclass(frozen=True, slots=True)
class Call:
    """Requests that were answered alike: method, path (without query, each segment decoded), status, how many.

    `application` names what answered, where several may have; empty when it can only be the backend. `passed` says
    whether whoever asked was content with the answer, `page` whether it was HTML for people. `template` is the route as
    the backend itself named it, `at` when it was, in seconds since 1970; None where nobody told.
    """

    method: str
    path: str
    status: int
    count: int = 1
    application: str = ""
    passed: bool = True
    page: bool = False
    template: str = ""
    at: float | None = None


def path_of(target: str) -> str:
    """Return the path of a request target: no host, no query, every segment decoded, an encoded slash kept.

    Empty when there is none, as in `*` and `CONNECT host:443`.
    """
    if target.startswith(("http://", "https://", "ws://", "wss://")):
        try:
            target = urlsplit(target).path or "/"
        except ValueError:
            return ""
    target = _SESSION.sub("", target.partition("?")[0].partition("#")[0])
    if not target.startswith("/") or len(target) > _LONGEST_PATH:
        return ""
    if "%" not in target:
        return target
    return "/".join(unquote(segment).replace("/", "%2F") for segment in target.split("/"))


def make_call(method: object, target: object, status: object, **more: object) -> Call | None:
    """Return a call of untrusted parts; None when they are not those of a request that was answered."""
    if isinstance(status, str | float) and (match := _STATUS.fullmatch(str(status).strip())):
        status = int(match[1])
    if not isinstance(method, str) or not isinstance(target, str) or not isinstance(status, int):
        return None
    method, path = method.strip().upper(), path_of(target.strip())
    if not path or not (method.isascii() and method.isalpha() and len(method) <= 20) or status not in _STATUSES:
        return None
    return replace(Call(method, path, status), **more)  # type: ignore[arg-type]


class Counted:
    """Calls counted by everything but their time; what is kept is bounded, whatever comes."""

    def __init__(self) -> None:
        self._counts: dict[Call, int] = {}
        self._paths: set[str] = set()
        self.total = 0

    def add(self, call: Call) -> None:
        """Count a call; beyond MOST_PATHS distinct paths a new one is counted under its guessed template."""
        self.total += call.count
        path = call.path
        if path not in self._paths:
            if len(self._paths) < MOST_PATHS:
                self._paths.add(path)
            else:
                path = guess_template(path)
                if path not in self._paths and len(self._paths) < 2 * MOST_PATHS:
                    self._paths.add(path)
                elif path not in self._paths:
                    path = "/…"
        key = replace(call, path=path, count=1, at=None)
        self._counts[key] = self._counts.get(key, 0) + call.count

    def add_all(self, calls: Iterable[Call]) -> None:
        """Count many calls."""
        for call in calls:
            self.add(call)

    def __iter__(self) -> Iterator[Call]:
        return (replace(call, count=count) for call, count in self._counts.items())

    def __len__(self) -> int:
        return len(self._counts)
