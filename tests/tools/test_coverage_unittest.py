from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import ToolError
from gates.tools.coverage.recorded import Record, parse_record

RECORDED = Path(__file__).parent.parent / "output" / "coverage"


def recorded(name: str) -> Record:
    files = {"tests/test_broken.py", "tests/test_skipmod.py"}
    return parse_record((RECORDED / f"{name}.jsonl").read_text(), "/srv/shop", files.__contains__)


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_unittest_of_an_old_and_a_new_python_gives_the_same_tests(version: str) -> None:
    record = recorded(f"unittest-{version}")
    assert {case.name: case.outcome for case in record.outcomes.cases} == {
        "tests/test_cart.py::Base::test_inherited": "passed",
        "tests/test_cart.py::CartTest::test_error": "error",
        "tests/test_cart.py::CartTest::test_expected": "skipped",
        "tests/test_cart.py::CartTest::test_flaky": "failed",
        "tests/test_cart.py::CartTest::test_inherited": "passed",
        "tests/test_cart.py::CartTest::test_nested": "passed",
        "tests/test_cart.py::CartTest::test_skipped": "skipped",
        "tests/test_cart.py::CartTest::test_sub": "failed",
        "tests/test_cart.py::CartTest::test_sum": "passed",
        "tests/test_cart.py::CartTest::test_unexpected": "failed",
        "tests/test_cart.py::CartTest::test_wrong": "failed",
        "tests/test_cart.py::Skipped::test_a": "skipped",
        "tests/test_skipmod.py": "skipped",
    }
    assert record.ids["tests/test_cart.py::CartTest::test_sum"] == "tests.test_cart.CartTest.test_sum"
    messages = {case.name.rpartition("::")[2]: case.message for case in record.outcomes.cases}
    assert messages["test_wrong"] == "AssertionError: 2 != 3"
    assert messages["test_expected"].startswith("expected failure")
    assert messages["test_unexpected"] == "unexpected success"


def test_what_is_no_test_is_an_obstacle() -> None:
    record = recorded("unittest-3.13")
    assert {(each.rule, each.place, each.message) for each in record.outcomes.obstacles} == {
        ("tests.collection", "tests/test_broken.py", "ModuleNotFoundError: No module named 'nowhere'"),
        ("tests.setup", "setUpClass (tests.test_cart.Broken)", "RuntimeError: no database"),
    }
    assert not record.outcomes.collected


def test_django() -> None:
    record = recorded("django-6.1")
    assert record.started
    assert [case.name for case in record.outcomes.failing] == [
        "shop/tests.py::ItemTest::test_flaky",
        "shop/tests.py::ItemTest::test_wrong",
    ]


def test_a_runner_that_was_started_and_found_nothing_is_told_from_none() -> None:
    assert parse_record("").started is False
    assert parse_record('{"outcome": "started"}\n').started is True
    with pytest.raises(ToolError, match="line 2"):
        parse_record('{"outcome": "started"}\n{"outc')
