"""The engine: what runs beside what, and that whatever breaks becomes a verdict and stops nothing else."""

from __future__ import annotations

import errno
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gates import engine
from gates.config.model import Configuration
from gates.engine import GateFinished, GateProgress, GateStarted, RunStarted, Setting, make_context
from gates.errors import BackendFailed, ConfigurationError, GatesError, NotMeasured, ToolError
from gates.plan import Plan, PlannedGate, make_plan
from gates.process import CommandFailed, run
from gates.results import Finding, FindingState, GateResult, Measurement, Readings, Run, Severity, Verdict
from gates.tools.base import Context, Tool

Action = Callable[[Context], Readings]


class Fake(Tool):
    """A tool that does what a test says."""

    tool: str = "fake"
    action: Any = None
    by_itself: bool = False

    @property
    def alone(self) -> bool:  # type: ignore[override]
        return self.by_itself

    def run(self, context: Context) -> Readings:
        done: Readings = self.action(context)
        return done


def nothing(context: Context) -> Readings:
    return Readings()


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    configuration = Configuration.model_validate({
        "project": {"name": "x"}, "operations": {"complex": ["GET /reports/*"]},
        "targets": {"security": {"low": "<= 3"}},
    })  # fmt: skip
    directory = tmp_path / "run"
    directory.mkdir()
    return Setting(configuration, tmp_path, directory, configuration.policy(configuration.phases[0]))


def plan_of(setting: Setting, gates: Mapping[str, Tool], skipped: Mapping[str, str] | None = None) -> Plan:
    skipped = skipped or {}
    planned = tuple(PlannedGate(name, tool, skipped.get(name)) for name, tool in gates.items())
    return Plan(setting.configuration.phases[0], 1, None, planned, None, False)


def finish(setting: Setting, gates: Mapping[str, Action | Tool], **more: Any) -> dict[str, GateResult]:
    """Run gates to their end and return their results by name."""
    tools = {name: one if isinstance(one, Tool) else Fake(action=one) for name, one in gates.items()}
    with closing(engine.run(plan_of(setting, tools, **more), setting)) as events:
        return {event.result.gate: event.result for event in events if isinstance(event, GateFinished)}


# ---- verdicts


def fails_with(error: BaseException) -> Action:
    def action(context: Context) -> Readings:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (BackendFailed("it died", "look"), Verdict.FAIL),
        (NotMeasured("no samples", "look"), Verdict.UNKNOWN),
        (ToolError("it crashed", "look"), Verdict.ERROR),
        (CommandFailed("it was killed", "look"), Verdict.ERROR),
        (ConfigurationError("not set", "look"), Verdict.ERROR),
        (GatesError("something else", "look"), Verdict.ERROR),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else str(one),
)
def test_each_error_is_its_verdict_with_its_reason_and_its_hint(
    setting: Setting, error: GatesError, verdict: Verdict
) -> None:
    result = finish(setting, {"one": fails_with(error)})["one"]
    assert (result.verdict, result.reason, result.hint) == (verdict, error.message, "look")
    assert result.readings == Readings()
    assert not list(setting.directory.glob("*.traceback.txt"))


def test_a_broken_tool_is_an_error_with_its_traceback_and_stops_no_other(setting: Setting) -> None:
    results = finish(setting, {"before": nothing, "broken": fails_with(RuntimeError("a \udcff b")), "after": nothing})
    assert {name: result.verdict for name, result in results.items()} == {
        "before": Verdict.PASS, "broken": Verdict.ERROR, "after": Verdict.PASS,
    }  # fmt: skip
    assert results["broken"].reason is not None
    assert results["broken"].reason.startswith("this is a defect of gates: RuntimeError: a ")
    assert "broken.traceback.txt" in results["broken"].hint
    trace = (setting.directory / "broken.traceback.txt").read_text("utf-8")
    assert trace.startswith("Traceback")
    assert "raise error" in trace


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), BaseException("odd")])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_tool_that_ends_its_thread_is_an_error_and_nobody_waits_for_ever(
    setting: Setting, error: BaseException
) -> None:
    results = finish(setting, {"gone": fails_with(error), "other": nothing})
    assert results["gone"].verdict is Verdict.ERROR
    assert results["gone"].reason == "this is a defect of gates: the tool ended without a result"
    assert results["other"].verdict is Verdict.PASS


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EMFILE])
def test_what_the_system_refuses_is_no_defect_of_gates(setting: Setting, number: int) -> None:
    error = OSError(number, "No more of it", "/some/file")
    result = finish(setting, {"one": fails_with(error)})["one"]
    assert (result.verdict, result.reason) == (Verdict.ERROR, "No more of it: /some/file")
    assert "is there room" in result.hint


def test_a_full_disk_cannot_even_keep_the_traceback(setting: Setting) -> None:
    def broken(context: Context) -> Readings:
        (setting.directory / "one.traceback.txt").mkdir()
        raise ValueError("a defect")

    result = finish(setting, {"one": broken})["one"]
    assert result.verdict is Verdict.ERROR
    assert "its traceback could not be kept" in result.hint


def test_readings_come_back_raw(setting: Setting) -> None:
    readings = Readings(measurements=(Measurement("x.y", 1.0, "1", "lower"),), notes=("a note",))
    result = finish(setting, {"one": lambda context: readings})["one"]
    assert (result.verdict, result.readings, result.judgements) == (Verdict.PASS, readings, ())
    assert result.seconds >= 0
    assert result.tool == "fake"


def test_a_skipped_gate_says_why_and_does_not_run(setting: Setting) -> None:
    results = finish(setting, {"one": fails_with(AssertionError("it ran"))}, skipped={"one": "left out with --skip"})
    assert (results["one"].verdict, results["one"].reason) == (Verdict.SKIPPED, "left out with --skip")


# ---- order


def test_events_come_in_their_order(setting: Setting) -> None:
    def slow(context: Context) -> Readings:
        context.progress(0.5, "half way")
        context.progress(None, "somewhere")
        return Readings()

    tools = {"one": Fake(action=slow), "two": Fake(action=nothing, by_itself=True)}
    events = list(engine.run(plan_of(setting, tools), setting))
    assert events[0] == RunStarted(("one", "two"))
    assert events[1:4] == [
        GateStarted("one", "fake"), GateProgress("one", 0.5, "half way"), GateProgress("one", None, "somewhere"),
    ]  # fmt: skip
    assert [event.result.gate for event in events if isinstance(event, GateFinished)] == ["one", "two"]


def test_what_measures_no_time_runs_side_by_side(setting: Setting) -> None:
    meeting = threading.Barrier(2, timeout=20)

    def meet(context: Context) -> Readings:
        meeting.wait()  # breaks, and so fails, when the other one does not run now
        return Readings()

    results = finish(setting, {"one": meet, "two": meet})
    assert {result.verdict for result in results.values()} == {Verdict.PASS}


def test_what_measures_time_has_the_machine_to_itself(setting: Setting) -> None:
    running: set[str] = set()
    seen: dict[str, set[str]] = {}

    def watch(context: Context) -> Readings:
        running.add(context.gate)
        time.sleep(0.05)
        seen[context.gate] = set(running)
        running.discard(context.gate)
        return Readings()

    alone = Fake(action=watch, by_itself=True)
    finish(setting, {"load": alone, "one": watch, "bench": alone, "two": watch, "three": watch})
    assert seen["load"] == {"load"}
    assert seen["bench"] == {"bench"}


def test_the_result_of_a_quick_gate_is_there_while_a_slow_one_runs(setting: Setting) -> None:
    told = threading.Event()

    def slow(context: Context) -> Readings:
        assert told.wait(20)
        return Readings()

    finished = []
    with closing(
        engine.run(plan_of(setting, {"slow": Fake(action=slow), "quick": Fake(action=nothing)}), setting)
    ) as events:
        for event in events:
            if isinstance(event, GateFinished):
                finished.append(event.result.gate)
                told.set()
    assert finished == ["quick", "slow"]


# ---- an early end


def test_closing_it_stops_what_runs_and_what_would_have_been_started_next(setting: Setting, tmp_path: Path) -> None:
    begun: list[int] = []

    def stubborn(context: Context) -> Readings:
        for number in range(50):
            begun.append(number)
            try:
                run([sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path, env={}, timeout=60,
                    stdout=context.directory / "out", stderr=context.directory / "err")  # fmt: skip
            except ToolError:
                if number >= 2:
                    raise
        return Readings()

    events = engine.run(
        plan_of(setting, {"one": Fake(action=stubborn), "never": Fake(action=nothing, by_itself=True)}), setting
    )
    for event in events:
        if isinstance(event, GateStarted):
            while not begun:
                time.sleep(0.01)
            break
    events.close()
    assert begun == [0, 1, 2]
    assert not any(thread.name in ("one", "never") for thread in threading.enumerate())


# ---- what a tool may use


def test_a_context_tells_a_tool_all_it_may_know(setting: Setting, tmp_path: Path) -> None:
    def found(mark: str, state: FindingState) -> Finding:
        return Finding("rule", Severity.HIGH, "a problem", mark, state=state)

    states = (FindingState.NEW, FindingState.KNOWN, FindingState.FIXED, FindingState.FLAKY)
    readings = Readings(findings=tuple(found(state.value, state) for state in states))
    before = GateResult("one", "fake", Verdict.PASS, 1.0, readings=readings)
    other = GateResult("one", "another tool", Verdict.PASS, 1.0)
    baseline = Run(
        "id", "x", "main", "c0ffee", False, "2026-11-24T10:00:00Z", 1.0, {}, {}, "{}", "", Verdict.PASS, 0,
        gates=(other, before),
    )  # fmt: skip
    setting = Setting(setting.configuration, tmp_path, setting.directory, setting.policy, "c0ffee", baseline)
    gate = PlannedGate("one", Fake(action=nothing))
    context = make_context(gate, plan_of(setting, {"one": gate.tool}), setting)
    assert context.root == tmp_path
    assert context.directory == setting.directory / "one"
    assert context.directory.is_dir()
    assert context.base_commit == "c0ffee"
    assert context.baseline is before
    assert context.known == {"new", "known", "flaky"}  # what was repaired is not known any more
    assert context.targets["security.low"].value == 3
    assert context.classify("GET /reports/day", {}) == "complex"
    assert context.classify("GET /orders", {}) == "simple"
    assert Path(context.python).exists()
    assert context.env["PATH"]
    renamed = make_context(PlannedGate("renamed", Fake(action=nothing)), plan_of(setting, {}), setting)
    assert renamed.baseline is before


def test_a_plan_of_real_gates_runs(tmp_path: Path) -> None:
    configuration = Configuration.model_validate({
        "project": {"name": "x"},
        "gates": {
            "good": {"tool": "command", "command": "true"}, "bad": {"tool": "command", "command": "no-such-tool"},
        },
    })  # fmt: skip
    (tmp_path / "run").mkdir()
    setting = Setting(configuration, tmp_path, tmp_path / "run", configuration.policy(configuration.phases[0]))
    events = list(engine.run(make_plan(configuration, signed=()), setting))
    verdicts = {event.result.gate: event.result.verdict for event in events if isinstance(event, GateFinished)}
    assert verdicts == {"good": Verdict.PASS, "bad": Verdict.ERROR}
