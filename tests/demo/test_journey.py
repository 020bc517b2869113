"""The demo really goes its journey, and notices when something on it does not happen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gates.demo import journey
from gates.results import Finding, FindingState, GateResult, Judgement, Readings, Run, Severity, Verdict


@pytest.mark.slow
def test_the_whole_journey_catches_what_the_second_phase_broke(tmp_path: Path) -> None:
    kept = tmp_path / "orders"
    done = subprocess.run(
        [sys.executable, "-m", "gates", "demo", "--keep", str(kept)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert "MISSED" not in done.stdout
    caught = ("slower operation: ", "lost coverage: ", "deleted test: ", "security finding: ", "under fuzzing: ")
    for words in (*caught, "a promise that clients rely on: query parameter limit in requests: maximum 50 replaces"):
        assert words in done.stdout
    assert (kept / "baselines" / "01-foundation.db").exists()
    assert not (kept / "baselines" / "02-search.db").exists()
    assert "\x1b" not in done.stdout


def a_run(verdict: Verdict, *gates: GateResult) -> Run:
    return Run(
        "id", "orders", "search", "c" * 40, False, "2026-01-01T00:00:00Z", 1.0, {}, {}, "{}", "", verdict, 1, gates
    )


def broken_gates() -> dict[str, GateResult]:
    def finding(rule: str) -> Finding:
        return Finding(rule, Severity.HIGH, rule, rule, state=FindingState.NEW)

    def judged(name: str, scope: str) -> Judgement:
        return Judgement(name, scope, "baseline", "", Verdict.FAIL, f"{name} is worse")

    vanished = finding("tests.vanished")
    return {
        "load": GateResult("load", "locust", Verdict.FAIL, 1.0, judgements=(judged("load.p95", "GET /a"),)),
        "cover": GateResult("cover", "coverage", Verdict.FAIL, 1.0, judgements=(judged("coverage.lines", ""),)),
        "tests": GateResult("tests", "coverage", Verdict.FAIL, 1.0, readings=Readings(findings=(vanished,))),
        "scan": GateResult("scan", "bandit", Verdict.FAIL, 1.0, readings=Readings(findings=(finding("bandit.B608"),))),
        "fuzz": GateResult("fuzz", "schemathesis", Verdict.FAIL, 1.0, readings=Readings(findings=(finding("fuzz.x"),))),
        "api": GateResult("api", "openapi", Verdict.FAIL, 1.0, readings=Readings(findings=(finding("contract.x"),))),
    }  # fmt: skip


class Script:
    """A journey whose checks are given, so that what is made of them can be seen in a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, runs: list[Run]) -> None:
        self.lines: list[str] = []
        left = iter(runs)
        monkeypatch.setattr(journey, "_check", lambda root, stage: next(left))
        monkeypatch.setattr(journey, "verify_signoffs", lambda root: [])
        monkeypatch.setattr(journey, "commit_baselines", lambda root, phase: "")
        self.signed = 0
        monkeypatch.setattr(journey, "sign_off", self.sign_off)

    def sign_off(self, root: Path, phase: str, **_: str) -> tuple[Run | None, Path, Path]:
        self.signed += 1
        if self.signed > 1:
            raise journey.GatesError("1 item is not met")
        return None, root / "a.db", root / "a.md"

    def travel(self, root: Path) -> int:
        @contextmanager
        def follow() -> Iterator[object]:
            yield lambda event: None

        return journey.travel(root, journey.Stage(self.lines.append, lambda run, path: "", follow))  # type: ignore[arg-type]


PASS = a_run(Verdict.PASS)
UNKNOWN = a_run(Verdict.UNKNOWN)


def test_everything_caught_and_repaired_is_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    second = a_run(Verdict.FAIL, *broken_gates().values())
    script = Script(monkeypatch, [PASS, second, UNKNOWN, PASS])
    assert script.travel(tmp_path / "orders") == 0
    assert "measured once more" in "\n".join(script.lines)


@pytest.mark.parametrize("missing", list(broken_gates()))
def test_one_loss_that_is_missed_is_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str) -> None:
    gates = broken_gates()
    gates[missing] = replace(gates[missing], judgements=(), readings=Readings())
    script = Script(monkeypatch, [PASS, a_run(Verdict.FAIL, *gates.values()), PASS])
    assert script.travel(tmp_path / "orders") == 1
    assert "MISSED" in "\n".join(script.lines)


def test_a_first_phase_or_a_repair_that_does_not_pass_is_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Script(monkeypatch, [UNKNOWN]).travel(tmp_path / "first") == 1
    second = a_run(Verdict.FAIL, *broken_gates().values())
    assert Script(monkeypatch, [PASS, second, *([UNKNOWN] * 9)]).travel(tmp_path / "repair") == 1
