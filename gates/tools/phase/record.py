"""What a phase gate keeps of a phase document, beside its snapshot, as JSON: `gates.phase/1`; pure.

    {"format": "gates.phase/1", "phase": "search", "since": "foundation", "places": ["phases/search.md"],
     "provides": [{"kind": "tables", "name": "orders", "written": "Orders", "place": "phases/search.md:9"}],
     "consumes": [{… the same …, "phase": "foundation"}], "kept": {"foundation": [{… the same …}]},
     "changes": {"tables": {"added": ["search_index"], "removed": [], "changed": {"orders.id": "TEXT → INTEGER"}}}}

`name` is that of the snapshot, and empty where what is written is not there; `kept` is what earlier phases provide and
is there still; `since` is the phase that the changes are counted from, and empty where everything is new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gates.tools.phase.promises import Checked, Resolved
from gates.tools.phase.references import KINDS, Kind, Reference, Written
from gates.tools.phase.snapshot import Change

FORMAT = "gates.phase/1"
DOCUMENT = "phase"
"""Under which name it stands among the documents of a gate's readings."""
_MOST = 5000


def to_json(phase: str, since: str, written: Written, checked: Checked, changes: Mapping[str, Change]) -> str:
    """Return what is kept of a phase's document and of what is new in it."""
    content = {
        "format": FORMAT,
        "phase": phase,
        "since": since,
        "places": list(written.places),
        "provides": _references(checked.provides),
        "consumes": _references(checked.consumes),
        "kept": {name: _references(kept) for name, kept in checked.kept.items() if name != phase},
        "changes": {
            kind: {
                "added": list(change.added[:_MOST]),
                "removed": list(change.removed[:_MOST]),
                "changed": dict(list(change.changed.items())[:_MOST]),
            }
            for kind, change in changes.items()
        },
    }
    return json.dumps(content, indent=1, ensure_ascii=True)


def _references(found: Iterable[Resolved]) -> list[dict[str, str]]:
    kept = []
    for one in list(found)[:_MOST]:
        reference = one.reference
        entry = {"kind": one.kind, "name": one.name, "written": reference.name, "place": reference.place}
        kept.append({**entry, "phase": reference.phase} if reference.phase else entry)
    return kept


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was kept of a phase: what is new in it, and what its document lists and is there.

    Only what was there when it was signed off is a promise.
    """

    since: str
    new: Mapping[Kind, tuple[str, ...]]
    provides: tuple[Reference, ...]
    consumes: tuple[Reference, ...]


def from_json(text: str) -> Recorded:
    """Return what is new in a phase, and what its document lists.

    Raises ValueError when it is of a later format.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"what is kept of the phase document is not of the format {FORMAT}")
    new: dict[Kind, tuple[str, ...]] = {
        kind: tuple(content["changes"][kind]["added"]) for kind in KINDS if kind in content["changes"]
    }
    references = [
        tuple(
            Reference(one["kind"], one["name"], one["place"], one.get("phase", ""))
            for one in content[key]
            if one["name"]
        )
        for key in ("provides", "consumes")
    ]
    return Recorded(content["since"], new, *references)
