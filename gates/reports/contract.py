"""What `gates contract` found, for other programs: `gates.contract/1`, stable and versioned.

Within version 1, keys are added and never renamed, removed or given another meaning. All text is ASCII with escapes.
"""

from __future__ import annotations

import json
from typing import TypedDict

from gates.contract.changes import Change
from gates.contract.examination import WORDS, Described, Examination

CONTRACT_FORMAT = "gates.contract/1"


class DocumentEntry(TypedDict):
    """A document: the file as it was named, and what it says of itself."""

    file: str
    title: str
    version: str
    operations: int


class ChangeEntry(TypedDict):
    """A change, or something wrong with a single document; `operation` is null where several share what changed.

    `severity` is `error`, `warning` or `info`. `pointer` leads into the new document, `earlier_pointer` into the
    earlier one. `fingerprint` is its identity from run to run.
    """

    rule: str
    severity: str
    message: str
    operation: str | None
    operations: list[str]
    pointer: str
    earlier_pointer: str
    fingerprint: str
    fix: str


class Summary(TypedDict):
    """How many there are; `error` breaks clients, `warning` may break them, `info` does not."""

    error: int
    warning: int
    info: int
    unread: int


class ContractDocument(TypedDict):
    """The whole result; `earlier` is null where one document was looked at. `unread` could not be compared."""

    format: str
    earlier: DocumentEntry | None
    new: DocumentEntry
    verdict: str
    exit_code: int
    fail_on: str
    summary: Summary
    changes: list[ChangeEntry]
    unread: list[str]


def _document(one: Described) -> DocumentEntry:
    return {"file": one.name, "title": one.title, "version": one.version, "operations": one.operations}


def _change(change: Change) -> ChangeEntry:
    return {
        "rule": change.rule,
        "severity": WORDS[change.severity],
        "message": change.message,
        "operation": change.operation or None,
        "operations": list(change.operations),
        "pointer": change.pointer,
        "earlier_pointer": change.earlier_pointer,
        "fingerprint": change.fingerprint,
        "fix": change.fix,
    }


def contract_document(found: Examination) -> ContractDocument:
    """Return an examination as the plain data of `gates.contract/1`."""
    return {
        "format": CONTRACT_FORMAT,
        "earlier": _document(found.earlier) if found.earlier else None,
        "new": _document(found.new),
        "verdict": found.verdict.value,
        "exit_code": found.exit_code,
        "fail_on": found.fail_on,
        "summary": {
            "error": len(found.of("error")),
            "warning": len(found.of("warning")),
            "info": len(found.of("info")),
            "unread": len(found.unread),
        },
        "changes": [_change(change) for change in found.changes],
        "unread": list(found.unread),
    }


def contract_json(found: Examination) -> str:
    """Return an examination as JSON in the format `gates.contract/1`, ending in a newline."""
    return json.dumps(contract_document(found), indent=2, allow_nan=False) + "\n"
