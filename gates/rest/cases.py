"""One style of writing for names of a kind: path segments, parameters, properties, operationIds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gates.rest.described import extension_of, is_parameter, looks_identified, prefix_length
from gates.rest.shapes import all_schemas
from gates.rest.violations import Case, Violation, counted, listed
from gates.rest.words import says_verb, style_of, styled, word_set

_ORDER = ("kebab", "snake", "camel", "pascal")
_SAMPLES = {"kebab": "kebab-case", "snake": "snake_case", "camel": "camelCase", "pascal": "PascalCase"}

_PROTOCOLS = word_set(
    "access_token refresh_token id_token token_type expires_in refresh_expires_in session_state client_id "
    "client_secret client_assertion client_assertion_type grant_type redirect_uri response_type response_mode "
    "code_challenge code_challenge_method code_verifier login_hint id_token_hint post_logout_redirect_uri "
    "device_code user_code error_description error_uri preferred_username email_verified phone_number_verified "
    "auth_time claims_locales ui_locales acr_values at_hash c_hash jwks_uri scimType oneOf anyOf allOf "
    "additionalProperties minLength maxLength"
)
"""Names that OAuth, OpenID Connect, SCIM and JSON Schema have given, whatever the style of the rest."""


@dataclass
class _Use:
    """Where a name is used: operations that are known, how often, and the first place."""

    operations: set[str] = field(default_factory=set)
    pointers: list[str] = field(default_factory=list)


_Uses = dict[str, _Use]


def path_cases(case: Case) -> Iterator[Violation]:
    """Return the path segments in another style than the others."""
    uses: _Uses = {}
    for one in case.asked("rest.path-case"):
        for position, segment in enumerate(one.segments):
            if position < prefix_length(one.segments) or is_parameter(segment) or looks_identified(segment):
                continue
            if extension_of(segment):
                continue
            if not says_verb(segment):  # rest.noun-path and rest.action-path tell of those
                _use(uses, segment, one.name, one.pointer.rpartition("/")[0])
    yield from _outliers("rest.path-case", "path segment", uses, case.conventions.path_case)


def parameter_cases(case: Case) -> Iterator[Violation]:
    """Return the query and path parameters in another style than the others."""
    for place in ("query", "path"):  # apart: callers never see the names of path parameters
        uses: _Uses = {}
        for one in case.asked("rest.parameter-case"):
            for parameter in one.parameters(place):
                _use(uses, str(parameter.get("name")), one.name, one.pointer)
        yield from _outliers("rest.parameter-case", f"{place} parameter", uses, case.conventions.parameter_case)


def property_cases(case: Case) -> Iterator[Violation]:
    """Return the properties of bodies in another style than the others."""
    uses: _Uses = {}
    for place in all_schemas(case.api):
        properties = place.schema.get("properties")
        for name in properties if isinstance(properties, Mapping) else ():
            _use(uses, str(name), None, place.pointer)
    yield from _outliers("rest.property-case", "property", uses, case.conventions.property_case)


def operation_id_cases(case: Case) -> Iterator[Violation]:
    """Return the operationIds in another style than the others."""
    uses: _Uses = {}
    for one in case.asked("rest.operation-id-case"):
        if one.operation_id:
            _use(uses, one.operation_id, one.name, one.pointer)
    yield from _outliers("rest.operation-id-case", "operationId", uses, case.conventions.operation_id_case)


def _use(uses: _Uses, name: str, operation: str | None, pointer: str) -> None:
    use = uses.setdefault(name, _Use())
    use.pointers.append(pointer)
    if operation is not None:
        use.operations.add(operation)


def _outliers(rule: str, noun: str, uses: _Uses, wanted: str) -> Iterator[Violation]:
    styles = {name: style for name in uses if (style := style_of(name)) and name not in _PROTOCOLS}
    if rule == "rest.operation-id-case":
        # Generators join the words of paths as they are: circuits_circuit-types_list.
        styles = {name: style for name, style in styles.items() if style != "mixed"}
    if wanted == "any" or not styles:
        return
    counts = Counter(style for style in styles.values() if style != "mixed")
    style = wanted
    if wanted == "auto":
        if not counts:
            return
        style = min(counts, key=lambda known: (-counts[known], _ORDER.index(known)))
    for name in sorted(name for name, own in styles.items() if own != style):
        use, own = uses[name], styles[name]
        is_what = "of no style" if own == "mixed" else f"in {_SAMPLES[own]}"
        rule_is = "is the rule here" if wanted != "auto" else f"is that of {counted(counts[style], 'other name')}"
        where = f" ({listed(use.operations)})" if use.operations else f" ({counted(len(use.pointers), 'place')})"
        yield Violation(
            rule, f"{noun} {name}", f"the {noun} `{name}` is {is_what}, {_SAMPLES[style]} {rule_is}{where}",
            tuple(sorted(use.operations)), min(use.pointers), f"`{styled(name, style)}`",
        )  # fmt: skip
