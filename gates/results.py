"""The vocabulary of a run: what tools bring back, and what was made of it.

Frozen dataclasses without behaviour of their own; this module imports nothing of ours.
Units are SI base units: seconds, bytes, ratios (0.9 for 90 %), plain counts, 1/s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

RUN_FORMAT = "gates.run/1"

Better = Literal["lower", "higher", "neither"]
ItemId = Literal[
    "endpoints", "database", "auth", "errors", "performance", "security", "tests", "documentation", "integration"
]


class Verdict(StrEnum):
    """The five answers; there is no other way to be green than `pass`."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    SKIPPED = "skipped"


_FROM_WORST = (Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN, Verdict.PASS, Verdict.SKIPPED)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts: a fail outweighs an error, an error an unknown; nothing at all is unknown."""
    seen = set(verdicts)
    for verdict in _FROM_WORST:
        if verdict in seen:
            return verdict
    return Verdict.UNKNOWN


class Severity(StrEnum):
    """How bad a finding is, in the words that the scanners share."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class FindingState(StrEnum):
    """What a finding is to this phase: only `new` (and worse) can fail a gate."""

    NEW = "new"
    KNOWN = "known"
    FIXED = "fixed"
    WAIVED = "waived"
    FLAKY = "flaky"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with its unit, direction and scope (an operation, a benchmark, a file, or "" for the whole).

    `count` of `total` is kept where the value is a share, so that no information is lost in a percentage.
    `samples` are independent repetitions (one value per epoch or process), in the same unit as `value`.
    """

    name: str
    value: float
    unit: str
    better: Better
    scope: str = ""
    count: int | None = None
    total: int | None = None
    samples: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A discrete problem; `fingerprint` is its identity and survives line shifts and rewording.

    `pointer` is a JSON pointer into the document that was looked at, `earlier_pointer` into the one it was compared
    with.
    """

    rule: str
    severity: Severity
    message: str
    fingerprint: str
    path: str | None = None
    line: int | None = None
    operation: str | None = None
    state: FindingState = FindingState.NEW
    fix: str = ""
    pointer: str = ""
    earlier_pointer: str = ""


SubjectKind = Literal["test", "operation", "benchmark", "file"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that was looked at and is expected to be there next time: its disappearance is reported.

    Outcomes: a test is `passed failed error skipped flaky`; an operation `tested` (with a message when not to the
    end) or `untested` (with a message when on purpose); a benchmark `measured`; a file `scanned`.
    """

    kind: SubjectKind
    name: str
    outcome: str
    message: str = ""


SeenBy = Literal["generated", "tests", "replayed", "traffic"]


@dataclass(frozen=True, slots=True)
class OperationSeen:
    """What a gate saw of one operation of the API: how often each status was answered.

    `success` is true when a valid request got a documented success, false when valid requests were sent and
    none did, None when no valid request could be made. `source` says whose requests these were: made by a gate from the
    document, those of the project's own tests, those of an earlier phase sent again, or traffic that was recorded.
    """

    operation: str
    statuses: Mapping[int, int] = field(default_factory=dict)
    success: bool | None = None
    documented: bool = True
    source: SeenBy = "generated"


@dataclass(frozen=True, slots=True)
class Gap:
    """Evidence that is missing: what was looked for, why it is not there, what would bring it."""

    what: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One stretch of load on a freshly started backend, with the numbers that say whether it can be trusted."""

    number: int
    seconds: float
    conditions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Latencies of one operation in one epoch, by the logarithmic bins of gates.load.histogram."""

    name: str
    scope: str
    epoch: int
    counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request of the corpus that was sent, so that a later phase can send the same; secrets are redacted.

    `shape` is the form of its answer's body, `steps` the requests that make the state it depends on; both as JSON.
    """

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None = None
    status: int | None = None
    shape: str = ""
    steps: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """All that one gate brings back."""

    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    subjects: tuple[Subject, ...] = ()
    operations: tuple[OperationSeen, ...] = ()
    gaps: tuple[Gap, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    requests: tuple[RecordedRequest, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    configurations: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


JudgementKind = Literal["target", "baseline", "best", "relative", "beside", "findings", "subjects", "evidence"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One decision and all that led to it; `debt` marks one that failed, and was accepted as known at a sign-off."""

    measurement: str
    scope: str
    kind: JudgementKind
    demand: str
    verdict: Verdict
    reason: str
    value: float | None = None
    unit: str = ""
    baseline: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    detectable: float | None = None
    samples: int | None = None
    hint: str = ""
    debt: bool = False


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate measured, and how it was judged."""

    gate: str
    tool: str
    verdict: Verdict
    seconds: float
    reason: str | None = None
    hint: str = ""
    items: tuple[ItemId, ...] = ()
    cached: bool = False
    readings: Readings = field(default_factory=Readings)
    judgements: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True)
class DoneItem:
    """One line of the Definition of Done; `asked` is false when the run left its gates out."""

    item: ItemId
    title: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    asked: bool = True


@dataclass(frozen=True, slots=True)
class OperationRow:
    """A row of the operations table; None is a cell that no gate has filled.

    `tested` is true when the project's own tests, or failing them a valid generated request, got a documented success;
    `tested_by` says which of them did.
    """

    operation: str
    operation_class: str
    documented: bool | None = None
    tested: bool | None = None
    statuses_seen: tuple[int, ...] = ()
    auth_enforced: bool | None = None
    error_envelope: bool | None = None
    p95: float | None = None
    compatible: bool | None = None
    answered: bool | None = None
    tested_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One whole check: the only thing that reports, the store and the sign-off read."""

    id: str
    project: str
    phase: str
    commit: str | None
    dirty: bool
    started: str
    seconds: float
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    policy: str
    policy_digest: str
    verdict: Verdict
    exit_code: int
    gates: tuple[GateResult, ...] = ()
    done: tuple[DoneItem, ...] = ()
    operations: tuple[OperationRow, ...] = ()
    partial: bool = False
    notes: tuple[str, ...] = ()
    baseline_phase: str | None = None


@dataclass(frozen=True, slots=True)
class Signoff:
    """A phase that a person signed: the run, by whom and when, and the chain of digests it stands in."""

    phase: str
    number: int
    by: str
    at: str
    note: str
    run: Run
    digest: str
    previous_digest: str | None
    debts: tuple[str, ...] = ()
