"""The phase completion summary: all of it measured, harmless, bounded, and the same as long as the facts are."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from report_samples import HOSTILE, coverage_gate, failing_run, operation_rows, signoff

from gates.document import parse_document
from gates.reports import markdown
from gates.reports.markdown.shapes import of_schema, of_shape
from gates.results import (
    Finding,
    FindingState,
    GateResult,
    OperationRow,
    Readings,
    RecordedRequest,
    Severity,
    Verdict,
)
from gates.store import read_baseline
from gates.tools.phase import record
from gates.tools.phase.document import read_document
from gates.tools.phase.promises import EarlierPhase, check
from gates.tools.phase.references import Reference
from gates.tools.phase.resolve import Resolver
from gates.tools.phase.snapshot import Component, Snapshot, Table, bounded, differences, first_changes, to_json

RECORDED = Path(__file__).parent / "completion"
HOST = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
THEN = Snapshot(
    operations={"GET /orders": "openapi"},
    tables={"orders": Table({"id": "INTEGER, key", "old": "TEXT"}, place="shop.db")},
    dependencies={"requirements.txt": {"fastapi": "==1", "gone": ""}},
)
NOW = Snapshot(
    operations={"GET /orders": "openapi", "GET /search": "openapi"},
    tables={
        "orders": Table({"id": "INTEGER, key", "note": "TEXT"}, place="shop.db"),
        "search_index": Table({"word": "TEXT, not null"}, place="shop.db"),
    },
    events={"order.placed": "shop/app.py:31"},
    environment={"SHOP_LIMIT": "shop/app.py:12"},
    dependencies={"requirements.txt": {"fastapi": "==2", "httpx": ""}},
    components={"shop/app.py": Component(1, 130), "shop/search": Component(3, 1)},
)
DOCUMENT = """## Provides
- `GET /search`
- table `search_index`
- `GET /serach`
## Consumes
- from foundation: `GET /orders`
"""
OPENAPI = {
    "openapi": "3.1.0", "info": {"title": "shop", "version": "1"},
    "paths": {
        "/orders": {
            "get": {
                "summary": "All orders", "responses": {"200": {"description": "", "content": {
                    "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}
                }}},
            },
            "post": {
                "requestBody": {"content": {"application/json": {"example": {"total": 3, "password": "hunter2"}}}},
                "responses": {"201": {"description": "made"}},
            },
        },
    },
    "components": {"schemas": {"Order": {
        "type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"}, "note": {"type": ["string", "null"]},
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}},
        },
    }}},
}  # fmt: skip


def phase_gate(now: Snapshot = NOW, then: Snapshot | None = THEN, text: str = DOCUMENT) -> GateResult:
    """Return a phase gate as the tool leaves it."""
    written = read_document(text, "phases/search.md", ("foundation", "search"))
    changes = differences(then, now) if then else first_changes(now)
    promised = (Reference("operations", "GET /orders", "phases/foundation.md:3"),)
    earlier = [EarlierPhase("foundation", then, promised)] if then else []
    checked = check(written, Resolver(now), earlier, "search", changes)
    since = "foundation" if then else ""
    documents = {
        "snapshot": to_json(bounded(now)), "phase": record.to_json("search", since, written, checked, changes),
    }  # fmt: skip
    return GateResult("promises", "phase", Verdict.PASS, 1.0, readings=Readings(documents=documents))


def recorded(operation: str, path: str, status: int = 200, **more: Any) -> RecordedRequest:
    headers = {"Authorization": "Bearer s3cret"}
    return RecordedRequest(operation, operation.split()[0], path, headers, status=status, **more)


def sheet(*gates: GateResult, **changes: Any) -> str:
    return markdown.render_signoff(signoff(run=failing_run(gates=gates, **changes)))


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}.*?\n\n(.*?)(?=\n\n## |\Z)", text, re.S | re.M)
    assert found, f"{title} is missing in:\n{text}"
    return found[1]


# ---- what stands in it


def test_a_real_sign_off_is_rendered_as_it_was_reviewed() -> None:
    """Recorded: a FastAPI service with SQLite, its second phase, as `gates signoff` wrote both files."""
    kept = read_baseline(RECORDED / "02-search.db")
    assert markdown.render_signoff(kept) == (RECORDED / "02-search.md").read_text("utf-8")


def test_schema_dependencies_and_components_with_what_changed() -> None:
    text = sheet(phase_gate())
    assert "In short: 2 operations (1 new), 2 tables (2 new), 1 event (1 new)" in text
    assert section(text, "Schema").splitlines() == [
        "2 tables, as they are in the started backend: `shop.db`",
        "",
        "- `orders`: `id` (INTEGER, key), `note` (TEXT) (new)",
        "- `search_index` (new): `word` (TEXT, not null)",
        "",
        "Since phase foundation:",
        "",
        "- gone: `orders.old`",
    ]
    assert section(text, "Dependencies").splitlines() == [
        "- `requirements.txt`: 2",
        "  - `fastapi ==2`",
        "  - `httpx`",
        "",
        "Since phase foundation:",
        "",
        "- new: `httpx (requirements.txt)`",
        "- gone: `gone (requirements.txt)`",
        "- changed: `fastapi (requirements.txt)`: `==1` → `==2`",
    ]
    assert "- `SHOP_LIMIT` (new), read in `shop/app.py`" in section(text, "Environment variables")
    assert "- `order.placed` (new), published in `shop/app.py`" in section(text, "Events")
    assert "- `shop/search` (new): 3 files, 1 line" in section(text, "Components")


def test_what_is_provided_and_consumed_comes_first_and_what_is_not_there_is_said() -> None:
    text = sheet(phase_gate())
    relied = section(text, "What the next phase may rely on")
    provided = "By its document (`phases/search.md`) it provides:\n\n- `GET /search`\n- table `search_index`\n"
    assert relied.startswith(provided)
    assert "Listed there, and not in the project: `GET /serach`." in relied
    assert "Operations that were seen to work as documented:" in relied
    assert section(text, "What this phase builds on") == "From phase foundation:\n\n- `GET /orders`"
    assert "<summary>Of phase foundation, and there still (1)</summary>\n\n- `GET /orders`\n" in relied
    assert text.index("## What the next phase may rely on") < text.index("## Endpoints") < text.index("## Targets")


def test_in_a_first_phase_nothing_is_marked_as_new() -> None:
    text = sheet(phase_gate(then=None))
    assert "(new)" not in text
    assert "Since phase" not in text
    assert "In short: 2 operations, 2 tables, 1 event" in text


def test_endpoints_have_a_recorded_request_and_the_form_of_its_answer() -> None:
    steps = json.dumps({"format": 1, "kind": "success", "steps": [{"operation": "POST /orders"}]})
    missing = json.dumps({"format": 1, "kind": "missing", "steps": []})
    shape = json.dumps({"type": "application/json", "body": {
        "properties": {"id": "number", "items": {"items": {"properties": {"sku": "string"}}}, "note": {
            "kinds": ["null", "string"]}}, "sometimes": ["note"]}})  # fmt: skip
    replay = GateResult("replay", "replay", Verdict.PASS, 1.0, readings=Readings(requests=(
        recorded("GET /orders/{id}", "/orders/nothing", 404, shape=shape, steps=missing),
        recorded("GET /orders/{id}", "/orders/~captured-1~?api_key=s3cret&x=1", shape=shape, steps=steps),
        recorded("POST /orders", "/orders", 201, body='{"total": 1, "user": {"password": "s3cret"}}'),
    )))  # fmt: skip
    fuzz = GateResult("fuzz", "schemathesis", Verdict.PASS, 1.0, readings=Readings(
        requests=(recorded("GET /orders/{id}", "/orders/0"), recorded("GET /orders", "/orders")),
        documents={"openapi": json.dumps(OPENAPI)},
    ))  # fmt: skip
    rows = (
        OperationRow("GET /orders", "simple", True, True, (200,), p95=0.01, tested_by=("tests", "generated")),
        OperationRow("GET /orders/{id}", "simple", True, True, (200, 404)),
        OperationRow("POST /orders", "complex", True, False, (422,)),
        OperationRow("GET /search", "simple", True, None),
    )
    text = sheet(replay, fuzz, phase_gate(), operations=rows)
    found = section(text, "Endpoints")
    assert "| `GET /orders` |  | simple | 200 | by its tests, by generated requests | 10 ms |" in found
    assert "| `GET /search` | new | simple | – | – | – |" in found
    assert "| `POST /orders` |  | complex | 422 | without success | – |" in found
    assert "  - request: `GET /orders/~captured-1~?api_key=[redacted]&x=1` after `POST /orders`\n" in found
    assert "  - answers 200: application/json `{id: number, items: [{sku: string}], note?: null | string}`" in found
    assert '  - request: `POST /orders`, body `{"total": 1, "user": {"password": "[redacted]"}}`' in found
    assert "- `GET /orders`: All orders\n  - request: `GET /orders`\n" in found
    assert "  - answers 200, by the document: application/json `[{id: number, note?: string | null, lines?: " in found
    assert "- `GET /search`\n  - no example is known" in found
    assert "`~captured-1~` stands for what an earlier step answered" in found
    assert "s3cret" not in text


def test_without_recorded_requests_the_examples_are_those_of_the_document() -> None:
    readings = Readings(documents={"openapi": json.dumps(OPENAPI)})
    gate = GateResult("api", "openapi", Verdict.PASS, 1.0, readings=readings)
    rows = (OperationRow("POST /orders", "complex", True, True, (201,)),)
    found = section(sheet(gate, operations=rows), "Endpoints")
    assert '  - request, by the document: `POST /orders`, body `{"total": 3, "password": "[redacted]"}`' in found
    assert "  - answers 201, by the document: without a body" in found
    assert "no request was recorded: add a `replay` gate" in found


def test_changes_of_the_interface_are_those_of_the_openapi_gate() -> None:
    change = Finding(
        "contract.operation-removed", Severity.HIGH, "GET /old is gone", "ab", operation="GET /old",
        state=FindingState.WAIVED,
    )  # fmt: skip
    other = Finding("doc.tag", Severity.LOW, "no tag", "cd")
    gate = GateResult("api", "openapi", Verdict.PASS, 1.0, readings=Readings(findings=(change, other)))
    found = section(sheet(gate), "Changes of the interface since phase foundation")
    assert found == "- GET /old is gone (contract.operation-removed, high)", "it is told although it is waived"
    without = replace(gate, readings=Readings())
    assert section(sheet(without), "Changes of the interface") == "none that a rule knows of"
    failed = replace(without, verdict=Verdict.ERROR)
    assert section(sheet(failed), "Changes of the interface") == "not known: the gate `api` is error"
    assert section(sheet(without, baseline_phase=None), "Changes of the interface").startswith("there is no earlier")


def test_a_target_stands_beside_what_it_was() -> None:
    found = section(sheet(coverage_gate()), "Targets")
    assert "| `coverage.lines` | `>= 90 %` | 96.41 % | pass | 95.8 % |" in found


def test_coverage_and_tests_stand_together_and_are_not_told_twice() -> None:
    text = sheet(coverage_gate())
    found = section(text, "Coverage and tests")
    assert "- `coverage.branches`: 91 % (91 of 100)" in found
    assert "- `tests.total`: 41" in found
    assert "`tests`: 40 of 41 tests passed" in found
    assert "coverage" not in section(text, "Measured as a whole")


def test_waivers_have_a_section_of_their_own_with_who_and_until_when() -> None:
    finding = Finding("x.y", Severity.HIGH, "it is bad", "ab12", state=FindingState.WAIVED)
    gate = GateResult("api", "openapi", Verdict.PASS, 1.0, readings=Readings(findings=(finding,)))
    waiver = {"fingerprint": "ab12", "by": "Ada", "until": "2027-01-31", "reason": "it waits"}
    text = sheet(gate, policy=json.dumps({"waivers": [waiver]}))
    assert section(text, "Waived, with a reason and a date") == (
        "- `ab12` it is bad (x.y, high) (waived by Ada until 2027-01-31: it waits)"
    )
    assert "it is bad" not in section(text, "Findings known at this sign-off")


# ---- what is not there


def test_what_no_gate_measured_is_said_and_never_left_out() -> None:
    text = sheet(operations=())
    titles = ("What this phase builds on", "Schema", "Events", "Environment variables", "Dependencies", "Components")
    for title in titles:
        assert section(text, title) == "not measured: add a `phase` gate"
    assert "not measured: add a `phase` gate" in section(text, "What the next phase may rely on")
    assert section(text, "Endpoints") == "not measured: no gate has kept an OpenAPI document: add an `openapi` gate"
    assert section(text, "Changes of the interface") == "not measured: add an `openapi` gate"
    assert section(text, "Coverage and tests") == "not measured: add a `coverage` gate"
    assert section(text, "Measured per operation") == "not measured: add a `locust` gate"


def test_a_phase_gate_that_brought_nothing_is_named_with_its_verdict() -> None:
    gate = GateResult("promises", "phase", Verdict.ERROR, 1.0, reason="it broke")
    assert section(sheet(gate), "Schema") == "not measured: the gate `promises` is error"


def test_what_the_phase_gate_could_not_see_is_told_with_the_reason() -> None:
    text = sheet(phase_gate(replace(NOW, tables={}, not_seen={"tables": "there is *no* database"})))
    assert section(text, "Schema") == r"not seen: there is \*no\* database"


@pytest.mark.parametrize("name", ["snapshot", "phase"])
def test_a_later_format_is_not_guessed_at(name: str) -> None:
    gate = phase_gate()
    documents = {**gate.readings.documents, name: '{"format": "gates.later/9"}'}
    text = sheet(replace(gate, readings=replace(gate.readings, documents=documents)))
    assert "is of another format than this version knows" in section(text, "Schema")


# ---- harmless, bounded, the same


class Page(HTMLParser):
    """The tags of a rendered sheet, and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(HOST.render(text))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name == "style" for name, _ in attributes), attributes


OURS = {
    "h1", "h2", "p", "ul", "li", "code", "br", "details", "summary", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def hostile_gates() -> tuple[GateResult, ...]:
    """A backend whose names, schema, source and answers were all chosen by an enemy."""
    words = HOSTILE.replace("\ud800", "")
    many = [f"{words}{number}" for number in range(20)]
    now = Snapshot(
        operations=dict.fromkeys((f"GET /{one}" for one in many), words),
        tables={one: Table({words: words}, place=words) for one in many},
        events=dict.fromkeys(many, words), environment=dict.fromkeys(many, words),
        dependencies={words: dict.fromkeys(many, words)}, components={one: Component(1, 1) for one in many},
        not_seen={},
    )  # fmt: skip
    document = {
        "openapi": "3.1.0", "info": {"title": words, "version": words}, "paths": {
            f"/{words}": {"get": {"summary": words, "responses": {"200": {"description": words, "content": {words: {
                "schema": {"type": "object", "properties": {words: {"type": words}}}}}}}}},
        },
    }  # fmt: skip
    shape = json.dumps({"type": words, "body": {"properties": {words: words}}})
    steps = json.dumps({"kind": "success", "steps": [{"operation": words}]})
    requests = (
        recorded(f"GET /{words}", words, body=words, shape=shape),
        recorded("GET /b", words, body=words, shape="nonsense", steps=steps),
    )
    change = Finding("contract." + words, Severity.HIGH, words, "ab", words, 1, words)
    return (
        replace(phase_gate(now), gate="a"),
        GateResult("b", "openapi", Verdict.PASS, 1.0, readings=Readings(
            documents={"openapi": json.dumps(document)}, requests=requests, findings=(change,),
        )),
    )  # fmt: skip


def test_hostile_text_becomes_no_tag_no_link_and_notifies_nobody() -> None:
    words = HOSTILE.replace("\ud800", "")
    rows = (OperationRow(f"GET /{words}", words, True, True, (200,), tested_by=(words,)), OperationRow("GET /b", "x"))  # type: ignore[arg-type]
    text = sheet(*hostile_gates(), operations=rows)
    page = Page(text)
    assert set(page.tags) <= OURS
    assert page.tags.count("details") == text.count("<details>") == text.count("\n</details>") > 3
    outside = re.sub(r"(`+)(?!`).*?[^`]\1(?!`)", "", text)
    assert not re.search(r"(?<![A-Za-z0-9&])[@#][A-Za-z0-9]", re.sub(r"(?m)^#+ ", "", outside)), "somebody is notified"
    assert not re.search(r"https?://", re.sub("<summary>.*", "", outside)), "an address would become a link"
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_huge_project_is_folded_and_bounded_with_counts() -> None:
    now = Snapshot(
        operations={f"GET /{number}": "" for number in range(4000)},
        tables={f"t{number}": Table({f"c{column}": "" for column in range(90)}) for number in range(900)},
        events={f"e{number}": "" for number in range(900)},
        environment={f"E{number}": "a.py:1" for number in range(900)},
        dependencies={"uv.lock": {f"p{number}": "1" for number in range(3000)}},
        components={f"c{number}": Component(1, 1) for number in range(900)},
    )
    rows = tuple(replace(operation_rows()[0], operation=f"GET /{number}") for number in range(4000))
    text = sheet(phase_gate(now), operations=rows)
    assert len(text) < 600_000
    assert len(text.splitlines()) < 5000
    assert "and 600 more, in the baseline beside this file" in section(text, "Events")
    assert "and 30 more" in section(text, "Schema")
    assert "<summary>900 tables with their columns</summary>" in text
    assert "and 3,700 more, in the baseline beside this file" in section(text, "Endpoints")


def test_the_summary_changes_only_where_the_facts_did() -> None:
    gates = (phase_gate(), coverage_gate())
    run = failing_run(gates=gates)
    moved = replace(NOW, environment={"SHOP_LIMIT": "shop/app.py:99"}, events={"order.placed": "shop/app.py:1"})
    again = replace(
        run, id="another", started="2027-01-01T00:00:00Z", seconds=9.0, operations=tuple(reversed(run.operations)),
        gates=(coverage_gate(), phase_gate(moved)),
    )  # fmt: skip
    assert markdown.render_signoff(signoff(run=run)) == markdown.render_signoff(signoff(run=again))


# ---- forms of bodies in a line


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("string", "string"),
        ({"kinds": ["null", "number"]}, "null | number"),
        ({"items": None}, "[]"),
        ({"items": "number"}, "[number]"),
        ({"properties": {"a": "string", "b": {"items": {"properties": {"c": "boolean"}}}}, "sometimes": ["a"]},
         "{a?: string, b: [{c: boolean}]}"),
        ({"kinds": ["object"], "keys": "number"}, "{[key]: number}"),
        ({"kinds": ["array", "null"], "items": "string"}, "[string] | null"),
        (7, "…"),
        ({"properties": {f"p{number}": {"kinds": ["null", "string"]} for number in range(500)}}, None),
    ],
)  # fmt: skip
def test_recorded_shapes(shape: Any, line: str | None) -> None:
    told = of_shape(shape)
    if line is None:
        assert told.endswith("…}")
        assert len(told) < 5000
    else:
        assert told == line


@pytest.mark.parametrize(
    ("schema", "line"),
    [
        ({"type": "integer"}, "number"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"type": "string", "nullable": True}, "string | null"),
        ({"type": "array", "items": {"type": "string"}}, "[string]"),
        ({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}, "{a: string, b?: any}"),
        ({"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {}}}]},
         "{a: string, b?: any}"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "string"}]}, "string | number"),
        ({"additionalProperties": {"type": "integer"}}, "{[key]: number}"),
        ({"$ref": "#/components/schemas/Gone"}, "…"),
        (True, "any"),
        ({"$ref": "#/components/schemas/Loop"}, None),
        ({"$ref": "#/components/schemas/Wide"}, None),
    ],
)  # fmt: skip
def test_schemas_of_a_document(schema: Any, line: str | None) -> None:
    loop = {"properties": {"next": {"$ref": "#/components/schemas/Loop"}}}
    wide: dict[str, Any] = {"allOf": [{"$ref": "#/components/schemas/Wide"}] * 50}
    content = {"openapi": "3.1.0", "info": {}, "paths": {}, "components": {"schemas": {"Loop": loop, "Wide": wide}}}
    told = of_schema(schema, parse_document(json.dumps(content)))
    if line is None:
        assert len(told) < 2000
    else:
        assert told == line
