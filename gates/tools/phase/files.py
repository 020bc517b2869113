"""Reads a project's files once, bounded, and gives each to the readers that know what to make of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath

from gates.errors import ConfigurationError
from gates.profiles import SKIPPED_FOLDERS, read_toml
from gates.tools.phase.snapshot import Component, Table
from gates.tools.phase.source import dependencies, environment, events, tables
from gates.tools.phase.source.sql import Statement

_MOST_FILES = 20_000
_MOST_BYTES = 1_000_000
_NOT_OWN = SKIPPED_FOLDERS | {"vendor", "third_party", "target", "coverage", "htmlcov", "baselines"}
_TESTS = frozenset({
    "tests", "test", "spec", "specs", "__tests__", "testdata", "fixtures", "e2e", "examples", "example", "docs",
    "benchmarks",
})  # fmt: skip
_LAYOUT = frozenset({"main", "java", "kotlin", "scala", "groovy"})
"""Folders by which build tools sort languages: what is in them are the packages."""
_CODE = frozenset({
    ".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx", ".go", ".java", ".kt", ".scala", ".groovy",
    ".rb", ".rs", ".php", ".cs", ".ex", ".exs", ".swift", ".c", ".cpp", ".h", ".hpp", ".sql", ".prisma", ".graphql",
    ".proto",
})  # fmt: skip


@dataclass
class Found:
    """What was found in a project's files; places are `path:line`."""

    events: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    """Variables of examples and compose files: where the source reads one as well, that is where it is told to be."""
    dependencies: dict[str, dict[str, str]] = field(default_factory=dict)
    sizes: dict[PurePosixPath, dict[PurePosixPath, int]] = field(default_factory=dict)
    """Lines of each file, by the folder of the project's own code that it lies in."""
    components: dict[str, Component] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_project(root: Path, source: Collection[str], calls: Collection[str]) -> Found:
    """Return what a project's files say; `source` is its own code, `calls` the functions that publish events.

    Events and variables are looked for in the source, tables, dependencies and examples of settings everywhere; tests
    are nowhere looked at. Nothing is imported or run.
    """
    found = Found()
    roots = _roots(source)
    statements: dict[str, list[Statement]] = {}
    count = 0
    for path in _walk(root):
        count += 1
        if count > _MOST_FILES:
            found.notes.append(f"only the first {_MOST_FILES:,} files of the project were read")
            break
        own = next((one for one in roots if _is_inside(path, one)), None)
        beside = path if own is None else path.relative_to(own)
        if _is_test(beside):
            continue
        _read_file(root, path, own, calls, found, statements)
    _read_configuration(root, found)
    found.environment = {**found.asked, **found.environment}
    for own, sizes in found.sizes.items():
        found.components.update(_components(own, sizes))
    found.tables.update(tables.tables_after(statements.items()))
    return found


def _roots(source: Collection[str]) -> list[PurePosixPath]:
    return [PurePosixPath(os.path.normpath(one)) for one in source]


def _is_inside(path: PurePosixPath, folder: PurePosixPath) -> bool:
    return str(folder) == "." or path == folder or folder in path.parents


def _is_test(path: PurePosixPath) -> bool:
    name = path.name
    return (
        any(part in _TESTS for part in path.parts[:-1])
        or name.startswith(("test_", "conftest."))
        or any(mark in name for mark in ("_test.", ".test.", ".spec.", "_spec."))
        or name.endswith(("Test.java", "Tests.java", "Test.kt"))
    )


def _walk(root: Path) -> Iterator[PurePosixPath]:
    """Yield the paths of the project's files, in order, without following links."""
    for folder, folders, files in os.walk(root):
        here = PurePosixPath(Path(folder).relative_to(root).as_posix())
        folders[:] = sorted(
            name for name in folders
            if name not in _NOT_OWN and not name.startswith(".") and not os.path.exists(f"{folder}/{name}/pyvenv.cfg")
        )  # fmt: skip
        yield from (here / name for name in sorted(files))


def _text_of(path: Path) -> str | None:
    """Return the text of a file, or None of one that is no plain file, too large, or not text."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > _MOST_BYTES:
            return None
        text = path.read_text("utf-8", "replace")
    except OSError:
        return None
    return None if "\0" in text[:4096] else text


def _read_file(
    root: Path,
    path: PurePosixPath,
    own: PurePosixPath | None,
    calls: Collection[str],
    found: Found,
    statements: dict[str, list[Statement]],
) -> None:
    name = path.name
    is_code = own is not None and path.suffix in _CODE
    names_some = dependencies.names_dependencies(name)
    asks = environment.asks_for_variables(name)
    reads = asks or (own is not None and environment.reads_variables(name))
    if not (is_code or names_some or reads or tables.declares_tables(name) or _may_be_asyncapi(name)):
        return
    text = _text_of(root / path)
    if text is None:
        return
    if is_code and own is not None:
        found.sizes.setdefault(own, {})[path] = text.count("\n") + (not text.endswith("\n"))
    if reads:
        for variable, line in environment.variables_of(name, text):
            (found.asked if asks else found.environment).setdefault(variable, f"{path}:{line}")
    if own is not None and events.publishes_events(name):
        for event, line in events.events_of(name, text, calls):
            found.events.setdefault(event, f"{path}:{line}")
    if _may_be_asyncapi(name) and "asyncapi" in text[:2000]:
        _read_asyncapi(path, text, found)
    if tables.declares_tables(name) and (declared := tables.statements_in(str(path), text)):
        statements[str(path)] = declared
    if names_some:
        _read_dependencies(root, path, text, found)


def _components(own: PurePosixPath, sizes: Mapping[PurePosixPath, int]) -> dict[str, Component]:
    """Return the packages and modules that lie directly in the folder of the project's own code.

    A folder that holds nothing but another one (`src/main/java/org/…`) is passed through.
    """
    inner: dict[str, dict[PurePosixPath, int]] = {}
    for path, lines in sizes.items():
        parts = path.relative_to(own).parts if path != own else ()
        inner.setdefault(parts[0] if parts else "", {})[path] = lines
    if list(inner) == [""]:
        return {str(own): Component(1, sum(sizes.values()))}
    found: dict[str, Component] = {}
    for name, below in inner.items():
        folder = own / name
        if folder not in below and (len(inner) == 1 or name in _LAYOUT):
            found.update(_components(folder, below))
        else:
            found[str(folder)] = Component(len(below), sum(below.values()))
    return found


def _may_be_asyncapi(name: str) -> bool:
    return "asyncapi" in name.lower() and name.endswith((".json", ".yaml", ".yml"))


def _read_asyncapi(path: PurePosixPath, text: str, found: Found) -> None:
    import yaml

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        found.notes.append(f"{path} is not YAML or JSON: its events are not known")
        return
    for event in events.events_of_asyncapi(content):
        found.events.setdefault(event, str(path))


def _read_dependencies(root: Path, path: PurePosixPath, text: str, found: Found) -> None:
    try:
        content = read_toml(root / path) if dependencies.is_toml(path.name) else text
        named = dependencies.dependencies_of(path.name, content)
    except (ConfigurationError, dependencies.Unreadable) as error:
        found.notes.append(f"{path}: its dependencies could not be read: {error.message}")
        return
    if named:
        found.dependencies[str(path)] = named


def _read_configuration(root: Path, found: Found) -> None:
    """Add the variables that gates.toml sets for the backend: it would not set what nobody reads."""
    backend = read_toml(root / "gates.toml").get("backend") if (root / "gates.toml").exists() else None
    settings = backend.get("env") if isinstance(backend, dict) else None
    for name in settings if isinstance(settings, dict) else ():
        found.asked.setdefault(str(name), "gates.toml")


class Files:
    """The files of a project, by path or by name alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(path.name for path in islice(_walk(self._root), _MOST_FILES))

    def has(self, path: str) -> bool:
        """Return whether a path, or a file of that name anywhere, is in the project; `:17` after it does not count."""
        path = path.rpartition(":")[0] if path.rpartition(":")[2].isdigit() else path
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            return False
        return (self._root / pure).exists() or (len(pure.parts) == 1 and pure.name in self._names)
