"""Calls held against a document: operations with the statuses they answered, and routes that are in no document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gates.document import Document, Operation, matches
from gates.results import Finding, OperationSeen, SeenBy
from gates.rules import fingerprint
from gates.traffic.calls import Call
from gates.traffic.router import Router
from gates.traffic.rules import RULES, UNDOCUMENTED
from gates.traffic.templates import guess_template

MOST_UNDOCUMENTED = 200
"""More routes than this in no document are one problem, not hundreds."""
NETWORK = "net:"
"""How the name of an application begins that answered over the network, and so may be any program at all."""

_NOT_THERE = frozenset({404, 405, 501})
# What is answered ahead of every route, by a login, a limit, a proxy, says nothing about whether there is a route.
_SAYS_NOTHING = _NOT_THERE | {400, 401, 403, 407, 408, 413, 414, 421, 429, 431, 502, 503, 504, *range(100, 200)}
_ASKED_BY_MACHINES = ("HEAD", "OPTIONS", "TRACE", "CONNECT")
_NO_API = re.compile(
    r"""
    (?:/[^/]+)*/(?:
        docs|redoc|swagger|swagger-ui|swagger-ui\.html|swagger-resources|rapidoc|scalar|api-docs|apidocs|apispec_\d+\.json
      | flasgger_static|schema|openapi|openapi\.(?:json|ya?ml)|swagger\.(?:json|ya?ml)
      | health|healthz|health-check|healthcheck|livez|readyz|live|ready|liveness|readiness|ping|metrics|actuator
      | favicon\.ico|robots\.txt|sitemap\.xml|\.well-known|static|staticfiles|__debug__
    )(?:/.*)?
    | .*\.(?:css|js|mjs|map|html?|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|otf|eot|webmanifest)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Undocumented:
    """A route that answered and is in no document: as `{id}` guesses it, with what it answered and one real path."""

    method: str
    template: str
    statuses: Mapping[int, int]
    example: str

    @property
    def name(self) -> str:
        """The route, written as an operation."""
        return f"{self.method} {self.template}"

    def as_finding(self, asked_by: str) -> Finding:
        """Return the finding; `asked_by` says whose requests these were, as in "a request of the tests"."""
        rule = RULES[UNDOCUMENTED]
        assert rule.severity is not None
        told = ", ".join(map(str, sorted(self.statuses)))
        example = f" (such as {self.example})" if self.example != self.template else ""
        return Finding(
            rule.id,
            rule.severity,
            f"{self.name} answered {asked_by} with {told}{example}, and is in no document",
            fingerprint(rule.id, self.method, self.template),
            operation=self.name,
            fix="describe it in the OpenAPI document, take it out, or name it in `ignore` of this gate",
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """What calls say of the operations of a document, in its order, and of routes outside it.

    `elsewhere` holds, by application, one path of those calls that went to something else; `matched` is how many calls
    went to an operation, `left_out` how many routes are undocumented beyond those that are told.
    """

    operations: tuple[OperationSeen, ...]
    undocumented: tuple[Undocumented, ...]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    matched: int = 0
    left_out: int = 0

    @property
    def succeeded(self) -> int:
        """How many operations were seen to answer with a documented success."""
        return sum(seen.success is True for seen in self.operations)

    def everything(self, source: SeenBy) -> tuple[OperationSeen, ...]:
        """Return the operations, and the undocumented routes as such."""
        others = (
            OperationSeen(route.name, route.statuses, None, documented=False, source=source)
            for route in self.undocumented
        )
        return (*self.operations, *others)


@dataclass
class _Seen:
    """What was seen of one operation."""

    statuses: Counter[int] = field(default_factory=Counter)
    success: bool = False


def observe(calls: Iterable[Call], document: Document, source: SeenBy, ignore: Sequence[str] = ()) -> Observation:
    """Return what calls say of a document's operations.

    Calls that name an application count only where one of that application's calls is answered by an operation of the
    document: tests make small applications of their own, and talk to other services. `ignore` are patterns of routes
    that need not be in the document: `/internal/*` or `GET /internal/*`.
    """
    calls = list(calls)
    router = Router(document)
    ours = {
        call.application
        for call in calls
        if call.status not in _NOT_THERE and router.find_loosely(call.method, call.path) is not None
    } | {""}
    seen: dict[str, _Seen] = {}
    outside: dict[tuple[str, str], tuple[Counter[int], str]] = {}
    elsewhere: dict[str, str] = {}
    for call in calls:
        if call.application not in ours:
            elsewhere.setdefault(call.application, f"{call.method} {call.path}")
            continue
        operation = router.find_loosely(call.method, call.path)
        if operation is not None:
            _count(seen.setdefault(operation.name, _Seen()), call, document, operation)
        elif _is_route(call, ignore):
            template = router.template_of(call.path) or call.template or guess_template(call.path)
            statuses, _ = outside.setdefault((call.method, template), (Counter(), call.path))
            statuses[call.status] += call.count
    operations = tuple(
        OperationSeen(name, dict(sorted(found.statuses.items())), found.success, source=source)
        for name in dict.fromkeys(operation.name for operation in document.operations)
        if (found := seen.get(name)) is not None
    )
    routes = [
        Undocumented(method, template, dict(sorted(statuses.items())), example)
        for (method, template), (statuses, example) in sorted(outside.items())
    ]
    return Observation(
        operations, tuple(routes[:MOST_UNDOCUMENTED]), elsewhere,
        sum(sum(found.statuses.values()) for found in seen.values()), max(0, len(routes) - MOST_UNDOCUMENTED),
    )  # fmt: skip


def _count(seen: _Seen, call: Call, document: Document, operation: Operation) -> None:
    seen.statuses[call.status] += call.count
    seen.success = seen.success or (call.passed and is_documented_success(document, operation, call.status))


def is_documented_success(document: Document, operation: Operation, status: int) -> bool:
    """Return whether a status is a success that the operation's responses name; `default` stands for a 2xx."""
    found = document.response_of(operation, status) if 200 <= status < 400 else None
    return found is not None and (status < 300 or found[0] != "DEFAULT")


def _is_route(call: Call, ignore: Sequence[str]) -> bool:
    """Return whether an answer shows that there is a route, of an API."""
    if call.method in _ASKED_BY_MACHINES or call.page or call.application.startswith(NETWORK):
        return False
    if call.status in _NOT_THERE or (not call.template and (call.status in _SAYS_NOTHING or call.status // 100 == 3)):
        return False
    return _NO_API.fullmatch(call.path) is None and not is_ignored(call, ignore)


def is_ignored(call: Call, ignore: Sequence[str]) -> bool:
    """Return whether a call fits one of the patterns, with or without a method before the path."""
    name = f"{call.method} {call.path}"
    return any(matches(name, pattern if " " in pattern.strip() else f"{call.method} {pattern}") for pattern in ignore)
