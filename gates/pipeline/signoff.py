"""Freezing a run as the baseline of its phase, and proving later that nothing of it was changed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gates.compare import Earlier, judge, tell_once
from gates.demands import policy_from_data
from gates.done import build_done, run_verdict
from gates.errors import ConfigurationError, IntegrityError, SignoffRefused
from gates.git import read_checkout
from gates.pipeline.place import (
    BASELINES,
    Place,
    documented_operations,
    history_path,
    open_place,
    operation_classes,
    read_signoffs,
)
from gates.plan import choose_phase
from gates.profiles import nearest_hint
from gates.reports import markdown
from gates.reports.wording import accepted
from gates.results import GateResult, Run, Signoff, Verdict
from gates.store import Store, content_digest, read_baseline, write_baseline


def sign_off(
    root: Path, phase: str | None, *, by: str, note: str = "", accept_debt: bool = False
) -> tuple[Signoff, Path, Path]:
    """Write the baseline of a phase from the last run of this commit; return it with its two files.

    Raises SignoffRefused, and writes nothing, when the tree is dirty, the run is of another commit or was partial, or
    an item is not met.
    """
    place = open_place(root)
    if not by.strip():
        raise ConfigurationError("--by is empty", "a person signs: --by 'NAME'")
    number, chosen = choose_phase(place.configuration, phase, place.signed)
    _refuse_out_of_order(place, number, chosen.name)
    run = _run_to_sign(place, chosen.name)
    _refuse_open_items(run, accept_debt)
    previous = place.signoffs[-1] if place.signoffs else None
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    draft = Signoff(
        chosen.name, number, by.strip(), now, note.strip(), run, "", previous.digest if previous else None,
        tuple(accepted(run)),
    )  # fmt: skip
    signed = replace(draft, digest=content_digest(draft))
    database = root / BASELINES / f"{number:02}-{chosen.name}.db"
    report = database.with_suffix(".md")
    _publish(database, report, signed)
    return signed, database, report


def _publish(database: Path, report: Path, signed: Signoff) -> None:
    """Write the two files of a sign-off, the baseline last, because it is what makes a phase signed.

    Whoever is killed before that signs again, and the report is written anew.
    """
    report.parent.mkdir(parents=True, exist_ok=True)
    before = report.read_bytes() if report.exists() else None
    part = report.with_name(f".{report.name}.{os.getpid()}.part")
    try:
        part.write_text(markdown.render_signoff(signed), "utf-8")
        os.replace(part, report)
        write_baseline(database, signed)
    except BaseException:
        part.unlink(missing_ok=True)
        # It may be there all the same: interrupted a moment after, or signed by somebody else a moment before.
        if not database.exists() or read_baseline(database) != signed:
            if before is None:
                report.unlink(missing_ok=True)
            else:
                report.write_bytes(before)
        raise


def _refuse_out_of_order(place: Place, number: int, name: str) -> None:
    if name in place.signed:
        raise SignoffRefused(f"phase {name!r} is signed off already", "a baseline is never changed: begin a new phase")
    for earlier in place.configuration.phases[: number - 1]:
        if earlier.name not in place.signed:
            raise SignoffRefused(
                f"phase {earlier.name!r} comes before {name!r} and is not signed off", f"gates signoff {earlier.name}"
            )


def _run_to_sign(place: Place, phase: str) -> Run:
    checkout = read_checkout(place.root)
    if checkout.commit is None:
        raise SignoffRefused(f"there is no commit to sign: {checkout.reason}", "git init, git add, git commit")
    if checkout.dirty:
        raise SignoffRefused(
            f"the tree is dirty:\n{_indented(checkout.reason)}", "commit these changes, then run `gates check` again"
        )
    with Store(history_path(place.root)) as store:
        run = store.latest(phase=phase, partial=False)
    again = f"run `gates check --phase {phase}` on this commit"
    if run is None:
        raise SignoffRefused(f"there is no whole run of phase {phase!r} to sign", again)
    if run.commit != checkout.commit:
        raise SignoffRefused(
            f"the last whole run is of commit {(run.commit or 'none')[:12]}, and this is {checkout.commit[:12]}", again
        )
    if run.dirty:
        raise SignoffRefused("the last whole run had changes that were not committed", again)
    return run


def _indented(text: str, most: int = 10) -> str:
    lines = text.splitlines()
    more = [f"  … and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*(f"  {line}" for line in lines[:most]), *more])


@dataclass(frozen=True, slots=True)
class _Open:
    """Something that keeps a phase from being signed: an item, or a gate that decides none."""

    title: str
    verdict: Verdict
    reasons: tuple[str, ...]
    gates: tuple[str, ...]


def _find_open(run: Run) -> list[_Open]:
    left_out = json.loads(run.policy)["left_out"]
    found = [
        _Open(item.title, item.verdict, item.reasons, item.gates)
        for item in run.done
        if item.verdict is not Verdict.PASS and not (item.verdict is Verdict.SKIPPED and item.item in left_out)
    ]
    found += [
        _Open(f"gate {gate.gate}", gate.verdict, (gate.reason or "",), (gate.gate,))
        for gate in run.gates
        if not gate.items and gate.verdict not in (Verdict.PASS, Verdict.SKIPPED)
    ]
    return found


def _refuse_open_items(run: Run, accept_debt: bool) -> None:
    gates = {gate.gate: gate for gate in run.gates}
    open_items = _find_open(run)
    if not open_items and all(gate.verdict is Verdict.SKIPPED for gate in run.gates):
        raise SignoffRefused("nothing was judged: every gate was skipped", "let at least one gate run")
    if accept_debt:
        open_items = [item for item in open_items if not _can_be_debt(item, gates)]
    if not open_items:
        return
    lines = []
    for item in open_items:
        lines.append(f"  {item.title}: {item.verdict}")
        lines += [f"    {reason}" for reason in item.reasons[:3] if reason]
    hint = "mend them and check again, or leave an item out with a reason in [done.leave_out]"
    if not accept_debt and all(_can_be_debt(item, gates) for item in open_items):
        hint += "; a project that begins with debts may sign with --accept-debt"
    count = "1 item is" if len(open_items) == 1 else f"{len(open_items)} items are"
    raise SignoffRefused(f"{count} not met:\n" + "\n".join(lines), hint)


def _can_be_debt(item: _Open, gates: dict[str, GateResult]) -> bool:
    """Return whether all that keeps an item from passing was seen and can be recorded: nothing that did not run."""
    deciding = [gates[name] for name in item.gates if name in gates]
    blocking = [gate for gate in deciding if gate.verdict not in (Verdict.PASS, Verdict.SKIPPED)]
    return bool(blocking) and all(
        gate.verdict is not Verdict.ERROR
        and any(judgement.verdict in (Verdict.FAIL, Verdict.UNKNOWN) for judgement in gate.judgements)
        for gate in blocking
    )


def verify_signoffs(root: Path, phase: str | None = None) -> list[str]:
    """Return a line for each phase whose digests and verdicts were recomputed and are what was signed.

    Raises IntegrityError for the first that is not.
    """
    signoffs = read_signoffs(root)
    names = [signoff.phase for signoff in signoffs]
    if phase is not None and phase not in names:
        raise ConfigurationError(f"phase {phase!r} is not signed off", nearest_hint(phase, names))
    lines = []
    for position, signoff in enumerate(signoffs):
        if phase in (None, signoff.phase):
            earlier = [Earlier(before.phase, before.run) for before in signoffs[:position]]
            count = _verify_verdicts(signoff, earlier)
            lines.append(
                f"{signoff.number:02} {signoff.phase}: digest and chain hold, {count} verdicts recomputed alike "
                f"(signed by {signoff.by}, {signoff.at})"
            )
    return lines or ["no phase is signed off yet: there is nothing to verify"]


def _verify_verdicts(signoff: Signoff, earlier: list[Earlier]) -> int:
    run = signoff.run
    data = json.loads(run.policy)
    policy = policy_from_data(data)
    owners = {name: tuple(gates) for name, gates in data["owners"].items()}
    overrides = {name: tuple(patterns) for name, patterns in data["classes"].items()}
    classes = operation_classes(run.gates, overrides)
    again = tell_once([
        judge(
            gate, policy=policy, classes=classes,
            previous=earlier[-1] if earlier else None, earlier=earlier, machine=run.machine, target_owners=owners,
            configured=list(data["gates"]),
        )
        for gate in run.gates
    ])  # fmt: skip
    documented = list(documented_operations(again))
    done = build_done(again, policy=policy, target_owners=owners, classes=classes, documented=documented)
    pairs = [(gate.gate, gate.verdict, new.verdict) for gate, new in zip(run.gates, again, strict=True)]
    pairs += [(item.item, item.verdict, new.verdict) for item, new in zip(run.done, done, strict=True)]
    pairs.append(("the run", run.verdict, run_verdict(done, again, None)))
    for name, signed, recomputed in pairs:
        if signed is not recomputed:
            raise IntegrityError(
                f"phase {signoff.phase!r}: {name} was signed as {signed}, and its stored readings say {recomputed}",
                "the baseline, or the rules of this version of gates, are not those of the sign-off",
            )
    return len(pairs) + sum(len(gate.judgements) for gate in again)
