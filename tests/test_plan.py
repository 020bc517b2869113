"""The plan: which phase, which gates, in which order, and what a run is compared with."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gates.config.load import build_configuration
from gates.config.model import Configuration
from gates.errors import ConfigurationError
from gates.plan import choose_phase, make_plan, previous_phase

TOML = """
[project]
name = "x"
[backend]
profile = "flask"
[[phases]]
name = "one"
[[phases]]
name = "two"
[[phases]]
name = "three"
[gates.load]
tool = "locust"
[gates.first]
tool = "command"
command = "true"
runs_alone = true
[gates.bench]
tool = "benchmark"
[gates.later]
tool = "command"
command = "true"
skip = "It is not finished yet."
"""


@pytest.fixture
def configuration() -> Configuration:
    return build_configuration(tomllib.loads(TOML), Path("/nowhere"))


@pytest.mark.parametrize(
    ("signed", "number", "previous"),
    [((), 1, None), (("one",), 2, "one"), (("one", "two"), 3, "two"), (("one", "two", "three"), 3, "three")],
)
def test_the_first_phase_that_is_not_signed_is_compared_with_the_one_before(
    configuration: Configuration, signed: tuple[str, ...], number: int, previous: str | None
) -> None:
    plan = make_plan(configuration, signed=signed)
    assert (plan.number, plan.previous) == (number, previous)


def test_a_phase_may_be_named_and_a_signed_one_is_compared_with_itself(configuration: Configuration) -> None:
    assert choose_phase(configuration, "two", ())[0] == 2
    assert previous_phase(configuration, 3, ("one",)) == "one"
    assert make_plan(configuration, signed=("one", "two"), phase="one").previous == "one"


def test_what_measures_time_runs_alone_and_last(configuration: Configuration) -> None:
    plan = make_plan(configuration, signed=())
    running = [gate.name for gate in plan.running()]
    assert set(running) == {"tests", "security", "fuzz", "load", "first", "bench"}
    assert set(running[:3]) == {"tests", "security", "fuzz"}
    alone = [gate.tool.alone for gate in plan.running()]
    assert alone == sorted(alone)
    slow = [gate.tool.slow for gate in plan.running() if gate.tool.alone]
    assert slow == sorted(slow)


def test_a_whole_run_is_not_partial_though_gates_toml_skips_a_gate(configuration: Configuration) -> None:
    plan = make_plan(configuration, signed=())
    assert not plan.partial
    assert plan.asked is None
    assert {gate.name: gate.skipped for gate in plan.gates if gate.skipped} == {"later": "It is not finished yet."}


def test_fast_leaves_out_what_is_slow(configuration: Configuration) -> None:
    plan = make_plan(configuration, signed=(), fast=True)
    assert plan.partial
    assert {gate.name for gate in plan.gates if gate.skipped == "left out by --fast"} == {"load", "bench"}


def test_only_what_was_asked_for_runs(configuration: Configuration) -> None:
    plan = make_plan(configuration, signed=(), gates=("tests",), only=("security",))
    assert [gate.name for gate in plan.running()] == ["tests", "security"]
    assert plan.asked == {"tests", "security"}
    assert plan.partial
    assert {gate.skipped for gate in plan.gates if gate.name in ("load", "first")} == {"not asked for"}


def test_skip_wins_over_asking(configuration: Configuration) -> None:
    plan = make_plan(configuration, signed=(), gates=("tests", "fuzz"), skip=("fuzz",))
    assert [gate.name for gate in plan.running()] == ["tests"]
    assert make_plan(configuration, signed=(), skip=("fuzz",)).partial
    assert make_plan(configuration, signed=(), skip=("fuzz",)).asked is None


@pytest.mark.parametrize("option", ["gates", "only", "skip"])
def test_an_unknown_gate_is_told_with_the_nearest(configuration: Configuration, option: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no gate 'laod'") as caught:
        make_plan(configuration, signed=(), **{option: ("laod",)})  # type: ignore[arg-type]
    assert "did you mean 'load'?" in caught.value.hint


def test_an_unknown_phase_is_told_with_the_nearest(configuration: Configuration) -> None:
    with pytest.raises(ConfigurationError, match="there is no phase 'tree'") as caught:
        make_plan(configuration, signed=(), phase="tree")
    assert "did you mean 'three'?" in caught.value.hint
