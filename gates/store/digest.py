"""The content that a sign-off stands for, in a form whose digest is the same in every later version of gates.

The content is JSON with sorted keys and without spaces, all beyond ASCII escaped: the fields of the sign-off, of its
run and of everything in it, by their names in gates.results. It is made of the vocabulary and not of the tables, so
that a later layout of the tables leaves it alone. The vocabulary may grow, under one rule: a field that is added later
gets a default and a `Column(..., since=N)` with the next number, and is left out of the content while it has that
default. Fields of the first format are always in it, lists of records while they are not empty. So the content of
an older sign-off is what it was when it was signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

from gates.errors import IntegrityError
from gates.results import GateResult, Run, Signoff
from gates.store.rows import (
    DONE_ITEMS,
    GATE_READINGS,
    GATES,
    JUDGEMENTS,
    OPERATIONS,
    READINGS,
    RUNS,
    SIGNOFFS,
    TEXT_MAP,
    Column,
    Table,
)

_FORMAT = "gates.signoff/1"


def _default(record: object, name: str) -> Any:
    for field in fields(record):  # type: ignore[arg-type]
        if field.name == name:
            return field.default_factory() if field.default_factory is not MISSING else field.default
    return MISSING


def _is_signed(column: Column, record: object) -> bool:
    return column.since == 1 or getattr(record, column.field) != _default(record, column.field)


def plain_fields(table: Table[Any], record: object) -> dict[str, Any]:
    """Return the signed fields of one record, without the records inside it."""
    return {column.field: column.plain(record) for column in table.columns if _is_signed(column, record)}


def _lists(**parts: tuple[Table[Any], Sequence[object]]) -> dict[str, Any]:
    return {
        name: [plain_fields(table, record) for record in records] for name, (table, records) in parts.items() if records
    }


def _gate(result: GateResult) -> dict[str, Any]:
    read = result.readings
    readings = {
        **plain_fields(GATE_READINGS, read),
        **_lists(**{field: (table, getattr(read, field)) for field, table in READINGS.items()}),
        "documents": TEXT_MAP.plain(read.documents),
    }
    return {
        **plain_fields(GATES, result), "readings": readings, **_lists(judgements=(JUDGEMENTS, result.judgements)),
    }  # fmt: skip


def _run(run: Run) -> dict[str, Any]:
    return {
        **plain_fields(RUNS, run),
        "gates": [_gate(result) for result in run.gates],
        **_lists(done=(DONE_ITEMS, run.done), operations=(OPERATIONS, run.operations)),
    }


def canonical_content(signoff: Signoff) -> str:
    """Return everything that a sign-off stands for, its own digest aside, as canonical JSON."""
    content = plain_fields(SIGNOFFS, replace(signoff, digest=""))
    del content["digest"]
    content.update(format=_FORMAT, run=_run(signoff.run))
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def content_digest(signoff: Signoff) -> str:
    """Return `sha256:` and the digest of a sign-off's canonical content; its `digest` field plays no part."""
    return "sha256:" + hashlib.sha256(canonical_content(signoff).encode("ascii")).hexdigest()


def verify_baseline(signoff: Signoff) -> None:
    """Raise IntegrityError, naming the phase, when a sign-off does not have the content that was signed."""
    if content_digest(signoff) != signoff.digest:
        raise IntegrityError(
            f"the baseline of phase {signoff.phase!r} is not what was signed: its content does not have its digest",
            "bring the signed file back with git (git log -- baselines, git checkout COMMIT -- FILE)",
        )


def verify_chain(signoffs: Sequence[Signoff]) -> None:
    """Raise IntegrityError, naming the phase, when the sign-offs do not follow one another as they were signed.

    They may come in any order. Each must carry the digest of the one before it, and the first must carry none.
    """
    previous: Signoff | None = None
    for signoff in sorted(signoffs, key=lambda signoff: signoff.number):
        if previous is not None and previous.number == signoff.number:
            raise IntegrityError(
                f"the phases {previous.phase!r} and {signoff.phase!r} are both signed off as number {signoff.number}",
                "remove the one that was not signed; git log -- baselines tells which came first",
            )
        if signoff.previous_digest != (previous.digest if previous else None):
            before = f"the baseline of phase {previous.phase!r}" if previous else "no earlier baseline"
            raise IntegrityError(
                f"phase {signoff.phase!r} was signed off after another baseline than the one that is here ({before})",
                "bring the missing or changed baseline back with git (git log -- baselines)",
            )
        previous = signoff
