"""Two runs side by side: what was measured, found and looked at in one and in the other. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterable

from gates.reports.terminal.ink import Ink, in_a_row
from gates.reports.wording import change, describe_finding, one_line, seconds, short_commit, subject, value
from gates.results import Finding, FindingState, GateResult, Measurement, Run, Subject, Verdict


def render_comparison(a: Run, b: Run, *, colour: bool, width: int, ascii: bool = False) -> str:  # noqa: A002
    """Return run `a` (the earlier) and run `b` side by side, as text for a terminal of `width` cells."""
    ink = Ink(colour, width, ascii)
    pairs, one_sided = _gates(a, b)
    blocks = [
        [*_heading("A", a, ink), *_heading("B", b, ink), *_warnings(a, b, one_sided, ink)],
        _items(a, b, ink),
        _measurements(pairs, ink),
        _findings(pairs, ink),
        _subjects(pairs, ink),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _heading(letter: str, run: Run, ink: Ink) -> list[str]:
    facts = (f"run {one_line(run.id)}", f"phase {one_line(run.phase)}", short_commit(run), one_line(run.started))
    dirty = "uncommitted changes" if run.dirty else ""
    return ink.hang(
        f"{letter}  ", in_a_row((*facts, seconds(run.seconds), run.verdict.value, dirty)), lead_style="bold"
    )


def _measured(result: GateResult) -> bool:
    readings = result.readings
    evidence = readings.measurements or readings.findings or readings.subjects
    return bool(evidence) and result.verdict not in (Verdict.ERROR, Verdict.SKIPPED)


def _gates(a: Run, b: Run) -> tuple[list[tuple[GateResult, GateResult]], list[str]]:
    """Return the gates that measured in both runs, and why the others cannot be compared.

    A scanner that crashed in one run has found nothing there, which says nothing about what was repaired.
    """
    left = {result.gate: result for result in a.gates}
    right = {result.gate: result for result in b.gates}
    pairs, one_sided = [], []
    for gate in dict.fromkeys([*left, *right]):
        absent = []
        for letter, results in (("A", left), ("B", right)):
            if gate not in results:
                absent.append(f"did not run in {letter}")
            elif not _measured(results[gate]):
                verdict = results[gate].verdict
                absent.append(f"measured nothing in {letter}" + (f" ({verdict})" if verdict != "pass" else ""))
        if absent:
            one_sided.append(f"{gate} {' and '.join(absent)}")
        else:
            pairs.append((left[gate], right[gate]))
    return pairs, one_sided


def _warnings(a: Run, b: Run, one_sided: list[str], ink: Ink) -> list[str]:
    warnings = [f"{text}: not compared" for text in one_sided]
    if dict(a.machine) != dict(b.machine):
        parts = sorted(key for key in {*a.machine, *b.machine} if a.machine.get(key) != b.machine.get(key))
        warnings.append(f"another machine ({', '.join(parts)}): times say nothing")
    if a.policy_digest != b.policy_digest:
        warnings.append("the rules in gates.toml were not the same")
    if a.project != b.project:
        warnings.append(f"two projects: {a.project} and {b.project}")
    return [line for text in warnings for line in ink.hang("note  ", text, lead_style="doubt")]


def _items(a: Run, b: Run, ink: Ink) -> list[str]:
    before = {item.item: item for item in a.done if item.asked}
    changed = [
        (before[item.item], item)
        for item in b.done
        if item.asked and item.item in before and before[item.item].verdict is not item.verdict
    ]
    lines = ink.title("Definition of Done")
    for old, new in changed:
        title = f"{old.verdict} → {new.verdict}  {new.title}"
        lines += [f"  {ink.mark(new.verdict)} {line[4:]}" for line in ink.hang("", title, indent=4)]
    if not any(item.asked and item.item in before for item in b.done):
        return [*lines, "  no item was asked for in both"]
    return lines if changed else [*lines, "  no item changed"]


def _direction(old: Measurement, new: Measurement) -> str:
    if old.value == new.value:
        return "same"
    if new.better == "neither":
        return ""
    return "better" if (new.value < old.value) == (new.better == "lower") else "worse"


def _ratio(old: Measurement, new: Measurement) -> str:
    return change(new.value / old.value if old.value else None)


def _measurements(pairs: Iterable[tuple[GateResult, GateResult]], ink: Ink) -> list[str]:
    rows = []
    for left, right in pairs:
        old = {(one.name, one.scope): one for one in left.readings.measurements}
        new = {(one.name, one.scope): one for one in right.readings.measurements}
        for key in sorted({*old, *new}):
            was, now = old.get(key), new.get(key)
            cells = [value(one.value, one.unit) if one else "–" for one in (was, now)]
            told = (_ratio(was, now), _direction(was, now)) if was and now else ("–", "new" if now else "gone")
            rows.append([subject(*key), *cells, *told])
    if not rows:
        return [*ink.title("Measurements"), "  nothing was measured in both"]
    styles = {"better": "good", "worse": "doubt", "gone": "bad"}
    table = ink.table(["measurement", "A", "B", "ratio", ""], rows, styles=styles, right=frozenset({1, 2, 3}))
    note = "Better and worse are plain arithmetic. Whether a change is more than noise is for `gates check` to decide."
    return [*ink.title("Measurements"), *table, *ink.hang("", note, indent=2, style="dim")]


def _there(result: GateResult) -> dict[str, Finding]:
    return {one.fingerprint: one for one in result.readings.findings if one.state is not FindingState.FIXED}


def _findings(pairs: Iterable[tuple[GateResult, GateResult]], ink: Ink) -> list[str]:
    lines: list[str] = []
    same = 0
    for left, right in pairs:
        old, new = _there(left), _there(right)
        same += len(old.keys() & new.keys())
        for fingerprint in [*new, *old]:
            if fingerprint not in old:
                lines += ink.hang("+ ", describe_finding(new[fingerprint]), indent=2, lead_style="bad")
            elif fingerprint not in new:
                lines += ink.hang("- ", describe_finding(old[fingerprint]), indent=2, lead_style="good")
    told = f"  + only in B   - only in A   {same:,} in both"
    return [*ink.title("Findings"), *lines, ink.paint(told, "dim")]


def _name(one: Subject) -> str:
    return f"{one.kind} {one.name}"


def _subjects(pairs: Iterable[tuple[GateResult, GateResult]], ink: Ink) -> list[str]:
    lines: list[str] = []
    same = 0
    for left, right in pairs:
        old = {(one.kind, one.name): one for one in left.readings.subjects}
        new = {(one.kind, one.name): one for one in right.readings.subjects}
        for key, subject_now in new.items():
            was = old.get(key)
            if was is None:
                lines += ink.hang("+ ", f"{_name(subject_now)} ({subject_now.outcome})", indent=2, lead_style="good")
            elif was.outcome != subject_now.outcome:
                text = f"{_name(subject_now)} ({was.outcome} → {subject_now.outcome})"
                lines += ink.hang("~ ", text, indent=2, lead_style="doubt")
            else:
                same += 1
        for key, subject_then in old.items():
            if key not in new:
                lines += ink.hang("- ", f"{_name(subject_then)} (gone)", indent=2, lead_style="bad")
    if not lines and not same:
        return []
    told = f"  + only in B   - only in A   ~ changed   {same:,} the same in both"
    return [*ink.title("Tests, operations, benchmarks, files"), *lines, ink.paint(told, "dim")]
