"""Fuzzing of the API by its OpenAPI document, by Schemathesis as a subprocess in the harness's own environment.

The target is always the started backend, whatever `servers` or `host` in the document say; redirects are answers and
not followed. Failures are a set of operation and code, the same with any payload. What was not tested is a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from gates.document import Document, matches
from gates.errors import GatesError, NotMeasured
from gates.results import Finding, FindingState, Gap, ItemId, Measurement, Readings
from gates.tools.base import Context, Requirement, Seconds, Serving, Tool, digest
from gates.tools.schemathesis import evidence, findings, known, remembered
from gates.tools.schemathesis.attempt import CONFIRM_SECONDS, Tried, attempt, told_apart
from gates.tools.schemathesis.earlier import POSITIVE_CHECKS, hold_against
from gates.tools.schemathesis.events import Failure
from gates.tools.schemathesis.findings import Scrub
from gates.tools.schemathesis.trial import Plan

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
_REFUSED = 401


class Schemathesis(Tool):
    """Sends generated requests, valid and invalid, to every operation and checks the answers against the document."""

    tool: Literal["schemathesis"] = "schemathesis"
    items: tuple[ItemId, ...] = Field(
        default=("endpoints",), description="Items of the Definition of Done this gate helps decide"
    )
    document: Literal["current", "earlier"] = Field(
        default="current",
        description="Whose OpenAPI document requests are made from: this phase's, or the one that an earlier phase "
        "kept (valid data only, and checks of what was promised; it helps decide `integration` then)",
    )
    earlier_phase: str | None = Field(
        default=None,
        description='With document = "earlier": the phase whose document it is; without it, the one that is compared '
        "with",
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
    measures = ("fuzz.cases", "fuzz.operations", "earlier.cases", "earlier.operations")

    @model_validator(mode="before")
    @classmethod
    def _integration_by_default(cls, data: Any) -> Any:
        earlier = isinstance(data, Mapping) and data.get("document") == "earlier" and "items" not in data
        return {**data, "items": ("integration",)} if earlier else data

    @model_validator(mode="after")
    def _go_together(self) -> Schemathesis:
        if self.document == "current" and self.earlier_phase is not None:
            raise ValueError('`earlier_phase` goes with document = "earlier" only')
        if self.document == "earlier" and not (set(self.checks) - set(self.exclude_checks)) & set(POSITIVE_CHECKS):
            raise ValueError(f'document = "earlier" needs one of the checks {", ".join(POSITIVE_CHECKS)}')
        return self

    def measured_as(self, gate: str) -> tuple[str, ...]:
        """Return the names of what it measures."""
        prefix = "earlier." if self.document == "earlier" else "fuzz."
        return tuple(name for name in self.measures if name.startswith(prefix))

    def run(self, context: Context) -> Readings:
        """Fuzz the backend; a failure that cannot be had again at once is tried in a second run on a fresh backend."""
        if self.document == "earlier":
            return hold_against(self, context)
        with context.serve() as serving:
            document = _document(serving)
            plan = self.plan(document, tuple(serving.headers), context)
            scrub = findings.scrubber(serving.headers)
            tried = attempt(plan, serving, context, "run", scrub, context.known)
            repeatable = serving.started_by_us
        flaky, untold, notes = told_apart(tried, plan, context, context.known) if repeatable else (set(), (), ())
        readings = self._readings(document, plan, tried, flaky, scrub, bool(serving.headers))
        readings = replace(readings, gaps=(*readings.gaps, *untold), notes=(*readings.notes, *notes))
        return self._with_what_did_not_show(readings, document, tried, context, scrub)

    def _with_what_did_not_show(
        self, readings: Readings, document: Document, tried: Tried, context: Context, scrub: Scrub
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
                wanted, requests, serving.url, serving.headers, min(self.request_timeout, CONFIRM_SECONDS)
            )
            if not serving.alive():
                return set(), set()
        bodies = remembered.check_bodies(answered, document, context.directory / "replayed")
        passed = {
            mark for mark, one in answered.items() if remembered.passes(one, document, valid_body=bodies.get(mark))
        }
        return passed, {mark for mark, one in answered.items() if remembered.fails(one, bodies.get(mark))}

    def requirements(self, context: Context) -> list[Requirement]:
        """Return which Schemathesis would run."""
        return [Requirement("schemathesis", True, version("schemathesis"))]

    def plan(self, document: Document, header_names: tuple[str, ...], context: Context) -> Plan:
        """Return what a run by a document is to do; raises NotMeasured when nothing is left to do."""
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
            header_names=header_names,
            known=known.select(stored, accepted | context.known),
        )

    def _readings(
        self, document: Document, plan: Plan, tried: Tried, flaky: set[tuple[str, str]], scrub: Scrub, has_login: bool
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

    def _findings(self, tried: Tried, flaky: set[tuple[str, str]], scrub: Scrub) -> tuple[Finding, ...]:
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

    def _gaps(self, names: list[str], tried: Tried, scrub: Scrub, has_login: bool) -> list[Gap]:
        done = tried.trial
        gaps = [evidence.login_gap(done.observed.calls)] if tried.login_lost else []
        gaps += evidence.time_gaps(names, done.observed, done.log, done.stopped, self.time)
        gaps += evidence.problem_gaps(done.observed, scrub)
        refused = evidence.refused_gap(names, done.observed, has_login)
        if refused is not None and not tried.login_lost:
            gaps.append(refused)
        return gaps

    def _notes(self, plan: Plan, tried: Tried) -> list[str]:
        notes = []
        if plan.excluded:
            notes.append(f"left out by `exclude`: {evidence.some(plan.excluded)}")
        bounded = sorted({cut.operation for cut in tried.trial.log.cuts if cut.why == "cases"})
        if bounded:
            notes.append(f"{plan.coverage_cases} systematic requests, not all there are: {evidence.some(bounded)}")
        return notes


def _document(serving: Serving) -> Document:
    if serving.document is None:
        raise NotMeasured(
            f"there is no OpenAPI document to fuzz by: {serving.document_error}",
            'name its path on the backend, or a file: [backend] openapi = "/openapi.json"',
        )
    return serving.document
