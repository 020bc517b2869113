"""Which framework, language and test framework a project has, and which set of the guideline's examples fits it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gates.guidelines.examples import FRAMEWORKS, GENERIC, framework_of
from gates.init.facts import Facts
from gates.profiles import Profile

# What a dependency is called, the framework's name, and the set of examples: the more special ones first.
_FRAMEWORKS = (
    (r"djangorestframework", "Django REST framework", "django"),
    (r"django-ninja", "Django with Ninja", "django"),
    (r"fastapi", "FastAPI", "fastapi"),
    (r"django", "Django", "django"),
    (r"flask-restx|flask-smorest|flask", "Flask", "flask"),
    (r"@nestjs/core", "NestJS", "node"),
    (r"fastify", "Fastify", "node"),
    (r"koa", "Koa", "node"),
    (r"@hapi/hapi", "hapi", "node"),
    (r"hono", "Hono", "node"),
    (r"express", "Express.js", "express"),
    (r"spring-boot[\w-]*|org\.springframework\.boot", "Spring Boot", "spring-boot"),
    (r"github\.com/gin-gonic/gin", "Gin", "go"),
    (r"github\.com/labstack/echo[\w/]*", "Echo", "go"),
    (r"github\.com/go-chi/chi[\w/]*", "chi", "go"),
    (r"github\.com/gofiber/fiber[\w/]*", "Fiber", "go"),
    (r"github\.com/gorilla/mux", "gorilla/mux", "go"),
    (r"litestar", "Litestar", GENERIC),
    (r"starlette", "Starlette", GENERIC),
    (r"aiohttp", "aiohttp", GENERIC),
    (r"tornado", "Tornado", GENERIC),
    (r"falcon", "Falcon", GENERIC),
    (r"pyramid", "Pyramid", GENERIC),
    (r"axum", "Axum", GENERIC),
    (r"actix-web", "Actix Web", GENERIC),
    (r"rocket", "Rocket", GENERIC),
    (r"rails", "Ruby on Rails", GENERIC),
    (r"sinatra", "Sinatra", GENERIC),
    (r"laravel/framework", "Laravel", GENERIC),
    (r"symfony/[\w-]+", "Symfony", GENERIC),
    (r"microsoft\.aspnetcore[\w.]*|Microsoft\.NET\.Sdk\.Web", "ASP.NET Core", GENERIC),
    (r"phoenix", "Phoenix", GENERIC),
)
_TESTS = (
    (r"vitest", "Vitest"),
    (r"jest|ts-jest", "Jest"),
    (r"mocha", "Mocha"),
    (r"junit[\w-]*|spring-boot-starter-test", "JUnit"),
    (r"github\.com/stretchr/testify", "Go's testing package with testify"),
    (r"pytest[\w-]*", "pytest"),
)
_TESTED = {"Vitest": "javascript", "Jest": "javascript", "Mocha": "javascript", "JUnit": "java", "pytest": "python"}


@dataclass(frozen=True, slots=True)
class Stack:
    """What a project is written with, each with what spoke for it ("" where it is only usual)."""

    examples: str
    framework: str
    framework_evidence: str
    language: str
    language_evidence: str
    tests: str
    tests_evidence: str


def find_stack(facts: Facts, profile: Profile) -> Stack:
    """Return the stack of a project that has this profile."""
    found = _framework(facts)
    if profile.name in FRAMEWORKS and profile.name not in (GENERIC, "node"):
        usual = framework_of(profile.name).title
        fitting = found is not None and found[1] == profile.name
        name, evidence = (found[0], found[2]) if found and fitting else (usual, f"the profile {profile.name}")
        examples = profile.name
    elif found is not None:
        name, examples, evidence = found
    else:
        examples = "node" if profile.name == "node" else "go" if "go.mod" in facts.manifests else GENERIC
        name, evidence = framework_of(examples).title, ""
    language, language_evidence = _language(facts, examples)
    tests, tests_evidence = _tests(facts, examples)
    return Stack(examples, name, evidence, language, language_evidence, tests, tests_evidence)


def _framework(facts: Facts) -> tuple[str, str, str] | None:
    for pattern, name, examples in _FRAMEWORKS:
        if (evidence := facts.depends_on(pattern)) is not None:
            return name, examples, evidence
    return None


def _language(facts: Facts, examples: str) -> tuple[str, str]:
    usual = framework_of(examples).language
    if usual == "javascript" and ((facts.root / "tsconfig.json").is_file() or facts.depends_on("typescript")):
        return "typescript", "there is TypeScript in it"
    return usual, f"that is what {framework_of(examples).title} is written in" if usual != "text" else ""


def _tests(facts: Facts, examples: str) -> tuple[str, str]:
    language = framework_of(examples).language
    scripts = facts.package.get("scripts")
    script = str(scripts.get("test", "")) if isinstance(scripts, dict) else ""
    if language == "javascript" and re.search(r"\bnode\b.*--test\b", script):
        return "Node's test runner", "package.json has 'node --test'"
    for pattern, name in _TESTS:
        if (evidence := facts.depends_on(pattern)) is not None and _speaks(name, language):
            return name, evidence
    for name in ("pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"):
        if (facts.root / name).is_file():
            return "pytest", f"there is {name}"
    return framework_of(examples).tests, ""


def _speaks(tests: str, language: str) -> bool:
    return language in ("text", _TESTED.get(tests, "go"))
