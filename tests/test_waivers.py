"""A waiver is a person's word on one finding until a day: it is visible, it ends, and nobody else's finding profits."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from judging import after, cases, finding, gate, judged, only, policy, signed, states
from projects import REPORTED_TESTS, Project, gates_toml, results, small_project

from gates.compare import waiver_notes
from gates.config.load import build_configuration
from gates.demands import Policy, Waiver, policy_from_data, policy_to_data
from gates.errors import ConfigurationError, IntegrityError
from gates.pipeline.signoff import sign_off, verify_signoffs
from gates.results import Finding, FindingState, GateResult, Severity, Subject, Verdict

MARK = "0123456789abcdef"
WAIVER = Waiver(MARK, "It has to wait.", "Ada", "2027-01-31")
NEW, KNOWN, FIXED, WAIVED = FindingState.NEW, FindingState.KNOWN, FindingState.FIXED, FindingState.WAIVED


def scan(*findings: Finding) -> GateResult:
    return gate("scan", "schemathesis", findings=list(findings))


# What it does to findings


def test_a_waived_finding_does_not_fail_and_stays_listed() -> None:
    result = judged(scan(finding(mark="a"), finding(mark="b")), policy(waived=["a"]))
    assert states(result) == {"a": WAIVED, "b": NEW}
    assert result.verdict is Verdict.FAIL
    result = judged(scan(finding(mark="a")), policy(waived=["a"]))
    assert result.verdict is Verdict.PASS
    assert "1 waived" in only(result, "findings").reason


def test_a_waiver_covers_what_has_the_same_identity_and_nothing_else() -> None:
    result = judged(scan(finding(mark="a"), finding(mark="a"), finding(mark="ab")), policy(waived=["a"]))
    assert [one.state for one in result.readings.findings] == [WAIVED, WAIVED, NEW]


def test_what_was_waived_at_the_sign_off_is_new_again_without_its_waiver() -> None:
    then = after("one", scan(finding(mark="a")), policy(waived=["a"]))
    assert states(then.run.gates[0]) == {"a": WAIVED}
    assert states(judged(scan(finding(mark="a")), None, then)) == {"a": NEW}
    assert states(judged(scan(finding(mark="a")), policy(waived=["a"]), then)) == {"a": WAIVED}
    assert states(judged(scan(), None, then)) == {"a": FIXED}


def test_known_debt_stays_known_whatever_is_waived() -> None:
    result = judged(scan(finding(mark="a")), policy(waived=["a"]), signed("one", scan(finding(mark="a"))))
    assert states(result) == {"a": KNOWN}


def test_judging_again_gives_the_same_and_another_policy_another_state() -> None:
    waived = judged(scan(finding(mark="a")), policy(waived=["a"]))
    assert judged(waived, policy(waived=["a"])) == waived
    assert states(judged(waived, policy())) == {"a": NEW}


def test_a_failing_test_can_be_waived_like_any_finding() -> None:
    failing = gate("tests", "coverage", subjects=cases(test_a="failed", test_b="passed"))
    (found,) = judged(failing).readings.findings
    result = judged(failing, policy(waived=[found.fingerprint]))
    assert result.verdict is Verdict.PASS
    assert [one.state for one in result.readings.findings] == [WAIVED]


def test_a_failing_test_that_was_waived_at_the_sign_off_is_new_again_without_its_waiver() -> None:
    failing = gate("tests", "coverage", subjects=cases(test_a="failed"))
    mark = judged(failing).readings.findings[0].fingerprint
    then = after("one", failing, policy(waived=[mark]))
    assert states(judged(failing, None, then)) == {mark: NEW}
    assert states(judged(failing, policy(waived=[mark]), then)) == {mark: WAIVED}
    assert states(judged(failing, None, after("one", failing))) == {mark: KNOWN}


def test_a_vanished_operation_can_be_waived_beside_one_that_is_not() -> None:
    def seen(*names: str) -> GateResult:
        return gate("fuzz", "schemathesis", subjects=[Subject("operation", name, "tested") for name in names])

    then = signed("one", seen("GET /a", "GET /b", "GET /c"))
    gone = judged(seen("GET /c"), None, then).readings.findings
    assert [one.rule for one in gone] == ["operation.vanished"] * 2
    half = judged(seen("GET /c"), policy(waived=[gone[0].fingerprint]), then)
    assert half.verdict is Verdict.FAIL
    assert only(half, "subjects", "operations").reason == "1 operation of one is gone: GET /b"
    assert judged(seen("GET /c"), policy(waived=[one.fingerprint for one in gone]), then).verdict is Verdict.PASS


# Contract findings are a difference to the earlier phase: judged anew in each


def change(severity: Severity = Severity.HIGH, rule: str = "contract.operation-removed") -> GateResult:
    return gate("contract", "openapi", findings=[finding(rule, severity, "a")])


def test_a_contract_finding_is_never_known_or_repaired() -> None:
    then = after("one", change())
    assert states(judged(change(), None, then)) == {"a": NEW}
    assert judged(change(), None, then).verdict is Verdict.FAIL
    assert states(judged(gate("contract", "openapi"), None, then)) == {}


@pytest.mark.parametrize("rule", ["contract.operation-added", "doc.version-not-moved", "doc.not-mentioned"])
@pytest.mark.parametrize("tolerance", ["none new", "none new high", "any"])
def test_what_is_found_anew_fails_from_medium_on_whatever_is_tolerated(rule: str, tolerance: Any) -> None:
    rules = policy(findings=tolerance)
    for earlier in ((), (signed("one", gate("contract", "openapi")),)):
        for severity, verdict in {
            Severity.INFO: Verdict.PASS, Severity.LOW: Verdict.PASS,
            Severity.MEDIUM: Verdict.FAIL, Severity.HIGH: Verdict.FAIL,
        }.items():  # fmt: skip
            assert judged(change(severity, rule), rules, *earlier).verdict is verdict


def test_other_findings_of_the_document_are_debts_like_any() -> None:
    lacking = gate("docs", "openapi", findings=[finding("doc.operation-description", Severity.MEDIUM, "a")])
    assert states(judged(lacking, None, after("one", lacking))) == {"a": KNOWN}


def test_a_contract_finding_can_be_waived() -> None:
    assert judged(change(), policy(waived=["a"]), after("one", change())).verdict is Verdict.PASS


# What is said of waivers


def notes(rules: Policy, *findings: Finding, whole: bool = True) -> list[str]:
    return list(waiver_notes(rules, [gate(findings=list(findings))], whole=whole))


def test_an_expired_waiver_is_told_and_its_finding_counts_again() -> None:
    rules = replace(policy(), expired=(WAIVER,))
    (note,) = notes(rules, finding(mark=MARK, message="a crash"))
    assert note.startswith(f"the waiver of {MARK} by Ada expired on 2027-01-31: it counts again: a crash")
    (note,) = notes(rules)
    assert note.endswith("nothing matches it any more: take it out of gates.toml")
    assert notes(rules, whole=False) == []


def test_a_waiver_without_a_finding_is_told_where_every_gate_ran() -> None:
    rules = replace(policy(), waivers=(WAIVER,))
    (note,) = notes(rules, finding(mark=MARK, state=FIXED))
    assert note == f"the waiver of {MARK} by Ada (until 2027-01-31) matches no finding: take it out of gates.toml"
    assert notes(rules, whole=False) == []
    assert notes(rules, finding(mark=MARK, state=WAIVED)) == []
    (note,) = notes(rules, finding(mark=MARK, state=KNOWN))
    assert note.endswith("is not needed: its finding is known")


def test_whether_something_matches_is_not_known_while_a_gate_decides_nothing() -> None:
    rules = replace(policy(), waivers=(WAIVER,))
    for verdict in (Verdict.ERROR, Verdict.UNKNOWN, Verdict.SKIPPED):
        assert list(waiver_notes(rules, [gate(), gate("other", verdict=verdict)], whole=True)) == []


def test_a_policy_is_read_as_it_was_written_and_one_from_before_has_no_waivers() -> None:
    rules = replace(policy(), waivers=(WAIVER,), expired=(replace(WAIVER, fingerprint="f" * 16),))
    data = json.loads(json.dumps(policy_to_data(rules)))
    assert policy_from_data(data) == rules
    del data["waivers"], data["expired_waivers"]
    assert policy_from_data(data) == policy()


# What may stand in gates.toml


def configuration(*tables: str) -> Any:
    text = '[project]\nname = "x"\n' + "".join(f"[[waivers]]\n{table}\n" for table in tables)
    return build_configuration(tomllib.loads(text), Path("/nowhere"))


def table(**more: str) -> str:
    keys = {"fingerprint": f'"{MARK}"', "reason": '"It has to wait."', "by": '"Ada"', "until": "2027-01-31", **more}
    return "\n".join(f"{key} = {value}" for key, value in keys.items() if value)


@pytest.mark.parametrize("until", ["2027-01-31", '"2027-01-31"'])
@pytest.mark.parametrize(("day", "holds"), [("2027-01-30", True), ("2027-01-31", True), ("2027-02-01", False)])
def test_a_waiver_holds_to_the_end_of_its_day(until: str, day: str, holds: bool) -> None:
    read = configuration(table(until=until))
    rules = read.policy(read.phases[0], day)
    assert (rules.waivers, rules.expired) == (((WAIVER,), ()) if holds else ((), (WAIVER,)))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"fingerprint": '"GET /orders"'}, "16 hexadecimal digits"),
        ({"fingerprint": f'"{MARK.upper()}"'}, "16 hexadecimal digits"),
        ({"fingerprint": ""}, "[[waivers]] number 1 needs the key 'fingerprint'"),
        ({"reason": '"later"'}, "at least 10 characters"),
        ({"reason": ""}, "needs the key 'reason'"),
        ({"by": '""'}, "it is empty"),
        ({"by": ""}, "needs the key 'by'"),
        ({"until": ""}, "needs the key 'until'"),
        ({"until": '"soon"'}, "it is not a day such as 2027-01-31"),
        ({"until": "2027"}, "it is not a day such as 2027-01-31"),
        ({"until": "2027-01-31T10:00:00"}, "it is not a day such as 2027-01-31"),
        ({"untill": "2027-01-31"}, "has no key 'untill'"),
    ],
)
def test_a_mistake_in_a_waiver_is_a_sentence(more: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configuration(table(**more))
    assert told in caught.value.message
    assert "[[waivers]] number 1" in caught.value.message


def test_a_finding_is_waived_once() -> None:
    with pytest.raises(ConfigurationError, match=f"the finding {MARK} is waived twice"):
        configuration(table(), table(reason='"For another reason."'))


# The whole way: a project whose test fails


TODAY = datetime.now(UTC).date()
SOON, YESTERDAY = (TODAY + timedelta(days=30)).isoformat(), (TODAY - timedelta(days=1)).isoformat()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = small_project(
        tmp_path / "project", gates_toml(REPORTED_TESTS, more="# the last line, without its end"),
        **results("adds", "removes!"),
    )  # fmt: skip
    path = made.root / "gates.toml"
    path.write_text(path.read_text().rstrip("\n"))
    made.commit("as somebody's editor leaves it")
    return made


def waive(project: Project, mark: str, *, reason: str = "The library is mended next week.", by: str = "Ada",
          until: str = SOON) -> Any:  # fmt: skip
    return project.call("waive", mark, "--reason", reason, "--by", by, "--until", until)


def failing(project: Project) -> Finding:
    (found,) = [one for gate in project.check().gates for one in gate.readings.findings if one.state is NEW]
    return found


def test_a_waived_test_lets_the_phase_pass_be_signed_and_verified_until_it_expires(project: Project) -> None:
    found = failing(project)
    said = project.call("explain", "tests")
    assert f"{found.fingerprint} " in said.out, said
    assert "gates waive FINGERPRINT" in said.out
    before = (project.root / "gates.toml").read_text()

    said = waive(project, found.fingerprint)
    assert said.code == 0, said
    assert f"Waived until {SOON}, by Ada: " in said.out
    assert "removes" in said.out
    text = (project.root / "gates.toml").read_text()
    assert text.startswith(before + "\n\n[[waivers]]\n# ")
    project.commit("a waiver")

    run = project.check()
    assert [one.state for gate in run.gates for one in gate.readings.findings] == [WAIVED]
    assert run.verdict is Verdict.PASS
    told = project.call("report").out
    assert "Waived, with a reason and a date" in told
    assert f"waived by Ada until {SOON}: The library is mended next week." in " ".join(told.split())
    assert f"waived by Ada until {SOON}" in project.call("report", "--format", "markdown").out

    _, _, sheet = sign_off(project.root, None, by="Somebody")
    assert f"waived by Ada until {SOON}: The library is mended next week." in sheet.read_text()
    assert "verdicts recomputed alike" in verify_signoffs(project.root)[0]
    project.commit("signed")

    # The next phase: the waiver has expired.
    (project.root / "gates.toml").write_text(text.replace(SOON, YESTERDAY))
    project.commit("time went by")
    run = project.check()
    assert run.verdict is Verdict.FAIL
    assert any(f"by Ada expired on {YESTERDAY}: it counts again" in note for note in run.notes)
    assert "verdicts recomputed alike" in verify_signoffs(project.root)[0], "the waiver held when it was signed"


def test_a_waiver_that_is_taken_out_of_a_signed_run_is_noticed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    waive(project, failing(project).fingerprint)
    project.commit("a waiver")
    project.check()
    sign_off(project.root, None, by="Somebody")
    monkeypatch.setattr(
        "gates.pipeline.signoff.policy_from_data", lambda data: policy_from_data({**data, "waivers": []})
    )
    with pytest.raises(IntegrityError, match="tests was signed as pass"):
        verify_signoffs(project.root)


def test_what_cannot_be_waived_is_refused_with_a_reason_and_nothing_is_written(project: Project) -> None:
    assert "there is no run yet" in waive(project, MARK).err
    found = failing(project)
    mark = found.fingerprint
    before = (project.root / "gates.toml").read_bytes()
    for arguments, told in (
        ({"mark": mark[:-1] + ("0" if mark[-1] != "0" else "1")}, f"did you mean {mark}? "),
        ({"mark": "tests.failed"}, f"did you mean {mark}? "),
        ({"mark": "nothing like it"}, "`gates explain GATE` names those of a gate"),
        ({"mark": mark, "until": YESTERDAY}, f"--until {YESTERDAY} has passed"),
        ({"mark": mark, "until": "next week"}, "--until 'next week' is not a day"),
        ({"mark": mark, "until": "2027-02-30"}, "--until '2027-02-30' is not a day"),
        ({"mark": mark, "reason": "later"}, "--reason 'later' is too short"),
        ({"mark": mark, "by": " "}, "--by is empty"),
    ):
        said = waive(project, **arguments)  # type: ignore[arg-type]
        assert said.code == 2, said
        assert told in said.err
    assert (project.root / "gates.toml").read_bytes() == before
    assert list(project.root.glob(".gates.toml*")) == []


def test_a_second_waiver_and_one_of_known_debt_are_refused(project: Project) -> None:
    found = failing(project)
    sign_off(project.root, None, by="Somebody", accept_debt=True)
    project.commit("signed")
    project.check()
    said = waive(project, found.fingerprint)
    assert said.code == 2, said
    assert "needs no waiver: it is known" in said.err


def test_a_finding_has_one_waiver(project: Project) -> None:
    mark = failing(project).fingerprint
    assert waive(project, mark).code == 0
    said = waive(project, mark)
    assert said.code == 2, said
    assert f"{mark} has a waiver already, by Ada until {SOON}" in said.err


def test_a_long_waiver_is_written_and_remarked(project: Project) -> None:
    said = waive(project, failing(project).fingerprint, until=f"{TODAY.year + 3}-01-31")
    assert said.code == 0
    assert "more than a year" in said.out


def test_what_people_write_is_read_back_as_they_wrote_it(project: Project) -> None:
    reason = 'It says "no" \\ and\ttabs, a \x7f, Umläute: ö.\n[[not a table]]'
    assert waive(project, failing(project).fingerprint, reason=reason, by="Ada “the Countess” Lovelace").code == 0
    with (project.root / "gates.toml").open("rb") as file:
        (written,) = tomllib.load(file)["waivers"]
    assert (written["reason"], written["by"]) == (reason, "Ada “the Countess” Lovelace")


def test_lines_end_as_they_did(project: Project) -> None:
    path = project.root / "gates.toml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    project.commit("from another system")
    assert waive(project, failing(project).fingerprint).code == 0
    assert re.search(rb"(?<!\r)\n", path.read_bytes()) is None


def test_a_file_that_takes_no_table_at_its_end_is_left_as_it_is(project: Project) -> None:
    path = project.root / "gates.toml"
    path.write_text("waivers = []\n" + path.read_text())
    project.commit("as a list")
    before = path.read_bytes()
    said = waive(project, failing(project).fingerprint)
    assert said.code == 2, said
    assert "write this into it by hand:\n[[waivers]]" in said.err
    assert path.read_bytes() == before


def test_the_sheet_and_json_show_who_waived(project: Project) -> None:
    mark = failing(project).fingerprint
    waive(project, mark)
    result = project.json()
    (found,) = [one for gate in result["gates"] for one in gate["findings"]]
    assert (found["state"], found["fingerprint"]) == ("waived", mark)
    assert json.loads(result["run"]["policy_text"])["waivers"][0]["by"] == "Ada"
