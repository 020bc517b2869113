"""The gate `guidelines` reads CLAUDE.md and gates.toml of a project, and says what is not the same."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from projects import Project, gates_toml, small_project
from pydantic import ValidationError

from gates.config.load import load_configuration
from gates.errors import NotMeasured, ToolError
from gates.guidelines.examples import default_answers
from gates.guidelines.rendering import render, template
from gates.results import Readings, Severity, Verdict
from gates.tools.base import Context, Serving
from gates.tools.guidelines import Guidelines

ROOT = Path(__file__).parent.parent.parent
GATE = '[gates.guidelines]\ntool = "guidelines"\n'
TARGETS = 'database.connections = "<= 20"'


def no_backend(**_: Any) -> AbstractContextManager[Serving]:
    raise AssertionError("a guideline needs no backend")


def run(root: Path, phase: str | None = None, **settings: Any) -> Readings:
    """Run the tool on a folder with a gates.toml, as the engine would for one of its phases."""
    return Guidelines(**settings).run(context(root, phase))


def context(root: Path, phase: str | None = None) -> Context:
    configuration = load_configuration(root / "gates.toml")
    chosen = next(one for one in configuration.phases if phase in (None, one.name))
    return Context(
        root=root, source=(), python="python", env=os.environ, directory=root, gate="guidelines", serve=no_backend,
        classify=lambda name, definition: "simple", phase=chosen.name, phase_settings=chosen.model_dump(mode="json"),
        targets=configuration.policy(chosen).targets,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project whose guideline says what its gates.toml demands."""
    (tmp_path / "gates.toml").write_text(gates_toml(GATE, targets=TARGETS).replace('profile = "plain"', ""))
    (tmp_path / "CLAUDE.md").write_text(render(default_answers("fastapi")))
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def values(readings: Readings) -> dict[str, tuple[float, int | None, int | None]]:
    return {one.name: (one.value, one.count, one.total) for one in readings.measurements}


def test_the_guideline_of_this_repository_says_the_numbers_of_its_gates_toml() -> None:
    readings = run(ROOT, "contract")
    assert [finding.message for finding in readings.findings if finding.severity is not Severity.INFO] == []
    assert values(readings)["guidelines.placeholders"][0] == 0
    _, equal, stated = values(readings)["guidelines.numbers"]
    assert equal == stated
    assert (stated or 0) >= 7


def test_a_guideline_that_agrees(folder: Path) -> None:
    readings = run(folder)
    assert readings.findings == ()
    assert readings.gaps == ()
    assert values(readings) == {"guidelines.placeholders": (0, None, None), "guidelines.numbers": (1.0, 9, 9)}
    assert [(one.kind, one.name, one.outcome) for one in readings.subjects] == [("file", "CLAUDE.md", "scanned")]


def test_a_number_that_differs_names_the_lines_of_both_files(folder: Path) -> None:
    edit(folder / "gates.toml", TARGETS, TARGETS + '\nload.memory = "<= 1 GB"')
    readings = run(folder)
    (finding,) = readings.findings
    assert finding.rule == "guideline.number-differs"
    line = (folder / "gates.toml").read_text().split("\n").index('load.memory = "<= 1 GB"') + 1
    assert f'gates.toml:{line} demands load.memory = "<= 1 GB"' in finding.message
    assert "Keep memory usage under 512MB" in finding.message
    assert finding.path == "CLAUDE.md"
    assert (folder / "CLAUDE.md").read_text().split("\n")[(finding.line or 0) - 1].startswith("- **Memory Usage:**")
    assert values(readings)["guidelines.numbers"] == (pytest.approx(8 / 9), 8, 9)


def test_a_default_that_differs_is_no_agreement(folder: Path) -> None:
    edit(folder / "CLAUDE.md", "- **Complex Operations:** < 500ms", "- **Complex Operations:** < 400ms")
    (finding,) = run(folder).findings
    assert finding.rule == "guideline.target-missing"
    assert "without it '<= 500 ms' holds" in finding.message


def test_the_targets_of_a_profile_hold_like_those_of_gates_toml(folder: Path) -> None:
    profile = folder / "profiles" / "backends" / "ours.toml"
    profile.parent.mkdir(parents=True)
    profile.write_text('title = "ours"\n[targets]\nresponse_time.complex = "<= 400 ms"\n')
    edit(folder / "gates.toml", "[backend]", '[backend]\nprofile = "ours"')
    edit(folder / "CLAUDE.md", "- **Complex Operations:** < 500ms", "- **Complex Operations:** < 400ms")
    assert run(folder).findings == ()


def test_a_stricter_phase_is_accepted_with_either_number(folder: Path) -> None:
    phase = 'name = "two"\ntargets.response_time.complex = "<= 300 ms"'
    edit(folder / "gates.toml", 'name = "two"', phase)
    assert run(folder, "two").findings == ()
    edit(folder / "CLAUDE.md", "- **Complex Operations:** < 500ms", "- **Complex Operations:** < 300ms")
    assert run(folder, "two").findings == ()
    assert [finding.rule for finding in run(folder, "one").findings] == ["guideline.target-missing"]
    edit(folder / "gates.toml", "<= 300 ms", "<= 900 ms")
    edit(folder / "CLAUDE.md", "- **Complex Operations:** < 300ms", "- **Complex Operations:** < 500ms")
    (finding,) = run(folder, "two").findings
    assert (finding.rule, finding.severity) == ("guideline.number-differs", Severity.LOW)


def test_an_item_that_is_left_out_with_a_reason_may_be_missing(folder: Path) -> None:
    edit(folder / "CLAUDE.md", "- [ ] Database schema and operations optimized\n", "")
    assert run(folder).findings == ()  # gates.toml leaves it out
    edit(folder / "CLAUDE.md", "- [ ] Unit and integration tests passing\n", "")
    assert [finding.rule for finding in run(folder).findings] == ["guideline.checklist"]


def test_severities_are_those_of_gates_toml(folder: Path) -> None:
    edit(folder / "CLAUDE.md", "- [ ] Unit and integration tests passing\n", "")
    assert run(folder, rules={"guideline.checklist": "off"}).findings == ()
    (finding,) = run(folder, rules={"guideline.checklist": "info"}).findings
    assert finding.severity is Severity.LOW


def test_a_guideline_without_any_number_is_no_agreement(folder: Path) -> None:
    (folder / "CLAUDE.md").write_text("# Our project\n\nBe nice. Definition of Done: what gates says.\n")
    readings = run(folder)
    assert readings.findings == ()
    (gap,) = readings.gaps
    assert "states none that could be held against gates.toml" in gap.reason
    assert "guidelines.numbers" not in values(readings)


def test_what_it_does_not_say_is_noted(folder: Path) -> None:
    edit(folder / "CLAUDE.md", "- **Memory Usage:** Keep memory usage under 512MB\n", "")
    assert run(folder).notes == ("CLAUDE.md has no number for memory usage",)


def test_where_there_is_no_guideline_that_is_said(folder: Path) -> None:
    (folder / "CLAUDE.md").unlink()
    with pytest.raises(NotMeasured, match=r"there is no CLAUDE\.md") as caught:
        run(folder)
    assert "`gates init --guidelines CLAUDE.md`" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe# G\x00", "is not UTF-8 text (byte 0)"),
        (b"# Gr\xfc\xdfe", "is not UTF-8 text (byte 4)"),
        (b"x" * 500_001, "is larger than 500,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_an_error(folder: Path, content: bytes, message: str) -> None:
    (folder / "CLAUDE.md").write_bytes(content)
    with pytest.raises(ToolError) as caught:
        run(folder)
    assert message in caught.value.message


def test_what_is_no_file_is_an_error(folder: Path) -> None:
    (folder / "CLAUDE.md").unlink()
    (folder / "CLAUDE.md").mkdir()
    with pytest.raises(ToolError, match="is no file"):
        run(folder)
    with pytest.raises(NotMeasured):
        run(folder, file="no\x00name")


def test_a_byte_order_mark_is_no_content(folder: Path) -> None:
    path = folder / "CLAUDE.md"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run(folder).findings == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"file": ""}, "at least 1 character"),
        ({"rules": {"guideline.placeholders": "error"}}, "did you mean 'guideline.placeholder'?"),
        ({"rules": {"guideline.placeholder": "high"}}, "'error', 'warning', 'info' or 'off'"),
        ({"path": "x"}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Guidelines(**settings)
    assert message in str(caught.value)


def test_doctor_says_whether_it_is_there(folder: Path) -> None:
    (met,) = Guidelines().requirements(context(folder))
    assert (met.what, met.met, met.detail) == ("CLAUDE.md", True, "9 numbers")
    (folder / "CLAUDE.md").write_text(template())
    (met,) = Guidelines().requirements(context(folder))
    assert met.detail == "0 numbers, 26 placeholders unfilled"
    (folder / "CLAUDE.md").unlink()
    (met,) = Guidelines().requirements(context(folder))
    assert not met.met
    assert "gates init" in met.hint


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project(
        tmp_path / "project", gates_toml(GATE, targets=TARGETS), **{"CLAUDE.md": render(default_answers("fastapi"))}
    )


def test_a_check_passes_fails_and_can_be_judged_again(project: Project) -> None:
    said = project.call("check", "guidelines")
    assert said.code == 0, said
    edit(project.root / "CLAUDE.md", "Maintain 90% test coverage", "Maintain {TEST_COVERAGE_TARGET}% test coverage")
    said = project.call("check", "guidelines")
    assert said.code == 1, said
    assert "CLAUDE.md:" in said.out
    assert "{TEST_COVERAGE_TARGET}" in said.out
    said = project.call("explain", "guideline.placeholder")
    assert said.code == 0
    assert "new high: CLAUDE.md:" in said.out


def test_it_decides_no_item_and_counts_by_itself(project: Project) -> None:
    run_ = project.check()
    (gate,) = run_.gates
    assert gate.verdict is Verdict.PASS
    assert gate.items == ()
    (project.root / "CLAUDE.md").write_text("")
    run_ = project.check(gates=("guidelines",))
    assert run_.verdict is Verdict.UNKNOWN
