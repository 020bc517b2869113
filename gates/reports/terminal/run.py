"""A run on a terminal or in a pipe: what was not looked at, the gates, the Definition of Done, the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from gates.compare.subjects import list_names
from gates.done import who_tested
from gates.reports.terminal.ink import VERDICT_STYLE, Ink, in_a_row
from gates.reports.terminal.interval import intervals
from gates.reports.wording import (
    EXIT_MEANINGS,
    compared_with,
    debts_in_short,
    excused,
    finding_counts,
    in_short,
    key_numbers,
    one_line,
    opening,
    plural,
    problems,
    problems_of,
    seconds,
    short_commit,
    tally,
    untold_findings,
    value,
)
from gates.results import DoneItem, GateResult, OperationRow, Run, Verdict, worst

_MOST_REASONS = 12
_MOST_FINDINGS = 20
_QUIET_VERDICTS = (Verdict.PASS, Verdict.SKIPPED)


def render(
    run: Run,
    *,
    colour: bool,
    width: int,
    ascii: bool = False,  # noqa: A002 - what it means everywhere else, too
    operations: bool = False,
    quiet: bool = False,
    details: str | None = None,
) -> str:
    """Return a run as text for a terminal of `width` cells, ending in a newline.

    `quiet` leaves out what passed, never what was not looked at; `operations` adds the operations table; `details`
    says where more is to be found.
    """
    ink = Ink(colour, width, ascii)
    blocks = [_heading(run, ink)]
    if not quiet:
        blocks.append(_gates(run, ink))
    elif lines := _uncovered(run, ink):
        blocks.append(lines)
    blocks += [_done(run, ink, quiet), intervals(run, ink), _new_findings(run, ink), *_known(run, ink)]
    if operations:
        blocks.append(_operations(run.operations, ink))
    blocks.append(_verdict(run, ink, details))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _heading(run: Run, ink: Ink) -> list[str]:
    facts = in_a_row((one_line(f"phase {run.phase}"), short_commit(run), seconds(run.seconds)))
    lines = ink.hang(f"{one_line(run.project)} · ", facts, lead_style="bold")
    lines += ink.notices(opening(run))
    return lines + ink.hang("compared with  ", compared_with(run), lead_style="dim", indent=2)


def _explained(run: Run) -> set[str]:
    """Return the gates whose trouble is told by an item of the Definition of Done."""
    return {gate for item in run.done if item.asked and item.verdict not in _QUIET_VERDICTS for gate in item.gates}


def _reasons(pairs: Sequence[tuple[str, str]], ink: Ink, more: str) -> list[str]:
    lines: list[str] = []
    for reason, hint in pairs[:_MOST_REASONS]:
        lines += ink.hang("", reason, indent=6) if reason else []
        lines += ink.hang("→ ", hint, indent=8, lead_style="accent") if hint else []
    if len(pairs) > _MOST_REASONS:
        lines += ink.hang("→ ", f"and {len(pairs) - _MOST_REASONS:,} more: {more}", indent=6, lead_style="accent")
    return lines


def _gate_line(result: GateResult, ink: Ink, names: int, tools: int) -> list[str]:
    numbers = finding_counts([result]) + key_numbers(result.readings.measurements)
    if result.verdict in (Verdict.ERROR, Verdict.UNKNOWN, Verdict.SKIPPED):
        numbers.insert(0, result.verdict.value)
    if result.cached:
        numbers.append("cached")
    spent = "" if result.verdict is Verdict.SKIPPED else seconds(result.seconds)
    lead = f"{one_line(result.gate):<{names}}  {one_line(result.tool):<{tools}}  {spent:>11}  "
    lines = ink.hang(lead, in_a_row(numbers), indent=4)
    return [f"  {ink.mark(result.verdict)} {lines[0].strip()}", *lines[1:]]


def _gates(run: Run, ink: Ink) -> list[str]:
    if not run.gates:
        return []
    names = max(len(one_line(result.gate)) for result in run.gates)
    tools = max(len(one_line(result.tool)) for result in run.gates)
    explained = _explained(run)
    lines = ink.title("Gates")
    for result in run.gates:
        lines += _gate_line(result, ink, names, tools)
        if result.verdict not in _QUIET_VERDICTS and result.gate not in explained:
            lines += _reasons(problems_of(result), ink, f"gates explain {result.gate}")
    return lines


def _uncovered(run: Run, ink: Ink) -> list[str]:
    """Return the gates that did not pass and that no item speaks of, for `--quiet`."""
    lines: list[str] = []
    for result in run.gates:
        if result.verdict not in _QUIET_VERDICTS and result.gate not in _explained(run):
            lines += [f"  {ink.mark(result.verdict)} {ink.safe(one_line(result.gate))}"]
            lines += _reasons(problems_of(result), ink, f"gates explain {result.gate}")
    return lines


def _once(item: DoneItem, pairs: list[tuple[str, str]], seen: dict[str, str]) -> list[tuple[str, str]]:
    """Return the pairs with a long reason that stands above already (a backend's last lines) told only once."""
    told = []
    for reason, hint in pairs:
        first = reason.partition("\n")[0]
        if first != reason and reason in seen:
            told.append((f"{first} (in full under “{seen[reason]}”)", ""))
        else:
            seen[reason] = item.title
            told.append((reason, hint))
    return told


def _done(run: Run, ink: Ink, quiet: bool) -> list[str]:
    lines: list[str] = []
    seen: dict[str, str] = {}
    for item in run.done:
        if not item.asked:
            lines += (
                [] if quiet else ink.hang("– ", f"{item.title} (not asked)", lead_style="dim", style="dim", indent=2)
            )
            continue
        if item.verdict in _QUIET_VERDICTS and quiet:
            continue
        words = "left out" if item.verdict is Verdict.SKIPPED else ", ".join(item.gates)
        style = "" if item.verdict is Verdict.PASS else "bold"
        title = ink.hang("  ", item.title + (f" ({words})" if words else ""), style=style, indent=2)
        lines += [f"  {ink.mark(item.verdict)} {title[0][4:]}", *title[1:]]
        if item.verdict not in _QUIET_VERDICTS:
            lines += _reasons(_once(item, problems(item, run.gates), seen), ink, f"gates explain {item.item}")
    return [*ink.title("Definition of Done"), *lines] if lines else []


def _new_findings(run: Run, ink: Ink) -> list[str]:
    if not _explained(run):
        return []
    pairs = in_short(untold_findings(run))
    lines: list[str] = []
    for text, fix in pairs[:_MOST_FINDINGS]:
        lines += ink.hang("- ", text, indent=2, lead_style="bad")
        lines += ink.hang("→ ", fix, indent=6, lead_style="accent") if fix else []
    if len(pairs) > _MOST_FINDINGS:
        more = f"and {len(pairs) - _MOST_FINDINGS:,} more: gates report --format json"
        lines += ink.hang("→ ", more, indent=2, lead_style="accent")
    return [*ink.title("New findings not named above"), *lines] if lines else []


def _known(run: Run, ink: Ink) -> list[list[str]]:
    """Return what is broken or was found and does not count, each kind under its title."""
    accepted = f"Known debt, accepted when {run.baseline_phase} was signed off" if run.baseline_phase else "Known debt"
    blocks = []
    for title, texts in [(accepted, debts_in_short(run)), *excused(run)]:
        lines = ink.title(title)
        for text in texts[:_MOST_FINDINGS]:
            lines += ink.hang("- ", text, indent=2, lead_style="doubt")
        if len(texts) > _MOST_FINDINGS:
            lines += ink.hang("- ", f"and {len(texts) - _MOST_FINDINGS:,} more: gates report --format json", indent=2)
        blocks.append(lines if texts else [])
    return blocks


_TESTED_BY = {"tests": "", "generated": "gen", "replayed": "old", "traffic": "log"}
_QUESTIONS = (
    ("doc", "in the OpenAPI document"),
    ("ans", "a valid generated or replayed request got a documented success"),
    ("test", "so did a test of the project, or only a generated (gen), replayed (old), recorded (log) request"),
    ("auth", "refuses whoever is not allowed"),
    ("error", "errors have the one agreed shape"),
    ("keeps", "still does what the earlier phase relies on"),
    ("p95", "95 % of the answers under load came within"),
    ("seen", "the statuses that were answered"),
)


def _operations(rows: Sequence[OperationRow], ink: Ink) -> list[str]:
    if not rows:
        return [*ink.title("Operations"), *ink.hang("", "no gate saw an operation of the API", indent=2)]
    gap = ink.answer(None)
    table = []
    for row in rows:
        table.append(
            [
                row.operation,
                row.operation_class,
                *(ink.answer(answer) for answer in (row.documented, row.answered)),
                _TESTED_BY.get(row.tested_by[0] if row.tested_by else "", "") or ink.answer(row.tested),
                *(ink.answer(answer) for answer in (row.auth_enforced, row.error_envelope, row.compatible)),
                value(row.p95, "s") if row.p95 is not None else gap,
                " ".join(map(str, row.statuses_seen)) or gap,
            ]
        )
    headings = ["operation", "class", *(name for name, _ in _QUESTIONS)]
    styles = {ink.answer(True): "good", ink.answer(False): "bad", gap: "doubt"}
    lines = ink.title("Operations")
    lines += ink.table(headings, table, styles=styles, right=frozenset({8}), flexible=(0, 1, 9))
    lines += ["", f"  {ink.answer(True)} yes   {ink.answer(False)} no   {gap} a gap: no gate answered"]
    for column, (name, question) in enumerate(_QUESTIONS, 2):
        gaps = [cells[0] for cells in table if cells[column] == gap]
        names = "every operation" if len(gaps) == len(table) > 1 else list_names(gaps)
        named = f" ({plural(len(gaps), 'gap')}): {names}" if gaps else ""
        lines += ink.hang(f"{name:<8}", question + named, indent=2)
    told = who_tested(rows)
    return [*lines, "", *ink.hang("", told, indent=2)] if told else lines


def _verdict(run: Run, ink: Ink, details: str | None) -> list[str]:
    meaning = EXIT_MEANINGS.get(run.exit_code, "not a code of this program")
    if run.verdict is Verdict.UNKNOWN and run.exit_code == 0:
        meaning = "undecided, but allowed by --allow-unknown"
    scope = "; only the gates that ran are judged" if run.partial else ""
    lead = f"{run.verdict.value.upper()} · "
    facts = [f"exit code {run.exit_code}: {meaning}{scope}", tally(run)]
    lines = ink.hang(lead, in_a_row(facts), lead_style=VERDICT_STYLE[run.verdict])
    open_items = [item for item in run.done if item.asked and item.verdict not in _QUIET_VERDICTS]
    if open_items:
        first = next(item for item in open_items if item.verdict is worst(other.verdict for other in open_items))
        lines += ink.hang("next     ", f"gates explain {first.item}", lead_style="dim")
    return lines + (ink.hang("details  ", details, lead_style="dim") if details else [])
