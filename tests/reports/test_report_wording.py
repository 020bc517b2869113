"""The words that several reports share, and how text from outside is made harmless."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from report_samples import failing_run, security_gate

from gates.reports.wording import (
    EXIT_MEANINGS,
    accepted,
    change,
    clean,
    debts,
    debts_in_short,
    describe_finding,
    describe_judgement,
    one_line,
    problems_of,
    seconds,
    tally,
    value,
)
from gates.results import (
    DoneItem,
    Finding,
    FindingState,
    Gap,
    GateResult,
    Judgement,
    JudgementKind,
    Readings,
    Severity,
    Verdict,
)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain", "plain"),
        ("größer × 1 · µs", "größer × 1 · µs"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("\x1b\x1b[m[31m", "\\x1b[31m"),
        ("half\x1b", "half\\x1b"),
        ("a\r\nb\rc\td", "a\nb\nc    d"),
        ("\x00\x07\x7f\x85", "\\x00\\x07\\x7f\\x85"),
        ("txt.\u202eexe\u2066\u200b\ufeff\u2028", "txt.\\u202eexe\\u2066\\u200b\\ufeff\\u2028"),
        ("\ud800", "\\ud800"),
        ("\ufffe\U0001ffff", "\\ufffe\\U0001ffff"),
        ("\U000e0041", "\\U000e0041"),
        ("::error::x", ":\\:error::x"),
        ("a\n  ::warning file=x::y", "a\n  :\\:warning file=x::y"),
        ("##[error]x ##vso[task.y]", "#\\#[error]x #\\#vso[task.y]"),
        ("std::vector and tests/x.py::test", "std::vector and tests/x.py::test"),
    ],
)
def test_text_from_outside_can_only_be_read(text: str, harmless: str) -> None:
    assert clean(text) == harmless
    assert clean(clean(text)) == clean(text)


def test_one_line_is_one_line() -> None:
    assert one_line(" a\n\n b\tc ") == "a b c"


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (None, "s", "–"),
        (math.nan, "ratio", "–"),
        (math.inf, "s", "–"),
        (1404211.0, "1", "1,404,211"),
        (0.8996, "ratio", "89.96 %"),
        (0.1131, "s", "113 ms"),
        (2.5, "1", "2.5"),
        (0.0839009, "1", "0.0839"),
        (12345.678, "1", "12,346"),
    ],
)
def test_numbers_are_written_as_people_write_them(number: float | None, unit: str, text: str) -> None:
    assert value(number, unit) == text


def test_durations_and_ratios() -> None:
    assert [seconds(number) for number in (0.04, 12.42, 99.96, 134.2, math.nan)] == [
        "0.0 s",
        "12.4 s",
        "1 min 39 s",
        "2 min 14 s",
        "–",
    ]
    assert [change(number) for number in (1.414, None, math.inf)] == ["×1.41", "–", "–"]


def test_every_exit_code_of_the_program_has_a_meaning() -> None:
    assert set(EXIT_MEANINGS) == {0, 1, 2, 3, 4, 5, 130}


@pytest.mark.parametrize(
    ("kind", "measurement", "scope", "reason", "told"),
    [
        ("target", "load.p95", "GET /a", "it is 113 ms", "load.p95 of GET /a: it is 113 ms"),
        ("target", "load.p95", "GET /a", "load.p95 of GET /a is 113 ms", "load.p95 of GET /a is 113 ms"),
        ("findings", "findings", "", "1 new finding: x", "1 new finding: x"),
        ("evidence", "", "GET /a", "no answer", "GET /a: no answer"),
        ("evidence", "", "", "", "evidence"),
    ],
)
def test_a_reason_says_what_it_is_about(
    kind: JudgementKind, measurement: str, scope: str, reason: str, told: str
) -> None:
    assert describe_judgement(Judgement(measurement, scope, kind, "", Verdict.FAIL, reason)) == told


def test_many_debts_of_one_kind_are_one_line() -> None:
    def debt(number: int, hint: str = "load it longer") -> Judgement:
        reason = f"load.p95 of GET /{number} is of too few requests"
        return Judgement("load.p95", f"GET /{number}", "target", "<= 1 s", Verdict.PASS, reason, hint=hint, debt=True)

    gate = replace(security_gate(), judgements=(*map(debt, range(9)), debt(9, "something else")))
    gate = replace(gate, readings=replace(gate.readings, findings=()))
    run = failing_run(gates=(gate,))
    assert len(debts(run)) == 10
    assert debts_in_short(run) == [
        "load.p95 of GET /0 is of too few requests; and 8 more like this: GET /1, GET /2, GET /3, GET /4, GET /5 and 3 "
        "more",
        "load.p95 of GET /9 is of too few requests",
    ]


def test_a_finding_says_where_it_is() -> None:
    assert describe_finding(Finding("R1", Severity.LOW, "odd", "f", operation="GET /a")) == "GET /a: odd (R1, low)"
    assert describe_finding(Finding("R1", Severity.LOW, "odd", "f")) == "odd (R1, low)"
    told = Finding("R1", Severity.LOW, "GET /a answered 500", "f", operation="GET /a")
    assert describe_finding(told) == "GET /a answered 500 (R1, low)"


def test_debt_is_listed_once_however_often_it_is_known() -> None:
    gate = security_gate()
    assert len(debts(failing_run(gates=(gate, gate)))) == 1


def test_what_a_judgement_says_is_not_said_again_as_a_gap_or_a_finding() -> None:
    gate = GateResult(
        "fuzz", "schemathesis", Verdict.UNKNOWN, 1.0,
        readings=Readings(
            gaps=(Gap("GET /a", "no example", "give one"), Gap("GET /b", "no login", "log in")),
            findings=(Finding("X", Severity.LOW, "crash", "1"),
                      Finding("Y", Severity.LOW, "k", "2", state=FindingState.KNOWN)),
        ),
        judgements=(
            Judgement("", "GET /a", "evidence", "", Verdict.UNKNOWN, "GET /a: no example", hint="give one"),
            Judgement("findings", "", "findings", "", Verdict.FAIL, "1 new finding: crash"),
            Judgement("", "GET /c", "evidence", "", Verdict.PASS, "known debt", debt=True),
        ),
    )  # fmt: skip
    assert problems_of(gate) == [
        ("GET /a: no example", "give one"),
        ("1 new finding: crash", ""),
        ("GET /b: no login", "log in"),
    ]


def test_a_gate_without_any_reason_still_says_something() -> None:
    assert problems_of(GateResult("x", "command", Verdict.FAIL, 1.0)) == [
        ("its verdict is fail, and it gave no reason", "gates explain x")
    ]


def test_the_items_are_counted_worst_first() -> None:
    assert tally(failing_run()) == "of 9 items: 2 fail, 1 error, 1 unknown, 4 pass, 1 left out"
    passed = DoneItem("tests", "T", Verdict.PASS)
    assert tally(failing_run(done=(passed, passed))) == "all 2 items pass"
    assert tally(failing_run(done=(DoneItem("tests", "T", Verdict.SKIPPED, asked=False),))) == ""


def test_what_was_only_added_to_the_contract_is_no_debt() -> None:
    found = tuple(
        Finding("contract.operation-added", severity, f"{severity} change", severity.value) for severity in Severity
    )
    run = failing_run(gates=(GateResult("contract", "openapi", Verdict.PASS, 1.0, readings=Readings(findings=found)),))
    assert [line.partition(" (")[0] for line in accepted(run)] == ["contract: high change", "contract: medium change"]


def test_what_was_waived_or_is_flaky_is_no_debt() -> None:
    item = DoneItem("security", "Secure", Verdict.PASS, known=("known: a hole", "waived: another", "flaky: a third"))
    assert debts(failing_run(gates=(), done=(item,))) == ["known: a hole"]
