"""From judged gates to the Definition of Done, the operations table and the exit code; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gates.compare.case import describe_finding
from gates.compare.demanded import targets_without_evidence
from gates.compare.findings import failing
from gates.compare.subjects import SUBJECT_OF, count_outcomes, list_names
from gates.demands import Policy
from gates.results import (
    DoneItem,
    Finding,
    FindingState,
    GateResult,
    ItemId,
    Judgement,
    OperationRow,
    Verdict,
    worst,
)
from gates.targets import class_of

EXIT_CODES: Mapping[Verdict, int] = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.ERROR: 3, Verdict.UNKNOWN: 4}
_MOST_REASONS = 5
_SHOWN_STATES: Mapping[FindingState, str] = {
    FindingState.KNOWN: "known", FindingState.WAIVED: "waived", FindingState.FLAKY: "flaky",
}  # fmt: skip
_IGNORED_AUTH = "ignored_auth"
_FEW = 3
"""Up to so many reasons of one kind stand by themselves; more are told in one line."""


@dataclass(frozen=True, slots=True)
class Item:
    """One of the guidelines' nine items: its title there, and what is said while no gate decides it."""

    title: str
    undecided: str


ITEMS: Mapping[ItemId, Item] = {
    "endpoints": Item(
        "All API endpoints implemented and tested",
        "no gate asks every operation of the document: add a schemathesis gate",
    ),
    "database": Item("Database schema and operations optimized", "no gate looks at the database yet"),
    "auth": Item("Authentication and authorization working", "no gate tries the operations without their login yet"),
    "errors": Item(
        "Error handling and logging implemented", "no gate looks at error answers and logs yet"
    ),
    "performance": Item("Performance targets met", "no gate measures times under load: add a locust gate"),
    "security": Item("Security best practices followed", "no gate scans the source: add a bandit gate if it is Python"),
    "tests": Item("Unit and integration tests passing", "no gate runs the project's tests: add a coverage gate"),
    "documentation": Item(
        "API documentation updated", "no gate compares the served document with the committed one yet"
    ),
    "integration": Item(
        "Phase integration points documented", "no gate holds the earlier phase's document against this server yet"
    ),
}  # fmt: skip
"""In the order of the guidelines."""


def no_gate_hint(item: ItemId) -> str:
    """Return what can be done about an item that no gate decides."""
    return f'let a command gate decide it with items = ["{item}"], or leave it out in [done.leave_out] with a reason'


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is, and what would change it."""

    text: str
    hint: str = ""


def build_done(
    gates: Sequence[GateResult],
    *,
    policy: Policy,
    target_owners: Mapping[str, tuple[str, ...]],
    classes: Mapping[str, str],
    documented: Sequence[str] = (),
    asked: Collection[str] | None = None,
) -> tuple[DoneItem, ...]:
    """Return the nine items with what decided them.

    `target_owners` maps targets to the gates that would bring them, `classes` operations to their class, `documented`
    are the operations of the document, `asked` the gates named on the command line (None for a whole check).
    Reasons and hints are aligned; an item that is met may still carry reasons: how many tests ran, how many
    operations answered, which of its gates were left out.
    """
    lacking = targets_without_evidence(policy, target_owners, gates, classes) if asked is None else []
    told: set[str] = set()
    items = []
    for name, item in ITEMS.items():
        deciding = [gate for gate in gates if name in gate.items]
        if asked is not None:
            deciding = [gate for gate in deciding if gate.gate in asked]
        names = tuple(gate.gate for gate in deciding)
        if name in policy.left_out:
            items.append(DoneItem(name, item.title, Verdict.SKIPPED, (policy.left_out[name],), names, ("",)))
        elif asked is not None and not deciding:
            items.append(DoneItem(name, item.title, Verdict.SKIPPED, ("not asked for",), (), ("",), asked=False))
        else:
            found = [
                (Verdict.UNKNOWN, Reason(text, f"correct or drop {target}"))
                for target, of, text in lacking
                if of == name
            ]
            if name == "endpoints":
                found += _untried(deciding, documented)
            items.append(_build_item(name, deciding, found, policy, told))
    return tuple(items)


Judged = tuple[Verdict, Reason]


def _build_item(
    name: ItemId, deciding: Sequence[GateResult], lacking: Sequence[Judged], policy: Policy, told: set[str]
) -> DoneItem:
    found: list[Judged] = []
    if not deciding:
        found.append((Verdict.UNKNOWN, Reason(ITEMS[name].undecided, no_gate_hint(name))))
    for gate in deciding:
        lead = f"{gate.gate}: " if len(deciding) > 1 and gate.verdict is not Verdict.SKIPPED else ""
        found += [(verdict, Reason(lead + reason.text, reason.hint)) for verdict, reason in reasons_of(gate, policy)]
    found += lacking
    order = {verdict: rank for rank, verdict in enumerate((Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN))}
    found.sort(key=lambda pair: order.get(pair[0], len(order)))
    reasons = [Reason(text) for text in _counts(name, deciding)] + _capped(found, deciding)
    known = [line for gate in deciding if gate.gate not in told for line in known_of(gate)]
    told.update(gate.gate for gate in deciding)
    verdicts = [gate.verdict for gate in deciding] + [verdict for verdict, _ in lacking]
    return DoneItem(
        name, ITEMS[name].title, worst(verdicts), tuple(reason.text for reason in reasons),
        tuple(gate.gate for gate in deciding), tuple(reason.hint for reason in reasons), tuple(known),
    )  # fmt: skip


def _capped(found: Sequence[Judged], deciding: Sequence[GateResult]) -> list[Reason]:
    """Return the first reasons of many, among them one of each verdict: the undecided is not lost behind failures."""
    if len(found) <= _MOST_REASONS:
        return [reason for _, reason in found]
    verdicts = [verdict for verdict, _ in found]
    firsts = {verdicts.index(verdict) for verdict in verdicts}
    others = [number for number in range(len(found)) if number not in firsts]
    reasons = [found[number][1] for number in sorted([*firsts, *others[: _MOST_REASONS - len(firsts)]])]
    places = [f"gates explain {gate.gate}" for gate in deciding if gate.verdict is not Verdict.PASS]
    return [*reasons, Reason(f"and {len(found) - _MOST_REASONS} more", ", ".join(places))]


def _counts(name: ItemId, deciding: Sequence[GateResult]) -> list[str]:
    if name == "tests":
        tests = {
            subject.name: subject for gate in deciding for subject in gate.readings.subjects if subject.kind == "test"
        }
        return [count_outcomes(tests.values())] if tests else []
    if name == "endpoints":
        answered = _answered(deciding)
        if answered:
            return [f"{sum(answered.values())} of {len(answered)} operations answered a valid request with success"]
    return []


def _answered(gates: Iterable[GateResult]) -> dict[str, bool]:
    """Return whether each documented operation was seen to succeed by any of the gates."""
    found: dict[str, bool] = {}
    for gate in gates:
        for seen in gate.readings.operations:
            if seen.documented:
                found[seen.operation] = found.get(seen.operation, False) or seen.success is True
    return found


def _untried(deciding: Sequence[GateResult], documented: Sequence[str]) -> list[Judged]:
    """Return a reason for the documented operations that a gate asking operations never came to."""
    asking = [gate for gate in deciding if gate.readings.operations]
    tried = _answered(asking)
    named = {judgement.scope for gate in asking for judgement in gate.judgements if judgement.kind == "evidence"}
    left = [operation for operation in documented if operation not in tried and operation not in named]
    if not asking or not left:
        return []
    words = "operation of the document was" if len(left) == 1 else "operations of the document were"
    text = f"{len(left)} {words} not asked at all: {list_names(left)}"
    return [(Verdict.UNKNOWN, Reason(text, "take the exclusion out of the gate, or the operation out of the document"))]


def reasons_of(gate: GateResult, policy: Policy) -> list[Judged]:
    """Return why a gate did not pass, a line each, with what to do; several of one kind are told in one line."""
    if gate.verdict is Verdict.PASS:
        return []
    if gate.verdict is Verdict.SKIPPED:
        return [(Verdict.SKIPPED, Reason(f"{gate.gate} was skipped: {gate.reason or 'no reason was given'}"))]
    unmet = [one for one in gate.judgements if one.verdict not in (Verdict.PASS, Verdict.SKIPPED)]
    if not unmet:
        return [(gate.verdict, Reason(gate.reason or f"{gate.gate} is {gate.verdict} and left no reason", gate.hint))]
    found: list[Judged] = []
    # Findings that may be old are undecided, and their sum says why.
    certain = [one for one in unmet if one.kind in ("findings", "subjects") and one.verdict is Verdict.FAIL]
    if certain:
        found += _finding_reasons(gate, policy, unmet)
    rest = [judgement for judgement in unmet if judgement not in certain]
    groups: dict[tuple[str, ...], list[Judgement]] = {}
    for judgement in _without_repetition(rest):
        groups.setdefault(_group(judgement), []).append(judgement)
    for group in groups.values():
        found += _grouped_judgements(group)
    return found


def _finding_reasons(gate: GateResult, policy: Policy, unmet: Sequence[Judgement]) -> list[Judged]:
    has_baseline = any(judgement.kind == "findings" and judgement.baseline is not None for judgement in gate.judgements)
    by_rule: dict[str, list[Finding]] = {}
    for finding in failing(gate.readings.findings, policy.tolerances, has_baseline=has_baseline):
        by_rule.setdefault(finding.rule, []).append(finding)
    sums = {judgement.measurement: judgement for judgement in unmet if judgement.kind == "subjects"}
    found: list[Judged] = []
    for rule, findings in by_rule.items():
        if len(findings) <= _FEW:
            found += [(Verdict.FAIL, Reason(describe_finding(finding), finding.fix)) for finding in findings]
            continue
        whole = sums.get(SUBJECT_OF.get(rule, ""))
        text = whole.reason if whole else f"{describe_finding(findings[0])} and {len(findings) - 1} more of {rule}"
        found.append((Verdict.FAIL, Reason(text, findings[0].fix)))
    return list(dict.fromkeys(found))


def _without_repetition(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return judgements without those against the best earlier phase where the previous one says the same already."""
    said = {
        (judgement.measurement, judgement.scope, judgement.verdict)
        for judgement in judgements
        if judgement.kind == "baseline"
    }
    return [
        judgement
        for judgement in judgements
        if judgement.kind != "best" or (judgement.measurement, judgement.scope, judgement.verdict) not in said
    ]


def _group(judgement: Judgement) -> tuple[str, ...]:
    if judgement.verdict is Verdict.UNKNOWN and judgement.kind in ("baseline", "best", "relative", "beside"):
        return (judgement.verdict, "compared", judgement.hint)
    return (judgement.verdict, judgement.kind, judgement.measurement, judgement.demand, judgement.hint)


def _how_far_off(judgement: Judgement) -> float:
    """Return a key that puts the largest worsening first, and leaves what has no ratio in its order."""
    ratio = judgement.ratio or 1.0
    return -ratio if judgement.measurement != "load.throughput" else -1 / ratio


def _grouped_judgements(group: Sequence[Judgement]) -> list[Judged]:
    if len(group) <= _FEW:
        return [(judgement.verdict, Reason(judgement.reason, judgement.hint)) for judgement in group]
    first, *rest = sorted(group, key=_how_far_off)
    others = [judgement.scope or judgement.measurement for judgement in rest]
    text = f"{first.reason}; and {len(others)} more like this: {list_names(list(dict.fromkeys(others)))}"
    return [(first.verdict, Reason(text, first.hint))]


def known_of(gate: GateResult) -> list[str]:
    """Return what was accepted as known, waived, or changes its mind: each once, several of one rule in one line."""
    lines = [judgement.reason for judgement in gate.judgements if judgement.debt]
    for state, words in _SHOWN_STATES.items():
        by_rule: dict[str, list[Finding]] = {}
        for finding in gate.readings.findings:
            if finding.state is state:
                by_rule.setdefault(finding.rule, []).append(finding)
        for rule, findings in by_rule.items():
            if len(findings) <= _FEW:
                lines += [f"{words}: {describe_finding(finding)}" for finding in findings]
            else:
                lines.append(f"{words}: {describe_finding(findings[0])} and {len(findings) - 1} more of {rule}")
    return lines


def run_verdict(
    items: Sequence[DoneItem], gates: Sequence[GateResult], asked: Collection[str] | None = None
) -> Verdict:
    """Return the verdict of a run: the worst item, or the worst of the gates that were named.

    A gate that decides no item counts by itself, so that its failure is not lost. A run in which everything was
    skipped is undecided.
    """
    if asked is not None:
        verdict = worst(gate.verdict for gate in gates if gate.gate in asked)
    else:
        verdict = worst([*(item.verdict for item in items), *(gate.verdict for gate in gates if not gate.items)])
    return Verdict.UNKNOWN if verdict is Verdict.SKIPPED else verdict


def exit_code(verdict: Verdict, *, allow_unknown: bool = False) -> int:
    """Return the exit code of a run's verdict; `allow_unknown` lets an undecided run exit with 0."""
    if verdict is Verdict.UNKNOWN and allow_unknown:
        return 0
    return EXIT_CODES[verdict]


def build_operations(
    gates: Sequence[GateResult], documented: Sequence[str], classes: Mapping[str, str]
) -> tuple[OperationRow, ...]:
    """Return a row for every operation of the document, in its order, then for every other one that was seen.

    A cell that no gate has filled is None.
    """
    seen = [operation for gate in gates for operation in gate.readings.operations]
    p95 = {
        measurement.scope: measurement.value
        for gate in gates
        for measurement in gate.readings.measurements
        if measurement.name == "load.p95" and measurement.scope
    }
    names = dict.fromkeys([*documented, *(operation.operation for operation in seen), *p95])
    open_doors = {
        finding.operation
        for gate in gates
        for finding in gate.readings.findings
        if finding.rule.endswith(_IGNORED_AUTH) and finding.state is not FindingState.FIXED
    }
    rows = []
    for name in names:
        mine = [operation for operation in seen if operation.operation == name]
        statuses = {status for operation in mine for status in operation.statuses}
        rows.append(
            OperationRow(
                operation=name,
                operation_class=class_of(name, classes),
                documented=name in documented if documented else None,
                tested=any(operation.success is True for operation in mine) if mine else None,
                statuses_seen=tuple(sorted(statuses)),
                auth_enforced=False if name in open_doors else None,
                p95=p95.get(name),
            )
        )
    return tuple(rows)
