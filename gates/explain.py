"""`gates explain`: what a gate, rule or item checks, why it matters, how to fix it, what decided it last time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel

from gates import contract, documentation, guidelines, rest
from gates.done import ITEMS
from gates.errors import GatesError
from gates.profiles import nearest_hint
from gates.reports.terminal.interval import draw_interval, interval_legend
from gates.reports.wording import describe_finding, one_line
from gates.results import FindingState, GateResult, Run, Severity
from gates.rules import Rule
from gates.targets import TARGETS, TargetKind, kind_of
from gates.tools import TOOLS
from gates.tools.base import Tool
from gates.tools.phase.rules import RULES as PHASE_RULES
from gates.tools.replay import rules as replay
from gates.tools.schemathesis import rules as earlier
from gates.traffic import rules as traffic

RULE_BOOKS: tuple[Mapping[str, Rule], ...] = (
    contract.RULES, documentation.RULES, guidelines.RULES, rest.RULES, PHASE_RULES,
)  # fmt: skip
"""The packages of rules whose rules have a severity that gates.toml may change, each with its `RULES`."""
PROMISES: tuple[Mapping[str, Rule], ...] = (earlier.RULES, replay.RULES, traffic.RULES)
"""Those that hold as they are."""
_WORDS = {Severity.HIGH: "an error", Severity.MEDIUM: "a warning", Severity.LOW: "an info", Severity.INFO: "a remark"}
_MOST_FINDINGS = 20

ITEM_TEXTS: Mapping[str, str] = {
    "endpoints": "Every operation of the OpenAPI document is asked with valid requests, and has to answer with one of "
    "its documented successes; invalid requests must not break it. An operation that only answers 404, 405 or 501 is "
    "not implemented. What no generated request reaches may be reached by the project's own tests, and what they or "
    "recorded traffic reach must be in the document. A phase that is `complete` and does not answer is the most "
    "common false report there is.",
    "database": "Keys, indexes, queries and connections. No tool of gates looks at the database yet, so a command gate "
    'with items = ["database"] decides it, or it is left out with a reason.',
    "auth": "Every protected operation refuses wrong credentials. No tool of gates tries that yet, so a command gate "
    'with items = ["auth"] decides it, or it is left out with a reason.',
    "errors": "One shape for all errors, nothing internal in them, and logs that can be read by machines. No tool of "
    'gates looks at that yet, so a command gate with items = ["errors"] decides it, or it is left out with a reason.',
    "performance": "Response times by operation class, errors, memory and concurrency under load meet their targets, "
    "and nothing got worse than in earlier phases by more than the tolerances of [baseline].",
    "security": "The source is scanned, findings are compared as sets of identities with the earlier phase: new ones "
    "fail, known ones are shown once.",
    "tests": "The project's own tests run, pass, and cover enough; a test that vanished or became skipped since the "
    "earlier phase is a finding.",
    "documentation": "The served document equals the committed one, is valid, describes every operation with responses "
    "and examples that validate, and its version moved when its contract did. The `openapi` tool decides it with its "
    "check `documentation`.",
    "integration": "What a phase promised to later ones still holds. A `phase` gate looks up everything that its "
    "document says it provides and consumes, in the project as it is and in what earlier phases were signed off with; "
    "`openapi`, `schemathesis` with the earlier document and `replay` hold the earlier interface against this server.",
}

RULES: Mapping[str, tuple[str, str]] = {
    "tests.failed": ("A test fails, also when it is tried again.", "Mend the code or the test."),
    "tests.vanished": (
        "A test that ran when the earlier phase was signed off is not there any more. Deleted tests are how a broken "
        "thing becomes green.",
        "Bring it back; a renamed test is a vanished and a new one, and is accepted with the next sign-off.",
    ),
    "tests.newly-skipped": ("A test that ran in the earlier phase is skipped now.", "Let it run, or mend it."),
    "tests.flaky": ("A test failed and passed on the same build.", "Find what it depends on: time, order, network."),
    "tests.collection": (
        "The suite stopped before it ran its tests. Zero tests run is not zero failures.",
        "Run the test command by hand: the first error is the one to mend.",
    ),
    "tests.setup": (
        "What has to be prepared for some tests failed, so these tests did not run.",
        "Mend the fixture or the set-up that the message names.",
    ),
    "tests.interrupted": (
        "The tests were stopped before their end: what did not run any more is not known to pass.",
        "Let the suite run to its end; a limit on failures (`-x`, `--maxfail`) stops it, too.",
    ),
    "tests.exit": (
        "The test command did not end with 0, and no failing test says why.",
        "Run it by hand: its last lines say what it wants.",
    ),
    "tests.none": ("The test command ran no test at all.", "Look at the command and at the names of the test files."),
    "operation.vanished": (
        "An operation that the earlier phase's document had is gone: its callers break.",
        "Bring it back, or move the break into a new major version.",
    ),
    "bench.vanished": ("A benchmark of the earlier phase is gone.", "Bring it back under its old name."),
    "bench.failed": ("A benchmark does not run to its end.", "Run it by hand."),
    "backend.died": (
        "The backend stopped while a gate used it.",
        "Its last lines say why; an operation that is meant to stop it is named in the gate's `exclude`.",
    ),
    "load.not-recovered": (
        "After the burst of a `spike` the backend was still not as it had been before, in at least half of the epochs.",
        "See what is left over: a queue without bound, retries, connections that are not given back.",
    ),
    "load.no-knee": (
        "Not even the lowest rate that was tried meets the targets, so that there is no rate to call bearable.",
        "See which target it misses at a rate that low: a single slow operation is the most common reason.",
    ),
    "load.server-errors": ("Operations answered 5xx under ordinary load.", "The backend's log has the reason."),
    "command.failed": ("A command gate's command ended with an exit code that was not expected.", "Run it by hand."),
    "bandit.": (
        "bandit found a pattern that is often a weakness. Its identity is file, rule and flagged text, so moving code "
        "changes nothing, and a second one like it is new.",
        "Mend it, or mark the line with `# nosec RULE` and the reason; such marks are counted.",
    ),
    "fuzz.": (
        "schemathesis sent a generated request and the answer broke a check. Its identity is operation and check, "
        "whatever the payload was.",
        "Send the request of the message again; mend the handler, or the document when that is what is wrong.",
    ),
}
"""By rule, or by a beginning that ends in a dot: what it means, and what to do."""

MEASURED: Mapping[str, str] = {
    "load.knee": "The highest arrival rate at which p95 of each operation class meets its target, errors stay under "
    "theirs, and the queue does not grow. It rises by 1.6, then halves the gap to 10 %; a step that misses is repeated "
    "once. The median of the searches counts. Without samples it is only known to be at least that: the search ended "
    "at the `rate_limit`, or where the load generator or the machine gave way.",
    "load.leak": "How fast the memory of all processes grows under lasting load: the median slope (Theil and Sen) over "
    "twenty blocks of the last two thirds of the time, each with its least memory. Its bounds allow for neighbours "
    "that resemble each other. It fails when growth is proven and the slope misses the target, passes when the upper "
    "bound meets it, and is unknown between: the run was too short. Without a target it fails when memory would double "
    "within a day.",
    "load.recovery": "How long after the burst the first of two seconds in a row began in which median, p95, queue and "
    "failures were within `recovered_within` of the worst second before the burst. The middle epoch counts.",
    "load.connections": "The most TCP connections and Unix sockets that the backend's processes had opened themselves "
    "at once, looked at once a second while it was loaded; those that it accepted do not count.",
    "database.connections": "The part of load.connections that leads to the usual ports and sockets of databases, or "
    "to the addresses named in `databases` of the load gate.",
}
"""Of targets whose measurement is not plain from its name: how it is measured, and when it decides."""

_BESIDE = (
    "The build of the earlier phase and this one are started afresh for every epoch and asked the same, in pairs, one "
    "right after the other in the order of a coin: what disturbs the machine disturbs both. Each epoch gives one "
    "ratio, new to old; the ratios of all epochs, their mean and their spread, decide.",
    "It fails when the whole interval of the ratio is worse than the floor (1 %, or what `gates calibrate` found for "
    "this machine), the worse end reaches what is tolerated ([baseline]), this holds although many quantities had a "
    "chance to fail, and four more epochs confirm it. It passes when the whole interval is below what is tolerated. "
    "Otherwise more epochs are measured, and at the end it is unknown, with how many more would decide it. An exact "
    "test without any assumption about the noise (sign flips) has to agree either way.",
)
COMPARED: Mapping[str, tuple[str, ...]] = {
    "pair.shift": (
        "How many times as long as in the earlier phase a request takes here, measured side by side: the median over "
        "all pairs of requests, of one operation or of all together. It sees small slow-downs of every request, and "
        "is blind to those of a few.",
        *_BESIDE,
    ),
    "pair.p95": (
        "How many times that of the earlier phase the p95 is, measured side by side: the time within which 19 of 20 "
        "requests are answered. It sees what only some requests suffer, and needs more of them than the shift does.",
        *_BESIDE,
    ),
    "pair.p99": (
        "How many times that of the earlier phase the p99 is, measured side by side: the time within which 99 of 100 "
        "requests are answered. It is left out below 1,000 requests in an epoch and 10,000 in all: it would be chance.",
        *_BESIDE,
    ),
    "pair.throughput": (
        "How many times what this build gets through the earlier one did (above 1 is worse): successful answers per "
        "second when eight connections send back to back. At the end of each epoch, after the pairs, only one build at "
        "a time is loaded, in turns of a fraction of a second in the order of a coin, each with the same operations "
        "in the same order. It is left out, with a note, where more than 1 % of the answers fail, the load "
        "generator uses more than 70 % of its core or has none of its own, or the builds are so slow that a turn has "
        "hardly an answer; and with a `locustfile`.",
        *_BESIDE[1:],
    ),
    "pair.memory": (
        "How many times that of the earlier phase the peak memory is of all processes of the build, under the same "
        "load.",
        *_BESIDE,
    ),
    "pair.bench": (
        "How many times as long as in the earlier phase a benchmark takes; both builds run it in turns, a process "
        "each.",
        *_BESIDE[1:],
    ),
    "pair.number": (
        "How many times that of the earlier phase a number is that a command prints; both builds run it in turns.",
        *_BESIDE[1:],
    ),
    "pair.errors": (
        "Whether a larger share of requests fails than in the earlier phase under the same load. It fails when the "
        "share rose by more than 0.1 points, and by more than chance explains (an exact test of the counts, over all "
        "operations together). The times of an operation whose failures rose are not judged: failing answers look "
        "fast.",
    ),
    "pair.floor": (
        "Below which share a worsening is taken for none, side by side: 1 %, or more where `gates calibrate` saw "
        "identical builds differ by more on this machine, but never above 3 %.",
    ),
    "pair.order": (
        "How many times as long an answer takes that is asked for first, ahead of the other build's. Both builds are "
        "first equally often and each order counts half, so that this does not reach the comparison.",
    ),
}
"""By what is compared side by side: what it is, and how it is decided, a paragraph each."""


def explain(what: str, gates: Mapping[str, Tool], last: Run | None, *, ascii: bool = False) -> str:  # noqa: A002
    """Return the explanation of an item, a gate, a tool or a rule; raises GatesError with the nearest name."""
    if what in ITEMS:
        return "\n".join(_item(what, last))
    if what in gates:
        return "\n".join(_gate(what, gates[what], last, ascii))
    if what in TOOLS:
        return f"{what}: {_sentence(TOOLS[what])}"
    if (name := what if what in COMPARED else f"pair.{what}") in COMPARED:
        return "\n".join(_compared(name, last, ascii))
    if (kind := kind_of(what)) is not None:
        return "\n".join(_target(what, kind, last))
    if (own := next((book[what] for book in RULE_BOOKS if what in book), None)) is not None:
        return "\n".join(_own_rule(own, last))
    if (promise := next((book[what] for book in PROMISES if what in book), None)) is not None:
        return "\n".join(_rule(what, promise.summary, f"{promise.why}\n  What to do: {promise.fix}", last))
    rule = next((known for known in RULES if what == known or (known.endswith(".") and what.startswith(known))), None)
    if rule is None:
        names = (name for name in (*RULES, *TARGETS) if not name.endswith("."))
        family = f"{what.partition('.')[0]}."
        rules = [name for book in (*RULE_BOOKS, *PROMISES) for name in book if name.startswith(family)]
        known = rules or [*ITEMS, *gates, *TOOLS, *COMPARED, *names]
        raise GatesError(f"there is no gate, rule or item {what!r}", nearest_hint(what, known))
    return "\n".join(_rule(what, *RULES[rule], last))


def _target(what: str, kind: TargetKind, last: Run | None) -> Iterator[str]:
    yield f"{what}: a target of gates.toml, on {kind.looks_for}"
    if what in MEASURED:
        yield f"  {MEASURED[what]}"
    yield f"  When it is missed: {kind.advice}"
    judged = [
        judgement
        for gate in (last.gates if last else ())
        for judgement in gate.judgements
        if judgement.kind == "target" and judgement.measurement == kind.measurement
    ]
    for judgement in judged:
        yield f"    - {judgement.verdict}: {judgement.reason}" + (f" → {judgement.hint}" if judgement.hint else "")
    if not judged:
        yield "  It was not judged yet, or no gate measured it."


def _sentence(tool: type[Tool]) -> str:
    return " ".join((tool.__doc__ or "").split())


def _item(what: str, last: Run | None) -> Iterator[str]:
    yield f"{what}: {ITEMS[what].title}"  # type: ignore[index]
    yield f"  {ITEM_TEXTS[what]}"
    decided = next((item for item in last.done if item.item == what), None) if last else None
    if last is None or decided is None:
        yield "  It was not decided yet: `gates check` does."
        return
    yield f"  Last time ({last.id}): {decided.verdict}, by {', '.join(decided.gates) or 'no gate'}"
    for position, reason in enumerate(decided.reasons):
        hint = decided.hints[position] if position < len(decided.hints) else ""
        yield f"    - {reason}" + (f" → {hint}" if hint else "")
    for line in decided.known:
        yield f"    - known: {line}"
    for gate in last.gates:
        if gate.gate in decided.gates:
            yield from (f"    - note of {gate.gate}: {note}" for note in gate.readings.notes)
    for gate in last.gates:
        if gate.gate in decided.gates:
            yield from _waivable(gate)


def _gate(name: str, tool: Tool, last: Run | None, ascii_only: bool) -> Iterator[str]:
    yield f"{name}: {tool.tool}. {_sentence(type(tool))}"
    yield f"  It helps decide: {', '.join(tool.items) or 'no item'}"
    settings = tool.model_dump(exclude={"tool", "items"}, exclude_none=True, mode="json")
    # Of a table of its own only what was written: its defaults are in the manual.
    written = tool.model_dump(exclude_defaults=True, mode="json")
    for key in [key for key in settings if isinstance(getattr(tool, key), BaseModel)]:
        settings[key] = written.get(key, {})
    yield "  Settings: " + ", ".join(f"{key} = {value!r}" for key, value in settings.items())
    result = next((gate for gate in last.gates if gate.gate == name), None) if last else None
    if last is None or result is None:
        yield "  It did not run yet."
        return
    yield f"  Last time ({last.id}): {result.verdict}" + (f": {result.reason}" if result.reason else "")
    for judgement in result.judgements:
        yield f"    - {judgement.verdict}: {judgement.reason}" + (f" → {judgement.hint}" if judgement.hint else "")
        if (drawn := draw_interval(judgement, ascii=ascii_only)) is not None:
            yield f"        {drawn}"
    if any(draw_interval(judgement) for judgement in result.judgements):
        yield f"        {interval_legend(ascii=ascii_only)}"
    for note in result.readings.notes:
        yield f"    - note: {note}"
    yield from _waivable(result)


def _waivable(result: GateResult) -> Iterator[str]:
    """Yield the new findings with their fingerprints, and how one of them is waived."""
    new = [finding for finding in result.readings.findings if finding.state is FindingState.NEW]
    for finding in new[:_MOST_FINDINGS]:
        yield f"    - {finding.fingerprint} {describe_finding(finding)}"
        places = {"now": finding.pointer, "then": finding.earlier_pointer}
        if told := ", ".join(f"{when} at {one_line(pointer)}" for when, pointer in places.items() if pointer):
            yield f"        {told}"
    if len(new) > _MOST_FINDINGS:
        yield f"    - and {len(new) - _MOST_FINDINGS:,} more: gates report --format json"
    if new:
        yield "  One that has to wait: gates waive FINGERPRINT --reason '…' --by '…' --until YEAR-MONTH-DAY"


def _compared(name: str, last: Run | None, ascii_only: bool) -> Iterator[str]:
    yield f"{name}: {COMPARED[name][0]}"
    for paragraph in COMPARED[name][1:]:
        yield f"  {paragraph}"
    found = [one for gate in (last.gates if last else ()) for one in gate.judgements if one.measurement == name]
    if last is not None:
        yield f"  Last time ({last.id}):" + ("" if found else " it was not judged.")
    drawn = [draw_interval(one, ascii=ascii_only) for one in found]
    for judgement, line in zip(found, drawn, strict=True):
        yield f"    - {judgement.verdict}: {judgement.reason}" + (f" → {judgement.hint}" if judgement.hint else "")
        if line is not None:
            yield f"        {line}"
    if any(drawn):
        yield f"        {interval_legend(ascii=ascii_only)}"


def _own_rule(rule: Rule, last: Run | None) -> Iterator[str]:
    grade = _WORDS[rule.severity] if rule.severity is not None else "off"
    yield from _rule(
        rule.id, rule.summary, f"{rule.why}\n  What to do: {rule.fix}\n  By itself it is {grade}; `rules` of the gate "
        f'changes that: rules = {{ "{rule.id}" = "error" }} (or "warning", "info", "off")', last,
    )  # fmt: skip


def _rule(what: str, meaning: str, remedy: str, last: Run | None) -> Iterator[str]:
    yield f"{what}: {meaning}"
    yield f"  {remedy}"
    found = _findings_of(what, last.gates if last else ())
    for line in found:
        yield f"    - {line}"
    if last is not None and not found:
        yield f"  The last run ({last.id}) found none."


def _findings_of(rule: str, gates: Sequence[GateResult]) -> list[str]:
    return [
        f"{finding.fingerprint} {finding.state} {finding.severity}: {finding.message}"
        + (f" → {finding.fix}" if finding.fix else "")
        for gate in gates
        for finding in gate.readings.findings
        if finding.rule == rule and finding.state is not FindingState.FIXED
    ]
