"""`gates explain`: what a gate, rule or item checks, why it matters, how to fix it, what decided it last time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gates.done import ITEMS
from gates.errors import GatesError
from gates.profiles import nearest_hint
from gates.reports.terminal.interval import draw_interval, interval_legend
from gates.results import FindingState, GateResult, Run
from gates.tools import TOOLS
from gates.tools.base import Tool

ITEM_TEXTS: Mapping[str, str] = {
    "endpoints": "Every operation of the OpenAPI document is asked with valid requests, and has to answer with one of "
    "its documented successes; invalid requests must not break it. An operation that only answers 404, 405 or 501 is "
    "not implemented. A phase that is `complete` and does not answer is the most common false report there is.",
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
    "documentation": "The served document equals the committed one and describes every operation. No tool of gates "
    'compares that yet, so a command gate with items = ["documentation"] decides it, or it is left out with a reason.',
    "integration": "What a phase promised to later ones still holds. No tool of gates checks that yet, so a command "
    'gate with items = ["integration"] decides it, or it is left out with a reason.',
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


def explain(what: str, gates: Mapping[str, Tool], last: Run | None, *, ascii: bool = False) -> str:  # noqa: A002
    """Return the explanation of an item, a gate, a tool or a rule; raises GatesError with the nearest name."""
    if what in ITEMS:
        return "\n".join(_item(what, last))
    if what in gates:
        return "\n".join(_gate(what, gates[what], last, ascii))
    if what in TOOLS:
        return f"{what}: {_sentence(TOOLS[what])}"
    rule = next((known for known in RULES if what == known or (known.endswith(".") and what.startswith(known))), None)
    if rule is None:
        known = [*ITEMS, *gates, *TOOLS, *(name for name in RULES if not name.endswith("."))]
        raise GatesError(f"there is no gate, rule or item {what!r}", nearest_hint(what, known))
    return "\n".join(_rule(what, *RULES[rule], last))


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


def _gate(name: str, tool: Tool, last: Run | None, ascii_only: bool) -> Iterator[str]:
    yield f"{name}: {tool.tool}. {_sentence(type(tool))}"
    yield f"  It helps decide: {', '.join(tool.items) or 'no item'}"
    settings = tool.model_dump(exclude={"tool", "items"}, exclude_none=True, mode="json")
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
        f"{finding.state} {finding.severity}: {finding.message}" + (f" → {finding.fix}" if finding.fix else "")
        for gate in gates
        for finding in gate.readings.findings
        if finding.rule == rule and finding.state is not FindingState.FIXED
    ]
