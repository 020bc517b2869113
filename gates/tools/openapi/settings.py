"""What `[gates.NAME]` of the openapi tool may say: severities by rule, and the tables of its checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gates import contract, documentation, rest
from gates.alternating import check_path
from gates.demands import parse_quantity
from gates.errors import ConfigurationError
from gates.results import ItemId, Severity

Check = Literal["contract", "documentation", "rest"]
DECIDES: Mapping[str, ItemId] = {"contract": "integration", "documentation": "documentation"}
"""The item of the Definition of Done that a check helps decide; the conventions decide none."""
Grade = Literal["error", "warning", "info", "off"]
SEVERITIES: Mapping[str, Severity | None] = {
    "error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW, "off": None,
}  # fmt: skip
_BOOKS = (contract.RULES, documentation.RULES, rest.RULES)


def _known(names: Iterable[str]) -> None:
    for name in names:
        if any(name in book for book in _BOOKS):
            continue
        near = get_close_matches(name, [rule for book in _BOOKS for rule in book], n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "they begin with contract., doc. or rest., see the manual"
        raise ValueError(f"there is no rule {name!r}: {hint}")


def check_rules(rules: Any) -> Any:
    """Refuse a rule that does not exist, with the nearest one."""
    if isinstance(rules, Mapping):
        _known(str(name) for name in rules)
    return rules


Rules = Annotated[dict[str, Grade], BeforeValidator(check_rules)]


def _committed(value: Any) -> Any:
    if value is None or value is False:
        return value
    if not isinstance(value, str):
        raise ValueError("it is the name of a file, or false")
    return check_path(value)


Committed = Annotated[str | Literal[False] | None, BeforeValidator(_committed)]
InProject = Annotated[str, AfterValidator(check_path)]


def _share(value: Any) -> Any:
    share = parse_quantity(value, "share") if isinstance(value, str) else value
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError(f"{value!r} is not a share between 0 % and 100 %, such as '80 %'")
    return float(share)


class Table(BaseModel):
    """A table inside the gate's: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Documentation(Table):
    """What is asked of the documentation beyond its rules."""

    described: Annotated[float, BeforeValidator(_share)] | None = Field(
        default=None,
        description="The share of operations, parameters and properties that has to be described",
        examples=["80 %"],
    )


_DEFAULTS = rest.Conventions()


class Rest(Table):
    """The conventions that the document is held to: those of gates.rest, under the same names."""

    version_prefix: str = Field(
        default=_DEFAULTS.version_prefix,
        description="`auto` (any segment such as v1), a beginning such as `/api/v{n}`, or `any`: not asked",
    )
    path_case: str = Field(
        default=_DEFAULTS.path_case, description="kebab, snake, camel, pascal, any, or auto: as most are"
    )
    parameter_case: str = Field(default=_DEFAULTS.parameter_case, description="The same of query and path parameters")
    property_case: str = Field(default=_DEFAULTS.property_case, description="The same of properties of JSON bodies")
    operation_id_case: str = Field(default=_DEFAULTS.operation_id_case, description="The same of operationIds")
    trailing_slash: str = Field(default=_DEFAULTS.trailing_slash, description="never, always, any, or auto")
    plural: str = Field(default=_DEFAULTS.plural, description="`plural`: collections are plural; or `any`")
    actions: str = Field(
        default=_DEFAULTS.actions, description="Actions such as `POST /orders/{id}/cancel`: allow, warn or forbid"
    )
    maximum_depth: int = Field(default=_DEFAULTS.maximum_depth, description="How many resources may be nested")
    verbs: tuple[str, ...] = Field(default=_DEFAULTS.verbs, description="Further words that are verbs here")
    nouns: tuple[str, ...] = Field(default=_DEFAULTS.nouns, description="Words that are nouns here, or need no plural")
    error_envelope: tuple[str, ...] = Field(
        default=_DEFAULTS.error_envelope, description="Properties that every JSON error has at its top"
    )
    list_envelope: tuple[str, ...] = Field(
        default=_DEFAULTS.list_envelope, description="Properties that every list has at its top"
    )
    pagination: tuple[str, ...] = Field(
        default=_DEFAULTS.pagination, description="Names of parameters that page through lists"
    )
    exempt: tuple[str, ...] = Field(
        default=_DEFAULTS.exempt, description="Operations held to no convention; replaces the shipped list"
    )
    exceptions: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Operations that a rule leaves out, by the rule's name"
    )

    @model_validator(mode="after")
    def _means_something(self) -> Rest:
        _known(self.exceptions)
        try:
            self.conventions({})
        except ConfigurationError as error:
            raise ValueError(f"{error.message}: {error.hint}") from error
        return self

    def conventions(self, severities: Mapping[str, Severity | None]) -> rest.Conventions:
        """Return the conventions with the severities of their rules."""
        own = {rule: severity for rule, severity in severities.items() if rule in rest.RULES}
        return rest.Conventions(**self.model_dump(), severities=own)
