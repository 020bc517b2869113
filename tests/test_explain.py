"""`gates explain`: what something checks, and what decided it last time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import gate, signed

from gates.errors import GatesError
from gates.explain import explain
from gates.results import Finding, Judgement, Severity, Verdict
from gates.tools.locust import Locust

NOTE = "100 connections at once were not all served without errors (503 34 times), nor were fewer that were tried"
FINDING = Finding(
    "load.server-errors", Severity.HIGH, "GET /a answered 500", "f", operation="GET /a", fix="see the log"
)


def test_a_gate_tells_its_settings_what_decided_it_and_what_it_noted() -> None:
    failed = Judgement("load.errors", "", "target", "<= 0.1 %", Verdict.FAIL, "load.errors is 3 %", hint="see which")
    load = replace(gate("load", "locust", verdict=Verdict.FAIL, notes=[NOTE]), judgements=(failed,))
    lines = explain("load", {"load": Locust(users=7)}, signed("one", load).run).splitlines()
    assert any("users = 7" in line for line in lines)
    assert lines[-2:] == ["    - fail: load.errors is 3 % → see which", f"    - note: {NOTE}"]
    assert "It did not run yet" in explain("load", {"load": Locust()}, None)


def test_a_rule_tells_what_it_found_last_time() -> None:
    run = signed("one", gate("load", "locust", findings=[FINDING])).run
    assert "new high: GET /a answered 500 → see the log" in explain("load.server-errors", {}, run)
    assert "found none" in explain("load.server-errors", {}, signed("one").run)


def test_what_is_not_there_is_told_with_the_nearest_name() -> None:
    with pytest.raises(GatesError) as raised:
        explain("perfomance", {}, None)
    assert "did you mean 'performance'?" in raised.value.hint
