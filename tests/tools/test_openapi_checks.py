"""The openapi tool on documents that are served and kept: what it finds, what it cannot decide, what it keeps."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openapi_context import openapi_context, orders, signed_run, told

from gates.errors import NotMeasured, ToolError
from gates.results import Readings, Severity
from gates.tools.openapi import OpenApi

FAILING = (Severity.HIGH, Severity.MEDIUM)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project that committed the document it serves."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "openapi.json").write_text(json.dumps(orders()))
    return folder


def run(root: Path, served: Mapping[str, Any] | None, gate: OpenApi | None = None, **context: Any) -> Readings:
    return (gate or OpenApi()).run(openapi_context(root, served, **context))


def measured(readings: Readings) -> dict[str, float]:
    return {one.name: one.value for one in readings.measurements}


# The first phase


def test_in_the_first_phase_nothing_is_compared_and_the_document_is_kept(root: Path) -> None:
    readings = run(root, orders())
    assert told(readings, *FAILING) == []
    assert "contract: nothing to compare with: first phase" in readings.notes
    assert readings.gaps == ()
    assert json.loads(readings.documents["openapi"]) == orders()
    assert measured(readings) == {"openapi.operations": 2, "documentation.described": 1.0}


def test_only_what_is_asked_for_is_looked_at(root: Path) -> None:
    content = orders()
    del content["paths"]["/api/v1/orders"]["get"]["summary"]
    content["paths"]["/api/v1/getOrders"] = {"get": {"summary": "a", "responses": {"200": {"description": "b"}}}}
    by_check = {
        check: {rule.partition(".")[0] for rule in told(run(root, content, OpenApi(checks=(check,))))}
        for check in ("contract", "documentation", "rest")
    }
    assert by_check == {"contract": set(), "documentation": {"doc"}, "rest": {"rest"}}


def test_a_backend_without_a_document_is_not_measured(root: Path) -> None:
    with pytest.raises(NotMeasured, match=r"there is no OpenAPI document: GET /openapi\.json answered 404"):
        run(root, None)


# The document as a file


def test_a_file_is_read_without_starting_the_backend(root: Path) -> None:
    readings = run(root, None, openapi="openapi.json")
    assert "the document is a file of the project: nothing is served that could differ from it" in readings.notes
    assert told(readings, *FAILING) == []


@pytest.mark.parametrize("text", ["", "{", "paths: [", '{"openapi": "3.1.0"}', "\x00\xff"])
def test_a_file_that_is_no_document_is_an_error_of_the_gate(root: Path, text: str) -> None:
    (root / "api.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ToolError, match=r"the OpenAPI document api\.yaml cannot be read"):
        run(root, None, openapi="api.yaml")


# Served equals committed


def test_another_document_than_the_committed_one_is_told_with_how_to_take_it(root: Path) -> None:
    content = orders()
    content["paths"]["/api/v1/orders"]["get"]["summary"] = "All of them"
    readings = run(root, content)
    (finding,) = [one for one in readings.findings if one.rule == "doc.served-differs"]
    assert finding.severity is Severity.MEDIUM
    assert finding.message == "openapi.json is not what is served: GET /api/v1/orders differs"
    assert finding.path == "openapi.json"
    source = finding.fix.split()[1]
    assert finding.fix == f"cp {source} openapi.json, and commit it with the change"
    (root / "openapi.json").write_bytes((root / source).read_bytes())
    assert told(run(root, content), *FAILING) == []


@pytest.mark.parametrize("name", ["docs/openapi.yaml", "swagger.json", "api/openapi.yml", "orders/openapi.json"])
def test_the_usual_places_are_looked_at(root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / "openapi.json").rename(root / name)
    assert told(run(root, orders()), *FAILING) == []


def test_a_document_that_nobody_committed_is_told(root: Path) -> None:
    (root / "openapi.json").unlink()
    (finding,) = [one for one in run(root, orders()).findings if one.severity in FAILING]
    assert finding.rule == "doc.not-committed"
    assert finding.fix.endswith("openapi.json openapi.json, and commit it with the change")
    assert told(run(root, orders(), OpenApi(committed=False)), *FAILING) == []


def test_a_named_file_that_is_not_there_is_told_even_where_a_usual_one_is(root: Path) -> None:
    (finding,) = [one for one in run(root, orders(), OpenApi(committed="api.json")).findings if one.severity in FAILING]
    assert finding.message == "the served document is not committed: api.json is not there"


def test_a_file_that_git_ignores_is_not_committed(root: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    assert told(run(root, orders()), *FAILING) == []
    (root / ".gitignore").write_text("openapi.json\n")
    assert told(run(root, orders()), *FAILING) == ["doc.not-committed"]


def test_a_committed_file_that_cannot_be_read_is_told(root: Path) -> None:
    (root / "openapi.json").write_text("{")
    (finding,) = [one for one in run(root, orders()).findings if one.severity in FAILING]
    assert finding.message.startswith("openapi.json cannot be read as an API description: ")


# The contract with the earlier phase


def without(path: str) -> dict[str, Any]:
    content = orders()
    del content["paths"][path]
    return content


def committed(root: Path, content: Mapping[str, Any]) -> Mapping[str, Any]:
    (root / "openapi.json").write_text(json.dumps(content))
    return content


def test_what_the_earlier_phase_promised_and_is_gone_fails(root: Path) -> None:
    content = committed(root, without("/api/v1/orders/{id}"))
    readings = run(root, content, signed={"one": signed_run("one", schemathesis=orders())})
    removed = [one for one in readings.findings if one.rule == "contract.operation-removed"]
    assert [one.operation for one in removed] == ["GET /api/v1/orders/{id}"]
    assert removed[0].severity is Severity.HIGH
    assert measured(readings)["contract.breaking"] >= 1
    assert "doc.version-not-moved" in told(readings)
    assert "compared with the document of one" in readings.notes


def test_an_unchanged_document_breaks_nothing(root: Path) -> None:
    readings = run(root, orders(), signed={"one": signed_run("one", openapi=orders())})
    assert told(readings, *FAILING) == []
    assert measured(readings)["contract.changes"] == 0


def test_a_version_that_moved_with_an_addition_passes(root: Path) -> None:
    content = orders()
    content["paths"]["/api/v1/orders"]["post"] = {
        **content["paths"]["/api/v1/orders/{id}"]["get"], "operationId": "x", "parameters": []
    }  # fmt: skip
    earlier = {"one": signed_run("one", openapi=orders())}
    readings = run(root, committed(root, content), OpenApi(checks=("contract", "documentation")), signed=earlier)
    assert told(readings, *FAILING) == ["doc.version-not-moved"]
    content["info"]["version"] = "1.1.0"
    readings = run(root, committed(root, content), OpenApi(checks=("contract", "documentation")), signed=earlier)
    assert told(readings, *FAILING) == []
    assert "contract.operation-added" in told(readings)


def test_the_last_phase_counts_and_the_openapi_gate_before_others(root: Path) -> None:
    earlier = {
        "one": signed_run("one", openapi=without("/api/v1/orders")),
        "two": signed_run("two", schemathesis=without("/api/v1/orders"), openapi=orders()),
    }
    assert measured(run(root, orders(), signed=earlier))["contract.changes"] == 0
    readings = run(root, orders(), OpenApi(against="one"), signed=earlier)
    assert "compared with the document of one" in readings.notes
    assert measured(readings)["contract.changes"] > 0


def test_a_phase_that_kept_no_document_is_a_gap(root: Path) -> None:
    readings = run(root, orders(), signed={"one": signed_run("one", coverage=None)})
    (gap,) = readings.gaps
    assert "no gate kept the OpenAPI document when one was signed off" in gap.reason
    assert gap.hint


def test_a_file_can_be_compared_with(root: Path) -> None:
    (root / "published.json").write_text(json.dumps(orders()))
    content = committed(root, without("/api/v1/orders"))
    readings = run(root, content, OpenApi(against="published.json"))
    assert "contract.operation-removed" in told(readings)


def test_against_neither_a_phase_nor_a_file_is_an_error(root: Path) -> None:
    with pytest.raises(ToolError, match="against = 'on' is neither a phase that was signed off nor a file") as caught:
        run(root, orders(), OpenApi(against="on"), signed={"one": signed_run("one", openapi=orders())})
    assert "did you mean 'one'?" in caught.value.hint
    (root / "broken.json").write_text("{")
    with pytest.raises(ToolError, match=r"against = 'broken\.json' cannot be read"):
        run(root, orders(), OpenApi(against="broken.json"))


def test_severities_of_the_contract_are_those_of_the_settings(root: Path) -> None:
    content = committed(root, without("/api/v1/orders"))
    content["info"]["version"] = "2.0.0"  # type: ignore[index]
    committed(root, content)
    earlier = {"one": signed_run("one", openapi=orders())}
    for grade, severity in {"warning": Severity.MEDIUM, "info": Severity.LOW}.items():
        readings = run(root, content, OpenApi(rules={"contract.operation-removed": grade}), signed=earlier)
        assert [one.severity for one in readings.findings if one.rule == "contract.operation-removed"] == [severity]
    off = OpenApi(rules={"contract.operation-removed": "off"})
    assert "contract.operation-removed" not in told(run(root, content, off, signed=earlier))


# Mentioned where people look


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_changed_operation_has_to_be_mentioned_in_what_is_new(root: Path) -> None:
    (root / "CHANGELOG.md").write_text("# 1.0.0\n\n- GET /api/v1/orders is there\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    then = git(root, "rev-parse", "HEAD")
    content = orders()
    content["info"]["version"] = "2.0.0"
    del content["paths"]["/api/v1/orders"]["get"]
    committed(root, content)
    gate = OpenApi(checks=("documentation",), mentioned_in=("CHANGELOG.md",))
    earlier: dict[str, Any] = {"signed": {"one": signed_run("one", openapi=orders())}, "base_commit": then}

    readings = run(root, content, gate, **earlier)
    (finding,) = [one for one in readings.findings if one.rule == "doc.not-mentioned"]
    assert finding.operation == "GET /api/v1/orders"
    assert f"in what was added to CHANGELOG.md since {then[:12]}" in " ".join(readings.notes)

    with (root / "CHANGELOG.md").open("a") as file:
        file.write("\n# 2.0.0\n\n")
    assert "doc.not-mentioned" in told(run(root, content, gate, **earlier)), "the line is an old one"
    with (root / "CHANGELOG.md").open("a") as file:
        file.write("- GET /api/v1/orders is gone\n")
    assert "doc.not-mentioned" not in told(run(root, content, gate, **earlier))


def test_without_git_a_mention_may_be_anywhere_in_a_folder(root: Path) -> None:
    (root / "docs" / "more").mkdir(parents=True)
    (root / "docs" / "more" / "api.md").write_text("GET /api/v1/orders/{number}: one order")
    content = committed(root, without("/api/v1/orders/{id}"))
    gate = OpenApi(checks=("documentation",), mentioned_in=("docs",))
    earlier = {"one": signed_run("one", openapi=orders())}
    assert "doc.not-mentioned" not in told(run(root, content, gate, signed=earlier, base_commit="c0ffee"))
    (root / "docs" / "more" / "api.md").write_text("")
    assert "doc.not-mentioned" in told(run(root, content, gate, signed=earlier, base_commit="c0ffee"))


def test_a_name_that_is_not_there_is_an_error(root: Path) -> None:
    gate = OpenApi(mentioned_in=("CHANGES.md",))
    with pytest.raises(ToolError, match=r"`mentioned_in` names CHANGES\.md, which is not there"):
        run(root, committed(root, without("/api/v1/orders")), gate, signed={"one": signed_run("one", openapi=orders())})


# What the doctor and the report need


def test_the_doctor_says_which_files_are_there(root: Path) -> None:
    gate = OpenApi(mentioned_in=("CHANGELOG.md",))
    committed_file, changelog = gate.requirements(openapi_context(root))
    assert (committed_file.met, committed_file.detail) == (True, "openapi.json")
    assert (changelog.met, changelog.detail) == (False, "CHANGELOG.md is not there")
    (root / "openapi.json").unlink()
    assert not gate.requirements(openapi_context(root))[0].met
    assert OpenApi(committed=False).requirements(openapi_context(root)) == []
    (document,) = OpenApi().requirements(openapi_context(root, openapi="openapi.json"))
    assert not document.met


def test_changed_settings_are_told_and_those_that_change_nothing_are_not(root: Path) -> None:
    def digest(gate: OpenApi) -> str:
        return run(root, orders(), gate).configurations["openapi"]

    assert digest(OpenApi()) == digest(OpenApi(timeout=5.0, items=("documentation",)))
    assert digest(OpenApi()) != digest(OpenApi(rules={"rest.depth": "off"}))


def test_the_worst_comes_first(root: Path) -> None:
    readings = run(root, without("/api/v1/orders"), signed={"one": signed_run("one", openapi=orders())})
    order = [list(Severity).index(one.severity) for one in readings.findings]
    assert order == sorted(order)
    assert len(order) > 1
