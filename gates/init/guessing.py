"""The 26 answers of the guideline, guessed from a project; each guess says what it was made from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gates.errors import ConfigurationError
from gates.guidelines.demanded import demand_of
from gates.guidelines.examples import default_answers, example_of, not_used
from gates.guidelines.reading import Guideline
from gates.guidelines.variables import NUMBERS, VARIABLES, check_answer
from gates.init.databases import Database, find_database
from gates.init.facts import Facts
from gates.init.frameworks import Stack, find_stack
from gates.profiles import Profile, discover_apps, find_source

_AUTHENTICATION = (
    (r"pyjwt|python-jose[\w\[\],]*|jose|authlib\[jwt\]|jsonwebtoken|express-jwt|passport-jwt|@nestjs/jwt|fast-jwt"
     r"|djangorestframework-simplejwt|djangorestframework_simplejwt|flask-jwt-extended|github\.com/(?:golang-jwt/jwt|dgrijalva/jwt-go)[\w/]*"
     r"|jjwt[\w-]*|fastapi-users[\w\[\],]*", "JWT tokens"),
    (r"authlib|oauthlib|requests-oauthlib|django-oauth-toolkit|passport-oauth2|golang\.org/x/oauth2"
     r"|spring-boot-starter-oauth2[\w-]*", "OAuth 2.0"),
    (r"flask-login|express-session|cookie-session|django-allauth|github\.com/gorilla/sessions"
     r"|spring-boot-starter-security", "session-based auth"),
)  # fmt: skip
_SECRETS = (
    (r"hvac|node-vault|github\.com/hashicorp/vault/api|spring-cloud-starter-vault-config", "HashiCorp Vault"),
    (r"azure-keyvault[\w-]*|@azure/keyvault-secrets", "Azure Key Vault"),
    (r"google-cloud-secret-manager|@google-cloud/secret-manager", "Google Secret Manager"),
    (r"aws-secretsmanager-caching|@aws-sdk/client-secrets-manager", "AWS Secrets Manager"),
)
_SCHEMES = {
    "apiKey": "API keys", "oauth2": "OAuth 2.0", "openIdConnect": "OpenID Connect", "mutualTLS": "client certificates",
}  # fmt: skip
_SOCKETS = (
    r"\bWebSocket(?:Server|Disconnect)?\b|@\w+\.websocket\(|\bAsync(?:Json)?WebsocketConsumer\b|socket\.io"
    r"|(?:gorilla|coder)/websocket|@EnableWebSocket"
)
_EVENTS = (
    r"\bBackgroundTasks\b|\bcelery\b|\bdramatiq\b|\bblinker\b|\bkafka\w*|\bpika\b|\bEventEmitter\b|\bbullmq\b"
    r"|@(?:Transactional)?EventListener|\bApplicationEventPublisher\b|\btransaction\.on_commit\b|\bmake\(chan\b"
)

_OF_ANY_PROJECT = re.compile(
    r"api|app|application|service|backend|server|demo|example|sample|rest|web|http|create|my|simple|starter|template"
    r"|boilerplate|realworld|python|fastapi|flask|django|node|nodejs|js|ts|express|koa|nest|go|golang|gin|java|spring|boot"
)
"""Words of a project's name that say nothing of what it is about."""


@dataclass(frozen=True, slots=True)
class Guess:
    """An answer, and what it was guessed from; "" where it is only what is usual."""

    answer: str
    evidence: str = ""


def guess_answers(
    facts: Facts, profile: Profile, targets: Mapping[str, tuple[str, str]], guideline: Guideline | None
) -> dict[str, Guess]:
    """Return a guess for each variable, in their order.

    `targets` are demands that hold already, by name, each with what says so; `guideline` is the one that is there
    already, whose numbers hold.
    """
    stack = find_stack(facts, profile)
    database = find_database(facts, stack.language, default_answers(stack.examples)["DATABASE_APPROACH"])
    found = {
        "BACKEND_FRAMEWORK": Guess(stack.framework, stack.framework_evidence),
        "LANGUAGE_EXTENSION": Guess(stack.language, stack.language_evidence),
        "TESTING_FRAMEWORK": Guess(stack.tests, stack.tests_evidence),
        **_of_database(database, stack),
        **_of_events(facts, stack),
        **_of_names(facts, profile),
        "AUTH_METHOD": _authentication(facts),
        "SECRET_MANAGEMENT": _first(facts, _SECRETS, Guess("environment variables")),
        **_numbers(facts, targets, guideline),
    }
    usual = default_answers(stack.examples)
    guesses = {name: found.get(name, Guess(usual[name])) for name in VARIABLES}
    return {name: _that_can_stand(name, guess, usual[name]) for name, guess in guesses.items()}


def _that_can_stand(name: str, guess: Guess, usual: str) -> Guess:
    """Return a guess as it is written; what a project calls itself may be nothing that can stand in a guideline."""
    try:
        return Guess(check_answer(name, guess.answer), guess.evidence)
    except ConfigurationError:
        return Guess(usual)


def _of_database(database: Database, stack: Stack) -> dict[str, Guess]:
    if not database.evidence and not database.flavour:
        nothing = "no database was found in this project"
        return {
            "DATABASE_APPROACH": Guess(database.approach),
            "DATABASE_TYPE": Guess("a database, once there is one", nothing),
            "DATABASE_EXAMPLE": Guess(not_used(stack.examples, nothing), nothing),
        }
    # SQLAlchemy without async is written in FastAPI as it is in Flask.
    examples, flavour = ("flask", "") if database.flavour == "sync" else (stack.examples, database.flavour)
    if stack.examples == "django":
        examples, flavour = "django", ""
    return {
        "DATABASE_APPROACH": Guess(database.approach, database.evidence),
        "DATABASE_TYPE": Guess(database.name or "a relational database", database.evidence),
        "DATABASE_EXAMPLE": Guess(example_of(examples, "DATABASE_EXAMPLE", flavour)),
    }


def _of_events(facts: Facts, stack: Stack) -> dict[str, Guess]:
    found = {}
    for name, pattern, words in (
        ("WEBSOCKET_EXAMPLE", _SOCKETS, "this backend has no WebSocket"),
        ("EVENT_PROCESSING_EXAMPLE", _EVENTS, "this backend processes no events of its own"),
    ):
        evidence = facts.has_in_source(pattern) or facts.depends_on(r"socket\.io|ws" if "SOCKET" in name else r"celery")
        answer = example_of(stack.examples, name) if evidence else not_used(stack.examples, words)
        found[name] = Guess(answer, evidence or "")
    return found


def _of_names(facts: Facts, profile: Profile) -> dict[str, Guess]:
    name, after = facts.named_after
    source = find_source(name, (), facts.root)
    apps = discover_apps(profile, facts.root)
    module, evidence = _word(name), after
    if source != (".",):
        module, evidence = source[0].rpartition("/")[2], f"the source is in {source[0]}"
    elif apps:
        module, evidence = apps[0].partition(":")[0].partition(".")[0], f"the application is {apps[0]}"
    folder = facts.root.resolve().name
    return {
        "BACKEND_DIR": Guess(folder or "backend", "the name of its folder" if folder else ""),
        "MAIN_MODULE": Guess(module, evidence),
        "DOMAIN": _domain(facts, name, after),
    }


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.rpartition("/")[2].lower()).strip("_") or "app"


def _domain(facts: Facts, name: str, after: str) -> Guess:
    for operation in facts.document.operations if facts.document else ():
        tags = operation.definition.get("tags")
        if isinstance(tags, list) and tags and isinstance(tags[0], str) and re.search("[a-z0-9]", tags[0].lower()):
            return Guess(_word(tags[0]), f"the first tag of {facts.document_file}")
    for operation in facts.document.operations if facts.document else ():
        for part in operation.path.strip("/").split("/"):
            if re.fullmatch(r"[a-z][a-z_-]{2,}", part) and part not in ("api", "health", "login"):
                return Guess(_word(part), f"{operation.name} in {facts.document_file}")
    words = [word for word in _word(name).split("_") if not _OF_ANY_PROJECT.fullmatch(word)]
    return Guess("_".join(words) or _word(name), after)


def _authentication(facts: Facts) -> Guess:
    schemes = facts.document.content.get("components", {}) if facts.document else {}
    schemes = schemes.get("securitySchemes", {}) if isinstance(schemes, Mapping) else {}
    if facts.document and not schemes:
        schemes = facts.document.content.get("securityDefinitions", {})
    for name, scheme in schemes.items() if isinstance(schemes, Mapping) else ():
        if isinstance(scheme, Mapping) and (words := _scheme(scheme)):
            return Guess(words, f"{facts.document_file} has the security scheme {str(name)[:40]!r}")
    usual = Guess("token-based authentication (none was found yet)")
    return _first(facts, _AUTHENTICATION, usual)


def _scheme(scheme: Mapping[str, object]) -> str:
    kind, way = str(scheme.get("type", "")), str(scheme.get("scheme", "")).lower()
    if kind == "http" and way == "bearer":
        return "JWT tokens" if str(scheme.get("bearerFormat", "")).upper() == "JWT" else "bearer tokens"
    if kind == "basic" or (kind == "http" and way == "basic"):
        return "HTTP Basic over TLS"
    return _SCHEMES.get(kind, "")


def _first(facts: Facts, table: tuple[tuple[str, str], ...], usual: Guess) -> Guess:
    for pattern, words in table:
        if (evidence := facts.depends_on(pattern)) is not None:
            return Guess(words, evidence)
    return usual


def _numbers(facts: Facts, targets: Mapping[str, tuple[str, str]], guideline: Guideline | None) -> dict[str, Guess]:
    found: dict[str, Guess] = {}
    for name, target in NUMBERS.items():
        unit = VARIABLES[name].unit
        assert unit is not None
        stated = guideline.of(target) if guideline else ()
        if stated:
            found[name] = Guess(_plain(stated[0].values[0] / unit.factor), f"line {stated[0].line} of the guideline")
        elif target in targets:
            text, source = targets[target]
            found[name] = Guess(_plain(demand_of(target, text).value / unit.factor), f"{source} demands {text!r}")
        elif target == "coverage.lines" and facts.threshold is not None:
            found[name] = Guess(facts.threshold[0], f"{facts.threshold[1]} fails below it")
    return found


def _plain(value: float) -> str:
    """Return a number with a decimal point and no exponent, which cannot be taken for thousands."""
    return f"{value:.4f}" if value % 1 else f"{value:.0f}"
