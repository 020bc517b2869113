"""The Markdown reports: the verdict first, harmless whatever a backend says, short enough for a comment."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from report_samples import (
    HOSTILE,
    coverage_gate,
    failing_run,
    hostile_run,
    load_gate,
    operation_rows,
    partial_run,
    passing_run,
    security_gate,
    signoff,
    undecided_run,
)

from gates.reports import markdown
from gates.reports.markdown.escape import code, prose
from gates.results import DoneItem, Finding, FindingState, Severity, Verdict

HOST = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Page(HTMLParser):
    """What a browser would see of a rendered report."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(HOST.render(text))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in ("style",) for name, _ in attributes), attributes

    def handle_data(self, data: str) -> None:
        self.text += data


OURS = {
    "h1", "h2", "h3", "p", "ul", "li", "strong", "code", "br", "sub", "details", "summary",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def first_lines(text: str, count: int = 10) -> str:
    return "\n".join(text.splitlines()[:count])


def test_the_verdict_is_the_first_line() -> None:
    assert markdown.render(failing_run()).startswith("## ❌ FAIL: orders, phase search\n")
    assert markdown.render(passing_run()).startswith("## ✅ PASS: orders, phase search\n")


def test_what_was_not_looked_at_stands_in_the_first_lines() -> None:
    first = first_lines(markdown.render(failing_run()))
    assert "**skipped:** bench (--skip bench)" in first
    assert "**left out:** Database schema and operations optimized (the service has no database)" in first
    assert "**known debt:** 2 known · 1 new · 1 repaired" in first
    assert "**waived:** 1 finding" in first
    assert "the baseline of phase foundation" in first


def test_a_partial_run_and_an_allowed_unknown_say_so_in_the_first_lines() -> None:
    assert "only security ran; this run cannot be signed off" in first_lines(markdown.render(partial_run()))
    allowed = first_lines(markdown.render(undecided_run(exit_code=0)))
    assert "UNKNOWN" in allowed
    assert "allowed by --allow-unknown" in allowed


def test_each_reason_stands_with_what_to_do() -> None:
    page = Page(markdown.render(failing_run())).text
    assert "load.p99 needs 1,000 requests per epoch and had 412→ let [gates.load] run for 25 s per epoch" in page


def test_new_findings_that_no_reason_names_are_listed() -> None:
    gate = security_gate()
    more = Finding("B301", Severity.HIGH, "pickle is unsafe", "9a", "orders/cache.py", 4)
    gate = replace(gate, readings=replace(gate.readings, findings=(*gate.readings.findings, more)))
    page = Page(markdown.render(failing_run(gates=(gate,)))).text
    assert "orders/cache.py:4: pickle is unsafe (B301, high)" in page
    assert page.count("Possible SQL injection") == 1


def test_a_gate_that_no_item_speaks_of_tells_its_own_reasons() -> None:
    page = Page(markdown.render(partial_run())).text
    assert "gate security" in page
    assert "1 finding is new: orders/search.py:41" in page


def test_open_questions_of_an_operation_are_gaps() -> None:
    text = markdown.render(failing_run())
    row = next(line for line in text.splitlines() if "/internal/metrics" in line)
    assert row.count("**gap**") == 6
    assert row.count("**no**") == 1


def test_what_was_measured_stands_beside_what_it_was() -> None:
    text = markdown.render(failing_run())
    assert "| `load.p95 of GET /orders` | 113 ms | 80.2 ms | ×1.41 (×1.33 to ×1.5) | `baseline: 5 %` | 6 % |" in text


@pytest.mark.parametrize("text", [markdown.render(hostile_run()), markdown.render_signoff(signoff(run=hostile_run()))])
def test_hostile_text_becomes_no_tag_no_link_and_notifies_nobody(text: str) -> None:
    page = Page(text)
    assert set(page.tags) <= OURS
    assert page.tags.count("details") == text.count("<details>") == text.count("\n</details>")
    outside = re.sub(r"(`+)(?!`).*?[^`]\1(?!`)", "", text)
    assert not re.search(r"(?<![A-Za-z0-9&])[@#][A-Za-z0-9]", outside), "somebody would be notified"
    assert not re.search(r"https?://", re.sub("<summary>.*", "", outside)), "an address would become a link"
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_hostile_text_adds_no_column_and_no_row() -> None:
    text = markdown.render(hostile_run())
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1
    assert HOST.render(text).count("<tr>") == 8, "a heading and a row in each of four tables"


def test_hostile_text_can_still_be_read() -> None:
    page = Page("- " + prose(HOSTILE)).text.replace("\u200b", "")
    for words in ("all green", "| `rm -rf` <img src=x onerror=alert(1)> @everyone #1", "</details>", "## PASS"):
        assert words in page


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("GET /orders/{id} is 113 ms", "GET /orders/{id} is 113 ms"),
        ("coverage.changed_lines 7.17.3 of <= 80 ms", "coverage.changed_lines 7.17.3 of <= 80 ms"),
        ("> quoted", r"\> quoted"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("*bold* and _more_", r"\*bold\* and \_more\_"),
        ("a & b &lt;", "a & b &amp;lt;"),
        ("first\n\n  second", "first<br>second"),
    ],
)
def test_prose_is_escaped_no_more_than_it_must_be(text: str, plain: str) -> None:
    assert prose(text) == plain
    assert Page(prose(text).replace("<br>", " ")).text.split() == text.split()


@pytest.mark.parametrize("text", ["GET /a|b", "`", "``x`", "a ` b", "x``y"])
def test_code_shows_exactly_its_text(text: str) -> None:
    assert HOST.render(code(text)).count("<code>") == 1
    assert Page(code(text)).text.strip() == text
    table = f"| {code(text, cell=True)} | x |\n| --- | --- |\n"
    assert HOST.render(table).count("<th>") == 2
    assert text in Page(table).text


def test_a_huge_run_fits_into_a_comment_and_says_what_it_left_out() -> None:
    reasons = tuple(f"operation {number} failed: " + "x" * 500 for number in range(2000))
    items = tuple(DoneItem(item.item, item.title, Verdict.FAIL, reasons) for item in failing_run().done)
    rows = tuple(replace(operation_rows()[0], operation=f"GET /orders/{number}") for number in range(3000))
    text = markdown.render(failing_run(done=items, operations=rows))
    assert len(text) < 65_536
    assert re.search(r"and [\d,]+ more: `gates report --format json`", text)
    assert all(item.title in text for item in items)
    assert "**skipped:** bench" in first_lines(text)


def test_a_sheet_begins_with_who_signed_what() -> None:
    lines = markdown.render_signoff(signoff()).splitlines()
    assert lines[0] == "# Phase 2, search: signed off"
    assert "- signed by: Ada Lovelace" in lines[:8]
    assert "- signed at: 2026-11-24T10:00:00Z" in lines[:8]
    assert "- commit: `9c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293`" in lines[:9]
    assert "- digest: `sha256:77aa`" in lines[:9]
    assert lines.index("- load.memory is 611 MB of <= 512 MB") < lines.index("## Definition of Done")


def test_a_sheet_without_debt_says_so() -> None:
    assert "none: nothing that is broken was accepted" in markdown.render_signoff(signoff(debts=()))


def test_a_sheet_changes_only_where_the_facts_did() -> None:
    """Time, duration, the run's name and the order of the gates are no facts of a phase."""
    run = passing_run()
    again = replace(
        run, id="another", started="2027-01-01T00:00:00Z", seconds=1.0, gates=tuple(reversed(run.gates)),
        operations=tuple(reversed(run.operations)), machine=dict(reversed(run.machine.items())),
    )  # fmt: skip
    assert markdown.render_signoff(signoff(run=run)) == markdown.render_signoff(signoff(run=again))


def test_one_changed_number_is_one_changed_line_each_time_it_is_told() -> None:
    gate = coverage_gate()
    lines = replace(gate.readings.measurements[1], value=0.97, count=1242)
    measured = (gate.readings.measurements[0], lines, *gate.readings.measurements[2:])
    changed = replace(gate, readings=replace(gate.readings, measurements=measured))
    before = markdown.render_signoff(signoff(run=failing_run(gates=(gate,)))).splitlines()
    after = markdown.render_signoff(signoff(run=failing_run(gates=(changed,)))).splitlines()
    different = [new for old, new in zip(before, after, strict=True) if old != new]
    assert different == ["- `coverage.lines`: 97 % (1,242 of 1,280)"]


def test_a_sheet_lists_targets_numbers_and_findings() -> None:
    text = markdown.render_signoff(signoff(run=failing_run()))
    assert "| `load.p95 of GET /orders` | `<= 80 ms` | 113 ms | fail |" in text
    assert "| `load.memory` | `<= 512 MB` | 611 MB | known debt |" in text
    assert "| `GET /orders/{id}` | – | 31 ms | – | – | – |" in text
    assert "`tests`: 40 of 41 tests passed\n  - skipped: `tests/test_orders.py::test_slow`" in text
    assert "- `11aa11aa11aa11aa` orders/auth.py:7: Possible hardcoded password: 'guest' (B105, low)" in text
    assert "(waived)" in text
    assert "random is not for security" not in text, "what was repaired is no longer known"


def test_the_next_phase_may_rely_only_on_what_was_seen_to_work() -> None:
    broken = replace(operation_rows()[0], operation="GET /broken", compatible=False)
    text = markdown.render_signoff(signoff(run=failing_run(operations=(*operation_rows(), broken))))
    good, doubtful = text.partition("## What the next phase may rely on")[2].split("Not to be relied on:")
    assert "- `GET /orders`: simple, answers 200 401 422, p95 113 ms" in good
    assert "/attachments/" not in good
    assert "`GET /internal/metrics`: is not in the OpenAPI document" in doubtful
    assert "`GET /broken`: no longer does what an earlier phase relies on" in doubtful
    assert "was tried and did not answer as documented" in doubtful


def test_a_finding_that_was_accepted_at_the_sign_off_is_known_however_it_was_found() -> None:
    gate = load_gate()
    new = Finding("load.x", Severity.LOW, "something new", "77", state=FindingState.NEW)
    run = failing_run(gates=(replace(gate, readings=replace(gate.readings, findings=(new,))),))
    assert "something new" in markdown.render_signoff(signoff(run=run))
