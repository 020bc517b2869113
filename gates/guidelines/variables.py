"""The 26 variables of the guideline: what is asked, what an answer may be, and which target it is the number of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gates.errors import ConfigurationError
from gates.guidelines.quantities import Kind as Dimension
from gates.guidelines.quantities import parse_number

Kind = Literal["text", "name", "number", "code"]
_NAME = re.compile(r"[\w@.+-][\w@.+/ -]{0,99}")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#-]{1,20}")
_LONGEST: Mapping[Kind, int] = {"text": 200, "name": 100, "number": 30, "code": 10_000}


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number of the guideline is counted in: as it is written, what it is in base units, and its bounds."""

    text: str
    dimension: Dimension
    factor: float
    sign: str
    """How the target is demanded in gates.toml."""
    most: float = 1e12


_MS = Unit("ms", "time", 1e-3, "<=")


@dataclass(frozen=True, slots=True)
class Variable:
    """A placeholder of the guideline: what is asked, in which kind, an example, and the target it is the number of."""

    name: str
    question: str
    kind: Kind
    example: str
    unit: Unit | None = None
    target: str = ""


def _time(name: str, question: str, example: str, operation_class: str) -> Variable:
    return Variable(name, question, "number", example, _MS, f"response_time.{operation_class}")


_ALL = (
    Variable("BACKEND_FRAMEWORK", "Which framework is the backend written with?", "text", "FastAPI"),
    Variable("LANGUAGE_EXTENSION", "Which language are its code examples in?", "name", "python"),
    Variable(
        "DATA_MODEL_EXAMPLE", "What does a data model with validation look like?", "code", "class Order(BaseModel): …",
    ),
    _time("RESPONSE_TIME_TARGET", "Within how many milliseconds is a simple operation answered?", "100", "simple"),
    Variable("DATABASE_APPROACH", "How is the database accessed?", "text", "async operations"),
    Variable("EVENT_PROCESSING_EXAMPLE", "How are events processed?", "code", "background_tasks.add_task(…)"),
    Variable("DATABASE_TYPE", "Which database is it?", "text", "PostgreSQL"),
    Variable("DATABASE_EXAMPLE", "What does a database operation look like?", "code", "session.scalars(select(Order))"),
    Variable(
        "WEBSOCKET_EXAMPLE", "What does a WebSocket connection look like?", "code", '@app.websocket("/orders/feed")',
    ),
    Variable("SUCCESS_RESPONSE_EXAMPLE", "What does a successful response look like?", "code", '{ "data": … }'),
    Variable("ERROR_RESPONSE_EXAMPLE", "What does an error response look like?", "code", '{ "error": … }'),
    Variable(
        "TEST_COVERAGE_TARGET", "How many percent of the lines do the tests have to cover?", "number", "90",
        Unit("%", "share", 0.01, ">=", 100.0), "coverage.lines",
    ),
    Variable("TESTING_FRAMEWORK", "Which framework are the tests written with?", "text", "pytest"),
    Variable("AUTH_METHOD", "How do its users authenticate?", "text", "JWT tokens"),
    Variable(
        "SECRET_MANAGEMENT", "Where do its secrets come from (never a secret itself)?", "text", "environment variables",
    ),
    Variable("BACKEND_DIR", "What is the folder of the backend called?", "name", "backend"),
    Variable("MAIN_MODULE", "What is its main module called?", "name", "orders"),
    Variable("DOMAIN", "What is its business domain, in one word?", "name", "orders"),
    Variable(
        "LOGGING_EXAMPLE", "What does a structured log entry look like?", "code", 'logger.info("order placed", …)',
    ),
    _time("SIMPLE_QUERY_TARGET", "Within how many milliseconds is a simple query answered?", "100", "simple"),
    _time(
        "COMPLEX_OPERATION_TARGET", "Within how many milliseconds is a complex operation answered?", "500", "complex",
    ),
    _time("FILE_OPERATION_TARGET", "Within how many milliseconds is a file operation answered?", "2000", "file"),
    _time("EXTERNAL_API_TARGET", "Within how many milliseconds is an external API call answered?", "1000", "external"),
    Variable(
        "CONCURRENT_REQUESTS_TARGET", "How many requests are served at once?", "number", "100",
        Unit("", "count", 1.0, ">="), "load.concurrency",
    ),
    Variable(
        "DB_CONNECTIONS_TARGET", "How many connections to the database does it open at most?", "number", "20",
        Unit("", "count", 1.0, "<="), "database.connections",
    ),
    Variable(
        "MEMORY_USAGE_TARGET", "How many megabytes of memory does it use at most?", "number", "512",
        Unit("MB", "size", 1e6, "<="), "load.memory",
    ),
)  # fmt: skip
VARIABLES: Mapping[str, Variable] = {variable.name: variable for variable in _ALL}
"""By name, in the order in which they are asked."""
NUMBERS: Mapping[str, str] = {variable.name: variable.target for variable in _ALL if variable.target}
"""The targets of gates.toml that the numbers stand for; two stand for the same one."""

ANY = "|".join(sorted(VARIABLES, key=len, reverse=True))
PLACEHOLDER = re.compile(rf"(?<!\$)\{{\{{?\s*({ANY})\s*\}}\}}?|<\s*({ANY})\s*>")
"""A variable that was left as it is: `{DOMAIN}`, `{ DOMAIN }`, `{{DOMAIN}}` or `<DOMAIN>`; `${DOMAIN}` is a shell's."""


def check_answer(name: str, answer: object) -> str:
    """Return an answer as it is written into the guideline, a number in the unit of its variable.

    Raises ConfigurationError with a sentence for an unknown variable and for an answer that cannot stand there.
    """
    variable = VARIABLES[name]
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        raise _wrong(variable, "is neither a text nor a number")
    text = str(answer)
    if variable.kind == "number":
        return _number(variable, text)
    text = text.strip("\r\n").replace("\r\n", "\n") if variable.kind == "code" else text.strip()
    if not text.strip():
        raise _wrong(variable, "is empty")
    if len(text) > _LONGEST[variable.kind]:
        raise _wrong(variable, f"has more than {_LONGEST[variable.kind]:,} characters")
    if match := PLACEHOLDER.search(text):
        raise _wrong(variable, f"contains the placeholder {match[0]}, which nothing fills")
    if variable.kind == "code":
        if "```" in text:
            raise _wrong(variable, "contains ```, which would end its block of code")
    elif any(not character.isprintable() for character in text):
        raise _wrong(variable, "is not one line of text")
    if variable.kind == "name" and not (_LANGUAGE if name == "LANGUAGE_EXTENSION" else _NAME).fullmatch(text):
        raise _wrong(variable, "is not a plain name of letters, digits and - _ . /")
    return text


def _wrong(variable: Variable, what: str) -> ConfigurationError:
    unit = f" {variable.unit.text}".rstrip() if variable.unit else ""
    return ConfigurationError(
        f"the answer for {variable.name} {what}", f"{variable.question} For example: {variable.example}{unit}"
    )


def _number(variable: Variable, text: str) -> str:
    unit = variable.unit
    assert unit is not None
    value = parse_number(text, unit.dimension, unit.factor) if len(text) <= _LONGEST["number"] else None
    if value is None:
        told = text if len(text) <= _LONGEST["number"] else text[: _LONGEST["number"]] + "…"
        raise _wrong(variable, f"is no number{f' in {unit.text}' if unit.text else ''}: {told!r}")
    if not 0.001 <= value <= unit.most:
        raise _wrong(variable, f"is not above 0 and at most {unit.most:g}: {text.strip()!r}")
    if unit.dimension == "count" and not value.is_integer():
        raise _wrong(variable, f"is not a whole number: {text.strip()!r}")
    whole, _, decimals = f"{value:.6f}".rstrip("0").partition(".")
    # Three decimals would look like thousands.
    return f"{whole}.{decimals:0<4}" if len(decimals) == 3 else f"{whole}.{decimals}".rstrip(".")


def check_names(names: Iterable[str]) -> None:
    """Raise ConfigurationError for the first name that is none of the variables, with the nearest one."""
    for name in names:
        if name not in VARIABLES:
            raise ConfigurationError(f"the guideline has no variable {name!r}", _nearest(name))


def _nearest(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name.upper(), list(VARIABLES), n=1, cutoff=0.5)
    return (f"did you mean {near[0]}? " if near else "") + f"known are: {', '.join(VARIABLES)}"


def targets_of(answers: Mapping[str, str]) -> dict[str, str]:
    """Return the targets of gates.toml that the numbers among the answers make.

    Raises ConfigurationError when two of them are numbers of the same target and differ.
    """
    targets: dict[str, str] = {}
    said: dict[str, str] = {}
    for name, target in NUMBERS.items():
        if name not in answers:
            continue
        unit = VARIABLES[name].unit
        assert unit is not None
        demand = f"{unit.sign} {answers[name]} {unit.text}".rstrip()
        if targets.setdefault(target, demand) != demand:
            raise ConfigurationError(
                f"{said[target]} is {answers[said[target]]}, {name} is {answers[name]}, and both are {target}",
                "answer both with the same number, or only one of them",
            )
        said.setdefault(target, name)
    return targets


USUAL_TARGETS: Mapping[str, str] = {
    target: demand
    for target, demand in targets_of({name: VARIABLES[name].example for name in NUMBERS}).items()
    if target != "database.connections"
}
"""The guideline's own numbers, which hold where nobody says others; what connections a database bears nobody knows."""
