"""The same benchmarks on the source of two builds: by a clock that the source itself moves on, so nothing is noisy."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judging import after, gate, judged, only, policy, signed
from projects import Project, gates_toml, small_project
from pydantic import ValidationError
from signed_build import context_beside

from gates.errors import ToolError
from gates.results import GateResult, Measurement, Readings, Verdict
from gates.sequential import BENCH
from gates.tools.base import Context
from gates.tools.benchmark import Benchmark
from gates.tools.benchmark.report import Failed, Sample
from gates.tools.benchmark.same_work import comparable, differing, files_of, is_configured, measuring, source_of

CLOCK = """
import pytest
import small

now = [0.0]

def clock():
    now[0] += small.COST
    return now[0]

def timed(benchmark, work=lambda: None, rounds=3):
    return benchmark.pedantic(work, rounds=rounds)
"""
BENCHMARKS = """
import small
from clock import clock, pytest, timed

@pytest.mark.benchmark(timer=clock)
def test_it(benchmark):
    timed(benchmark)
"""
NEW = """
@pytest.mark.benchmark(timer=clock)
def test_new(benchmark):
    timed(benchmark, small.new)
"""
NAME = "benchmarks/test_it.py::test_it"
PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchmark.plugin"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A src-less project whose first commit costs 1 s a call, and whose present source costs 1.2 s."""
    toml = gates_toml('[gates.bench]\ntool = "benchmark"\n')
    return small_project(
        tmp_path / "my project", toml,
        **{"small/__init__.py": "COST = 1.0\n", "benchmarks/clock.py": CLOCK, "benchmarks/test_it.py": BENCHMARKS},
    )  # fmt: skip


def context_of(project: Project, commit: str, **more: Any) -> Context:
    context = context_beside(project, commit)
    earlier = context.earlier
    assert earlier is not None
    assert earlier.place is not None
    return replace(context, env={**context.env, **PLUGINS}, **more)


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other plugins of this environment are left out, in both builds: loading them takes longer than what is tested."""
    for name, value in PLUGINS.items():
        monkeypatch.setenv(name, value)


def moved_on(project: Project, **files: str) -> str:
    """Return the commit of what is there, and go on with a source that is slower."""
    first = project.git("rev-parse", "HEAD")
    project.write({"small/__init__.py": "COST = 1.2\n\ndef new():\n    pass\n", **files})
    return first


def measure(context: Context, **settings: Any) -> Readings:
    return Benchmark(**{"processes": 2, "max_time": 0.005, "pair_blocks": 1, **settings}).run(context)


def ratios(readings: Readings) -> dict[str, tuple[float, ...]]:
    return {one.scope: one.samples for one in readings.measurements if one.name == BENCH}


def test_a_slower_source_is_seen_by_the_same_benchmarks(project: Project) -> None:
    first = moved_on(project)
    readings = measure(context_of(project, first), pair_blocks=4)
    assert ratios(readings) == {NAME: pytest.approx((math.log(1.2),) * 8)}, "four blocks, and four to confirm"
    (median,) = [one for one in readings.measurements if one.name == "bench.median"]
    assert median.samples == pytest.approx((1.2,) * 8)
    assert readings.notes[0] == f"measured beside one ({first[:7]}): 8 blocks of one process of each build, in turns"
    result = judged(gate("bench", "benchmark", **parts(readings)), policy(), signed("one", stored(1.0)))
    assert result.verdict is Verdict.FAIL
    judgement = only(result, "beside")
    assert (judgement.scope, judgement.value, judgement.unit) == (NAME, pytest.approx(1.2), "s")
    assert judgement.reason.startswith(
        f"{NAME} takes 1.200× (1.200 to 1.200) as long as in one, measured side by side in 8 blocks; 5 % is tolerated"
    )
    assert not (project.root / ".git" / "gates" / "builds" / "beside").exists()
    assert project.git("worktree", "list").count("\n") == 1, "this checkout and the build"


def parts(readings: Readings) -> dict[str, Any]:
    return {"measurements": list(readings.measurements), "subjects": list(readings.subjects), "notes": readings.notes}


def stored(*values: float, scope: str = NAME) -> GateResult:
    samples = values * 5 if len(values) == 1 else values
    return gate(
        "bench",
        "benchmark",
        measurements=[Measurement("bench.median", values[0], "s", "lower", scope, samples=samples)],
    )


def test_the_benchmarks_are_those_of_this_build_and_what_the_earlier_source_cannot_run_is_said(
    project: Project,
) -> None:
    changed = {"benchmarks/test_it.py": BENCHMARKS + NEW, "benchmarks/clock.py": CLOCK.replace("rounds=3", "rounds=2")}
    first = moved_on(project, **changed)
    readings = measure(context_of(project, first))
    assert ratios(readings) == {NAME: pytest.approx((math.log(1.2),))}
    assert readings.notes[1:] == (
        "both builds ran the benchmarks of this one; benchmarks/clock.py, benchmarks/test_it.py are not as in one",
        "not measured side by side: benchmarks/test_it.py::test_new (on the earlier source it fails: "
        "AttributeError: module 'small' has no attribute 'new')",
    )
    assert {one.scope for one in readings.measurements if one.name == "bench.median"} == {
        NAME, "benchmarks/test_it.py::test_new",
    }  # fmt: skip


def test_where_none_can_be_compared_this_build_is_measured_alone(project: Project) -> None:
    first = moved_on(
        project, **{"benchmarks/test_it.py": BENCHMARKS.replace("timed(benchmark)", "timed(benchmark, small.new)")}
    )
    readings = measure(context_of(project, first, side_by_side="always"))
    assert not ratios(readings)
    assert len(readings.measurements[0].samples) == 2
    (gap,) = readings.gaps
    assert gap.what == "side by side"
    assert gap.reason.startswith(
        "no benchmark runs on the source of one: benchmarks/test_it.py::test_it (on the earlier"
    )


def test_the_present_source_is_never_measured_in_the_place_of_the_earlier_one(project: Project) -> None:
    sneaking = f"import sys\nsys.path.insert(0, {str(project.root)!r})\n"
    first = moved_on(project, **{"benchmarks/conftest.py": sneaking})
    readings = measure(context_of(project, first))
    assert not ratios(readings)
    assert readings.notes[0].startswith(
        "not measured side by side: the benchmarks would run the present small/__init__.py in the build of one"
    )


def test_an_earlier_build_that_cannot_be_made_is_no_failure(project: Project) -> None:
    readings = measure(context_of(project, "c0ffee" * 6 + "c0ff"))
    assert len(readings.measurements) == 1
    assert "is not in this clone" in readings.notes[0]


def test_without_a_plan_this_build_is_measured_alone(project: Project) -> None:
    first = moved_on(project)
    context = context_of(project, first)
    readings = measure(context, pair_blocks=0)
    assert readings.notes == ("not measured side by side: `pair_blocks` is 0",)
    assert measure(replace(context, earlier=None)).notes == ()
    assert not (project.root / ".git" / "gates").exists()


def test_source_cannot_be_named_as_what_measures(project: Project) -> None:
    first = moved_on(project)
    with pytest.raises(ToolError, match="holds the source itself"):
        measure(context_of(project, first), measured_with=["small"])
    with pytest.raises(ToolError, match="nothing_there, which does not exist"):
        measure(context_of(project, first), measured_with=["nothing_there"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"pair_blocks": -1}, {"pair_blocks": "many"}, {"pair_blocks": 1.5}, {"measured_with": "benchmarks"},
        {"measured_with": [""]}, {"measured_with": ["."]}, {"measured_with": ["../other"]}, {"measured_with": ["/etc"]},
        {"measured_with": [1]}, {"pair_block": 3},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Benchmark(**wrong)


@pytest.mark.parametrize(
    ("files", "source", "expected"),
    [
        (["benchmarks/test_a.py"], ["orders"], ("benchmarks", "conftest.py")),
        (["tests/perf/test_a.py", "tests/perf/test_b.py"], ["src"], ("conftest.py", "tests")),
        (["backend/perf/test_a.py"], ["backend/app"], ("backend/conftest.py", "backend/perf", "conftest.py")),
        (["orders/bench/test_a.py"], ["orders"],
         ("conftest.py", "orders/bench/conftest.py", "orders/bench/test_a.py", "orders/conftest.py")),
        (["test_a.py"], ["orders"], ("conftest.py", "test_a.py")),
        (["perf/test_a.py"], ["."], ("conftest.py", "perf/conftest.py", "perf/test_a.py")),
    ],
)  # fmt: skip
def test_what_measures_is_the_folder_of_the_benchmarks_and_never_source(
    files: list[str], source: list[str], expected: tuple[str, ...]
) -> None:
    assert measuring(files, source) == expected


def test_folders_of_benchmarks_are_no_source_although_they_are_packages() -> None:
    assert source_of(("benchmarks", "orders", "app/tests")) == ("orders",)


def test_files_are_found_wherever_pytest_has_its_root(tmp_path: Path) -> None:
    loaded = {"svc/benchmarks/test_a.py": tmp_path, "svc/benchmarks/xtest_a.py": tmp_path, "svc/app.py": tmp_path}
    assert files_of(["benchmarks/test_a.py::test_1[x::y]", "test_a.py::T::t"], loaded) == {"svc/benchmarks/test_a.py"}


def test_only_what_is_measured_alike_is_compared() -> None:
    now = Sample({"a": 1.0, "f.py::b": 1.0, "c": 1.0, "d": 1.0, "e": 0.0, "g.py::h": 1.0},
                 options=dict.fromkeys(("a", "f.py::b", "c", "d", "e", "g.py::h"), "{}"))  # fmt: skip
    then = Sample({"a": 1.0, "d": 1.0, "e": 1.0}, {"f.py": Failed("no module")}, {"c": "later"},
                  options={"a": "{}", "d": '{"disable_gc": true}', "e": "{}"})  # fmt: skip
    reasons = comparable(now, then)
    assert reasons.pop("a") == ""
    assert reasons == {
        "f.py::b": "on the earlier source it fails: no module",
        "c": "on the earlier source it is skipped: later",
        "d": "the two builds measure it with different options of pytest-benchmark",
        "e": "it took no time that its timer could see",
        "g.py::h": "on the earlier source it is not found",
    }


def test_differences_are_told_by_file(tmp_path: Path) -> None:
    for side, text in (("now", "1"), ("then", "2")):
        (tmp_path / side / "a" / "__pycache__").mkdir(parents=True)
        for name in ("a/x.py", f"a/{side}.py", "a/__pycache__/x.pyc", "b.py"):
            (tmp_path / side / name).write_text(text)
        (tmp_path / side / "a" / "same.py").write_text("")
    assert differing(["a"], tmp_path / "now", tmp_path / "then") == ["a/now.py", "a/then.py", "a/x.py"]


def test_a_configuration_of_pytest_is_looked_for_up_to_the_repository(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    service = repository / "service"
    service.mkdir(parents=True)
    (tmp_path / "pytest.ini").write_text("")
    (repository / ".git").write_text("gitdir: elsewhere")
    (service / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert not is_configured(service)
    (repository / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    assert is_configured(service)


def pair(scope: str, ratio: float, epochs: int = 8) -> Measurement:
    return Measurement(BENCH, ratio, "ratio", "lower", scope, samples=(math.log(ratio),) * epochs)


def plan(*, confirmed: int = 0) -> list[Measurement]:
    return [
        Measurement("pair.planned", 12, "1", "neither"), Measurement("pair.confirmed", confirmed, "1", "neither"),
    ]  # fmt: skip


def test_what_was_not_compared_side_by_side_is_compared_with_the_stored_run() -> None:
    now = gate(
        "bench", "benchmark",
        measurements=[*plan(), pair(NAME, 1.0), *stored(1.0).readings.measurements,
                      *stored(3.0, scope="other").readings.measurements],
    )  # fmt: skip
    then = gate("bench", "benchmark", measurements=[
        *stored(1.0).readings.measurements, *stored(1.0, scope="other").readings.measurements,
    ])  # fmt: skip
    result = judged(now, policy(), signed("one", then))
    assert only(result, "beside").verdict is Verdict.PASS
    assert only(result, "baseline").scope == "other"
    assert result.verdict is Verdict.FAIL


def test_a_slower_benchmark_that_was_accepted_is_not_held_against_the_phases_before_it() -> None:
    worse = gate("bench", "benchmark", measurements=[
        *plan(confirmed=4), pair(NAME, 1.5), *stored(1.5).readings.measurements,
    ])  # fmt: skip
    first = after("one", stored(1.0))
    second = after("two", worse, None, first)
    assert any(one.verdict is Verdict.FAIL and one.kind == "beside" for one in second.run.gates[0].judgements)
    third = judged(stored(1.5), policy(), first, second)
    assert not [one for one in third.judgements if one.kind == "best"]


def test_an_undecided_benchmark_says_what_would_decide_it() -> None:
    noisy = Measurement(BENCH, 1.0, "ratio", "lower", NAME, samples=(0.1, -0.1) * 6)
    result = judged(gate("bench", "benchmark", measurements=[*plan(), noisy]), policy(), signed("one", stored(1.0)))
    judgement = only(result, "beside")
    assert judgement.verdict is Verdict.UNKNOWN
    assert "more blocks would decide it" in judgement.reason
    assert "or set `pair_blocks` of this gate to " in judgement.hint
