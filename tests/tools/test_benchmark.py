from __future__ import annotations

import json
import os
import re
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gates.errors import NotMeasured, ToolError
from gates.results import Readings, Severity
from gates.tools.base import Context, Serving
from gates.tools.benchmark import Benchmark
from gates.tools.benchmark.report import Failed, Sample, combine, parse

RECORDED = Path(__file__).parent.parent / "output" / "benchmark"
ORDERS = "bench/test_orders.py"


def no_backend() -> AbstractContextManager[Serving]:
    raise AssertionError("benchmarks need no backend")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "benchmarks").mkdir(parents=True)
    return root


def make_context(root: Path, python: str = sys.executable, **env: str) -> Context:
    """Other plugins of this environment are left out: loading them takes longer than what is tested."""
    directory = root.parent / f"{root.name}-output"
    directory.mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p pytest_benchmark.plugin"}
    return Context(
        root=root, source=(), python=python, env={**clean, **plugins, **env}, directory=directory, gate="bench",
        serve=no_backend, classify=lambda name, definition: "simple",
    )  # fmt: skip


def write(root: Path, text: str, name: str = "test_it.py", ini: str = "") -> None:
    (root / "benchmarks" / name).write_text(text)
    if ini:
        (root / "pytest.ini").write_text(f"[pytest]\naddopts = {ini}\n")


def bench(**settings: Any) -> Benchmark:
    return Benchmark(**{"processes": 2, "max_time": 0.005, **settings})


def scopes(readings: Readings) -> list[str]:
    return [measurement.scope for measurement in readings.measurements]


ONE = "def test_one(benchmark):\n    benchmark(sum, [1, 2])\n"


@pytest.mark.parametrize("version", ["4.0.0", "5.3.1"])
class TestRecordedOutput:
    def sample(self, version: str) -> Sample:
        return parse((RECORDED / f"{version}.json").read_text(), (RECORDED / f"{version}.xml").read_text())

    def test_medians_are_in_seconds_by_full_name(self, version: str) -> None:
        sample = self.sample(version)
        assert sorted(sample.medians) == [
            f"{ORDERS}::TestSearch::test_sorted", f"{ORDERS}::test_total[1000]", f"{ORDERS}::test_total[10]",
        ]  # fmt: skip
        raw = json.loads((RECORDED / f"{version}.json").read_text())["benchmarks"]
        assert sample.medians[f"{ORDERS}::test_total[10]"] == raw[0]["stats"]["median"] < 1e-4

    def test_what_failed_is_named_as_pytest_names_it_and_has_no_median(self, version: str) -> None:
        failed = self.sample(version).failed
        assert {name: (one.message, one.path, one.line) for name, one in failed.items()} == {
            "bench/test_broken.py": (
                "ModuleNotFoundError: No module named 'nothing_of_that_name'", "bench/test_broken.py", None,
            ),
            f"{ORDERS}::TestSearch::test_wrong": ("AssertionError: one is", ORDERS, 13),
            f"{ORDERS}::test_raises": ("ValueError: invalid literal for int() with base 10: 'x'", ORDERS, 17),
            f"{ORDERS}::test_without_fixture": ("fixture 'catalogue' not found", ORDERS, 21),
        }  # fmt: skip

    def test_only_skipped_benchmarks_count_as_skipped(self, version: str) -> None:
        sample = self.sample(version)
        assert sample.skipped == {f"{ORDERS}::test_later": "needs the new index"}
        assert sample.tests == 9


@pytest.mark.parametrize("report", ["{", '{"benchmarks": [{"fullname": "a", "stats": {}}]}', '{"bench": []}'])
def test_a_report_of_another_shape_is_an_error(report: str) -> None:
    with pytest.raises(ToolError, match="report could not be read"):
        parse(report, None)


@pytest.mark.parametrize("median", ["NaN", "Infinity", "-1.0", '"fast"'])
def test_a_median_that_is_no_time_is_an_error(median: str) -> None:
    with pytest.raises(ToolError, match="median"):
        parse('{"benchmarks": [{"fullname": "a", "stats": {"min": 1.0, "median": ' + median + "}}]}", None)


@pytest.mark.parametrize("junit", ["<testsuite>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_an_unreadable_junit_file_is_an_error(junit: str) -> None:
    with pytest.raises(ToolError, match="JUnit"):
        parse(None, junit)


def test_each_process_is_one_sample_and_the_value_is_their_median() -> None:
    readings = combine([Sample({"a": 3.0, "b": 1.0}), Sample({"a": 1.0, "b": 1.0}), Sample({"a": 9.0, "b": 1.5})])
    first, second = readings.measurements
    assert (first.name, first.scope, first.value, first.unit, first.better) == ("bench.median", "a", 3.0, "s", "lower")
    assert first.samples == (3.0, 1.0, 9.0)
    assert second.value == 1.0
    assert [(s.kind, s.name, s.outcome) for s in readings.subjects] == [
        ("benchmark", "a", "measured"), ("benchmark", "b", "measured"),
    ]  # fmt: skip
    assert not readings.gaps


def test_a_benchmark_that_comes_and_goes_is_a_gap() -> None:
    readings = combine([Sample({"a": 1.0, "b": 1.0}), Sample({"a": 1.0}), Sample({"a": 1.0, "b": 2.0})])
    assert [(gap.what, gap.reason) for gap in readings.gaps] == [("benchmark b", "it was measured in 2 of 3 processes")]
    assert readings.measurements[1].samples == (1.0, 2.0)


def test_a_benchmark_that_fails_now_and_then_is_one_finding_and_no_gap() -> None:
    readings = combine([Sample({"a": 1.0}), Sample(failed={"a": Failed("ValueError: x", "t.py", 3)})])
    (finding,) = readings.findings
    assert finding.message == "a failed in 1 of 2 processes: ValueError: x"
    assert (finding.rule, finding.severity, finding.path, finding.line) == ("bench.failed", Severity.HIGH, "t.py", 3)
    assert not readings.gaps


def test_a_failure_is_the_same_finding_whatever_its_message() -> None:
    first = combine([Sample(failed={"a": Failed("1 != 2")})]).findings[0]
    second = combine([Sample(failed={"a": Failed("1 != 3")})]).findings[0]
    assert first.fingerprint == second.fingerprint


def test_no_time_at_all_is_a_gap_and_no_measurement() -> None:
    readings = combine([Sample({"a": 0.0}), Sample({"a": 0.0})])
    assert not readings.measurements
    assert readings.gaps[0].what == "benchmark a"


def test_a_project_is_measured_in_fresh_processes(project: Path) -> None:
    write(project, "import os\n" + ONE + "    print('process', os.getpid())\n", ini="-s")
    context = make_context(project)
    readings = bench(processes=3).run(context)
    (measurement,) = readings.measurements
    assert measurement.scope == "benchmarks/test_it.py::test_one"
    assert len(measurement.samples) == 3
    assert min(measurement.samples) > 0
    said = [(context.directory / f"benchmark-{number}.stdout").read_text() for number in (1, 2, 3)]
    assert len({process for text in said for process in re.findall(r"process (\d+)", text)}) == 3
    assert readings.versions["pytest-benchmark"]
    assert not list(context.directory.glob("*.json")), "the raw data is not kept"


@pytest.mark.parametrize("addopts", ["--benchmark-skip", "--benchmark-disable", "-x --benchmark-json=theirs.json"])
def test_options_of_the_project_cannot_make_a_pass_of_nothing(project: Path, addopts: str) -> None:
    write(project, ONE, ini=addopts)
    assert scopes(bench().run(make_context(project))) == ["benchmarks/test_it.py::test_one"]


def test_deselected_benchmarks_are_not_measured(project: Path) -> None:
    write(project, ONE, ini="-k nothing")
    with pytest.raises(NotMeasured, match=r"measured no benchmark.*0 tests were found") as caught:
        bench().run(make_context(project))
    assert "deselects" in caught.value.hint


def test_tests_that_are_no_benchmarks_are_not_measured(project: Path) -> None:
    write(project, "def test_plain():\n    pass\n")
    with pytest.raises(NotMeasured, match="1 tests were found"):
        bench().run(make_context(project))


def test_benchmarks_that_are_not_there_are_not_measured(project: Path) -> None:
    with pytest.raises(NotMeasured, match="looks for performance, which is not there"):
        bench(command="pytest performance").run(make_context(project))


def test_a_command_that_succeeds_without_pytest_measured_nothing(project: Path) -> None:
    with pytest.raises(NotMeasured, match="`true` measured no benchmark"):
        bench(command="true").run(make_context(project))


def test_failing_benchmarks_fail_and_the_others_are_measured(project: Path) -> None:
    write(project, "def test_bad(benchmark):\n    assert benchmark(sum, [1]) == 2\n\n" + ONE, ini="-x")
    write(project, "import nothing_of_that_name\n", name="test_zbroken.py")
    readings = bench(command="pytest benchmarks/test_it.py").run(make_context(project))
    assert [f.message for f in readings.findings] == ["benchmarks/test_it.py::test_bad failed: assert 1 == 2"]
    assert scopes(readings) == ["benchmarks/test_it.py::test_one"]


def test_a_suite_that_stops_at_collection_fails_and_says_where(project: Path) -> None:
    write(project, ONE)
    write(project, "import nothing_of_that_name\n", name="test_broken.py")
    readings = bench().run(make_context(project))
    assert [(f.rule, f.path) for f in readings.findings] == [("bench.failed", "benchmarks/test_broken.py")]
    assert "No module named 'nothing_of_that_name'" in readings.findings[0].message
    assert [gap.what for gap in readings.gaps] == ["benchmarks"]


def test_a_conftest_that_cannot_be_loaded_is_an_error(project: Path) -> None:
    write(project, ONE)
    (project / "benchmarks" / "conftest.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(ToolError, match=r"exit code 4(.|\n)*nothing_of_that_name"):
        bench().run(make_context(project))


def test_an_exit_code_that_no_failure_explains_is_an_error(project: Path) -> None:
    write(project, ONE)
    with pytest.raises(ToolError, match="ended with exit code 7 although no benchmark failed"):
        bench(command="{python} -m pytest benchmarks; exit 7").run(make_context(project))


def test_a_killed_process_is_an_error(project: Path) -> None:
    write(project, ONE + "    import os\n    os.kill(os.getpid(), 9)\n")
    with pytest.raises(ToolError, match="SIGKILL"):
        bench().run(make_context(project))


def test_pytest_that_does_not_load_the_plugin_is_told_so(project: Path) -> None:
    write(project, ONE)
    with pytest.raises(ToolError, match="does not load it"):
        bench().run(make_context(project, PYTEST_ADDOPTS=""))


def fake_python(folder: Path, answer: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return str(path)


def test_a_missing_plugin_is_an_error_that_says_how_to_get_it(project: Path, tmp_path: Path) -> None:
    python = fake_python(tmp_path, """echo '{"python": "3.12.1", "pytest": "8.0.0"}'""")
    with pytest.raises(ToolError, match="pytest-benchmark is not installed") as caught:
        bench().run(make_context(project, python=python))
    assert caught.value.hint == f"{python} -m pip install pytest-benchmark"


def test_plugins_that_would_disable_or_slow_benchmarks_are_switched_off(project: Path, tmp_path: Path) -> None:
    versions = {"python": "3.12.1", "pytest": "8", "pytest-benchmark": "5", "pytest-cov": "6", "pytest-xdist": "3"}
    python = fake_python(tmp_path, f"echo '{json.dumps(versions)}'; echo \"$PYTEST_ADDOPTS\" >&2")
    context = make_context(project, python=python, PYTEST_DISABLE_PLUGIN_AUTOLOAD="", PYTEST_ADDOPTS="-p theirs")
    with pytest.raises(NotMeasured):
        bench().run(context)
    options = (context.directory / "benchmark-1.stderr").read_text()
    assert options.startswith("-p theirs --benchmark-only --benchmark-enable ")
    assert options.rstrip().endswith("-n0 --no-cov")


def test_requirements_name_what_the_projects_python_lacks(project: Path, tmp_path: Path) -> None:
    here = bench().requirements(make_context(project))
    assert [(requirement.what, requirement.met) for requirement in here] == [
        ("pytest", True),
        ("pytest-benchmark", True),
    ]
    python = fake_python(tmp_path, """echo '{"python": "3.12.1", "pytest": "8.0.0"}'""")
    lacking = bench().requirements(make_context(project, python=python))
    assert [requirement.met for requirement in lacking] == [True, False]
    assert "pip install pytest-benchmark" in lacking[1].hint
    (nothing,) = bench().requirements(make_context(project, python="/no/such/python"))
    assert not nothing.met


def test_settings_that_were_really_used_are_part_of_the_configuration(project: Path) -> None:
    write(project, ONE)
    context = make_context(project)
    first = bench().run(context).configurations
    assert first == bench().run(context).configurations
    assert first != bench(max_time=0.006).run(context).configurations


@pytest.mark.parametrize("command", ["", "pytest 'benchmarks", "pytest --benchmark-json=x", "pytest --junit-xml x"])
def test_a_command_that_cannot_work_is_refused(command: str) -> None:
    with pytest.raises(ValidationError, match="command"):
        Benchmark(command=command)


def test_it_runs_alone_and_not_in_a_hurry() -> None:
    tool = Benchmark()
    assert tool.alone
    assert tool.slow
    assert tool.items == ("performance",)
    with pytest.raises(ValidationError, match="processes"):
        Benchmark(processes=1)
