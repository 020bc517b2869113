"""How the commands of [backend] become words: {placeholders} and ${NAME} filled in, a shell only where it is needed."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from typing import Any

from gates import process
from gates.errors import ConfigurationError
from gates.shell import NEEDS_SHELL, PLACEHOLDER, SHELLS, fill_in

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expand(text: str, values: Mapping[str, str], where: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a text with {placeholders} and ${ENVIRONMENT} filled in.

    Raises ConfigurationError for a variable that is not set and for a placeholder that is misspelt.
    """
    filled = PLACEHOLDER.sub(lambda match: _value_of(match, values, where), text)
    return _VARIABLE.sub(lambda match: _variable(match, environment, where), filled)


def expand_all(value: Any, where: str) -> Any:
    """Return JSON-like data with ${ENVIRONMENT} filled in, in every text."""
    if isinstance(value, str):
        return expand(value, {}, where)
    if isinstance(value, Mapping):
        return {key: expand_all(item, where) for key, item in value.items()}
    return [expand_all(item, where) for item in value] if isinstance(value, list) else value


def words_of(command: str, values: Mapping[str, str], environment: Mapping[str, str], where: str) -> list[str]:
    """Return a command line as words: a value stays one word whatever it holds, also in what a shell reads.

    ${NAME} is left to the shell where there is one: it is quoted as its writer chose, and stays out of argv.
    Raises ConfigurationError when it cannot be read, or uses a variable that is not set.
    """
    try:
        words = process.shell_words(command)
    except ValueError as error:
        raise ConfigurationError(f"{where} cannot be read as a command: {error}", "close the quotation") from error
    if not words:
        raise ConfigurationError(f"{where} is empty", "write a command")
    if NEEDS_SHELL.search(_VARIABLE.sub("", command)) and words[0] not in SHELLS:
        words = ["sh", "-c", command]
    if words[0] in SHELLS and words[1:2] == ["-c"] and len(words) > 2:
        for match in _VARIABLE.finditer(words[2]):
            _variable(match, environment, where)
        script = fill_in(words[2], lambda match: _value_of(match, values, where))
        return [*words[:2], script, *(expand(word, values, where, environment) for word in words[3:])]
    return [expand(word, values, where, environment) for word in words]


def shown(command: str, values: Mapping[str, str], where: str) -> str:
    """Return a command as a person may run it by hand; ${NAME} stays, because it may be a secret."""
    return fill_in(command, lambda match: _value_of(match, values, where))


def _value_of(match: re.Match[str], values: Mapping[str, str], where: str) -> str:
    name = match[1]
    if name in values:
        return values[name]
    near = difflib.get_close_matches(name, list(values), n=2, cutoff=0.75)
    if near:
        words = " or ".join(f"{{{word}}}" for word in near)
        raise ConfigurationError(f"{where} has {{{name}}}, which stands for nothing", f"did you mean {words}?")
    if name == "app":
        raise ConfigurationError(
            f"{where} needs {{app}}, and no application was found in the source",
            'name it: [backend] app = "package.module:variable", or write the whole command as start',
        )
    return match[0]


def _variable(match: re.Match[str], environment: Mapping[str, str], where: str) -> str:
    if match[1] not in environment:
        raise ConfigurationError(f"{where} uses ${{{match[1]}}}, which is not set", f"export {match[1]}=…")
    return environment[match[1]]
