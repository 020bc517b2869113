"""From a document to findings: every check is asked, and what it found gets its severity here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from gates.document import Document
from gates.rest import cases, envelopes, methods, naming, schemas, statuses, structure
from gates.rest.conventions import Conventions
from gates.rest.described import Api
from gates.rest.rulebook import RULES
from gates.rest.violations import Check, Violation, case_of
from gates.results import Finding, Severity
from gates.rules import fingerprint

CHECKS: tuple[Check, ...] = (
    naming.noun_paths, naming.plural_collections, cases.path_cases, structure.depths, structure.version_prefix,
    structure.one_version, structure.slashes, structure.extensions, structure.ambiguous_paths,
    structure.path_parameters, cases.parameter_cases, cases.property_cases, structure.operation_ids,
    cases.operation_id_cases, schemas.instants, methods.get_bodies, methods.safe_gets, methods.reading_posts,
    methods.posts_on_items, methods.written_collections, methods.whole_collections, methods.secrets_in_queries,
    statuses.creations, statuses.deletions, statuses.empty_answers, statuses.refusals, statuses.locked_doors,
    statuses.missing_items, envelopes.error_envelopes, envelopes.list_envelopes, envelopes.media_types,
    envelopes.paginations, schemas.bounds,
)  # fmt: skip
_DEFAULTS = Conventions()
_RANK = {rule: rank for rank, rule in enumerate(RULES)}


def check_conventions(document: Document, conventions: Conventions = _DEFAULTS) -> list[Finding]:
    """Return where a document breaks the conventions, by rule and place; the order of its paths does not matter."""
    case = case_of(Api(document), conventions)
    return _judged(chain.from_iterable(check(case) for check in CHECKS), conventions)


def check_routes(routes: Sequence[str], conventions: Conventions = _DEFAULTS) -> list[Finding]:
    """Return what breaks the rules of naming among routes that are in no document, such as `GET /getUsers`.

    Segments that look like identifiers are taken for parameters. The findings have no pointer.
    """
    asked = naming.exempt_routes(naming.as_templates(routes), conventions)
    return [replace(finding, pointer="") for finding in _judged(naming.of_routes(asked, conventions), conventions)]


def severity_of(rule: str, conventions: Conventions) -> Severity | None:
    """Return how bad a rule's findings are here; None where it is off."""
    if rule in conventions.severities:
        return conventions.severities[rule]
    if rule == "rest.action-path" and conventions.actions != "warn":
        return None if conventions.actions == "allow" else Severity.MEDIUM
    return RULES[rule].severity


def _judged(violations: Iterable[Violation], conventions: Conventions) -> list[Finding]:
    severities = {rule: severity_of(rule, conventions) for rule in RULES}
    found = list(_findings(violations, severities))
    return sorted(found, key=lambda finding: (_RANK[finding.rule], finding.operation or "", finding.message))


def _findings(violations: Iterable[Violation], severities: dict[str, Severity | None]) -> Iterator[Finding]:
    for one in violations:
        severity = severities[one.rule]
        if severity is not None:
            yield Finding(
                rule=one.rule, severity=severity, message=one.message, fingerprint=fingerprint(one.rule, one.place),
                operation=one.operations[0] if len(one.operations) == 1 else None, fix=one.fix, pointer=one.pointer,
            )  # fmt: skip
