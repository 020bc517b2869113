"""From judged gates to the Definition of Done, the operations table and the exit code; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gates.compare.demanded import targets_without_evidence
from gates.compare.subjects import count_outcomes
from gates.demands import Policy
from gates.done.endpoints import count_endpoints, excused, open_endpoints
from gates.done.operations import build_operations, who_tested
from gates.done.reasons import Judged, Reason, known_of, reasons_of
from gates.results import DoneItem, GateResult, ItemId, Verdict, worst

__all__ = [
    "EXIT_CODES",
    "ITEMS",
    "build_done",
    "build_operations",
    "exit_code",
    "no_gate_hint",
    "run_verdict",
    "who_tested",
]

EXIT_CODES: Mapping[Verdict, int] = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.ERROR: 3, Verdict.UNKNOWN: 4}
_MOST_REASONS = 5


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
        "API documentation updated",
        "no gate compares the served document with the committed one: add an openapi gate",
    ),
    "integration": Item(
        "Phase integration points documented",
        "no gate holds what earlier phases promised against this one: add an openapi, phase or replay gate",
    ),
}  # fmt: skip
"""In the order of the guidelines."""


def no_gate_hint(item: ItemId) -> str:
    """Return what can be done about an item that no gate decides."""
    return f'let a command gate decide it with items = ["{item}"], or leave it out in [done.leave_out] with a reason'


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
    rows = build_operations(gates, documented, classes)
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
            counts = _count_tests(deciding) if name == "tests" else []
            if name == "endpoints":
                deciding = [excused(gate, rows) for gate in deciding]
                found += open_endpoints(deciding, gates, rows, policy)
                counts = count_endpoints(deciding, gates, rows)
            items.append(_build_item(name, deciding, found, counts, policy, told))
    return tuple(items)


def _build_item(
    name: ItemId, deciding: Sequence[GateResult], lacking: Sequence[Judged], counts: Sequence[str], policy: Policy,
    told: set[str],
) -> DoneItem:  # fmt: skip
    found: list[Judged] = []
    if not deciding:
        found.append((Verdict.UNKNOWN, Reason(ITEMS[name].undecided, no_gate_hint(name))))
    for gate in deciding:
        lead = f"{gate.gate}: " if len(deciding) > 1 and gate.verdict is not Verdict.SKIPPED else ""
        found += [(verdict, Reason(lead + reason.text, reason.hint)) for verdict, reason in reasons_of(gate, policy)]
    found += lacking
    order = {verdict: rank for rank, verdict in enumerate((Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN))}
    found.sort(key=lambda pair: order.get(pair[0], len(order)))
    reasons = [Reason(text) for text in counts] + _capped(found, deciding)
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


def _count_tests(deciding: Sequence[GateResult]) -> list[str]:
    tests = {subject.name: subject for gate in deciding for subject in gate.readings.subjects if subject.kind == "test"}
    return [count_outcomes(tests.values())] if tests else []


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
