"""What is said of a property or parameter as such, beside which values it may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gates.contract.reading import Side, canonical, items_of


@dataclass(frozen=True, slots=True)
class Facts:
    """Whether a property is only written by the API or only by the client, is deprecated, and what its default is."""

    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    default: str | None = None


_NONE = Facts()


def facts_at(side: Side, pointers: tuple[str, ...]) -> Facts:
    """Return what is said of a property by all that stands at some pointers and what it refers to."""
    read_only = write_only = deprecated = False
    default: str | None = None
    pending, seen = list(reversed(pointers)), set()
    while pending:
        pointer = pending.pop()
        raw = side.value(pointer)
        if not isinstance(raw, Mapping) or pointer in seen:
            continue
        seen.add(pointer)
        reference = raw.get("$ref")
        if isinstance(reference, str):
            target = side.target(pointer, reference)
            pending += [target] if target is not None else []
            if not side.modern:
                continue
        read_only = read_only or raw.get("readOnly") is True
        write_only = write_only or raw.get("writeOnly") is True
        # A type that is deprecated as such is told once, and not of all that is of it.
        deprecated = deprecated or (raw.get("deprecated") is True and pointer in pointers)
        if default is None and raw.get("default") is not None:
            default = canonical(raw["default"])
        for number, part in enumerate(items_of(raw.get("allOf"))):
            pending.append(side.child(pointer, "allOf", str(number), value=part))
    if not (read_only or write_only or deprecated or default):
        return _NONE
    return Facts(read_only, write_only, deprecated, default)
