"""The journey of a calibration: a build is measured beside itself, and what this machine makes of that is kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gates import __version__, engine, machine
from gates.backend.environment import check_settings
from gates.calibration import FEWEST_EPOCHS, FRESH_DAYS, MOST_EPOCHS, Calibration, Circumstances
from gates.calibration import calibrate as judge_epochs
from gates.config.model import Configuration
from gates.errors import ConfigurationError, GatesError
from gates.git import read_checkout
from gates.pipeline.check import make_setting
from gates.pipeline.place import BASELINES, WORK, Place, history_path, open_place
from gates.plan import Plan, make_plan
from gates.profiles import nearest_hint
from gates.results import GateResult, Verdict
from gates.store import Store
from gates.tools.locust import Locust


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line."""

    gate: str | None = None
    phase: str | None = None
    epochs: int | None = None
    outputs: tuple[Path, ...] = ()
    """Files that are written in the end: they make no tree dirty."""


@dataclass(frozen=True, slots=True)
class CalibrationFinished:
    """The last event of a calibration: what was found, notes of how, where it is kept, and how many days it is used."""

    calibration: Calibration
    notes: tuple[str, ...]
    history: Path
    days: int = FRESH_DAYS


def calibrate(root: Path, wanted: Wanted) -> Generator[engine.Event | CalibrationFinished]:
    """Measure the present commit beside itself, as a check would beside an earlier phase, to the last epoch.

    The last event is CalibrationFinished; by then it is stored. Closing it early stops every program that was started.
    Raises ConfigurationError for what cannot be calibrated, GatesError when it could not be measured.
    """
    began = datetime.now(UTC)
    place = open_place(root)
    name, tool = _load_gate(place.configuration, wanted)
    epochs = _epochs(tool, wanted.epochs)
    check_settings(place.configuration.backend, root)
    commit = _commit(root, wanted.outputs)
    plan = _plan(place, name, tool, wanted.phase, epochs)
    with Store(history_path(root)) as store:
        directory = root / WORK / "runs" / f"{began:%Y%m%d-%H%M%S}-calibration-{secrets.token_hex(2)}"
        directory.mkdir(parents=True)
        setting = replace(make_setting(place, plan, directory), itself=commit)
        started, result = time.monotonic(), None
        with closing(engine.run(plan, setting)) as events:
            for event in events:
                if isinstance(event, engine.GateFinished):
                    result = event.result  # nothing judged it: shown as it is, it would say that it passed
                else:
                    yield event
        assert result is not None
        measured = _measured(result, directory)
        circumstances = Circumstances(
            f"{began:%Y-%m-%dT%H:%M:%SZ}", name, tool.pairing(), machine.fingerprint(), __version__, commit,
            tool.pair_epochs, (time.monotonic() - started) / max(1, len(measured.readings.epochs)),
        )  # fmt: skip
        calibration = judge_epochs(measured.readings.measurements, setting.policy.tolerances, circumstances)
        if calibration is None:
            raise _too_few(measured, epochs)
        store.save_calibration(calibration)
    yield CalibrationFinished(calibration, measured.readings.notes, history_path(root))


def _load_gate(configuration: Configuration, wanted: Wanted) -> tuple[str, Locust]:
    """Return the gate to calibrate; raises ConfigurationError when it is not clear which, or nothing would use it."""
    able = {name: tool for name, tool in configuration.gates.items() if isinstance(tool, Locust)}
    name = wanted.gate
    if name is None and len(able) > 1:
        raise ConfigurationError(f"there are {len(able)} load gates: {', '.join(able)}",
                                 f"name the one to calibrate: gates calibrate {next(iter(able))}")  # fmt: skip
    if name is None and not able:
        raise ConfigurationError("no gate of gates.toml loads the backend, so nothing would use a calibration",
                                 'add one: [gates.load] with tool = "locust"')  # fmt: skip
    name = name if name is not None else next(iter(able))
    if name not in configuration.gates:
        raise ConfigurationError(f"there is no gate {name!r}", nearest_hint(name, [*able]))
    if name not in able:
        raise ConfigurationError(
            f"gate {name!r} is no load gate (its tool is {configuration.gates[name].tool}), and only those are "
            "calibrated", f"the load gates are: {', '.join(able)}" if able else 'add one with tool = "locust"',
        )  # fmt: skip
    if able[name].skip:
        raise ConfigurationError(f"gate {name!r} is left out by gates.toml ({able[name].skip})", "take out its `skip`")
    if configuration.backend.url:
        raise ConfigurationError(
            "the backend is already up at its url, and cannot be started twice", "[backend] start lets gates start it"
        )
    if configuration.baseline.side_by_side == "never":
        raise ConfigurationError(
            'nothing is measured side by side here ([baseline] side_by_side = "never"), so nothing would use a '
            "calibration", 'set it to "auto"',
        )  # fmt: skip
    return name, able[name]


def _epochs(tool: Locust, wanted: int | None) -> int:
    if tool.find is not None:
        raise ConfigurationError(
            f"this gate finds something else (`find` is {tool.find}) and is never measured side by side",
            "calibrate a gate that is, such as one with the profile normal",
        )
    if not tool.pair_epochs:
        raise ConfigurationError(
            "`pair_epochs` of this gate is 0: it is never measured side by side, and nothing would use a calibration",
            "give the gate `pair_epochs`, such as 12",
        )
    epochs = max(FEWEST_EPOCHS, tool.pair_epochs) if wanted is None else wanted
    if not FEWEST_EPOCHS <= epochs <= MOST_EPOCHS:
        raise ConfigurationError(
            f"--epochs {epochs} is not possible: between {FEWEST_EPOCHS} and {MOST_EPOCHS}",
            "with fewer the noise itself is hardly known; the default is as many as a check has at most",
        )
    return epochs


def _commit(root: Path, outputs: Sequence[Path]) -> str:
    inside = [path.resolve() for path in outputs if path.resolve().is_relative_to(root)]
    checkout = read_checkout(root, (BASELINES, *(str(path.relative_to(root)) for path in inside)))
    if checkout.commit is None:
        raise ConfigurationError(
            f"there is no commit that could be built beside this checkout: {checkout.reason}",
            "git init, git add, git commit",
        )
    if checkout.dirty:
        changed = [line.split(maxsplit=1)[-1] for line in checkout.reason.splitlines()]
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise ConfigurationError(
            f"what is not committed ({', '.join(changed[:3])}{more}) would be on one side only, so this would not be "
            "the same build twice", "commit it, or set it aside: git stash --include-untracked",
        )  # fmt: skip
    return checkout.commit


def _plan(place: Place, name: str, tool: Locust, phase: str | None, epochs: int) -> Plan:
    """Return the plan of a check of this gate, with a tool that goes on for all epochs and measures nothing else."""
    plan = make_plan(place.configuration, signed=place.signed, phase=phase, gates=(name,))
    longer = max(1.0, epochs / tool.pair_epochs)
    changes: dict[str, object] = {"pair_epochs": epochs, "timeout": tool.timeout * longer}
    if tool.locustfile is None:
        changes["users"] = 0
    to_the_end = tool.model_copy(update=changes)
    gates = tuple(replace(gate, tool=to_the_end) for gate in plan.gates if gate.name == name)
    return replace(plan, gates=gates)


def _measured(result: GateResult, directory: Path) -> GateResult:
    if result.verdict is not Verdict.PASS:
        raise GatesError(f"{result.gate} could not be calibrated: {result.reason}",
                         result.hint or f"the outputs are in {directory}")  # fmt: skip
    for finding in result.readings.findings:
        if finding.rule == "backend.died":
            raise GatesError(f"{result.gate} could not be calibrated: {finding.message}", finding.fix)
    return result


def _too_few(result: GateResult, epochs: int) -> GatesError:
    gap = next(iter(result.readings.gaps), None)
    why = f": {gap.reason}" if gap else f": {FEWEST_EPOCHS} of {epochs} epochs have to be believable"
    return GatesError(f"{result.gate} could not be calibrated{why}",
                      (gap.hint if gap else "") or "let nothing else run on this machine meanwhile")  # fmt: skip
