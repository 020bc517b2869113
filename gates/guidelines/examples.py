"""The answers by default, by framework: words, numbers, and short code that shows how it is done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gates.guidelines.variables import VARIABLES

_SECTION = re.compile(r"^## ([A-Z_]+)(?: (\w+))?\n+```\w*\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Framework:
    """What is usual with a framework: its language, the mark of a comment there, its tests, and how data is reached."""

    title: str
    language: str
    comment: str
    tests: str
    database: str


FRAMEWORKS: Mapping[str, Framework] = {
    "fastapi": Framework("FastAPI", "python", "#", "pytest", "async operations"),
    "django": Framework("Django", "python", "#", "Django's test runner", "ORM queries"),
    "flask": Framework("Flask", "python", "#", "pytest", "ORM queries"),
    "express": Framework("Express.js", "javascript", "//", "Jest", "parameterized SQL"),
    "node": Framework("Node.js", "javascript", "//", "Jest", "parameterized SQL"),
    "spring-boot": Framework("Spring Boot", "java", "//", "JUnit", "ORM queries"),
    "go": Framework("Go", "go", "//", "Go's testing package", "parameterized SQL"),
    GENERIC: Framework("an HTTP framework", "text", "#", "the language's usual test framework", "parameterized SQL"),
}
"""By the name of the profile; a profile that is not here is like `generic`."""


def framework_of(name: str) -> Framework:
    """Return what is usual with the framework of a profile."""
    return FRAMEWORKS.get(name, FRAMEWORKS[GENERIC])


@cache
def _examples(name: str) -> Mapping[tuple[str, str], str]:
    known = name if name in FRAMEWORKS else GENERIC
    text = files("gates.guidelines").joinpath("examples", f"{known}.md").read_text("utf-8")
    return {(match[1], match[2] or ""): match[3] for match in _SECTION.finditer(text)}


def example_of(name: str, variable: str, flavour: str = "") -> str:
    """Return the code of a framework for a variable; a flavour it has no code of its own for takes the usual one."""
    examples = _examples(name)
    return examples.get((variable, flavour), examples[variable, ""])


def not_used(name: str, what: str) -> str:
    """Return what stands in a block of code for something that the project does not have, as a comment there."""
    return f"{framework_of(name).comment} not used: {what}"


def default_answers(name: str) -> dict[str, str]:
    """Return an answer for each variable by the framework alone, as long as nothing is known of the project."""
    framework = framework_of(name)
    answers = {
        "BACKEND_FRAMEWORK": framework.title,
        "LANGUAGE_EXTENSION": framework.language,
        "DATABASE_APPROACH": framework.database,
        "DATABASE_TYPE": "a database",
        "TESTING_FRAMEWORK": framework.tests,
        "AUTH_METHOD": "token-based authentication",
        "SECRET_MANAGEMENT": "environment variables",
        "BACKEND_DIR": "backend",
        "MAIN_MODULE": "app",
        "DOMAIN": "orders",
    }
    for variable in VARIABLES.values():
        if variable.kind == "code":
            answers[variable.name] = example_of(name, variable.name)
        elif variable.kind == "number":
            answers[variable.name] = variable.example
    return {variable: answers[variable] for variable in VARIABLES}
