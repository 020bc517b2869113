"""The operations of a document as they are compared: what is asked where, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from gates.contract.changes import Direction
from gates.contract.reading import Side, items_of, mapping, step
from gates.document import METHODS

_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_MOST_ADDRESSES = 16
"""So many addresses the variables of one server are written out to."""


@dataclass(frozen=True, slots=True)
class Part:
    """An operation, or what the API asks of its client in a callback or webhook.

    `home` is where it is listed, `pointer` where it is defined (elsewhere, where its path item is a reference);
    `bases` are the paths of its servers.
    """

    name: str
    method: str
    path: str
    home: str
    item: str
    pointer: str
    bases: tuple[str, ...] = ("",)
    servers: str = ""
    direction: Direction = Direction.REQUEST

    @property
    def template(self) -> str:
        """The path, whatever its parameters are called."""
        return without_names(self.path)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The whole paths, with those of the servers."""
        template = self.template
        return tuple(base + template for base in self.bases)

    @property
    def names(self) -> list[str]:
        """The names of the parameters in the path, in their order."""
        return _TEMPLATE.findall(self.path)


def without_names(path: str) -> str:
    """Return a path template without the names of its parameters."""
    return _TEMPLATE.sub("{}", path)


def read_operations(side: Side) -> list[Part]:
    """Return the operations of a document; path items that could not be read are noted."""
    found = []
    bases: dict[str, tuple[str, ...]] = {}
    for path, listed in side.children("", "paths"):
        for method, pointer, item in _methods(side, listed):
            servers = next((at for at in (pointer, item, "") if items_of(mapping(side.value(at)).get("servers"))), None)
            if servers is None:
                known: tuple[str, ...] = ("",)
            elif servers in bases:
                known = bases[servers]
            else:
                known = bases[servers] = base_paths(side, servers)
            home = pointer if item == listed else listed
            at = "" if servers is None else step(servers, "servers")
            found.append(Part(f"{method.upper()} {path}", method, path, home, item, pointer, known, at))
    return found


def is_unread(side: Side, path: str) -> bool:
    """Return whether a document has a path whose operations could not be read."""
    return path in mapping(side.content.get("paths")) and side.settle(step("", "paths", path)) is None


def _methods(side: Side, listed: str) -> Iterator[tuple[str, str, str]]:
    """Yield each method of a path item with the pointers of its operation and of the path item that defines it."""
    settled = side.settle(listed)
    holders = [listed] if settled == listed else [listed, settled] if settled is not None else []
    for holder in holders:
        item = side.object_at(holder)
        for method in METHODS:
            if method not in item or (holder != listed and method in mapping(side.value(listed))):
                continue
            pointer = side.child(holder, method, value=item[method])
            if side.object_at(pointer) is item[method]:
                yield method, pointer, holder


def read_calls(side: Side, pointer: str, keyword: str, name: str = "") -> list[Part]:
    """Return what the API asks of its client: the callbacks of an operation, or the webhooks of a document."""
    found = []
    for label, listed in side.children(pointer, keyword):
        if keyword == "webhooks":
            expressions = [("", listed)]
        else:
            settled = side.settle(listed)
            expressions = [] if settled is None else _expressions(side, settled)
        for number, (_, at) in enumerate(expressions):
            for method, operation, item in _methods(side, at):
                title = f"webhook {label} ({method.upper()})" if keyword == "webhooks" else name
                path = f"{label} {number}" if number else label
                home = operation if item == at else at
                found.append(Part(title, method, path, home, item, operation, direction=Direction.RESPONSE))
    return found


def _expressions(side: Side, pointer: str) -> list[tuple[str, str]]:
    members = mapping(side.value(pointer)).items()
    return [(name, side.child(pointer, name, value=one)) for name, one in members if not name.startswith("x-")]


def base_paths(side: Side, pointer: str) -> tuple[str, ...]:
    """Return the paths of the servers that an object lists, without the slash at their end, each once."""
    found: dict[str, None] = {}
    for server in items_of(mapping(side.value(pointer)).get("servers")):
        url = mapping(server).get("url")
        for address in _addresses(url if isinstance(url, str) else "", mapping(server).get("variables")):
            try:
                path = urlsplit(address).path
            except ValueError:
                side.note(step(pointer, "servers"), f"{address!r} is no address")
                continue
            path = path.strip("/")
            found[f"/{path}" if path else ""] = None
    return tuple(found) or ("",)


def _addresses(url: str, variables: object) -> list[str]:
    """Return the addresses that the variables of a server make of its template."""
    made = [url]
    for name in _VARIABLE.findall(url):
        variable = mapping(mapping(variables).get(name))
        values = [variable.get("default"), *items_of(variable.get("enum"))]
        texts = list(dict.fromkeys(str(value) for value in values if value is not None)) or ["{" + name + "}"]
        made = [one.replace("{" + name + "}", text) for one in made for text in texts][:_MOST_ADDRESSES]
    return made


def hosts(side: Side) -> list[str]:
    """Return the hosts that the document names for all operations; loopback is wherever it was written, and none."""
    found: dict[str, None] = {}
    for server in items_of(side.content.get("servers")):
        url = mapping(server).get("url")
        for address in _addresses(url if isinstance(url, str) else "", mapping(server).get("variables")):
            try:
                parts = urlsplit(address)
                name = parts.hostname
            except ValueError:
                continue
            if name and name not in ("localhost", "127.0.0.1", "0.0.0.0", "::1"):
                found[f"{parts.scheme}://{parts.netloc}" if parts.scheme else parts.netloc] = None
    return list(found)
