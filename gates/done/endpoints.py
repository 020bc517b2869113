"""The item `endpoints`: every operation of the document answers and is tested, and no route is outside the document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gates.compare.findings import failing
from gates.compare.subjects import list_names
from gates.demands import Policy
from gates.done.operations import tests_recorded, who_tested
from gates.done.reasons import Judged, Reason, has_baseline
from gates.results import GateResult, Judgement, OperationRow, Verdict, worst
from gates.traffic.rules import UNDOCUMENTED

_GENERATED = ("generated", "replayed")


def excused(gate: GateResult, rows: Sequence[OperationRow]) -> GateResult:
    """Return a gate without what it could not see of operations that others saw answer with a documented success.

    No valid request could be made by it, and the project's own tests, say, made one: the operation is there and tested.
    """
    tested = {row.operation for row in rows if row.tested}
    if gate.verdict is not Verdict.UNKNOWN or not any(_is_excused(one, tested) for one in gate.judgements):
        return gate
    kept = tuple(one for one in gate.judgements if not _is_excused(one, tested))
    verdict = worst(one.verdict for one in kept)
    return replace(gate, judgements=kept, verdict=verdict, reason=None if verdict is Verdict.PASS else gate.reason)


def _is_excused(judgement: Judgement, tested: set[str]) -> bool:
    unseen = judgement.kind == "evidence" and judgement.verdict is Verdict.UNKNOWN
    return unseen and judgement.scope in tested


def count_endpoints(
    deciding: Sequence[GateResult], gates: Sequence[GateResult], rows: Sequence[OperationRow]
) -> list[str]:
    """Return how many operations answered, and who tested how many of them."""
    answered: dict[str, bool] = {}
    for gate in deciding:
        for seen in gate.readings.operations:
            if seen.documented and seen.source in _GENERATED:
                answered[seen.operation] = answered.get(seen.operation, False) or seen.success is True
    lines = []
    if answered:
        lines.append(f"{sum(answered.values())} of {len(answered)} operations answered a valid request with success")
    by_name = {gate.gate: gate for gate in gates}
    unseen = [
        one.scope
        for gate in deciding
        for one in by_name[gate.gate].judgements
        if one not in gate.judgements  # see `excused`
    ]
    if unseen:
        names = list(dict.fromkeys(unseen))
        lines.append(f"{len(names)} answered tests or recorded traffic, and no generated request: {list_names(names)}")
    if tests_recorded(gates) and (told := who_tested(rows)):
        lines.append(told)
    return lines


def open_endpoints(
    deciding: Sequence[GateResult], gates: Sequence[GateResult], rows: Sequence[OperationRow], policy: Policy
) -> list[Judged]:
    """Return why not every operation answers and is tested, beyond what the gates that decide say themselves."""
    return [*_untested(deciding, rows), *_outside(deciding, gates, policy)]


def _untested(deciding: Sequence[GateResult], rows: Sequence[OperationRow]) -> list[Judged]:
    asking = [gate for gate in deciding if gate.readings.operations]
    named = {judgement.scope for gate in asking for judgement in gate.judgements if judgement.kind == "evidence"}
    generated = {seen.operation for gate in asking for seen in gate.readings.operations if seen.source in _GENERATED}
    left = [row for row in rows if row.documented and not row.tested and row.operation not in named | generated]
    if not asking or not left:
        return []
    never = [row.operation for row in left if not row.statuses_seen]
    failed = [f"{row.operation} ({', '.join(map(str, row.statuses_seen))})" for row in left if row.statuses_seen]
    found: list[Judged] = []
    if never:
        words = "operation of the document was" if len(never) == 1 else "operations of the document were"
        text = f"{len(never)} {words} not asked at all: {list_names(never)}"
        hint = "take the exclusion out of the gate, or the operation out of the document"
        found.append((Verdict.UNKNOWN, Reason(text, hint)))
    if failed:
        words = "operation was" if len(failed) == 1 else "operations were"
        text = f"{len(failed)} {words} asked and never seen to answer with a documented success: {list_names(failed)}"
        found.append((Verdict.UNKNOWN, Reason(text, "test them with a request that is meant to succeed")))
    return found


def _outside(deciding: Sequence[GateResult], gates: Sequence[GateResult], policy: Policy) -> list[Judged]:
    """Return the routes in no document that a gate found which does not decide this item by itself."""
    routes: dict[str, str] = {}
    for gate in gates:
        if not any(gate.gate == one.gate for one in deciding):
            found = failing(gate.readings.findings, policy.tolerances, has_baseline=has_baseline(gate))
            routes |= {one.operation or one.message: gate.gate for one in found if one.rule == UNDOCUMENTED}
    if not routes:
        return []
    words = "1 route answered and is" if len(routes) == 1 else f"{len(routes)} routes answered and are"
    text = f"{words} in no document: {list_names(list(routes))}"
    where = list_names(list(dict.fromkeys(routes.values())))
    hint = f"describe them in the OpenAPI document, take them out, or name them in `ignore` of the gate {where}"
    return [(Verdict.FAIL, Reason(text, hint))]
