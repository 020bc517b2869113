"""What has to be the same in two builds so that their benchmarks can be compared, and whether it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gates.alternating import is_inside
from gates.tools.benchmark.report import Sample

_OF_BENCHMARKS = frozenset({"bench", "benches", "benchmark", "benchmarks", "perf", "performance", "test", "tests"})
"""Folders that hold no source of a backend, although they may be packages."""
_CONFIGURED = (
    ("pytest.ini", ""), (".pytest.ini", ""), ("pytest.toml", ""), (".pytest.toml", ""),
    ("pyproject.toml", "[tool.pytest"), ("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]"),
)  # fmt: skip
_NEVER_COMPARED = frozenset({"__pycache__", ".pytest_cache", ".benchmarks"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """The files that benchmarks had imported at their end, and the folder of their environment; real paths."""

    prefix: Path
    files: tuple[Path, ...]

    def of(self, root: Path) -> dict[str, Path]:
        """Return those of a project by their path in it: not what is installed there, nor what git keeps."""
        home = root.resolve()
        found = {}
        for file in self.files:
            if file.is_relative_to(home) and not file.is_relative_to(self.prefix):
                path = file.relative_to(home)
                if not {"site-packages", "dist-packages", ".git"} & set(path.parts):
                    found[path.as_posix()] = file
        return found


def parse_loaded(text: str) -> Loaded:
    """Return what `loaded_files` wrote."""
    content = json.loads(text)
    return Loaded(Path(content["prefix"]), tuple(Path(name) for name in content["files"]))


def source_of(source: Sequence[str]) -> tuple[str, ...]:
    """Return the folders of the project's own code without those that by their name hold benchmarks or tests."""
    return tuple(folder for folder in source if PurePosixPath(folder).name not in _OF_BENCHMARKS)


def files_of(names: Iterable[str], loaded: Mapping[str, Path]) -> set[str]:
    """Return the files that hold benchmarks, as paths in the project: pytest names them from its own root folder."""
    wanted = {name.partition("::")[0] for name in names}
    return {path for path in loaded for file in wanted if path == file or path.endswith(f"/{file}")}


def measuring(files: Iterable[str], source: Sequence[str]) -> tuple[str, ...]:
    """Return what measures: the outermost folder of each benchmark that holds no source, or else only its file.

    The conftest.py of the folders around it belong to it.
    """
    found: set[str] = set()
    for file in files:
        around = [parent.as_posix() for parent in reversed(PurePosixPath(file).parents)]
        apart = next((folder for folder in around[1:] if not any(_overlap(folder, one) for one in source)), None)
        found.add(apart or file)
        outer = around[: around.index(apart)] if apart else around
        found |= {PurePosixPath(folder, "conftest.py").as_posix() for folder in outer}
    return tuple(sorted(found))


def _overlap(folder: str, other: str) -> bool:
    return is_inside(folder, other) or is_inside(other, folder)


def differing(names: Iterable[str], now: Path, then: Path) -> list[str]:
    """Return the files, in these files and folders, that are not the same in two builds."""
    found: set[str] = set()
    for name in names:
        for root in (now, then):
            for path in [root / name, *(root / name).rglob("*")]:
                if path.is_file() and not _NEVER_COMPARED & set(path.parts):
                    found.add(path.relative_to(root).as_posix())
    return sorted(name for name in found if not _equal(now / name, then / name))


def _equal(now: Path, then: Path) -> bool:
    return now.is_file() and then.is_file() and now.read_bytes() == then.read_bytes()


def comparable(now: Sample, then: Sample) -> dict[str, str]:
    """Return each benchmark of this build with the reason why it cannot be compared; empty where it can."""
    return {name: _obstacle(name, now, then) for name in sorted(now.medians)}


def _obstacle(name: str, now: Sample, then: Sample) -> str:
    file = name.partition("::")[0]
    if (failed := then.failed.get(name) or then.failed.get(file)) is not None:
        return f"on the earlier source it fails: {failed.message}"
    if name not in then.medians:
        return f"on the earlier source it is skipped: {then.skipped[name]}" if name in then.skipped else (
            "on the earlier source it is not found"
        )  # fmt: skip
    if now.options[name] != then.options[name]:
        return "the two builds measure it with different options of pytest-benchmark"
    if not (now.medians[name] and then.medians[name]):
        return "it took no time that its timer could see"
    return ""


def is_configured(project: Path) -> bool:
    """Return whether pytest finds a configuration of a project, up to the folder of its repository; none further up."""
    for folder in (project, *project.parents):
        paths = ((folder / name, table) for name, table in _CONFIGURED)
        if any(path.is_file() and table in path.read_text("utf-8", "replace") for path, table in paths):
            return True
        if (folder / ".git").exists():
            break
    return False
