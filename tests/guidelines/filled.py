"""A guideline that is filled in, and gates.toml texts to hold it against."""

from __future__ import annotations

from collections.abc import Mapping

from gates.guidelines.checking import Checked, check_guidelines
from gates.guidelines.demanded import Demanded, collect_demands
from gates.guidelines.examples import default_answers
from gates.guidelines.rendering import render
from gates.guidelines.variables import USUAL_TARGETS

NUMBERS = {
    "response_time.simple": "<= 100 ms",
    "response_time.complex": "<= 500 ms",
    "response_time.file": "<= 2000 ms",
    "response_time.external": "<= 1000 ms",
    "coverage.lines": ">= 90 %",
    "load.concurrency": ">= 100",
    "load.memory": "<= 512 MB",
    "database.connections": "<= 20",
}
TOML = "[targets]\n" + "".join(f'{name} = "{text}"\n' for name, text in NUMBERS.items())


def filled(framework: str = "fastapi", **answers: str) -> str:
    """Return the guideline with the answers that are usual with a framework, and some of one's own."""
    return render({**default_answers(framework), **answers})


def demands(toml: str = TOML, phase: Mapping[str, str] | None = None, **written: str) -> dict[str, Demanded]:
    """Return what a text of gates.toml demands; `written` by name with `__` for the dot, else the defaults."""
    named = {name.replace("__", "."): text for name, text in written.items()}
    return collect_demands(toml, {**USUAL_TARGETS, **named}, "foundation", 0, phase or {})


def check(text: str, targets: Mapping[str, Demanded] | None = None, **options: object) -> Checked:
    """Hold a guideline against gates.toml, by default one that demands its own numbers."""
    if targets is None:
        targets = collect_demands(TOML, NUMBERS, "foundation", 0, {})
    return check_guidelines(text, targets, **options)  # type: ignore[arg-type]


def replaced(text: str, old: str, new: str) -> str:
    """Return a text with one part of it replaced, which has to be there once."""
    assert text.count(old) == 1, (old, text.count(old))
    return text.replace(old, new)


def line_of(text: str, words: str) -> int:
    """Return the number of the only line that has some words."""
    (line,) = (number for number, line in enumerate(text.split("\n"), 1) if words in line)
    return line
