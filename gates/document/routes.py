"""Which of many path templates the path of a request belongs to, found without trying one after another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_TEMPLATE = re.compile(r"\{[^/{}]+\}")
_ANYTHING = "{}"


@dataclass(frozen=True, slots=True)
class _Route(Generic[T]):
    number: int
    path: str
    templates: int
    target: T


class Routes(Generic[T]):
    """Targets by method and path template; literal segments win over templates, then what was named first.

    A path is looked up once for each way in which templates of its length have their parameters placed, of which a
    document has a few; neither building nor finding depends on regular expressions made of foreign text.
    """

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._exact: dict[tuple[str, str], T] = {}
        self._table: dict[tuple[str, tuple[int, ...], str], list[_Route[T]]] = {}
        self._placings: dict[int, dict[tuple[int, ...], None]] = {}
        for number, (method, path, target) in enumerate(routes):
            self._exact.setdefault((method, path), target)
            segments = path.split("/")
            placing = tuple(place for place, segment in enumerate(segments) if _TEMPLATE.search(segment))
            self._placings.setdefault(len(segments), {})[placing] = None
            route = _Route(number, path, path.count("{"), target)
            self._table.setdefault((method, placing, _placed(segments, placing)), []).append(route)

    def find(self, method: str, path: str) -> T | None:
        """Return the target of the best template that a concrete path fits, None when there is none."""
        if (method, path) in self._exact:
            return self._exact[(method, path)]
        segments = path.split("/")
        found = [
            route
            for placing in self._placings.get(len(segments), ())
            for route in self._table.get((method, placing, _placed(segments, placing)), ())
            if all(_fits(part, segments[place]) for place, part in _parts(route.path, placing))
        ]
        best = min(found, key=lambda route: (route.templates, route.number), default=None)
        return None if best is None else best.target


def _placed(segments: list[str], placing: tuple[int, ...]) -> str:
    named = segments.copy()
    for place in placing:
        named[place] = _ANYTHING
    return "/".join(named)


def _parts(path: str, placing: tuple[int, ...]) -> list[tuple[int, list[str]]]:
    segments = path.split("/")
    return [(place, _TEMPLATE.split(segments[place])) for place in placing]


def _fits(literals: list[str], segment: str) -> bool:
    """Return whether a segment is these literal pieces with at least one character between each two of them."""
    first, *between, last = literals
    if not segment.startswith(first):
        return False
    position = len(first)
    for piece in between:
        # The leftmost place leaves the most for what follows, so that nothing has to be tried twice.
        found = segment.find(piece, position + 1)
        if found < 0:
            return False
        position = found + len(piece)
    return len(segment) - len(last) > position and segment.endswith(last)
