"""What a terminal or a pipe shows: the same with and without colours, never wider than it may, never silently green."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from report_samples import (
    coverage_gate,
    failing_run,
    hostile_run,
    load_gate,
    load_judgements,
    operation_rows,
    partial_run,
    passing_run,
    security_gate,
    undecided_run,
)
from rich.cells import cell_len

from gates.reports.terminal import (
    render,
    render_comparison,
    render_doctor,
    render_history,
    render_phases,
    render_requirement,
)
from gates.reports.wording import key_numbers
from gates.results import (
    DoneItem,
    Finding,
    FindingState,
    GateResult,
    Judgement,
    Measurement,
    Readings,
    Run,
    Severity,
    Subject,
    Verdict,
)
from gates.tools.base import Requirement

PICTURES = Path(__file__).parent / "pictures"
RUNS = {
    "failing": failing_run(),
    "passing": passing_run(),
    "undecided": undecided_run(),
    "partial": partial_run(),
    "hostile": hostile_run(),
}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def plain(run: Run, **options: Any) -> str:
    return render(run, **{"colour": False, "width": 100, **options})


def flat(text: str) -> str:
    """Text without its line breaks and margins."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", ["failing", "passing", "partial"])
def test_the_picture_is_the_one_that_was_looked_at(name: str) -> None:
    """To accept a new picture, look at it, and write it: see pictures/README.md."""
    expected = PICTURES / f"{name}.txt"
    assert plain(RUNS[name], width=80, operations=True, details=".gates/runs/7f3a/") == expected.read_text("utf-8")


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_colour_adds_nothing_but_colour(name: str, ascii_only: bool) -> None:
    options: dict[str, Any] = {"width": 90, "ascii": ascii_only, "operations": True, "details": "there"}
    coloured = render(RUNS[name], colour=True, **options)
    assert "\x1b[" in coloured
    assert _COLOUR.sub("", coloured) == render(RUNS[name], colour=False, **options)


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    for line in plain(RUNS[name], width=width, operations=True, details="/a/long/path" * 20).splitlines():
        assert cell_len(line) <= width, line


def test_wide_characters_count_for_the_cells_they_take() -> None:
    item = DoneItem("tests", "テスト" * 60, Verdict.FAIL, ("理由" * 100,), hints=("直す" * 100,))
    for line in plain(failing_run(done=(item,), gates=()), width=60).splitlines():
        assert cell_len(line) <= 60


@pytest.mark.parametrize("name", RUNS)
def test_ascii_is_ascii_and_keeps_every_mark_apart(name: str) -> None:
    assert plain(RUNS[name], ascii=True, operations=True).isascii()
    marks = {
        plain(failing_run(done=(DoneItem("tests", "T", verdict, ("r",)),), gates=()), ascii=True) for verdict in Verdict
    }
    assert len(marks) == 5


@pytest.mark.parametrize("operations", [False, True])
@pytest.mark.parametrize("name", RUNS)
def test_nothing_hidden_reaches_the_terminal(name: str, operations: bool) -> None:
    text = plain(RUNS[name], operations=operations)
    hidden = {hex(ord(sign)) for sign in text if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"0xa"}
    assert not hidden
    text.encode("utf-8")


@pytest.mark.parametrize("width", [*range(60, 100), 200])
def test_no_line_is_a_command_to_the_log_of_a_pipeline(width: int) -> None:
    reason = (
        "x" * 57 + "::error::forged ::warning file=a::forged ##[error]x ##vso[task.x] " + "y" * 56 + "::notice::forged"
    )
    item = DoneItem("tests", "T", Verdict.FAIL, (reason, "\n::stop-commands::x\n ::error::y"))
    for line in plain(failing_run(done=(item,)), width=width).splitlines():
        assert not line.strip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


def test_what_was_not_looked_at_stands_in_the_first_lines() -> None:
    first = flat("\n".join(plain(failing_run()).splitlines()[:7]))
    assert "skipped bench (--skip bench)" in first
    assert "left out Database schema and operations optimized (the service has no database)" in first
    assert "known debt 2 known · 1 new · 1 repaired" in first
    assert "waived 1 finding with a reason and a date" in first
    assert "compared with the baseline of phase foundation" in first


def test_the_first_lines_stay_when_it_is_quiet() -> None:
    text = plain(failing_run(), quiet=True)
    assert text.splitlines()[:6] == plain(failing_run()).splitlines()[:6]
    assert "Unit and integration tests passing" not in text
    assert "Performance targets met" in text
    assert "coverage" not in text
    assert "load.memory is 611 MB" in text, "known debt is never quiet"


def test_a_gate_without_an_item_tells_its_trouble_even_when_it_is_quiet() -> None:
    gate = GateResult("size", "command", Verdict.FAIL, 1.0, reason="the image is too large", hint="drop a layer")
    for quiet in (False, True):
        assert "the image is too large → drop a layer" in flat(plain(failing_run(gates=(gate,)), quiet=quiet))


def test_a_partial_run_says_what_ran_and_which_items_were_not_asked() -> None:
    text = plain(partial_run())
    assert "only security ran; this run cannot be signed off" in text
    assert text.count("(not asked)") == 9
    assert "only the gates that ran are judged" in text
    assert "1 finding is new" in text
    assert "→ pass the words as parameters" in text


def test_an_unknown_that_is_allowed_is_not_green() -> None:
    text = plain(undecided_run(exit_code=0))
    assert "allowed" in text.splitlines()[1]
    assert "UNKNOWN · exit code 0: undecided, but allowed by --allow-unknown" in flat(text)
    assert "UNKNOWN · exit code 4: undecided: evidence is missing" in flat(plain(undecided_run()))


def test_a_note_about_allow_unknown_is_not_told_twice() -> None:
    noted = undecided_run(exit_code=0, notes=("--allow-unknown: an unknown verdict exits with 0",))
    assert plain(noted).split("Gates")[0].count("allow-unknown") == 1


def test_the_first_phase_says_that_nothing_was_compared() -> None:
    assert "compared with nothing earlier" in flat(plain(failing_run(baseline_phase=None)))


def test_a_dirty_tree_is_told_in_the_first_lines() -> None:
    assert "uncommitted changes" in plain(failing_run(dirty=True)).split("Gates")[0]


def test_every_failure_says_what_would_make_it_pass() -> None:
    bare = DoneItem("auth", "Authentication", Verdict.FAIL, ("401 was expected",))
    text = plain(failing_run(done=(bare,)))
    assert "401 was expected → gates explain auth" in flat(text)
    aligned = replace(bare, reasons=("41 tests ran", "one failed"), hints=("", ""))
    assert "one failed → gates explain auth" in flat(plain(failing_run(done=(aligned,))))


def test_an_item_without_a_reason_gets_those_of_its_gates() -> None:
    bare = DoneItem("endpoints", "Endpoints", Verdict.ERROR, gates=("fuzz",))
    told = flat(plain(failing_run(done=(bare,))))
    assert "killed by signal 9 after 61 s → give the machine more memory" in told
    assert "nothing here decides it: the item is unknown" in plain(
        failing_run(done=(DoneItem("auth", "A", Verdict.UNKNOWN),))
    )


def test_reasons_and_hints_of_different_number_all_appear() -> None:
    item = DoneItem("auth", "Auth", Verdict.FAIL, ("one", "two", "three"), hints=("do this", "do that"))
    assert "one two three → do this → do that" in flat(plain(failing_run(done=(item,), gates=())))


def test_many_reasons_say_how_many_are_left_out() -> None:
    reasons = tuple(f"reason {number}" for number in range(100))
    item = DoneItem("tests", "Tests", Verdict.FAIL, reasons, hints=reasons)
    text = plain(failing_run(done=(item,)))
    assert "reason 11" in text
    assert "reason 12" not in text
    assert "and 88 more: gates explain tests" in text


def test_the_last_lines_of_a_backend_are_shown_once_and_with_their_line_breaks() -> None:
    reason = "the backend died:\nTraceback (most recent call last):\n  ImportError: no orders"
    items = tuple(
        DoneItem(item, item.title(), Verdict.FAIL, (reason,), hints=("start it",)) for item in ("tests", "auth")
    )
    text = plain(failing_run(done=items, gates=()))
    assert text.count("ImportError") == 1
    assert "the backend died: (in full under “Tests”)" in text
    assert "\n        ImportError: no orders\n" in text


def test_new_findings_beyond_the_first_are_listed_apart_from_known_debt() -> None:
    gate = security_gate()
    more = tuple(
        Finding("B301", Severity.HIGH, f"pickle {number}", f"{number}", "a.py", number) for number in range(30)
    )
    gate = replace(gate, readings=replace(gate.readings, findings=(*gate.readings.findings, *more)))
    text = plain(failing_run(gates=(gate,)))
    new, known = text.split("New findings not named above")[1].split(
        "Known debt, accepted when foundation was signed off"
    )
    assert "- 30 of B301 (high): a.py" in new
    assert "→ gates explain B301" in new
    assert "hardcoded password" in known
    assert text.count("hardcoded password") == 1
    assert "SQL injection" not in new


@pytest.mark.parametrize(("judged", "listed"), [(Verdict.UNKNOWN, True), (Verdict.PASS, False)])
def test_new_findings_that_leave_a_gate_undecided_are_listed_too(judged: Verdict, listed: bool) -> None:
    judgement = Judgement("findings", "", "findings", "none new", judged, "one may be old")
    gate = replace(security_gate(), verdict=Verdict.UNKNOWN, judgements=(judgement,))
    item = DoneItem("security", "Security", Verdict.UNKNOWN, ("one may be old",), ("security",))
    assert ("New findings not named above" in plain(failing_run(gates=(gate,), done=(item,)))) is listed


def test_large_numbers_of_operations_read_alike() -> None:
    share = Measurement("fuzz.operations", 1.0, "ratio", "higher", count=1223, total=1224)
    assert key_numbers([share]) == ["1,223 of 1,224 operations"]


def test_a_gate_line_tells_the_numbers_that_matter() -> None:
    text = plain(passing_run(), width=120)
    assert re.search(r"✓ tests +coverage +12.4 s +41 tests · 1 skipped · 96.41 % lines · 91 % branches · cached", text)
    line = re.search(r"✗ security .*", plain(failing_run(), width=140))
    assert line
    assert "1 known · 1 new · 1 repaired · 1 waived · 5,120 lines read" in line[0]


def test_no_fact_is_torn_at_the_end_of_a_line() -> None:
    for width in range(60, 110):
        lines = [line.strip() for line in plain(failing_run(), width=width).split("Definition")[0].splitlines()]
        assert not [line for line in lines if line.startswith("·") or (re.search(r"\d$", line) and "·" in line)]


def test_the_verdict_line_tells_the_exit_code_and_the_items() -> None:
    end = flat(plain(failing_run(), details=".gates/runs/7f3a").split("Known debt")[1])
    assert "FAIL · exit code 1: a gate failed · of 9 items: 2 fail, 1 error, 1 unknown, 4 pass, 1 left out" in end
    assert end.endswith("next gates explain performance details .gates/runs/7f3a")


def test_the_operations_table_names_its_gaps() -> None:
    text = plain(failing_run(), operations=True, width=120)
    assert re.search(r"GET /orders/\{id\} +simple +✓ +✓ +gen +✓ +✗ +✓ +31 ms +200 404", text)
    assert re.search(r"GET /internal/metrics +simple +✗ +· +· +· +· +· +· +200", text)
    assert "auth    refuses whoever is not allowed (2 gaps): POST /orders/{id}/attachments/" in text
    assert "2 of 3 operations" not in text
    told = "1 of 3 operations tested by the project's own tests, 1 by generated requests only: GET /orders/{id}; 1 not"
    assert told in flat(text)
    assert "no gate saw an operation" in plain(failing_run(operations=()), operations=True)
    assert "Operations" not in plain(failing_run())


def test_a_narrow_operations_table_loses_no_letter() -> None:
    name = operation_rows()[2].operation
    text = plain(failing_run(), operations=True, width=60)
    table = text.split("Operations\n")[1].split("\n\n")[0]
    column = "".join(line[2:12].strip() for line in table.splitlines())
    assert name.replace(" ", "") in column.replace(" ", "")


def test_what_was_waived_and_what_is_flaky_is_listed_as_that() -> None:
    gate = security_gate()
    flaky = Finding("fuzz.500", Severity.HIGH, "server error", "f1", operation="GET /a", state=FindingState.FLAKY)
    gate = replace(gate, readings=replace(gate.readings, findings=(*gate.readings.findings, flaky)))
    told = flat(plain(failing_run(gates=(gate,))))
    assert "Waived, with a reason and a date - orders/export.py:3: Consider possible security" in told
    assert "Flaky: found in one of two tries on the same build - GET /a: server error (fuzz.500, high)" in told


def test_a_hundred_debts_do_not_bury_the_verdict() -> None:
    gate = security_gate()

    def listed(**each: str) -> str:
        one = replace(gate.readings.findings[1], line=None)
        known = tuple(
            replace(one, fingerprint=str(n), **{key: f"{text}{n}" for key, text in each.items()})  # type: ignore[arg-type]
            for n in range(100)
        )
        text = plain(failing_run(gates=(replace(gate, readings=replace(gate.readings, findings=known)),)))
        assert "known debt     100 known" in text
        return flat(text.split("Known debt")[1])

    assert "- and 80 more: gates report --format json" in listed(rule="R")
    assert "- 100 of B105 (low): a0, a1, a2, a3, a4 and 95 more (gates explain B105)" in listed(path="a")


def test_debt_that_is_only_known_to_items_is_shown() -> None:
    item = DoneItem("tests", "Tests", Verdict.PASS, known=("one test is broken since foundation",))
    text = plain(failing_run(done=(item,), gates=()))
    assert "known debt     1 known" in text
    assert text.count("one test is broken since foundation") == 1


# ---- phases


@dataclass(frozen=True)
class Phase:
    number: int
    name: str
    state: str
    title: str = ""
    by: str | None = None
    at: str | None = None
    commit: str | None = None
    verdict: Verdict | None = None
    numbers: tuple[Measurement, ...] = ()


def test_phases_tell_who_signed_what_and_where_the_project_stands() -> None:
    measured = coverage_gate().readings.measurements
    rows = [
        Phase(1, "foundation", "signed off", "Orders can be placed", "Ada", "2026-11-03T10:00:00Z", "3f2a91c4d05e99",
              Verdict.PASS, measured),
        Phase(2, "search", "current", verdict=Verdict.FAIL),
        Phase(3, "payments", "open"),
    ]  # fmt: skip
    lines = render_phases(rows, colour=False, width=100).splitlines()
    assert lines == [
        "1  ✓  foundation  signed off · Ada · 2026-11-03 · 3f2a91c4d0",
        "      Orders can be placed",
        "      41 tests · 1 skipped · 96.41 % lines · 91 % branches",
        "2  ✗  search      current",
        "3     payments    open",
    ]
    coloured = render_phases(rows, colour=True, width=100)
    assert _COLOUR.sub("", coloured).splitlines() == lines
    assert "[[phases]]" in render_phases([], colour=False, width=100)


# ---- comparison


def compared(a: Run, b: Run, **options: Any) -> str:
    return render_comparison(a, b, **{"colour": False, "width": 120, **options})


def test_two_runs_stand_side_by_side() -> None:
    before = failing_run(gates=(coverage_gate(), load_gate()), id="first", phase="foundation")
    load = load_gate()
    slower = tuple(
        replace(one, value=one.value * 2) if one.name in ("load.p95", "load.throughput") else one
        for one in load.readings.measurements
        if one.scope != "GET /orders/{id}"
    )
    after = failing_run(gates=(coverage_gate(), replace(load, readings=replace(load.readings, measurements=slower))))
    text = compared(before, after)
    assert "A  run first · phase foundation" in text
    assert re.search(r"load.p95 +70.2 ms +140 ms +×2 +worse", text)
    assert re.search(r"load.throughput +198.7/s +397.4/s +×2 +better", text)
    assert re.search(r"load.p95 of GET /orders/\{id\} +31 ms +– +– +gone", text)
    assert "no item changed" in text


def test_findings_and_tests_are_compared_as_sets() -> None:
    gate = security_gate()
    other = Finding("B301", Severity.HIGH, "pickle", "new1", "c.py", 1, state=FindingState.KNOWN)
    subjects = (
        Subject("test", "test_a", "failed"),
        Subject("test", "test_b", "passed"),
        Subject("test", "test_c", "passed"),
    )
    first = replace(gate, readings=replace(gate.readings, subjects=subjects))
    now = (replace(subjects[0], outcome="passed"), subjects[1], Subject("test", "test_d", "passed"))
    second = replace(gate, readings=replace(gate.readings, findings=(other, *gate.readings.findings[2:]), subjects=now))
    text = compared(failing_run(gates=(first,)), failing_run(gates=(second,)))
    assert "+ c.py:1: pickle (B301, high)" in text
    assert "- orders/search.py:41: Possible SQL injection" in text
    assert "random is not for security" not in text, "what was repaired before is in neither"
    assert "~ test test_a (failed → passed)" in text
    assert "- test test_c (gone)" in text
    assert "+ test test_d (passed)" in text


def test_a_gate_that_broke_in_one_run_repaired_nothing() -> None:
    broken = GateResult("security", "bandit", Verdict.ERROR, 1.0, reason="it crashed")
    text = compared(failing_run(gates=(security_gate(),)), failing_run(gates=(broken,)))
    assert "security measured nothing in B (error): not compared" in text
    assert "SQL injection" not in text
    silent = compared(failing_run(gates=(security_gate(),)), failing_run(gates=()))
    assert "security did not run in B: not compared" in silent


def test_items_that_changed_and_what_makes_times_worthless_are_told() -> None:
    a, b = passing_run(), failing_run(machine={"cores": "64"}, policy_digest="sha256:other")
    text = compared(a, b)
    assert "✗ pass → fail  Performance targets met" in text
    assert "another machine (cores, kernel, processor): times say nothing" in text
    assert "the rules in gates.toml were not the same" in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_comparison_is_safe_and_fits(width: int) -> None:
    text = compared(hostile_run(), failing_run(), width=width)
    assert "\x1b" not in text
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert compared(passing_run(), failing_run(), ascii=True).isascii()
    coloured = compared(passing_run(), failing_run(), colour=True)
    assert _COLOUR.sub("", coloured) == compared(passing_run(), failing_run())


# ---- history


@dataclass(frozen=True)
class Point:
    value: float
    started: str = "2026-11-24T10:00:00Z"
    phase: str = "search"
    scope: str = ""
    commit: str | None = "9c1d2e3f4a5b"
    run_id: str = "7f3a"
    unit: str = "s"


def chart(points: list[Point], **options: Any) -> str:
    return render_history(points, **{"colour": False, "width": 80, "measurement": "load.p95", **options})


def rows_of(text: str) -> list[str]:
    return [line.split("┤")[1] for line in text.splitlines() if "┤" in line]


def test_a_rise_is_drawn_from_the_lowest_to_the_highest_row() -> None:
    text = chart([Point(0.031, phase="foundation", started="2026-11-01"), Point(0.031), Point(0.113)])
    rows = rows_of(text)
    assert text.splitlines()[0] == "load.p95"
    assert "113 ms ┤" in text
    assert "31 ms ┤" in text
    assert rows[0].strip().startswith("╭")
    assert rows[-1].strip().startswith("─")
    assert rows[-1].rstrip().endswith("╯")
    assert "┴" in text, "the phase that begins is marked"
    assert "foundation (1 run) · search (2 runs)" in text
    assert "latest 113 ms at 9c1d2e3f4a · ×3.65 of the run before · lowest 31 ms · highest 113 ms · 3 runs" in flat(
        text
    )


def test_the_same_value_for_ever_is_a_flat_line_and_one_value_needs_no_chart() -> None:
    rows = rows_of(chart([Point(0.031)] * 5))
    assert [row for row in rows if row.strip()] == [" " + "─" * (len(rows[4]) - 1)]
    assert not rows_of(chart([Point(0.031)]))
    assert "latest 31 ms" in chart([Point(0.031)])


def test_more_runs_than_columns_say_what_a_column_is() -> None:
    text = chart([Point(float(number)) for number in range(1000)])
    assert "each column is the median of up to" in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())


def test_scopes_are_told_apart() -> None:
    points = [Point(number, scope=scope) for number in (1.0, 2.0, 4.0) for scope in ("", "GET /a", "GET /b")]
    text = chart(points)
    assert re.search(r"GET /a +▁▃█ +1 s +4 s +×4", text)
    assert text.splitlines()[0] == "load.p95"
    assert chart(points[1:2]).splitlines()[0] == "load.p95 of GET /a"


def test_no_value_is_never_an_empty_chart() -> None:
    assert "no finished run has measured load.p95" in chart([])
    text = chart([Point(1.0), Point(2.0), Point(float("nan"))])
    assert "1 value left out: not a number" in text
    assert "2 runs" in text


def test_a_chart_can_be_ascii() -> None:
    points = [Point(number % 7, scope=scope) for number in range(30) for scope in ("", "GET /µ")]
    assert chart(points, ascii=True).isascii()
    assert _COLOUR.sub("", chart(points, colour=True)) == chart(points)


# ---- doctor


def test_what_is_missing_is_told_with_what_to_do() -> None:
    here = Requirement("git", True, "2.43")
    missing = Requirement("backend", False, "uvicorn is not installed", "pip install uvicorn")
    text = render_doctor([here, missing], colour=False, width=80)
    assert text.splitlines() == [
        "  ✓ git: 2.43",
        "  ✗ backend: uvicorn is not installed",
        "      → pip install uvicorn",
        "",
        "1 of 2 requirements not met",
    ]
    assert "everything is here (1 requirement)" in render_doctor([here], colour=False, width=80)
    assert "nothing was looked at" in render_doctor([], colour=False, width=80)
    assert render_requirement(missing, colour=False, ascii=True).splitlines()[1] == "      -> pip install uvicorn"
    assert "\x1b[" not in render_requirement(Requirement("a\x1b[31m", True, "\x1b[2J"), colour=False)


# ---- key numbers


def test_a_single_benchmark_and_unknown_measurements_are_told() -> None:
    gate = GateResult(
        "size", "command", Verdict.PASS, 1.0,
        readings=Readings(measurements=(
            Measurement("size.image_bytes", 12.3e6, "B", "lower"), Measurement("bench.median", 0.1, "s", "lower", "b"),
            Measurement("fuzz.operations", 0.5, "ratio", "higher", count=5, total=10),
            Measurement("tests.total", 1, "1", "higher"),
        )),
    )  # fmt: skip
    text = plain(failing_run(gates=(gate,)), width=140)
    assert "1 test · 5 of 10 operations · 1 benchmark · image bytes 12.3 MB" in text


def test_debt_judgements_count_as_known() -> None:
    gate = replace(load_gate(), judgements=(load_judgements()[3],), verdict=Verdict.PASS)
    assert "1 known · p95" in plain(failing_run(gates=(gate,), done=()))
