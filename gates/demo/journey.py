"""The whole journey on the example backend: sign off a phase, catch what the next one breaks, see the repair pass.

Nothing is faked: the states are real code, the gates run as they would anywhere, and what must be caught is looked up
in the judged run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from gates.demo.repository import build, commit_baselines, commit_repair, commit_second_phase
from gates.engine import Event
from gates.errors import GatesError
from gates.pipeline.check import RunFinished, Selection, check
from gates.pipeline.signoff import sign_off, verify_signoffs
from gates.results import FindingState, GateResult, Judgement, Run, Verdict

_FIRST, _SECOND = "foundation", "search"
_MORE_TRIES = 3


@dataclass(frozen=True)
class Stage:
    """How the journey is shown: a way to say a line, to render a run, and to follow the events of a check."""

    say: Callable[[str], None]
    render: Callable[[Run, Path], str]
    follow: Callable[[], AbstractContextManager[Callable[[Event], None]]]


@dataclass(frozen=True, slots=True)
class Caught:
    """Something that the second phase broke: what it is, and in which words it was caught (None: it was missed)."""

    what: str
    reason: str | None


def travel(keep: Path | None, stage: Stage) -> int:
    """Go the journey in a new folder and return 0 when everything happened as it should, else 1."""
    if keep is not None:
        return _travel(keep.resolve(), stage)
    with tempfile.TemporaryDirectory(prefix="gates-demo-") as folder:
        return _travel(Path(folder) / "orders", stage)


def _travel(root: Path, stage: Stage) -> int:
    began = time.monotonic()
    stage.say(f"An orders service is built in {root}, with a git history of its own.")
    commit = build(root)
    stage.say(f"\n1. Its first phase is checked (commit {commit[:10]}).")
    first = _check(root, stage)
    if first.verdict is not Verdict.PASS:
        return _give_up(stage, f"the first phase should pass, and is {first.verdict}")
    _, database, report = sign_off(root, _FIRST, by="the demo", note="The first phase of the example.")
    commit_baselines(root, _FIRST)
    stage.say(f"\n2. It is signed off: {database.relative_to(root)} and {report.relative_to(root)} are committed.")
    for line in verify_signoffs(root):
        stage.say(f"   verified: {line}")

    stage.say(f"\n3. The second phase is declared complete (commit {commit_second_phase(root)[:10]}). Is it?")
    second = _check(root, stage)
    caught = list(_what_was_caught(second))
    stage.say("\nWhat the second phase broke, and how it was caught:")
    for one in caught:
        stage.say(f"  - {one.what}: {one.reason or 'MISSED'}")
    if second.verdict is not Verdict.FAIL or any(one.reason is None for one in caught):
        return _give_up(stage, "the second phase should fail, and for these reasons")
    try:
        sign_off(root, _SECOND, by="the demo")
    except GatesError as refusal:
        stage.say(f"  - and nobody can sign it: {refusal.message.splitlines()[0]}")
    else:
        return _give_up(stage, "a failing phase could be signed off")

    stage.say(f"\n4. It is repaired (commit {commit_repair(root)[:10]}) and checked again.")
    third = _check(root, stage)
    for _ in range(_MORE_TRIES):
        if third.verdict is not Verdict.UNKNOWN:
            break
        stage.say("\nThe machine was too busy for the times to decide anything. They are measured once more.")
        third = _check(root, stage)
    if third.verdict is not Verdict.PASS:
        return _give_up(stage, f"the repaired phase should pass, and is {third.verdict}")
    stage.say(f"\nAll of it happened, in {time.monotonic() - began:.0f} s: a phase was signed off, "
              "six losses in the next one were caught and named, and their repair passed.")  # fmt: skip
    return 0


def _check(root: Path, stage: Stage) -> Run:
    finished: RunFinished | None = None
    with stage.follow() as show, closing(check(root, Selection())) as events:
        for event in events:
            if isinstance(event, RunFinished):
                finished = event
            else:
                show(event)
    if finished is None:
        raise GatesError("the check ended without a result", "please report it: this is a defect of gates")
    stage.say(stage.render(finished.run, finished.directory.relative_to(root)))
    return finished.run


def _give_up(stage: Stage, reason: str) -> int:
    stage.say(f"\nThe demo did not go as it should: {reason}. What stands above says why.")
    return 1


def _what_was_caught(run: Run) -> Iterator[Caught]:
    yield Caught("a slower operation", _slower(run))
    yield Caught("lost coverage", _reason_of(run, lambda one: one.measurement == "coverage.lines"))
    yield Caught("a deleted test", _new_finding(run, "tests.vanished"))
    yield Caught("a new security finding", _new_finding(run, "bandit."))
    yield Caught("a crash under fuzzing", _new_finding(run, "fuzz."))
    yield Caught("a promise that clients rely on", _new_finding(run, "contract."))


def _judgements(run: Run) -> Iterator[Judgement]:
    for gate in run.gates:
        yield from gate.judgements


def _slower(run: Run) -> str | None:
    return _reason_of(
        run,
        lambda one: one.measurement.startswith("load.p") and bool(one.scope) and one.kind in ("baseline", "relative"),
    )


def _reason_of(run: Run, fits: Callable[[Judgement], bool]) -> str | None:
    return next((one.reason for one in _judgements(run) if one.verdict is Verdict.FAIL and fits(one)), None)


def _new_finding(run: Run, rule: str) -> str | None:
    gates: tuple[GateResult, ...] = run.gates
    return next(
        (
            finding.message.splitlines()[0]
            for gate in gates
            for finding in gate.readings.findings
            if finding.rule.startswith(rule) and finding.state is FindingState.NEW
        ),
        None,
    )
