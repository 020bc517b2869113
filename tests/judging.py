"""Builders for the tests of comparison and Definition of Done: a policy, a gate's raw result, a signed-off phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gates.compare import Earlier, judge
from gates.demands import Policy, Tolerances, Waiver, parse_demand
from gates.results import (
    Finding,
    FindingState,
    GateResult,
    Judgement,
    Measurement,
    Readings,
    Run,
    Severity,
    Subject,
    Verdict,
)
from gates.targets import kind_of

MACHINE = {
    "processor": "a processor", "cores": "2", "memory": "8.0 GiB", "kernel": "Linux 6", "architecture": "x86_64",
}  # fmt: skip
OTHER_MACHINE = {**MACHINE, "cores": "4"}
CLASSES = {"GET /orders": "simple", "GET /orders/{id}": "simple", "POST /orders": "complex"}


def policy(
    targets: Mapping[str, str] | None = None,
    *,
    defaults: Sequence[str] = (),
    left_out: Mapping[str, str] | None = None,
    waived: Sequence[str] = (),
    **tolerances: Any,
) -> Policy:
    demands = {}
    for name, text in (targets or {}).items():
        kind = kind_of(name)
        demands[name] = parse_demand(text, kind.dimension if kind else "count")
    waivers = tuple(Waiver(mark, "It has to wait.", "Ada", "2027-01-31") for mark in waived)
    return Policy(demands, Tolerances(**tolerances), dict(left_out or {}), frozenset(defaults), waivers)


def gate(name: str = "gate", tool: str = "tool", *, verdict: Verdict = Verdict.PASS, reason: str | None = None,
         hint: str = "", items: Sequence[Any] = (), **readings: Any) -> GateResult:  # fmt: skip
    brought = Readings(**{key: tuple(value) if isinstance(value, list) else value for key, value in readings.items()})
    return GateResult(
        name, tool, verdict, 1.0, reason=reason, hint=hint, items=tuple(items), readings=brought
    )  # fmt: skip


def signed(phase: str, *gates: GateResult, machine: Mapping[str, str] = MACHINE) -> Earlier:
    run = Run(
        phase, "orders", phase, "c0ffee", False, "2026-11-24T10:00:00Z", 1.0, machine, {}, "{}", "", Verdict.PASS, 0,
        gates=gates,
    )  # fmt: skip
    return Earlier(phase, run)


def judged(result: GateResult, rules: Policy | None = None, *earlier: Earlier, **options: Any) -> GateResult:
    rules = rules or policy()
    options.setdefault("target_owners", dict.fromkeys(rules.targets, (result.gate,)))
    return judge(
        result, policy=rules, previous=earlier[-1] if earlier else None, earlier=earlier,
        **{"classes": CLASSES, "machine": MACHINE, **options},
    )  # fmt: skip


def after(phase: str, result: GateResult, rules: Policy | None = None, *earlier: Earlier, **options: Any) -> Earlier:
    """Return the phase that is signed with this result, however it was judged: its debts are accepted."""
    return signed(phase, judged(result, rules, *earlier, **options))


def finding(rule: str = "fuzz.crash", severity: Severity = Severity.HIGH, mark: str = "f1", **more: Any) -> Finding:
    return Finding(rule, severity, more.pop("message", f"problem {mark}"), mark, **more)


def share(name: str, count: int, total: int, scope: str = "", better: Any = "higher") -> Measurement:
    return Measurement(name, count / total if total else 0.0, "ratio", better, scope, count=count, total=total)


def number(name: str, value: float, unit: str = "1", better: Any = "lower", **more: Any) -> Measurement:
    return Measurement(name, value, unit, better, **more)


def cases(**outcomes: str) -> list[Subject]:
    return [Subject("test", f"tests/test_a.py::{name}", outcome) for name, outcome in outcomes.items()]


def states(result: GateResult) -> dict[str, FindingState]:
    return {finding.fingerprint: finding.state for finding in result.readings.findings}


def rules_of(result: GateResult, state: FindingState = FindingState.NEW) -> list[str]:
    return sorted(finding.rule for finding in result.readings.findings if finding.state is state)


def only(result: GateResult, kind: str, measurement: str | None = None, scope: str | None = None) -> Judgement:
    found = [
        judgement
        for judgement in result.judgements
        if judgement.kind == kind and measurement in (None, judgement.measurement) and scope in (None, judgement.scope)
    ]
    assert len(found) == 1, found
    return found[0]
