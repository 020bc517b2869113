"""What a project depends on, by the files that say so: names, and versions as they are written there; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from gates.errors import GatesError

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)")
_GO = re.compile(r"^\s*(?:require\s+)?([\w.~-]+\.[\w.~-]+(?:/[\w.~+-]+)*)\s+(v[\w.+-]+)\s*(//.*)?$", re.M)
_GRADLE = re.compile(
    r"""\b(?:implementation|api|compileOnly|runtimeOnly|testImplementation|annotationProcessor|kapt|compile)\b"""
    r"""[\s(]*["']([\w.-]+:[\w.-]+)(?::([\w.+\-$\{}]+))?["']"""
)
_GEM = re.compile(r"""^\s*gem\s+["']([\w-]+)["'](?:\s*,\s*["']([^"']+)["'])?""", re.M)


class Unreadable(GatesError):
    """A file that names dependencies is not what its name says."""


def _requirements(text: str) -> dict[str, str]:
    found = {}
    for line in text.replace("\\\n", " ").split("\n"):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line or line.startswith("-") or "://" in line.partition("@")[0]:
            continue
        found.update(_requirement(line))
    return found


def _requirement(line: str) -> dict[str, str]:
    match = _REQUIREMENT.match(line)
    if match is None:
        return {}
    version = match[3].partition(";")[0].partition(" --hash")[0].strip()
    # An address may carry a token.
    version = "from an address" if version.startswith("@") else version.strip("()")
    return {_normal(match[1]): version}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _texts(given: Any) -> list[str]:
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _table(given: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        given = given.get(key) if isinstance(given, Mapping) else None
    return given if isinstance(given, Mapping) else {}


def _pyproject(content: Mapping[str, Any]) -> dict[str, str]:
    project = _table(content, "project")
    lines = _texts(project.get("dependencies"))
    for group in (*_table(project, "optional-dependencies").values(), *_table(content, "dependency-groups").values()):
        lines += _texts(group)
    found: dict[str, str] = {}
    for line in lines:
        found.update(_requirement(line))
    poetry = _table(content, "tool", "poetry")
    groups = [_table(group, "dependencies") for group in _table(poetry, "group").values()]
    for table in (_table(poetry, "dependencies"), _table(poetry, "dev-dependencies"), *groups):
        found.update({_normal(name): _version(given) for name, given in table.items() if name.lower() != "python"})
    return found


def _version(given: Any) -> str:
    if isinstance(given, Mapping):
        given = given.get("version", "from an address" if {"git", "url", "path"} & set(given) else "")
    return given if isinstance(given, str) else ""


def _locked(content: Mapping[str, Any]) -> dict[str, str]:
    packages = content.get("package")
    return {
        str(one["name"]): _version(one)
        for one in (packages if isinstance(packages, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("name"), str)
    }


def _cargo(content: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in ("build-dependencies", "dev-dependencies", "dependencies"):
        found.update({name: _version(given) for name, given in _table(content, key).items()})
    return found


def _package_json(text: str) -> dict[str, str]:
    content = json.loads(text)
    found: dict[str, str] = {}
    for key in ("optionalDependencies", "peerDependencies", "devDependencies", "dependencies"):
        for name, given in _table(content, key).items():
            found[name] = "from an address" if "://" in str(given) or "git" in str(given)[:4] else str(given)
    return found


def _go(text: str) -> dict[str, str]:
    kept = re.sub(r"(?ms)^\s*(?:replace|exclude|retract)\s*\(.*?^\s*\)|^\s*(?:replace|exclude|retract)\s.*?$", "", text)
    return {found[1]: found[2] for found in _GO.finditer(kept) if "indirect" not in (found[3] or "")}


def _pom(text: str) -> dict[str, str]:
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise ValueError(str(error)) from error
    found = {}
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "dependency":
            parts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
            if parts.get("artifactId"):
                found[f"{parts.get('groupId', '')}:{parts['artifactId']}"] = parts.get("version", "")
    return found


def _gradle(text: str) -> dict[str, str]:
    return {found[1]: found[2] or "" for found in _GRADLE.finditer(text)}


def _gems(text: str) -> dict[str, str]:
    return {found[1]: found[2] or "" for found in _GEM.finditer(text)}


_TEXT: Mapping[str, Callable[[str], dict[str, str]]] = {
    "package.json": _package_json, "go.mod": _go, "pom.xml": _pom, "build.gradle": _gradle, "build.gradle.kts": _gradle,
    "Gemfile": _gems,
}  # fmt: skip
_TOML: Mapping[str, Callable[[Mapping[str, Any]], dict[str, str]]] = {
    "pyproject.toml": _pyproject, "poetry.lock": _locked, "uv.lock": _locked, "Cargo.toml": _cargo,
}  # fmt: skip
_REQUIREMENTS = re.compile(r"(?:.*[-_.])?requirements(?:[-_.].*)?\.(?:txt|in)|constraints\.txt")


def names_dependencies(name: str) -> bool:
    """Return whether a file of this name says what a project depends on."""
    return name in _TEXT or name in _TOML or _REQUIREMENTS.fullmatch(name) is not None


def is_toml(name: str) -> bool:
    """Return whether a file of this name has to be given as the table that it holds."""
    return name in _TOML


def dependencies_of(name: str, content: str | Mapping[str, Any]) -> dict[str, str]:
    """Return the dependencies that a file names, with their versions as they are written; "" where none is.

    `content` is the text, or the table where the file is TOML. Raises Unreadable when it is not what its name says.
    """
    try:
        if isinstance(content, str):
            return _TEXT.get(name, _requirements)(content)
        return _TOML[name](content)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{name} could not be read: {error}") from error
