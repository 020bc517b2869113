"""A check: what is compared with what, what is noted, what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import REPORTED_TESTS, Project, command_gate, gates_toml, results, small_project

from gates.errors import ConfigurationError
from gates.pipeline.signoff import sign_off
from gates.results import DoneItem, Run, Verdict
from gates.store import Store

NUMBERS = command_gate(
    "cat numbers.json; exit $(cat code)",
    more='numbers.warnings = { json = "$.warnings", better = "lower", demand = "<= 5" }',
)


def state(warnings: int = 3, code: int = 0) -> dict[str, str]:
    return {"numbers.json": json.dumps({"warnings": warnings}), "code": str(code)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two phases and one gate, whose outcome stands in two files."""
    return small_project(tmp_path / "project", gates_toml(NUMBERS), **state())


@pytest.fixture
def suite(tmp_path: Path) -> Project:
    """A project with two phases and a test suite, whose outcome stands in files."""
    return small_project(tmp_path / "suite", gates_toml(REPORTED_TESTS), **results())


def sign(project: Project, **options: bool) -> None:
    sign_off(project.root, None, by="Somebody", **options)


def item(run: Run, name: str = "tests") -> DoneItem:
    return next(one for one in run.done if one.item == name)


def reasons(run: Run) -> str:
    return "\n".join(item(run).reasons)


def test_a_phase_is_checked_against_its_targets_and_the_next_one_against_its_baseline(suite: Project) -> None:
    project = suite
    first = project.check()
    assert (first.phase, first.verdict, first.exit_code, first.baseline_phase) == ("one", Verdict.PASS, 0, None)
    assert first.commit == project.git("rev-parse", "HEAD")
    assert not first.dirty
    assert not first.partial
    sign(project)
    project.commit("a test less, and still within the target", **results("adds", covered=9))
    second = project.check()
    assert (second.phase, second.baseline_phase) == ("two", "one")
    assert second.verdict is Verdict.FAIL
    assert "coverage.lines is 90 % (9 of 10); it was 100 % (10 of 10) in one" in reasons(second)
    assert "removes is gone" in reasons(second)
    project.commit("as it was", **results())
    assert project.check().verdict is Verdict.PASS


def test_a_target_that_is_missed_fails_and_says_what_is_demanded(project: Project) -> None:
    project.commit("many warnings", **state(9))
    run = project.check()
    assert run.exit_code == 1
    assert "9" in reasons(run)
    assert "<= 5" in reasons(run)


def test_the_same_commit_checked_twice_gives_the_same(project: Project) -> None:
    def told(run: Run) -> list[object]:
        return [
            run.verdict, run.exit_code, run.policy_digest, run.notes, run.done, run.operations,
            [(gate.gate, gate.verdict, gate.reason, gate.judgements, gate.readings) for gate in run.gates],
        ]  # fmt: skip

    for warnings in (3, 9):
        project.commit("a state", **state(warnings, code=int(warnings == 9)))
        first, second = project.check(), project.check()
        assert first.id != second.id
        assert told(first) == told(second)


def test_when_all_phases_are_signed_the_last_one_is_compared_with_itself(suite: Project) -> None:
    project = suite
    for _ in range(2):
        project.check()
        sign(project)
        project.git("add", "--all")
        project.commit("signed")
    run = project.check()
    assert (run.phase, run.baseline_phase) == ("two", "two")
    assert run.verdict is Verdict.PASS
    project.commit("a test less", **results("adds"))
    assert "in two it passed" in reasons(project.check())


def test_a_phase_may_be_named(project: Project) -> None:
    run = project.check(phase="two")
    assert run.phase == "two"
    assert "no earlier phase is signed off: there is nothing to compare with" in run.notes
    with pytest.raises(ConfigurationError, match="there is no phase 'tow'") as caught:
        project.check(phase="tow")
    assert "did you mean 'two'?" in caught.value.hint


def test_uncommitted_changes_are_seen(project: Project) -> None:
    project.write({"new.py": ""})
    run = project.check()
    assert run.dirty


def test_without_git_it_runs_and_says_that_it_cannot_be_signed(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write({
        "gates.toml": gates_toml(NUMBERS), **state(), "profiles/backends/plain.toml": 'title = "plain"\n',
    })  # fmt: skip
    run = project.check()
    assert run.commit is None
    assert run.verdict is Verdict.PASS
    assert any("this is not a git repository" in note for note in run.notes)
    project.git("init", "--quiet")
    run = project.check()
    assert run.commit is None
    assert any("there is no commit yet" in note for note in run.notes)


def test_what_was_loosened_since_the_sign_off_is_noted(project: Project) -> None:
    second = command_gate("true", "lint")
    project.commit("a second gate", **{"gates.toml": gates_toml(NUMBERS + second)})
    project.check()
    sign(project)
    loosened = gates_toml(
        NUMBERS.replace("<= 5", "<= 50"), targets='coverage.lines = ">= 10 %"', more='[baseline]\nfindings = "any"\n'
    )
    project.commit("looser", **{"gates.toml": loosened})
    notes = "\n".join(project.check().notes)
    assert "the gate lint (command) was there in one, and is gone" in notes
    assert "targets.tests.warnings was <= 5, is <= 50" in notes
    assert "targets.coverage.lines was >= 90 %, is >= 10 %" in notes
    assert "baseline.findings was 'none new', is 'any'" in notes
    assert "the effective configuration of command of tests changed since one" in notes


def test_an_item_left_out_since_the_sign_off_is_noted(project: Project) -> None:
    project.check()
    sign(project)
    toml = (project.root / "gates.toml").read_text()
    project.commit("left out", **{"gates.toml": toml + 'tests = "They are slow, and nobody waits."\n'})
    run = project.check()
    assert "the item tests is left out now: They are slow, and nobody waits." in run.notes
    assert item(run).verdict is Verdict.SKIPPED


def test_a_gate_that_gates_toml_skips_is_shown_and_does_not_make_the_run_partial(project: Project) -> None:
    skipped = command_gate("true", "lint", more='skip = "Its rules are being discussed."')
    project.commit("skipped", **{"gates.toml": gates_toml(NUMBERS + skipped)})
    run = project.check()
    assert not run.partial
    lint = run.gates[1]
    assert (lint.verdict, lint.reason) == (Verdict.SKIPPED, "Its rules are being discussed.")
    assert run.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("selection", "ran", "verdict"),
    [
        ({"gates": ("tests",)}, {"tests"}, Verdict.FAIL),
        ({"gates": ("lint",)}, {"lint"}, Verdict.PASS),
        ({"only": ("lint",)}, {"lint"}, Verdict.PASS),
        ({"skip": ("tests",)}, {"lint", "alone"}, Verdict.PASS),
        ({"gates": ("lint",), "skip": ("lint",)}, set(), Verdict.UNKNOWN),
    ],
)
def test_a_selection_judges_what_ran_and_is_partial(
    project: Project, selection: dict[str, tuple[str, ...]], ran: set[str], verdict: Verdict
) -> None:
    more = command_gate("true", "lint") + command_gate("true", "alone", items='["security"]', more="runs_alone = true")
    project.commit("more gates", **{"gates.toml": gates_toml(NUMBERS + more), **state(9)})
    run = project.check(**selection)
    assert {gate.gate for gate in run.gates if gate.verdict is not Verdict.SKIPPED} == ran
    assert run.verdict is verdict
    assert run.partial


def test_items_that_were_not_asked_for_say_so(project: Project) -> None:
    security = command_gate("false", "scan", items='["security"]')
    toml = gates_toml(NUMBERS + security).replace('security      = "This', '# security = "This')
    project.commit("two items", **{"gates.toml": toml})
    run = project.check(gates=("tests",))
    assert run.verdict is Verdict.PASS
    assert not item(run, "security").asked
    assert project.check().verdict is Verdict.FAIL


def test_unknown_may_be_allowed_and_that_is_noted(project: Project) -> None:
    toml = gates_toml(NUMBERS).replace('performance   = "This', '# performance = "This')
    project.commit("nobody measures it", **{"gates.toml": toml})
    assert project.check().exit_code == 4
    run = project.check(allow_unknown=True)
    assert (run.verdict, run.exit_code) == (Verdict.UNKNOWN, 0)
    assert any("--allow-unknown" in note for note in run.notes)


def test_a_gate_that_decides_no_item_counts_all_the_same(project: Project) -> None:
    project.commit("loose", **{"gates.toml": gates_toml(NUMBERS + command_gate("false", "loose", items="[]"))})
    assert project.check().exit_code == 1


def test_what_is_wrong_with_the_backend_ends_a_check_before_it_starts(project: Project) -> None:
    gate = command_gate("true", "api", more="backend = true")
    project.commit("needs a backend", **{"gates.toml": gates_toml(NUMBERS + gate)})
    with pytest.raises(ConfigurationError, match="neither how the backend is started nor where it runs"):
        project.check()
    assert not (project.root / ".gates").exists()
    assert project.check(gates=("tests",)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "phases",
    [("uno", "two"), ("two", "one"), ("zero", "one", "two"), ("two",)],
    ids=["renamed", "swapped", "one before it", "removed"],
)
def test_a_signed_phase_keeps_its_name_and_its_place(project: Project, phases: tuple[str, ...]) -> None:
    project.check()
    sign(project)
    project.commit("other phases", **{"gates.toml": gates_toml(NUMBERS, phases=phases)})
    with pytest.raises(ConfigurationError, match="phase 'one' is signed off as number 1, and") as caught:
        project.check()
    assert "keeps its name and its place" in caught.value.hint


def test_the_outputs_of_old_runs_are_forgotten_and_their_numbers_are_not(project: Project) -> None:
    first = project.check()
    for number in range(25):
        (project.runs_folder() / f"2020010{number // 10}-00000{number % 10}-aaaa").mkdir()
    last = project.check()
    kept = sorted(path.name for path in project.runs_folder().iterdir())
    assert len(kept) == 20
    assert {first.id, last.id} <= set(kept)
    assert (project.runs_folder() / last.id / "tests" / "stdout.txt").exists()
    with Store(project.root / ".gates" / "history.db") as store:
        assert [point.run_id for point in store.history("tests.warnings")] == [first.id, last.id]


def test_the_work_folder_is_not_the_projects_business(project: Project) -> None:
    project.check()
    assert project.git("status", "--porcelain") == ""


def test_lines_changed_since_the_sign_off_are_judged_by_themselves(suite: Project) -> None:
    suite.check()
    sign(suite)
    toml = gates_toml(REPORTED_TESTS, targets='coverage.changed_lines = ">= 95 %"\ncoverage.lines = ">= 50 %"')
    longer = results(covered=11, lines=12)
    suite.commit("two lines more, one of them untested", **{"gates.toml": toml, **longer})
    assert "coverage.changed_lines is 50 % (1 of 2), demanded is >= 95 %" in reasons(suite.check())


def test_two_checks_at_the_same_time_do_not_disturb_each_other(project: Project) -> None:
    both = [project.start("check", "--quiet") for _ in range(2)]
    for running in both:
        out, err = running.communicate(timeout=60)
        assert running.returncode == 0, out + err
    with Store(project.root / ".gates" / "history.db") as store:
        assert [line.state for line in store.runs()] == ["finished", "finished"]
