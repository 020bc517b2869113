"""Which operation of a document a path belongs to, found by its segments: a document may have thousands of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gates.document import Document, Operation

_PARAMETER = re.compile(r"\{[^/]+?\}")


@dataclass
class _Node:
    """A segment of the paths that share it: literal ones by their text, templates by what stands around parameters."""

    literal: dict[str, _Node] = field(default_factory=dict)
    templates: dict[tuple[str, ...], _Node] = field(default_factory=dict)
    ends: list[tuple[int, Operation]] = field(default_factory=list)


class Router:
    """Gives what `gates.document.operation_of` gives, in a time that does not grow with the document."""

    def __init__(self, document: Document) -> None:
        self._base = document.base_path
        self._roots: dict[str, _Node] = {}
        self._exact: dict[tuple[str, str], Operation] = {}
        self._known: dict[tuple[str, str], Operation | None] = {}
        for number, operation in enumerate(document.operations):
            self._exact.setdefault((operation.method, operation.path), operation)
            node = self._roots.setdefault(operation.method, _Node())
            for segment in operation.path.split("/"):
                node = _below(node, segment)
            node.ends.append((number, operation))

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation that a path belongs to; literal segments win over templates."""
        key = (method.upper(), path)
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def find_loosely(self, method: str, path: str) -> Operation | None:
        """Return the same, also where the path has a slash at its end and the document has none, or the reverse."""
        found = self.find(method, path)
        if found is None and path != "/":
            found = self.find(method, path[:-1] if path.endswith("/") else path + "/")
        return found

    def template_of(self, path: str) -> str | None:
        """Return the path template of the document that a path belongs to, whatever the method; None for none."""
        for method in self._roots:
            found = self.find_loosely(method, path)
            if found is not None:
                return found.path
        return None

    def _find(self, method: str, path: str) -> Operation | None:
        if self._base and path.startswith(self._base + "/"):
            path = path[len(self._base) :]
        if (method, path) in self._exact:
            return self._exact[method, path]
        if method not in self._roots:
            return None
        nodes: list[_Node] = [self._roots[method]]
        for segment in path.split("/"):
            nodes = list(_reached(nodes, segment))
            if not nodes:
                return None
        ends = [end for node in nodes for end in node.ends]
        best = min(ends, key=lambda end: (end[1].path.count("{"), end[0]), default=None)
        return best[1] if best else None


def _below(node: _Node, segment: str) -> _Node:
    around = tuple(_PARAMETER.split(segment))
    if len(around) == 1:
        return node.literal.setdefault(segment, _Node())
    return node.templates.setdefault(around, _Node())


def _reached(nodes: Iterable[_Node], segment: str) -> Iterable[_Node]:
    for node in nodes:
        if segment in node.literal:
            yield node.literal[segment]
        for around, below in node.templates.items():
            if _fits(segment, around):
                yield below


def _fits(segment: str, around: tuple[str, ...]) -> bool:
    """Return whether a segment is these texts with something between each two of them; in linear time.

    A regular expression would try every way of sharing a segment out among parameters.
    """
    first, *middle, last = around
    if not segment.startswith(first) or not segment.endswith(last):
        return False
    position, end = len(first), len(segment) - len(last)
    for text in middle:
        found = segment.find(text, position + 1)
        if found < 0:
            return False
        position = found + len(text)
    return position < end
