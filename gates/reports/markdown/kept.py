"""What a run has kept of the project itself: the snapshot and the phase's document of a phase gate, and OpenAPI; pure.

The forms are those of `gates.tools.phase.snapshot` (`gates.snapshot/1`) and `gates.tools.phase.record`
(`gates.phase/1`). They are read as they stand in the baseline, so that no tool is loaded to show a sheet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gates.document import Document, DocumentError, Operation, parse_document
from gates.reports.markdown.escape import code, prose
from gates.results import Run

NO_PHASE_GATE = "not measured: add a `phase` gate"
_FORMATS = {"snapshot": "gates.snapshot/1", "phase": "gates.phase/1"}


@dataclass(frozen=True)
class Kept:
    """The snapshot and the record of a phase gate, and the OpenAPI document that any gate has kept, each if there is.

    `missing` says, as Markdown, why there is no snapshot.
    """

    snapshot: Mapping[str, Any] | None = None
    record: Mapping[str, Any] | None = None
    openapi: str | None = None
    missing: str = NO_PHASE_GATE

    @cached_property
    def document(self) -> Document | None:
        """The OpenAPI document; None when there is none that can be read."""
        if self.openapi is None:
            return None
        try:
            return parse_document(self.openapi)
        except DocumentError:
            return None  # the gate that kept it has said so

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """The operations of the document by name."""
        return {one.name: one for one in self.document.operations} if self.document else {}

    @property
    def since(self) -> str:
        """The phase that changes are counted from; empty where everything is new."""
        return str(self.record["since"]) if self.record else ""

    def change(self, kind: str) -> Change | None:
        """Return what became of a kind since then; None when nobody knows."""
        found = self.record["changes"].get(kind) if self.record else None
        if found is None:
            return None
        return Change(tuple(found["added"]), tuple(found["removed"]), dict(found["changed"]))

    def is_new(self, kind: str, name: str) -> bool:
        """Return whether something is new since an earlier phase; in the first phase nothing is told as new."""
        return bool(self.since) and name in self._added.get(kind, frozenset())

    @cached_property
    def _added(self) -> dict[str, frozenset[str]]:
        changes = self.record["changes"] if self.record else {}
        return {kind: frozenset(change["added"]) for kind, change in changes.items()}

    def unseen(self, kind: str) -> str | None:
        """Return, as Markdown, why nothing can be told of a kind, or None when something can."""
        if self.snapshot is None:
            return self.missing
        why = self.snapshot["not_seen"].get(kind)
        return f"not seen: {prose(why)}" if why is not None else None


@dataclass(frozen=True, slots=True)
class Change:
    """What is new, gone, and changed of a kind of things."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, str] = field(default_factory=dict)


def kept_in(run: Run) -> Kept:
    """Return what a run has kept of the project."""
    gates = sorted(run.gates, key=lambda one: one.gate)
    documents = [gate.readings.documents for gate in gates]
    openapi = next((one["openapi"] for one in documents if "openapi" in one), None)
    own = next((one for one in documents if "snapshot" in one and "phase" in one), None)
    if own is None:
        asked = [f"the gate {code(gate.gate)} is {gate.verdict}" for gate in gates if gate.tool == "phase"]
        return Kept(openapi=openapi, missing=f"not measured: {asked[0]}" if asked else NO_PHASE_GATE)
    read = {name: json.loads(own[name]) for name in _FORMATS}
    later = [name for name, form in _FORMATS.items() if read[name].get("format") != form]
    if later:
        return Kept(openapi=openapi, missing=f"not shown: the {later[0]} is of another format than this version knows")
    return Kept(read["snapshot"], read["phase"], openapi)
