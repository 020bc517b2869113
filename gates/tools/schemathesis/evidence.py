"""What a run is evidence of, and what it is not: operations seen, and gaps in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gates.document import Document, Operation
from gates.results import Gap, OperationSeen, RecordedRequest, Subject
from gates.tools.base import redacted
from gates.tools.schemathesis.events import STATEFUL_LABEL, Call, Observed, Tally
from gates.tools.schemathesis.findings import Scrub

_REFUSED = (401, 403)
_READING = ("GET ", "HEAD ", "OPTIONS ")
_TOLD_TO_GO = re.compile(r"(?i)shut.?down|stop|exit|quit|kill|terminate|restart")
_LAST_CALLS = 6
_GOING_SECONDS = 10.0
_NAMED = 12
_MAX_BODY = 4096


@dataclass(frozen=True, slots=True)
class Cut:
    """An operation whose turn in a phase was ended early: `time`, `stalled` or (as set) `cases`."""

    operation: str
    phase: str
    why: str


@dataclass(frozen=True, slots=True)
class Log:
    """What gates.tools.schemathesis.inside has written: turns begun, and turns cut."""

    began: tuple[tuple[str, str], ...] = ()
    phase: str = ""
    cuts: tuple[Cut, ...] = ()


def read_log(text: str) -> Log:
    """Return the log of a run; a last line that is not complete is left out."""
    began, cuts, phase = [], [], ""
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        entry = json.loads(line)
        phase = str(entry.get("phase", phase))
        if "began" in entry:
            began.append((phase, str(entry["began"])))
        if "cut" in entry:
            cuts.append(Cut(str(entry["cut"]), phase, str(entry["why"])))
    return Log(tuple(began), phase, tuple(cuts))


def operations_seen(document: Document, observed: Observed) -> tuple[OperationSeen, ...]:
    """Return a row for every documented operation, called or not."""
    return tuple(
        OperationSeen(operation.name, dict(sorted(tally.statuses.items())), _success(document, operation, tally))
        for operation in document.operations
        for tally in [observed.tallies.get(operation.name, Tally())]
    )


def _success(document: Document, operation: Operation, tally: Tally) -> bool | None:
    statuses = set(tally.valid)
    if any(200 <= status < 400 and document.response_of(operation, status) for status in statuses):
        return True
    # Refusals say that no valid request could be made, and so does a documented 404 for an identifier that was made up.
    unmade = {*_REFUSED, 429}
    if "{" in operation.path and (document.response_of(operation, 404) or ("",))[0] == "404":
        unmade.add(404)
    return None if statuses <= unmade and not tally.unanswered else False


def subjects(names: Iterable[str], observed: Observed, excluded: Iterable[str], log: Log) -> tuple[Subject, ...]:
    """Return every operation as tested or untested, so that one that vanishes later is missed.

    The message of a tested one says that it was not tested to the end; the gaps name only the first of many.
    """
    told = dict.fromkeys((cut.operation for cut in log.cuts if cut.why != "cases"), "cut short")
    told = {name: text for name, text in told.items() if name in observed.tested}
    told |= dict.fromkeys(excluded, "left out by `exclude`")
    return tuple(
        Subject("operation", name, "tested" if name in observed.tested else "untested", told.get(name, ""))
        for name in names
    )


def corpus(observed: Observed, scrub: Scrub, deadly: str = "") -> tuple[RecordedRequest, ...]:
    """Return one valid request per operation that was answered with 2xx, for later phases to send again.

    Left out is the operation after which the backend was gone.
    """
    recorded = []
    for operation, tally in sorted(observed.tallies.items()):
        if tally.sample is None or operation == deadly:
            continue
        request, status = tally.sample
        try:
            body = request.body.decode() if request.body is not None else None
        except UnicodeDecodeError:
            continue  # not text: a later phase makes its own
        if body is None or len(body) <= _MAX_BODY:
            headers = {name: scrub(value) for name, value in redacted(request.headers).items()}
            recorded.append(
                RecordedRequest(
                    operation, request.method, scrub(request.target), headers, scrub(body) if body else body, status
                )
            )
    return tuple(recorded)


def some(names: Sequence[str]) -> str:
    """Return names in a sentence, the first dozen of many."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def time_gaps(names: Sequence[str], observed: Observed, log: Log, stopped: str, seconds: float) -> list[Gap]:
    """Return what the time did not suffice for; `stopped` says why the run ended before its end, if it did."""
    failed = {problem.operation for problem in observed.problems}
    untested = [name for name in names if name not in observed.tested and name not in failed]
    cuts = {cut.operation for cut in log.cuts if cut.why != "cases"}
    short = [name for name in names if name in cuts and name in observed.tested]
    stalled = sorted({cut.operation for cut in log.cuts if cut.why == "stalled"})
    reason = stopped or f"the {seconds:g} s were used up"
    hint = "give the gate a longer `time`, lower `cases` and `coverage_cases`, or `exclude` what need not be fuzzed"
    if observed.stop_reason == "server_unavailable":
        hint = "find out what ended the backend; an operation that is meant to is left out with `exclude`"
    elif stalled:
        hint = f"no request could be made in reasonable time for {some(stalled)}: simplify the schema; or {hint}"
    gaps = []
    if untested:
        what = f"{len(untested)} of {len(names)} operations were not tested"
        gaps.append(Gap(what, f"{reason}: {some(untested)}", hint))
    if short or (stopped and not untested):
        count = f"{len(short)} of {len(names)} operations" if short else "the run"
        gaps.append(Gap(f"{count} were cut short" if short else f"{count} was cut short",
                        f"{reason}: {some(short)}" if short else reason, hint))  # fmt: skip
    if "" in cuts and not stopped:
        gaps.append(Gap("chains of calls were cut short", reason, hint))
    return gaps


def problem_gaps(observed: Observed, scrub: Scrub) -> list[Gap]:
    """Return a gap for each operation that could not be tested as its description stands, wholly or in a phase."""
    gaps: dict[str, Gap] = {}
    for problem in observed.problems:
        if problem.is_network or problem.kind == "ServerUnavailable" or problem.operation in gaps:
            continue
        reason = scrub(f"{problem.kind}: {' '.join(problem.message.split())[:240]}")
        hint = "correct the description of the operation, or leave it out with `exclude`"
        if problem.operation in observed.tested or problem.operation == STATEFUL_LABEL:
            what = f"{problem.operation} could not be tested in full"
            reason = f"in the {problem.phase} phase, {reason}"
        else:
            what = f"{problem.operation} was not tested"
        gaps[problem.operation] = Gap(what, reason, hint)
    return list(gaps.values())


def refused_gap(names: Sequence[str], observed: Observed, has_login: bool) -> Gap | None:
    """Return the gap of operations that answered (nearly) every valid request with 401 or 403."""
    refused = [
        name
        for name in names
        for valid in [observed.tallies[name].valid if name in observed.tallies else None]
        if valid and sum(valid[status] for status in _REFUSED) > 0.9 * valid.total()
    ]
    if not refused:
        return None
    what = f"{len(refused)} of {len(names)} operations were not seen from inside"
    if has_login:
        return Gap(
            what,
            f"they answered valid requests with 401 or 403 in spite of the login: {some(refused)}",
            "give [backend.auth] a user who may call them, or leave them out with `exclude`",
        )
    return Gap(
        what,
        f"they answered valid requests with 401 or 403: {some(refused)}",
        "tell how to get in: [backend.auth] headers, basic or login",
    )


def lost_login(calls: Sequence[Call]) -> tuple[int, tuple[str, ...]] | None:
    """Return at which request, counted from 1, the login was refused for good, and which operations may have ended it.

    Looked at are the operations that refuse at all, and where successes turn into refusals for good: some answer before
    they look at the login, or let strangers in at times, so that the last success says little. A changing call between
    the last success and the first refusal ended the login, or that success itself did.
    """
    refusing = {call.operation for call in calls if call.with_login and call.own_method and call.status == 401}
    balance, highest, turn = 0, 0, -1
    for number, call in enumerate(calls):
        if call.operation in refusing and call.with_login and call.own_method:
            balance += 1 if _succeeded(call) else -1 if call.status == 401 else 0
            if _succeeded(call) and balance >= highest:
                highest, turn = balance, number
    after = (
        number for number in range(turn + 1, len(calls)) if calls[number].status == 401 and calls[number].with_login
    )
    first_refusal = next(after, None)
    if turn < 0 or first_refusal is None:
        return None
    changing = [
        call.operation
        for call in calls[turn:first_refusal]
        if call.with_login and not call.operation.startswith(_READING) and _succeeded(call)
    ]
    return first_refusal + 1, tuple(dict.fromkeys(changing)) or (calls[turn].operation,)


def _succeeded(call: Call) -> bool:
    return call.status is not None and 200 <= call.status < 400


def login_gap(calls: Sequence[Call]) -> Gap:
    """Return the gap of a login that worked before the run and does not after it."""
    lost = lost_login(calls)
    if lost is None:
        return Gap(
            "the login was lost during the run",
            "it worked before the run and is refused after it; which request ended it cannot be told",
            "leave out the operations that end sessions or delete users with `exclude`",
        )
    number, operations = lost
    return Gap(
        f"the login was lost at request {number} of {len(calls)}, after {some(operations)}",
        "what needs a login was tested without one from there on",
        f'leave the operation that ends it out: exclude = ["{operations[0]}"]',
    )


def deadly(calls: Sequence[Call]) -> tuple[str, tuple[str, ...]]:
    """Return the operation that most likely ended a backend, and those that were called last, the latest first.

    The last call did it when it was not answered. A backend that is told to go answers first, and may take more calls
    while it goes: then it was one that is named for it.
    """
    last = tuple(dict.fromkeys(call.operation for call in reversed(calls[-_LAST_CALLS:])))
    if not last or calls[-1].status is None:
        return (last[0] if last else ""), last
    for call in reversed(calls):
        if call.time < calls[-1].time - _GOING_SECONDS:
            break
        if _TOLD_TO_GO.search(call.operation) and _succeeded(call):
            return call.operation, tuple(dict.fromkeys((*last, call.operation)))
    return last[0], last
