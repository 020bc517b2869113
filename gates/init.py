"""`gates init`: looks at a project, proposes its gates.toml, and says what was guessed from what."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from gates.config.load import CONFIGURATION_FILE
from gates.config.model import DEFAULT_TARGETS
from gates.errors import ConfigurationError
from gates.profiles import (
    SKIPPED_FOLDERS,
    Profile,
    discover_apps,
    find_source,
    list_profiles,
    load_profile,
    recognise,
    source_files,
)
from gates.targets import measurement_of
from gates.tools import TOOLS

_SHOWN = 4
"""So many possibilities are named at most."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A gates.toml, and one sentence for each guess in it."""

    text: str
    guesses: tuple[str, ...]


def propose(root: Path, profile_name: str | None = None) -> Proposal:
    """Return a gates.toml for the project in `root`.

    Raises ConfigurationError when there is one already, or when the profile does not exist.
    """
    if (root / CONFIGURATION_FILE).exists():
        raise ConfigurationError(f"there is a {CONFIGURATION_FILE} here already", "move it away to begin again")
    guesses: list[str] = []
    profile = _profile(root, profile_name, guesses)
    name = _project_name(root)
    guesses.append(f"the project is called {name!r}, after {_name_source(root)}")
    lines = [
        "# What `gates check` measures, and what it demands. `gates schema` describes every key for editors.",
        "",
        "[project]",
        f"name = {_text(name)}",
        *_source_lines(root, name, guesses),
        "",
        "[backend]",
        f"profile = {_text(profile.name)}",
        *_backend_lines(root, profile, guesses),
        "",
        "[[phases]]",
        'name = "foundation"',
        'title = "What the first phase has to deliver"',
        "",
        "[targets]",
        *(f"{_mark(key, profile)}{key} = {_text(text)}" for key, text in DEFAULT_TARGETS.items()),
        "",
        "# The Definition of Done has nine items, and all of them must hold. One that does not concern this project",
        "# (or that nothing can decide yet) is left out with a reason, which every report shows:",
        "# [done.leave_out]",
        '# database = "this service keeps nothing: it only forwards"',
        "",
    ]
    return Proposal("\n".join(lines), tuple(guesses))


def _text(value: str | list[str]) -> str:
    """Return a text or a list of texts as TOML; its escapes are those of JSON, but for half a character and DEL."""
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return written.encode("utf-8", "replace").decode()


def _mark(target: str, profile: Profile) -> str:
    # A target that is written and matches nothing is undecided: not every backend has such operations, and not every
    # profile a gate that measures it.
    if target in ("response_time.file", "response_time.external"):
        return "# "
    tools = [TOOLS[str(gate["tool"])] for gate in profile.content.get("gates", {}).values() if gate["tool"] in TOOLS]
    measured = measurement_of(target)
    return "" if any(measured.startswith(name) for tool in tools for name in tool.measures) else "# "


def _profile(root: Path, name: str | None, guesses: list[str]) -> Profile:
    if name is not None:
        return load_profile("backends", name, root)
    fitting = recognise(root)
    if not fitting:
        known = ", ".join(profile.name for profile in list_profiles("backends", root))
        guesses.append(f"no framework was recognised, so the profile is 'generic' (there are: {known})")
        guesses += _further_in(root)
        return load_profile("backends", "generic", root)
    profile, evidence = fitting[0]
    others = [other.name for other, _ in fitting[1:] if other.name != profile.name]
    guesses.append(
        f"the framework is {profile.title}: {evidence}" + (f" (also possible: {', '.join(others)})" if others else "")
    )
    return profile


def _further_in(root: Path) -> list[str]:
    """Return a sentence for each folder of the project that looks like a backend by itself."""
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = []
    for folder in folders:
        fitting = recognise(folder) if folder.name not in SKIPPED_FOLDERS else []
        if fitting:
            profile, evidence = fitting[0]
            found.append(
                f"the folder {folder.name} looks like {profile.title} by itself ({evidence}): "
                f"`gates init -C {folder.name}` makes that the project"
            )
    return found[:_SHOWN]


def _pyproject_name(root: Path) -> str | None:
    try:
        with (root / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file).get("project")
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    return str(project["name"]) if isinstance(project, dict) and project.get("name") else None


def _package_name(root: Path) -> str | None:
    try:
        content = json.loads((root / "package.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return str(content["name"]) if isinstance(content, dict) and content.get("name") else None


def _project_name(root: Path) -> str:
    return _pyproject_name(root) or _package_name(root) or root.resolve().name or "backend"


def _name_source(root: Path) -> str:
    if _pyproject_name(root):
        return "pyproject.toml"
    return "package.json" if _package_name(root) else "its folder"


def _source_lines(root: Path, name: str, guesses: list[str]) -> list[str]:
    source = find_source(name, (), root)
    if source == (".",):
        return []
    guesses.append(f"the project's own code is in {', '.join(source)}")
    return [f"source = {_text(list(source))}"]


def _backend_lines(root: Path, profile: Profile, guesses: list[str]) -> list[str]:
    defaults = profile.content.get("backend", {})
    lines: list[str] = []
    start = str(defaults.get("start", ""))
    if "{app}" in start:
        apps = discover_apps(profile, root)
        if apps:
            others = ", ".join(apps[1:_SHOWN])
            guesses.append(f"the application is {apps[0]}" + (f" (also possible: {others})" if others else ""))
            lines.append(f"app = {_text(apps[0])}")
        else:
            guesses.append("no application was found in the source: name it with [backend] app")
            lines.append('# app = "package.module:variable"')
    if start:
        lines.append(f"# start = {_text(start)}   # the profile's; {{data}} is an empty folder")
    else:
        guesses.append("how the backend starts is not known: write it as [backend] start")
        lines.append('# start = "./server --port {port} --data {data}"   # or: url = "http://127.0.0.1:8000"')
    document = _document_file(root)
    for key in ("ready", "openapi"):
        if key in defaults and not (key == "openapi" and document):
            lines.append(f"# {key} = {_text(defaults[key])}")
    if document is None and "openapi" not in defaults:
        lines.append('# openapi = "/openapi.json"   # a path on the backend, or a file; the usual places are tried')
    if document:
        guesses.append(f"the OpenAPI document is {document}")
        lines.append(f"openapi = {_text(document)}")
    for folder in (".venv", "venv", "env"):
        if (root / folder / "bin" / "python").exists():
            guesses.append(f"the backend's environment is {folder}")
            lines.append(f'python = "{folder}/bin/python"')
            break
    else:
        if next(source_files(root, ".py"), None) is not None:
            lines.append('# python = ".venv/bin/python"   # the interpreter of the backend\'s own environment')
    return lines


def _document_file(root: Path) -> str | None:
    for name in ("openapi.json", "openapi.yaml", "openapi.yml", "swagger.json", "swagger.yaml"):
        for folder in ("", "docs/", "api/"):
            if (root / folder / name).is_file():
                return folder + name
    return None
