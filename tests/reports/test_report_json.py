"""The JSON result: its keys and types are promised, its numbers are whole, and nothing private is in it."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from report_samples import (
    SECRET,
    failing_run,
    hostile_run,
    partial_run,
    passing_run,
    security_gate,
    undecided_run,
)

from gates.reports import json as report
from gates.results import Run, Verdict

KEYS = Path(__file__).parent / "gates.run-1.keys"


def keys(kind: Any, path: str = "") -> Iterator[str]:
    """Every path of the document with its type, as the file of promised keys lists them."""
    if is_typeddict(kind):
        for name, part in get_type_hints(kind).items():
            yield from keys(part, f"{path}.{name}" if path else name)
    elif get_origin(kind) is list and is_typeddict(get_args(kind)[0]):
        yield from keys(get_args(kind)[0], f"{path}[]")
    else:
        text = str(kind) if get_origin(kind) or isinstance(kind, types.UnionType) else kind.__name__
        yield f"{path}: {text}"


def assert_conforms(data: Any, kind: Any, path: str = "") -> None:
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        assert list(data) == list(hints), path
        for name, part in hints.items():
            assert_conforms(data[name], part, f"{path}.{name}")
    elif get_origin(kind) is list:
        assert isinstance(data, list), path
        for entry in data:
            assert_conforms(entry, get_args(kind)[0], f"{path}[]")
    elif get_origin(kind) is dict:
        assert isinstance(data, dict), path
        for entry in data.values():
            assert_conforms(entry, get_args(kind)[1], f"{path}{{}}")
    else:
        allowed = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
        number = (int,) if float in allowed else ()
        assert isinstance(data, (*allowed, *number)), f"{path} is {data!r}, not {kind}"
        assert not isinstance(data, bool) or bool in allowed, path


def test_the_promised_keys_are_the_ones_that_are_written() -> None:
    """Whoever changes a key changes the promise: this file only ever grows within version 1."""
    assert KEYS.read_text("utf-8").splitlines() == list(keys(report.RunDocument))


@pytest.mark.parametrize(
    "run", [failing_run(), passing_run(), undecided_run(), partial_run(), hostile_run()], ids=lambda run: run.verdict
)
def test_a_result_has_exactly_the_promised_shape(run: Run) -> None:
    assert_conforms(json.loads(report.render(run)), report.RunDocument)


def test_a_result_says_what_was_judged_and_found() -> None:
    result = json.loads(report.render(failing_run()))
    assert result["format"] == "gates.run/1"
    assert (result["verdict"], result["exit_code"], result["baseline"]) == ("fail", 1, "foundation")
    assert result["run"]["policy"] == "sha256:5e0f"
    gates = {gate["gate"]: gate for gate in result["gates"]}
    assert gates["fuzz"]["reason"] == "schemathesis was killed by signal 9 after 61 s"
    assert gates["fuzz"]["gaps"][0]["what"] == "POST /orders/import"
    assert [finding["state"] for finding in gates["security"]["findings"]] == ["new", "known", "fixed", "waived"]
    slow = gates["load"]["judgements"][1]
    assert (slow["ratio"], slow["low"], slow["high"], slow["verdict"]) == (1.41, 1.33, 1.5, "fail")
    assert gates["load"]["judgements"][3]["debt"] is True
    assert result["operations"][0]["class"] == "simple"
    assert result["operations"][3]["tested"] is None


def test_tests_are_counted_and_those_that_did_not_pass_are_named() -> None:
    gates = {gate["gate"]: gate for gate in json.loads(report.render(failing_run()))["gates"]}
    assert gates["tests"]["subjects"]["counts"] == {"test": {"passed": 40, "skipped": 1}}
    assert [entry["name"] for entry in gates["tests"]["subjects"]["failing"]] == ["tests/test_orders.py::test_slow"]


def test_nothing_is_rounded() -> None:
    gate = replace(security_gate(), seconds=1 / 3)
    assert json.loads(report.render(failing_run(gates=(gate,))))["gates"][0]["seconds"] == 1 / 3


def test_known_debt_is_listed_once() -> None:
    known = json.loads(report.render(failing_run()))["debts"]
    assert known == [
        "orders/auth.py:7: Possible hardcoded password: 'guest' (B105, low)",
        "load.memory is 611 MB of <= 512 MB",
    ]


def test_what_is_no_number_is_null() -> None:
    run = failing_run(seconds=math.inf)
    result = json.loads(report.render(run), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert result["run"]["seconds"] is None
    load = next(gate for gate in result["gates"] if gate["gate"] == "load")
    assert load["epochs"][0]["conditions"]["steal"] is None


def test_recorded_requests_and_documents_stay_out() -> None:
    assert SECRET not in report.render(failing_run())


def test_the_home_of_whoever_ran_it_stays_out() -> None:
    gate = security_gate()
    away = replace(gate.readings.findings[0], path="/home/ada/secret-project/orders/search.py")
    windows = replace(away, path=r"C:\Users\ada\orders\search.py")
    run = failing_run(gates=(replace(gate, readings=replace(gate.readings, findings=(away, windows))),))
    text = report.render(run)
    assert "ada" not in text
    assert text.count('".../search.py"') == 2


def test_the_text_is_ascii_that_any_terminal_and_parser_can_take() -> None:
    text = report.render(hostile_run())
    assert text.isascii()
    assert "\x1b" not in text
    assert "\\ud800" not in text, "half a surrogate pair is not JSON"
    assert text.endswith("}\n")


def test_an_allowed_unknown_is_still_unknown() -> None:
    result = json.loads(report.render(undecided_run(exit_code=0)))
    assert (result["verdict"], result["exit_code"]) == (Verdict.UNKNOWN, 0)
