"""What several reports say in the same words: the opening, the reasons, the debts, the numbers that matter; pure.

Everything a backend or a tool wrote is untrusted here: it goes through `clean` before anybody sees it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gates.compare import case
from gates.compare.subjects import list_names
from gates.compare.waivers import waivers_of
from gates.demands import format_value
from gates.results import DoneItem, Finding, FindingState, GateResult, Judgement, Measurement, Run, Severity, Verdict

EXIT_MEANINGS = {
    0: "passed",
    1: "a gate failed",
    2: "the usage or the configuration is wrong",
    3: "a gate could not run",
    4: "undecided: evidence is missing",
    5: "a baseline or the ledger is not what was signed",
    130: "interrupted",
}
"""What each exit code says, in the words of the documentation."""

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # titles, links, the clipboard
)
# What the logs of CI systems obey when a backend prints it: `::error::` and the like, `##[`, `##vso[`, `##teamcity[`.
_LOG_COMMAND = re.compile(r"(?<!\S)::(?=[A-Za-z])|##(?=\[|vso\[|teamcity\[)")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def _visible(character: str) -> str:
    code = ord(character)
    # The last two of every plane are no characters at all, and no XML may hold them.
    if character == "\n" or (unicodedata.category(character) not in _HIDDEN and code & 0xFFFE != 0xFFFE):
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(text: str) -> str:
    """Return text that can only be read: lines are kept, colours dropped, every other hidden character made visible.

    Control characters, bidirectional overrides and zero-width characters from a backend could otherwise redraw the
    terminal, forge a line of this report, show another text than the one that is there, or command a CI system.
    """
    if text.isascii() and text.isprintable() and "::" not in text and "##" not in text:
        return text
    text = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    "))
    text = "".join(map(_visible, text))
    return _LOG_COMMAND.sub(lambda found: f"{found[0][0]}\\{found[0][1]}", text)


def one_line(text: str) -> str:
    """Return cleaned text on a single line, for names, cells and attributes."""
    return " ".join(clean(text).split())


def value(number: float | None, unit: str) -> str:
    """Return a number as people write it; a missing or impossible one is a dash, never a figure."""
    if number is None or not math.isfinite(number):
        return "–"
    if unit in ("1", ""):
        return (
            f"{int(number):,}" if float(number).is_integer() else f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
        )
    return format_value(number, unit)


def seconds(duration: float) -> str:
    """Return a duration with as many digits as anybody wants to know."""
    if not math.isfinite(duration):
        return "–"
    if duration < 99.95:
        return f"{duration:.1f} s"
    return f"{int(duration // 60)} min {int(duration % 60):02d} s"


def change(ratio: float | None) -> str:
    """Return a ratio of new to old as `×1.13`; a dash where there is none."""
    return "–" if ratio is None or not math.isfinite(ratio) else f"×{ratio:.3g}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 gate`, `2 gates`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def subject(name: str, scope: str) -> str:
    """Return what a measurement or judgement is about: `load.p95 of GET /orders`."""
    return one_line(f"{name} of {scope}" if scope and name else name or scope)


# The numbers that say most about a gate, and how they are worded; a zero of the second kind says nothing.
_KEY_NUMBERS = (
    ("tests.total", "{} tests", True),
    ("tests.failed", "{} failed", False),
    ("tests.skipped", "{} skipped", False),
    ("tests.operations", "{} of operations", True),
    ("coverage.lines", "{} lines", True),
    ("coverage.branches", "{} branches", True),
    ("coverage.changed_lines", "{} of changed lines", True),
    ("security.lines", "{} lines read", True),
    ("security.nosec", "{} nosec", False),
    ("fuzz.operations", "{} operations", True),
    ("fuzz.cases", "{} cases", True),
    ("load.p95", "p95 {}", True),
    ("load.p99", "p99 {}", True),
    ("load.throughput", "{}", True),
    ("load.errors", "{} errors", True),
    ("load.memory", "{} memory", True),
    ("load.concurrency", "{} at once", True),
)
# Said by the counts of findings already, or of interest to few.
_ELSEWHERE = frozenset({"security.high", "security.medium", "security.low", "load.p50", "load.cpu"})
# How two builds compare is told by its judgements; as bare numbers they would be taken for the build's own.
_COMPARED = "pair."
_OTHERS = 4


def key_numbers(measurements: Iterable[Measurement]) -> list[str]:
    """Return the numbers that matter of a gate or a phase, worded: `96.4 % lines`, `41 tests`, `p95 31 ms`."""
    measurements = tuple(measurements)
    whole = {measurement.name: measurement for measurement in measurements if not measurement.scope}
    found = []
    for name, words, zero_matters in _KEY_NUMBERS:
        measurement = whole.pop(name, None)
        if measurement is None or (measurement.value == 0 and not zero_matters):
            continue
        if name == "fuzz.operations" and measurement.total is not None:
            found.append(f"{measurement.count or 0:,} of {plural(measurement.total, 'operation')}")
        else:
            text = words.format(value(measurement.value, measurement.unit))
            found.append(text[:-1] if text == "1 tests" else text)
    benchmarks = sum(measurement.name == "bench.median" for measurement in measurements)
    if benchmarks:
        found.append(plural(benchmarks, "benchmark"))
    others = [
        measurement
        for name, measurement in sorted(whole.items())
        if name not in _ELSEWHERE and not name.startswith(_COMPARED)
    ]
    for measurement in others[:_OTHERS]:
        name = one_line(measurement.name).rpartition(".")[2].replace("_", " ")
        found.append(f"{name} {value(measurement.value, measurement.unit)}")
    return found


def finding_counts(results: Iterable[GateResult]) -> list[str]:
    """Return how many problems are known debt, new, repaired, flaky and waived, each only where there is one."""
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(finding.state.value for finding in result.readings.findings)
        counts["known"] += sum(judgement.debt for judgement in result.judgements)
    words = (("known", "known"), ("new", "new"), ("fixed", "repaired"), ("flaky", "flaky"), ("waived", "waived"))
    return [f"{counts[state]:,} {word}" for state, word in words if counts[state]]


def describe_finding(finding: Finding) -> str:
    """Return a finding in one line: where, what, and by which rule."""
    return one_line(case.describe_finding(finding))


_FEW = 3
"""Up to so many findings of a rule are each told in full."""
_SUMS = ("findings", "subjects")
"""Kinds of judgement whose findings are told one by one."""
_OF_A_NUMBER = ("target", "baseline", "best", "relative")


def describe_judgement(judgement: Judgement) -> str:
    """Return the reason of a judgement, led by what it is about where the reason does not say so itself."""
    name = judgement.measurement if judgement.kind in _OF_A_NUMBER else ""
    about = subject(name, judgement.scope)
    if not judgement.reason:
        return about or judgement.kind
    untold = [word for word in (name, judgement.scope) if word and word not in judgement.reason]
    return f"{about}: {judgement.reason}" if untold else judgement.reason


def findings_in(result: GateResult, *states: FindingState) -> list[Finding]:
    """Return the findings of a gate that are in one of these states."""
    return [finding for finding in result.readings.findings if finding.state in states]


def debts(run: Run) -> list[str]:
    """Return everything that is broken and was accepted as known at a sign-off, each once."""
    found: dict[str, None] = {}
    for result in run.gates:
        for judgement in result.judgements:
            if judgement.debt:
                found.setdefault(describe_judgement(judgement))
        for finding in findings_in(result, FindingState.KNOWN):
            found.setdefault(describe_finding(finding))
    if not found:
        for item in run.done:
            found.update(dict.fromkeys(line for line in item.known if not line.startswith(("waived: ", "flaky: "))))
    return list(found)


def accepted(run: Run) -> list[str]:
    """Return everything that is broken and accepted when a run is signed off: as many lines as `debts` has after that.

    Each finding is one, as it is in later runs, and not each judgement that sums findings up.
    """
    found: dict[str, str] = {}
    for result in run.gates:
        for judgement in result.judgements:
            unmet = judgement.verdict in (Verdict.FAIL, Verdict.UNKNOWN) and judgement.kind not in _SUMS
            if judgement.debt or unmet:
                found.setdefault(describe_judgement(judgement), result.gate)
        for finding in findings_in(result, FindingState.KNOWN, FindingState.NEW):
            # What was only added to the contract is nothing that is broken.
            if not (finding.rule.startswith("contract.") and finding.severity in (Severity.LOW, Severity.INFO)):
                found.setdefault(describe_finding(finding), result.gate)
    return [f"{gate}: {text}" for text, gate in found.items()]


def debts_in_short(run: Run) -> list[str]:
    """Return the same as `debts`, but of many of one kind only the first, or only where they are."""
    lines: dict[str, None] = {}
    for result in run.gates:
        lines.update(dict.fromkeys(_in_short([judgement for judgement in result.judgements if judgement.debt])))
        for text, hint in in_short(findings_in(result, FindingState.KNOWN), fixes=False):
            lines.setdefault(f"{text} ({hint})" if hint else text)
    return list(lines) or debts(run)


def _in_short(judgements: Iterable[Judgement]) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[Judgement]] = {}
    for judgement in judgements:
        kind = (judgement.kind, judgement.measurement, judgement.demand, judgement.hint)
        groups.setdefault(kind, []).append(judgement)
    for group in groups.values():
        if len(group) <= _FEW:
            yield from map(describe_judgement, group)
        else:
            others = list_names(list(dict.fromkeys(one.scope or one.measurement for one in group[1:])))
            yield one_line(f"{describe_judgement(group[0])}; and {len(group) - 1} more like this: {others}")


def in_short(findings: Sequence[Finding], *, fixes: bool = True) -> list[tuple[str, str]]:
    """Return findings as pairs of text and what to do; of many of one rule only where they are, in one line."""
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault((finding.rule, finding.severity), []).append(finding)
    pairs: dict[tuple[str, str], None] = {}
    for (rule, severity), ones in by_rule.items():
        if len(ones) <= _FEW:
            pairs.update(((describe_finding(one), one.fix if fixes else ""), None) for one in ones)
            continue
        places = list(dict.fromkeys(one.operation or one.path or one.message for one in ones))
        text = f"{len(ones):,} of {rule} ({severity}): {list_names(places)}"
        pairs.setdefault((one_line(text), f"gates explain {rule}"))
    return list(pairs)


def excused(run: Run) -> list[tuple[str, list[str]]]:
    """Return, under a title each, findings that do not count: waived by a person, or not sure of themselves."""
    titles = {
        FindingState.WAIVED: "Waived, with a reason and a date",
        FindingState.FLAKY: "Flaky: found in one of two tries on the same build",
    }
    found = {state: [one for result in run.gates for one in findings_in(result, state)] for state in titles}
    waivers = waivers_of(run)

    def told(finding: Finding) -> str:
        waiver = waivers.get(finding.fingerprint) if finding.state is FindingState.WAIVED else None
        return one_line(describe_finding(finding) + (f", waived {waiver}" if waiver else ""))

    return [(titles[state], list(dict.fromkeys(map(told, ones)))) for state, ones in found.items() if ones]


def problems_of(result: GateResult) -> list[tuple[str, str]]:
    """Return why a gate did not pass and what would make it pass, as pairs of a reason and a hint."""
    pairs: dict[tuple[str, str], None] = {}
    if result.reason:
        pairs.setdefault((result.reason, result.hint))
    for judgement in result.judgements:
        if judgement.verdict not in (Verdict.PASS, Verdict.SKIPPED) and not judgement.debt:
            pairs.setdefault((describe_judgement(judgement), judgement.hint))
    judged = "\n".join(judgement.reason for judgement in result.judgements)
    for finding in findings_in(result, FindingState.NEW):
        if finding.message not in judged:
            pairs.setdefault((describe_finding(finding), finding.fix))
    for gap in result.readings.gaps:
        if gap.reason not in judged:
            pairs.setdefault((f"{gap.what}: {gap.reason}", gap.hint))
    return list(pairs) or [(f"its verdict is {result.verdict}, and it gave no reason", f"gates explain {result.gate}")]


def untold_findings(run: Run) -> list[Finding]:
    """Return the new findings that keep a gate from passing and that no reason of an item names.

    Of many, a reason names the first; of a gate that failed, those are among them that it tolerates.
    """
    told = "\n".join(reason for item in run.done if item.asked for reason in item.reasons)
    new = [finding for result in run.gates if _kept_open(result) for finding in findings_in(result, FindingState.NEW)]
    return [finding for finding in new if finding.message not in told]


def _kept_open(result: GateResult) -> bool:
    by_findings = any(one.kind == "findings" and one.verdict is not Verdict.PASS for one in result.judgements)
    return result.verdict is Verdict.FAIL or by_findings


def problems(item: DoneItem, gates: Sequence[GateResult]) -> list[tuple[str, str]]:
    """Return why an item is not met and what would meet it, as pairs; a reason or a hint of a pair may be empty.

    An item that gives no reason gets those of its gates, so that no failure is ever shown without one.
    """
    if not item.reasons:
        decisive = [gate for gate in gates if gate.gate in item.gates and gate.verdict is item.verdict]
        pairs = [pair for gate in decisive for pair in problems_of(gate)]
        if pairs:
            return pairs
    reasons = item.reasons or (f"nothing here decides it: the item is {item.verdict}",)
    hints = item.hints if any(item.hints) else ()
    if len(hints) == len(reasons):
        return list(zip(reasons, hints, strict=True))
    extra = hints or (f"gates explain {item.item}",)
    return [(reason, "") for reason in reasons[:-1]] + [(reasons[-1], extra[0])] + [("", hint) for hint in extra[1:]]


@dataclass(frozen=True, slots=True)
class Notice:
    """One of the first lines of a report: something that was not looked at, or that counts although it is broken."""

    label: str
    text: str


def _skipped(run: Run) -> list[Notice]:
    by_reason: dict[str, list[str]] = {}
    for result in run.gates:
        if result.verdict is Verdict.SKIPPED:
            by_reason.setdefault(result.reason or "no reason was given", []).append(result.gate)
    return [Notice("skipped", f"{', '.join(names)} ({reason})") for reason, names in by_reason.items()]


def _left_out(run: Run) -> list[Notice]:
    items = (item for item in run.done if item.asked and item.verdict is Verdict.SKIPPED)
    return [Notice("left out", f"{item.title} ({'; '.join(item.reasons) or 'no reason was given'})") for item in items]


def opening(run: Run) -> list[Notice]:
    """Return what stands in the first lines of every report, so that nothing turns green in silence."""
    notices = []
    if run.partial:
        ran = [result.gate for result in run.gates if result.verdict is not Verdict.SKIPPED]
        notices.append(Notice("partial", f"only {', '.join(ran) or 'nothing'} ran; this run cannot be signed off"))
    notices += _skipped(run) + _left_out(run)
    if counts := debts(run):
        others = [state for state in finding_counts(run.gates) if not state.endswith(("known", "waived"))]
        told = " · ".join([f"{len(counts):,} known", *others])
        notices.append(Notice("known debt", f"{told} (listed below)"))
    if waived := sum(len(findings_in(result, FindingState.WAIVED)) for result in run.gates):
        notices.append(Notice("waived", f"{plural(waived, 'finding')} with a reason and a date (listed below)"))
    if run.verdict is Verdict.UNKNOWN and run.exit_code == 0 and not any("allow-unknown" in note for note in run.notes):
        notices.append(Notice("allowed", "unknown counts as passed for the exit code (--allow-unknown)"))
    if run.dirty:
        notices.append(Notice("dirty", "there are uncommitted changes; this run cannot be signed off"))
    return notices + [Notice("note", note) for note in run.notes]


def compared_with(run: Run) -> str:
    """Return what the numbers of this run were compared with."""
    if run.baseline_phase:
        return f"the baseline of phase {one_line(run.baseline_phase)}"
    return "nothing earlier: no phase before this one is signed off, so only targets are judged"


def tally(run: Run) -> str:
    """Return how the items that were asked for stand, worst first: `of 9 items: 1 fail, 8 pass`; `all 9 items pass`."""
    asked = [item for item in run.done if item.asked]
    if not asked:
        return ""
    counts = Counter(item.verdict for item in asked)
    order = (Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN, Verdict.PASS, Verdict.SKIPPED)
    words = {Verdict.SKIPPED: "left out"}
    if len(counts) == 1 and asked[0].verdict is Verdict.PASS:
        return f"all {plural(len(asked), 'item')} pass" if len(asked) > 1 else "1 item passes"
    parts = [f"{counts[verdict]} {words.get(verdict, verdict.value)}" for verdict in order if counts[verdict]]
    return f"of {plural(len(asked), 'item')}: {', '.join(parts)}"


def short_commit(run: Run) -> str:
    """Return the commit as people quote it."""
    return one_line(run.commit)[:10] if run.commit else "no commit"
