"""The JUnit report: nothing undecided is green, what is read back is what was meant, and no text can break out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from defusedxml import ElementTree
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase
from report_samples import (
    coverage_gate,
    failing_run,
    fuzz_gate,
    hostile_run,
    load_gate,
    partial_run,
    passing_run,
    security_gate,
    undecided_run,
)

from gates.reports import junit
from gates.results import Finding, GateResult, Run, Severity, Verdict


def cases(run: Run) -> dict[tuple[str, str], TestCase]:
    found = [case for suite in JUnitXml.fromstring(junit.render(run).encode()) for case in suite]
    named = {(case.classname, case.name): case for case in found}
    assert len(named) == len(found), "GitLab drops the second of two cases with one name"
    return named


def outcome(case: TestCase) -> type | None:
    return type(case.result[0]) if case.result else None


def test_every_item_is_a_case_with_its_verdict() -> None:
    found = {name: outcome(case) for (group, name), case in cases(failing_run()).items() if group == "gates.done"}
    assert found == {
        "All API endpoints implemented and tested": Error,
        "Database schema and operations optimized": Skipped,
        "Authentication and authorization working": Error,
        "Error handling and logging implemented": None,
        "Performance targets met": Failure,
        "Security best practices followed": Failure,
        "Unit and integration tests passing": None,
        "API documentation updated": None,
        "Phase integration points documented": None,
    }


def test_undecided_is_an_error_of_its_own_type() -> None:
    case = cases(undecided_run())["gates.done", "Authentication and authorization working"]
    assert outcome(case) is Error
    assert case.result[0].type == "unknown"


def test_undecided_stays_an_error_where_it_was_allowed() -> None:
    assert JUnitXml.fromstring(junit.render(undecided_run(exit_code=0)).encode()).errors == 1


def test_a_failure_says_what_would_make_it_pass() -> None:
    case = cases(failing_run())["gates.load", "target: load.p95 of GET /orders <= 80 ms"]
    assert case.result[0].message.startswith("load.p95 of GET /orders is 113 ms")
    assert "→ make GET /orders at least 29 % faster" in case.result[0].text


def test_what_was_left_out_or_not_asked_is_skipped_with_the_reason() -> None:
    found = cases(failing_run())
    assert (
        found["gates.done", "Database schema and operations optimized"].result[0].message
        == "the service has no database"
    )
    assert found["gates.bench", "bench ran and measured"].result[0].message == "--skip bench"
    asked = cases(partial_run())["gates.done", "Performance targets met"]
    assert (outcome(asked), asked.result[0].message) == (Skipped, "not asked in this run")


def test_known_debt_is_neither_green_nor_a_failure() -> None:
    case = cases(failing_run())["gates.load", "target: load.memory <= 512 MB"]
    assert outcome(case) is Skipped
    assert case.result[0].message.startswith("known debt: ")


def test_a_gate_that_broke_is_an_error_even_without_judgements() -> None:
    case = cases(failing_run())["gates.fuzz", "fuzz ran and measured"]
    assert (outcome(case), case.result[0].type) == (Error, "error")


def test_a_backend_that_died_fails_its_gate() -> None:
    dead = GateResult("load", "locust", Verdict.FAIL, 2.0, reason="the backend died\nTraceback", hint="see its output")
    case = cases(failing_run(gates=(dead,)))["gates.load", "load ran and measured"]
    assert outcome(case) is Failure
    assert case.result[0].message == "the backend died Traceback"
    assert "the backend died\nTraceback" in case.result[0].text


def test_a_cause_that_a_judgement_shows_is_not_counted_twice() -> None:
    found = cases(failing_run(gates=(load_gate(),), done=()))
    assert outcome(found["gates.load", "load ran and measured"]) is None
    assert sum(outcome(case) is Failure for case in found.values()) == 2


def test_the_case_of_the_findings_names_every_new_one() -> None:
    gate = security_gate()
    more = Finding("B301", Severity.HIGH, "pickle", "9a", "orders/cache.py", 4, fix="use json")
    gate = replace(gate, readings=replace(gate.readings, findings=(*gate.readings.findings, more)))
    text = cases(failing_run(gates=(gate,)))["gates.security", "findings: none new"].result[0].text
    assert "B608" in text
    assert "orders/cache.py:4: pickle (B301, high)\n  → use json" in text
    assert "B105" not in text, "known debt is not new"


def test_the_counts_are_those_of_the_cases() -> None:
    run = failing_run()
    document = JUnitXml.fromstring(junit.render(run).encode())
    kinds = [outcome(case) for case in cases(run).values()]
    counted = (document.tests, document.failures, document.errors, document.skipped)
    assert counted == (len(kinds), kinds.count(Failure), kinds.count(Error), kinds.count(Skipped))


def test_a_run_that_passed_has_no_failure_and_no_error() -> None:
    document = JUnitXml.fromstring(junit.render(passing_run()).encode())
    assert (document.failures, document.errors) == (0, 0)
    assert document.tests > 9


def test_the_first_suite_carries_what_was_not_looked_at() -> None:
    suite = next(iter(JUnitXml.fromstring(junit.render(failing_run()).encode())))
    facts = [(fact.name, fact.value) for fact in suite.properties()]
    assert ("skipped", "bench (--skip bench)") in facts
    assert ("compared with", "the baseline of phase foundation") in facts
    assert ("known", "load.memory is 611 MB of <= 512 MB") in facts


def test_names_hold_no_measured_number() -> None:
    """A case keeps its history only under the same name."""
    first = failing_run(gates=(load_gate(), coverage_gate()))
    changed = tuple(
        replace(gate, judgements=tuple(replace(one, value=9.0, reason="other") for one in gate.judgements))
        for gate in first.gates
    )
    assert cases(first).keys() == cases(replace(first, gates=changed)).keys()


def test_two_judgements_of_one_name_are_two_cases() -> None:
    gate = coverage_gate()
    twice = replace(gate, judgements=(gate.judgements[0], gate.judgements[0]))
    assert ("gates.tests", "target: coverage.lines >= 90 % (2)") in cases(failing_run(gates=(twice,)))


@pytest.mark.parametrize("bad", ["\x00", "\x1b[31m", "\ufffe", "\ud800", "]]>", "&", "<x>", "'\""])
def test_no_text_breaks_the_document(bad: str) -> None:
    gate = replace(fuzz_gate(), reason=f"before {bad} after", gate=f"fuzz{bad}")
    text = junit.render(failing_run(gates=(gate,), project=bad))
    found = [case for suite in JUnitXml.fromstring(text.encode()) for case in suite]
    reasons = [case.result[0].message for case in found if case.classname.startswith("gates.fuzz")]
    assert reasons[0].startswith("before ")
    assert reasons[0].endswith(" after")


def test_hostile_text_adds_no_element() -> None:
    root = ElementTree.fromstring(junit.render(hostile_run()).encode())
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip
