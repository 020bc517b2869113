"""Fills in the guideline: the owner's template, with an answer for each of its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from gates.errors import ConfigurationError
from gates.guidelines.variables import ANY, VARIABLES, check_answer, check_names, targets_of

VARIABLES_TITLE = "Template Customization Variables"
"""The last section of the template explains the variables, and is no part of a filled guideline."""
_PLACEHOLDER = re.compile(rf"\{{({ANY})\}}")


@cache
def template() -> str:
    """Return the guideline as its owner wrote it, with its placeholders."""
    return files("gates.guidelines").joinpath("template.md").read_text("utf-8")


def render(answers: Mapping[str, object]) -> str:
    """Return the guideline with every placeholder filled, for the file CLAUDE.md of a project.

    Raises ConfigurationError for an answer that is missing, is of no variable, or cannot stand there.
    """
    check_names(answers)
    checked = {name: check_answer(name, answer) for name, answer in answers.items()}
    targets_of(checked)
    if missing := [name for name in VARIABLES if name not in checked]:
        raise ConfigurationError(f"there is no answer for {', '.join(missing)}", "the guideline needs all of them")
    body = template().partition(f"## {VARIABLES_TITLE}")[0].rstrip().removesuffix("---").rstrip()
    return _PLACEHOLDER.sub(lambda match: checked[match[1]], body) + "\n"
