"""The Definition of Done as a guideline lists it: which of its nine items are there, also in other words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gates.guidelines.blocks import Block
from gates.results import ItemId

_TITLE = re.compile(r"\bdefinition[- ]of[- ]done\b|\bDoD\b|\bdone when\b", re.IGNORECASE)
_STRUCK = re.compile(r"^~~.*~~$")
ITEM_WORDS: Mapping[ItemId, tuple[str, str]] = {
    "endpoints": ("All API endpoints implemented and tested", r"\bendpoints?\b|\boperations\b.*\btested\b|\broutes?\b"),
    "database": ("Database schema and operations optimized", r"\bdatabases?\b|\bschemas?\b|\bDB\b"),
    "auth": ("Authentication and authorization working", r"\bauth(?:n|z|entication|orization|orisation)?\b|\blogin\b"),
    "errors": ("Error handling and logging implemented", r"\berrors?\b|\blogging\b|\blogs?\b"),
    "performance": ("Performance targets met", r"\bperformance\b|\bresponse times?\b|\blatenc\w+"),
    "security": ("Security best practices followed", r"\bsecur\w+"),
    "tests": (
        "Unit and integration tests passing",
        r"\btests\b.*\b(?:pass|green|succe)\w*|\b(?:unit|integration) tests?\b",
    ),
    "documentation": ("API documentation updated", r"\bdocumentation\b|\bdocs\b|\bopenapi\b|\bAPI\b.*\bdocumented\b"),
    "integration": ("Phase integration points documented", r"\bintegration points?\b|\bphases?\b"),
}
"""By item: its title in the guideline, and the words that it may have become."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """The list of a guideline: the line of its heading (None where there is none), and the items it has."""

    mentioned: bool
    line: int | None
    items: frozenset[ItemId]


def read_checklist(blocks: Iterable[Block]) -> Checklist:
    """Return which items of the Definition of Done stand in its section.

    A guideline that only speaks of the Definition of Done in a sentence has no list that could lack an item.
    """
    mentioned, line, found = False, None, set()
    for block in blocks:
        if block.kind == "heading" and _TITLE.search(block.text):
            mentioned, line = True, block.lines[0][0]
        below = any(_TITLE.search(words) for words in (*block.headings, *block.parents))
        mentioned = mentioned or below or _TITLE.search(block.text) is not None
        if below and block.kind in ("item", "cell") and not _STRUCK.match(block.text.strip()):
            line = line or block.lines[0][0]
            found |= {item for item, (_, pattern) in ITEM_WORDS.items() if re.search(pattern, block.text, re.I)}
    return Checklist(mentioned, line if found else None, frozenset(found))
