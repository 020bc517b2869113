"""The gate `phase` for real: a backend with a database, two phases, what is written down and what is not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from projects import Project, deciding, gates_toml, small_project

from gates.config.load import build_configuration
from gates.errors import ConfigurationError
from gates.explain import explain
from gates.pipeline.signoff import sign_off, verify_signoffs
from gates.results import FindingState, GateResult, Run, Verdict
from gates.tools.phase import RULES, PhaseDocument
from gates.tools.phase.document import read_document
from gates.tools.phase.snapshot import from_json

BACKEND = """
import os, sqlite3, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

database = sqlite3.connect(Path(sys.argv[2]) / "shop.db")
database.execute("PRAGMA journal_mode = WAL")
for statement in Path("schema.sql").read_text().split(";"):
    database.execute(statement)
database.commit()
LIMIT = os.environ.get("SHOP_LIMIT", "50")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = Path("openapi.json").read_bytes() if self.path == "/openapi.json" else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def place(bus):
    bus.publish("order.placed", {})


HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
GATE = '[gates.promises]\ntool = "phase"\n'
ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL NOT NULL)"
DOCUMENT = """# The shop

## Provides

- `GET /orders`
- `GET /orders/{number}`
- table `orders` (`id`, `total`)
- event `order.placed`
- environment `SHOP_LIMIT`

## Consumes

none
"""


def openapi(*paths: str) -> str:
    answer = {"get": {"responses": {"200": {"description": "It is there."}}}}
    return json.dumps(
        {"openapi": "3.1.0", "info": {"title": "shop", "version": "1"}, "paths": dict.fromkeys(paths, answer)}
    )


def shop(root: Path, gate: str = GATE, phases: str = "") -> Project:
    """Return a project of which only the item `integration` is to be decided, in two phases."""
    left_out = deciding("integration") + 'tests = "This is a test of something else."\n'
    toml = gates_toml(
        gate, left_out=left_out, phases=() if phases else ("one", "two"), more=phases,
        backend="start = '{python} shop/app.py {port} \"{data}\"'\nopenapi = \"/openapi.json\"",
    ).replace('source = ["small"]', 'source = ["shop"]')  # fmt: skip
    files = {
        "shop/app.py": BACKEND, "schema.sql": ORDERS, "openapi.json": openapi("/orders", "/orders/{id}"),
        "requirements.txt": "fastapi==0.1\n",
    }  # fmt: skip
    return small_project(root / "project", toml, **files)


def promises(run: Run) -> GateResult:
    return run.gates[0]


def told(run: Run, state: FindingState = FindingState.NEW) -> list[str]:
    return [f"{one.rule}: {one.message}" for one in promises(run).readings.findings if one.state is state]


def test_two_phases_from_nothing_written_to_a_broken_promise(tmp_path: Path) -> None:
    project = shop(tmp_path)

    # Nothing is written down: undecided, with the lines to paste, and the snapshot is kept all the same.
    run = project.check()
    assert promises(run).verdict is Verdict.UNKNOWN, promises(run)
    gap = promises(run).readings.gaps[0]
    assert gap.what == "phase one has no document"
    pasted = tomllib.loads(gap.hint.partition("gates.toml:\n")[2])
    assert pasted == {
        "provides": {
            "operations": ["GET /orders", "GET /orders/{id}"], "tables": ["orders"], "events": ["order.placed"],
            "environment": ["SHOP_LIMIT"],
        }
    }  # fmt: skip
    snapshot = from_json(promises(run).readings.documents["snapshot"])
    assert snapshot.tables["orders"].columns == {"id": "INTEGER, key", "total": "REAL, not null"}
    assert snapshot.tables["orders"].place == "shop.db"
    assert snapshot.environment["SHOP_LIMIT"].startswith("shop/app.py:")
    assert snapshot.dependencies == {"requirements.txt": {"fastapi": "==0.1"}}
    assert list(snapshot.components) == ["shop/app.py"]

    # The draft is the document.
    draft = project.call("phases", "--draft", "one")
    assert draft.code == 0, draft
    assert "- table `orders` (`id`, `total`)" in draft.out
    project.commit("what phase one provides", **{"phases/one.md": draft.out})
    run = project.check()
    assert (promises(run).verdict, told(run)) == (Verdict.PASS, []), promises(run)
    sign_off(project.root, None, by="Ada")

    # The second phase adds, and says so wrongly.
    wrong = DOCUMENT.replace("`GET /orders`", "`GET /serach`").replace("- `GET /orders/{number}`\n", "").replace(
        "none", "- from one: `GET /order/{id}`\n- environment `SHOP_LIMT`"
    )  # fmt: skip
    project.commit(
        "search", **{
            "schema.sql": f"{ORDERS}; CREATE TABLE search_index (word TEXT)", "phases/two.md": wrong,
            "openapi.json": openapi("/orders", "/orders/{id}", "/search"), "requirements.txt": "fastapi==0.2\nx\n",
        }
    )  # fmt: skip
    run = project.check()
    assert promises(run).verdict is Verdict.FAIL
    assert sorted(told(run)) == [
        "phase.unlisted: operation GET /search is new in phase two and not listed in its document",
        "phase.unlisted: table search_index is new in phase two and not listed in its document",
        "phase.unresolved: GET /order/{id} is not there; the nearest is GET /orders/{id}",
        "phase.unresolved: GET /serach is not there; the nearest is GET /search",
        "phase.unresolved: environment variable SHOP_LIMT is not there; the nearest is SHOP_LIMIT",
    ]  # fmt: skip
    item = next(item for item in run.done if item.item == "integration")
    assert item.verdict is Verdict.FAIL
    assert "the nearest is GET /search" in " ".join(item.reasons)

    right = (
        "## Provides\n- `GET /search`\n- table `search_index`\n\n"
        "## Consumes\n- from one: `GET /orders/{x}`, `orders.id`\n"
    )
    project.commit("rightly", **{"phases/two.md": right})
    run = project.check()
    assert (promises(run).verdict, told(run)) == (Verdict.PASS, []), promises(run)
    record = json.loads(promises(run).readings.documents["phase"])
    assert record["since"] == "one"
    assert record["changes"]["tables"] == {"added": ["search_index"], "removed": [], "changed": {}}
    assert record["changes"]["dependencies"]["changed"] == {"fastapi (requirements.txt)": "==0.1 → ==0.2"}
    sign_off(project.root, None, by="Ada")
    assert len(verify_signoffs(project.root)) == 2
    sheet = (project.root / "baselines" / "02-two.md").read_text("utf-8")
    assert (
        "In short: 3 operations (1 new), 2 tables (1 new), 1 event, 1 environment variable, 2 dependencies (1 new)."
        in sheet
    )
    assert "From phase one:\n\n- `GET /orders/{id}`\n- column `orders.id`\n" in sheet

    # What both phases provide goes.
    project.commit("a table less", **{"schema.sql": "CREATE TABLE search_index (word TEXT)"})
    run = project.check()
    assert promises(run).verdict is Verdict.FAIL
    broken = [text for text in told(run) if "promise-broken" in text]
    assert any("table orders is gone; phase one provides it" in text for text in broken), told(run)
    found = [finding for finding in promises(run).readings.findings if "broken" in finding.rule]
    assert {finding.path for finding in found} == {"phases/one.md"}
    assert all(finding.severity == "high" for finding in found)


@pytest.mark.parametrize(
    ("document", "words", "code"),
    [
        ("---\nprovides: [\n---\n", "phases/one.md:", 3),
        ("---\nprovides: {tabels: [a]}\n---\n", "did you mean 'tables'", 3),
        ("# One\n\nNo section here.\n", "phases/one.md has no section `Provides`", 4),
        ("", "phases/one.md has no section `Provides`", 4),
        ("## Provides\n\nA lot.\n", "nothing under 'Provides' could be read", 1),
        ("## Provides\n- `GET /order`\n", "GET /order is not there; the nearest is GET /orders", 1),
        ("## Provides\n- table `order`\n", "table order is not there; the nearest is orders", 1),
        ("## Provides\n- column `orders.totl`\n", "column orders.totl is not there; the nearest is orders.total", 1),
        ("## Provides\n- event `order.place`\n", "event order.place is not there; the nearest is order.placed", 1),
        ("## Provides\nnone\n## Consumes\n- `GET /orders` from phase zero\n", "a phase that is not signed off", 4),
        ("## Provides\n- `GET /orders`\n## Consumes\n- `GET /orders`\n", "is provided", 1),
    ],
)  # fmt: skip
def test_a_wrong_document_is_a_sentence_and_an_exit_code(wrong: Project, document: str, words: str, code: int) -> None:
    wrong.commit("a document", **{"phases/one.md": document})
    said = wrong.call("check")
    assert said.code == code, said
    assert words in " ".join(said.out.split()), said
    assert "Traceback" not in said.out + said.err


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return shop(tmp_path_factory.mktemp("wrong"))


def test_files_that_are_no_documents(tmp_path: Path) -> None:
    project = shop(tmp_path)
    (project.root / "phases").mkdir()
    for make, words in (
        (lambda path: path.write_bytes(b"## Provides\n\xff\n"), "phases/one.md is not UTF-8 text (byte 12)"),
        (lambda path: path.write_bytes(b"x" * 600_000), "phases/one.md is no phase document: it is too large"),
        (lambda path: path.mkdir(), "phases/one.md is no phase document: it is no file"),
    ):
        path = project.root / "phases" / "one.md"
        path.unlink(missing_ok=True)
        make(path)
        run = project.check()
        assert promises(run).verdict is Verdict.ERROR
        assert words in (promises(run).reason or "")


def test_the_table_of_gates_toml_is_as_good_as_a_file(tmp_path: Path) -> None:
    phases = (
        '[[phases]]\nname = "one"\nprovides.operations = ["GET /orders", "GET /orders/{number}"]\n'
        'provides.tables = ["orders"]\nconsumes.environment = ["SHOP_LIMIT"]\n'
    )
    project = shop(tmp_path, GATE + 'rules = { "phase.unlisted" = "warning" }\n', phases)
    run = project.check()
    assert told(run) == ["phase.unlisted: event order.placed is new in phase one and not listed in its document"]
    assert promises(run).verdict is Verdict.FAIL, "a project may want it to fail"
    text = (project.root / "gates.toml").read_text()
    project.write({"gates.toml": text.replace('"phase.unlisted" = "warning"', '"phase.unlisted" = "off"')})
    assert promises(project.check()).verdict is Verdict.PASS


def test_a_project_without_a_database_and_a_document_of_its_api(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.commit(
        "neither", **{
            "schema.sql": "", "phases/one.md": "## Provides\n- `GET /orders`\n- table `orders`\n",
            "shop/app.py": BACKEND.replace('Path(sys.argv[2]) / "shop.db"', '":memory:"'),
            "openapi.json": "{}",
        }
    )  # fmt: skip
    run = project.check()
    assert promises(run).verdict is Verdict.UNKNOWN
    reasons = " ".join(gap.reason for gap in promises(run).readings.gaps)
    assert "the backend's OpenAPI document could not be read" in reasons
    assert "no table was seen" in reasons
    assert [text for text in told(run) if "unresolved" in text] == [], "not seen is not gone"


def test_without_a_live_database_the_declared_tables_count(tmp_path: Path) -> None:
    project = shop(tmp_path)
    app = BACKEND.replace('Path(sys.argv[2]) / "shop.db"', '":memory:"').replace('Path("schema.sql").read_text()', '""')
    project.commit("elsewhere", **{"shop/app.py": app, "phases/one.md": DOCUMENT})
    run = project.check()
    assert promises(run).verdict is Verdict.PASS, promises(run)
    assert any("as migrations and models declare them" in note for note in promises(run).readings.notes)
    snapshot = from_json(promises(run).readings.documents["snapshot"])
    assert (snapshot.tables["orders"].origin, snapshot.tables["orders"].place) == ("declared", "schema.sql:1")


def test_a_backend_that_does_not_start_fails(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.commit("broken", **{"shop/app.py": "raise SystemExit('no database')\n", "phases/one.md": DOCUMENT})
    run = project.check()
    assert promises(run).verdict is Verdict.FAIL
    assert "no database" in (promises(run).reason or "")


# ---- the command


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("phases", "--draft", "oen"), "there is no phase 'oen'", 2),
        (("phases", "--draft", "one"), "no phase gate has looked at phase 'one' yet", 3),
    ],
)
def test_a_draft_needs_a_phase_and_a_run(tmp_path: Path, arguments: tuple[str, ...], words: str, code: int) -> None:
    project = shop(tmp_path)
    said = project.call(*arguments)
    assert (said.code, words in said.err) == (code, True), said
    assert said.out == ""
    assert "gates check promises --phase one" in said.err or code == 2


# ---- settings


def configured(toml: str) -> Any:
    return build_configuration(tomllib.loads('[project]\nname = "x"\n' + toml), Path("/nowhere"))


@pytest.mark.parametrize(
    ("toml", "message", "hint"),
    [
        ('provide.operations = ["GET /a"]', "[[phases]] number 1 has no key 'provide'", "did you mean 'provides'"),
        ('provides.operation = ["GET /a"]', "[[phases]] number 1 provides has no key 'operation'",
         "did you mean 'operations'"),
        ('provides.operations = "GET /a"', "this is a list", "Method and path"),
        ('provides.operations = ["orders"]', "'orders' is not an operation: write it as `GET /path`", ""),
        ('provides.operations = ["get /a"]', "'get /a' is not an operation", ""),
        ('provides.tables = ["order lines"]', "'order lines' is not a table or column", ""),
        ('provides.tables = [1]', "this is text, in quotes", ""),
        ('provides.environment = ["A-B"]', "'A-B' is not the name of an environment variable", ""),
        ('provides.events = [" "]', "an event has a name", ""),
        ('provides = ["GET /a"]', "this is a table", ""),
        ('consumes.operation = ["GET /a"]', "there is no key 'operation'", ""),
        ('consumes.zero.tables = ["a"]', "consumes from 'zero', which is no phase before it", ""),
        ('consumes.two.tables = ["a"]', "consumes from 'two', which does not come before it", ""),
        ('consumes.one.tables = ["a"]', "consumes from 'one', which does not come before it", ""),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_with_what_would_be_right(toml: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configured(f'[[phases]]\nname = "one"\n{toml}\n[[phases]]\nname = "two"\n')
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_misspelt_kind_below_a_phase_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        configured('[[phases]]\nname = "one"\n[[phases]]\nname = "two"\nconsumes.one.tabels = ["a"]\n')
    assert caught.value.message == "gates.toml: [[phases]] number 2 consumes.one has no key 'tabels'"
    assert "did you mean 'tables'" in caught.value.hint


def test_a_phase_with_the_name_of_a_kind_is_consumed_from_in_the_file() -> None:
    with pytest.raises(ConfigurationError, match="only phases/NAME"):
        configured('[[phases]]\nname = "events"\n[[phases]]\nname = "two"\nconsumes.events.tables = ["a"]\n')
    written = read_document("## Consumes\n### From events\n- table `a`\n", "phases/two.md", ("events", "two"))
    assert [(one.kind, one.phase) for one in written.consumes] == [("tables", "events")]


def test_rules_can_be_named_and_are_explained() -> None:
    for rule in RULES.values():
        assert rule.summary in explain(rule.id, {}, None)
    assert PhaseDocument().items == ("integration",)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('folder = "../x"', "'../x' is not a folder of the project"),
        ('folder = "/etc"', "'/etc' is not a folder of the project"),
        ('rules = { "phase.unlistd" = "off" }', "there is no rule 'phase.unlistd'; did you mean 'phase.unlisted'"),
        ('rules = { "phase.unlisted" = "high" }', "rules"),
        ('events = "announce"', "this is a list"),
        ('event = ["announce"]', "has no key 'event'"),
    ],
)
def test_a_wrong_setting(setting: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configured(f'[gates.promises]\ntool = "phase"\n{setting}\n')
    assert message in caught.value.message
