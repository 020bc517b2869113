"""What was kept is found again: phases, runs, measurements over time; and looking makes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import REPORTED_TESTS, Project, gates_toml, results, small_project

from gates.errors import ConfigurationError, GatesError
from gates.pipeline.lookup import explanation, find_run, list_phases, measurement_history
from gates.pipeline.signoff import sign_off
from gates.results import Run, Verdict


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run, Run]:
    """A project whose first phase is signed and whose second was checked once, and failed."""
    toml = gates_toml(REPORTED_TESTS, phases=("one", "two", "three"))
    project = small_project(tmp_path_factory.mktemp("journey") / "project", toml, **results())
    first = project.check()
    sign_off(project.root, None, by="Ada")
    project.commit("worse", **results("adds", covered=8))
    return project, first, project.check()


def test_phases_show_who_signed_what_and_how_the_current_one_stands(journey: tuple[Project, Run, Run]) -> None:
    project, first, second = journey
    one, two, three = list_phases(project.root)
    assert (one.number, one.name, one.state, one.by, one.verdict) == (1, "one", "signed off", "Ada", Verdict.PASS)
    assert one.commit == first.commit
    assert {number.name: number.value for number in one.numbers} == {"tests.total": 2, "coverage.lines": 1.0}
    assert (two.state, two.by, two.verdict, two.commit) == ("current", None, Verdict.FAIL, second.commit)
    assert (three.state, three.verdict, three.numbers) == ("open", None, ())


def test_a_run_is_found_by_phase_by_id_and_as_the_last(journey: tuple[Project, Run, Run]) -> None:
    project, first, second = journey
    assert find_run(project.root, "one") == first
    assert find_run(project.root, second.id) == second
    assert find_run(project.root, None) == second
    assert find_run(project.root, first.id).verdict is Verdict.PASS
    with pytest.raises(GatesError, match="there is no run 'nothing'"):
        find_run(project.root, "nothing")


def test_a_measurement_over_the_runs(journey: tuple[Project, Run, Run]) -> None:
    project, first, second = journey
    points = measurement_history(project.root, "coverage.lines", None)
    assert [(point.run_id, point.value, point.count, point.total) for point in points] == [
        (first.id, 1.0, 10, 10), (second.id, 0.8, 8, 10),
    ]  # fmt: skip


def test_the_nearest_measurement_is_named(journey: tuple[Project, Run, Run]) -> None:
    project, _, _ = journey
    with pytest.raises(GatesError, match=r"'coverage.line' was never measured here") as caught:
        measurement_history(project.root, "coverage.line", None)
    assert "did you mean 'coverage.lines'?" in caught.value.hint
    with pytest.raises(GatesError, match=r"coverage\.lines was not measured for 'small/ap\.js'") as caught:
        measurement_history(project.root, "coverage.lines", "small/ap.js")
    assert "did you mean 'small/app.js'?" in caught.value.hint
    with pytest.raises(GatesError, match=r"tests\.total was measured as a whole, not for 'GET /orders'"):
        measurement_history(project.root, "tests.total", "GET /orders")


def test_an_explanation_tells_what_decided_it_last_time(journey: tuple[Project, Run, Run]) -> None:
    project, _, second = journey
    text = explanation(project.root, "tests")
    assert f"Last time ({second.id}): fail" in text
    assert "removes is gone" in text


@pytest.mark.parametrize(
    "look",
    [
        lambda root: find_run(root, None),
        lambda root: find_run(root, "one"),
        lambda root: measurement_history(root, "coverage.lines", None),
    ],
)
def test_where_nothing_was_ever_checked_that_is_said_and_nothing_is_made(tmp_path: Path, look: object) -> None:
    with pytest.raises(GatesError, match="there is no run yet") as caught:
        look(tmp_path)  # type: ignore[operator]
    assert "gates check" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_phases_and_explanations_need_no_run(tmp_path: Path) -> None:
    project = small_project(tmp_path / "project", gates_toml(REPORTED_TESTS), **results())
    assert [row.state for row in list_phases(project.root)] == ["current", "open"]
    assert "It was not decided yet" in explanation(project.root, "tests")
    assert not (project.root / ".gates").exists()
    with pytest.raises(ConfigurationError, match=r"gates\.toml does not exist"):
        list_phases(tmp_path)
