"""The result for other programs: `gates.run/1`, stable and versioned, as the typed dictionaries below say.

Within version 1, keys are added and never renamed, removed or given another meaning. Units are SI base units, numbers
are not rounded, a number that is missing or impossible is null, and all text is ASCII with escapes, so that nothing
in it can move a terminal's cursor. What could hold a secret (recorded requests, documents) is not part of it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypedDict

from gates.reports.wording import debts
from gates.results import (
    RUN_FORMAT,
    DoneItem,
    Epoch,
    Finding,
    Gap,
    GateResult,
    Judgement,
    Measurement,
    OperationRow,
    Run,
    Subject,
)


class RunEntry(TypedDict):
    """What was run, when, where, and by which rules; `policy` is the digest of the rules, `policy_text` the rules."""

    id: str
    project: str
    phase: str
    commit: str | None
    dirty: bool
    started: str
    seconds: float | None
    machine: dict[str, str]
    versions: dict[str, str]
    policy: str
    policy_text: str


class ItemEntry(TypedDict):
    """One item of the Definition of Done; `asked` is false when the run left its gates out."""

    item: str
    title: str
    verdict: str
    reasons: list[str]
    hints: list[str]
    known: list[str]
    gates: list[str]
    asked: bool


class MeasurementEntry(TypedDict):
    """A number; `count` of `total` where it is a share, `samples` where it was repeated independently."""

    name: str
    scope: str
    value: float | None
    unit: str
    better: str
    count: int | None
    total: int | None
    samples: list[float | None]


class FindingEntry(TypedDict):
    """A problem; `path` is relative to the project, `fingerprint` is its identity from run to run.

    `pointer` is a JSON pointer into the document that was looked at, `earlier_pointer` into the one compared with.
    """

    rule: str
    severity: str
    message: str
    path: str | None
    line: int | None
    operation: str | None
    fingerprint: str
    state: str
    fix: str
    pointer: str
    earlier_pointer: str


class JudgementEntry(TypedDict):
    """A decision and what led to it; `debt` marks one that failed and was accepted as known at a sign-off."""

    measurement: str
    scope: str
    kind: str
    demand: str
    value: float | None
    unit: str
    baseline: float | None
    ratio: float | None
    low: float | None
    high: float | None
    detectable: float | None
    samples: int | None
    verdict: str
    reason: str
    hint: str
    debt: bool


class SubjectEntry(TypedDict):
    """Something that was looked at and did not come out well: a test that failed, an operation left untested."""

    kind: str
    name: str
    outcome: str
    message: str


class SubjectsEntry(TypedDict):
    """What was looked at: how many of each kind came out how, and by name those that did not come out well."""

    counts: dict[str, dict[str, int]]
    failing: list[SubjectEntry]


class GapEntry(TypedDict):
    """Evidence that is missing."""

    what: str
    reason: str
    hint: str


class EpochEntry(TypedDict):
    """One stretch of load on a freshly started backend, and the numbers that say whether it can be trusted."""

    number: int
    seconds: float | None
    conditions: dict[str, float | None]


class GateEntry(TypedDict):
    """What one gate measured and how it was judged."""

    gate: str
    tool: str
    verdict: str
    seconds: float | None
    cached: bool
    reason: str | None
    hint: str
    items: list[str]
    measurements: list[MeasurementEntry]
    findings: list[FindingEntry]
    judgements: list[JudgementEntry]
    subjects: SubjectsEntry
    gaps: list[GapEntry]
    epochs: list[EpochEntry]
    configurations: dict[str, str]
    versions: dict[str, str]
    notes: list[str]


# "class" cannot be written as an attribute.
OperationEntry = TypedDict(
    "OperationEntry",
    {
        "operation": str,
        "class": str,
        "documented": bool | None,
        "tested": bool | None,
        "statuses_seen": list[int],
        "auth_enforced": bool | None,
        "error_envelope": bool | None,
        "p95": float | None,
        "compatible": bool | None,
        "answered": bool | None,
        "tested_by": list[str],
    },
)


class RunDocument(TypedDict):
    """The whole result; `exit_code` 0 beside the verdict `unknown` means that unknown was allowed."""

    format: str
    run: RunEntry
    verdict: str
    exit_code: int
    partial: bool
    baseline: str | None
    debts: list[str]
    notes: list[str]
    done: list[ItemEntry]
    gates: list[GateEntry]
    operations: list[OperationEntry]


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _relative(path: str | None) -> str | None:
    # A path from outside the project says where somebody's home is, and nothing that another machine could use.
    if path is None or not (PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()):
        return path
    return f".../{PureWindowsPath(path).name}"


def _run(run: Run) -> RunEntry:
    return {
        "id": run.id,
        "project": run.project,
        "phase": run.phase,
        "commit": run.commit,
        "dirty": run.dirty,
        "started": run.started,
        "seconds": _finite(run.seconds),
        "machine": dict(run.machine),
        "versions": dict(run.versions),
        "policy": run.policy_digest,
        "policy_text": run.policy,
    }


def _item(item: DoneItem) -> ItemEntry:
    return {
        "item": item.item,
        "title": item.title,
        "verdict": item.verdict.value,
        "reasons": list(item.reasons),
        "hints": list(item.hints),
        "known": list(item.known),
        "gates": list(item.gates),
        "asked": item.asked,
    }


def _measurement(measurement: Measurement) -> MeasurementEntry:
    return {
        "name": measurement.name,
        "scope": measurement.scope,
        "value": _finite(measurement.value),
        "unit": measurement.unit,
        "better": measurement.better,
        "count": measurement.count,
        "total": measurement.total,
        "samples": [_finite(sample) for sample in measurement.samples],
    }


def _finding(finding: Finding) -> FindingEntry:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": _relative(finding.path),
        "line": finding.line,
        "operation": finding.operation,
        "fingerprint": finding.fingerprint,
        "state": finding.state.value,
        "fix": finding.fix,
        "pointer": finding.pointer,
        "earlier_pointer": finding.earlier_pointer,
    }


def _judgement(judgement: Judgement) -> JudgementEntry:
    return {
        "measurement": judgement.measurement,
        "scope": judgement.scope,
        "kind": judgement.kind,
        "demand": judgement.demand,
        "value": _finite(judgement.value),
        "unit": judgement.unit,
        "baseline": _finite(judgement.baseline),
        "ratio": _finite(judgement.ratio),
        "low": _finite(judgement.low),
        "high": _finite(judgement.high),
        "detectable": _finite(judgement.detectable),
        "samples": judgement.samples,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason,
        "hint": judgement.hint,
        "debt": judgement.debt,
    }


_FINE = frozenset({"passed", "tested", "measured", "scanned"})


def _subjects(subjects: tuple[Subject, ...]) -> SubjectsEntry:
    counts: dict[str, Counter[str]] = {}
    for subject in subjects:
        counts.setdefault(subject.kind, Counter())[subject.outcome] += 1
    return {
        "counts": {kind: dict(sorted(outcomes.items())) for kind, outcomes in sorted(counts.items())},
        "failing": [
            {"kind": subject.kind, "name": subject.name, "outcome": subject.outcome, "message": subject.message}
            for subject in subjects
            if subject.outcome not in _FINE
        ],
    }


def _gap(gap: Gap) -> GapEntry:
    return {"what": gap.what, "reason": gap.reason, "hint": gap.hint}


def _epoch(epoch: Epoch) -> EpochEntry:
    return {
        "number": epoch.number,
        "seconds": _finite(epoch.seconds),
        "conditions": {name: _finite(number) for name, number in epoch.conditions.items()},
    }


def _gate(result: GateResult) -> GateEntry:
    readings = result.readings
    return {
        "gate": result.gate,
        "tool": result.tool,
        "verdict": result.verdict.value,
        "seconds": _finite(result.seconds),
        "cached": result.cached,
        "reason": result.reason,
        "hint": result.hint,
        "items": list(result.items),
        "measurements": [_measurement(measurement) for measurement in readings.measurements],
        "findings": [_finding(finding) for finding in readings.findings],
        "judgements": [_judgement(judgement) for judgement in result.judgements],
        "subjects": _subjects(readings.subjects),
        "gaps": [_gap(gap) for gap in readings.gaps],
        "epochs": [_epoch(epoch) for epoch in readings.epochs],
        "configurations": dict(readings.configurations),
        "versions": dict(readings.versions),
        "notes": list(readings.notes),
    }


def _operation(row: OperationRow) -> OperationEntry:
    return {
        "operation": row.operation,
        "class": row.operation_class,
        "documented": row.documented,
        "tested": row.tested,
        "statuses_seen": list(row.statuses_seen),
        "auth_enforced": row.auth_enforced,
        "error_envelope": row.error_envelope,
        "p95": _finite(row.p95),
        "compatible": row.compatible,
        "answered": row.answered,
        "tested_by": list(row.tested_by),
    }


def document(run: Run) -> RunDocument:
    """Return a run as the plain data of `gates.run/1`."""
    return {
        "format": RUN_FORMAT,
        "run": _run(run),
        "verdict": run.verdict.value,
        "exit_code": run.exit_code,
        "partial": run.partial,
        "baseline": run.baseline_phase,
        "debts": debts(run),
        "notes": list(run.notes),
        "done": [_item(item) for item in run.done],
        "gates": [_gate(result) for result in run.gates],
        "operations": [_operation(row) for row in run.operations],
    }


def _without_surrogates(data: Any) -> Any:
    # Half a character, as undecodable bytes leave behind, is not valid in JSON, however it is escaped.
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(data, dict):
        return {_without_surrogates(key): _without_surrogates(part) for key, part in data.items()}
    if isinstance(data, list):
        return [_without_surrogates(part) for part in data]
    return data


def render(run: Run) -> str:
    """Return a run as JSON in the format `gates.run/1`, ending in a newline."""
    return json.dumps(_without_surrogates(document(run)), indent=2, allow_nan=False) + "\n"
