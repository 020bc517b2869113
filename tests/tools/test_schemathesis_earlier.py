"""The document of an earlier phase held against a later server: what nobody wrote into a document is found."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from promising import promising_backend, promising_context, run_of, signed
from pydantic import ValidationError

from gates.document import parse_document
from gates.errors import NotMeasured
from gates.results import Finding, FindingState, GateResult, OperationSeen, Readings, Run, Severity, Verdict
from gates.tools.base import Context, EarlierBuild
from gates.tools.schemathesis import Schemathesis
from gates.tools.schemathesis.earlier import FIRST_PHASE, announced_end, find_promise, present_name
from gates.tools.schemathesis.findings import identity
from gates.tools.schemathesis.known import DOCUMENT

HIGH, MEDIUM, INFO = Severity.HIGH, Severity.MEDIUM, Severity.INFO
SETTINGS = Schemathesis(document="earlier", coverage_cases=20, phases=("examples", "coverage"))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the document of the first phase."""
    with promising_backend(tmp_path_factory.mktemp("first") / "backend") as backend:
        return str(backend.document.text)


def phase(document: str, *, readings: Readings | None = None, **changed: Any) -> Mapping[str, Run]:
    found = replace(readings or Readings(), documents={"openapi": document, **changed})
    return signed("one", found, "schemathesis")


def broken(readings: Readings) -> set[tuple[str | None, str, Severity]]:
    return {(one.operation, one.rule, one.severity) for one in readings.findings}


def test_it_helps_decide_integration_unless_told_otherwise() -> None:
    assert SETTINGS.items == ("integration",)
    assert Schemathesis().items == ("endpoints",)
    assert Schemathesis(document="earlier", items=("endpoints",)).items == ("endpoints",)
    assert SETTINGS.measured_as("x") == ("earlier.cases", "earlier.operations")
    assert Schemathesis().measured_as("x") == ("fuzz.cases", "fuzz.operations")


@pytest.mark.parametrize(
    "wrong",
    [{"earlier_phase": "one"}, {"document": "later"}, {"document": "earlier", "checks": ["ignored_auth"]},
     {"document": "earlier", "earlier_phase": 3}, {"document": ["earlier"]}],
)  # fmt: skip
def test_settings_that_do_not_go_together_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Schemathesis(**wrong)


def test_the_first_phase_passes_and_keeps_its_document_for_the_next(tmp_path: Path, document: str) -> None:
    readings = SETTINGS.run(promising_context(tmp_path / "phase"))
    assert readings.notes == (FIRST_PHASE,)
    assert [(one.name, one.value) for one in readings.measurements] == [("earlier.cases", 0)]
    assert readings.findings == readings.gaps == ()
    assert readings.documents == {"openapi": document}


def test_a_phase_without_a_document_is_not_measured(tmp_path: Path) -> None:
    for then, told in (
        ({"one": run_of("one", GateResult("tests", "coverage", Verdict.PASS, 1.0))}, "no gate of one kept"),
        (phase("{"), "the document that one kept cannot be read"),
    ):
        with pytest.raises(NotMeasured, match=told):
            SETTINGS.run(promising_context(tmp_path / told.split()[0], signed=then))
    named = Schemathesis(document="earlier", earlier_phase="on")
    context = promising_context(tmp_path / "named", signed=phase("{}"))
    with pytest.raises(NotMeasured, match="'on' is no earlier phase") as caught:
        named.run(context)
    assert "one" in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("features", "found"),
    [
        ("no-count text", {
            ("POST /orders", "earlier.response_schema_conformance", MEDIUM),
            ("GET /orders", "earlier.response_schema_conformance", MEDIUM),
            ("GET /status", "earlier.content_type_conformance", MEDIUM),
        }),
        ("refuses no-delete", {
            ("POST /orders", "earlier.positive_data_acceptance", MEDIUM),
            ("DELETE /orders/{order_id}", "earlier.operation-gone", HIGH),
        }),
        ("renamed documented crash", {
            ("POST /orders", "earlier.operation-gone", HIGH),
            ("GET /orders", "earlier.operation-gone", HIGH),
            ("GET /orders/{order_id}", "earlier.operation-gone", HIGH),
            ("DELETE /orders/{order_id}", "earlier.operation-gone", HIGH),
            ("GET /status", "earlier.not_a_server_error", HIGH),
        }),
    ],
)  # fmt: skip
def test_what_a_later_server_breaks_is_found(tmp_path: Path, document: str, features: str, found: set[Any]) -> None:
    readings = SETTINGS.run(promising_context(tmp_path / "phase", *features.split(), signed=phase(document)))
    # What depends on an order that cannot be made is not told from one that is not there.
    assert (
        found <= broken(readings) <= found | {("GET /orders/{order_id}", "earlier.response_schema_conformance", MEDIUM)}
    )
    assert all("phase one promised" in one.fix for one in readings.findings)
    assert all("a valid request" in one.message or one.rule.endswith("gone") for one in readings.findings)


@pytest.mark.slow
def test_a_server_that_keeps_it_all_and_adds_to_it_passes(tmp_path: Path, document: str) -> None:
    settings = Schemathesis(document="earlier", cases=5, coverage_cases=20)
    readings = settings.run(promising_context(tmp_path / "phase", "extra", signed=phase(document)))
    assert readings.findings == readings.gaps == ()
    assert readings.notes == ("held against the document of one: 8 operations, valid data only",)
    (cases, operations) = readings.measurements
    assert cases.value > 30
    assert (operations.count, operations.total) == (8, 8)
    seen = {row.operation: row.statuses for row in readings.operations}
    # Nothing invalid was sent: all that is refused is what speaks of something that is not there.
    assert {status for statuses in seen.values() for status in statuses} <= {200, 201, 204, 404, 409}


@pytest.mark.slow
def test_what_the_earlier_fuzzing_knew_is_no_break(tmp_path: Path, document: str) -> None:
    fuzz = Schemathesis(cases=5, coverage_cases=20, phases=("examples", "coverage"))
    signed_then = fuzz.run(promising_context(tmp_path / "one", "no-count", "crash"))
    assert ("GET /status", "fuzz.not_a_server_error", HIGH) in broken(signed_then)
    then = signed("one", signed_then, "schemathesis")
    same = SETTINGS.run(promising_context(tmp_path / "two", "no-count", "crash", signed=then))
    assert same.findings == ()
    assert any(note.startswith("known since one, so no break of a promise: GET /orders") for note in same.notes)
    # At another place of the same answer it is a break.
    other = SETTINGS.run(promising_context(tmp_path / "three", "no-count", "nullable", "crash", signed=then))
    assert ("POST /orders", "earlier.response_schema_conformance", MEDIUM) in broken(other)
    assert not [one for one in other.findings if one.operation == "GET /status"]


@pytest.mark.slow
def test_a_break_that_was_accepted_is_no_break_of_the_next_phase(tmp_path: Path, document: str) -> None:
    two = SETTINGS.run(promising_context(tmp_path / "two", "no-count", "no-delete", signed=phase(document)))
    assert ("DELETE /orders/{order_id}", "earlier.operation-gone", HIGH) in broken(two)
    then = {**phase(document), **signed("two", two, "schemathesis")}
    three = SETTINGS.run(promising_context(tmp_path / "three", "no-count", "no-delete", "crash", signed=then))
    assert broken(three) == {("GET /status", "earlier.not_a_server_error", HIGH)}
    assert any(note.startswith("known since two, so no break of a promise: ") for note in three.notes)


@pytest.mark.slow
def test_what_the_earlier_build_shows_as_well_is_no_break(tmp_path: Path, document: str) -> None:
    @contextlib.contextmanager
    def before(*, cpus: frozenset[int] | None = None) -> Iterator[Any]:
        with promising_backend(tmp_path / "before", "no-count") as backend:
            yield backend

    context = promising_context(tmp_path / "phase", "no-count", "crash", signed=phase(document))
    readings = SETTINGS.run(replace(context, earlier=EarlierBuild("one", "c0ffee", before)))
    assert broken(readings) == {("GET /status", "earlier.not_a_server_error", HIGH)}
    assert any(note.startswith("the build of one shows it as well") for note in readings.notes)


def context_of(tmp_path: Path, document: str, readings: Readings, *features: str) -> Context:
    return promising_context(tmp_path, *features, signed=phase(document, readings=readings))


@pytest.mark.slow
def test_an_operation_of_which_only_made_up_identifiers_are_known_is_not_called_gone(
    tmp_path: Path, document: str
) -> None:
    then = Readings(operations=(OperationSeen("GET /members/{member_id}", {200: 1}, True),))
    settings = Schemathesis(document="earlier", phases=("examples",))
    readings = settings.run(context_of(tmp_path / "phase", document, then))
    assert readings.findings == ()
    (gap,) = readings.gaps
    assert gap.what == "1 of 8 operations were not seen to succeed"
    assert "GET /members/{member_id}" in gap.reason
    assert "replay" in gap.hint


@pytest.mark.slow
def test_what_was_announced_to_end_is_a_remark(tmp_path: Path) -> None:
    with promising_backend(tmp_path / "first" / "backend", "sunset") as backend:
        document = backend.document.text
    settings = Schemathesis(document="earlier", phases=("examples",))
    readings = settings.run(promising_context(tmp_path / "phase", "renamed", "documented", signed=phase(document)))
    assert {(rule, severity) for _, rule, severity in broken(readings)} == {("earlier.operation-gone", INFO)}
    assert "was announced as deprecated, to end on 2026-01-31" in readings.findings[0].message


@pytest.mark.slow
def test_the_earlier_base_path_and_the_login_are_used(tmp_path: Path, document: str) -> None:
    content = json.loads(document)
    content["servers"] = [{"url": "http://stranger.invalid/v1"}]
    settings = Schemathesis(document="earlier", phases=("examples",))
    moved = settings.run(promising_context(tmp_path / "moved", signed=phase(json.dumps(content))))
    # Nothing answers under the prefix of then: that is what was promised.
    assert ("GET /status", "earlier.operation-gone", HIGH) in broken(moved)
    inside = settings.run(promising_context(tmp_path / "inside", "login", signed=phase(document)))
    assert inside.findings == inside.gaps == ()
    outside = settings.run(promising_context(tmp_path / "outside", "login", signed=phase(document), login={}))
    assert any("not seen from inside" in gap.what for gap in outside.gaps)


@pytest.mark.parametrize(
    ("definition", "end"),
    [
        ({"deprecated": True, "x-sunset": "2026-11-24"}, date(2026, 11, 24)),
        ({"deprecated": True, "x-sunset": "2026-11-24T10:00:00Z"}, date(2026, 11, 24)),
        ({"deprecated": True, "x-sunset": "2026-11-25"}, None),
        ({"deprecated": False, "x-sunset": "2026-11-24"}, None),
        ({"x-sunset": "2026-11-24"}, None),
        ({"deprecated": True}, None),
        ({"deprecated": True, "x-sunset": "soon"}, None),
        ({"deprecated": True, "x-sunset": {"a": 1}}, None),
    ],
)
def test_an_end_counts_once_its_day_has_come(definition: dict[str, Any], end: date | None) -> None:
    assert announced_end(definition, date(2026, 11, 24)) == end


def test_an_operation_keeps_its_identity_when_only_its_parameters_are_renamed(document: str) -> None:
    promise = find_promise("one", phase(document)["one"])
    now = parse_document(document.replace("order_id", "id").replace("/status", "/state"))
    names = {one.name: present_name(now, promise, one) for one in promise.document.operations}
    assert names["GET /orders/{order_id}"] == "GET /orders/{id}"
    assert names["GET /status"] == ""


def test_what_was_accepted_then_is_known_whatever_gate_kept_it(document: str) -> None:
    found = [
        Finding(rule, HIGH, "", identity("GET /status", code), operation="GET /status", state=state)
        for rule, code, state in (
            ("fuzz.not_a_server_error", "ST101", FindingState.NEW), ("fuzz.x", "ST103", FindingState.FIXED),
            ("earlier.x", "ST104", FindingState.NEW), ("backend.died", "backend.died", FindingState.KNOWN),
        )
    ]  # fmt: skip
    fuzzed = GateResult("fuzz", "schemathesis", Verdict.FAIL, 1.0, readings=Readings(findings=tuple(found)))
    other = GateResult("api", "openapi", Verdict.PASS, 1.0, readings=Readings(documents={"openapi": document}))
    promise = find_promise("one", run_of("one", fuzzed, other))
    codes = ("ST101", "ST104", "backend.died")
    assert promise.accepted == {identity("GET /status", code) for code in codes}
    assert json.loads(promise.entries) == {"format_version": 1, "entries": []}
    assert DOCUMENT not in other.readings.documents
