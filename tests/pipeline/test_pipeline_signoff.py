"""Signing a phase off: what is refused, what is written, what holds afterwards, and that nobody can change it."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from projects import REPORTED_TESTS, Project, command_gate, gates_toml, results, small_project

from gates.errors import ConfigurationError, GatesError, IntegrityError, SignoffRefused
from gates.pipeline.signoff import sign_off, verify_signoffs
from gates.reports import markdown
from gates.reports.wording import debts, opening
from gates.results import DoneItem, FindingState, Run, Signoff, Verdict
from gates.store import content_digest, read_baseline, write_baseline


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two phases and a test suite that passes."""
    return small_project(tmp_path / "project", gates_toml(REPORTED_TESTS), **results())


def sign(project: Project, phase: str | None = None, by: str = "Somebody", **options: object) -> Signoff:
    return sign_off(project.root, phase, by=by, **options)[0]  # type: ignore[arg-type]


def baselines(project: Project) -> dict[str, str]:
    """Return what lies in the folder of baselines, with the digest of each file."""
    folder = project.root / "baselines"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*"))}


def item_of_tests(run: Run) -> DoneItem:
    return next(item for item in run.done if item.item == "tests")


def debts_of(run: Run) -> str:
    return "\n".join(item_of_tests(run).known)


# ---- what is written


def test_two_files_are_written_and_never_changed(project: Project) -> None:
    run = project.check()
    signed = sign(project, by="  Ada Lovelace ", note=" Well done. ")
    assert (signed.phase, signed.number, signed.by, signed.note) == ("one", 1, "Ada Lovelace", "Well done.")
    assert signed.run == run
    assert signed.previous_digest is None
    assert signed.debts == ()
    written = baselines(project)
    assert list(written) == ["01-one.db", "01-one.md"]
    sheet = (project.root / "baselines" / "01-one.md").read_text("utf-8")
    assert "signed by: Ada Lovelace" in sheet
    assert "note: Well done." in sheet
    assert signed.digest in sheet
    assert "none: nothing that is broken was accepted" in sheet
    kept = read_baseline(project.root / "baselines" / "01-one.db")
    assert kept == signed
    assert markdown.render_signoff(kept) == sheet
    project.commit("signed, and on it goes", **results("adds", "removes", "finds"))
    project.check()
    second = sign(project)
    assert second.previous_digest == signed.digest
    assert list(baselines(project)) == ["01-one.db", "01-one.md", "02-two.db", "02-two.md"]
    assert verify_signoffs(project.root)[0].startswith("01 one: digest and chain hold")
    assert len(verify_signoffs(project.root)) == 2
    assert len(verify_signoffs(project.root, "two")) == 1
    assert written.items() <= baselines(project).items()


def test_a_baseline_that_was_just_written_makes_no_tree_dirty(project: Project) -> None:
    project.check()
    sign(project)
    assert project.git("status", "--porcelain") == "?? baselines/"
    assert not project.check().dirty


# ---- what is refused, and nothing is written then


def refused(project: Project, message: str, phase: str | None = None, **options: object) -> SignoffRefused:
    before = baselines(project)
    with pytest.raises(SignoffRefused, match=message) as caught:
        sign(project, phase, **options)
    assert baselines(project) == before
    assert caught.value.hint
    return caught.value


def test_a_dirty_tree(project: Project) -> None:
    project.check()
    project.write({f"new-{number}.py": "" for number in range(12)})
    refusal = refused(project, "the tree is dirty")
    assert "?? new-0.py" in refusal.message
    assert "and 2 more" in refusal.message


def test_a_run_of_another_commit(project: Project) -> None:
    first = project.git("rev-parse", "HEAD")[:12]
    project.check()
    second = project.commit("another")[:12]
    refusal = refused(project, f"the last whole run is of commit {first}, and this is {second}")
    assert "gates check --phase one" in refusal.hint


def test_a_run_with_changes_that_were_not_committed(project: Project) -> None:
    project.write({"new.py": ""})
    project.check()
    (project.root / "new.py").unlink()
    refused(project, "had changes that were not committed")


def test_no_run_and_a_run_of_another_phase(project: Project) -> None:
    refused(project, "there is no whole run of phase 'one' to sign")
    project.check(phase="two")
    refused(project, "there is no whole run of phase 'one' to sign")


@pytest.mark.parametrize("selection", [{"gates": ("tests",)}, {"fast": True}, {"only": ("tests",)}])
def test_a_partial_run(project: Project, selection: dict[str, object]) -> None:
    assert project.check(**selection).verdict is Verdict.PASS
    refused(project, "there is no whole run of phase 'one'")


def test_a_partial_run_does_not_hide_the_whole_one_before_it(project: Project) -> None:
    whole = project.check()
    project.check(gates=("tests",))
    assert sign(project).run.id == whole.id


def test_outside_git(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write({
        "gates.toml": gates_toml(command_gate("true")), "profiles/backends/plain.toml": 'title = "plain"\n',
    })  # fmt: skip
    project.check()
    refused(project, "there is no commit to sign: this is not a git repository")


def test_items_that_are_not_met_are_named(project: Project) -> None:
    gates = REPORTED_TESTS + command_gate("false", "scan", items='["security"]')
    toml = gates_toml(gates).replace('security      = "This', '# security = "This')
    toml = toml.replace('auth          = "This', '# auth = "This')
    project.commit("open items", **{"gates.toml": toml}, **results("adds", "removes!"))
    project.check()
    refusal = refused(project, "3 items are not met")
    assert "Unit and integration tests passing: fail" in refusal.message
    assert "Security best practices followed: fail" in refusal.message
    assert "Authentication and authorization working: unknown" in refusal.message
    assert "removes failed" in refusal.message
    assert "--accept-debt" not in refusal.hint  # nobody looked at the login: that is no debt, but a gap in the plan
    refusal = refused(project, "1 item is not met", accept_debt=True)
    assert "Authentication" in refusal.message


def test_unknown_that_was_allowed_is_still_not_signed(project: Project) -> None:
    toml = gates_toml(REPORTED_TESTS).replace('auth          = "This', '# auth = "This')
    project.commit("nobody decides it", **{"gates.toml": toml})
    assert project.check(allow_unknown=True).exit_code == 0
    refused(project, "1 item is not met")


def test_a_gate_that_decides_no_item_and_fails(project: Project) -> None:
    project.commit("loose", **{"gates.toml": gates_toml(REPORTED_TESTS + command_gate("false", "loose", items="[]"))})
    project.check()
    refusal = refused(project, "gate loose: fail")
    assert "--accept-debt" in refusal.hint
    assert sign(project, accept_debt=True).debts[0].startswith("loose: ")


def test_an_item_whose_gates_are_skipped_is_left_out_openly_or_not_signed(project: Project) -> None:
    skipped = REPORTED_TESTS + 'skip = "The suite is being rewritten."\n'
    project.commit("skipped", **{"gates.toml": gates_toml(skipped)})
    project.check()
    refusal = refused(project, "Unit and integration tests passing: skipped", accept_debt=True)
    assert "The suite is being rewritten." in refusal.message
    project.commit("and left out", **{"gates.toml": gates_toml(skipped) + 'tests = "The suite is being rewritten."\n'})
    run = project.check()
    assert item_of_tests(run).verdict is Verdict.SKIPPED
    with pytest.raises(SignoffRefused, match="nothing was judged: every gate was skipped"):
        sign(project)


def test_a_gate_that_could_not_run_is_no_debt(project: Project) -> None:
    project.commit("broken", **{"run-tests.sh": "exit 0\n"})
    assert project.check().exit_code == 3
    refused(project, "1 item is not met", accept_debt=True)


def test_signed_already_and_out_of_order(project: Project) -> None:
    project.check(phase="two")
    refused(project, "phase 'one' comes before 'two' and is not signed off", "two")
    project.check()
    sign(project)
    refused(project, "phase 'one' is signed off already", "one")
    project.check()
    sign(project)
    refused(project, "phase 'two' is signed off already")


@pytest.mark.parametrize("by", ["", "   ", "\n"])
def test_nobody_signs(project: Project, by: str) -> None:
    project.check()
    with pytest.raises(ConfigurationError, match="--by is empty"):
        sign(project, by=by)


def test_an_unknown_phase(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="there is no phase 'ones'") as caught:
        sign(project, "ones")
    assert "did you mean 'one'?" in caught.value.hint


def test_a_disk_that_fails_half_way_leaves_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.check()

    def full(path: Path, signoff: Signoff) -> None:
        raise GatesError("the disk is full")

    monkeypatch.setattr("gates.pipeline.signoff.write_baseline", full)
    with pytest.raises(GatesError, match="the disk is full"):
        sign(project)
    assert baselines(project) == {}
    monkeypatch.undo()
    sign(project)
    assert list(baselines(project)) == ["01-one.db", "01-one.md"]


def test_of_two_who_sign_at_once_one_wins_and_keeps_its_report(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.check()

    def faster(path: Path, signoff: Signoff) -> None:
        monkeypatch.undo()
        (project.root / "baselines" / "01-one.md").unlink()
        sign(project, by="The faster one")
        write_baseline(path, signoff)

    monkeypatch.setattr("gates.pipeline.signoff.write_baseline", faster)
    with pytest.raises(GatesError, match="exists already"):
        sign(project, by="The slower one")
    assert read_baseline(project.root / "baselines" / "01-one.db").by == "The faster one"


# ---- debts


BROKEN = results("adds", "removes!", covered=6)


@pytest.fixture
def indebted(project: Project) -> Project:
    """A project whose first phase was signed with a failing test and too little coverage."""
    project.commit("as it came to us", **BROKEN)
    assert project.check().verdict is Verdict.FAIL
    sign(project, accept_debt=True)
    project.commit("signed")
    return project


def test_debts_are_recorded_and_stand_in_the_first_lines(indebted: Project) -> None:
    sheet = (indebted.root / "baselines" / "01-one.md").read_text("utf-8")
    first = sheet[: sheet.index("## Left out")]
    assert "## Known debt" in first
    assert "coverage.lines is 60 % (6 of 10), demanded is >= 90 %" in first
    assert "removes failed" in first
    signed = read_baseline(indebted.root / "baselines" / "01-one.db")
    assert len(signed.debts) == 2
    assert signed.run.verdict is Verdict.FAIL


def test_the_same_debts_pass_and_are_shown(indebted: Project) -> None:
    run = indebted.check()
    signed = read_baseline(indebted.root / "baselines" / "01-one.db")
    assert len(signed.debts) == len(debts(run))
    assert any(notice.text == "2 known (listed below)" for notice in opening(run) if notice.label == "known debt")
    assert run.verdict is Verdict.PASS
    assert "known debt since one: coverage.lines is 60 %" in debts_of(run)
    assert "removes failed" in debts_of(run)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (results("adds", "removes!", covered=5), "coverage.lines is 50 %"),
        (results("adds", "removes!", "finds!", covered=6), "finds failed"),
        (results("adds!", "removes!", covered=6), "adds failed"),
        (results("removes!", covered=6), "adds is gone"),
        (results("adds?", "removes!", covered=6), "adds is skipped"),
    ],
    ids=["a worse value", "a new failing test", "another failing test", "a test that is gone", "a test skipped now"],
)
def test_nothing_may_get_worse(indebted: Project, change: dict[str, str], reason: str) -> None:
    indebted.commit("worse", **change)
    run = indebted.check()
    assert run.verdict is Verdict.FAIL
    assert reason in "\n".join(item_of_tests(run).reasons)


def test_a_debt_that_is_paid_is_shown_as_repaired(indebted: Project) -> None:
    indebted.commit("better", **results("adds", "removes"))
    run = indebted.check()
    assert run.verdict is Verdict.PASS
    (tests,) = run.gates
    assert [finding.state for finding in tests.readings.findings] == [FindingState.FIXED]
    repaired = [judgement.reason for judgement in tests.judgements if "repaired" in judgement.reason]
    assert any("it was known debt since one" in reason for reason in repaired)
    sign(indebted)
    signed = read_baseline(indebted.root / "baselines" / "02-two.db")
    assert signed.debts == ()
    # And it binds from then on.
    indebted.commit("signed", **results("adds", "removes!"))
    assert indebted.check().verdict is Verdict.FAIL


def test_debts_that_are_carried_on_stand_in_the_next_report_too(indebted: Project) -> None:
    indebted.check()
    signed = sign(indebted)
    assert any("known debt since one" in debt for debt in signed.debts)
    sheet = (indebted.root / "baselines" / "02-two.md").read_text("utf-8")
    assert "known debt since one: coverage.lines" in sheet[: sheet.index("## Left out")]
    assert len(verify_signoffs(indebted.root)) == 2


def test_every_finding_that_is_accepted_is_one_debt_as_it_is_in_every_later_report(project: Project) -> None:
    project.commit("as it came to us", **results("adds!", "removes!", "finds!", covered=10))
    assert project.check().verdict is Verdict.FAIL
    signed = sign(project, accept_debt=True)
    assert len(signed.debts) == 3
    project.commit("signed")
    run = project.check()
    assert len(debts(run)) == 3
    assert any(notice.text == "3 known (listed below)" for notice in opening(run))
    assert len(sign(project).debts) == 3


# ---- nobody can change it


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(sql)
        database.commit()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE measurements SET value = value + 0.01",
        "UPDATE signoffs SET signed_by = 'Somebody else'",
        "UPDATE runs SET verdict = 'fail'",
        "DELETE FROM subjects WHERE rowid = 1",
        "UPDATE runs SET policy = replace(policy, '>= 90 %', '>= 10 %')",
    ],
)
def test_a_changed_baseline_is_found_and_nothing_runs_on_it(project: Project, sql: str) -> None:
    project.check()
    sign(project)
    database = project.root / "baselines" / "01-one.db"
    try:
        change(database, sql)
    except sqlite3.OperationalError as error:
        pytest.fail(f"the layout changed, so this test has to: {error}")
    for journey in (lambda: verify_signoffs(project.root), project.check, lambda: sign(project)):
        with pytest.raises(IntegrityError, match="'one' is not what was signed"):
            journey()


@pytest.mark.parametrize("content", [b"", b"garbage" * 500])
def test_a_damaged_baseline_is_found(project: Project, content: bytes) -> None:
    project.check()
    sign(project)
    (project.root / "baselines" / "01-one.db").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"01-one\.db"):
        project.check()


def test_a_lost_baseline_breaks_the_chain(project: Project) -> None:
    for _ in range(2):
        project.check()
        sign(project)
        project.commit("signed")
    (project.root / "baselines" / "01-one.db").unlink()
    with pytest.raises(IntegrityError, match="phase 'two' was signed off after another baseline"):
        verify_signoffs(project.root)
    with pytest.raises(IntegrityError):
        project.check()


def test_a_verdict_that_its_readings_do_not_bear_is_found(project: Project) -> None:
    """Whoever can compute a digest can sign anything: so the verdicts are recomputed from what was measured."""
    project.commit("it fails", **results("adds", "removes!"))
    run = project.check()
    project.check()
    signed = sign(project, accept_debt=True)
    (gate,) = run.gates
    forged_gate = replace(
        gate, verdict=Verdict.PASS, reason=None,
        judgements=tuple(replace(judgement, verdict=Verdict.PASS) for judgement in gate.judgements),
    )  # fmt: skip
    done = tuple(replace(item, verdict=Verdict.PASS) if item.item == "tests" else item for item in run.done)
    forged_run = replace(signed.run, gates=(forged_gate,), done=done, verdict=Verdict.PASS, exit_code=0)
    draft = replace(signed, run=forged_run, debts=(), digest="")
    database = project.root / "baselines" / "01-one.db"
    database.unlink()
    write_baseline(database, replace(draft, digest=content_digest(draft)))
    with pytest.raises(IntegrityError, match="tests was signed as pass, and its stored readings say fail"):
        verify_signoffs(project.root)


def test_there_may_be_nothing_to_verify(project: Project) -> None:
    assert verify_signoffs(project.root) == ["no phase is signed off yet: there is nothing to verify"]
    project.check()
    sign(project)
    with pytest.raises(ConfigurationError, match="phase 'on' is not signed off") as caught:
        verify_signoffs(project.root, "on")
    assert "did you mean 'one'?" in caught.value.hint
