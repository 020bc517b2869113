"""`gates contract` as its users meet it: a real process, files of every kind, exit codes, outputs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from projects import Project, Said, environment

from gates.contract import RULES

OK = {"description": "ok"}


def described(*paths: str, version: str = "1.0.0") -> dict[str, Any]:
    operations = {path: {"get": {"responses": {"200": OK}}} for path in paths}
    return {"openapi": "3.1.0", "info": {"title": "small", "version": version}, "paths": operations}


@pytest.fixture
def folder(tmp_path: Path) -> Project:
    """A folder with documents and without a project."""
    project = Project(tmp_path)
    project.write(
        {
            "old.json": json.dumps(described("/a", "/b")),
            "less.json": json.dumps(described("/a")),
            "more.json": json.dumps(described("/a", "/b", "/c")),
            "same.yaml": "openapi: 3.1.0\ninfo: {title: other words, version: 1.0.0}\npaths:\n"
            "  /b: {get: {responses: {200: {description: fine}}}}\n"
            "  /a: {get: {responses: {200: {description: fine}}}}\n",
            "outside.json": json.dumps({**described("/a"), "paths": {"/a": {"$ref": "elsewhere.json#/a"}}}),
        }
    )
    return project


def test_0_the_same_in_other_words(folder: Project) -> None:
    said = folder.gates("contract", "old.json", "same.yaml")
    assert (said.code, said.err) == (0, "")
    assert "PASS · nothing changed for those who use the API · exit code 0" in said.out


def test_0_what_is_only_added(folder: Project) -> None:
    said = folder.gates("contract", "old.json", "more.json")
    assert said.code == 0
    assert "Additive (1)" in said.out
    assert "GET /c: new" in said.out
    assert "PASS · 0 breaking, 0 may break, 1 additive · exit code 0: passed" in said.out


def test_1_what_breaks(folder: Project) -> None:
    said = folder.gates("contract", "old.json", "less.json")
    assert (said.code, said.err) == (1, "")
    assert "old.json → less.json" in said.out
    assert "Breaks clients (1)" in said.out
    assert "✗ GET /b: gone, and it was not deprecated before" in said.out
    assert "contract.operation-removed · /paths · was /paths/~1b/get" in said.out
    assert "something breaks clients, and the version is still 1.0.0" in said.out
    assert "FAIL · 1 breaking, 1 may break, 0 additive · exit code 1" in said.out
    assert "next  gates explain contract.operation-removed" in said.out


def test_what_it_says_next_works_without_a_project(folder: Project) -> None:
    said = folder.call("explain", "contract.operation-removed")
    assert (said.code, said.err) == (0, "")
    assert "an operation that the earlier document had is gone" in said.out
    assert folder.call("explain", "contract.operation-gone").code == 3


@pytest.mark.parametrize(
    ("old", "new", "options", "code"),
    [
        ("old", "less", ("--fail-on", "error"), 1),
        ("old", "less", ("--fail-on", "never"), 0),
        ("old", "less", ("--severity", "contract.operation-removed=warning"), 1),
        ("old", "less", ("--severity", "contract.operation-removed=warning", "--fail-on", "error"), 0),
        ("old", "less", ("--severity", "contract.operation-removed=info"), 0),
        ("old", "more", ("--severity", "contract.operation-added=warning"), 1),
        ("old", "more", ("--severity", "contract.operation-added=error", "--fail-on", "error"), 1),
    ],
)
def test_from_what_on_it_fails(folder: Project, old: str, new: str, options: tuple[str, ...], code: int) -> None:
    said = folder.call("contract", f"{old}.json", f"{new}.json", *options)
    assert said.code == code, said


def test_several_severities(folder: Project) -> None:
    quiet = ("--severity", "contract.operation-removed=off", "--severity", "contract.operation-added=warning")
    assert folder.call("contract", "old.json", "less.json", *quiet).code == 0
    said = folder.call("contract", "less.json", "old.json", *quiet)
    assert said.code == 1
    assert "May break clients (1)" in said.out


def test_4_what_could_not_be_compared(folder: Project) -> None:
    said = folder.call("contract", "outside.json", "outside.json", "--fail-on", "never")
    assert said.code == 4
    assert "Not compared (2)" in said.out
    assert "elsewhere.json#/a" in said.out
    assert "UNKNOWN · 0 breaking, 0 may break, 0 additive, 2 not compared · exit code 4" in said.out


def test_a_break_counts_more_than_what_could_not_be_compared(folder: Project) -> None:
    assert folder.call("contract", "old.json", "outside.json").code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.json", "old.json"), "missing.json does not exist"),
        (("old.json", "."), ". is a folder"),
        (("old.json", "bytes.json"), "bytes.json: the document is not valid UTF-8"),
        (("old.json", "none.json"), "none.json: the document names no OpenAPI version"),
        (("old.json", "text.txt"), "text.txt: the document"),
        (("old.json", "empty.json"), "empty.json is empty"),
        (("old.json", "half.json"), "half.json: the document is not valid JSON"),
        (("old.json", "list.json"), "list.json: the document is not an object"),
        (("old.json", "deep.json"), "deep.json: the document is not valid JSON: it is nested deeper than"),
        (("a", "b", "c"), "3 documents were named"),
        ((), "Missing argument"),
        (("old.json", "less.json", "--fail-on", "errors"), "--fail-on errors: there is no such level"),
        (("old.json", "less.json", "--severity", "contract.type-changed"), "it has no severity"),
        (
            ("old.json", "less.json", "--severity", "contract.typ-changed=off"),
            "there is no rule 'contract.typ-changed'",
        ),
        (("old.json", "less.json", "--severity", "contract.type-changed=no"), "there is no severity 'no'"),
        (("old.json", "less.json", "--json", "old.json"), "--json old.json would be written over"),
        (("old.json", "less.json", "--markdown", "."), "--markdown . cannot be written"),
    ],
    ids=str,
)
def test_2_what_is_no_description_and_what_is_no_option(
    folder: Project, arguments: tuple[str, ...], message: str
) -> None:
    folder.write({"none.json": "{}", "empty.json": " \n", "half.json": '{"openapi"', "list.json": "[]"})
    folder.write({"text.txt": "Dear reader", "deep.json": "[" * 100_000})
    (folder.root / "bytes.json").write_bytes(b'{"openapi": "3.1.0", "info": "\xff\xfe"}')
    before = (folder.root / "old.json").read_bytes()
    said = folder.call("contract", *arguments)
    assert said.code == 2, said
    assert message in " ".join(said.err.split())
    assert said.out == ""
    assert "Traceback" not in said.err
    assert (folder.root / "old.json").read_bytes() == before


def test_a_mistaken_rule_is_told_the_nearest(folder: Project) -> None:
    said = folder.call("contract", "old.json", "less.json", "--severity", "contract.typ-changed=off")
    assert "did you mean 'contract.type-changed'?" in said.err


def test_a_file_that_may_not_be_read(folder: Project) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (folder.root / "old.json").chmod(0)
    said = folder.call("contract", "old.json", "less.json")
    assert (said.code, "cannot be read" in said.err) == (2, True)


def test_a_document_from_a_pipe(folder: Project) -> None:
    command = f'"{sys.executable}" -m gates contract <(cat old.json) more.json'
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder.root, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "GET /c: new" in done.stdout


def test_json_for_other_programs(folder: Project) -> None:
    said = folder.gates("contract", "old.json", "less.json", "--json", "-")
    result = json.loads(said.out)
    assert (said.code, result["exit_code"], result["verdict"], result["fail_on"]) == (1, 1, "fail", "warning")
    assert result["format"] == "gates.contract/1"
    assert result["earlier"] == {"file": "old.json", "title": "small", "version": "1.0.0", "operations": 2}
    assert result["summary"] == {"error": 1, "warning": 1, "info": 0, "unread": 0}
    assert result["changes"][0] == {
        "rule": "contract.operation-removed",
        "severity": "error",
        "message": "GET /b: gone, and it was not deprecated before",
        "operation": "GET /b",
        "operations": ["GET /b"],
        "pointer": "/paths",
        "earlier_pointer": "/paths/~1b/get",
        "fingerprint": result["changes"][0]["fingerprint"],
        "fix": RULES["contract.operation-removed"].fix,
    }
    assert re.fullmatch(r"[0-9a-f]{16}", result["changes"][0]["fingerprint"])
    assert list(result) == [
        "format", "earlier", "new", "verdict", "exit_code", "fail_on", "summary", "changes", "unread",
    ]  # fmt: skip


def test_files_are_written_beside_what_is_shown(folder: Project) -> None:
    said = folder.call("contract", "old.json", "less.json", "--json", "out/c.json", "--markdown", "out/c.md")
    assert said.code == 1
    assert "FAIL" in said.out
    assert json.loads((folder.root / "out" / "c.json").read_text())["exit_code"] == 1
    markdown = (folder.root / "out" / "c.md").read_text()
    assert markdown.startswith("## ❌ API contract: 1 breaking, 1 may break, 0 additive")
    assert "### Breaks clients (1)" in markdown


def test_one_document_is_held_to_the_conventions(folder: Project) -> None:
    said = folder.gates("contract", "old.json")
    assert (said.code, said.err) == (1, "")
    assert "old.json → " not in said.out
    assert re.search(r"FAIL · \d+ errors?, \d+ warnings?, \d+ infos? · exit code 1", said.out)
    result = json.loads(folder.call("contract", "old.json", "--json", "-").out)
    assert result["earlier"] is None
    families = {change["rule"].partition(".")[0] for change in result["changes"]}
    assert families == {"doc", "rest"}


def test_rules_on_one_document_can_be_turned_off(folder: Project) -> None:
    result = json.loads(folder.call("contract", "old.json", "--json", "-").out)
    rules = sorted({change["rule"] for change in result["changes"]})
    off = [word for rule in rules for word in ("--severity", f"{rule}=off")]
    said: Said = folder.call("contract", "old.json", *off)
    assert (said.code, "nothing is wrong with it" in said.out) == (0, True), said
