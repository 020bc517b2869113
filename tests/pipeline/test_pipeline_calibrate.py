"""The journey of a calibration: what is refused, what is measured, what is kept, and what later checks make of it."""

from __future__ import annotations

import json
import math
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from projects import MARK, SMALL_BACKEND, Project, deciding, gates_toml, left_of, small_project

from gates.errors import BackendFailed, NotMeasured
from gates.pipeline.signoff import sign_off, verify_signoffs
from gates.results import Finding, Gap, Measurement, Readings, Run, Severity, Verdict
from gates.sequential import FLOOR
from gates.tools.base import Context
from gates.tools.locust import Locust

LOAD = '[gates.load]\ntool = "locust"\n'
TWELVE = LOAD + "pair_epochs = 12\n"
BACKEND = f"start = '{SMALL_BACKEND}'\nready = '/health'\n"
WAVES = (-0.006, 0.004, 0.002, -0.003, 0.006, -0.001, 0.002, -0.004, 0.001, -0.001, 0.003, -0.003)


def pairs(ratio: float, floor: float, planned: int, epochs: int = 12, confirmed: int = 0) -> list[Measurement]:
    """What a load gate brings back of two builds, of which one takes so many times longer."""
    samples = tuple(math.log(ratio) + wave for wave in (WAVES * 4)[:epochs])
    found = [
        Measurement(f"pair.{name}", ratio, "ratio", "lower", samples=samples, total=2000 * epochs)
        for name in ("shift", "p95")
    ]
    numbers = {"pair.planned": planned, "pair.confirmed": confirmed, "pair.floor": floor}
    return [*found, *(Measurement(name, float(value), "1", "neither") for name, value in numbers.items())]


@dataclass
class Machine:
    """What loading two builds on this machine says: `ratio` of the new to the earlier one; and what was asked for."""

    ratio: float = 1.0
    error: Exception | None = None
    readings: Callable[[Readings], Readings] = lambda readings: readings
    asked: list[tuple[Locust, Context]] = field(default_factory=list)

    def load(self, tool: Locust, context: Context) -> Readings:
        self.asked.append((tool, context))
        if self.error:
            raise self.error
        context.progress(0.5, "half of it")
        measured = [
            Measurement("load.errors", 0.0, "ratio", "lower", count=0, total=9000),
            Measurement("load.concurrency", 100.0, "1", "higher"),
            Measurement("load.memory", 5e7, "B", "lower"),
        ]
        if context.earlier is not None:
            epochs = tool.pair_epochs if context.calibrating else 12
            measured += pairs(self.ratio, context.floor.value, 12, epochs, 0 if context.calibrating else 4)
        notes = (context.floor.told,) if context.floor.told else ()
        return self.readings(Readings(tuple(measured), notes=notes))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(Locust, "run", lambda tool, context: made.load(tool, context))
    return made


def loaded(root: Path, gates: str = TWELVE, *, backend: str = BACKEND, more: str = "") -> Project:
    toml = gates_toml(gates, backend=backend, more=more, left_out=deciding("performance") + 'tests = "Of no interest."')
    return small_project(root / "project", toml)


@pytest.mark.parametrize(
    ("gates", "options", "message", "hint"),
    [
        ("", {}, "no gate of gates.toml loads the backend", 'tool = "locust"'),
        (LOAD + '[gates.soak]\ntool = "locust"\n', {}, "there are 2 load gates: load, soak", "gates calibrate load"),
        (LOAD + 'find = "knee"\n', {}, "never measured side by side", "the profile normal"),
        (LOAD + "pair_epochs = 0\n", {}, "`pair_epochs` of this gate is 0", "such as 12"),
        (LOAD + 'skip = "It is not wanted."\n', {}, "gate 'load' is left out by gates.toml", "`skip`"),
        (LOAD, {"more": '[baseline]\nside_by_side = "never"\n'}, "nothing is measured side by side here", "auto"),
        (LOAD, {"backend": 'url = "http://127.0.0.1:9"\n'}, "already up at its url", "[backend] start"),
        (LOAD, {"backend": ""}, "[backend] says neither how the backend is started", "start ="),
    ],
)
def test_what_cannot_be_calibrated_is_refused_before_anything_starts(
    tmp_path: Path, gates: str, options: dict[str, str], message: str, hint: str
) -> None:
    said = loaded(tmp_path, gates, **options).call("calibrate")
    assert said.code == 2, said
    assert message in said.err
    assert hint in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tests",), "there is no gate 'tests'"),
        (("numbers",), "gate 'numbers' is no load gate (its tool is command)"),
        (("--epochs", "5"), "--epochs 5 is not possible: between 6 and 200"),
        (("--epochs", "1000"), "--epochs 1000 is not possible"),
        (("--epochs", "-1"), "--epochs -1 is not possible"),
        (("--phase", "three"), "there is no phase 'three'"),
        (("--json", "/proc/nowhere/file"), "--json /proc/nowhere/file cannot be written"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    project = loaded(tmp_path, LOAD + '[gates.numbers]\ntool = "command"\ncommand = "true"\nitems = ["tests"]\n')
    said = project.call("calibrate", *arguments)
    assert said.code == 2, said
    assert message in said.err


def test_what_is_not_committed_would_be_on_one_side_only(tmp_path: Path) -> None:
    project = loaded(tmp_path)
    project.write({"a b.txt": "new", "small_backend.py": "changed"})
    said = project.call("calibrate")
    assert said.code == 2
    assert "what is not committed (" in said.err
    assert "small_backend.py" in said.err
    assert "git stash" in said.err
    shutil.rmtree(project.root / ".git")
    said = project.call("calibrate")
    assert said.code == 2
    assert "there is no commit that could be built beside this checkout" in said.err


def test_the_present_commit_is_measured_beside_itself_to_the_last_epoch(tmp_path: Path, machine: Machine) -> None:
    project = loaded(tmp_path)
    said = project.call("calibrate", "--epochs", "16")
    assert said.code == 0, said
    ((tool, context),) = machine.asked
    assert context.calibrating
    assert context.earlier is not None
    assert (context.earlier.phase, context.earlier.commit) == ("itself", project.git("rev-parse", "HEAD"))
    assert (tool.pair_epochs, tool.users) == (16, 0)
    assert tool.timeout > Locust().timeout
    assert "load (locust) started" in said.out
    assert "measured beside itself" in said.out
    assert "16 epochs" in said.out
    assert "\x1b" not in said.out
    assert ".gates/history.db: checks on this machine use it for 30 days" in said.out
    assert project.call("report").code == 3  # it is no run


def test_it_is_written_for_other_programs(tmp_path: Path, machine: Machine) -> None:
    project = loaded(tmp_path)
    said = project.call("calibrate", "--json", "-")
    assert said.code == 0
    found = json.loads(said.out)
    assert (found["format"], found["gate"], found["epochs"], found["floor"]) == (
        "gates.calibration/1",
        "load",
        12,
        0.01,
    )
    assert [one["measurement"] for one in found["noise"]] == ["pair.shift", "pair.p95"]
    said = project.call("calibrate", "--json", "out.json", "--quiet")
    assert said.out == ""
    assert json.loads((project.root / "out.json").read_text())["trial"]["verdict"] == "pass"


@pytest.mark.parametrize(("ratio", "code", "told"), [(1.5, 1, "FALSE ALARM"), (0.96, 4, "too noisy"), (1.015, 0, "")])
def test_what_is_wrong_with_the_machine_is_the_exit_code_and_is_told_also_when_quiet(
    tmp_path: Path, machine: Machine, ratio: float, code: int, told: str
) -> None:
    machine.ratio = ratio
    project = loaded(tmp_path)
    said = project.call("calibrate", "--quiet")
    assert said.code == code
    assert told in said.out
    assert (said.out == "") is (code == 0)
    assert json.loads(project.call("calibrate", "--json", "-").out)["floor"] == (0.03 if code else 0.018)


@pytest.mark.parametrize(
    ("error", "readings", "message"),
    [
        (NotMeasured("no operation could be sent to both builds alike"), {}, "sent to both builds alike"),
        (BackendFailed("the backend never became ready"), {}, "never became ready"),
        (None, {"measurements": (), "gaps": (Gap("load", "4 of 4 epochs cannot be believed: steal", "wait"),)},
         "4 of 4 epochs cannot be believed: steal"),
        (None, {"measurements": ()}, "6 of 12 epochs have to be believable"),
        (None, {"findings": (Finding("backend.died", Severity.HIGH, "it died", "f"),)}, "it died"),
    ],
)  # fmt: skip
def test_what_could_not_be_measured_is_an_error_and_is_not_kept(
    tmp_path: Path, machine: Machine, error: Exception | None, readings: dict[str, object], message: str
) -> None:
    machine.error, machine.readings = error, lambda found: replace(found, **readings)  # type: ignore[arg-type]
    project = loaded(tmp_path)
    said = project.call("calibrate")
    assert said.code == 3
    assert "load could not be calibrated" in said.err
    assert message in said.err
    with closing(sqlite3.connect(project.root / ".gates" / "history.db")) as database:
        assert database.execute("SELECT count(*) FROM calibrations").fetchone() == (0,)


# ---- later checks


def second_phase(project: Project) -> None:
    project.check()
    sign_off(project.root, None, by="Somebody")
    project.commit("the next phase")


def notes(run: Run) -> str:
    return "\n".join(note for gate in run.gates for note in gate.readings.notes)


def test_a_later_check_uses_the_floor_says_so_and_is_verified_by_it_anywhere(tmp_path: Path, machine: Machine) -> None:
    project = loaded(tmp_path)
    second_phase(project)
    machine.ratio = 1.02
    assert project.call("calibrate").code == 0
    floor = machine.asked[-1][1].floor.value
    assert floor == FLOOR  # a calibration is never judged by an earlier one
    machine.ratio = 1.0
    run = project.check()
    used = machine.asked[-1][1].floor
    assert used.value == pytest.approx(0.023, abs=1e-3)
    assert "less than 2.3 % slower is taken for none" in notes(run)
    stored = {one.name: one.value for one in run.gates[0].readings.measurements}
    assert stored["pair.floor"] == used.value
    sign_off(project.root, None, by="Somebody")
    shutil.rmtree(project.root / ".gates")  # another checkout: nothing is known of any calibration there
    assert len(verify_signoffs(project.root)) == 2


def test_what_is_above_the_ordinary_floor_and_below_the_calibrated_one_does_not_fail(
    tmp_path: Path, machine: Machine
) -> None:
    project = loaded(tmp_path, more='[baseline]\nperformance = "0.5 %"\ntails = "0.5 %"\n')
    second_phase(project)
    machine.ratio = 1.018
    assert project.check().gates[0].verdict is Verdict.FAIL
    machine.ratio = 1.02
    project.call("calibrate")
    machine.ratio = 1.018
    run = project.check()
    assert run.gates[0].verdict is Verdict.UNKNOWN
    assert any("2.3 %" in one.reason for one in run.gates[0].judgements if one.kind == "beside")


def test_a_calibration_of_other_settings_is_not_used_and_a_note_says_so(tmp_path: Path, machine: Machine) -> None:
    project = loaded(tmp_path)
    second_phase(project)
    machine.ratio = 1.02
    project.call("calibrate")
    toml = (project.root / "gates.toml").read_text()
    project.commit("other settings", **{"gates.toml": toml.replace(LOAD, LOAD + 'pair_seconds = "9 s"\n')})
    run = project.check()
    assert machine.asked[-1][1].floor.value == FLOOR
    assert "is not used, because the settings of the load have changed since" in notes(run)
    assert "is not used, because the settings" in project.call("doctor").out
    project.commit("more epochs", **{"gates.toml": toml.replace(TWELVE, LOAD + "pair_epochs = 20\n")})
    project.check()
    assert machine.asked[-1][1].floor.value > FLOOR


def test_the_doctor_says_whether_this_machine_is_calibrated(tmp_path: Path, machine: Machine) -> None:
    project = loaded(tmp_path)
    assert "calibration of load: none" in project.call("doctor").out
    project.call("calibrate")
    said = project.call("doctor")
    assert "calibration of load: less than 1 % slower is taken for none" in " ".join(said.out.split())


def test_an_interrupted_calibration_ends_with_130_and_leaves_nothing_running(tmp_path: Path) -> None:
    project = loaded(tmp_path)
    with project.start("calibrate", env={MARK: str(tmp_path)}) as running:
        deadline = time.monotonic() + 60
        while not list(project.runs_folder().glob("*/load/earlier-*")) and time.monotonic() < deadline:
            assert running.poll() is None, running.communicate()
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "interrupted" in err
    assert left_of(str(tmp_path)) == []


@pytest.mark.slow
def test_two_real_servers_of_one_commit_are_loaded_in_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("campaign", "together"):  # however busy the machine of the tests is
        monkeypatch.setattr(f"gates.tools.locust.{module}.SHORTEST_LAG", 60.0)
    for limit in ("CORES_USED", "STEAL", "THROTTLED"):
        monkeypatch.setattr(f"gates.load.validity.{limit}", 60.0)
    project = loaded(
        tmp_path, LOAD + 'pair_seconds = 0.6\nwarm_up = 0.2\nrate = "60 /s"\npair_share = 0.95\npair_throughput = 0\n'
    )
    said = project.call("calibrate", "--epochs", "6", "--json", "-")
    assert said.code in (0, 1, 4), said  # what the machine is like now is not for a test to say
    found = json.loads(said.out)
    assert found["epochs"] == 6
    shifts = {one["scope"]: one for one in found["noise"] if one["measurement"] == "pair.shift"}
    assert {"", "GET /things"} <= shifts.keys()
    assert all(len(set(one["samples"])) > 1 for one in shifts.values())
    assert found["order"] != 1.0
    (build,) = [path for path in (project.root / ".git" / "gates" / "builds").iterdir() if path.is_dir()]
    assert build.name.startswith(project.git("rev-parse", "HEAD")[:12])
    (outputs,) = project.runs_folder().iterdir()
    assert len([*outputs.glob("load/earlier-*")]) >= 6
