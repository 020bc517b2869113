"""What a project says of itself: its dependencies, containers, source and OpenAPI document; read once, in part.

Only names are looked for in it. Nothing that may be a secret is kept or told: an environment file gives the name of a
database and no address.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gates.document import Document, DocumentError, parse_document
from gates.profiles import source_files

_MANIFESTS = (
    "requirements*.txt", "requirements/*.txt", "pyproject.toml", "Pipfile", "setup.py", "setup.cfg", "environment.yml",
    "package.json", "go.mod", "pom.xml", "build.gradle", "build.gradle.kts", "Cargo.toml", "Gemfile", "composer.json",
    "*.csproj", "mix.exs",
)  # fmt: skip
_SERVICES = (
    "docker-compose*.y*ml", "compose*.y*ml", ".env.example", ".env.sample", ".env.template", ".env.dist", ".env",
    "prisma/schema.prisma", "src/main/resources/application*.properties", "src/main/resources/application*.y*ml",
)  # fmt: skip
_SOURCES = (".py", ".js", ".ts", ".mjs", ".cjs", ".go", ".java", ".kt")
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec)/|(?:^|/)(?:test_[^/]*|conftest\.py|[^/]*(?:_test|\.test|\.spec)\.\w+)$"
)
_SETTINGS = (
    "pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", ".coveragerc", "package.json", "jest.config.*",
    "vitest.config.*", "vite.config.*",
)  # fmt: skip
_THRESHOLD = re.compile(
    r"fail[_-]under\s*[=:]?\s*(\d{1,3}(?:\.\d+)?)|thresholds?\b[^}]{0,200}?\blines\b\"?\s*:\s*(\d{1,3})", re.IGNORECASE
)
_INDIRECT = re.compile(r"^.*// indirect$", re.MULTILINE)
"""What a go.mod says of the dependencies of dependencies."""
_MOST_CHARACTERS = 200_000
_MOST_FILES = 400
DOCUMENT_NAMES = ("openapi.json", "openapi.yaml", "openapi.yml", "swagger.json", "swagger.yaml")


@dataclass(frozen=True)
class Facts:
    """A project's files, as far as they say what it is made of; each is read when it is first asked for."""

    root: Path

    @cached_property
    def manifests(self) -> Mapping[str, str]:
        """The files that name its dependencies, by their path; those of its dependencies are left out."""
        return {name: _INDIRECT.sub("", text) for name, text in self._read(_MANIFESTS)}

    @cached_property
    def services(self) -> Mapping[str, str]:
        """The files that name what it runs beside."""
        return dict(self._read(_SERVICES))

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """Its source files without its tests, the nearest first."""
        found: dict[str, str] = {}
        for suffix in _SOURCES:
            for path in source_files(self.root, suffix, _MOST_FILES):
                name = path.relative_to(self.root).as_posix()
                if len(found) < _MOST_FILES and not _TESTS.search(name):
                    found[name] = _text(path)
        return found

    def depends_on(self, pattern: str) -> str | None:
        """Return which file names a dependency, and by what word; None when none does."""
        return _evidence(self.manifests, rf"(?<![\w./@-])(?:{pattern})(?![\w-])")

    def runs_beside(self, pattern: str) -> str | None:
        """Return which file of its containers or environment speaks of something; the word alone, never a value."""
        return _evidence(self.services, pattern)

    def has_in_source(self, pattern: str) -> str | None:
        """Return which source file has something, and the words."""
        return _evidence(self.sources, pattern, 0)

    def _read(self, patterns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            for path in sorted(self.root.glob(pattern)):
                if path.is_file():
                    yield path.relative_to(self.root).as_posix(), _text(path)

    @cached_property
    def threshold(self) -> tuple[str, str] | None:
        """The coverage in percent below which its own tests fail, and the file that says so."""
        for name, text in self._read(_SETTINGS):
            if match := _THRESHOLD.search(text):
                return match[1] or match[2], name
        return None

    @cached_property
    def document_file(self) -> str | None:
        """The path of its OpenAPI document, when it lies in one of the usual places."""
        for name in DOCUMENT_NAMES:
            for folder in ("", "docs/", "api/"):
                if (self.root / folder / name).is_file():
                    return folder + name
        return None

    @cached_property
    def document(self) -> Document | None:
        """That document, when it can be read."""
        if self.document_file is None:
            return None
        try:
            return parse_document((self.root / self.document_file).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, DocumentError):
            return None  # `gates doctor` says what is wrong with it

    @cached_property
    def package(self) -> Mapping[str, Any]:
        """Its package.json; empty when there is none that can be read."""
        try:
            content = json.loads((self.root / "package.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    @cached_property
    def pyproject(self) -> Mapping[str, Any]:
        """Its pyproject.toml; empty when there is none that can be read."""
        try:
            return tomllib.loads((self.root / "pyproject.toml").read_text("utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
            return {}

    @cached_property
    def named_after(self) -> tuple[str, str]:
        """The project's name, and what it was taken from."""
        tools = self.pyproject.get("tool")
        poetry = tools.get("poetry") if isinstance(tools, dict) else None
        for project in (self.pyproject.get("project"), poetry):
            if isinstance(project, dict) and project.get("name"):
                return str(project["name"]), "pyproject.toml"
        if self.package.get("name"):
            return str(self.package["name"]), "package.json"
        return self.root.resolve().name or "backend", "its folder"


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_CHARACTERS)
    except OSError:
        return ""  # what may not be read says nothing


def _evidence(texts: Mapping[str, str], pattern: str, flags: int = re.IGNORECASE) -> str | None:
    expression = re.compile(pattern, flags | re.MULTILINE)
    for name, text in texts.items():
        if match := expression.search(text):
            words = next((group for group in match.groups() if group), match[0])
            return f"{name} has {' '.join(words.split())[:60]!r}"
    return None
