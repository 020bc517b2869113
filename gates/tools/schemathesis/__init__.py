"""Fuzzing of the API by its OpenAPI document, by Schemathesis as a subprocess in the harness's own environment.

The target is always the started backend, whatever `servers` or `host` in the document say; redirects are answers and
not followed. Failures are a set of operation and code, the same with any payload. What was not tested is a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Literal, get_args

from pydantic import Field

from gates.document import Document, matches
from gates.errors import GatesError, NotMeasured
from gates.results import Finding, FindingState, Gap, ItemId, Measurement, Readings
from gates.tools.base import Context, Requirement, Seconds, Serving, Tool, digest
from gates.tools.schemathesis import evidence, findings, known, remembered
from gates.tools.schemathesis.confirm import confirmed
from gates.tools.schemathesis.events import Failure
from gates.tools.schemathesis.findings import Scrub
from gates.tools.schemathesis.trial import Plan, Trial, carry_out

Phase = Literal["examples", "coverage", "fuzzing", "stateful"]
Check = Literal[
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "object_level_authorization",
]
_FAST_PHASES = ("examples", "coverage")
_CONFIRM_SECONDS = 15.0
_REFUSED = 401


@dataclass(frozen=True, slots=True)
class _Tried:
    """One run, with what only the backend it ran against could tell."""

    trial: Trial
    died: bool
    last_lines: str
    login_lost: bool
    confirmed: frozenset[tuple[str, str]]

    @property
    def deadly(self) -> tuple[str, tuple[str, ...]]:
        """The operation that most likely ended the backend, and the last that were called; empty when it lives."""
        return evidence.deadly(self.trial.observed.calls) if self.died else ("", ())

    @property
    def death(self) -> tuple[Failure, ...]:
        """The request that a backend did not outlive, as a failure of its own; nothing when it lives."""
        last = self.trial.observed.last_request
        if not self.died or last is None:
            return ()
        return (Failure(self.deadly[0], "backend.died", "backend.died", "", "", None, last[1], valid=True),)


class Schemathesis(Tool):
    """Sends generated requests, valid and invalid, to every operation and checks the answers against the document."""

    tool: Literal["schemathesis"] = "schemathesis"
    items: tuple[ItemId, ...] = Field(
        default=("endpoints",), description="Items of the Definition of Done this gate helps decide"
    )
    time: Seconds = Field(
        default=60.0,
        description="The most that one run may take. What it did not suffice for is named, and the gate is undecided; "
        "while it suffices, the number of requests does not depend on it",
    )
    cases: int = Field(default=25, gt=0, description="Random requests per operation (the fuzzing phase), and chains")
    coverage_cases: int = Field(
        default=200, gt=0, description="At most so many systematic requests per operation (the coverage phase)"
    )
    phases: tuple[Phase, ...] = Field(
        default=get_args(Phase), min_length=1, description="What is tried; `--fast` keeps examples and coverage"
    )
    checks: tuple[Check, ...] = Field(
        default=get_args(Check), min_length=1, description="The checks of Schemathesis that answers are held against"
    )
    exclude_checks: tuple[Check, ...] = Field(default=(), description="Checks to leave out of `checks`")
    exclude: tuple[str, ...] = Field(
        default=(), description='Operations never called, such as "POST /admin/shutdown" or "* /internal/*"'
    )
    request_timeout: Seconds = Field(default=10.0, description="How long an answer may take before it is a finding")

    needs_backend = True
    alone = True
    measures = ("fuzz.cases", "fuzz.operations")

    def run(self, context: Context) -> Readings:
        """Fuzz the backend; a failure that cannot be had again at once is tried in a second run on a fresh backend."""
        with context.serve() as serving:
            document = _document(serving)
            plan = self._plan(document, serving, context)
            scrub = findings.scrubber(serving.headers)
            tried = self._try(plan, serving, context, "run", scrub)
            repeatable = serving.started_by_us
        doubtful = _doubtful(tried, context)
        flaky: set[tuple[str, str]] = set()
        untold: tuple[Gap, ...] = ()
        notes: tuple[str, ...] = ()
        if doubtful and repeatable and not context.fast and not tried.login_lost:
            count = f"{len(doubtful)} failures" if len(doubtful) > 1 else "one failure"
            notes = (f"{count} did not show again at once, so all was tried a second time on a fresh backend",)
            try:
                flaky = _flaky(doubtful, self._second(plan, context))
            except GatesError as error:
                untold = (Gap("flaky failures were not told apart", error.message, error.hint),)
        readings = self._readings(document, plan, tried, flaky, scrub, bool(serving.headers))
        readings = replace(readings, gaps=(*readings.gaps, *untold), notes=(*readings.notes, *notes))
        return self._with_what_did_not_show(readings, document, tried, context, scrub)

    def _with_what_did_not_show(
        self, readings: Readings, document: Document, tried: _Tried, context: Context, scrub: Scrub
    ) -> Readings:
        """Return readings with the accepted findings that did not show and are not proven to be repaired."""
        accepted = context.baseline.readings.findings if context.baseline else ()
        stored = context.baseline.readings.documents.get(remembered.DOCUMENT) if context.baseline else None
        missing = remembered.unseen(accepted, {one.fingerprint for one in readings.findings}, document)
        whole = {one.name for one in readings.subjects if one.outcome == "tested" and not one.message}
        notes: tuple[str, ...] = ()
        repaired, failing = set[str](), set[str]()
        if missing and not tried.died and not context.fast:
            try:
                passed, failing = self._again(missing, remembered.recall(stored), document, context)
                repaired = {one.fingerprint for one in missing if one.fingerprint in passed and one.operation in whole}
            except GatesError as error:
                notes = (f"whether known findings that did not show are repaired is not known: {error.message}",)
        kept = [one for one in missing if one.fingerprint not in repaired]
        shown = [remembered.not_seen(one, again=one.fingerprint in failing) for one in kept]
        failures = [*tried.trial.observed.failures.values(), *tried.death]
        requests = remembered.remember(failures, scrub, stored, {one.fingerprint for one in kept})
        return replace(
            readings, findings=findings.by_severity([*readings.findings, *shown]),
            documents={**readings.documents, remembered.DOCUMENT: requests}, notes=(*readings.notes, *notes),
        )  # fmt: skip

    def _again(
        self, missing: Sequence[Finding], requests: Mapping[str, Failure], document: Document, context: Context
    ) -> tuple[set[str], set[str]]:
        """Send the requests of some findings to a fresh backend; return those that pass, and those that fail again."""
        wanted = [one for one in missing if one.fingerprint in requests and one.state is not FindingState.FLAKY]
        if not wanted:
            return set(), set()
        context.progress(0.99, "sending requests of known findings again")
        with context.serve() as serving:
            answered = remembered.send_again(
                wanted, requests, serving.url, serving.headers, min(self.request_timeout, _CONFIRM_SECONDS)
            )
            if not serving.alive():
                return set(), set()
        bodies = remembered.check_bodies(answered, document, context.directory / "replayed")
        passed = {
            mark for mark, one in answered.items() if remembered.passes(one, document, valid_body=bodies.get(mark))
        }
        return passed, {mark for mark, one in answered.items() if remembered.fails(one, bodies.get(mark))}

    def _second(self, plan: Plan, context: Context) -> _Tried:
        with context.serve() as serving:
            # Another start may have another login.
            plan = replace(plan, header_names=tuple(serving.headers))
            return self._try(plan, serving, context, "again", findings.scrubber(serving.headers))

    def requirements(self, context: Context) -> list[Requirement]:
        """Return which Schemathesis would run."""
        return [Requirement("schemathesis", True, version("schemathesis"))]

    def _plan(self, document: Document, serving: Serving, context: Context) -> Plan:
        names = [operation.name for operation in document.operations]
        excluded = tuple(name for name in names if any(matches(name, pattern) for pattern in self.exclude))
        if len(excluded) == len(names):
            raise NotMeasured(
                "there is no operation to fuzz: "
                + ("`exclude` leaves all of them out" if names else "the document describes none"),
                "exclude less" if names else "is `[backend] openapi` the right document?",
            )
        phases = tuple(phase for phase in self.phases if phase in _FAST_PHASES or not context.fast)
        if not phases:
            raise NotMeasured(
                f"with `--fast` none of the phases {', '.join(self.phases)} is run", "add `coverage` to `phases`"
            )
        accepted = (
            {finding.fingerprint for finding in context.baseline.readings.findings} if context.baseline else set()
        )
        stored = context.baseline.readings.documents.get(known.DOCUMENT) if context.baseline else None
        return Plan(
            document=document.as_json(),
            base_path=document.base_path,
            operations=len(names) - len(excluded),
            excluded=excluded,
            phases=phases,
            checks=tuple(check for check in self.checks if check not in self.exclude_checks),
            cases=self.cases,
            coverage_cases=min(self.coverage_cases, self.cases) if context.fast else self.coverage_cases,
            seconds=self.time,
            request_timeout=self.request_timeout,
            seed=context.seed,
            header_names=tuple(serving.headers),
            known=known.select(stored, accepted | context.known),
        )

    def _try(self, plan: Plan, serving: Serving, context: Context, name: str, scrub: Scrub) -> _Tried:
        login = serving.login_works()
        if login is False:
            raise NotMeasured(
                "the login is refused before the first request", "check [backend.auth]: what would be seen is 401s"
            )
        done = carry_out(plan, serving, context.directory / name, scrub, context.progress)
        died = not serving.alive() or done.observed.stop_reason == "server_unavailable"
        if not died and not done.requests:
            raise NotMeasured(
                f"no request was sent to any of the {plan.operations} operations",
                "; ".join(f"{gap.what}: {gap.reason}" for gap in evidence.problem_gaps(done.observed, scrub)[:3])
                or done.stopped,
            )
        same: set[tuple[str, str]] = set()
        lost = False
        if not died:
            lost = login is True and serving.login_works() is False
            new = [one for one in done.observed.failures.values() if _identity(one) not in context.known]
            context.progress(0.99, "trying failures again")
            same = confirmed(new, serving.url, serving.headers, each=self.request_timeout, together=_CONFIRM_SECONDS)
        return _Tried(done, died, serving.last_lines() if died else "", lost, frozenset(same))

    def _readings(
        self, document: Document, plan: Plan, tried: _Tried, flaky: set[tuple[str, str]], scrub: Scrub, has_login: bool
    ) -> Readings:
        observed = tried.trial.observed
        names = [operation.name for operation in document.operations if operation.name not in plan.excluded]
        tested = sum(name in observed.tested for name in names)
        share = tested / len(names)
        return Readings(
            measurements=(
                Measurement("fuzz.cases", len(observed.calls), "1", "neither"),
                Measurement("fuzz.operations", share, "ratio", "higher", count=tested, total=len(names)),
            ),
            findings=self._findings(tried, flaky, scrub),
            subjects=evidence.subjects(
                (one.name for one in document.operations), observed, plan.excluded, tried.trial.log
            ),
            operations=evidence.operations_seen(document, observed),
            gaps=tuple(self._gaps(names, tried, scrub, has_login)),
            requests=evidence.corpus(observed, scrub, tried.deadly[0]),
            documents={"openapi": document.text, known.DOCUMENT: tried.trial.known},
            configurations={"schemathesis.toml": digest(plan.configuration())},
            versions={"schemathesis": observed.version or version("schemathesis")},
            notes=tuple(self._notes(plan, tried)),
        )

    def _findings(self, tried: _Tried, flaky: set[tuple[str, str]], scrub: Scrub) -> tuple[Finding, ...]:
        observed = tried.trial.observed
        found = dict(observed.failures)
        if tried.login_lost:
            # That strangers are refused is no fault of the operations; the gap says that they were seen from outside.
            found = {key: failure for key, failure in found.items() if failure.status != _REFUSED}
        deaths = []
        if tried.died:
            operation, last = tried.deadly
            # The request that was not answered is the death itself, and not one more finding.
            found.pop((operation, "connection-dropped"), None)
            request = observed.last_request[1] if observed.last_request else None
            deaths = [findings.died(operation, last, request, tried.last_lines, scrub)]
        shown = [
            findings.finding(failure, scrub, FindingState.FLAKY if key in flaky else FindingState.NEW)
            for key, failure in found.items()
        ]
        marks = {one.fingerprint for one in shown}
        again = known.known_findings(tried.trial.known, tried.trial.known_ids, marks, scrub)
        return findings.by_severity([*deaths, *shown, *again])

    def _gaps(self, names: list[str], tried: _Tried, scrub: Scrub, has_login: bool) -> list[Gap]:
        done = tried.trial
        gaps = [evidence.login_gap(done.observed.calls)] if tried.login_lost else []
        gaps += evidence.time_gaps(names, done.observed, done.log, done.stopped, self.time)
        gaps += evidence.problem_gaps(done.observed, scrub)
        refused = evidence.refused_gap(names, done.observed, has_login)
        if refused is not None and not tried.login_lost:
            gaps.append(refused)
        return gaps

    def _notes(self, plan: Plan, tried: _Tried) -> list[str]:
        notes = []
        if plan.excluded:
            notes.append(f"left out by `exclude`: {evidence.some(plan.excluded)}")
        bounded = sorted({cut.operation for cut in tried.trial.log.cuts if cut.why == "cases"})
        if bounded:
            notes.append(f"{plan.coverage_cases} systematic requests, not all there are: {evidence.some(bounded)}")
        return notes


def _identity(failure: Failure) -> str:
    return findings.identity(failure.operation, failure.code)


def _document(serving: Serving) -> Document:
    if serving.document is None:
        raise NotMeasured(
            f"there is no OpenAPI document to fuzz by: {serving.document_error}",
            'name its path on the backend, or a file: [backend] openapi = "/openapi.json"',
        )
    return serving.document


def _doubtful(tried: _Tried, context: Context) -> Mapping[tuple[str, str], Failure]:
    """Return the new failures that did not show again; after a death nothing could be tried again, and nothing is."""
    if tried.died:
        return {}
    return {
        key: failure
        for key, failure in tried.trial.observed.failures.items()
        if key not in tried.confirmed and _identity(failure) not in context.known
    }


def _flaky(doubtful: Mapping[tuple[str, str], Failure], second: _Tried) -> set[tuple[str, str]]:
    """Return the doubtful failures that a whole second run, which did call their operations, has not seen."""
    if second.died or second.trial.stopped:
        return set()
    observed = second.trial.observed
    cut = {one.operation for one in second.trial.log.cuts if one.why != "cases"}
    return {
        key
        for key in doubtful
        if key not in observed.failures and key[0] in observed.tested and key[0] not in cut and "" not in cut
    }
