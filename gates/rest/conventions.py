"""Which conventions a document is held to: everything that a project may set, with the guideline's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gates.document import matches
from gates.errors import ConfigurationError
from gates.rest.rulebook import RULES
from gates.results import Severity

CASES = ("auto", "kebab", "snake", "camel", "pascal", "any")
PLURALS = ("plural", "any")
ACTIONS = ("allow", "warn", "forbid")
SLASHES = ("auto", "never", "always", "any")

PAGINATION = (
    "limit", "offset", "page", "per_page", "page_size", "page_number", "page_token", "size", "cursor", "after",
    "before", "first", "last", "skip", "top", "take", "count", "max_results", "max_items", "next", "next_token",
    "continue", "continuation_token", "marker", "start", "start_index", "starting_after", "ending_before", "since_id",
    "range", "rows",
)  # fmt: skip
"""Names of query parameters that say which part of a list is meant; compared without case and punctuation."""

EXEMPT = (
    "* */health", "* */health/*", "* */healthcheck", "* */health-check", "* */healthz", "* */healthz/*",
    "* */livez", "* */livez/*", "* */readyz",
    "* */readyz/*", "* */live", "* */ready", "* */liveness", "* */readiness", "* */ping", "* /status", "* /version",
    "* /metrics", "* */actuator", "* */actuator/*", "* */openapi", "* */openapi.*", "* */swagger", "* */swagger.*",
    "* */swagger/*", "* /docs", "* /docs/*", "* /redoc", "* */favicon.ico", "* */keys.json",
    "* */jwks.json", "* */robots.txt", "* */.well-known/*",
    "* /", "* */login", "* */login/*", "* */logout", "* */token", "* */oauth/*", "* */oauth2/*", "* */saml/*",
    "* */graphql", "POST */webhook", "POST */webhooks/*",
)  # fmt: skip
"""Operations that are plumbing or a protocol of somebody else's, by default."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """What is a convention here; raises ConfigurationError for a value that does not exist.

    Patterns of operations are those of `[operations]`: `GET /reports/*`, where `*` stands for anything.
    """

    version_prefix: str = "auto"
    """`auto`: any segment such as `v1` ahead of the resource; or a beginning such as `/api/v{n}`; `any`: not asked."""
    path_case: str = "auto"
    """`kebab`, `snake`, `camel`, `pascal`, `any`; `auto` is the style that most names of the document have."""
    parameter_case: str = "auto"
    """The same of query and path parameters."""
    property_case: str = "auto"
    """The same of the properties of JSON bodies."""
    operation_id_case: str = "auto"
    """The same of operationIds."""
    trailing_slash: str = "auto"
    """`never`, `always`, `any`; `auto` is what most paths of the document do."""
    plural: str = "plural"
    """`plural`: collections are plural; `any`: not asked."""
    actions: str = "warn"
    """Action sub-resources such as `POST /orders/{id}/cancel`: `allow`, `warn` (a low finding), `forbid` (medium)."""
    maximum_depth: int = 3
    """How many resources may be nested: `/users/{id}/orders/{id}/items` is three."""
    verbs: tuple[str, ...] = ()
    """Further words that are verbs here, in lower case."""
    nouns: tuple[str, ...] = ()
    """Words that are nouns here, and singular ones that need no plural, in lower case."""
    error_envelope: tuple[str, ...] = ()
    """Properties that every JSON error has at its top; without any, the shape that most errors have is the rule."""
    list_envelope: tuple[str, ...] = ()
    """Properties that every list has at its top; without any, what most lists of the document do is the rule."""
    pagination: tuple[str, ...] = PAGINATION
    """Names of parameters that page through lists."""
    exempt: tuple[str, ...] = EXEMPT
    """Patterns of operations that are held to no convention; what is a mistake anywhere is still told of them."""
    exceptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Patterns of operations that a rule leaves out, by the rule's name."""
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    """How bad the findings of a rule are here, by its name; None turns it off. Rules of other families are ignored."""

    def __post_init__(self) -> None:
        """Refuse what means nothing, in a sentence that names it."""
        for name in ("path_case", "parameter_case", "property_case", "operation_id_case"):
            _one_of(name, getattr(self, name), CASES)
        _one_of("trailing_slash", self.trailing_slash, SLASHES)
        _one_of("plural", self.plural, PLURALS)
        _one_of("actions", self.actions, ACTIONS)
        if self.version_prefix not in ("auto", "any") and not self.version_prefix.startswith("/"):
            raise ConfigurationError(
                f"version_prefix is {self.version_prefix!r}", "write the beginning of every path, such as /api/v{n}"
            )
        if self.maximum_depth < 1:
            raise ConfigurationError(f"maximum_depth is {self.maximum_depth}", "write a number from 1 on")
        for name in (*self.exceptions, *(rule for rule in self.severities if rule.startswith("rest."))):
            if name not in RULES:
                raise ConfigurationError(f"there is no REST rule {name!r}", f"the rules are {', '.join(RULES)}")

    def left_out(self, rule: str, operation: str) -> bool:
        """Return whether a rule is not asked of an operation, by the exceptions of that rule."""
        return any(matches(operation, pattern) for pattern in self.exceptions.get(rule, ()))

    def is_exempt(self, operation: str) -> bool:
        """Return whether an operation is held to no convention."""
        name = operation.rstrip("/") or operation
        return any(matches(operation, pattern) or matches(name, pattern) for pattern in self.exempt)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigurationError(f"{name} is {value!r}", f"it can be {', '.join(known[:-1])} or {known[-1]}")
