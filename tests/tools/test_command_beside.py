"""A command in two builds in turns: what its numbers are compared with, and when it is run once only."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judging import after, gate, judged, only, policy, signed
from projects import SMALL_BACKEND, Project, gates_toml, small_project
from pydantic import ValidationError
from signed_build import context_beside

from gates.errors import ToolError
from gates.results import GateResult, Measurement, Readings, Verdict
from gates.sequential import NUMBER
from gates.tools.base import Context
from gates.tools.command import Command

SCRIPT = """
import json, sys
sys.path.insert(0, ".")
import small
print(json.dumps({"ms": small.COST * 1000, "rate": 1 / small.COST, "size": small.SIZE, "count": small.SIZE}))
"""
NUMBERS = {
    "time": {"json": "$.ms", "unit": "ms", "better": "lower"},
    "rate": {"json": "$.rate", "unit": "/s", "better": "higher"},
    "size": {"json": "$.size", "unit": "B", "better": "lower"},
    "count": {"json": "$.count", "better": "lower"},
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose script prints what its source says that it costs."""
    toml = gates_toml('[gates.speed]\ntool = "command"\ncommand = "true"\n',
                      backend=f"start = '''{SMALL_BACKEND}'''\nready = \"/health\"")  # fmt: skip
    return small_project(
        tmp_path / "my project", toml,
        **{"small/__init__.py": "COST, SIZE = 1.0, 1000\n", "scripts/bench.py": SCRIPT},
    )  # fmt: skip


def moved_on(project: Project, cost: float = 1.2, size: int = 1000, **files: str) -> Context:
    """Return the context after the first phase, for a source of another cost."""
    first = project.git("rev-parse", "HEAD")
    project.write({"small/__init__.py": f"COST, SIZE = {cost}, {size}\n", **files})
    return replace(context_beside(project, first), python=sys.executable)


def command(**settings: Any) -> Command:
    return Command(
        **{"command": "{python} scripts/bench.py", "numbers": NUMBERS, "pair_blocks": 1, **settings}  # type: ignore[arg-type]
    )


def ratios(readings: Readings) -> dict[str, tuple[float, ...]]:
    return {one.scope: one.samples for one in readings.measurements if one.name == NUMBER}


def of(result: GateResult, kind: str) -> dict[str, Verdict]:
    return {
        one.measurement if kind == "baseline" else one.scope: one.verdict
        for one in result.judgements if one.kind == kind
    }  # fmt: skip


def test_times_rates_and_sizes_are_measured_side_by_side_and_counts_are_exact(project: Project) -> None:
    readings = command(pair_blocks=None).run(moved_on(project, size=1001))
    found = ratios(readings)
    assert found.keys() == {"speed.time", "speed.rate", "speed.size"}
    assert found["speed.time"] == found["speed.rate"] == pytest.approx((math.log(1.2),) * 8)
    assert found["speed.size"] == pytest.approx((math.log(1.001),) * 8)
    values = {one.name: one for one in readings.measurements if one.name.startswith("speed.")}
    assert values["speed.time"].value == pytest.approx(1.2)
    assert len(values["speed.time"].samples) == 8
    then = gate("speed", "command", measurements=[
        Measurement("speed.time", 9.0, "s", "lower"), Measurement("speed.count", 1000, "1", "lower"),
    ])  # fmt: skip
    result = judged(gate("speed", "command", measurements=list(readings.measurements)), policy(), signed("one", then))
    assert of(result, "beside") == {
        "speed.time": Verdict.FAIL, "speed.rate": Verdict.FAIL, "speed.size": Verdict.PASS,
    }  # fmt: skip
    assert of(result, "baseline") == {"speed.count": Verdict.FAIL}
    reasons = {one.scope: one.reason for one in result.judgements if one.kind == "beside"}
    assert reasons["speed.time"].startswith("speed.time is 1.200× (1.200 to 1.200) that of one, measured side by side")
    assert reasons["speed.rate"].startswith("speed.rate was 1.200× (1.200 to 1.200) what it is now in one")


def test_a_size_alone_is_exact_and_the_command_is_run_once(project: Project) -> None:
    context = moved_on(project)
    only_size = command(pair_blocks=None, numbers={"size": NUMBERS["size"]}, command="{python} scripts/bench.py")
    readings = only_size.run(context)
    assert [one.name for one in readings.measurements] == ["speed.size"]
    assert readings.notes == ()
    assert not (project.root / ".git" / "gates").exists()
    paired = command(numbers={"size": NUMBERS["size"]}).run(context)
    assert ratios(paired) == {"speed.size": (0.0,)}


def test_a_time_without_a_better_is_only_shown(project: Project) -> None:
    neither = {"time": {"json": "$.ms", "unit": "ms"}}
    assert not command(pair_blocks=None, numbers=neither).alone
    assert command(pair_blocks=None).alone
    assert not ratios(command(pair_blocks=None, numbers=neither).run(moved_on(project)))


def test_a_script_that_changed_is_refused_until_it_is_said_what_it_is(project: Project) -> None:
    context = moved_on(project, **{"scripts/bench.py": SCRIPT + "# changed\n"})
    (note,) = command().run(context).notes
    assert note.startswith("not measured side by side: scripts/bench.py, which the command names, is not as in one")
    assert note.endswith("`measured_with = []` lets each use its own)")
    (gap,) = command().run(replace(context, side_by_side="always")).gaps
    assert '`measured_with = ["scripts/bench.py"]` lets both builds use that of this one' in gap.hint
    assert ratios(command(measured_with=["scripts/bench.py"]).run(context)).keys() == {
        "speed.time", "speed.rate", "speed.size",
    }  # fmt: skip
    assert ratios(command(measured_with=[]).run(context))


def test_a_new_script_measures_both_builds_when_it_is_named(project: Project) -> None:
    context = moved_on(project, **{"scripts/new.py": SCRIPT})
    project.commit("a new script")
    fresh = command(command="{python} ./scripts/new.py")
    assert "scripts/new.py, which the command names, is not there in one" in fresh.run(context).notes[0]
    named = command(command="{python} ./scripts/new.py", measured_with=["scripts/new.py"])
    assert ratios(named.run(context))["speed.time"] == pytest.approx((math.log(1.2),))


def test_source_that_the_command_names_may_change(project: Project) -> None:
    shown = command(
        command="cat small/__init__.py", numbers={"size": {"pattern": r", (\d+)$", "unit": "B", "better": "lower"}}
    )
    assert ratios(shown.run(moved_on(project, size=1500)))["speed.size"] == pytest.approx((math.log(1.5),))


def test_a_command_that_fails_in_the_earlier_build_is_measured_alone(project: Project) -> None:
    (project.root / "small" / "__init__.py").write_text("raise SystemExit('it never worked')\n")
    project.commit("broken")
    readings = command().run(moved_on(project))
    assert readings.findings == ()
    assert readings.notes == (
        "not measured side by side: in the build of one, the command ended with exit code 1: it never worked",
    )


def test_a_number_that_the_earlier_build_does_not_print_is_not_compared(project: Project) -> None:
    (project.root / "scripts" / "bench.py").write_text(SCRIPT.replace('"ms"', '"milliseconds"'))
    project.commit("another name")
    readings = command(measured_with=[]).run(moved_on(project, **{"scripts/bench.py": SCRIPT}))
    assert "speed.time is not there" in readings.notes[0]


def test_a_failure_after_the_first_run_is_a_finding(project: Project) -> None:
    context = moved_on(project, **{"out/.keep": ""})  # git ignores out/: what the command writes is no script
    once = "{python} scripts/bench.py; test ! -e out/again; code=$?; touch out/again; exit $code"
    readings = command(command=once).run(context)
    assert [finding.rule for finding in readings.findings] == ["command.failed"]


def test_each_build_gets_its_own_backend(project: Project) -> None:
    show = 'echo \'{"ms": 5}\'; pwd; test -n "$GATES_BASE_URL"'
    number = {"time": {"pattern": r"ms\": (\d+)", "unit": "ms", "better": "lower"}}
    context = moved_on(project)
    readings = command(command=show, numbers=number, backend=True).run(context)
    assert ratios(readings) == {"speed.time": (0.0,)}
    earlier = (context.directory / "block-1-earlier" / "stdout.txt").read_text().splitlines()[-1]
    assert "/.git/gates/builds/" in earlier
    assert len(list(context.directory.glob("backend-*"))) == 2
    assert len(list(context.directory.glob("earlier-*"))) == 2


def test_it_is_run_once_in_a_hurry_and_where_it_takes_too_long(project: Project) -> None:
    context = moved_on(project)
    hurried = command().run(replace(context, fast=True))
    assert hurried.notes == ("not measured side by side: --fast runs the command once",)
    slow = command(timeout=1.0, command="sleep 0.3; {python} scripts/bench.py").run(context)
    assert "there is no time for 8 more within the `timeout` of this gate" in slow.notes[0]
    assert not ratios(slow)


def test_numbers_that_are_not_above_zero_have_no_ratio(project: Project) -> None:
    number = {"time": {"pattern": r"(\d+)", "unit": "ms", "better": "lower"}}
    (note,) = command(command="echo 0", numbers=number).run(moved_on(project)).notes
    assert "none of its numbers is above zero" in note


def test_source_cannot_be_named_as_what_measures(project: Project) -> None:
    context = moved_on(project)
    with pytest.raises(ToolError, match="holds the source itself"):
        command(measured_with=["small"]).run(context)
    with pytest.raises(ToolError, match="does not exist"):
        command(measured_with=["scripts/none.py"]).run(context)


def test_how_often_it_is_measured_is_no_other_measurement(project: Project) -> None:
    context = replace(moved_on(project), earlier=None)
    first, second = (command(pair_blocks=blocks).run(context).configurations for blocks in (1, 9))
    assert first == second


@pytest.mark.parametrize(
    "wrong", [{"pair_blocks": -1}, {"pair_blocks": "x"}, {"measured_with": ["../x"]}, {"measured_with": "scripts"}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        command(**wrong)


def test_a_loss_that_was_accepted_does_not_come_back(project: Project) -> None:
    def stored(value: float, *more: Measurement) -> GateResult:
        return gate("speed", "command", measurements=[Measurement("speed.time", value, "s", "lower"), *more])

    paired = (
        Measurement("pair.planned", 12, "1", "neither"), Measurement("pair.confirmed", 4, "1", "neither"),
        Measurement(NUMBER, 2.0, "ratio", "lower", "speed.time", samples=(math.log(2),) * 8),
    )  # fmt: skip
    first = after("one", stored(1.0))
    second = after("two", stored(2.0, *paired), None, first)
    assert only(second.run.gates[0], "beside").verdict is Verdict.FAIL
    third = judged(stored(2.0), policy(), first, second)
    assert not [one for one in third.judgements if one.kind == "best"]
