BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'gates','v1_first_layout','2026-11-24 09:12:53.872685+00:00');
CREATE TABLE attestations (
    id INTEGER PRIMARY KEY,
    item TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    evidence TEXT NOT NULL,         -- an address or a file
    note TEXT NOT NULL,
    attested_by TEXT NOT NULL,
    attested_at TEXT NOT NULL,      -- UTC, ISO 8601
    until TEXT NOT NULL             -- UTC, ISO 8601
) STRICT;
CREATE TABLE documents (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "documents" VALUES(1,0,'text 137 …','text 138 …');
INSERT INTO "documents" VALUES(1,1,'text 139 …','text 140 …');
INSERT INTO "documents" VALUES(2,0,'text 300 …','text 301 …');
INSERT INTO "documents" VALUES(2,1,'text 302 …','text 303 …');
CREATE TABLE done_items (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    item TEXT NOT NULL,
    title TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reasons TEXT NOT NULL,          -- JSON array
    gates TEXT NOT NULL,            -- JSON array
    hints TEXT NOT NULL,            -- JSON array
    known TEXT NOT NULL,            -- JSON array
    asked INTEGER NOT NULL CHECK (asked IN (0, 1)),
    PRIMARY KEY (run_id, position)
) STRICT;
INSERT INTO "done_items" VALUES('20261124-085000-full',0,'performance','text 347 …','error','["text 349 …", "text 350 …"]','["text 351 …", "text 352 …"]','["text 353 …", "text 354 …"]','["text 355 …", "text 356 …"]',0);
INSERT INTO "done_items" VALUES('20261124-085000-full',1,'documentation','text 359 …','pass','["text 361 …", "text 362 …"]','["text 363 …", "text 364 …"]','["text 365 …", "text 366 …"]','["text 367 …", "text 368 …"]',0);
CREATE TABLE epochs (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    seconds REAL NOT NULL,
    conditions TEXT NOT NULL,       -- JSON object
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "epochs" VALUES(1,0,93,94.1,'{"text 95 …": 96.1, "text 97 …": 98.1}');
INSERT INTO "epochs" VALUES(1,1,99,100.1,'{"text 101 …": 102.1, "text 103 …": 104.1}');
INSERT INTO "epochs" VALUES(2,0,256,257.1,'{"text 258 …": 259.1, "text 260 …": 261.1}');
INSERT INTO "epochs" VALUES(2,1,262,263.1,'{"text 264 …": 265.1, "text 266 …": 267.1}');
CREATE TABLE findings (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    message TEXT NOT NULL,
    fingerprint TEXT NOT NULL,      -- its identity, which survives line shifts
    path TEXT,
    line INTEGER,
    operation TEXT,
    state TEXT NOT NULL,            -- new, known, fixed, waived, flaky
    fix TEXT NOT NULL,
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "findings" VALUES(1,0,'text 47 …','high','text 49 …','text 50 …','text 51 …',52,'text 53 …','flaky','text 55 …');
INSERT INTO "findings" VALUES(1,1,'text 56 …','medium','text 58 …','text 59 …','text 60 …',61,'text 62 …','waived','text 64 …');
INSERT INTO "findings" VALUES(2,0,'text 210 …','info','text 212 …','text 213 …','text 214 …',215,'text 216 …','fixed','text 218 …');
INSERT INTO "findings" VALUES(2,1,'text 219 …','high','text 221 …','text 222 …','text 223 …',224,'text 225 …','known','text 227 …');
CREATE TABLE gaps (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    hint TEXT NOT NULL,
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "gaps" VALUES(1,0,'text 87 …','text 88 …','text 89 …');
INSERT INTO "gaps" VALUES(1,1,'text 90 …','text 91 …','text 92 …');
INSERT INTO "gaps" VALUES(2,0,'text 250 …','text 251 …','text 252 …');
INSERT INTO "gaps" VALUES(2,1,'text 253 …','text 254 …','text 255 …');
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
) STRICT;
INSERT INTO "gate_results" VALUES(1,'20261124-085000-full',0,'text 20 …','text 21 …','unknown',23.1,'text 24 …','text 25 …','["integration", "endpoints"]',1,'{"text 141 …": "text 142 …", "text 143 …": "text 144 …"}','{"text 145 …": "text 146 …", "text 147 …": "text 148 …"}','["text 149 …", "text 150 …"]');
INSERT INTO "gate_results" VALUES(2,'20261124-085000-full',1,'text 183 …','text 184 …','pass',186.1,'text 187 …','text 188 …','["endpoints", "database"]',0,'{"text 304 …": "text 305 …", "text 306 …": "text 307 …"}','{"text 308 …": "text 309 …", "text 310 …": "text 311 …"}','["text 312 …", "text 313 …"]');
CREATE TABLE histograms (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    counts BLOB NOT NULL,           -- zlib of the JSON array [bin, count, bin, count, ...], bins rising
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "histograms" VALUES(1,0,'text 105 …','text 106 …',107,X'78018B3634B0D03134B0D43134340062C35800205B0395');
INSERT INTO "histograms" VALUES(1,1,'text 112 …','text 113 …',114,X'78018B363434D531343403627320B68805002065039F');
INSERT INTO "histograms" VALUES(2,0,'text 268 …','text 269 …',270,X'78018B363237D4313237026263203689050020E503AB');
INSERT INTO "histograms" VALUES(2,1,'text 275 …','text 276 …',277,X'78018B3632B7D03132B7D431B2300062C35800217F03B5');
CREATE TABLE judgements (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    measurement TEXT NOT NULL,
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,             -- target, baseline, best, relative, findings, subjects, evidence
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
    debt INTEGER NOT NULL CHECK (debt IN (0, 1)),
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "judgements" VALUES(1,0,'text 151 …','text 152 …','evidence','text 154 …','pass','text 156 …',157.1,'text 158 …',159.1,160.1,161.1,162.1,163.1,164,'text 165 …',1);
INSERT INTO "judgements" VALUES(1,1,'text 167 …','text 168 …','baseline','text 170 …','fail','text 172 …',173.1,'text 174 …',175.1,176.1,177.1,178.1,179.1,180,'text 181 …',1);
INSERT INTO "judgements" VALUES(2,0,'text 314 …','text 315 …','baseline','text 317 …','error','text 319 …',320.1,'text 321 …',322.1,323.1,324.1,325.1,326.1,327,'text 328 …',0);
INSERT INTO "judgements" VALUES(2,1,'text 330 …','text 331 …','relative','text 333 …','skipped','text 335 …',336.1,'text 337 …',338.1,339.1,340.1,341.1,342.1,343,'text 344 …',0);
CREATE TABLE measurements (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,             -- load.p95
    scope TEXT NOT NULL,            -- an operation, a benchmark, a file; '' for the whole
    value REAL NOT NULL,
    unit TEXT NOT NULL,             -- s, B, ratio, 1, 1/s
    better TEXT NOT NULL,           -- lower, higher, neither
    count INTEGER,                  -- where the value is a share: so many ...
    total INTEGER,                  -- ... of so many
    samples TEXT NOT NULL,          -- JSON array: one value an epoch or process
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "measurements" VALUES(1,0,'text 29 …','text 33 …',30.1,'text 31 …','neither',34,35,'[36.1, 37.1]');
INSERT INTO "measurements" VALUES(1,1,'text 38 …','text 42 …',39.1,'text 40 …','neither',43,44,'[45.1, 46.1]');
INSERT INTO "measurements" VALUES(2,0,'text 192 …','text 196 …',193.1,'text 194 …','lower',197,198,'[199.1, 200.1]');
INSERT INTO "measurements" VALUES(2,1,'text 201 …','text 205 …',202.1,'text 203 …','lower',206,207,'[208.1, 209.1]');
CREATE TABLE operations (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    operation TEXT NOT NULL,
    operation_class TEXT NOT NULL,
    documented INTEGER CHECK (documented IN (0, 1)),
    tested INTEGER CHECK (tested IN (0, 1)),
    statuses_seen TEXT NOT NULL,    -- JSON array
    auth_enforced INTEGER CHECK (auth_enforced IN (0, 1)),
    error_envelope INTEGER CHECK (error_envelope IN (0, 1)),
    p95 REAL,
    compatible INTEGER CHECK (compatible IN (0, 1)),
    PRIMARY KEY (run_id, position)
) STRICT;
INSERT INTO "operations" VALUES('20261124-085000-full',0,'text 370 …','text 371 …',1,0,'[374, 375]',1,0,378.1,0);
INSERT INTO "operations" VALUES('20261124-085000-full',1,'text 380 …','text 381 …',1,0,'[384, 385]',1,0,388.1,0);
CREATE TABLE operations_seen (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    operation TEXT NOT NULL,
    statuses TEXT NOT NULL,         -- JSON object: status to how often it was answered
    success INTEGER CHECK (success IN (0, 1)),
    documented INTEGER NOT NULL CHECK (documented IN (0, 1)),
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "operations_seen" VALUES(1,0,'text 73 …','{"74": 75, "76": 77}',1,0);
INSERT INTO "operations_seen" VALUES(1,1,'text 80 …','{"81": 82, "83": 84}',0,1);
INSERT INTO "operations_seen" VALUES(2,0,'text 236 …','{"237": 238, "239": 240}',0,1);
INSERT INTO "operations_seen" VALUES(2,1,'text 243 …','{"244": 245, "246": 247}',1,0);
CREATE TABLE requests (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    operation TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    headers TEXT NOT NULL,          -- JSON object; secrets are redacted
    body TEXT,
    status INTEGER,
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "requests" VALUES(1,0,'text 119 …','text 120 …','text 121 …','{"text 122 …": "text 123 …", "text 124 …": "text 125 …"}','text 126 …',127);
INSERT INTO "requests" VALUES(1,1,'text 128 …','text 129 …','text 130 …','{"text 131 …": "text 132 …", "text 133 …": "text 134 …"}','text 135 …',136);
INSERT INTO "requests" VALUES(2,0,'text 282 …','text 283 …','text 284 …','{"text 285 …": "text 286 …", "text 287 …": "text 288 …"}','text 289 …',290);
INSERT INTO "requests" VALUES(2,1,'text 291 …','text 292 …','text 293 …','{"text 294 …": "text 295 …", "text 296 …": "text 297 …"}','text 298 …',299);
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
) STRICT;
INSERT INTO "runs" VALUES('20261124-085000-full','text 2 …','text 3 …','text 4 …',0,'text 6 …',7.1,'{"text 8 …": "text 9 …", "text 10 …": "text 11 …"}','{"text 12 …": "text 13 …", "text 14 …": "text 15 …"}','text 16 …','text 17 …','error',19,1,'["text 391 …", "text 392 …"]','text 393 …','finished',NULL,NULL,NULL,NULL,0);
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
INSERT INTO "signoffs" VALUES(1,'20261124-085000-full','foundation','Ada Lovelace','2026-11-24T09:00:00Z','a note','sha256:af46978578a5de0de7d6f70f87cadedfb1ff290a94302cf38de3f1b9c787ac46',NULL,'["one debt"]');
CREATE TABLE subjects (
    gate_result_id INTEGER NOT NULL REFERENCES gate_results (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,             -- test, operation, benchmark, file
    name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (gate_result_id, position)
) STRICT;
INSERT INTO "subjects" VALUES(1,0,'operation','text 66 …','text 67 …','text 68 …');
INSERT INTO "subjects" VALUES(1,1,'operation','text 70 …','text 71 …','text 72 …');
INSERT INTO "subjects" VALUES(2,0,'test','text 229 …','text 230 …','text 231 …');
INSERT INTO "subjects" VALUES(2,1,'test','text 233 …','text 234 …','text 235 …');
CREATE TABLE waivers (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,          -- the fingerprint of a finding, or a measurement
    reason TEXT NOT NULL,
    waived_by TEXT NOT NULL,
    waived_at TEXT NOT NULL,        -- UTC, ISO 8601
    until TEXT NOT NULL             -- UTC, ISO 8601
) STRICT;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX runs_by_start ON runs (started);
CREATE INDEX measurements_by_name ON measurements (name, scope);
CREATE INDEX signoffs_by_run ON signoffs (run_id);
COMMIT;
