"""A run as rows of tables and back, exactly; pure, and the one place that knows which field lies in which column."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gates.errors import GatesError
from gates.results import (
    DoneItem,
    Epoch,
    Finding,
    FindingState,
    Gap,
    GateResult,
    Histogram,
    Judgement,
    Measurement,
    OperationRow,
    OperationSeen,
    Readings,
    RecordedRequest,
    Run,
    Severity,
    Signoff,
    Subject,
    Verdict,
)

SqlValue = str | int | float | bytes | None
Row = tuple[SqlValue, ...]
Rows = dict[str, list[Row]]
"""The rows of one run, by table; every table is there, though it may be empty."""

T = TypeVar("T")

UNDECODABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, zlib.error)
"""What reading damaged rows raises."""

_ESCAPED = "\ufdd0"  # a code point that Unicode promises never to assign


def stored_text(text: str) -> str:
    """Return a text as the files keep it: as it is, unless it could not be written as UTF-8."""
    # What fuzzers send and file names hold may contain lone surrogates, which are not UTF-8: SQLite would refuse them.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _ESCAPED + text.encode("unicode_escape").decode("ascii")
        if text.startswith(_ESCAPED):
            return _ESCAPED + text.encode("unicode_escape").decode("ascii")
    return text


def loaded_text(text: str) -> str:
    """Return the text that `stored_text` made of another."""
    return text[1:].encode("ascii").decode("unicode_escape") if text.startswith(_ESCAPED) else text


def _number(value: float) -> float:
    number = float(value)
    if number != number:  # SQLite would store NULL in its place
        raise ValueError("it is not a number (NaN)")
    return number + 0.0  # SQLite keeps no negative zero


def _integer(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise ValueError("it does not fit into 64 bits")
    return int(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _compress(counts: Mapping[str, int]) -> bytes:
    flat = [
        number for key, count in sorted((int(key), count) for key, count in counts.items()) for number in (key, count)
    ]
    # Level 1: half the time of the default, which takes a twentieth to an eighth less space on latencies.
    return zlib.compress(json.dumps(flat, separators=(",", ":")).encode(), 1)


def _decompress(blob: bytes) -> dict[int, int]:
    flat = json.loads(zlib.decompress(blob))
    return dict(zip(flat[::2], flat[1::2], strict=True))


class Unstorable(GatesError):
    """A record holds a value that no number or text is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of field is written: `plain` for JSON and digests, `stored` makes of that what SQLite keeps."""

    plain: Callable[[Any], Any]
    stored: Callable[[Any], SqlValue]
    loaded: Callable[[Any], Any]


TEXT = Kind(stored_text, str, loaded_text)
INTEGER = Kind(_integer, int, int)
REAL = Kind(_number, float, float)
FLAG = Kind(bool, int, bool)
WORDS = Kind(
    lambda value: [stored_text(word) for word in value],
    _json,
    lambda text: tuple(loaded_text(w) for w in json.loads(text)),
)
NUMBERS = Kind(lambda value: [_number(item) for item in value], _json, lambda text: tuple(json.loads(text)))
INTEGERS = Kind(lambda value: [_integer(item) for item in value], _json, lambda text: tuple(json.loads(text)))
TEXT_MAP = Kind(
    lambda value: {stored_text(key): stored_text(item) for key, item in value.items()},
    _json,
    lambda text: {loaded_text(key): loaded_text(item) for key, item in json.loads(text).items()},
)
NUMBER_MAP = Kind(
    lambda value: {stored_text(key): _number(item) for key, item in value.items()},
    _json,
    lambda text: {loaded_text(key): item for key, item in json.loads(text).items()},
)
COUNT_MAP = Kind(
    lambda value: {str(_integer(key)): _integer(item) for key, item in value.items()},
    _json,
    lambda text: {int(key): item for key, item in json.loads(text).items()},
)
BIN_COUNTS = Kind(COUNT_MAP.plain, _compress, _decompress)
VERDICT = Kind(lambda value: Verdict(value).value, str, Verdict)
SEVERITY = Kind(lambda value: Severity(value).value, str, Severity)
STATE = Kind(lambda value: FindingState(value).value, str, FindingState)


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the field it holds; `since` is the format of signed content that first had it (see digest.py)."""

    name: str
    kind: Kind
    field: str
    since: int = 1

    def plain(self, record: object) -> Any:
        """Return the field of a record as JSON would have it; raises Unstorable for what cannot be kept."""
        value = getattr(record, self.field)
        if value is None:
            return None
        try:
            return self.kind.plain(value)
        except ValueError as error:
            raise Unstorable(
                f"the {self.field} of a {type(record).__name__} cannot be stored: {error} ({_short(record)})",
                "this is a mistake in the tool that measured it; please report it",
            ) from error


def _short(record: object) -> str:
    text = repr(record)
    return text if len(text) <= 200 else text[:200] + "…"


class Table(Generic[T]):
    """A table whose rows are records of one dataclass, after the columns that say whose rows they are."""

    def __init__(self, name: str, make: Callable[..., T], owner: tuple[str, ...], *columns: Column) -> None:
        self.name, self.make, self.owner, self.columns = name, make, owner, columns
        self.names = (*owner, *(column.name for column in columns))

    def row(self, owner: Row, record: T) -> Row:
        """Return the row of a record."""
        values = [(column.kind, column.plain(record)) for column in self.columns]
        return (*owner, *(None if value is None else kind.stored(value) for kind, value in values))

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the fields that a row holds."""
        return {
            column.field: None if value is None else column.kind.loaded(value)
            for column, value in zip(self.columns, row[len(self.owner) :], strict=True)
        }

    def record(self, row: Row) -> T:
        """Return the record that a row holds."""
        return self.make(**self.fields(row))


@dataclass(frozen=True, slots=True)
class NamedText:
    """A document of a gate: an OpenAPI description, a database schema."""

    name: str
    content: str


def keyed(**kinds: Kind) -> tuple[Column, ...]:
    """Return columns that are named as their fields are."""
    return tuple(Column(name, kind, name) for name, kind in kinds.items())


_GATE = ("gate_result_id", "position")
_RUN = ("run_id", "position")

RUNS = Table(
    "runs", Run, (),
    *keyed(id=TEXT, project=TEXT, phase=TEXT), Column("commit_id", TEXT, "commit"),
    *keyed(
        dirty=FLAG, started=TEXT, seconds=REAL, machine=TEXT_MAP, versions=TEXT_MAP, policy=TEXT, policy_digest=TEXT,
        verdict=VERDICT, exit_code=INTEGER, partial=FLAG, notes=WORDS, baseline_phase=TEXT,
    ),
)  # fmt: skip
GATES = Table(
    "gate_results", GateResult, ("id", *_RUN),
    *keyed(
        gate=TEXT, tool=TEXT, verdict=VERDICT, seconds=REAL, reason=TEXT, hint=TEXT, items=WORDS, cached=FLAG,
    ),
)  # fmt: skip
GATE_READINGS = Table("gate_results", Readings, (), *keyed(configurations=TEXT_MAP, versions=TEXT_MAP, notes=WORDS))
"""The columns of gate_results that belong to its readings, after those of GATES."""

READINGS: dict[str, Table[Any]] = {
    "measurements": Table("measurements", Measurement, _GATE, *keyed(
        name=TEXT, scope=TEXT, value=REAL, unit=TEXT, better=TEXT, count=INTEGER, total=INTEGER, samples=NUMBERS,
    )),
    "findings": Table("findings", Finding, _GATE, *keyed(
        rule=TEXT, severity=SEVERITY, message=TEXT, fingerprint=TEXT, path=TEXT, line=INTEGER, operation=TEXT,
        state=STATE, fix=TEXT,
    ), Column("pointer", TEXT, "pointer", since=2), Column("earlier_pointer", TEXT, "earlier_pointer", since=2)),
    "subjects": Table("subjects", Subject, _GATE, *keyed(kind=TEXT, name=TEXT, outcome=TEXT, message=TEXT)),
    "operations": Table("operations_seen", OperationSeen, _GATE, *keyed(
        operation=TEXT, statuses=COUNT_MAP, success=FLAG, documented=FLAG,
    ), Column("source", TEXT, "source", since=2)),
    "gaps": Table("gaps", Gap, _GATE, *keyed(what=TEXT, reason=TEXT, hint=TEXT)),
    "epochs": Table("epochs", Epoch, _GATE, *keyed(number=INTEGER, seconds=REAL, conditions=NUMBER_MAP)),
    "histograms": Table("histograms", Histogram, _GATE, *keyed(
        name=TEXT, scope=TEXT, epoch=INTEGER, counts=BIN_COUNTS,
    )),
    "requests": Table("requests", RecordedRequest, _GATE, *keyed(
        operation=TEXT, method=TEXT, path=TEXT, headers=TEXT_MAP, body=TEXT, status=INTEGER,
    ), Column("shape", TEXT, "shape", since=2), Column("steps", TEXT, "steps", since=2)),
}  # fmt: skip
"""The tables of what a gate read, by the field of Readings."""
DOCUMENTS = Table("documents", NamedText, _GATE, *keyed(name=TEXT, content=TEXT))
JUDGEMENTS = Table("judgements", Judgement, _GATE, *keyed(
    measurement=TEXT, scope=TEXT, kind=TEXT, demand=TEXT, verdict=VERDICT, reason=TEXT, value=REAL, unit=TEXT,
    baseline=REAL, ratio=REAL, low=REAL, high=REAL, detectable=REAL, samples=INTEGER, hint=TEXT, debt=FLAG,
))  # fmt: skip
DONE_ITEMS = Table("done_items", DoneItem, _RUN, *keyed(
    item=TEXT, title=TEXT, verdict=VERDICT, reasons=WORDS, gates=WORDS, hints=WORDS, known=WORDS, asked=FLAG,
))  # fmt: skip
OPERATIONS = Table("operations", OperationRow, _RUN, *keyed(
    operation=TEXT, operation_class=TEXT, documented=FLAG, tested=FLAG, statuses_seen=INTEGERS, auth_enforced=FLAG,
    error_envelope=FLAG, p95=REAL, compatible=FLAG,
), Column("answered", FLAG, "answered", since=2), Column("tested_by", WORDS, "tested_by", since=2))  # fmt: skip
SIGNOFFS = Table(
    "signoffs", Signoff, ("run_id",),
    *keyed(number=INTEGER, phase=TEXT), Column("signed_by", TEXT, "by"), Column("signed_at", TEXT, "at"),
    *keyed(note=TEXT, digest=TEXT, previous_digest=TEXT, debts=WORDS),
)  # fmt: skip

OF_A_GATE: tuple[Table[Any], ...] = (*READINGS.values(), DOCUMENTS, JUDGEMENTS)
OF_A_RUN: tuple[Table[Any], ...] = (DONE_ITEMS, OPERATIONS)
COLUMNS: dict[str, tuple[str, ...]] = {
    "runs": RUNS.names,
    "gate_results": (*GATES.names, *GATE_READINGS.names),
    **{table.name: table.names for table in (*OF_A_GATE, *OF_A_RUN)},
}
"""The columns of every table that a run is kept in, in the order of its rows."""


def _numbered(owner: SqlValue, table: Table[T], records: Iterable[T]) -> list[Row]:
    return [table.row((owner, position), record) for position, record in enumerate(records)]


def gate_rows(result: GateResult, run_id: str, gate_id: int, position: int) -> Rows:
    """Return all rows of one gate; `gate_id` is the key its parts refer to."""
    rows: Rows = {
        "gate_results": [
            (*GATES.row((gate_id, stored_text(run_id), position), result), *GATE_READINGS.row((), result.readings))
        ]
    }
    for field, table in READINGS.items():
        rows[table.name] = _numbered(gate_id, table, getattr(result.readings, field))
    texts = [NamedText(name, content) for name, content in result.readings.documents.items()]
    rows[DOCUMENTS.name] = _numbered(gate_id, DOCUMENTS, texts)
    rows[JUDGEMENTS.name] = _numbered(gate_id, JUDGEMENTS, result.judgements)
    return rows


def run_rows(run: Run, first_gate_id: int) -> Rows:
    """Return all rows of a run; its gates get the keys from `first_gate_id` on."""
    rows: Rows = {name: [] for name in COLUMNS}
    rows["runs"] = [RUNS.row((), run)]
    for position, result in enumerate(run.gates):
        for name, more in gate_rows(result, run.id, first_gate_id + position, position).items():
            rows[name] += more
    rows[DONE_ITEMS.name] = _numbered(stored_text(run.id), DONE_ITEMS, run.done)
    rows[OPERATIONS.name] = _numbered(stored_text(run.id), OPERATIONS, run.operations)
    return rows


def _by_owner(rows: Sequence[Row]) -> dict[SqlValue, list[Row]]:
    groups: dict[SqlValue, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    return groups


def _gates_from(rows: Rows) -> Iterable[GateResult]:
    by_gate = {table.name: _by_owner(rows[table.name]) for table in OF_A_GATE}

    def records(table: Table[T], key: SqlValue) -> tuple[T, ...]:
        return tuple(table.record(row) for row in by_gate[table.name].get(key, ()))

    for row in rows["gate_results"]:
        key, split = row[0], len(GATES.names)
        parts: dict[str, Any] = {field: records(table, key) for field, table in READINGS.items()}
        documents = {document.name: document.content for document in records(DOCUMENTS, key)}
        readings = Readings(**parts, documents=documents, **GATE_READINGS.fields(row[split:]))
        yield GateResult(**GATES.fields(row[:split]), readings=readings, judgements=records(JUDGEMENTS, key))


def run_from(rows: Rows) -> Run:
    """Return the run that rows hold, each table in the order of its positions.

    Raises one of UNDECODABLE when they are damaged.
    """
    (row,) = rows["runs"]
    return Run(
        **RUNS.fields(row),
        gates=tuple(_gates_from(rows)),
        done=tuple(DONE_ITEMS.record(row) for row in rows[DONE_ITEMS.name]),
        operations=tuple(OPERATIONS.record(row) for row in rows[OPERATIONS.name]),
    )
