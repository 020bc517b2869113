"""The main journey.

gates.toml → configuration → plan → backend and tools → readings → store → comparison → Definition of Done → run.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gates import __version__, engine, machine
from gates.backend.environment import check_settings
from gates.compare import configuration_changes, judge, policy_changes, tell_once, waiver_notes
from gates.config.model import Configuration
from gates.demands import policy_from_data, policy_to_data
from gates.done import build_done, build_operations, exit_code, run_verdict
from gates.git import Checkout, read_checkout
from gates.pipeline.floors import floors
from gates.pipeline.place import WORK, Place, documented_operations, history_path, open_place, operation_classes
from gates.plan import Plan, make_plan
from gates.results import GateResult, Run, Verdict
from gates.store import Store
from gates.targets import find_owners
from gates.tools.base import digest

KEPT_RUNS = 20
"""Of so many runs the outputs and the bulky rows are kept; the numbers of all runs are kept for ever."""


@dataclass(frozen=True)
class Selection:
    """What was asked for on the command line."""

    phase: str | None = None
    gates: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fast: bool = False
    allow_unknown: bool = False


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event of a check: the whole judged run, and the folder with the outputs of its tools."""

    run: Run
    directory: Path


def check(root: Path, selection: Selection) -> Generator[engine.Event | RunFinished]:
    """Run and judge the gates of a phase; every result is saved when its gate ends. The last event is RunFinished.

    Closing it early stops every program that was started and notes the run as interrupted.
    """
    began = time.monotonic()
    place = open_place(root)
    plan = make_plan(
        place.configuration, signed=place.signed, phase=selection.phase, gates=selection.gates, only=selection.only,
        skip=selection.skip, fast=selection.fast,
    )  # fmt: skip
    if any(gate.tool.needs_backend for gate in plan.running()):
        check_settings(place.configuration.backend, root)
    run = begin(place, plan, selection)
    with Store(history_path(root)) as store:
        directory = root / WORK / "runs" / run.id
        directory.mkdir(parents=True)
        store.begin(run)
        judged: list[GateResult] = []
        try:
            floor = floors(root, {gate.name: gate.tool for gate in plan.running()}, run.machine)
            with closing(engine.run(plan, replace(make_setting(place, plan, directory), floors=floor))) as events:
                for event in events:
                    if isinstance(event, engine.GateFinished):
                        store.save_gate(run.id, event.result)
                        result = judge_gate(event.result, place, plan, run, judged)
                        judged.append(result)
                        event = engine.GateFinished(result)
                    yield event
            run = conclude(run, judged, place, plan, selection.allow_unknown, time.monotonic() - began)
            store.finish(run)
            store.prune(KEPT_RUNS)
        except BaseException as error:
            store.interrupt(run.id, _why(error))
            raise
    _forget_old_outputs(directory.parent)
    yield RunFinished(run, directory)


def _why(error: BaseException) -> str:
    interrupted = isinstance(error, KeyboardInterrupt | GeneratorExit)
    return "it was interrupted" if interrupted else str(error) or type(error).__name__


def begin(place: Place, plan: Plan, selection: Selection) -> Run:
    """Return the run as it is known before anything was measured."""
    checkout = read_checkout(place.root)
    now = datetime.now(UTC)
    policy = json.dumps(_policy_data(place.configuration, plan, f"{now:%Y-%m-%d}"), sort_keys=True)
    return Run(
        id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        project=place.configuration.project.name,
        phase=plan.phase.name,
        commit=checkout.commit,
        dirty=checkout.dirty,
        started=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=0.0,
        machine=machine.fingerprint(),
        versions={"gates": __version__, "python": sys.version.split()[0]},
        policy=policy,
        policy_digest=digest(policy),
        verdict=Verdict.UNKNOWN,
        exit_code=4,
        partial=plan.partial,
        notes=tuple(_notes(place, plan, checkout, selection)),
        baseline_phase=plan.previous,
    )


def _policy_data(configuration: Configuration, plan: Plan, day: str) -> dict[str, object]:
    """Return everything that decides the verdicts of a run, as data that can be stored and judged again.

    Which waivers hold is decided here, by the day on which the run began, and never again.
    """
    gates = {name: tool.model_dump(mode="json") for name, tool in configuration.gates.items()}
    return {
        **policy_to_data(configuration.policy(plan.phase, day)),
        "classes": configuration.operations.model_dump(mode="json"),
        "gates": gates,
        "owners": {name: list(owners) for name, owners in _owners(configuration, plan).items()},
    }


def _owners(configuration: Configuration, plan: Plan) -> dict[str, tuple[str, ...]]:
    measures = {name: tool.measured_as(name) for name, tool in configuration.gates.items()}
    return find_owners(configuration.policy(plan.phase).targets, measures)


def _notes(place: Place, plan: Plan, checkout: Checkout, selection: Selection) -> Iterator[str]:
    if checkout.commit is None:
        yield f"there is no commit to bind this run to ({checkout.reason}): it cannot be signed off"
    if plan.previous is None and plan.number > 1:
        yield "no earlier phase is signed off: there is nothing to compare with"
    if selection.allow_unknown:
        yield "--allow-unknown: an unknown verdict exits with 0"
    if place.configuration.backend.url:
        yield "the backend was already up: it is neither restarted nor reset between gates"
    if (signoff := place.signoff_of(plan.previous or "")) is not None:
        now = place.configuration.policy(plan.phase)
        yield from policy_changes(policy_from_data(json.loads(signoff.run.policy)), now)


def make_setting(place: Place, plan: Plan, directory: Path) -> engine.Setting:
    """Return what the gates of a run share; outputs go into the folder."""
    earlier = place.earlier(plan)
    baseline = earlier[-1].run if earlier else None
    return engine.Setting(
        place.configuration, place.root, directory, place.configuration.policy(plan.phase),
        baseline.commit if baseline else None, baseline, {before.phase: before.run for before in earlier},
    )  # fmt: skip


def judge_gate(result: GateResult, place: Place, plan: Plan, run: Run, others: Sequence[GateResult]) -> GateResult:
    """Return a gate's result, judged against the targets and the earlier phases."""
    earlier = place.earlier(plan)
    overrides = place.configuration.operations.model_dump()
    return judge(
        result,
        policy=policy_from_data(json.loads(run.policy)),
        classes=operation_classes([result, *others], overrides),
        previous=earlier[-1] if earlier else None,
        earlier=earlier,
        machine=run.machine,
        target_owners=_owners(place.configuration, plan),
        configured=list(place.configuration.gates),
    )


def conclude(
    run: Run, gates: Sequence[GateResult], place: Place, plan: Plan, allow_unknown: bool, seconds: float
) -> Run:
    """Return the whole run: the Definition of Done, the operations table, the verdict and the exit code."""
    policy = policy_from_data(json.loads(run.policy))
    order = list(place.configuration.gates)
    ordered = tell_once(sorted(gates, key=lambda gate: order.index(gate.gate)))
    classes = operation_classes(ordered, place.configuration.operations.model_dump())
    documented = list(documented_operations(ordered))
    done = build_done(
        ordered, policy=policy, target_owners=_owners(place.configuration, plan), classes=classes,
        documented=documented, asked=plan.asked,
    )  # fmt: skip
    verdict = run_verdict(done, ordered, plan.asked)
    earlier = place.earlier(plan)
    changes = configuration_changes(earlier[-1], ordered, order) if earlier and plan.asked is None else []
    versions = dict(run.versions)
    for gate in ordered:
        versions.update(gate.readings.versions)
    return replace(
        run,
        seconds=seconds,
        versions=versions,
        verdict=verdict,
        exit_code=exit_code(verdict, allow_unknown=allow_unknown),
        gates=tuple(ordered),
        done=done,
        operations=build_operations(ordered, documented, classes),
        notes=(*run.notes, *changes, *waiver_notes(policy, ordered, whole=not run.partial)),
    )


def _forget_old_outputs(folder: Path) -> None:
    for old in sorted(path for path in folder.iterdir() if path.is_dir())[:-KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
