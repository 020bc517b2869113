"""A gate gets the build of the phase it is compared with, when it first wants it; that is no verdict on this phase."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from judging import signed
from projects import SMALL_BACKEND, Project, command_gate, gates_toml, small_project

from gates import client, process
from gates.config.load import load_configuration
from gates.engine import Event, GateProgress, Setting, make_context
from gates.errors import BackendFailed, GatesError
from gates.plan import make_plan
from gates.tools.base import Context

BACKEND = f"start = '''{SMALL_BACKEND}'''\nready = \"/health\""


def toml(backend: str = BACKEND, more: str = "") -> str:
    return gates_toml(command_gate("true"), backend=backend, more=more)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project(tmp_path / "project", toml())


def context_of(project: Project, commit: str | None, events: list[Event] | None = None) -> Context:
    configuration = load_configuration(project.root / "gates.toml")
    plan = make_plan(configuration, signed=["one"])
    baseline = replace(signed("one").run, commit=commit)
    setting = Setting(
        configuration, project.root, project.root / ".gates" / "runs" / "now", configuration.policy(plan.phase),
        commit, baseline,
    )  # fmt: skip
    return make_context(plan.gates[0], plan, setting, (events if events is not None else []).append)


def test_both_builds_are_up_at_once_each_on_its_own_port_and_data(project: Project) -> None:
    commit = project.git("rev-parse", "HEAD")
    (project.root / "small_backend.py").write_text("raise SystemExit('the present one is broken')\n")
    events: list[Event] = []
    context = context_of(project, commit, events)
    assert context.earlier is not None
    assert (context.earlier.phase, context.earlier.commit) == ("one", commit)
    assert not (project.root / ".git" / "gates").exists()
    assert context.earlier.serve is not None
    with context.earlier.serve() as old:
        assert client.request(old.url, "GET", "/things").status == 200
        with pytest.raises(BackendFailed, match="the present one is broken"), context.serve():
            pass
        with context.earlier.serve() as again:
            assert again.url != old.url
            assert again.data != old.data
    told = [event.text for event in events if isinstance(event, GateProgress)]
    assert told == [f"building one ({commit[:12]}) beside this phase"]


@pytest.mark.skipif(not process.available_cores(), reason="programs cannot be bound to cores here")
def test_both_can_be_bound_to_cores(project: Project) -> None:
    core = frozenset({max(process.available_cores())})
    context = context_of(project, project.git("rev-parse", "HEAD"))
    assert context.earlier is not None
    assert context.earlier.serve is not None
    with context.serve(cpus=core) as new, context.earlier.serve(cpus=core) as old:
        for backend in (new, old):
            assert os.sched_getaffinity(backend.running.pid) == core  # type: ignore[attr-defined]


def test_an_earlier_build_that_does_not_start_is_no_failure_of_this_phase(project: Project) -> None:
    commit = project.commit("broken", **{"small_backend.py": "raise SystemExit('it never worked')\n"})
    context = context_of(project, commit)
    assert context.earlier is not None
    assert context.earlier.serve is not None
    with pytest.raises(GatesError, match=r"the build of one .* does not start(.|\n)*it never worked") as caught:
        context.earlier.serve().__enter__()
    assert not isinstance(caught.value, BackendFailed)


def test_what_cannot_be_built_says_why_when_it_is_wanted(project: Project) -> None:
    context = context_of(project, "c0ffee" * 6 + "c0ff")
    assert context.earlier is not None
    assert context.earlier.serve is not None
    with pytest.raises(GatesError, match="not in this clone"):
        context.earlier.serve().__enter__()


def test_a_backend_that_is_already_up_says_so_at_once(project: Project) -> None:
    project.write({"gates.toml": toml('url = "http://127.0.0.1:1"')})
    context = context_of(project, project.git("rev-parse", "HEAD"))
    assert context.earlier is not None
    assert context.earlier.serve is None
    assert "already up" in context.earlier.reason


def test_there_is_none_without_a_baseline_or_when_it_is_never_wanted(project: Project) -> None:
    commit = project.git("rev-parse", "HEAD")
    assert context_of(project, None).earlier is None
    for word in ("auto", "always", "never"):
        project.write({"gates.toml": toml(more=f'[baseline]\nside_by_side = "{word}"\nperformance = "7 %"\n')})
        context = context_of(project, commit)
        assert (context.earlier is None) == (word == "never")
        assert context.side_by_side == word
        assert context.tolerances.performance == pytest.approx(0.07)
