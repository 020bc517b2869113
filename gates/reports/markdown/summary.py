"""A run as a summary that fits into a comment on a pull request or into the summary of a pipeline's step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gates.done import who_tested
from gates.reports.markdown.escape import code, prose, table, tag_text
from gates.reports.wording import (
    EXIT_MEANINGS,
    change,
    compared_with,
    debts,
    describe_finding,
    excused,
    finding_counts,
    key_numbers,
    one_line,
    opening,
    plural,
    problems,
    problems_of,
    seconds,
    short_commit,
    subject,
    tally,
    untold_findings,
    value,
)
from gates.results import Run, Verdict

_COMMENT = 60_000
"""Characters; code hosts refuse a comment of more than 65,536."""
_MARKS = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.UNKNOWN: "❔",
    Verdict.ERROR: "❗",
    Verdict.SKIPPED: "➖",
}
_GREEN = (Verdict.PASS, Verdict.SKIPPED)


@dataclass(frozen=True, slots=True)
class _Room:
    """How many rows a list or table may have, and how many characters a text."""

    rows: int
    text: int


_ROOMS = (_Room(300, 2000), _Room(100, 600), _Room(30, 300), _Room(10, 160), _Room(3, 80))


def render(run: Run) -> str:
    """Return a run as Markdown that fits into a comment: where there is too much, lists say how much they left out."""
    text = ""
    for room in _ROOMS:
        text = _compose(run, room)
        if len(text) <= _COMMENT:
            break
    return text


def _compose(run: Run, room: _Room) -> str:
    blocks = [
        _heading(run, room),
        _items(run, room),
        _to_do(run, room),
        _findings(run, room),
        _folded("Gates", _gates(run, room)),
        _folded(f"Operations ({len(run.operations):,})", _operations(run, room)),
        _folded(f"Measured, compared with {run.baseline_phase or 'the targets'}", _judgements(run, room)),
        *(
            _folded(f"{title} ({len(texts):,})", _bullets([prose(text, room.text) for text in texts], room))
            for title, texts in [("Known debt", debts(run)), *excused(run)]
        ),
        _footer(run),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _limited(lines: Sequence[str], room: _Room) -> tuple[list[str], str]:
    left = len(lines) - room.rows
    return list(lines[: room.rows]), f"and {left:,} more: `gates report --format json`" if left > 0 else ""


def _bullets(texts: Sequence[str], room: _Room) -> list[str]:
    shown, more = _limited(texts, room)
    return [f"- {text}" for text in shown] + ([f"- {more}"] if more else [])


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], room: _Room, numbers: frozenset[int] = frozenset()
) -> list[str]:
    lines = table(headings, rows, numbers)
    shown, more = _limited(lines[2:], room)
    return lines[:2] + shown + (["", more] if more else [])


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    return ["<details>", f"<summary>{tag_text(title)}</summary>", "", *lines, "", "</details>"]


def _heading(run: Run, room: _Room) -> list[str]:
    meaning = EXIT_MEANINGS.get(run.exit_code, "not a code of this program")
    if run.verdict is Verdict.UNKNOWN and run.exit_code == 0:
        meaning = "undecided, but allowed by --allow-unknown"
    project, phase = prose(one_line(run.project), room.text), prose(one_line(run.phase), room.text)
    lines = [
        f"## {_MARKS[run.verdict]} {run.verdict.value.upper()}: {project}, phase {phase}",
        "",
        f"Exit code {run.exit_code}: {meaning}" + (f" ({tally(run)})" if run.done else "") + ".",
        "",
    ]
    lines += [f"- **{notice.label}:** {prose(notice.text, room.text)}" for notice in opening(run)]
    return [*lines, f"- **compared with:** {prose(compared_with(run), room.text)}"]


def _items(run: Run, room: _Room) -> list[str]:
    if not run.done:
        return []
    rows = []
    for item in run.done:
        words = item.verdict.value if item.asked else "not asked"
        if item.asked and item.verdict is Verdict.SKIPPED:
            words = "left out"
        mark = _MARKS[item.verdict if item.asked else Verdict.SKIPPED]
        gates = ", ".join(code(gate, cell=True) for gate in item.gates)
        rows.append([mark, prose(item.title, room.text), words, gates])
    return table(["", "Definition of Done", "", "decided by"], rows)


def _pairs(pairs: Sequence[tuple[str, str]], room: _Room) -> list[str]:
    texts = []
    for reason, hint in pairs:
        parts = [prose(reason, room.text)] if reason else []
        parts += [f"→ {prose(hint, room.text)}"] if hint else []
        texts.append("<br>".join(parts))
    return _bullets(texts, room)


def _to_do(run: Run, room: _Room) -> list[str]:
    lines: list[str] = []
    told: set[str] = set()
    for item in run.done:
        if item.asked and item.verdict not in _GREEN:
            told.update(item.gates)
            lines += ["", f"**{_MARKS[item.verdict]} {prose(item.title, room.text)}**", ""]
            lines += _pairs(problems(item, run.gates), room)
    for result in run.gates:
        if result.verdict not in _GREEN and result.gate not in told:
            lines += ["", f"**{_MARKS[result.verdict]} gate {code(result.gate)}**", ""]
            lines += _pairs(problems_of(result), room)
    return ["### What is not met, and what would meet it", *lines] if lines else []


def _findings(run: Run, room: _Room) -> list[str]:
    pairs = [(describe_finding(finding), finding.fix) for finding in untold_findings(run)]
    return ["### New findings", "", *_pairs(pairs, room)] if pairs and any(item.asked for item in run.done) else []


def _gates(run: Run, room: _Room) -> list[str]:
    rows = []
    for result in run.gates:
        facts = [result.verdict.value, *finding_counts([result]), *key_numbers(result.readings.measurements)]
        facts += ["cached"] if result.cached else []
        names = [code(result.gate, cell=True), code(result.tool, cell=True)]
        spent = "" if result.verdict is Verdict.SKIPPED else seconds(result.seconds)
        rows.append([_MARKS[result.verdict], *names, spent, prose(" · ".join(facts), room.text)])
    return _table(["", "gate", "tool", "time", ""], rows, room, frozenset({3})) if rows else []


def _answer(answer: bool | None) -> str:
    return "**gap**" if answer is None else "yes" if answer else "**no**"


def _operations(run: Run, room: _Room) -> list[str]:
    rows = []
    for row in run.operations:
        answers = (row.auth_enforced, row.error_envelope, row.compatible)
        rows.append(
            [
                code(row.operation, cell=True),
                prose(row.operation_class, room.text),
                *map(_answer, (row.documented, row.answered)),
                _answer(row.tested) + (f" ({prose(row.tested_by[0], room.text)})" if row.tested_by else ""),
                *map(_answer, answers),
                value(row.p95, "s") if row.p95 is not None else "**gap**",
                " ".join(map(str, row.statuses_seen)) or "**gap**",
            ]
        )
    headings = ["operation", "class", "documented", "answered", "tested (by)", "auth enforced", "one error shape"]
    legend = "A **gap** is a question that no gate has answered."
    if not rows:
        return []
    lines = [*_table([*headings, "compatible", "p95", "statuses seen"], rows, room, frozenset({8})), "", legend]
    told = who_tested(run.operations)
    return [*lines, "", prose(told, room.text)] if told else lines


def _judgements(run: Run, room: _Room) -> list[str]:
    """Return the table of numbers that were judged, the ones that are not fine first."""
    judged = [judgement for result in run.gates for judgement in result.judgements if judgement.value is not None]
    rows = []
    for judgement in sorted(judged, key=lambda one: one.verdict in _GREEN):
        low, high = judgement.low, judgement.high
        between = f" ({change(low)} to {change(high)})" if low is not None and high is not None else ""
        rows.append(
            [
                "known debt" if judgement.debt else f"{_MARKS[judgement.verdict]} {judgement.verdict}",
                code(subject(judgement.measurement, judgement.scope), cell=True),
                value(judgement.value, judgement.unit),
                value(judgement.baseline, judgement.unit),
                change(judgement.ratio) + between,
                code(f"{judgement.kind}: {judgement.demand}", cell=True),
                value(judgement.detectable, "ratio"),
            ]
        )
    headings = ["", "measurement", "now", "then", "ratio", "demanded", "smallest change seen"]
    return _table(headings, rows, room, frozenset({2, 3, 4, 6})) if rows else []


def _footer(run: Run) -> list[str]:
    facts = [f"run {code(run.id)}", f"commit {code(short_commit(run))}", f"rules {code(run.policy_digest[:23])}"]
    return [f"<sub>{' · '.join(facts)} · {seconds(run.seconds)} · {plural(len(run.gates), 'gate')}</sub>"]
