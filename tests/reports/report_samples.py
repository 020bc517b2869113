"""Runs as they really look, for the tests of the reports: every verdict, debts, gaps, and hostile text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gates.results import (
    DoneItem,
    Epoch,
    Finding,
    FindingState,
    Gap,
    GateResult,
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

TITLES: dict[Any, str] = {
    "endpoints": "All API endpoints implemented and tested",
    "database": "Database schema and operations optimized",
    "auth": "Authentication and authorization working",
    "errors": "Error handling and logging implemented",
    "performance": "Performance targets met",
    "security": "Security best practices followed",
    "tests": "Unit and integration tests passing",
    "documentation": "API documentation updated",
    "integration": "Phase integration points documented",
}
HOSTILE = (
    "\x1b[2J\x1b]0;pwned\x07all \x1b[32mgreen\x1b[0m \x9b1A\u202egnp.exe\u200b | `rm -rf` <img src=x onerror=alert(1)> "
    "@everyone #1 ![x](http://evil.example/t.png) [click](javascript:alert(1))\r\n</details>\n::error::forged\n"
    "## PASS\x00\ud800\ufffe"
)
SECRET = "Bearer sekrit-token-123"


def coverage_gate() -> GateResult:
    tests = [Subject("test", f"tests/test_orders.py::test_{number}", "passed") for number in range(40)]
    return GateResult(
        "tests",
        "coverage",
        Verdict.PASS,
        12.42,
        items=("tests",),
        readings=Readings(
            measurements=(
                Measurement("coverage.branches", 0.91, "ratio", "higher", count=91, total=100),
                Measurement("coverage.lines", 0.9641, "ratio", "higher", count=1234, total=1280),
                Measurement("tests.failed", 0, "1", "lower"),
                Measurement("tests.skipped", 1, "1", "neither"),
                Measurement("tests.total", 41, "1", "higher"),
            ),
            subjects=(*tests, Subject("test", "tests/test_orders.py::test_slow", "skipped", "needs a printer")),
            versions={"coverage": "7.17.3", "pytest": "9.0.1"},
            configurations={".coveragerc": "sha256:0a1b"},
        ),
        judgements=(
            Judgement(
                "coverage.lines", "", "target", ">= 90 %", Verdict.PASS, "96.41 % of >= 90 %",
                value=0.9641, unit="ratio",
            ),
            Judgement(
                "coverage.lines", "", "baseline", "0 points", Verdict.PASS, "not below 95.8 %",
                value=0.9641, unit="ratio", baseline=0.958, ratio=1.0064,
            ),
        ),
    )  # fmt: skip


def security_gate() -> GateResult:
    return GateResult(
        "security",
        "bandit",
        Verdict.FAIL,
        0.91,
        items=("security",),
        readings=Readings(
            measurements=(
                Measurement("security.high", 1, "1", "lower"),
                Measurement("security.lines", 5120, "1", "neither"),
            ),
            findings=(
                Finding(
                    "B608", Severity.MEDIUM, "Possible SQL injection through string-based query construction",
                    "ab12cd34ab12cd34", "orders/search.py", 41, fix="pass the words as parameters of the query",
                ),
                Finding(
                    "B105", Severity.LOW, "Possible hardcoded password: 'guest'", "11aa11aa11aa11aa", "orders/auth.py",
                    7, state=FindingState.KNOWN,
                ),
                Finding(
                    "B311", Severity.LOW, "random is not for security", "22bb22bb22bb22bb", "orders/ids.py", 12,
                    state=FindingState.FIXED,
                ),
                Finding(
                    "B404", Severity.LOW, "Consider possible security implications", "33cc33cc33cc33cc",
                    "orders/export.py", 3, state=FindingState.WAIVED,
                ),
            ),
        ),
        judgements=(
            Judgement(
                "findings", "", "findings", "none new", Verdict.FAIL,
                "1 finding is new: orders/search.py:41 B608 Possible SQL injection through string-based query"
                " construction",
                hint="pass the words as parameters of the query, or waive ab12cd34ab12cd34 with a reason and a date",
            ),
        ),
    )  # fmt: skip


def fuzz_gate() -> GateResult:
    return GateResult(
        "fuzz",
        "schemathesis",
        Verdict.ERROR,
        61.0,
        reason="schemathesis was killed by signal 9 after 61 s",
        hint="give the machine more memory, or lower `time` in [gates.fuzz]",
        items=("endpoints", "errors"),
        readings=Readings(gaps=(Gap("POST /orders/import", "its schema is invalid", "repair the schema"),)),
    )


def load_judgements() -> tuple[Judgement, ...]:
    return (
        Judgement(
            "load.p95", "GET /orders", "target", "<= 80 ms", Verdict.FAIL,
            "load.p95 of GET /orders is 113 ms; <= 80 ms is demanded of the class simple",
            value=0.1131, unit="s", samples=12, hint="make GET /orders at least 29 % faster under this load",
        ),
        Judgement(
            "load.p95", "GET /orders", "baseline", "5 %", Verdict.FAIL,
            "load.p95 of GET /orders is ×1.41 of phase foundation (at least ×1.33), more than the tolerated 10 %",
            value=0.1131, unit="s", baseline=0.0802, ratio=1.41, low=1.33, high=1.5, detectable=0.06, samples=12,
            hint="look at what changed in GET /orders since 3f2a91c4d0",
        ),
        Judgement(
            "load.p99", "", "baseline", "10 %", Verdict.UNKNOWN,
            "load.p99 needs 1,000 requests per epoch and had 412", value=0.31, unit="s", baseline=0.29, ratio=1.07,
            hint="let [gates.load] run for 25 s per epoch",
        ),
        Judgement(
            "load.memory", "", "target", "<= 512 MB", Verdict.FAIL, "load.memory is 611 MB of <= 512 MB",
            value=611e6, unit="B", debt=True,
        ),
        Judgement(
            "load.errors", "", "target", "<= 0.1 %", Verdict.PASS, "0 % of <= 0.1 %", value=0.0, unit="ratio"
        ),
    )  # fmt: skip


def load_gate() -> GateResult:
    return GateResult(
        "load",
        "locust",
        Verdict.FAIL,
        134.2,
        items=("performance",),
        readings=Readings(
            measurements=(
                Measurement("load.p50", 0.0123, "s", "lower", samples=(0.0121, 0.0125)),
                Measurement("load.p95", 0.0702, "s", "lower"),
                Measurement("load.p95", 0.1131, "s", "lower", "GET /orders"),
                Measurement("load.p95", 0.031, "s", "lower", "GET /orders/{id}"),
                Measurement("load.p99", 0.31, "s", "lower"),
                Measurement("load.throughput", 198.7, "1/s", "higher"),
                Measurement("load.errors", 0.0, "ratio", "lower", count=0, total=4968),
                Measurement("load.memory", 611e6, "B", "lower"),
                Measurement("load.cpu", 0.7, "", "lower"),
            ),
            operations=(OperationSeen("GET /orders", {200: 4000}),),
            epochs=(Epoch(1, 20.0, {"lag_p99": 0.0004, "steal": float("nan")}),),
            requests=(RecordedRequest("GET /orders", "GET", "/orders", {"authorization": SECRET}),),
            documents={"openapi": '{"x-secret": "' + SECRET + '"}'},
            subjects=(Subject("operation", "GET /orders", "tested"),),
        ),
        judgements=load_judgements(),
    )


def bench_gate() -> GateResult:
    return GateResult("bench", "benchmark", Verdict.SKIPPED, 0.0, reason="--skip bench", items=("performance",))


def done_items() -> tuple[DoneItem, ...]:
    load = load_judgements()
    details: dict[str, dict[str, Any]] = {
        "endpoints": {
            "verdict": Verdict.ERROR,
            "gates": ("fuzz",),
            "reasons": ("fuzz: schemathesis was killed by signal 9 after 61 s",),
            "hints": ("give the machine more memory, or lower `time` in [gates.fuzz]",),
        },
        "database": {"verdict": Verdict.SKIPPED, "reasons": ("the service has no database",)},
        "auth": {
            "verdict": Verdict.UNKNOWN,
            "reasons": ("no gate decides it: there is no gate with the tool `probe`",),
            "hints": ('add [gates.probe] with tool = "probe", or attest it: gates attest auth --by NAME',),
        },
        "errors": {"verdict": Verdict.PASS, "gates": ("fuzz",)},
        "performance": {
            "verdict": Verdict.FAIL,
            "gates": ("load", "bench"),
            "reasons": tuple(judgement.reason for judgement in load[:3]),
            "hints": tuple(judgement.hint for judgement in load[:3]),
            "known": (load[3].reason,),
        },
        "security": {
            "verdict": Verdict.FAIL,
            "gates": ("security",),
            "reasons": (security_gate().judgements[0].reason,),
            "hints": (security_gate().judgements[0].hint,),
        },
        "tests": {"verdict": Verdict.PASS, "gates": ("tests",)},
        "documentation": {"verdict": Verdict.PASS},
        "integration": {"verdict": Verdict.PASS},
    }
    return tuple(DoneItem(item, title, **details[item]) for item, title in TITLES.items())


def operation_rows() -> tuple[OperationRow, ...]:
    return (
        OperationRow(
            "GET /orders", "simple", True, True, (200, 401, 422), True, True, 0.1131, True, True, ("tests", "generated")
        ),
        OperationRow(
            "GET /orders/{id}", "simple", True, True, (200, 404), True, False, 0.031, True, True, ("generated",)
        ),
        OperationRow("POST /orders/{id}/attachments/{attachment_id}/versions", "file", True, False, (), None, None),
        OperationRow("GET /internal/metrics", "simple", False, None, (200,), None, None, None, None),
    )


def failing_run(**changes: Any) -> Run:
    run = Run(
        id="20261124-093000-7f3a",
        project="orders",
        phase="search",
        commit="9c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293",
        dirty=False,
        started="2026-11-24T09:30:00Z",
        seconds=214.3,
        machine={"processor": "EPYC 7B13", "cores": "2", "kernel": "6.8"},
        versions={"gates": "0.1.0", "locust": "2.47.0"},
        policy='{"targets": {"coverage.lines": [">= 90 %", "share"]}}',
        policy_digest="sha256:5e0f",
        verdict=Verdict.FAIL,
        exit_code=1,
        gates=(coverage_gate(), security_gate(), fuzz_gate(), load_gate(), bench_gate()),
        done=done_items(),
        operations=operation_rows(),
        baseline_phase="foundation",
    )
    return replace(run, **changes)


def passing_run(**changes: Any) -> Run:
    done = tuple(DoneItem(item, title, Verdict.PASS, gates=("tests",)) for item, title in TITLES.items())
    load = replace(load_gate(), verdict=Verdict.PASS, judgements=load_judgements()[4:])
    return failing_run(
        verdict=Verdict.PASS,
        exit_code=0,
        gates=(replace(coverage_gate(), cached=True), load),
        done=done,
        operations=operation_rows()[:1],
        **changes,
    )


def undecided_run(**changes: Any) -> Run:
    done = tuple(
        replace(item, verdict=Verdict.UNKNOWN, reasons=("no gate decides it",)) if item.item == "auth" else item
        for item in passing_run().done
    )
    undecided = replace(passing_run(), verdict=Verdict.UNKNOWN, exit_code=4, done=done, baseline_phase=None)
    return replace(undecided, **changes)


def partial_run() -> Run:
    done = tuple(replace(item, asked=False, verdict=Verdict.SKIPPED, reasons=()) for item in done_items())
    return failing_run(partial=True, gates=(security_gate(), bench_gate()), done=done, operations=())


def hostile_run() -> Run:
    """A run in which everything that a backend or a tool can word was worded by an enemy."""
    gate = GateResult(
        "fuzz", "schemathesis", Verdict.FAIL, 3.0, reason=HOSTILE, hint=HOSTILE,
        readings=Readings(
            findings=(Finding(HOSTILE, Severity.HIGH, HOSTILE, "ff", HOSTILE, 1, HOSTILE, fix=HOSTILE),),
            measurements=(Measurement(HOSTILE, float("nan"), "s", "lower", HOSTILE),),
            subjects=(Subject("test", HOSTILE, "failed", HOSTILE),),
            gaps=(Gap(HOSTILE, HOSTILE, HOSTILE),),
        ),
        judgements=(
            Judgement(HOSTILE, HOSTILE, "target", "<= 1 ms", Verdict.FAIL, HOSTILE, float("inf"), "s", hint=HOSTILE),
            Judgement(HOSTILE, "", "baseline", "5 %", Verdict.FAIL, HOSTILE, baseline=1.0, ratio=2.0, debt=True),
        ),
    )  # fmt: skip
    items = (DoneItem("endpoints", HOSTILE, Verdict.FAIL, (HOSTILE,), ("fuzz",), (HOSTILE,), (HOSTILE,)),)
    row = OperationRow(HOSTILE, HOSTILE, True, False, (200,), None, None, float("nan"))
    return failing_run(
        project=HOSTILE, phase=HOSTILE, commit=HOSTILE, gates=(gate,), done=items, operations=(row,), notes=(HOSTILE,),
        baseline_phase=HOSTILE,
    )  # fmt: skip


def signoff(**changes: Any) -> Signoff:
    entry = Signoff(
        phase="search",
        number=2,
        by="Ada Lovelace",
        at="2026-11-24T10:00:00Z",
        note="search is fast enough for the pilot",
        run=passing_run(),
        digest="sha256:77aa",
        previous_digest="sha256:33bb",
        debts=("load.memory is 611 MB of <= 512 MB",),
    )
    return replace(entry, **changes)
