"""Answers that somebody gave before being asked: as `--set NAME=VALUE`, and in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gates.errors import ConfigurationError
from gates.guidelines.variables import check_answer, check_names
from gates.profiles import read_toml

_LIKE = '--set SIMPLE_QUERY_TARGET=100 --set "AUTH_METHOD=JWT tokens"'


def given_answers(settings: Sequence[str], file: Path | None) -> dict[str, str]:
    """Return the answers of `--set` and of a file, checked; what was set comes before what the file says.

    Raises ConfigurationError for a file that cannot be read, an unknown variable, and an answer that cannot stand.
    """
    answers: dict[str, Any] = dict(read_answers(file)) if file is not None else {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign:
            raise ConfigurationError(f"--set {setting!r} is not NAME=VALUE", f"such as {_LIKE}")
        answers[name.strip()] = value
    check_names(answers)
    return {name: check_answer(name, answer) for name, answer in answers.items()}


def read_answers(file: Path) -> Mapping[str, Any]:
    """Return the answers of a TOML or JSON file, by variable; they may stand in a table `[answers]`."""
    if file.suffix == ".json":
        content = _read_json(file)
    elif file.suffix == ".toml":
        if not file.is_file():
            raise ConfigurationError(
                f"the file of answers {file} does not exist", "--answers names a TOML or JSON file"
            )
        content = read_toml(file)
    else:
        raise ConfigurationError(
            f"--answers {file} is neither TOML nor JSON by its name", "call it answers.toml or answers.json"
        )
    if not isinstance(content, Mapping):
        raise ConfigurationError(f"{file} is not a table of answers", 'such as { "DOMAIN": "orders" }')
    inner = content.get("answers")
    return inner if isinstance(inner, Mapping) and len(content) == 1 else content


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"the file of answers {file} does not exist", "--answers names a TOML or JSON file"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not valid JSON: {error}", "texts and names need double quotes") from error
