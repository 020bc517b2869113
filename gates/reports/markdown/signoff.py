"""The sheet of a sign-off, which lies beside the baseline: one fact a line and always in the same order.

It is read as a difference to the sheet before it, so nothing stands here that changes by itself: no time but that of
the signing, no duration, no run's name, and numbers only as exact as people speak of them.
"""

from __future__ import annotations

from gates.compare.waivers import waivers_of
from gates.reports.markdown import project
from gates.reports.markdown.endpoints import by_path, endpoints
from gates.reports.markdown.escape import code, prose, table
from gates.reports.markdown.kept import Kept, kept_in
from gates.reports.markdown.lists import bounded, folded, listed
from gates.reports.wording import (
    change,
    compared_with,
    describe_finding,
    findings_in,
    opening,
    plural,
    subject,
    value,
)
from gates.results import Finding, FindingState, Judgement, Measurement, OperationRow, Run, Severity, Signoff, Verdict

_NONE_SEEN = "No operation of an API was seen to work as documented."
_TOLD_ELSEWHERE = ("coverage.", "tests.", "phase.")
"""Beginnings of measurements that have a section of their own."""
_UNDER_LOAD = ("load.p50", "load.p95", "load.p99", "load.throughput", "load.errors")


def render_signoff(signoff: Signoff) -> str:
    """Return the sheet of a sign-off as Markdown: who signed what, and the completion summary of the phase.

    Everything in it was measured, the note aside; what no gate has measured is said to be so.
    """
    run = signoff.run
    kept = kept_in(run)
    since = f" since phase {prose(run.baseline_phase)}" if run.baseline_phase else ""
    blocks = [
        [*_who(signoff), *project.in_short(kept)],
        _section("Known debt", listed(map(prose, signoff.debts)), "none: nothing that is broken was accepted"),
        _section("Left out", _left_out(run), ""),
        _section("Definition of Done", _items(run), "no item was judged"),
        _section("What the next phase may rely on", _relied_on(run, kept), ""),
        _section("What this phase builds on", project.consumed(kept), ""),
        _section("Endpoints", endpoints(run, kept), ""),
        _section("Schema", project.schema(kept), ""),
        _section("Events", project.events(kept), ""),
        _section("Environment variables", project.environment(kept), ""),
        _section("Dependencies", project.dependencies(kept), ""),
        _section("Components", project.components(kept), ""),
        _section(f"Changes of the interface{since}", _interface(run), ""),
        _section("Targets", _targets(run), "no target spoke of anything that was measured"),
        _section("Compared with earlier phases", _comparisons(run), ""),
        _section("Measured as a whole", _whole(run), "nothing was measured"),
        _section("Measured per operation", _per_operation(run), _not_measured(run, "locust", "no times under load")),
        _section("Measured per benchmark, file and the like", _scoped(run), ""),
        _section("Coverage and tests", _tests(run), _not_measured(run, "coverage", "neither coverage nor tests")),
        _section("Findings known at this sign-off", _findings(run), "none"),
        _section("Waived, with a reason and a date", _waived(run), ""),
        _section("Measured with", _measured_with(run), ""),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _section(title: str, lines: list[str], empty: str) -> list[str]:
    if not lines and not empty:
        return []
    return [f"## {title}", "", *(lines or [empty])]


def _not_measured(run: Run, tool: str, what: str) -> str:
    """Return what is said where a kind of gate has brought nothing: that it is not there, or how it ended."""
    mine = [gate for gate in sorted(run.gates, key=lambda one: one.gate) if gate.tool == tool]
    if not mine:
        return f"not measured: add a `{tool}` gate"
    return f"{what}: the gate {code(mine[0].gate)} ({mine[0].verdict.value}) has brought none"


def _who(signoff: Signoff) -> list[str]:
    run = signoff.run
    facts = {
        "project": prose(run.project),
        "signed by": prose(signoff.by),
        "signed at": prose(signoff.at),
        "note": prose(signoff.note),
        "commit": code(run.commit or "none"),
        "digest": code(signoff.digest),
        "digest before": code(signoff.previous_digest) if signoff.previous_digest else "none: the first sign-off",
        "rules": code(run.policy_digest),
        "compared with": prose(compared_with(run)),
        "verdict": run.verdict.value,
    }
    title = f"# Phase {signoff.number}, {prose(signoff.phase)}: signed off"
    return [title, "", *listed(f"{name}: {text}" for name, text in facts.items() if text)]


def _left_out(run: Run) -> list[str]:
    return listed(f"{notice.label}: {prose(notice.text)}" for notice in opening(run) if notice.label != "known debt")


def _items(run: Run) -> list[str]:
    lines = []
    for item in run.done:
        if item.verdict is Verdict.SKIPPED:
            lines.append(f"- left out: {prose(item.title)}")
            continue
        gates = ", ".join(sorted(item.gates))
        lines.append(f"- {item.verdict.value}: {prose(item.title)}" + (f" ({prose(gates)})" if gates else ""))
        lines += [f"  - {prose(reason)}" for reason in item.reasons]
    return lines


def _judgements(run: Run, *kinds: str) -> list[Judgement]:
    found = [one for result in run.gates for one in result.judgements if one.kind in kinds]
    return sorted(found, key=lambda one: (one.measurement, one.scope, one.kind, one.demand))


def _told(judgement: Judgement) -> str:
    return "known debt" if judgement.debt else judgement.verdict.value


def _targets(run: Run) -> list[str]:
    before = {(one.measurement, one.scope): one for one in _judgements(run, "baseline")}
    rows = []
    for one in _judgements(run, "target"):
        earlier = before.get((one.measurement, one.scope))
        rows.append(
            [
                code(subject(one.measurement, one.scope), cell=True),
                code(one.demand, cell=True),
                value(one.value, one.unit),
                _told(one),
                value(earlier.baseline, earlier.unit) if earlier else "–",
            ]
        )
    headings = ["measurement", "demanded", "measured", "verdict", "in the earlier phase"]
    return table(headings, rows, frozenset({2, 4})) if rows else []


def _interface(run: Run) -> list[str]:
    """Return what the difference of the two OpenAPI documents found, tolerated or not."""
    gates = [gate for gate in sorted(run.gates, key=lambda one: one.gate) if gate.tool == "openapi"]
    if not gates:
        return ["not measured: add an `openapi` gate"]
    found = {
        (finding.operation or "", finding.rule, finding.fingerprint): finding
        for gate in gates
        for finding in gate.readings.findings
        if finding.rule.startswith("contract.") and finding.state is not FindingState.FIXED
    }
    lines = [f"- {prose(describe_finding(found[key]))}" for key in sorted(found)]
    if lines:
        return folded(f"{len(lines):,} changes", lines)
    if run.baseline_phase is None:
        return ["there is no earlier phase to compare with"]
    unfit = [gate for gate in gates if gate.verdict in (Verdict.ERROR, Verdict.UNKNOWN, Verdict.SKIPPED)]
    if unfit:
        return [f"not known: the gate {code(unfit[0].gate)} is {unfit[0].verdict.value}"]
    return ["none that a rule knows of"]


def _comparisons(run: Run) -> list[str]:
    rows = [
        [
            code(subject(one.measurement, one.scope), cell=True),
            one.kind,
            value(one.baseline, one.unit),
            value(one.value, one.unit),
            change(one.ratio),
            code(one.demand, cell=True),
            _told(one),
        ]
        for one in _judgements(run, "baseline", "best", "relative", "beside")
    ]
    headings = ["measurement", "against", "then", "now", "ratio", "tolerated", "verdict"]
    return table(headings, rows, frozenset({2, 3, 4})) if rows else []


def _measurements(run: Run) -> list[Measurement]:
    found = {(one.name, one.scope): one for result in run.gates for one in result.readings.measurements}
    return [found[key] for key in sorted(found)]


def _number(one: Measurement) -> str:
    shown = value(one.value, one.unit)
    return shown if one.count is None or one.total is None else f"{shown} ({one.count:,} of {one.total:,})"


def _whole(run: Run) -> list[str]:
    whole = [one for one in _measurements(run) if not one.scope and not one.name.startswith(_TOLD_ELSEWHERE)]
    return listed(f"{code(one.name)}: {_number(one)}" for one in whole)


def _per_operation(run: Run) -> list[str]:
    by_operation: dict[str, dict[str, Measurement]] = {}
    for one in _measurements(run):
        if one.scope and one.name in _UNDER_LOAD:
            by_operation.setdefault(one.scope, {})[one.name] = one
    rows = []
    for operation, measured in sorted(by_operation.items()):
        cells = [value(measured[name].value, measured[name].unit) if name in measured else "–" for name in _UNDER_LOAD]
        rows.append([code(operation, cell=True), *cells])
    headings = ["operation", *(name.partition(".")[2] for name in _UNDER_LOAD)]
    return table(headings, rows, frozenset(range(1, 6))) if rows else []


def _scoped(run: Run) -> list[str]:
    rows = [one for one in _measurements(run) if one.scope and one.name not in _UNDER_LOAD]
    return listed(f"{code(subject(one.name, one.scope))}: {_number(one)}" for one in rows)


def _tests(run: Run) -> list[str]:
    """Return the shares of the code that are covered, the number of tests, and every test that did not pass."""
    numbers = [one for one in _measurements(run) if not one.scope and one.name.startswith(("coverage.", "tests."))]
    lines = [f"- {code(one.name)}: {_number(one)}" for one in numbers]
    for result in sorted(run.gates, key=lambda one: one.gate):
        tests = [one for one in result.readings.subjects if one.kind == "test"]
        if tests:
            passed = sum(one.outcome == "passed" for one in tests)
            lines.append(f"- {code(result.gate)}: {passed:,} of {plural(len(tests), 'test')} passed")
        others = sorted((one for one in tests if one.outcome != "passed"), key=lambda one: one.name)
        lines += bounded([f"  - {one.outcome}: {code(one.name)}" for one in others])
    return lines


def _of_states(run: Run, *states: FindingState) -> list[Finding]:
    found = {
        (finding.path or "", finding.operation or "", finding.rule, finding.line or 0, finding.fingerprint, finding)
        for result in run.gates
        for finding in findings_in(result, *states)
    }
    return [finding for *_, finding in sorted(found, key=lambda one: one[:-1])]


def _findings(run: Run) -> list[str]:
    found = _of_states(run, FindingState.NEW, FindingState.KNOWN, FindingState.FLAKY)
    return bounded(
        [
            f"- {code(finding.fingerprint)} {prose(describe_finding(finding))}"
            + (" (flaky)" if finding.state is FindingState.FLAKY else "")
            for finding in found
            # What was only added to the interface is no problem, and stands among its changes.
            if not (finding.severity is Severity.INFO and finding.rule.startswith("contract."))
        ]
    )


def _waived(run: Run) -> list[str]:
    waivers = waivers_of(run)
    lines = []
    for finding in _of_states(run, FindingState.WAIVED):
        by = f" {prose(waivers[finding.fingerprint])}" if finding.fingerprint in waivers else ""
        lines.append(f"- {code(finding.fingerprint)} {prose(describe_finding(finding))} (waived{by})")
    return bounded(lines)


def _holds(row: OperationRow) -> bool:
    return row.documented is True and row.tested is True and row.compatible is not False


def _relied_on(run: Run, kept: Kept) -> list[str]:
    lines, doubtful = [], []
    for row in sorted(run.operations, key=by_path):
        seen = _promised(row, kept)
        if _holds(row):
            facts = [
                row.operation_class,
                f"answers {' '.join(map(str, seen))}" if seen else "",
                f"p95 {value(row.p95, 's')}" if row.p95 else "",
            ]
            lines.append(f"- {code(row.operation)}: {prose(', '.join(fact for fact in facts if fact))}")
        else:
            doubtful.append(f"- {code(row.operation)}: {_doubt(row)}")
    works = ["Operations that were seen to work as documented:", "", *bounded(lines)] if lines else [_NONE_SEEN]
    if doubtful:
        works += ["", "Not to be relied on:", "", *bounded(doubtful)]
    return [*project.provided(kept), "", *works]


def _promised(row: OperationRow, kept: Kept) -> list[int]:
    """Return the statuses that were seen and are documented: tests may provoke others, a 500 say, on purpose."""
    document, described = kept.document, kept.operations.get(row.operation)
    if document is None or described is None:
        return list(row.statuses_seen)
    return [status for status in row.statuses_seen if document.response_of(described, status)]


def _doubt(row: OperationRow) -> str:
    if row.documented is not True:
        return "is not in the OpenAPI document"
    if row.compatible is False:
        return "no longer does what an earlier phase relies on"
    return "was tried and did not answer as documented" if row.tested is False else "no gate has seen it work"


def _measured_with(run: Run) -> list[str]:
    versions = dict(run.versions)
    for result in run.gates:
        versions |= result.readings.versions
    lines = [f"{prose(name)} {prose(version)}" for name, version in sorted(versions.items())]
    lines += [f"{prose(name)}: {prose(text)}" for name, text in sorted(run.machine.items())]
    return listed(lines)
