"""The operations table: a row for each operation of the API, a column for each question; None is a named gap."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gates.compare.case import mentions
from gates.compare.subjects import list_names
from gates.results import Finding, FindingState, GateResult, OperationRow, OperationSeen, SeenBy, Severity, Verdict
from gates.targets import class_of

_IGNORED_AUTH = "ignored_auth"
_FROM_EARLIER = ("contract.", "earlier.", "replay.")
"""How the rules begin whose findings say that an earlier phase's promise does not hold any more."""
REACHED = "contract.reached"
"""A document that a gate keeps: the operations that a change of a shared part reaches, as JSON, by its fingerprint."""
_COMPARED_ALL = "contract.changes"
"""What a gate measures that compared the whole document with the earlier one."""
_COMPARED_ASKED = frozenset({"earlier.operations", "replay.kept"})
"""What a gate measures that asked this server as the earlier phase's document or requests would have it."""
_IN_ORDER: tuple[SeenBy, ...] = ("tests", "generated", "replayed", "traffic")
_WORDS: Mapping[str, str] = {
    "generated": "by generated requests only", "replayed": "by requests of the earlier phase only",
    "traffic": "by recorded traffic only",
}  # fmt: skip
_TESTS_OPERATIONS = "tests.operations"


def build_operations(
    gates: Sequence[GateResult], documented: Sequence[str], classes: Mapping[str, str]
) -> tuple[OperationRow, ...]:
    """Return a row for every operation of the document, in its order, then for every other one that was seen."""
    seen: dict[str, list[OperationSeen]] = {}
    for gate in gates:
        for operation in gate.readings.operations:
            seen.setdefault(operation.operation, []).append(operation)
    p95 = {
        measurement.scope: measurement.value
        for gate in gates
        for measurement in gate.readings.measurements
        if measurement.name == "load.p95" and measurement.scope
    }
    open_doors = {one.operation for one in _findings(gates) if one.rule.endswith(_IGNORED_AUTH)}
    there, recorded, compatible = set(documented), tests_recorded(gates), _Compatible(gates)
    rows = []
    for name in dict.fromkeys([*documented, *seen, *p95]):
        mine = seen.get(name, [])
        tested_by = tuple(source for source in _IN_ORDER if _success(mine, source))
        rows.append(
            OperationRow(
                operation=name,
                operation_class=class_of(name, classes),
                documented=name in there if documented else None,
                tested=bool(tested_by) if mine or (recorded and name in there) else None,
                statuses_seen=tuple(sorted({status for operation in mine for status in operation.statuses})),
                auth_enforced=False if name in open_doors else None,
                p95=p95.get(name),
                compatible=compatible.of(name),
                answered=_success(mine, "generated", "replayed"),
                tested_by=tested_by,
            )
        )
    return tuple(rows)


def tests_recorded(gates: Sequence[GateResult]) -> bool:
    """Return whether it is known which operations the project's own tests ask."""
    return any(
        any(measurement.name == _TESTS_OPERATIONS for measurement in gate.readings.measurements)
        or any(seen.source == "tests" for seen in gate.readings.operations)
        for gate in gates
    )


def _success(seen: Sequence[OperationSeen], *sources: SeenBy) -> bool | None:
    """Return whether one of these sources saw a documented success; None when none made a valid request."""
    told = [one.success for one in seen if one.source in sources and one.success is not None]
    return any(told) if told else None


def _findings(gates: Sequence[GateResult]) -> list[Finding]:
    """Return the findings that still hold."""
    return [one for gate in gates for one in gate.readings.findings if one.state is not FindingState.FIXED]


class _Compatible:
    """Which operations keep what an earlier phase promised, as far as somebody looked."""

    def __init__(self, gates: Sequence[GateResult]) -> None:
        ended = [gate for gate in gates if gate.verdict not in (Verdict.ERROR, Verdict.SKIPPED)]
        names = {id(gate): {one.name for one in gate.readings.measurements} for gate in ended}
        self._all = any(_COMPARED_ALL in names[id(gate)] for gate in ended)
        self._asked = {
            seen.operation
            for gate in ended
            if names[id(gate)] & _COMPARED_ASKED
            for seen in gate.readings.operations
            if seen.statuses
        }
        breaks = [
            one
            for one in _findings(gates)
            if one.rule.startswith(_FROM_EARLIER)
            and one.severity in (Severity.HIGH, Severity.MEDIUM)
            and one.state is not FindingState.WAIVED
        ]
        self._broken = {one.operation for one in breaks if one.operation}
        shared = {one.fingerprint for one in breaks if not one.operation}
        for gate in ended:
            reached = json.loads(gate.readings.documents.get(REACHED, "{}"))
            self._broken |= {name for mark in shared & reached.keys() for name in reached[mark]}
        # A change of what several operations share names the first of them in its words.
        self._shared = [one.message for one in breaks if not one.operation]

    def of(self, operation: str) -> bool | None:
        """Return whether an operation keeps its promises; None when nobody looked."""
        if operation in self._broken or any(mentions(message, operation) for message in self._shared):
            return False
        return True if self._all or operation in self._asked else None


def who_tested(rows: Sequence[OperationRow]) -> str:
    """Return in a line who tested the operations of the document, and which nobody did; empty when nobody looked.

    As in: 23 of 25 operations tested by the project's own tests, 2 by generated requests only: GET /a, GET /b.
    """
    rows = [row for row in rows if row.documented is not False]
    if not any(row.tested is not None for row in rows):
        return ""
    own = sum("tests" in row.tested_by for row in rows)
    count = f"{own} of {len(rows)} operations" if len(rows) != 1 else f"{own} of 1 operation"
    parts = [f"{count} tested by the project's own tests"]
    for source, words in _WORDS.items():
        names = [row.operation for row in rows if row.tested_by[:1] == (source,)]
        if names:
            parts.append(f"{len(names)} {words}: {list_names(names)}")
    text = ", ".join(parts[:2]) + "".join(f"; {part}" for part in parts[2:])
    untested = [row.operation for row in rows if not row.tested]
    return text + (f"; {len(untested)} not tested: {list_names(untested)}" if untested else "")
