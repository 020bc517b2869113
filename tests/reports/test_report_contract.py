"""What `gates contract` found, as people and programs read it: narrow, wide, plain, painted, hostile, very much."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from report_samples import HOSTILE

from gates.contract import Change
from gates.contract.examination import Described, Examination, as_changes
from gates.reports.contract import contract_json
from gates.reports.markdown import render_contract as render_markdown
from gates.reports.terminal import render_contract
from gates.results import Finding, Severity, Verdict

OLD, NEW = Described("old.yaml", "orders", "1.0.0", 4), Described("new.yaml", "orders", "1.1.0", 5)


def change(severity: Severity, message: str, *operations: str, rule: str = "contract.type-changed") -> Change:
    shared = len(operations) != 1
    return Change(
        rule, severity, message, "" if shared else operations[0], operations, "/components/schemas/Order",
        "/components/schemas/Purchase", "0123456789abcdef", "keep the type",
    )  # fmt: skip


def found(*changes: Change, **more: object) -> Examination:
    return replace(Examination(OLD, NEW, changes), **more)  # type: ignore[arg-type]


BROKEN = change(Severity.HIGH, "Order.total in responses: the type is string now, it was number", "GET /orders")
DOUBTFUL = change(Severity.MEDIUM, "GET /orders, query parameter limit: gone", "GET /orders")
NEW_ONE = change(Severity.INFO, "GET /customers: new", "GET /customers")


def shown(examination: Examination, width: int = 100, **options: bool) -> str:
    return render_contract(examination, colour=options.pop("colour", False), width=width, **options)


def test_what_is_found_is_grouped_by_how_bad_it_is() -> None:
    text = shown(found(BROKEN, DOUBTFUL, NEW_ONE))
    assert text.startswith("old.yaml → new.yaml\n  earlier  orders · 1.0.0 · 4 operations\n")
    headings = [line for line in text.splitlines() if re.fullmatch(r"[A-Z][a-z ]+ \(\d+\)", line)]
    assert headings == ["Breaks clients (1)", "May break clients (1)", "Additive (1)"]
    assert "  ✗ Order.total in responses: the type is string now" in text
    assert "contract.type-changed · /components/schemas/Order · was /components/schemas/Purchase" in text
    assert "FAIL · 1 breaking, 1 may break, 1 additive · exit code 1" in text
    assert text.endswith("  next  gates explain contract.type-changed\n")


@pytest.mark.parametrize(
    ("examination", "verdict", "code"),
    [
        (found(), Verdict.PASS, 0),
        (found(NEW_ONE), Verdict.PASS, 0),
        (found(DOUBTFUL), Verdict.FAIL, 1),
        (found(DOUBTFUL, fail_on="error"), Verdict.PASS, 0),
        (found(BROKEN, fail_on="error"), Verdict.FAIL, 1),
        (found(BROKEN, fail_on="never"), Verdict.PASS, 0),
        (found(NEW_ONE, unread=("x",)), Verdict.UNKNOWN, 4),
        (found(BROKEN, unread=("x",)), Verdict.FAIL, 1),
        (found(BROKEN, unread=("x",), fail_on="never"), Verdict.UNKNOWN, 4),
    ],
)
def test_the_verdict(examination: Examination, verdict: Verdict, code: int) -> None:
    assert (examination.verdict, examination.exit_code) == (verdict, code)
    assert f"{verdict.value.upper()} · " in shown(examination)
    assert f"exit code {code}" in shown(examination)
    assert json.loads(contract_json(examination))["exit_code"] == code


def test_operations_are_listed_where_the_message_does_not_name_them() -> None:
    many = tuple(f"GET /{number}" for number in range(20))
    text = shown(found(change(Severity.HIGH, "/a, query parameter limit: gone", *many)))
    assert "in  GET /0, GET /1, GET /2, GET /3, GET /4, GET /5 and 14 more" in text
    assert "in  GET" not in shown(found(change(Severity.HIGH, "Order: gone; affects GET /0 and more", *many)))


def test_what_could_not_be_compared_is_listed() -> None:
    text = shown(found(unread=("new document, /paths/~1a: the reference 'b.yaml' leaves the document",)))
    assert "Not compared (1)\n  ! new document, /paths/~1a: the reference" in text


def test_one_document_has_errors_and_no_clients() -> None:
    finding = Finding(
        "rest.noun-path", Severity.MEDIUM, "a verb", "00ff", operation="GET /getX", fix="", pointer="/paths"
    )
    worse = replace(finding, rule="doc.valid", severity=Severity.HIGH)
    text = shown(Examination(None, NEW, as_changes([finding, worse])))
    assert text.startswith("new.yaml\n  orders · 1.1.0 · 5 operations\n")
    assert text.index("Errors (1)") < text.index("Warnings (1)")
    assert "1 error, 1 warning, 0 infos" in text
    assert "· was" not in text


@pytest.mark.parametrize("width", [60, 72, 100, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    long = change(Severity.HIGH, "Order." + "very_" * 60 + "long", *(f"GET /{'x' * 40}/{n}" for n in range(9)))
    for line in shown(found(long, DOUBTFUL, unread=("y" * 300,)), width).splitlines():
        assert sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in line) <= width


def test_colour_says_nothing_that_plain_text_does_not() -> None:
    painted = shown(found(BROKEN, DOUBTFUL, NEW_ONE), colour=True)
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == shown(found(BROKEN, DOUBTFUL, NEW_ONE))


def test_where_only_ascii_can_be_written() -> None:
    assert shown(found(BROKEN, NEW_ONE), ascii=True).isascii()


def test_of_very_many_the_first_are_shown_and_all_are_in_the_json() -> None:
    many = found(*(change(Severity.HIGH, f"GET /{number}: gone", f"GET /{number}") for number in range(2000)))
    text = shown(many)
    assert text.count("✗") == 50
    assert "… and 1,950 more: `--json FILE` has them all" in text
    assert len(json.loads(contract_json(many))["changes"]) == 2000
    markdown = render_markdown(many)
    assert len(markdown) <= 60_000
    assert re.search(r"… and [\d,]+ more", markdown)


def test_hostile_text_stays_text() -> None:
    bad = replace(
        found(change(Severity.HIGH, HOSTILE, HOSTILE, rule="contract.type-changed"), unread=(HOSTILE,)),
        earlier=Described(HOSTILE, HOSTILE, HOSTILE, 1), new=Described(HOSTILE, HOSTILE, HOSTILE, 1),
    )  # fmt: skip
    text = shown(bad)
    assert not {sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf", "Cs") and sign != "\n"}
    assert not any(line.lstrip().startswith("::error") for line in text.splitlines())
    page = MarkdownIt("commonmark", {"html": True}).render(render_markdown(bad))
    assert set(re.findall(r"<([a-z0-9]+)", page)) <= {"h2", "h3", "p", "code", "ul", "li", "br"}
    assert contract_json(bad).isascii()
    json.loads(contract_json(bad))


def test_markdown_for_a_pull_request() -> None:
    text = render_markdown(found(BROKEN, DOUBTFUL, NEW_ONE, unread=("not this",)))
    assert text.startswith("## ❌ API contract: 1 breaking, 1 may break, 1 additive, 1 not compared\n")
    assert "`old.yaml` → `new.yaml` · version `1.0.0` → `1.1.0`" in text
    assert "### Breaks clients (1)\n\n- Order.total in responses" in text
    assert "<details><summary>Additive (1)</summary>" in text
    assert "### Not compared (1)\n\n- not this" in text
