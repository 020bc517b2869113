"""Nothing turns green by having seen nothing: every line of that section of the design, from end to end.

Here the real command line runs the real tools on real projects. What each line means in every case and corner is
tested where it is decided:

line of the design                                          here                                also in
`unknown` is for evidence missing, too thin, from another   TestEvidence                        test_compare_evidence,
    machine, or older than what it speaks of                                                    test_compare_performance
a target that matched nothing is `unknown`                  TestTargets                         test_compare_targets
what was in the baseline and is gone is reported            TestVanished                        test_compare_subjects
a tool that crashed, was killed, timed out or wrote         TestTools                           test_engine, tools/*
    unreadable output makes its gate `error`
zero tests run is not zero failures                         TestZeroTests                       tools/test_coverage_runs
a file that a scanner could not parse is an `error`         test_a_file_that_cannot_be_parsed…  tools/test_bandit
a backend that dies or never becomes ready fails every      TestBackend                         test_backend
    gate that needs it, from an empty data directory
findings are compared as sets of identities                 test_ten_fixed_and_ten_new…         test_compare_findings
known debt is shown once; flaky is shown as that            TestKnownAndFlaky                   test_pipeline_signoff
`skipped` only because a person asked for it, said first    TestSkipped                         test_report_wording
the verdict is the worst of the items; sign-off needs all   TestWorst                           test_done
exit codes, and which of several wins                       TestExitCodes                       test_cli
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from projects import (
    REPORTED_TESTS,
    SMALL_BACKEND,
    Api,
    Project,
    command_gate,
    deciding,
    gates_toml,
    results,
    small_project,
)

from gates.pipeline.signoff import sign_off
from gates.store import content_digest, read_baseline, write_baseline

pytestmark = pytest.mark.slow

Result = dict[str, Any]


def item(result: Result, name: str) -> dict[str, Any]:
    return next(one for one in result["done"] if one["item"] == name)


def gate(result: Result, name: str) -> dict[str, Any]:
    return next(one for one in result["gates"] if one["gate"] == name)


def told(result: Result) -> str:
    """Return every reason that the items give, as text."""
    return "\n".join(reason for one in result["done"] for reason in one["reasons"])


# ---- projects with slow tools, each checked once or twice for all of its tests


@pytest.fixture(scope="module")
def benchmarks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Result]:
    """A project with two benchmarks when it was signed, on another machine, and one now: both runs."""
    toml = gates_toml(
        '[gates.bench]\ntool = "benchmark"\ncommand = "pytest benchmarks"\nprocesses = 2\nmax_time = "0.05 s"\n'
        '[baseline]\nside_by_side = "never"\n',  # else it is measured beside the earlier build, wherever that was
        left_out=deciding("performance") + 'tests = "This is a test of something else."\n',
        targets='benchmark."benchmarks/bench_it.py::test_a*" = "<= 1 s"\nbenchmark."test_nothing" = "<= 1 s"',
    )
    one = "def test_adds(benchmark):\n    benchmark(lambda: sum(range(100)))\n"
    other = one.replace("test_adds", "test_removes")
    configuration = "[pytest]\npython_files = bench_*.py\n"
    files = {"benchmarks/bench_it.py": one + other, "pytest.ini": configuration}
    project = small_project(tmp_path_factory.mktemp("benchmarks") / "project", toml, **files)
    first = project.json()
    signed, database, _ = sign_off(project.root, None, by="Somebody", accept_debt=True)
    elsewhere = replace(signed, run=replace(signed.run, machine={**signed.run.machine, "cores": "64"}))
    database.unlink()
    write_baseline(database, replace(elsewhere, digest=content_digest(elsewhere)))
    assert read_baseline(database).run.machine["cores"] == "64"
    project.commit("a benchmark less", **{"benchmarks/bench_it.py": one})
    return first, project.json()


SUITE = """
from small import add

def test_adds():
    assert add(1, 2) == 3

def test_adds_nothing():
    assert add(0, 0) == 0
"""
FLAKY = """
from pathlib import Path

def test_is_flaky():
    seen = Path("out/seen")
    was_there = seen.exists()
    seen.parent.mkdir(exist_ok=True)
    seen.touch()
    assert was_there
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """A suite of pytest, signed off, and then broken in several ways: each by its name."""
    toml = gates_toml('[gates.tests]\ntool = "coverage"\ncommand = "pytest"\nbranches = false\n')
    files = {
        "small/__init__.py": "def add(a, b):\n    return a + b\n", "tests/test_small.py": SUITE,
        "tests/test_flaky.py": FLAKY,
    }  # fmt: skip
    project = small_project(tmp_path_factory.mktemp("suite") / "project", toml, **files)
    found = {"signed": project.json()}
    sign_off(project.root, None, by="Somebody")
    for name, change in {
        "stops at collection": {"tests/test_small.py": SUITE + "import no_such_module\n"},
        "runs nothing": {"tests/test_small.py": "", "tests/test_flaky.py": ""},
    }.items():
        project.commit(name, **change)
        found[name] = project.json()
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a suite whose outcome stands in files."""
    return small_project(tmp_path / "project", gates_toml(REPORTED_TESTS), **results())


# ---- evidence that is missing, too thin, from another machine, or old


class TestEvidence:
    def test_that_nobody_brings_is_unknown(self, project: Project) -> None:
        project.commit("nobody looks", **{"gates.toml": gates_toml(REPORTED_TESTS, left_out=deciding("tests", "auth"))})
        result = project.json()
        assert (result["verdict"], result["exit_code"]) == ("unknown", 4)
        assert item(result, "auth")["verdict"] == "unknown"
        assert "no gate tries the operations without their login yet" in told(result)

    def test_that_is_too_thin_is_unknown(self, api: Api) -> None:
        result = api.first
        load = gate(result, "load")
        assert load["verdict"] == "unknown"
        assert any(
            "needs at least 100 requests to be judged, and there were" in one["reason"] for one in load["judgements"]
        )

    def test_from_another_machine_is_unknown(self, benchmarks: tuple[Result, Result]) -> None:
        compared = [one for one in gate(benchmarks[1], "bench")["judgements"] if one["kind"] == "baseline"]
        assert [one["verdict"] for one in compared if "test_adds" in one["scope"]] == ["unknown"]
        assert "cores" in compared[0]["reason"]

    def test_that_is_older_than_what_it_speaks_of_is_not_read(self, project: Project) -> None:
        assert project.json()["verdict"] == "pass"
        only_tests = "mkdir -p out && cp results/junit.xml out/\n"
        project.commit("the lines are not measured any more", **{"run-tests.sh": only_tests})
        result = project.json()
        assert (project.root / "out" / "lcov.info").exists()
        assert (result["verdict"], result["exit_code"]) == ("unknown", 4)
        assert "is still the one from before" in told(result)


# ---- targets that matched nothing


class TestTargets:
    def test_no_gate_measures_it(self, project: Project) -> None:
        toml = gates_toml(REPORTED_TESTS, targets='coverage.branches = ">= 50 %"\nload.throughput = ">= 5 /s"')
        project.commit("more targets", **{"gates.toml": toml.replace('performance   = "This', '# performance = "This')})
        result = project.json()
        assert result["exit_code"] == 4
        assert "no gate here measures what the target load.throughput demands" in told(result)
        assert "the target coverage.branches looked for covered branches in tests, and found none" in told(result)

    def test_no_operation_has_that_name(self, api: Api) -> None:
        reasons = told(api.first)
        assert "the target operation.GET /thngs matched no operation in load; the nearest is GET /things" in reasons

    def test_no_benchmark_has_that_name(self, benchmarks: tuple[Result, Result]) -> None:
        judgements = gate(benchmarks[0], "bench")["judgements"]
        (missing,) = [one for one in judgements if "test_nothing" in one["reason"]]
        assert missing["verdict"] == "unknown"
        assert "matched no benchmark in bench; the nearest is" in missing["reason"]


# ---- what was there and is gone


class TestVanished:
    def test_a_test(self, project: Project) -> None:
        project.check()
        sign_off(project.root, None, by="Somebody")
        project.commit("a test less", **results("adds"))
        result = project.json()
        assert result["exit_code"] == 1
        assert "removes is gone; in one it passed" in told(result)

    def test_a_benchmark(self, benchmarks: tuple[Result, Result]) -> None:
        result = benchmarks[1]
        assert result["exit_code"] == 1
        new = [one["rule"] for one in gate(result, "bench")["findings"] if one["state"] == "new"]
        assert (gate(result, "bench")["verdict"], new) == ("fail", ["bench.vanished"])
        assert "test_removes" in told(result)

    def test_an_operation(self, api: Api) -> None:
        result = api.second
        assert result["exit_code"] == 1
        new = [one for one in gate(result, "fuzz")["findings"] if one["state"] == "new"]
        assert [(one["rule"], one["operation"]) for one in new] == [("operation.vanished", "GET /things")]

    def test_a_gate(self, project: Project) -> None:
        both = gates_toml(REPORTED_TESTS + command_gate("true", "lint"))
        project.commit("two gates", **{"gates.toml": both})
        project.check()
        sign_off(project.root, None, by="Somebody")
        project.commit("a gate less", **{"gates.toml": gates_toml(REPORTED_TESTS)})
        result = project.json()
        assert "the gate lint (command) was there in one, and is gone" in result["notes"]


# ---- tools that break


class TestTools:
    @pytest.mark.parametrize(
        ("command", "more", "reason"),
        [
            ("no-such-tool", "", "no-such-tool"),
            ("sh -c 'kill -9 $$'", "", "killed by SIGKILL"),
            ("sh -c 'kill -SEGV $$'", "", "killed by SIGSEGV"),
            ("sleep 300", 'timeout = "0.3 s"', "did not end within 0.3 s"),
            ("echo 'no JSON'", 'numbers.n = { json = "$.n" }', "it is not JSON"),
            ("true", 'numbers.n = { json = "$.n" }', "there is nothing"),
        ],
        ids=["not there", "killed", "crashed", "too slow", "unreadable", "silent"],
    )
    def test_make_their_gate_an_error(self, project: Project, command: str, more: str, reason: str) -> None:
        project.commit("a gate that breaks", **{
            "gates.toml": gates_toml(REPORTED_TESTS + command_gate(command, "broken", more=more)),
        })  # fmt: skip
        result = project.json()
        assert (result["verdict"], result["exit_code"]) == ("error", 3)
        broken = gate(result, "broken")
        assert broken["verdict"] == "error"
        assert reason in broken["reason"]
        assert broken["hint"]
        assert gate(result, "tests")["verdict"] == "pass"  # and one that breaks stops no other

    @pytest.mark.parametrize("content", ["", "<testsuites><testsuite", "{}", "<html/>"])
    def test_a_report_that_cannot_be_read_is_an_error(self, project: Project, content: str) -> None:
        project.commit("garbage", **{"results/junit.xml": content})
        result = project.json()
        assert result["exit_code"] in (1, 3)
        assert gate(result, "tests")["verdict"] in ("fail", "error")
        assert item(result, "tests")["verdict"] != "pass"


# ---- zero tests


class TestZeroTests:
    def test_the_suite_as_it_was_signed_passes(self, suite: dict[str, Result]) -> None:
        assert suite["signed"]["exit_code"] == 0
        assert "3 tests" in told(suite["signed"])

    def test_a_suite_that_stops_at_collection_fails_and_says_which_tests_are_gone(
        self, suite: dict[str, Result]
    ) -> None:
        result = suite["stops at collection"]
        assert result["exit_code"] == 1
        assert "no_such_module" in told(result)
        assert "test_adds is gone" in told(result)
        assert "test_adds_nothing is gone" in told(result)

    def test_a_suite_without_tests_fails(self, suite: dict[str, Result]) -> None:
        result = suite["runs nothing"]
        assert result["exit_code"] == 1
        rules = {one["rule"] for one in gate(result, "tests")["findings"] if one["state"] == "new"}
        assert {"tests.none", "tests.vanished"} <= rules


# ---- scanners


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with ten weak lines, signed off as they are."""
    toml = gates_toml(
        '[gates.scan]\ntool = "bandit"\n',
        left_out=deciding("security") + 'tests = "This is a test of something else."\n',
    )
    project = small_project(tmp_path_factory.mktemp("scanned") / "project", toml, **weak(range(10)))
    assert project.json()["verdict"] == "pass"  # at first only targets decide what a scan finds
    sign_off(project.root, None, by="Somebody")
    return project


def weak(numbers: range) -> dict[str, str]:
    return {"small/weak.py": "".join(f"assert {number} > 0, 'number {number}'\n" for number in numbers)}


def test_ten_fixed_and_ten_new_are_ten_new(scanned: Project) -> None:
    scanned.commit("the same number of others", **weak(range(10, 20)))
    result = scanned.json()
    assert result["exit_code"] == 1
    states = sorted(one["state"] for one in gate(result, "scan")["findings"])
    assert states == ["fixed"] * 10 + ["new"] * 10
    assert "10 new" in scanned.call("report").out


def test_moved_and_fewer_are_known_and_repaired(scanned: Project) -> None:
    moved = "# a comment\n\n" + weak(range(8))["small/weak.py"]
    scanned.commit("moved, and two less", **{"small/weak.py": moved})
    result = scanned.json()
    assert result["exit_code"] == 0
    states = sorted(one["state"] for one in gate(result, "scan")["findings"])
    assert states == ["fixed"] * 2 + ["known"] * 8


def test_a_file_that_cannot_be_parsed_is_an_error_however_few_findings_are_left(scanned: Project) -> None:
    scanned.commit("a broken file", **{"small/weak.py": "", "small/broken.py": "def broken(:\n"})
    result = scanned.json()
    assert (result["verdict"], result["exit_code"]) == ("error", 3)
    assert "small/broken.py" in gate(result, "scan")["reason"]
    (scanned.root / "small" / "broken.py").unlink()


# ---- the backend


class TestBackend:
    @pytest.fixture
    def broken(self, tmp_path: Path) -> Project:
        """Two gates need a backend that does not do what it should, one does not."""
        gates = command_gate("true", "first", more="backend = true") + command_gate(
            "true", "second", more="backend = true"
        )
        toml = gates_toml(
            gates + command_gate("true", "third", items='["security"]'),
            backend=f"start = '''{SMALL_BACKEND}'''\nready = \"/health\"\nstart_timeout = \"1 s\"\n"
            'env = { TROUBLE = "${BROKEN_BY}" }',
        )
        return small_project(tmp_path / "project", toml)

    @pytest.mark.parametrize(
        ("trouble", "reason", "last"),
        [
            ("dies", "ended before it was ready (exit code 3)", "the small backend has no database"),
            ("unready", "GET /health answered 503", "the small backend starts"),
        ],
    )
    def test_that_dies_or_is_never_ready_fails_every_gate_that_needs_it(
        self, broken: Project, monkeypatch: pytest.MonkeyPatch, trouble: str, reason: str, last: str
    ) -> None:
        monkeypatch.setenv("BROKEN_BY", trouble)
        result = broken.json()
        assert (result["verdict"], result["exit_code"]) == ("fail", 1)
        for name in ("first", "second"):
            assert gate(result, name)["verdict"] == "fail"
            assert reason in gate(result, name)["reason"]
            assert last in gate(result, name)["reason"]
        assert gate(result, "third")["verdict"] == "pass"

    def test_that_dies_while_a_gate_uses_it_fails_the_gate(
        self, broken: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BROKEN_BY", "crashes=/things")
        ask = "import os, urllib.request\nurllib.request.urlopen(os.environ['GATES_BASE_URL'] + '/things')\n"
        toml = (broken.root / "gates.toml").read_text().replace("'''true'''", "'''{python} ask.py'''", 1)
        broken.write({"ask.py": ask, "gates.toml": toml})
        result = broken.json("first")
        assert (result["verdict"], result["exit_code"]) == ("fail", 1)
        assert "the backend died (exit code 7)" in gate(result, "first")["reason"]
        assert "the small backend crashed" in gate(result, "first")["hint"]

    def test_starts_on_an_empty_data_folder_every_time(self, broken: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BROKEN_BY", "")
        look = "ls {data} > $(pwd)/seen-$$.txt"
        toml = (broken.root / "gates.toml").read_text().replace("'''true'''", f"'''{look}'''", 2)
        broken.write({"gates.toml": toml})
        assert broken.json()["verdict"] == "pass"
        seen = [path.read_text() for path in broken.root.glob("seen-*.txt")]
        assert seen == ["requests.txt\n"] * 2  # what the backend itself wrote when it was asked whether it is ready


# ---- known debt, and what changes its mind


class TestKnownAndFlaky:
    def test_known_debt_is_shown_once_apart_from_what_is_new_and_repaired(self, project: Project) -> None:
        project.commit("broken as it came", **results("adds!", "removes!", "finds"))
        project.check()
        sign_off(project.root, None, by="Somebody", accept_debt=True)
        project.commit("one repaired, one new", **results("adds", "removes!", "finds!"))
        said = project.call("check")
        assert said.code == 1
        first_lines = said.out[: said.out.index("Definition of Done")]
        assert "1 known · 1 new · 1 repaired" in first_lines
        known = said.out[said.out.lower().index("known", said.out.index("Definition of Done")) :]
        assert known.count("removes failed") == 1
        states = {
            one["message"].split(" ")[0].removeprefix("suite::"): one["state"]
            for one in gate(project.json(), "tests")["findings"]
        }
        assert states == {"adds": "fixed", "removes": "known", "finds": "new"}

    def test_a_test_that_changes_its_mind_on_one_build_is_flaky(self, suite: dict[str, Result]) -> None:
        result = suite["signed"]
        (flaky,) = [one for one in gate(result, "tests")["findings"] if one["rule"] == "tests.flaky"]
        assert flaky["state"] == "flaky"
        assert "test_is_flaky failed and then passed on the same build" in flaky["message"]
        assert any("flaky: " in known for known in item(result, "tests")["known"])


# ---- skipped


class TestSkipped:
    @pytest.mark.parametrize(
        ("arguments", "more", "notice"),
        [
            (("--skip", "lint"), "", "skipped        lint (left out with --skip)"),
            (("tests",), "", "skipped        lint (not asked for)"),
            ((), 'skip = "Its rules are being discussed."', "skipped        lint (Its rules are being discussed.)"),
        ],
    )
    def test_is_said_in_the_first_lines_of_every_report(
        self, project: Project, tmp_path: Path, arguments: tuple[str, ...], more: str, notice: str
    ) -> None:
        toml = gates_toml(REPORTED_TESTS + command_gate("false", "lint", more=more))
        project.commit("two gates", **{"gates.toml": toml})
        summary, junit = tmp_path / "summary.md", tmp_path / "junit.xml"
        said = project.call("check", *arguments, "--quiet", "--markdown", str(summary), "--junit", str(junit))
        assert said.code == 0
        assert notice in said.out.split("Definition of Done")[0]
        reason = notice.partition("lint ")[2]
        beginning = "\n".join(summary.read_text().splitlines()[:12])
        assert "lint" in beginning
        assert reason.strip("().") in beginning.replace("\\", "")
        assert reason.strip("()") in junit.read_text()

    def test_is_nothing_that_a_gate_can_become_by_itself(self, project: Project) -> None:
        broken = gates_toml(REPORTED_TESTS + command_gate("no-such-tool", "lint"))
        project.commit("a tool that is not there", **{"gates.toml": broken})
        assert {one["verdict"] for one in project.json()["gates"]} == {"pass", "error"}


# ---- the worst decides


class TestWorst:
    @pytest.mark.parametrize(
        ("commands", "verdict", "code"),
        [
            (("true", "true"), "pass", 0),
            (("true", "false"), "fail", 1),
            (("no-such-tool", "true"), "error", 3),
            (("no-such-tool", "false"), "fail", 1),
        ],
    )
    def test_item_decides_and_sign_off_needs_every_item(
        self, project: Project, commands: tuple[str, str], verdict: str, code: int
    ) -> None:
        gates = command_gate(commands[0], "one") + command_gate(commands[1], "two", items='["security"]')
        project.commit("two items", **{"gates.toml": gates_toml(gates, left_out=deciding("tests", "security"))})
        result = project.json()
        assert (result["verdict"], result["exit_code"]) == (verdict, code)
        said = project.call("signoff", "--by", "Somebody")
        assert said.code == (0 if verdict == "pass" else 1), said

    def test_unknown_is_worse_than_pass_and_allowing_it_signs_nothing(self, project: Project) -> None:
        toml = gates_toml(REPORTED_TESTS, left_out=deciding("tests", "auth"))
        project.commit("undecided", **{"gates.toml": toml})
        said = project.call("check", "--allow-unknown")
        assert said.code == 0
        assert "--allow-unknown: an unknown verdict exits with 0" in said.out.split("Definition of Done")[0]
        assert project.call("signoff", "--by", "Somebody").code == 1

    def test_everything_skipped_is_nothing_decided(self, project: Project) -> None:
        assert project.json("--skip", "tests")["verdict"] == "unknown"


class TestExitCodes:
    def test_a_changed_baseline_comes_before_a_failure(self, project: Project) -> None:
        project.check()
        signed, database, _ = sign_off(project.root, None, by="Somebody")
        project.commit("failing", **results("adds!"))
        assert project.call("check").code == 1
        database.unlink()
        write_baseline(
            database, replace(signed, by="Somebody else", digest=content_digest(replace(signed, by="Somebody else")))
        )
        assert project.call("check").code == 1  # signed anew, whole
        database.write_bytes(database.read_bytes()[:-4096])
        assert project.call("check").code == 5

    def test_only_the_named_gates_are_judged_and_such_a_run_signs_nothing(self, project: Project) -> None:
        toml = gates_toml(REPORTED_TESTS + command_gate("false", "lint"))
        project.commit("lint fails", **{"gates.toml": toml})
        result = project.json("tests")
        assert (result["verdict"], result["exit_code"], result["partial"]) == ("pass", 0, True)
        said = project.call("signoff", "--by", "Somebody")
        assert said.code == 1
        assert "there is no whole run of phase 'one' to sign" in said.err
