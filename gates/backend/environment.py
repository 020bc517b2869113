"""What a backend's commands run in: their interpreter, their environment, and their placeholders filled in."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gates import client, process
from gates.config.model import Backend
from gates.errors import ConfigurationError

_PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expand(text: str, values: Mapping[str, str], where: str) -> str:
    """Return a text with {placeholders} and ${ENVIRONMENT} filled in.

    Raises ConfigurationError for a variable that is not set and for a placeholder that is misspelt.
    """

    def placeholder(match: re.Match[str]) -> str:
        name = match[1]
        if name in values:
            return values[name]
        near = difflib.get_close_matches(name, list(values), n=1, cutoff=0.75)
        if near:
            raise ConfigurationError(
                f"{where} has {{{name}}}, which stands for nothing", f"did you mean {{{near[0]}}}?"
            )
        if name == "app":
            raise ConfigurationError(
                f"{where} needs {{app}}, and no application was found in the source",
                'name it: [backend] app = "package.module:variable", or write the whole command as start',
            )
        return match[0]

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigurationError(f"{where} uses ${{{match[1]}}}, which is not set", f"export {match[1]}=…")
        return os.environ[match[1]]

    return _VARIABLE.sub(variable, _PLACEHOLDER.sub(placeholder, text))


def expand_all(value: Any, where: str) -> Any:
    """Return JSON-like data with ${ENVIRONMENT} filled in, in every text."""
    if isinstance(value, str):
        return expand(value, {}, where)
    if isinstance(value, Mapping):
        return {key: expand_all(item, where) for key, item in value.items()}
    return [expand_all(item, where) for item in value] if isinstance(value, list) else value


def interpreter(backend: Backend, root: Path) -> str:
    """Return the Python of the backend's own environment: as configured, the project's .venv, or this one."""
    if backend.python:
        path = root / backend.python if "/" in backend.python else Path(shutil.which(backend.python) or backend.python)
        if not path.exists():
            raise ConfigurationError(
                f"[backend] python = {backend.python!r} does not exist", "it is looked for from the project's folder"
            )
        return str(path)
    for name in (".venv", "venv", "env"):
        if (root / name / "bin" / "python").exists():
            return str(root / name / "bin" / "python")
    return sys.executable


def project_environment(backend: Backend, root: Path) -> dict[str, str]:
    """Return the environment of the project's own commands: its interpreter and folders stand first on PATH."""
    python = Path(interpreter(backend, root))
    folders = [str(root / folder) for folder in backend.path] + [str(python.parent)]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    if (python.parent.parent / "pyvenv.cfg").exists():
        environment["VIRTUAL_ENV"] = str(python.parent.parent)
    environment["PATH"] = os.pathsep.join([*folders, environment.get("PATH", os.defpath)])
    environment["PYTHONUNBUFFERED"] = "1"  # so that the last lines of a backend that dies are there to be read
    return environment


def backend_environment(settings: Backend, root: Path, port: int, data: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the environment of one started backend, and what its placeholders stand for."""
    values = {"port": str(port), "data": str(data), "python": interpreter(settings, root), "root": str(root)}
    if settings.app:
        values["app"] = settings.app
    environment = project_environment(settings, root)
    for name, text in settings.env.items():
        environment[name] = expand(text, values, f"[backend.env] {name}")
    return environment, values


def words_of(command: str, where: str) -> list[str]:
    """Return a command line as words; raises ConfigurationError when it cannot be read."""
    try:
        words = process.shell_words(command)
    except ValueError as error:
        raise ConfigurationError(f"{where} cannot be read as a command: {error}", "close the quotation") from error
    if not words:
        raise ConfigurationError(f"{where} is empty")
    return words


def split_operation(text: str, where: str) -> tuple[str, str]:
    """Return method and path of an operation as it is written in gates.toml."""
    method, _, path = text.strip().partition(" ")
    if not method.isalpha() or not path.strip().startswith("/"):
        raise ConfigurationError(f"{where} = {text!r} is not an operation", "write it as `GET /path`")
    return method.upper(), path.strip()


def check_settings(settings: Backend, root: Path) -> None:
    """Raise ConfigurationError for what can be seen to be wrong before anything is started."""
    if settings.url:
        client.check_host(expand(settings.url, {}, "[backend] url"), settings.allow_hosts)
    elif not settings.start:
        raise ConfigurationError(
            "[backend] says neither how the backend is started nor where it runs", "write start = …, or url = …"
        )
    else:
        _, values = backend_environment(settings, root, 1, root)
        words_of(expand(settings.start, values, "[backend] start"), "[backend] start")
        for command in settings.setup:
            words_of(expand(command, values, "[backend] setup"), "[backend] setup")
    auth = settings.auth
    for seed in settings.seed:
        split_operation(seed.operation, "[[backend.seed]] operation")
        expand_all(seed.body, "[[backend.seed]] body")
    if auth.login:
        split_operation(auth.login.operation, "[backend.auth] login.operation")
    if auth.check:
        split_operation(auth.check, "[backend.auth] check")
    expand_all([auth.headers, auth.basic or "", auth.login.body if auth.login else {}], "[backend.auth]")
    if settings.openapi and not settings.openapi.startswith("/") and not (root / settings.openapi).is_file():
        raise ConfigurationError(
            f"[backend] openapi = {settings.openapi!r} is not a file of the project",
            "a path on the backend begins with /, such as /openapi.json",
        )
