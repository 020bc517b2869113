"""The layout of the database files, version by version; histories and baselines share it.

A version is a function that changes the layout of the one before it; it is never edited once a baseline was written
with it, because an older baseline stays readable for ever. The versions a file has are in its `_sqlite_migrations`.

History:

v1_first_layout   runs with all that hangs on them, sign-offs, waivers and attestations
v2_calibrations   what a machine makes of a build that is measured beside itself
v3_contracts      pointers of findings, whose requests an operation saw, shapes and steps of recorded requests
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

MIGRATION_SET = "gates"
VERSIONS: dict[str, Callable[[Database], None]] = {}
"""The versions in order, by name. Kept apart from sqlite-utils, whose import is paid only by those who write."""


def version(change: Callable[[Database], None]) -> Callable[[Database], None]:
    """Register a function as the next version of the layout."""
    VERSIONS[change.__name__] = change
    return change


def migrations() -> Migrations:
    """Return the versions as sqlite-utils applies them."""
    from sqlite_utils import Migrations

    together = Migrations(MIGRATION_SET)
    for name, change in VERSIONS.items():
        together(name=name)(change)
    return together


# Comments inside the statements are kept by SQLite, and are what `.schema`, sqlite-utils and datasette show.
_RUNS = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY NOT NULL,
    project TEXT NOT NULL,
    phase TEXT NOT NULL,
    commit_id TEXT,                 -- NULL outside git
    dirty INTEGER NOT NULL CHECK (dirty IN (0, 1)),
    started TEXT NOT NULL,          -- UTC, ISO 8601
    seconds REAL NOT NULL,
    machine TEXT NOT NULL,          -- JSON object
    versions TEXT NOT NULL,         -- JSON object: tool to version
    policy TEXT NOT NULL,           -- all that decides a verdict besides the readings, as JSON
    policy_digest TEXT NOT NULL,
    verdict TEXT NOT NULL,
    exit_code INTEGER NOT NULL,
    partial INTEGER NOT NULL CHECK (partial IN (0, 1)),
    notes TEXT NOT NULL,            -- JSON array
    baseline_phase TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'interrupted')),
    state_reason TEXT,              -- why it was interrupted
    process_id INTEGER,             -- of the gates process, while the run is not finished
    process_started REAL,           -- seconds since 1970: tells a reused process id apart
    host TEXT,
    thinned INTEGER NOT NULL CHECK (thinned IN (0, 1)) -- 1 when the bulky rows of an old run were removed
) STRICT
"""
_GATE_RESULTS = """
CREATE TABLE gate_results (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    gate TEXT NOT NULL,
    tool TEXT NOT NULL,
    verdict TEXT NOT NULL,
    seconds REAL NOT NULL,
    reason TEXT,
    hint TEXT NOT NULL,
    items TEXT NOT NULL,            -- JSON array: items of the Definition of Done
    cached INTEGER NOT NULL CHECK (cached IN (0, 1)),
    configurations TEXT NOT NULL,   -- JSON object: effective configuration to digest
    versions TEXT NOT NULL,         -- JSON object: tool to version
    notes TEXT NOT NULL,            -- JSON array
    UNIQUE (run_id, position)
) STRICT
"""
_OF_A_GATE = {
    "measurements": """
    name TEXT NOT NULL,             -- load.p95
    scope TEXT NOT NULL,            -- an operation, a benchmark, a file; '' for the whole
    value REAL NOT NULL,
    unit TEXT NOT NULL,             -- s, B, ratio, 1, 1/s
    better TEXT NOT NULL,           -- lower, higher, neither
    count INTEGER,                  -- where the value is a share: so many ...
    total INTEGER,                  -- ... of so many
    samples TEXT NOT NULL,          -- JSON array: one value an epoch or process""",
    "findings": """
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    message TEXT NOT NULL,
    fingerprint TEXT NOT NULL,      -- its identity, which survives line shifts
    path TEXT,
    line INTEGER,
    operation TEXT,
    state TEXT NOT NULL,            -- new, known, fixed, waived, flaky
    fix TEXT NOT NULL,""",
    "subjects": """
    kind TEXT NOT NULL,             -- test, operation, benchmark, file
    name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    message TEXT NOT NULL,""",
    "operations_seen": """
    operation TEXT NOT NULL,
    statuses TEXT NOT NULL,         -- JSON object: status to how often it was answered
    success INTEGER CHECK (success IN (0, 1)),
    documented INTEGER NOT NULL CHECK (documented IN (0, 1)),""",
    "gaps": """
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    hint TEXT NOT NULL,""",
    "epochs": """
    number INTEGER NOT NULL,
    seconds REAL NOT NULL,
    conditions TEXT NOT NULL,       -- JSON object""",
    "histograms": """
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    counts BLOB NOT NULL,           -- zlib of the JSON array [bin, count, bin, count, ...], bins rising""",
    "requests": """
    operation TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    headers TEXT NOT NULL,          -- JSON object; secrets are redacted
    body TEXT,
    status INTEGER,""",
    "documents": """
    name TEXT NOT NULL,
    content TEXT NOT NULL,""",
    "judgements": """
    measurement TEXT NOT NULL,
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,             -- target, baseline, best, relative, beside, findings, subjects, evidence
    demand TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    value REAL,
    unit TEXT NOT NULL,
    baseline REAL,
    ratio REAL,
    low REAL,
    high REAL,
    detectable REAL,                -- the smallest effect that would have been seen
    samples INTEGER,
    hint TEXT NOT NULL,
    debt INTEGER NOT NULL CHECK (debt IN (0, 1)),""",
}
_OF_A_RUN = {
    "done_items": """
    item TEXT NOT NULL,
    title TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reasons TEXT NOT NULL,          -- JSON array
    gates TEXT NOT NULL,            -- JSON array
    hints TEXT NOT NULL,            -- JSON array
    known TEXT NOT NULL,            -- JSON array
    asked INTEGER NOT NULL CHECK (asked IN (0, 1)),""",
    "operations": """
    operation TEXT NOT NULL,
    operation_class TEXT NOT NULL,
    documented INTEGER CHECK (documented IN (0, 1)),
    tested INTEGER CHECK (tested IN (0, 1)),
    statuses_seen TEXT NOT NULL,    -- JSON array
    auth_enforced INTEGER CHECK (auth_enforced IN (0, 1)),
    error_envelope INTEGER CHECK (error_envelope IN (0, 1)),
    p95 REAL,
    compatible INTEGER CHECK (compatible IN (0, 1)),""",
}
_BY_PEOPLE = """
CREATE TABLE signoffs (
    number INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id),
    phase TEXT NOT NULL,
    signed_by TEXT NOT NULL,
    signed_at TEXT NOT NULL,        -- UTC, ISO 8601
    note TEXT NOT NULL,
    digest TEXT NOT NULL,           -- SHA-256 of the canonical content
    previous_digest TEXT,           -- of the sign-off before it; NULL in the first
    debts TEXT NOT NULL             -- JSON array: what was broken and accepted
) STRICT;
CREATE TABLE waivers (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,          -- the fingerprint of a finding, or a measurement
    reason TEXT NOT NULL,
    waived_by TEXT NOT NULL,
    waived_at TEXT NOT NULL,        -- UTC, ISO 8601
    until TEXT NOT NULL             -- UTC, ISO 8601
) STRICT;
CREATE TABLE attestations (
    id INTEGER PRIMARY KEY,
    item TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    evidence TEXT NOT NULL,         -- an address or a file
    note TEXT NOT NULL,
    attested_by TEXT NOT NULL,
    attested_at TEXT NOT NULL,      -- UTC, ISO 8601
    until TEXT NOT NULL             -- UTC, ISO 8601
) STRICT
"""
_INDEXES = """
CREATE INDEX runs_by_start ON runs (started);
CREATE INDEX measurements_by_name ON measurements (name, scope);
CREATE INDEX signoffs_by_run ON signoffs (run_id)
"""

_CALIBRATIONS = """
CREATE TABLE calibrations (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,               -- UTC, ISO 8601
    gate TEXT NOT NULL,
    settings TEXT NOT NULL,         -- digest of what shapes the load of that gate
    machine TEXT NOT NULL,          -- JSON object
    gates TEXT NOT NULL,            -- the version that made it
    commit_id TEXT NOT NULL,        -- of the build that was measured beside itself
    planned INTEGER NOT NULL,       -- epochs of a check at most
    epochs INTEGER NOT NULL,        -- measured here, and believed
    epoch_seconds REAL NOT NULL,    -- each, with all that belongs to it
    floor REAL NOT NULL,            -- a share: 0.01 for 1 %
    wanted REAL NOT NULL,           -- the floor that the bias asked for
    order_effect REAL NOT NULL,     -- natural logarithm: asked first to asked second
    rule INTEGER NOT NULL,          -- version of how these figures are made
    trial_verdict TEXT NOT NULL,    -- pass, fail, open: what the rule of a check says of these epochs
    trial_epochs INTEGER NOT NULL,  -- after so many
    trial_blamed TEXT NOT NULL      -- JSON array: what would have failed
) STRICT;
CREATE TABLE calibration_noise (
    calibration_id INTEGER NOT NULL REFERENCES calibrations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,             -- pair.shift
    scope TEXT NOT NULL,            -- an operation; '' for the whole
    tolerance REAL NOT NULL,        -- a share: 0.05 for 5 %
    samples TEXT NOT NULL,          -- JSON array: natural logarithms of new to old, one an epoch
    bias REAL NOT NULL,             -- their mean
    reach REAL NOT NULL,            -- half its 95 % interval
    sd REAL NOT NULL,
    detectable REAL NOT NULL,       -- a share: what a check would see
    needed INTEGER,                 -- epochs until an unchanged build passes; NULL when none are enough
    PRIMARY KEY (calibration_id, position)
) STRICT
"""


def _part(table: str, columns: str, owner: str, owners: str, kind: str) -> str:
    # The primary key begins with the foreign key, and so is its index too.
    return (
        f"CREATE TABLE {table} (\n    {owner} {kind} NOT NULL REFERENCES {owners} (id) ON DELETE CASCADE,\n"
        f"    position INTEGER NOT NULL,{columns}\n    PRIMARY KEY ({owner}, position)\n) STRICT"
    )


@version
def v1_first_layout(db: Database) -> None:
    """Create everything."""
    statements = [_RUNS, _GATE_RESULTS]
    for table, columns in _OF_A_GATE.items():
        statements.append(_part(table, columns, "gate_result_id", "gate_results", "INTEGER"))
    for table, columns in _OF_A_RUN.items():
        statements.append(_part(table, columns, "run_id", "runs", "TEXT"))
    for statement in [*statements, *_BY_PEOPLE.split(";\n"), *_INDEXES.split(";\n")]:
        db.execute(statement.strip())


@version
def v2_calibrations(db: Database) -> None:
    """Add what `gates calibrate` found out; an addition that leaves runs and sign-offs as they are."""
    for statement in _CALIBRATIONS.split(";\n"):
        db.execute(statement.strip())


@version
def v3_contracts(db: Database) -> None:
    """Add where in a document a finding is, who asked an operation, and what a recorded request needs and got."""
    for table, column in (
        ("findings", "pointer TEXT NOT NULL DEFAULT ''"),
        ("findings", "earlier_pointer TEXT NOT NULL DEFAULT ''"),
        ("operations_seen", "source TEXT NOT NULL DEFAULT 'generated'"),
        ("requests", "shape TEXT NOT NULL DEFAULT ''"),
        ("requests", "steps TEXT NOT NULL DEFAULT ''"),
        ("operations", "answered INTEGER CHECK (answered IN (0, 1))"),
        ("operations", "tested_by TEXT NOT NULL DEFAULT '[]'"),
    ):
        db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
