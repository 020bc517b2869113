"""The house keeps its own rules: who imports whom, who prints, who starts programs, how long things are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gates"
# The path of the data; a file imports only what stands before it. Names in one tuple stand side by side.
ORDER: tuple[tuple[str, ...], ...] = (
    ("__init__", "errors", "warden"), ("results",), ("demands",), ("process", "shell"), ("client",), ("git",),
    ("document", "rules"), ("contract", "rest", "documentation", "guidelines", "traffic"), ("proxy",), ("targets",),
    ("machine",),
    ("profiles",), ("statistics",), ("sequential",), ("calibration", "alternating"), ("tools", "load"), ("config",),
    ("plan",), ("backend",), ("builds",), ("engine",),
    ("compare",), ("done",), ("store",), ("reports",), ("init",), ("doctor",), ("explain",), ("pipeline",), ("demo",),
    ("cli",), ("__main__",),
)  # fmt: skip
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}


def sources() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "example" not in path.relative_to(PACKAGE).parts]


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> Iterator[list[str]]:
    for name in imports(path):
        parts = name.split(".")
        if (
            parts[0] == "gates"
            and len(parts) > 1
            and ((PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").exists())
        ):
            yield parts[1:]


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources(), ids=label)
def test_a_file_imports_only_what_stands_before_it(path: Path) -> None:
    me = part(path)
    assert me in RANK, f"{me} has no place in the order"
    for other in ours(path):
        assert other[0] in RANK
        if other[0] != me:
            assert RANK[other[0]] < RANK[me] or {me, other[0]} == {"tools", "load"}, f"{me} imports {other[0]}"


@pytest.mark.parametrize("path", [path for path in sources() if part(path) in ("tools", "reports")], ids=label)
def test_siblings_do_not_import_each_other(path: Path) -> None:
    relative = path.relative_to(PACKAGE).parts
    if relative[1] == "__init__.py":
        return
    mine = relative[1].removesuffix(".py")
    for other in ours(path):
        if other[0] == relative[0] and len(other) > 1:
            assert other[1] in (mine, "base", "wording"), f"{mine} imports its sibling {other[1]}"


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("subprocess", {"process"}),
        ("sqlite_utils", {"store"}),
        ("sqlite3", {"store"}),
        ("tomllib", {"profiles", "config", "init"}),
        ("numpy", {"statistics", "sequential", "load"}),
        ("scipy", {"statistics", "sequential", "load"}),
    ],
)
def test_one_place_for_each_thing(module: str, allowed: set[str]) -> None:
    users = {part(path) for path in sources() if any(name.split(".")[0] == module for name in imports(path))}
    assert users <= allowed


PURE = (
    "compare", "statistics", "sequential", "calibration", "alternating", "done", "demands", "reports", "targets",
    "results",
)  # fmt: skip


@pytest.mark.parametrize("path", [path for path in sources() if part(path) in PURE], ids=label)
def test_what_judges_and_renders_touches_no_file_process_or_clock(path: Path) -> None:
    forbidden = {"os", "time", "subprocess", "socket", "tempfile", "shutil", "gates.process", "gates.client"}
    assert not forbidden & set(imports(path))
    calls = {node.func.id for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    assert "open" not in calls


def calls_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
    return found


@pytest.mark.parametrize("path", [path for path in sources() if part(path) not in ("cli", "warden")], ids=label)
def test_only_the_command_line_prints_or_exits(path: Path) -> None:
    assert not {"print", "sys.exit", "exit", "typer.echo", "sys.stdout.write", "sys.stderr.write"} & calls_of(path)


def test_what_runs_inside_locust_imports_nothing_with_pydantic() -> None:
    for path in (PACKAGE / "load").glob("*.py"):
        for other in ours(path):
            assert other[0] in ("load", "errors", "results", "document"), f"{path.name} imports {other[0]}"
        assert not {"pydantic", "typer"} & {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", sources(), ids=label)
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 405, f"{label(path)} is too long"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, f"{label(path)}: {node.name} is too long"


def test_broad_excepts_stand_where_the_design_allows_them() -> None:
    places = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler) and ast.unparse(node.type or ast.Constant(None)) in (
                "Exception",
                "None",
            ):
                places.append(part(path))
    assert sorted(places) in (["engine"], ["cli", "engine"])
