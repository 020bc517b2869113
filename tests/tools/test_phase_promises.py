"""What comes of a phase document: what is not there, not listed, broken, contradictory, or not to be known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gates.results import Finding, Severity
from gates.tools.phase.document import read_document
from gates.tools.phase.drafting import draft_document, draft_table
from gates.tools.phase.promises import Checked, EarlierPhase, check, unlisted
from gates.tools.phase.references import Reference
from gates.tools.phase.resolve import Resolver
from gates.tools.phase.rules import RULES
from gates.tools.phase.snapshot import Snapshot, Table, differences, first_changes

THEN = Snapshot(
    operations=dict.fromkeys(("GET /orders", "GET /orders/{id}"), "openapi"),
    tables={"orders": Table({"id": "INTEGER", "total": "REAL"})},
    environment={"ORDERS_DB": "a.py:1"},
)
NOW = Snapshot(
    operations=dict.fromkeys(("GET /orders", "GET /orders/{order_id}", "GET /search"), "openapi"),
    tables={"orders": Table({"id": "INTEGER", "total": "REAL", "note": "TEXT"}), "search_index": Table({"word": ""})},
    events={"order.indexed": "b.py:1"},
    environment={"ORDERS_DB": "a.py:1", "SEARCH_LIMIT": "a.py:2"},
    components={},
)
FOUNDATION = EarlierPhase(
    "foundation", THEN,
    (Reference("operations", "GET /orders/{id}", "phases/foundation.md:5"), Reference("tables", "orders.total", "x")),
)  # fmt: skip
ALL = """## Provides
- `GET /search`
- table `search_index`
- column `orders.note`
- event `order.indexed`
- environment `SEARCH_LIMIT`
"""


def checked(
    text: str, now: Snapshot = NOW, earlier: Sequence[EarlierPhase] = (FOUNDATION,), files: str = ""
) -> Checked:
    written = read_document(text, "phases/search.md", ("foundation", "search"))
    changes = differences(earlier[-1].snapshot, now) if earlier else first_changes(now)
    return check(written, Resolver(now, lambda path: path in files.split()), earlier, "search", changes)


def told(found: Checked) -> list[tuple[str, str]]:
    return [(finding.rule.removeprefix("phase."), finding.message) for finding in found.findings]


def only(found: Checked, rule: str) -> Finding:
    matching = [finding for finding in found.findings if finding.rule == rule]
    assert len(matching) == 1, told(found)
    return matching[0]


def test_a_true_document_has_no_findings() -> None:
    found = checked(ALL + "## Consumes\n- `GET /orders/{id}` from foundation\n- `orders.id` from foundation\n"
                    "- environment `ORDERS_DB`\n")  # fmt: skip
    assert told(found) == []
    assert found.gaps == ()
    assert [(one.kind, one.name) for one in found.consumes] == [
        ("operations", "GET /orders/{order_id}"), ("tables", "orders.id"), ("environment", "ORDERS_DB"),
    ]  # fmt: skip


def test_what_is_provided_and_not_there_is_told_with_the_nearest() -> None:
    finding = only(checked(ALL + "- `GET /serach`\n"), "phase.unresolved")
    assert finding.message == "GET /serach is not there; the nearest is GET /search"
    assert (finding.path, finding.line, finding.severity) == ("phases/search.md", 7, Severity.MEDIUM)
    assert finding.fix == "write GET /search, or make GET /serach"


def test_what_is_consumed_has_to_be_in_the_earlier_phase_and_still_there() -> None:
    never = only(checked(ALL + "## Consumes\n- `GET /search` from foundation\n"), "phase.unresolved")
    assert "is not there in what phase foundation was signed off with" in never.message
    without = {**NOW.tables, "orders": Table({"id": "INTEGER", "note": "TEXT"})}
    text = ALL + "## Consumes\n- from foundation: `orders.total`\n"
    now = Snapshot(**{**_fields(NOW), "tables": without})  # type: ignore[arg-type]
    gone = only(checked(text, now, (EarlierPhase("foundation", THEN),)), "phase.unresolved")
    assert "orders.total is not there" in gone.message
    assert "it was, when phase foundation was signed off" in gone.message


def _fields(snapshot: Snapshot) -> dict[str, object]:
    return {name: getattr(snapshot, name) for name in Snapshot.__dataclass_fields__}


def test_what_is_new_and_not_listed_is_named_once_for_each_kind() -> None:
    found = checked("## Provides\nnone\n")
    assert told(found) == [
        ("unlisted", "operation GET /search is new in phase search and not listed in its document"),
        ("unlisted",
         "2 tables and columns are new in phase search and not listed in its document: "
         "orders.note, search_index"),
        ("unlisted", "event order.indexed is new in phase search and not listed in its document"),
        ("unlisted",
         "environment variable SEARCH_LIMIT is new in phase search and not listed in its document"),
    ]  # fmt: skip
    assert [finding.severity for finding in found.findings] == [
        Severity.LOW, Severity.LOW, Severity.INFO, Severity.INFO,
    ]  # fmt: skip
    assert "- table `search_index`" in found.findings[1].fix


def test_what_the_finding_says_to_add_is_what_it_wants() -> None:
    text = "## Provides\n"
    for finding in checked("## Provides\nnone\n").findings:
        text += finding.fix.partition("\n")[2] + "\n"
    assert told(checked(text)) == []


def test_the_draft_is_a_document_without_findings_and_keeps_what_was_listed() -> None:
    new = unlisted((), differences(THEN, NOW))
    listed = ((Reference("operations", "GET /orders", ""),), (Reference("tables", "orders.id", "", "foundation"),))
    text = draft_document("search", "Orders can be searched", NOW, new, "foundation", listed)
    assert text.startswith("# Orders can be searched\n\n## Provides\n")
    assert "- table `search_index` (`word`)" in text
    found = checked(text)
    assert told(found) == []
    assert "GET /orders" in {one.name for one in found.provides}
    assert [(one.name, one.reference.phase) for one in found.consumes] == [("orders.id", "foundation")]
    empty = draft_document("search", "", Snapshot(), {}, "foundation")
    assert told(checked(empty, THEN, (EarlierPhase("foundation", THEN),))) == []


def test_the_draft_for_gates_toml_is_toml() -> None:
    import tomllib

    new = {"operations": [f"GET /{number}" for number in range(20)], "events": ['a"b\\c\n']}
    content = tomllib.loads(draft_table(new))  # type: ignore[arg-type]
    assert content["provides"]["operations"][:2] == ["GET /0", "GET /1"]
    assert content["provides"]["events"] == ['a"b\\c\n']
    assert tomllib.loads(draft_table({})) == {"provides": {}}


def test_a_promise_of_an_earlier_phase_that_is_gone_is_high() -> None:
    now = Snapshot(**{**_fields(NOW), "operations": {"GET /search": "openapi", "POST /orders/{id}": "openapi"}})
    finding = only(checked(ALL, now), "phase.promise-broken")
    assert finding.severity is Severity.HIGH
    assert finding.message == (
        "GET /orders/{id} is gone; phase foundation provides it; the nearest is POST /orders/{id}"
    )
    assert (finding.path, finding.line) == ("phases/foundation.md", 5)
    again = only(checked("## Provides\nnone\n", now), "phase.promise-broken")
    assert again.fingerprint == finding.fingerprint, "it is the same whatever else is written"


def test_a_table_that_is_gone_is_one_finding_and_not_one_for_each_column() -> None:
    now = Snapshot(**{**_fields(NOW), "tables": {"search_index": Table({"word": ""})}})  # type: ignore[arg-type]
    promised = tuple(Reference("tables", name, "x") for name in ("orders", "orders.id", "orders.total"))
    found = checked("## Provides\n- table `a` (`b`, `c`)\n- from\n", now, (EarlierPhase("foundation", THEN, promised),))
    assert [message for _, message in told(found) if "orders" in message] == [
        "table orders is gone; phase foundation provides it"
    ]
    assert [message.partition(" is not there")[0] for rule, message in told(found) if rule == "unresolved"] == [
        "table a"
    ]


def test_contradictions_are_told() -> None:
    text = ALL + "## Consumes\n- `GET /search`\n- `orders.id` from foundation\n- `orders.id` from search\n"
    found = [message for rule, message in told(checked(text)) if rule == "contradiction"]
    assert found == [
        "GET /search is provided (phases/search.md:2) and consumed (phases/search.md:8)",
        "orders.id comes from foundation (phases/search.md:9) and from search (phases/search.md:10)",
    ]


def test_a_section_that_says_nothing_readable_is_a_finding() -> None:
    finding = only(checked("## Provides\n\nAll sorts of things.\n"), "phase.unreadable")
    assert (finding.line, finding.severity) == (1, Severity.MEDIUM)


@pytest.mark.parametrize(
    ("prose", "message"),
    [
        ("`GET /serach`", "GET /serach is not there; the nearest is GET /search"),
        ("`orders.totl`", "column orders.totl is not there; the nearest is orders.total"),
        ("`orders/apps.py`", "file orders/apps.py is not there"),
        ("`GET /orders/17` `orders.total` `orders/app.py` `GET /orders?limit=3`", None),
        ("`os.environ` `orders.app` `main.py` `order.placed` `a.b` `GET` `application/json` `x = 1`", None),
        ("GET /nowhere without code", None),
    ],
)
def test_what_the_text_mentions_in_code_is_looked_up(prose: str, message: str | None) -> None:
    from gates.tools.phase.snapshot import Component

    now = Snapshot(**{**_fields(NOW), "components": {"orders/app.py": Component(1, 1)}})
    found = checked(f"# Search\n\n{prose}\n\n{ALL}", now, files="orders/app.py main.py")
    if message is None:
        assert told(found) == []
    else:
        finding = only(found, "phase.prose-unresolved")
        assert finding.severity is Severity.LOW
        assert finding.message == message


def test_what_was_not_seen_is_a_gap_and_no_finding() -> None:
    blind = Snapshot(operations=NOW.operations, not_seen={"tables": "no database was found"})
    found = checked("## Provides\n- `GET /search`\n- table `search_index`\n", blind, ())
    assert [finding.rule for finding in found.findings] == ["phase.unlisted"]
    assert [(gap.what, gap.reason) for gap in found.gaps] == [
        ("whether the tables and columns of the phase document are there", "no database was found")
    ]
    broken = checked(
        "## Provides\n- `GET /search`\n", Snapshot(**{**_fields(NOW), "tables": {}, "not_seen": {"tables": "no"}})
    )
    assert [gap.what for gap in broken.gaps] == ["whether phase foundation keeps its promises (tables and columns)"]


def test_a_phase_that_is_not_signed_off_or_saw_too_little_is_a_gap() -> None:
    text = ALL + "## Consumes\n- from fundation: `GET /orders`\n- from foundation: `orders.id`\n"
    seen_little = EarlierPhase("foundation", Snapshot(operations=THEN.operations, not_seen={"tables": "no phase gate"}))
    found = checked(text, NOW, (seen_little,))
    assert [one.rule for one in found.findings if one.severity in (Severity.HIGH, Severity.MEDIUM)] == []
    gaps = {gap.what: gap for gap in found.gaps}
    assert set(gaps) == {"what is consumed from phase fundation", "the tables and columns that phase foundation had"}
    assert "did you mean 'foundation'" in gaps["what is consumed from phase fundation"].hint
    assert "without `from foundation`" in gaps["the tables and columns that phase foundation had"].hint


def test_every_finding_is_of_a_rule_that_is_explained() -> None:
    text = "`GET /x` `orders.y`\n## Provides\n- `GET /serach`\n## Consumes\nhm, well\n- `GET /serach`\n"
    rules = {finding.rule for finding in checked(text).findings}
    assert rules <= set(RULES)
    assert len(rules) >= 4
    for rule in RULES.values():
        assert rule.summary.endswith(".")
        assert rule.why
        assert rule.fix


def test_identities_survive_moved_lines_and_reworded_texts() -> None:
    first = checked(ALL + "- `GET /serach`\n").findings
    moved = checked("# Search\n\nwords\n\n" + ALL + "- `GET /serach`: find\n").findings
    assert [one.fingerprint for one in first] == [one.fingerprint for one in moved]
    assert [one.line for one in first] != [one.line for one in moved]
