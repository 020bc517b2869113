"""Runs the gates of a plan and yields events; never prints, never exits; one broken gate never stops the others."""

from __future__ import annotations

import errno
import itertools
import queue
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gates import process
from gates.backend.environment import interpreter, project_environment
from gates.backend.serving import serving
from gates.builds import Build, builds_folder, earlier_build, laid_over
from gates.calibration import Floor
from gates.config.model import Configuration
from gates.demands import Policy
from gates.document import classify
from gates.errors import BackendFailed, GatesError, NotMeasured
from gates.plan import Plan, PlannedGate
from gates.profiles import find_source
from gates.results import FindingState, GateResult, Run, Verdict
from gates.tools.base import Context, EarlierBuild, Place, Serving

_PATIENCE = 30.0
"""Seconds for tools to end after an interrupt; what they started is gone before that."""
_OF_THE_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
"""Errors of the system that are no defect of gates."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The gates that will run, in order."""

    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateStarted:
    """A gate began."""

    gate: str
    tool: str


@dataclass(frozen=True, slots=True)
class GateProgress:
    """How far a gate is; `share` is between 0 and 1, or None where the end is not known."""

    gate: str
    share: float | None
    text: str


@dataclass(frozen=True, slots=True)
class GateFinished:
    """A gate ended; its readings are raw until they are compared."""

    result: GateResult


Event = RunStarted | GateStarted | GateProgress | GateFinished


@dataclass(frozen=True)
class Setting:
    """What the gates of one run share."""

    configuration: Configuration
    root: Path
    directory: Path
    policy: Policy
    base_commit: str | None = None
    baseline: Run | None = None
    signed: Mapping[str, Run] = field(default_factory=dict)
    """The runs of the earlier phases by phase, the baseline last."""
    floors: Mapping[str, Floor] = field(default_factory=dict)
    """By gate, below which a worsening is none; those that are not named take the ordinary one."""
    itself: str | None = None
    """The commit of this checkout, when its build is measured beside itself in place of an earlier one."""


def run(plan: Plan, setting: Setting) -> Generator[Event]:
    """Run the gates of a plan: what does not measure time side by side, the rest alone, one after another.

    Closing the iterator early, or an interrupt, stops every program that was started.
    """
    running = plan.running()
    yield RunStarted(tuple(gate.name for gate in running))
    for gate in plan.gates:
        if gate.skipped:
            items = tuple(gate.tool.items)
            yield GateFinished(
                GateResult(gate.name, gate.tool.tool, Verdict.SKIPPED, 0.0, reason=gate.skipped, items=items)
            )
    together = [gate for gate in running if not gate.tool.alone]
    batches = [together[start : start + 2] for start in range(0, len(together), 2)]
    for batch in [*batches, *([gate] for gate in running if gate.tool.alone)]:
        yield from _run_batch(batch, plan, setting)


def _run_batch(batch: Sequence[PlannedGate], plan: Plan, setting: Setting) -> Iterator[Event]:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_run_gate, args=(gate, plan, setting, events.put), daemon=True, name=gate.name)
        for gate in batch
    ]
    left = len(threads)
    try:
        for thread in threads:
            thread.start()
        while left:
            try:
                event = events.get(timeout=1.0)  # a bounded wait, so that an interrupt is noticed at once
            except queue.Empty:
                continue
            left -= isinstance(event, GateFinished)
            yield event
    finally:
        _end(threads, stopping=bool(left))


def _end(threads: Sequence[threading.Thread], *, stopping: bool) -> None:
    deadline = time.monotonic() + _PATIENCE
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        if stopping:
            # Again and again: a tool that was between two programs starts its next one after the first were stopped.
            process.stop_all()
        for thread in threads:
            if thread.is_alive():
                thread.join(timeout=0.2)


def _run_gate(gate: PlannedGate, plan: Plan, setting: Setting, put: Callable[[Event], None]) -> None:
    tool = gate.tool
    put(GateStarted(gate.name, tool.tool))
    began = time.monotonic()
    result = GateResult(
        gate.name, tool.tool, Verdict.ERROR, 0.0, reason="this is a defect of gates: the tool ended without a result",
        hint="please report it", items=tuple(tool.items),
    )  # fmt: skip
    try:
        result = _measure(gate, plan, setting, result, put)
    finally:
        # Whatever happened, somebody waits for this.
        put(GateFinished(replace(result, seconds=time.monotonic() - began)))


def _measure(
    gate: PlannedGate, plan: Plan, setting: Setting, result: GateResult, put: Callable[[Event], None]
) -> GateResult:
    try:
        readings = gate.tool.run(make_context(gate, plan, setting, put))
    except BackendFailed as error:
        verdict, reason, hint = Verdict.FAIL, error.message, error.hint
    except NotMeasured as error:
        verdict, reason, hint = Verdict.UNKNOWN, error.message, error.hint
    except GatesError as error:
        verdict, reason, hint = Verdict.ERROR, error.message, error.hint
    except Exception as error:  # noqa: BLE001 - one broken gate never stops the others
        verdict, (reason, hint) = Verdict.ERROR, _describe(error, setting.directory / f"{gate.name}.traceback.txt")
    else:
        return replace(result, verdict=Verdict.PASS, reason=None, hint="", readings=readings)
    return replace(result, verdict=verdict, reason=reason, hint=hint)


def _describe(error: Exception, trace: Path) -> tuple[str, str]:
    """Return what an unexpected error means and what to do; its traceback is kept where there is room for it."""
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return f"{error.strerror}: {error.filename or 'no file is named'}", "is there room, and may gates write there?"
    kept = f", with {trace.name} from the folder of this run"
    try:
        trace.write_text("".join(traceback.format_exception(error)), "utf-8", "backslashreplace")
    except OSError as full:
        kept = f"; its traceback could not be kept ({full.strerror})"
    return f"this is a defect of gates: {type(error).__name__}: {error}", f"please report it{kept}"


def make_context(
    gate: PlannedGate, plan: Plan, setting: Setting, put: Callable[[Event], None] = lambda event: None
) -> Context:
    """Return what a tool may use while it runs as this gate; its folder is made empty."""
    configuration, root = setting.configuration, setting.root
    directory = setting.directory / gate.name
    directory.mkdir(parents=True, exist_ok=True)
    starts = itertools.count(1)
    overrides = configuration.operations.model_dump()
    baseline = _baseline_of(gate, setting.baseline)

    def progress(share: float | None, text: str) -> None:
        put(GateProgress(gate.name, share, text))

    def serve(*, cpus: frozenset[int] | None = None) -> AbstractContextManager[Serving]:
        return serving(configuration.backend, root, directory / f"backend-{next(starts)}", cpus)

    return Context(
        root=root,
        source=find_source(configuration.project.name, configuration.project.source, root),
        python=interpreter(configuration.backend, root),
        env=project_environment(configuration.backend, root),
        directory=directory,
        gate=gate.name,
        serve=serve,
        classify=lambda name, definition: classify(name, definition, overrides),
        progress=progress,
        base_commit=setting.base_commit,
        baseline=baseline,
        openapi=configuration.backend.openapi,
        phase=plan.phase.name,
        phase_settings=plan.phase.model_dump(mode="json"),
        signed=setting.signed,
        earlier=_earlier(setting, directory, progress),
        side_by_side=configuration.baseline.side_by_side,
        tolerances=setting.policy.tolerances,
        floor=setting.floors.get(gate.name, Floor()),
        calibrating=setting.itself is not None,
        known=frozenset(
            finding.fingerprint
            for finding in (baseline.readings.findings if baseline else ())
            if finding.state is not FindingState.FIXED
        ),
        fast=plan.fast,
        targets=setting.policy.targets,
    )


def _earlier(setting: Setting, directory: Path, progress: Callable[[float | None, str], None]) -> EarlierBuild | None:
    """Return the build of the phase that is compared with; it is made when a tool first wants it up."""
    baseline, configuration, root = setting.baseline, setting.configuration, setting.root
    if setting.itself is not None:
        phase, commit = "itself", setting.itself
    elif baseline is None or baseline.commit is None or configuration.baseline.side_by_side == "never":
        return None
    else:
        phase, commit = baseline.phase, baseline.commit
    made: list[Build] = []
    starts = itertools.count(1)

    def build() -> Build:
        if not made:
            beside = "beside this phase" if setting.itself is None else "once more"
            progress(None, f"building {phase} ({commit[:12]}) {beside}")
            # A command needs no backend: one that was already up does not keep its source from being there.
            settings = configuration.backend.model_copy(update={"url": None})
            made.append(earlier_build(root, commit, settings, builds_folder(root)))
        return made[0]

    @contextmanager
    def place(*, present: Sequence[str] = ()) -> Iterator[Place]:
        with ExitStack() as stack:
            there = stack.enter_context(laid_over(root, commit, build(), present)) if present else build()
            yield Place(there.root, interpreter(there.settings, there.root), there.environment())

    if configuration.backend.url:
        reason = "the backend was already up (url), so the earlier build cannot be started beside it"
        return EarlierBuild(phase, commit, None, reason, place)

    @contextmanager
    def serve(*, cpus: frozenset[int] | None = None) -> Iterator[Serving]:
        earlier = build()
        with ExitStack() as stack:
            try:
                up = stack.enter_context(
                    serving(earlier.settings, earlier.root, directory / f"earlier-{next(starts)}", cpus)
                )
            except BackendFailed as error:
                # It is the earlier build that failed: no verdict on this phase follows from that.
                raise GatesError(
                    f"the build of {phase} ({commit[:12]}) does not start: {error.message}",
                    f"it is started in {earlier.root}, which holds what is in git and what [backend] prepare makes; "
                    + "; ".join(earlier.notes),
                ) from error
            yield up

    return EarlierBuild(phase, commit, serve, place=place)


def _baseline_of(gate: PlannedGate, baseline: Run | None) -> GateResult | None:
    results = baseline.gates if baseline else ()
    named = [result for result in results if result.gate == gate.name and result.tool == gate.tool.tool]
    alike = [result for result in results if result.tool == gate.tool.tool]
    return next(iter(named or alike), None)
