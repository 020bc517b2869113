"""One of the two documents while it is compared: values by JSON pointer, references, and what could not be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from gates.document import Document

_MAX_UNREAD = 50
_EXTENSIBLE = frozenset({"paths", "responses"})


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value where it is an object, and an empty one where it is anything else."""
    if type(value) is dict:  # which is much faster to ask, and nearly always the case
        return value
    return value if isinstance(value, Mapping) else {}


def items_of(value: Any) -> list[Any]:
    """Return a value where it is a list, and an empty one where it is anything else."""
    return value if isinstance(value, list) else []


def step(pointer: str, *keys: str) -> str:
    """Return a JSON pointer to a value inside the one it is for."""
    return "/".join((pointer, *(key.replace("~", "~0").replace("/", "~1") for key in keys)))


def steps_of(pointer: str) -> list[str]:
    """Return the keys of a JSON pointer."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def canonical(value: Any) -> str:
    """Return a value as text that is the same for equal values: 1 and 1.0 are one number, keys have no order."""
    return json.dumps(_whole(value), sort_keys=True, ensure_ascii=False, default=str)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _whole(part) for key, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value


class Side:
    """A document, with everything that was looked at by its pointer; `name` is `earlier` or `new`."""

    def __init__(self, name: str, document: Document) -> None:
        self.name = name
        self.content: Mapping[str, Any] = document.content
        self.modern = not document.version.startswith(("2.", "3.0"))
        """Whether it is OpenAPI 3.1 or later: its schemas are JSON Schema, null is a type, and `$ref` has siblings."""
        self.unread: dict[tuple[str, str], None] = {}
        self._values: dict[str, Any] = {"": document.content}
        self._targets: dict[str, str | None] = {}

    def note(self, pointer: str, reason: str) -> None:
        """Remember something that could not be compared; of many of them, the first and that there are more."""
        if len(self.unread) < _MAX_UNREAD:
            self.unread[pointer, reason] = None
        elif len(self.unread) == _MAX_UNREAD:
            self.unread["", "there is more that could not be read"] = None

    def value(self, pointer: str) -> Any:
        """Return the value that a pointer is for; None where there is none."""
        if pointer in self._values:
            return self._values[pointer]
        node: Any = self.content
        for key in steps_of(pointer):
            node = _inside(node, key)
            if node is _NOTHING:
                return None
        return node

    def child(self, pointer: str, *keys: str, value: Any) -> str:
        """Return the pointer of a value inside another, and remember what is there."""
        made = step(pointer, *keys)
        self._values[made] = value
        return made

    def target(self, pointer: str, reference: str) -> str | None:
        """Return the pointer that a reference is for; None, with a note, where it leads out or to nothing."""
        if reference not in self._targets:
            found = self._search(reference)
            self._targets[reference] = found if found.startswith("/") or not found else None
            if self._targets[reference] is None:
                self.note(pointer, f"the reference {_shown(reference)} {found}")
        return self._targets[reference]

    def _search(self, reference: str) -> str:
        """Return a pointer, or why there is none."""
        if not reference.startswith("#"):
            return "leaves the document, and is not followed"
        if reference == "#":
            return ""
        if not reference.startswith("#/"):
            return "names an anchor, which is not looked up"
        node: Any = self.content
        keys = []
        for part in reference[2:].split("/"):
            plain = part.replace("~1", "/").replace("~0", "~")
            found: Any = _NOTHING
            for key in (plain, unquote(plain), unquote(part).replace("~1", "/").replace("~0", "~")):
                if (found := _inside(node, key)) is not _NOTHING:
                    keys.append(key)
                    break
            if found is _NOTHING:
                return "points to nothing"
            node = found
        return self.child("", *keys, value=node)

    def settle(self, pointer: str) -> str | None:
        """Return where references from a parameter, header, body, response or path item end; None where they do not."""
        seen = {pointer}
        while True:
            reference = mapping(self.value(pointer)).get("$ref")
            if not isinstance(reference, str):
                return pointer
            target = self.target(pointer, reference)
            if target is None:
                return None
            if target in seen:
                self.note(pointer, f"the reference {_shown(reference)} refers to itself")
                return None
            seen.add(target)
            pointer = target

    def object_at(self, pointer: str) -> Mapping[str, Any]:
        """Return the object that a pointer is for; what is none is noted, and empty."""
        value = self.value(pointer)
        if not isinstance(value, Mapping):
            self.note(pointer, "there is no object where one should be")
        return mapping(value)

    def children(self, pointer: str, key: str) -> Iterator[tuple[str, str]]:
        """Yield name and pointer of the members of an object inside another one.

        Extensions are left out where there can be any; elsewhere `x-` is how a name begins.
        """
        listed = mapping(self.value(pointer)).get(key)
        if listed is None:
            return
        if not isinstance(listed, Mapping):
            self.note(step(pointer, key), "there is no object where one should be")
        for name, value in mapping(listed).items():
            if not (key in _EXTENSIBLE and name.startswith("x-")):
                yield name, self.child(pointer, key, name, value=value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")


class _Nothing:
    """What is found where there is no value; None may be one."""


_NOTHING = _Nothing()


def _inside(node: Any, key: str) -> Any:
    if isinstance(node, Mapping):
        return node.get(key, _NOTHING)
    if isinstance(node, list) and key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(node):
        return node[int(key)]
    return _NOTHING
