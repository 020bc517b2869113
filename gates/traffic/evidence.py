"""What an observation becomes in the readings of a gate: operations, findings, numbers, and what has to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gates.document import Document
from gates.results import Finding, Measurement, OperationSeen, SeenBy
from gates.traffic.observed import MOST_UNDOCUMENTED, Observation

_ASKED_BY: Mapping[SeenBy, str] = {
    "tests": "a request of the tests", "traffic": "recorded traffic", "generated": "a generated request",
    "replayed": "a request of an earlier phase",
}  # fmt: skip
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """Parts of a gate's readings."""

    operations: tuple[OperationSeen, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def evidence_of(observation: Observation, source: SeenBy) -> Evidence:
    """Return what an observation says, as parts of readings."""
    notes = []
    if observation.elsewhere:
        shown = ", ".join(list(observation.elsewhere.values())[:_SHOWN])
        count = len(observation.elsewhere)
        what = "1 other application or service" if count == 1 else f"{count} other applications or services"
        notes.append(
            f"calls to {what} were left out: none of them is to an operation of the document (such as {shown})"
        )
    if observation.left_out:
        notes.append(f"{observation.left_out} routes more than the first {MOST_UNDOCUMENTED} are in no document either")
    asked_by = _ASKED_BY[source]
    findings = tuple(route.as_finding(asked_by) for route in observation.undocumented)
    return Evidence(observation.everything(source), findings, tuple(notes))


def share_of_operations(name: str, observation: Observation, document: Document) -> Measurement:
    """Return the share of a document's operations that were seen to answer with a documented success, with counts."""
    total = len({operation.name for operation in document.operations})
    count = observation.succeeded
    return Measurement(name, count / total if total else 0.0, "ratio", "higher", count=count, total=total)
