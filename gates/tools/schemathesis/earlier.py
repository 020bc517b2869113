"""The document of an earlier phase held against the present server: what was promised, and is no longer so.

Only valid data is sent, by the paths and schemas of then, so that a break shows that nobody wrote into a document. What
was so before is no break: the failures that the earlier phase's own fuzzing knew (same operation, check and place),
and, where the earlier build can be started, those that it shows in the same run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from gates.document import Document, DocumentError, Operation, parse_document
from gates.errors import GatesError, NotMeasured
from gates.profiles import nearest_hint
from gates.results import Finding, FindingState, Gap, Measurement, OperationSeen, Readings, Run, Severity
from gates.rules import fingerprint
from gates.tools.base import Context, digest
from gates.tools.schemathesis import evidence, findings, known
from gates.tools.schemathesis.attempt import Key, Tried, attempt, told_apart
from gates.tools.schemathesis.events import Tally
from gates.tools.schemathesis.findings import Scrub
from gates.tools.schemathesis.rules import GONE
from gates.tools.schemathesis.trial import Plan

if TYPE_CHECKING:
    from gates.tools.schemathesis import Schemathesis

POSITIVE_CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "positive_data_acceptance",
)  # fmt: skip
"""The checks that valid requests can be held against, and that speak of a promise."""
_NOT_THERE = frozenset({404, 405, 501})
_REFUSED = frozenset({401, 403, 429})
_PROMISED = {
    "not_a_server_error": "to answer this request",
    "connection-dropped": "to answer this request",
    "timeout": "to answer this request",
    "status_code_conformance": "to answer only with the statuses of its document",
    "content_type_conformance": "to answer with the media types of its document",
    "response_headers_conformance": "the headers of its document",
    "response_schema_conformance": "an answer of the schema in its document",
    "positive_data_acceptance": "to accept what its document calls valid",
}
_KEEP = "keep that, or put the break behind a new major version and let the old one answer"
FIRST_PHASE = "first phase: nothing promised yet"


@dataclass(frozen=True, slots=True)
class Promise:
    """What an earlier phase promised: its document, and what was known of it when it was signed off.

    `succeeded` are the operations that had answered a valid generated request with success, `gaps` what its fuzzing
    could not see either.
    """

    phase: str
    document: Document
    accepted: frozenset[str]
    entries: str
    succeeded: frozenset[str]
    gaps: frozenset[str]

    def operation(self, name: str) -> Operation | None:
        """Return the operation of a name."""
        return next((one for one in self.document.operations if one.name == name), None)


def hold_against(settings: Schemathesis, context: Context) -> Readings:
    """Send valid requests of the earlier document to this backend; raises NotMeasured when no document was stored."""
    phase = _phase(settings.earlier_phase, context)
    if phase is None:
        return _first_phase(settings, context)
    promise = find_promise(phase, context.signed[phase])
    with context.serve() as serving:
        present = serving.document
        promise = replace(promise, document=_under_prefix(promise.document, present))
        plan = replace(_plan(settings, promise.document, context, tuple(serving.headers)), known=promise.entries)
        scrub = findings.scrubber(serving.headers)
        tried = attempt(plan, serving, context, "run", scrub, promise.accepted)
        repeatable, has_login = serving.started_by_us, bool(serving.headers)
    flaky, untold, notes = told_apart(tried, plan, context, promise.accepted) if repeatable else (set(), (), ())
    held = Held(promise, present, tried, scrub)
    before, why_not = _before(held, plan, context)
    found = [*held.gone(), *held.broken(before, flaky), *held.lost(before), *_death(tried, scrub, promise)]
    names = [one.name for one in promise.document.operations if one.name not in plan.excluded]
    tested = sum(name in tried.trial.observed.tested for name in names)
    return Readings(
        measurements=(
            Measurement("earlier.cases", len(tried.trial.observed.calls), "1", "neither"),
            Measurement("earlier.operations", tested / len(names), "ratio", "higher", count=tested, total=len(names)),
        ),
        findings=findings.by_severity(found),
        operations=held.operations_seen(),
        gaps=(*_gaps(settings, names, held, has_login), *held.undecided(before, why_not), *untold),
        documents=_kept(present),
        configurations={"schemathesis.toml": digest(plan.configuration())},
        versions={"schemathesis": tried.trial.observed.version or version("schemathesis")},
        notes=(
            f"held against the document of {phase}: {len(names)} operations, valid data only",
            *_left_out_notes(plan), *held.notes(before), *notes,
        ),
    )  # fmt: skip


def _phase(wanted: str | None, context: Context) -> str | None:
    if wanted is not None and wanted not in context.signed:
        raise NotMeasured(
            f"{wanted!r} is no earlier phase that was signed off",
            nearest_hint(wanted, list(context.signed)) or "`earlier_phase` names one of `gates phases`",
        )
    return wanted or next(reversed(list(context.signed)), None)


def _first_phase(settings: Schemathesis, context: Context) -> Readings:
    """Return that nothing is promised yet, and the present document, which the next phase is held against."""
    with context.serve() as serving:
        if serving.document is None:
            raise NotMeasured(
                f"there is no OpenAPI document that later phases could be held against: {serving.document_error}",
                'name its path on the backend, or a file: [backend] openapi = "/openapi.json"',
            )
        present = serving.document
        plan = _plan(settings, present, context, tuple(serving.headers))
    return Readings(
        measurements=(Measurement("earlier.cases", 0, "1", "neither"),), documents=_kept(present),
        configurations={"schemathesis.toml": digest(plan.configuration())}, notes=(FIRST_PHASE,),
    )  # fmt: skip


def _kept(present: Document | None) -> Mapping[str, str]:
    return {} if present is None else {"openapi": present.text}


def find_promise(phase: str, run: Run) -> Promise:
    """Return what a signed-off run promised, whichever of its gates kept the document; raises NotMeasured."""
    texts = [gate.readings.documents["openapi"] for gate in run.gates if "openapi" in gate.readings.documents]
    if not texts:
        raise NotMeasured(
            f"no gate of {phase} kept its OpenAPI document, so there is nothing to hold this server against",
            "sign a phase off with a gate that reads the document; the next one is held against that",
        )
    try:
        document = parse_document(texts[0])
    except DocumentError as error:
        raise NotMeasured(f"the document that {phase} kept cannot be read: {error.message}", error.hint) from error
    fuzzed = [gate for gate in run.gates if gate.tool == "schemathesis"]
    accepted = frozenset(
        one.fingerprint
        for gate in fuzzed
        for one in gate.readings.findings
        if one.state is not FindingState.FIXED and one.rule.startswith(("fuzz.", "earlier.", "backend.died"))
    )
    stored = [gate.readings.documents[known.DOCUMENT] for gate in fuzzed if known.DOCUMENT in gate.readings.documents]
    succeeded = frozenset(
        seen.operation for gate in fuzzed for seen in gate.readings.operations if seen.success is True
    )
    gaps = frozenset(gap.what for gate in fuzzed for gap in gate.readings.gaps)
    entries = known.select(stored[0] if stored else None, accepted)
    return Promise(phase, document, accepted, entries, succeeded, gaps)


def _under_prefix(document: Document, present: Document | None) -> Document:
    """Return the document under the prefix that `[backend] base_path` gives to one that names none itself."""
    if present is None or document.base_path or not present.base_path or parse_document(present.text).base_path:
        return document
    return replace(document, base_path=present.base_path)


def _plan(settings: Schemathesis, document: Document, context: Context, header_names: tuple[str, ...]) -> Plan:
    plan = settings.plan(document, header_names, context)
    checks = tuple(check for check in plan.checks if check in POSITIVE_CHECKS)
    return replace(plan, checks=checks, positive_only=True)


@dataclass(frozen=True, slots=True)
class Held:
    """The outcome of one run of the earlier document: what of it is a break is decided here."""

    promise: Promise
    present: Document | None
    tried: Tried
    scrub: Scrub

    def tally(self, name: str) -> Tally:
        """Return what an operation answered."""
        return self.tried.trial.observed.tallies.get(name, Tally())

    def missing(self) -> dict[str, Operation]:
        """Return the operations that are gone: every valid request says so, and no made-up identifier explains it."""
        found = {}
        for one in self.promise.document.operations:
            statuses = set(self.tally(one.name).valid)
            made_up = statuses == {404} and "{" in one.path and present_name(self.present, self.promise, one)
            accepted = fingerprint(GONE, one.name) in self.promise.accepted
            if statuses and statuses <= _NOT_THERE and not made_up and not accepted:
                found[one.name] = one
        return found

    def gone(self) -> list[Finding]:
        """Return one finding for each operation that is gone, whatever its answers broke besides."""
        return [self._gone(one) for one in self.missing().values()]

    def _gone(self, operation: Operation, how: str = "") -> Finding:
        sunset = announced_end(operation.definition, datetime.now(UTC).date())
        told = ", ".join(map(str, sorted(self.tally(operation.name).valid)))
        count = self.tally(operation.name).valid.total()
        message = f"{operation.name} is gone: {count} valid requests were answered {told}{how}"
        return Finding(
            GONE, Severity.INFO if sunset else Severity.HIGH,
            message + (f"; it was announced as deprecated, to end on {sunset}" if sunset else ""),
            fingerprint(GONE, operation.name), operation=operation.name,
            fix=f"phase {self.promise.phase} promised it: bring it back; what is to go is first marked `deprecated` "
            "with an `x-sunset` date, and signed off like that",
        )  # fmt: skip

    def _debts(self) -> set[Key]:
        """Return the failures that the earlier phase's fuzzing had seen already, at the same place of the answer."""
        entries = known.entries(self.tried.trial.known)
        given = {entry["id"] for entry in known.entries(self.promise.entries)}
        fresh = {(entry["operation"], entry.get("code")) for entry in entries if entry["id"] not in given}
        return {
            key
            for key in self.tried.trial.observed.failures
            if (findings.identity(*key) in self.promise.accepted and key not in fresh)
            or {fingerprint("earlier", *key), fingerprint(GONE, key[0])} & self.promise.accepted
        }

    def new_failures(self) -> set[Key]:
        """Return the failures that are neither known from then nor explained by an operation that is gone."""
        observed, missing = self.tried.trial.observed, self.missing()
        lost = self.tried.login_lost
        return {
            key
            for key, failure in observed.failures.items()
            if key[0] not in missing
            and not (lost and failure.status == 401)
            and not (self.tried.died and key == (self.tried.deadly[0], "connection-dropped"))
        } - self._debts()

    def without_success(self) -> list[str]:
        """Return the operations that succeeded then and do not now, without a failure or a refusal that says why."""
        missing, failing = self.missing(), {key[0] for key in self.new_failures()}
        return [
            one.name
            for one in self.promise.document.operations
            for statuses in [set(self.tally(one.name).valid)]
            if one.name in self.promise.succeeded and one.name not in missing and one.name not in failing
            if statuses and not statuses <= _REFUSED and not any(200 <= status < 400 for status in statuses)
        ]

    def broken(self, before: Tried | None, flaky: set[Key]) -> list[Finding]:
        """Return a finding for each failure that the earlier build does not show."""
        old = set(before.trial.observed.failures) if before else set()
        return [
            self._broken(key, FindingState.FLAKY if key in flaky else FindingState.NEW)
            for key in sorted(self.new_failures() - old)
        ]

    def _broken(self, key: Key, state: FindingState) -> Finding:
        failure = self.tried.trial.observed.failures[key]
        promised = _PROMISED.get(failure.check, "otherwise")
        return replace(
            findings.finding(failure, self.scrub, state), rule=f"earlier.{failure.check}",
            fingerprint=fingerprint("earlier", *key), fix=f"phase {self.promise.phase} promised {promised}: {_KEEP}",
        )  # fmt: skip

    def lost(self, before: Tried | None) -> list[Finding]:
        """Return the operations that succeed on the earlier build with the same requests, and not here."""
        if before is None:
            return []
        tallies = before.trial.observed.tallies
        found = []
        for name in self.without_success():
            operation = self.promise.operation(name)
            if operation is not None and name in tallies and any(200 <= one < 400 for one in tallies[name].valid):
                found.append(self._gone(operation, f", where the build of {self.promise.phase} succeeds"))
        return found

    def undecided(self, before: Tried | None, why_not: str) -> list[Gap]:
        """Return the gap of operations that no request reached, though some did then."""
        names = self.without_success() if before is None else []
        if not names:
            return []
        return [
            Gap(
                f"{len(names)} of {len(self.promise.document.operations)} operations were not seen to succeed",
                f"they had in {self.promise.phase}, and now no request that was made up was accepted: "
                + evidence.some(names) + (f"; the earlier build could not tell: {why_not}" if why_not else ""),
                "a `replay` gate sends what was recorded then, with the identifiers of now",
            )
        ]  # fmt: skip

    def operations_seen(self) -> tuple[OperationSeen, ...]:
        """Return what each earlier operation answered, under the name that it has now."""
        rows = evidence.operations_seen(self.promise.document, self.tried.trial.observed)
        names = {
            one.name: present_name(self.present, self.promise, one) if self.present else one.name
            for one in self.promise.document.operations
        }
        return tuple(
            replace(row, operation=names[row.operation] or row.operation, documented=bool(names[row.operation]))
            for row in rows
            if row.statuses
        )

    def notes(self, before: Tried | None) -> list[str]:
        """Return what was so before, and is therefore no break."""
        found = []
        if debts := sorted(self._debts()):
            told = evidence.some([f"{operation} ({code})" for operation, code in debts])
            found.append(f"known since {self.promise.phase}, so no break of a promise: {told}")
        same = sorted(self.new_failures() & set(before.trial.observed.failures)) if before else []
        if same:
            told = evidence.some([f"{operation} ({code})" for operation, code in same])
            found.append(f"the build of {self.promise.phase} shows it as well, so no break of a promise: {told}")
        observed = self.tried.trial.observed
        unseen = [gap for gap in evidence.problem_gaps(observed, self.scrub) if gap.what in self.promise.gaps]
        return found + [f"as in {self.promise.phase}, {gap.what}: {gap.reason}" for gap in unseen]


def present_name(present: Document | None, promise: Promise, operation: Operation) -> str:
    """Return what the present document calls an earlier operation, whatever its path parameters are named, or ""."""
    if present is None:
        return ""
    wanted = _blank(promise.document.base_path + operation.path)
    for one in present.operations:
        if one.method == operation.method and _blank(present.base_path + one.path) == wanted:
            return one.name
    return ""


def _blank(path: str) -> str:
    return re.sub(r"\{[^{}/]*\}", "{}", path)


def announced_end(definition: Mapping[str, Any], today: date) -> date | None:
    """Return the day that a deprecated operation's end was announced for (`x-sunset`), once it has come."""
    if definition.get("deprecated") is not True:
        return None
    try:
        end = date.fromisoformat(str(definition.get("x-sunset"))[:10])
    except ValueError:
        return None
    return end if end <= today else None


def _before(held: Held, plan: Plan, context: Context) -> tuple[Tried | None, str]:
    """Return the same run on the earlier build, where something is to be decided by it; else why there is none."""
    earlier = context.earlier
    if not held.new_failures() and not held.without_success():
        return None, ""
    if context.fast or held.tried.died:
        return None, ""
    if earlier is None or earlier.serve is None or earlier.phase != held.promise.phase:
        return None, earlier.reason if earlier else ""
    try:
        with earlier.serve() as serving:
            again = replace(plan, header_names=tuple(serving.headers))
            return attempt(again, serving, context, "before", findings.scrubber(serving.headers), ()), ""
    except GatesError as error:
        return None, error.message


def _death(tried: Tried, scrub: Scrub, promise: Promise) -> list[Finding]:
    operation, last = tried.deadly
    if not tried.died or findings.identity(operation, "backend.died") in promise.accepted:
        return []
    request = tried.trial.observed.last_request[1] if tried.trial.observed.last_request else None
    return [findings.died(operation, last, request, tried.last_lines, scrub)]


def _gaps(settings: Schemathesis, names: Sequence[str], held: Held, has_login: bool) -> list[Gap]:
    done = held.tried.trial
    gaps = [evidence.login_gap(done.observed.calls)] if held.tried.login_lost else []
    gaps += evidence.time_gaps(names, done.observed, done.log, done.stopped, settings.time)
    refused = evidence.refused_gap(names, done.observed, has_login)
    if refused is not None and not held.tried.login_lost:
        gaps.append(refused)
    gaps += evidence.problem_gaps(done.observed, held.scrub)
    return [gap for gap in gaps if gap.what not in held.promise.gaps]


def _left_out_notes(plan: Plan) -> list[str]:
    return [f"left out by `exclude`: {evidence.some(plan.excluded)}"] if plan.excluded else []
