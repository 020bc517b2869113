"""What a backend's commands run in: their interpreter, their environment, and their placeholders filled in."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from gates import client
from gates.backend.commands import expand, expand_all, words_of
from gates.config.model import Backend
from gates.errors import ConfigurationError

_PYTHON_FILES = ("*.py", "*/*.py", "pyproject.toml", "setup.cfg", "requirements*.txt", "Pipfile")


def interpreter(backend: Backend, root: Path) -> str:
    """Return the Python of the backend's own environment: as configured, the project's .venv, or this one."""
    return own_interpreter(backend, root) or sys.executable


def own_interpreter(backend: Backend, root: Path) -> str | None:
    """Return the Python that the project names or keeps in its folder; None when it has none."""
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
    return None


def needs_python(backend: Backend, root: Path) -> bool:
    """Return whether a Python is any business of the project: it has one, or its commands or files want one."""
    if own_interpreter(backend, root) is not None:
        return True
    if any("{python}" in command for command in (backend.start or "", *backend.setup)):
        return True
    return any(next(root.glob(pattern), None) is not None for pattern in _PYTHON_FILES)


def project_environment(backend: Backend, root: Path) -> dict[str, str]:
    """Return the environment of the project's own commands: its folders and its interpreter stand first on PATH.

    A project without Python gets no other PATH than its user's: the environment that gates is installed in may hold
    programs of the same name, such as another `node`.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    folders = [str(root / folder) for folder in backend.path]
    if needs_python(backend, root):
        python = Path(interpreter(backend, root))
        folders.append(str(python.parent))
        environment.pop("VIRTUAL_ENV", None)
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


def split_operation(text: str, where: str) -> tuple[str, str]:
    """Return method and path of an operation as it is written in gates.toml."""
    method, _, path = text.strip().partition(" ")
    if not method.isalpha() or not path.strip().startswith("/"):
        raise ConfigurationError(f"{where} = {text!r} is not an operation", "write it as `GET /path`")
    return method.upper(), path.strip()


def check_settings(settings: Backend, root: Path) -> None:
    """Raise ConfigurationError for what can be seen to be wrong before anything is started."""
    if settings.url:
        _check_url(expand(settings.url, {}, "[backend] url"), settings.allow_hosts)
    elif not settings.start:
        raise ConfigurationError(
            "[backend] says neither how the backend is started nor where it runs", "write start = …, or url = …"
        )
    else:
        environment, values = backend_environment(settings, root, 1, root)
        words_of(settings.start, values, environment, "[backend] start")
        for command in settings.setup:
            words_of(command, values, environment, "[backend] setup")
    auth = settings.auth
    for seed in settings.seed:
        split_operation(seed.operation, "[[backend.seed]] operation")
        expand_all([seed.body, seed.headers], "[[backend.seed]]")
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


def _check_url(url: str, allowed: tuple[str, ...]) -> None:
    client.check_host(url, allowed)
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ConfigurationError("[backend] url carries a user", "write it as [backend.auth] basic = …")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError(
            f"[backend] url = {url!r} is more than the address of a server",
            f'write url = "{parts.scheme}://{parts.netloc}", and what follows as base_path, ready and openapi',
        )
