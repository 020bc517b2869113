from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import ToolError
from gates.tools.coverage.cases import Case, Outcomes, after_retry, measure_cases, node_id, number_same
from gates.tools.coverage.junit import parse_junit

RECORDED = Path(__file__).parent.parent / "output" / "coverage"
IN_THE_PROJECT = {"tests/base.py", "tests/test_cart.py", "tests/sub/test_same.py", "tests/sub/test_importorskip.py"}


def recorded(name: str) -> Outcomes:
    content = (RECORDED / f"{name}.xml").read_bytes()
    return parse_junit(content, name, "/srv/shop", IN_THE_PROJECT.__contains__)


def by_name(outcomes: Outcomes) -> dict[str, Case]:
    assert len({case.name for case in outcomes.cases}) == len(outcomes.cases)
    return {case.name: case for case in outcomes.cases}


@pytest.mark.parametrize("version", ["6.2", "7.4", "8.4", "9.2"])
def test_every_pytest_gives_the_same_tests_with_the_same_outcomes(version: str) -> None:
    cases = by_name(recorded(f"pytest-{version}"))
    assert {name: case.outcome for name, case in cases.items()} == {
        "tests/sub/test_importorskip.py": "skipped",
        "tests/sub/test_same.py::test_flaky": "failed",
        "tests/test_cart.py::OldStyle::test_old": "failed",
        "tests/test_cart.py::TestCart::TestNested::test_deep": "passed",
        "tests/test_cart.py::TestCart::test_inherited": "passed",
        "tests/test_cart.py::TestCart::test_sum": "passed",
        "tests/test_cart.py::test_both": "failed",
        "tests/test_cart.py::test_negative": "passed",
        "tests/test_cart.py::test_param[1]": "passed",
        "tests/test_cart.py::test_param[\\x1b]": "passed",
        "tests/test_cart.py::test_param[\\xfcber]": "passed",
        "tests/test_cart.py::test_param[a.b/c]": "passed",
        "tests/test_cart.py::test_param[a::b]": "passed",
        "tests/test_cart.py::test_param[x[1]]": "passed",
        "tests/test_cart.py::test_setup_error": "error",
        "tests/test_cart.py::test_skipped": "skipped",
        "tests/test_cart.py::test_subprocess": "passed",
        "tests/test_cart.py::test_teardown_error": "error",
        "tests/test_cart.py::test_wrong": "failed",
        "tests/test_cart.py::test_xfail": "skipped",
        "tests/test_cart.py::test_xpass": "passed",
        "tests/test_cart.py::test_xpass_strict": "failed",
    }
    assert cases["tests/test_cart.py::test_wrong"].message.startswith("AssertionError: one and one\nassert 2 == 3")
    assert cases["tests/test_cart.py::test_xfail"].message == "expected failure: known"
    assert cases["tests/sub/test_importorskip.py"].is_module


def test_a_test_that_passes_when_tried_again_is_flaky_and_no_other_is() -> None:
    first, again = recorded("pytest-9.2"), recorded("pytest-9.2-retry")
    changed = [case for case in after_retry(first.cases, again.cases) if case not in first.cases]
    assert [(case.name, case.outcome) for case in changed] == [("tests/sub/test_same.py::test_flaky", "flaky")]
    assert "first time" in changed[0].message


def test_a_module_that_cannot_be_loaded_is_an_obstacle_and_not_a_test() -> None:
    outcomes = recorded("pytest-9.2-collection")
    assert (outcomes.cases, outcomes.collected, outcomes.empty) == ((), False, True)
    (obstacle,) = outcomes.obstacles
    assert (obstacle.rule, obstacle.place) == ("tests.collection", "tests/test_broken.py")
    assert obstacle.message == "ModuleNotFoundError: No module named 'nowhere'"


def test_node() -> None:
    cases = by_name(recorded("node-24"))
    assert {name: case.outcome for name, case in cases.items()} == {
        "test/cart.test.js::top level adds": "passed",
        "test/cart.test.js::cart::adds": "passed",
        "test/cart.test.js::cart::adds#2": "passed",
        "test/cart.test.js::cart::is wrong": "failed",
        "test/cart.test.js::cart::is skipped": "skipped",
        "test/cart.test.js::cart::is to do": "skipped",
        "test/cart.test.js::cart::inner::deep::sub": "passed",
    }
    assert cases["test/cart.test.js::cart::is wrong"].message == "Expected values to be strictly equal:\n2 !== 3"
    assert cases["test/cart.test.js::cart::is skipped"].message == ""


@pytest.mark.parametrize(
    ("dialect", "wrong", "passed"),
    [
        ("jest", "cart::cart is wrong", {"cart::cart adds", "cart::cart inner deep", "cart::top"}),
        (
            "vitest",
            "vitest_tests/cart.spec.mjs::cart > is wrong",
            {f"vitest_tests/cart.spec.mjs::{name}" for name in ("cart > adds", "cart > inner > deep", "top")},
        ),
        (
            "mocha",
            "mocha_tests/cart.js::Mocha Tests::cart::is wrong",
            {f"mocha_tests/cart.js::Mocha Tests::{name}" for name in ("cart::adds", "cart inner::deep", "top")},
        ),
    ],
)
def test_dialects_of_javascript(dialect: str, wrong: str, passed: set[str]) -> None:
    cases = by_name(recorded(dialect))
    assert {name for name, case in cases.items() if case.outcome == "passed"} == passed
    assert [(name, bool(case.message)) for name, case in cases.items() if case.failing] == [(wrong, True)]
    assert sum(case.outcome == "skipped" for case in cases.values()) == 1


def test_a_broken_file_of_jest_fails() -> None:
    outcomes = recorded("jest-broken")
    assert outcomes.failing
    assert "Cannot find module './nowhere'" in outcomes.failing[0].message


def test_the_shapes_of_surefire_and_go_are_read() -> None:
    surefire = b"""<?xml version="1.0" encoding="UTF-8"?>
    <testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0.2" name="shop.CartTest" tests="4">
      <properties><property name="basedir" value="/srv/shop"/></properties>
      <testcase name="adds" classname="shop.CartTest" time="0.03"/>
      <testcase name="positive(int)[1]" classname="shop.CartTest"/>
      <testcase name="isWrong" classname="shop.CartTest"><failure message="expected: &lt;3&gt;" type="X">at x</failure>
        <rerunFailure message="expected: &lt;3&gt;" type="X"/></testcase>
      <testcase name="sometimes" classname="shop.CartTest"><flakyFailure message="late" type="X"/></testcase>
    </testsuite>"""
    assert [(case.name, case.outcome) for case in parse_junit(surefire).cases] == [
        ("shop.CartTest::adds", "passed"),
        ("shop.CartTest::positive(int)[1]", "passed"),
        ("shop.CartTest::isWrong", "failed"),
        ("shop.CartTest::sometimes", "flaky"),
    ]
    go = b"""<testsuites><testsuite tests="2" name="example.com/shop/cart">
        <testcase classname="cart" name="TestAdds/one"></testcase>
        <testcase classname="cart" name="TestWrong"><failure message="Failed" type="">a.go:9: 2</failure></testcase>
    </testsuite></testsuites>"""
    assert [(case.name, case.outcome) for case in parse_junit(go).cases] == [
        ("example.com/shop/cart::cart::TestAdds/one", "passed"),
        ("example.com/shop/cart::cart::TestWrong", "failed"),
    ]


def test_an_error_of_a_whole_suite_is_an_obstacle() -> None:
    outcomes = parse_junit(b'<testsuite name="db"><error message="no database"/><testcase name="a"/></testsuite>')
    assert [(each.place, each.message) for each in outcomes.obstacles] == [("db", "no database")]
    assert not outcomes.collected


def test_control_characters_of_colours_do_not_make_a_file_unreadable() -> None:
    failure = b'<failure message="&#x1b;[31mred&#x1b;[0m \x1b[1mbold"/>'
    (case,) = parse_junit(b'<testsuite name="s"><testcase name="a">' + failure + b"</testcase></testsuite>").cases
    assert case.outcome == "failed"
    assert "red" in case.message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<testsuites><testsuite name='a'><testcase", "not readable XML"),
        (b"", "not readable XML"),
        (b"<html></html>", "not a JUnit file: it begins with <html>"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><testsuites>&b;</testsuites>', "not readable XML"),
    ],
)
def test_what_is_no_junit_file_is_an_error_and_never_an_empty_suite(content: bytes, told: str) -> None:
    with pytest.raises(ToolError, match=told):
        parse_junit(content, "junit.xml")


def test_the_module_of_a_test_is_found_also_where_it_was_defined_elsewhere() -> None:
    files = {"a/test_b.py", "base.py"}
    assert node_id("a.test_b.TestC.TestD", "base.py", files.__contains__) == "a/test_b.py::TestC::TestD"
    assert node_id("a.test_b", "a/test_b.py", files.__contains__) == "a/test_b.py"
    assert node_id("docs.guide.rst", "docs/guide.rst", files.__contains__) == "docs/guide.rst"
    assert node_id("elsewhere.test_x.T", "", files.__contains__) == "elsewhere.test_x.T"


def test_counts() -> None:
    cases = number_same([Case("a", "passed"), Case("a", "error"), Case("b", "skipped"), Case("c", "flaky")])
    assert [case.name for case in cases] == ["a", "a#2", "b", "c"]
    assert {each.name: each.value for each in measure_cases(cases)} == {
        "tests.total": 4, "tests.failed": 1, "tests.skipped": 1,
    }  # fmt: skip
