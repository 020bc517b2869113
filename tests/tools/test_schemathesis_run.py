"""Schemathesis for real against a small backend that misbehaves on request."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from fuzzed import LOGIN, FuzzedBackend, fuzz_context
from pydantic import ValidationError

from gates.document import parse_document
from gates.errors import NotMeasured, ToolError
from gates.results import FindingState, GateResult, Readings, Severity, Verdict
from gates.tools.base import Context
from gates.tools.schemathesis import Schemathesis, known, trial
from gates.tools.schemathesis.confirm import confirmed
from gates.tools.schemathesis.events import Failure, SentRequest

TOKEN = LOGIN["Authorization"].split()[1]


def keys(readings: Readings) -> set[tuple[str | None, str]]:
    return {(finding.operation, finding.rule) for finding in readings.findings}


@pytest.mark.slow
def test_a_whole_run_against_a_backend_with_a_login_and_a_base_path(tmp_path: Path) -> None:
    # A file that the tool would read on its own, in a folder above; it would leave nothing of the gate.
    (tmp_path / "schemathesis.toml").write_text("[checks]\nenabled = false\n[phases]\nenabled = false\n")
    features = ("items", "crash", "liar", "drop", "broken", "away", "me", "shutdown", "base")
    seen: list[str] = []
    context = fuzz_context(tmp_path, *features, headers=LOGIN, progress=lambda share, text: seen.append(text))
    readings = Schemathesis(exclude=("* /shutdown",)).run(context)

    assert keys(readings) == {
        ("GET /crash", "fuzz.not_a_server_error"),
        ("GET /liar", "fuzz.response_schema_conformance"),
        ("GET /drop", "fuzz.connection-dropped"),
    }
    assert {finding.state for finding in readings.findings} == {FindingState.NEW}
    assert [gap.what for gap in readings.gaps] == ["GET /broken was not tested"]
    rows = {row.operation: row for row in readings.operations}
    assert rows["GET /items/{id}"].success is True
    # The base path is kept, and neither `servers` nor a redirect leads away from the backend.
    assert rows["GET /away"].success is True
    assert set(rows["GET /away"].statuses) == {302}
    assert rows["GET /me"].success is True
    assert rows["GET /drop"].success is False
    assert rows["POST /shutdown"].statuses == {}
    assert {subject.name: subject.outcome for subject in readings.subjects}["POST /shutdown"] == "untested"
    (cases, operations) = readings.measurements
    assert cases.value > 50
    assert (operations.count, operations.total) == (8, 9)
    assert any("POST /shutdown" in note for note in readings.notes)
    assert readings.documents["openapi"]
    # A look every quarter of a second may miss a phase of so small a backend: what each look would say is in the log.
    assert any(text.startswith(("examples: ", "coverage: ", "fuzzing: ")) for text in seen)
    log = next(context.directory.rglob("limits.log")).read_text("utf-8").splitlines(keepends=True)
    plan = SimpleNamespace(operations=9, phases=("examples", "coverage"), seconds=60.0)
    cut = context.directory / "cut.log"
    told = []
    for lines in range(1, len(log) + 1):
        cut.write_text("".join(log[:lines]), "utf-8")
        told.append(trial._progress(cast(Any, plan), cut, 1.0)[1])
    assert any(text.startswith("coverage: ") for text in told)

    # The login is in no file that stays and in nothing that is brought back.
    assert TOKEN not in repr(readings)
    gate = context.directory
    assert [path for path in gate.rglob("*") if path.is_file() and TOKEN in path.read_text("utf-8", "replace")] == []
    assert not list(gate.rglob("*.ndjson"))


@pytest.mark.slow
def test_the_same_commit_gives_the_same_findings_and_accepted_ones_do_not_vanish(tmp_path: Path) -> None:
    settings = Schemathesis(phases=("examples", "coverage"))
    first = settings.run(fuzz_context(tmp_path / "a", "items", "crash", "liar"))
    marks = frozenset(finding.fingerprint for finding in first.findings)
    assert len(marks) == 2
    signed = GateResult("fuzz", "schemathesis", Verdict.PASS, 1.0, readings=first)
    context = fuzz_context(tmp_path / "b", "items", "crash", "liar", baseline=signed, known=marks)
    second = settings.run(context)
    assert second.findings == first.findings
    assert second.operations == first.operations
    assert second.measurements == first.measurements
    assert second.configurations == first.configurations
    assert {entry["operation"] for entry in json.loads(first.documents[known.DOCUMENT])["entries"]} == {
        "GET /crash", "GET /liar",
    }  # fmt: skip
    # Schemathesis itself knew them: they are gone from its failures and stand in its baseline only.
    report = json.loads((context.directory / "run" / "report.json").read_text())
    assert report["baseline"]["known_ids"]
    assert "ServerError" not in {failure["type"] for failure in report["failures"]}


@pytest.mark.slow
def test_an_operation_that_ends_the_backend_is_a_finding_that_says_how_to_leave_it_out(tmp_path: Path) -> None:
    readings = Schemathesis().run(fuzz_context(tmp_path, "items", "shutdown", fast=True))
    (finding,) = readings.findings
    assert (finding.rule, finding.severity, finding.operation) == ("backend.died", Severity.HIGH, "POST /shutdown")
    assert "going down, as asked" in finding.message
    assert 'exclude = ["POST /shutdown"]' in finding.fix
    assert any("were not tested" in gap.what for gap in readings.gaps)


@pytest.mark.slow
def test_a_document_in_yaml_is_fuzzed_like_any_other(tmp_path: Path) -> None:
    context = fuzz_context(tmp_path, "items", "crash", fast=True)

    @contextlib.contextmanager
    def serve() -> Iterator[FuzzedBackend]:
        with context.serve() as backend:
            assert isinstance(backend, FuzzedBackend)
            backend.document = parse_document("# in YAML\n" + yaml.safe_dump(json.loads(backend.document.text)))
            yield backend

    readings = Schemathesis(phases=("examples",)).run(replace(context, serve=serve))
    assert ("GET /crash", "fuzz.not_a_server_error") in keys(readings)
    assert readings.documents["openapi"].startswith("# in YAML")


@pytest.mark.slow
def test_a_login_lost_on_the_way_is_a_gap_that_names_the_operation(tmp_path: Path) -> None:
    # That the diary refuses strangers is not documented, and was not a problem before the logout.
    context = fuzz_context(tmp_path, "items", "me", "diary", "logout", headers=LOGIN, fast=True)
    readings = Schemathesis().run(context)
    assert readings.findings == ()
    (gap,) = readings.gaps
    assert "the login was lost at request" in gap.what
    assert "after POST /logout" in gap.what
    assert 'exclude = ["POST /logout"]' in gap.hint


@pytest.mark.slow
def test_a_failure_that_changes_its_mind_is_flaky(tmp_path: Path) -> None:
    context = fuzz_context(tmp_path, "crash", "moody", env={"MOOD": str(tmp_path / "mood")})
    readings = Schemathesis(phases=("examples", "coverage"), cases=5).run(context)
    assert {finding.operation: finding.state for finding in readings.findings} == {
        "GET /crash": FindingState.NEW,
        "GET /moody": FindingState.FLAKY,
    }
    assert any(note.startswith("one failure did not show again at once") for note in readings.notes)


@pytest.mark.slow
def test_time_that_does_not_suffice_gives_every_operation_something_and_is_a_gap(tmp_path: Path) -> None:
    readings = Schemathesis(time=3.0).run(fuzz_context(tmp_path, "sleepy", fast=True))
    assert all(row.statuses for row in readings.operations)
    (gap,) = readings.gaps
    assert "4 of 4 operations were cut short" in gap.what
    assert "the 3 s were used up" in gap.reason
    assert "`time`" in gap.hint


@pytest.mark.slow
def test_a_run_that_does_not_end_by_itself_is_stopped_and_what_it_saw_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def progress(share: float | None, text: str) -> None:
        # As if its time were over once it is at work, and nothing inside it had kept it to its time.
        if text.startswith("coverage: GET /sleepy"):
            now = int(text.rpartition("(")[2].split()[0])
            monkeypatch.setattr(trial, "_WIND_UP", now - 61.0)

    context = fuzz_context(tmp_path, "items", "sleepy", progress=progress)
    readings = Schemathesis(time=60.0, phases=("examples", "coverage")).run(context)
    assert any("it was stopped" in gap.reason for gap in readings.gaps)
    assert any(row.success for row in readings.operations)


def test_a_run_that_has_not_sent_anything_when_it_is_stopped_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = tmp_path / "stuck.py"
    stuck.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(trial, "_INSIDE", stuck)
    monkeypatch.setattr(trial, "_WIND_UP", 0.0)
    with pytest.raises(NotMeasured, match="no request was sent"):
        Schemathesis(time=1.0).run(fuzz_context(tmp_path / "x", "items", fast=True))


def test_a_tool_that_cannot_start_is_an_error_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_INSIDE", tmp_path / "not-there.py")
    with pytest.raises(ToolError, match=r"(?s)exit code 2.*not-there\.py"):
        Schemathesis().run(fuzz_context(tmp_path / "x", "items", fast=True))


class Still:
    """A backend that only stands there."""

    url, headers, data, started_by_us, document_error = "http://127.0.0.1:9", LOGIN, None, True, "GET / answered 404"

    def __init__(self, text: str | None = None, login: bool | None = None) -> None:
        self.document = parse_document(text) if text else None
        self.login = login

    def login_works(self) -> bool | None:
        return self.login


def still_context(tmp_path: Path, backend: Still, fast: bool = False) -> Context:
    context = fuzz_context(tmp_path, fast=fast)
    return Context(**{**vars(context), "serve": lambda: contextlib.nullcontext(backend)})


ONE = json.dumps({"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}})


@pytest.mark.parametrize(
    ("backend", "settings", "fast", "message", "hint"),
    [
        (Still(), {}, False, "GET / answered 404", "[backend] openapi"),
        (Still(ONE), {"exclude": ("* /a",)}, False, "`exclude` leaves all of them out", "exclude less"),
        (Still('{"openapi": "3.0.0", "paths": {}}'), {}, False, "describes none", "[backend] openapi"),
        (Still(ONE, login=False), {}, False, "the login is refused", "[backend.auth]"),
        (Still(ONE), {"phases": ("fuzzing",)}, True, "with `--fast` none of the phases", "coverage"),
    ],
)
def test_what_cannot_be_fuzzed_is_not_measured(
    tmp_path: Path, backend: Still, settings: dict[str, object], fast: bool, message: str, hint: str
) -> None:
    with pytest.raises(NotMeasured) as error:
        Schemathesis.model_validate(settings).run(still_context(tmp_path, backend, fast))
    assert message in error.value.message
    assert hint in error.value.hint


def test_a_check_or_phase_that_does_not_exist_is_refused() -> None:
    for wrong in ({"checks": ["not_a_check"]}, {"phases": ["guessing"]}, {"cases": 0}, {"checks": []}):
        with pytest.raises(ValidationError):
            Schemathesis.model_validate(wrong)


def test_the_configuration_holds_no_secret_no_address_and_all_that_decides_the_requests(tmp_path: Path) -> None:
    context = still_context(tmp_path, Still(ONE))
    settings = Schemathesis(exclude_checks=("ignored_auth",))
    document = parse_document(ONE)
    plan = settings.plan(document, tuple(Still(ONE).headers), context)
    text = plan.configuration()
    assert TOKEN not in text
    assert "127.0.0.1" not in text
    assert "max-redirects = 0" in text
    assert "ignored_auth" not in text
    assert "not_a_server_error.enabled = true" in text
    other = Schemathesis(coverage_cases=7).plan(document, tuple(Still(ONE).headers), context)
    assert other.configuration() != text


def test_a_failure_is_confirmed_by_the_same_answer_and_the_login_is_put_back(tmp_path: Path) -> None:
    def failed(target: str, status: int | None, headers: dict[str, str] | None = None) -> Failure:
        return Failure(f"GET {target}", "x", "x", "", "", status, SentRequest("GET", target, headers or {}), True)

    context = fuzz_context(tmp_path, "crash", "drop", "me", headers=LOGIN)
    with context.serve() as serving:
        assert isinstance(serving, FuzzedBackend)
        again = confirmed(
            [
                failed("/crash?n=0", 500),
                failed("/crash?n=1", 500),
                failed("/drop", None),
                failed("/me", 200, {"Authorization": "[Filtered]"}),
                failed("/me?x", 401, {}),
                failed("/me?y", 200, {"X-Other-Token": "[Filtered]"}),
            ],
            serving.url, LOGIN, each=5, together=20,
        )  # fmt: skip
    assert {operation for operation, _ in again} == {"GET /crash?n=0", "GET /drop", "GET /me", "GET /me?x"}
