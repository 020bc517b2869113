"""The document of an earlier phase, and what became of its promises: contract, version, mentions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gates.contract import Change, Comparison, compare_documents
from gates.document import Document, DocumentError, parse_document
from gates.documentation import Changed, check_mentioned, check_version
from gates.errors import ToolError
from gates.profiles import nearest_hint
from gates.results import Finding, Gap, Measurement, Run, Severity
from gates.tools.base import Context
from gates.tools.openapi.mentioned import written_since

_OF_ALL = frozenset({"contract.servers-changed", "contract.major-version"})
"""Changes that are not of the operations they reach."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A document that this one is compared with, and what it is called: `the document of foundation`."""

    document: Document
    name: str


@dataclass
class Seen:
    """What the checks bring, piece by piece."""

    findings: list[Finding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)


def find_earlier(against: str | None, context: Context, seen: Seen) -> Earlier | None:
    """Return the document to compare with; None, and why in the gaps or notes, where there is none.

    Raises ToolError when `against` names neither a signed phase nor a readable document.
    """
    if against is not None and against not in context.signed:
        return Earlier(_read(context.root, against, context.signed), against)
    phase = against or next(reversed(list(context.signed)), None)
    if phase is None:
        seen.notes.append("contract: nothing to compare with: first phase")
        return None
    stored = _stored(context.signed[phase])
    if stored is None:
        seen.gaps.append(
            Gap(
                "the contract with the earlier phase",
                f"no gate kept the OpenAPI document when {phase} was signed off, so nothing can be compared with it",
                "sign this phase off with this gate: the next one is compared with it; or name a file with `against`",
            )
        )
        return None
    try:
        document = parse_document(stored)
    except DocumentError as error:
        raise ToolError(f"the document that {phase} kept cannot be read: {error.message}", error.hint) from error
    seen.notes.append(f"compared with the document of {phase}")
    return Earlier(document, f"the document of {phase}")


def _stored(run: Run) -> str | None:
    """Return the document of a run: that of its openapi gate, or of another that read it."""
    gates = sorted(run.gates, key=lambda gate: gate.tool != "openapi")
    return next((gate.readings.documents["openapi"] for gate in gates if "openapi" in gate.readings.documents), None)


def _read(root: Path, name: str, signed: Iterable[str]) -> Document:
    if not (root / name).is_file():
        raise ToolError(
            f"against = {name!r} is neither a phase that was signed off nor a file of the project",
            nearest_hint(name, list(signed)),
        )
    try:
        return parse_document((root / name).read_bytes())
    except (DocumentError, OSError) as error:
        problem = error.message if isinstance(error, DocumentError) else str(error.strerror)
        raise ToolError(f"against = {name!r} cannot be read: {problem}", "it is an OpenAPI document") from error


def compare(earlier: Earlier, document: Document, severities: Mapping[str, Severity | None]) -> Comparison:
    """Return what changed since the earlier document; a prefix that [backend] base_path gives is one of both."""
    then = earlier.document
    if document.base_path and not then.base_path and parse_document(document.text).base_path == "":
        then = replace(then, base_path=document.base_path)
    return compare_documents(then, document, severities)


def tell_contract(comparison: Comparison, seen: Seen) -> None:
    """Add what breaks, what changed, and what could not be compared; and which operations shared parts reach."""
    seen.findings += [change.as_finding() for change in comparison.changes]
    reached = {
        change.fingerprint: change.operations
        for change in (*comparison.breaking, *comparison.may_break)
        if not change.operation and change.operations
    }
    if reached:
        seen.documents["contract.reached"] = json.dumps(reached)
    seen.gaps += [
        Gap("the contract with the earlier phase", f"a part of it could not be compared: {sentence}")
        for sentence in comparison.unread
    ]
    seen.measurements += [
        Measurement("contract.breaking", len(comparison.breaking), "1", "neither"),
        Measurement("contract.changes", len(comparison.changes), "1", "neither"),
    ]


def check_documented(
    earlier: Earlier, document: Document, comparison: Comparison, mentioned_in: Sequence[str], context: Context
) -> tuple[list[Finding], list[str]]:
    """Return whether the version moved with the contract and whether what changed is mentioned, and notes on that."""
    found = check_version(earlier.document, document, changed=bool(comparison.changes))
    if not (mentioned_in and comparison.changes):
        return found, []
    written = written_since(context.root, mentioned_in, context.base_commit)
    changed = changed_parts(comparison.changes)
    return [*found, *check_mentioned(changed, written.texts, base_path=document.base_path)], [written.note]


def changed_parts(changes: Iterable[Change]) -> list[Changed]:
    """Return the operations that changed, and the components that several of them use, each once."""
    found: dict[str, Changed] = {}
    for change in changes:
        if change.rule in _OF_ALL:
            continue
        if change.operation:
            found.setdefault(change.operation, Changed(change.operation, change.pointer))
        elif change.operations:
            pointer = change.pointer or change.earlier_pointer
            parts = pointer.split("/")
            name = parts[3] if len(parts) > 3 and parts[1] == "components" else parts[-1]
            found.setdefault(name, Changed(name, change.pointer, change.operations))
    return list(found.values())
