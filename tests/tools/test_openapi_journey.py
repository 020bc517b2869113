"""Two phases of a FastAPI backend whose document is looked at: promises kept, broken, waived, and moved with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from projects import Project, deciding, gates_toml, small_project

from gates.pipeline.signoff import sign_off, verify_signoffs
from gates.results import FindingState, Run, Verdict

pytestmark = pytest.mark.slow

APP = '''
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI(title="Orders", version="1.0.0")


class Order(BaseModel):
    id: int
    item: str


@app.get("/health", include_in_schema=False)
def health() -> None:
    """It is up."""


@app.get("/api/v1/orders")
def list_orders(limit: int = 10) -> list[Order]:
    """Every order."""
    return [Order(id=1, item="tea")][:limit]


@app.get("/api/v1/orders/{number}")
def read_order(number: int) -> Order:
    """One order."""
    if number != 1:
        raise HTTPException(404)
    return Order(id=1, item="tea")
'''
GATE = '[gates.contract]\ntool = "openapi"\nchecks = ["contract", "documentation"]\nmentioned_in = ["CHANGELOG.md"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    start = "{python} -m uvicorn app:app --port {port}"
    toml = gates_toml(
        GATE, backend=f'start = "{start}"\nready = "/health"\nopenapi = "/openapi.json"',
        phases=("one", "two", "three"), left_out=deciding("documentation", "integration")
        + 'tests = "This is a test of something else."\n',
    )  # fmt: skip
    return small_project(tmp_path / "project", toml, **{"app.py": APP, "CHANGELOG.md": "# 1.0.0\n"})


def new(run: Run, *rules: str) -> list[Any]:
    """Return the new findings of a run that fail a gate, or those of some rules."""
    return [
        one
        for gate in run.gates
        for one in gate.readings.findings
        if one.state is FindingState.NEW and (one.rule in rules if rules else one.severity in ("high", "medium"))
    ]


def take_document(project: Project, run: Run) -> None:
    """Do what the finding about the committed document says."""
    (finding,) = new(run, "doc.not-committed", "doc.served-differs")
    command, source, target = finding.fix.partition(",")[0].split()
    assert command == "cp"
    (project.root / target).write_bytes((project.root / source).read_bytes())


def test_the_contract_goes_from_phase_to_phase(project: Project) -> None:
    run = project.check()
    assert [one.rule for one in new(run)] == ["doc.not-committed"]
    take_document(project, run)
    project.commit("the document")
    run = project.check()
    assert run.verdict is Verdict.PASS, [gate.reason for gate in run.gates]
    assert "contract: nothing to compare with: first phase" in run.gates[0].readings.notes
    sign_off(project.root, None, by="Somebody")

    # A promise is broken, and nobody wrote that down.
    broken = APP.replace('"/api/v1/orders/{number}"', '"/api/v1/order/{number}"').replace("item: str", "item: int")
    project.commit("a break", **{"app.py": broken})
    run = project.check()
    assert run.verdict is Verdict.FAIL
    rules = {one.rule for one in new(run)}
    assert {"contract.operation-removed", "doc.served-differs", "doc.version-not-moved", "doc.not-mentioned"} <= rules
    (removed,) = new(run, "contract.operation-removed")
    assert removed.operation == "GET /api/v1/orders/{number}"
    assert "contract.major-version" in rules
    cells = {row.operation: row.compatible for row in run.operations}
    assert cells["GET /api/v1/orders"] is False, "what it answers with changed its type"

    # The break is taken back, an operation is added, the version moved, the file taken, the change mentioned.
    more = APP.replace('version="1.0.0"', 'version="1.1.0"') + (
        '\n\n@app.get("/api/v1/items")\ndef list_items() -> list[str]:\n    """Every item."""\n    return ["tea"]\n'
    )
    project.commit("an addition", **{"app.py": more, "CHANGELOG.md": "# 1.1.0\n\n- GET /api/v1/items\n\n# 1.0.0\n"})
    take_document(project, project.check())
    project.commit("the document again")
    run = project.check()
    assert new(run) == [], "only an addition"
    assert new(run, "contract.operation-added")[0].operation == "GET /api/v1/items"
    cells = {row.operation: row.compatible for row in run.operations}
    assert all(cells.values())


def test_a_waived_break_is_signed_and_is_no_debt_of_the_phase_after(project: Project) -> None:
    take_document(project, project.check())
    project.commit("the document")
    project.check()
    sign_off(project.root, None, by="Somebody")
    gone = APP[: APP.index('@app.get("/api/v1/orders/{number}")')].replace('"1.0.0"', '"2.0.0"')
    project.commit("one operation less", **{"app.py": gone, "CHANGELOG.md": "- GET /api/v1/orders/{number} is gone\n"})
    take_document(project, project.check())
    project.commit("the document")
    run = project.check()
    (removed,) = new(run)
    assert removed.rule == "contract.operation-removed"
    said = project.call(
        "waive", removed.fingerprint, "--reason", "Nobody called it any more.", "--by", "Ada", "--until", "2099-12-31"
    )
    assert said.code == 0, said
    project.commit("a waiver")
    run = project.check()
    assert run.verdict is Verdict.PASS, [gate.reason for gate in run.gates]
    sign_off(project.root, None, by="Somebody")
    project.commit("signed")
    assert len(verify_signoffs(project.root)) == 2

    # In the phase after, the removal is no difference any more: the waiver is idle, and said to be.
    run = project.check()
    assert run.phase == "three"
    assert new(run) == []
    assert not [one for gate in run.gates for one in gate.readings.findings if one.rule.startswith("contract.")]
    assert any(re.search("matches no finding: take it out", note) for note in run.notes)
