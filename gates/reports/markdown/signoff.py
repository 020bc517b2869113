"""The sheet of a sign-off, which lies beside the baseline: one fact a line and always in the same order.

It is read as a difference to the sheet before it, so nothing stands here that changes by itself: no time but that of
the signing, no duration, no run's name, and numbers only as exact as people speak of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from gates.compare.waivers import waivers_of
from gates.reports.markdown.escape import code, prose, table
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
from gates.results import Finding, FindingState, Judgement, Measurement, OperationRow, Run, Signoff, Verdict

_UNDER_LOAD = ("load.p50", "load.p95", "load.p99", "load.throughput", "load.errors")


def render_signoff(signoff: Signoff) -> str:
    """Return the sheet of a sign-off as Markdown."""
    run = signoff.run
    blocks = [
        _who(signoff),
        _section(
            "Known debt", _list(prose(debt) for debt in signoff.debts), "none: nothing that is broken was accepted"
        ),
        _section("Left out", _left_out(run), ""),
        _section("Definition of Done", _items(run), "no item was judged"),
        _section("Targets", _targets(run), "no target spoke of anything that was measured"),
        _section("Compared with earlier phases", _comparisons(run), ""),
        _section("Measured as a whole", _whole(run), "nothing was measured"),
        _section("Measured per operation", _per_operation(run), ""),
        _section("Measured per benchmark, file and the like", _scoped(run), ""),
        _section("Tests", _subjects(run), ""),
        _section("Findings known at this sign-off", _findings(run), "none"),
        _section("What the next phase may rely on", _relied_on(run), "no operation of an API was seen"),
        _section("Measured with", _measured_with(run), ""),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _section(title: str, lines: list[str], empty: str) -> list[str]:
    if not lines and not empty:
        return []
    return [f"## {title}", "", *(lines or [empty])]


def _list(texts: Iterable[str]) -> list[str]:
    return [f"- {text}" for text in texts]


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
    return [title, "", *_list(f"{name}: {text}" for name, text in facts.items() if text)]


def _left_out(run: Run) -> list[str]:
    return _list(f"{notice.label}: {prose(notice.text)}" for notice in opening(run) if notice.label != "known debt")


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
    rows = [
        [
            code(subject(one.measurement, one.scope), cell=True),
            code(one.demand, cell=True),
            value(one.value, one.unit),
            _told(one),
        ]
        for one in _judgements(run, "target")
    ]
    return table(["measurement", "demanded", "measured", "verdict"], rows, frozenset({2})) if rows else []


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
    return _list(f"{code(one.name)}: {_number(one)}" for one in _measurements(run) if not one.scope)


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
    return _list(f"{code(subject(one.name, one.scope))}: {_number(one)}" for one in rows)


def _subjects(run: Run) -> list[str]:
    lines = []
    for result in sorted(run.gates, key=lambda one: one.gate):
        tests = [one for one in result.readings.subjects if one.kind == "test"]
        if tests:
            passed = sum(one.outcome == "passed" for one in tests)
            lines.append(f"- {code(result.gate)}: {passed:,} of {plural(len(tests), 'test')} passed")
        others = sorted((one for one in tests if one.outcome != "passed"), key=lambda one: one.name)
        lines += [f"  - {one.outcome}: {code(one.name)}" for one in others]
    return lines


def _findings(run: Run) -> list[str]:
    states = (FindingState.NEW, FindingState.KNOWN, FindingState.FLAKY, FindingState.WAIVED)
    found = {
        (finding.path or "", finding.operation or "", finding.rule, finding.line or 0, finding.fingerprint, finding)
        for result in run.gates
        for finding in findings_in(result, *states)
    }
    waivers = waivers_of(run)

    def word(finding: Finding) -> str:
        if finding.state is FindingState.WAIVED:
            return f" (waived {prose(waivers[finding.fingerprint])})" if finding.fingerprint in waivers else " (waived)"
        return " (flaky)" if finding.state is FindingState.FLAKY else ""

    return _list(
        f"{code(finding.fingerprint)} {prose(describe_finding(finding))}{word(finding)}"
        for *_, finding in sorted(found, key=lambda one: one[:-1])
    )


def _holds(row: OperationRow) -> bool:
    return row.documented is True and row.tested is True and row.compatible is not False


def _relied_on(run: Run) -> list[str]:
    lines, doubtful = [], []
    for row in sorted(run.operations, key=lambda one: (one.operation.partition(" ")[2], one.operation)):
        seen = " ".join(map(str, row.statuses_seen))
        if _holds(row):
            facts = [
                row.operation_class,
                f"answers {seen}" if seen else "",
                f"p95 {value(row.p95, 's')}" if row.p95 else "",
            ]
            lines.append(f"- {code(row.operation)}: {prose(', '.join(fact for fact in facts if fact))}")
        else:
            doubtful.append(f"- {code(row.operation)}: {_doubt(row)}")
    return lines + (["", "Not to be relied on:", "", *doubtful] if doubtful else [])


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
    return _list(lines)
