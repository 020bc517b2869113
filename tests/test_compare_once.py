"""An operation that is gone is told by the contract gate where there is one, and not a second time by fuzzing."""

from __future__ import annotations

from judging import finding, gate, judged, policy, rules_of, signed

from gates.compare import tell_once
from gates.results import GateResult, Severity, Subject, Verdict


def fuzz(*names: str) -> GateResult:
    return gate("fuzz", "schemathesis", subjects=[Subject("operation", name, "tested") for name in names])


def contract(*names: str, severity: Severity = Severity.HIGH) -> GateResult:
    found = [
        finding("contract.operation-removed", severity, f"c{number}", operation=name)
        for number, name in enumerate(names)
    ]
    return gate("contract", "openapi", findings=found)


THEN = signed("one", fuzz("GET /a", "GET /b", "GET /c"))


def test_what_the_contract_tells_of_is_not_told_by_fuzzing() -> None:
    fuzzed, held = tell_once([judged(fuzz("GET /c"), None, THEN), judged(contract("GET /a", "GET /b"))])
    assert rules_of(fuzzed) == []
    assert fuzzed.verdict is Verdict.PASS
    assert held.verdict is Verdict.FAIL
    assert len(rules_of(held)) == 2


def test_what_the_contract_does_not_tell_of_still_fails() -> None:
    fuzzed, _ = tell_once([judged(fuzz("GET /c"), None, THEN), judged(contract("GET /a"))])
    assert [one.operation for one in fuzzed.readings.findings] == ["GET /b"]
    assert fuzzed.verdict is Verdict.FAIL
    alone = judged(fuzz("GET /c"), None, THEN)
    assert tell_once([alone, judged(gate("contract", "openapi"))])[0] == alone


def test_a_waiver_of_the_removal_holds_for_both() -> None:
    removed = judged(contract("GET /a", "GET /b"), policy(waived=["c0", "c1"]))
    fuzzed, held = tell_once([judged(fuzz("GET /c"), None, THEN), removed])
    assert (fuzzed.verdict, held.verdict) == (Verdict.PASS, Verdict.PASS)


def test_other_reasons_to_fail_stay() -> None:
    broken = gate(
        "fuzz", "schemathesis", findings=[finding(operation="GET /c")],
        subjects=[Subject("operation", "GET /c", "tested")],
    )  # fmt: skip
    fuzzed, _ = tell_once([judged(broken, None, THEN), judged(contract("GET /a", "GET /b"))])
    assert fuzzed.verdict is Verdict.FAIL
    assert rules_of(fuzzed) == ["fuzz.crash"]


def test_telling_once_again_changes_nothing() -> None:
    first = tell_once([judged(fuzz("GET /c"), None, THEN), judged(contract("GET /a", "GET /b"))])
    assert tell_once(first) == first
    again = [judged(first[0], None, THEN), judged(first[1])]
    assert tell_once(again) == first
