"""Builds an earlier phase beside this one, so that both can be measured: a worktree, prepared once and kept.

A build lies in `.git/gates/builds/<commit>-<digest>`; beside it `.json` (written last: a build without it is half
made) and `.log` with the output of `[backend] prepare`. What it needs is its own, or demonstrably the same as the
present one's: an earlier build that silently ran the present source or other dependencies would compare nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from gates import git, process
from gates.backend.commands import words_of
from gates.backend.environment import interpreter
from gates.builds.laid_over import COPY, laid_over
from gates.builds.own_source import Build, localised, with_present_folders
from gates.config.load import CONFIGURATION_FILE, load_configuration
from gates.config.model import Backend
from gates.errors import ConfigurationError, GatesError, ToolError
from gates.profiles import read_toml

__all__ = ["Build", "builds_folder", "earlier_build", "laid_over"]

PREPARE_TIMEOUT = 1800.0
"""Seconds for `[backend] prepare`: it may install or compile everything."""
KEPT_BUILDS = 3
"""So many builds are kept, those used last: the previous phase, the best one, and one to change between."""
LOCK_FILES = (
    "requirements*.txt", "constraints*.txt", "pylock*.toml", "uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock",
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "Gemfile.lock",
    "composer.lock",
)  # fmt: skip
"""Files that say which versions are installed outside the source. Compilers with caches of their own need none."""
_MANIFESTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "pyproject.toml": (
        ("project", "dependencies"), ("project", "optional-dependencies"), ("dependency-groups",),
        ("tool", "poetry", "dependencies"), ("tool", "poetry", "group"),
    ),
    "package.json": (("dependencies",), ("devDependencies",), ("optionalDependencies",)),
}  # fmt: skip


def builds_folder(root: Path) -> Path:
    """Return where the builds of a project are kept: in git's own folder, which goes when the checkout goes.

    Anywhere else in the project they would be measured: Jest 30 and Vitest 4 run the tests they find in `.gates`,
    ignored by git or not; what looks through a project leaves `.git` alone.
    """
    return git.git_folder(root) / "gates" / "builds"


def earlier_build(root: Path, commit: str, settings: Backend, directory: Path) -> Build:
    """Return the build of a commit, made in `directory` where it is not there yet; `settings` are the present ones.

    Raises GatesError when it cannot be built: no such commit, a backend that was already up, `prepare` failed, or its
    dependencies are not those of the present project and nothing says how to install them.
    """
    if settings.url:
        raise GatesError(
            "the backend is already up, and cannot be built as it was in an earlier phase",
            "[backend] start instead of url lets gates start both builds",
        )
    files = git.files_at(root, commit)
    folder = directory.absolute() / f"{commit[:12]}-{_digest(root, files, settings.prepare)}"
    marker = folder.with_name(f"{folder.name}.json")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.parent / ".lock"):
            project = _made(root, commit, settings, folder, marker)
            os.utime(marker)
            _remove_old(root, folder)
    except OSError as error:
        raise GatesError(
            f"the earlier build could not be made in {folder}: {error.strerror}", "is there room, and may gates write?"
        ) from error
    own, note = _settings_of(project, settings)
    if not own.prepare:
        _use_present_dependencies(_levels(root, project, folder))
    own = with_present_folders(root, project, own, settings)
    return localised(root, project, folder, folder, own, (note,))


def _digest(root: Path, files: Mapping[str, str], prepare: str | None) -> str:
    locks = sorted((name, blob) for name, blob in files.items() if _is_lock(name))
    return hashlib.sha256(json.dumps([str(root.absolute()), locks, prepare]).encode()).hexdigest()[:8]


def _is_lock(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in LOCK_FILES)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process (and thread) at a time make builds; the lock is gone with whoever held it."""
    with path.open("a") as file:
        deadline = time.monotonic() + 2 * PREPARE_TIMEOUT
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise GatesError(
                        "another gates has been making an earlier build for too long", f"it holds {path}: end it"
                    ) from error
                time.sleep(0.1)
        yield


def _made(root: Path, commit: str, settings: Backend, folder: Path, marker: Path) -> Path:
    """Return where the project lies in its build, which is made anew unless it stands as it was left."""
    try:
        known = json.loads(marker.read_text("utf-8"))
        project = Path(known["project"])
        if known["folder"] == str(folder) and project.is_dir() and git.tracked_changes(project) == known["changes"]:
            return project
    except (OSError, ValueError, LookupError, TypeError):
        pass  # there is none, or somebody changed it: it is made anew
    marker.unlink(missing_ok=True)
    git.remove_worktree(root, folder)
    for lost in git.lost_worktrees(root, folder.parent):
        git.remove_worktree(root, lost)
    project = git.add_worktree(root, commit, folder)
    own, _ = _settings_of(project, settings)
    if own.prepare:
        _prepare(project, own, folder, interpreter(settings, root))
    text = json.dumps({"folder": str(folder), "project": str(project), "changes": git.tracked_changes(project)})
    partial = marker.with_suffix(".partial")
    partial.write_text(text, "utf-8")
    partial.replace(marker)
    return project


def _remove_old(root: Path, current: Path) -> None:
    """Remove half-made builds, and those beyond the number that is kept; only called while the lock is held."""
    made = sorted(current.parent.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    kept = {path.stem for path in made[:KEPT_BUILDS]} | {current.name}
    for path in current.parent.iterdir():
        if path.is_dir() and path.name not in (*kept, COPY):
            git.remove_worktree(root, path)
        elif path.suffix and path.stem not in kept:
            path.unlink()


def _settings_of(project: Path, present: Backend) -> tuple[Backend, str]:
    """Return how a build is started, and by whose word: an earlier phase may have been started differently.

    Only `prepare` is taken from the present gates.toml first: the commit cannot be given one any more.
    """
    path = project / CONFIGURATION_FILE
    why = "that of its commit does not exist"
    if path.exists():
        try:
            own = load_configuration(path).backend
        except ConfigurationError as error:
            why = f"that of its commit cannot be read: {error.message.splitlines()[0]}"
        else:
            if own.start and not own.url:
                prepare = present.prepare or own.prepare
                return own.model_copy(update={"prepare": prepare}), "the earlier build is started by its own gates.toml"
            why = "that of its commit starts no backend"
    return present, f"the earlier build is started by the present gates.toml: {why}"


def _prepare(project: Path, settings: Backend, folder: Path, python: str) -> None:
    # Folders of the build come first: what `prepare` puts there is used as soon as it is there, so that
    # `python -m venv .venv && pip install …` fills the build's own environment.
    own = [project / ".venv" / "bin", project / "node_modules" / ".bin", *(project / path for path in settings.path)]
    hidden = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")  # they lead to the present project
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PATH"] = os.pathsep.join([*map(str, own), environment.get("PATH", os.defpath)])
    command = settings.prepare or ""
    words = words_of(command, {"python": python, "root": str(project)}, environment, "[backend] prepare")
    log = folder.with_name(f"{folder.name}.log")
    before = _installed(python)
    try:
        process.run(words, cwd=project, env=environment, stdout=log, stderr=log.with_suffix(".err"),
                    timeout=PREPARE_TIMEOUT)  # fmt: skip
    except ToolError as error:
        raise GatesError(
            f"[backend] prepare = {command!r} failed for the build of {folder.name[:12]}: {error.message}",
            f"run it by hand in {project}; its output is in {log}",
        ) from error
    if _installed(python) != before:
        raise GatesError(
            f"[backend] prepare = {command!r} changed the present environment ({Path(python).parent.parent}), which "
            "both builds would then share",
            "install into the build's own: `python -m venv .venv && .venv/bin/pip install …`; then put the present "
            "environment right again",
        )


def _installed(python: str) -> frozenset[tuple[str, int]]:
    """Return what is installed where an interpreter stands, so that a change can be told."""
    lib = Path(python).parent.parent / "lib"
    return frozenset(
        (path.name, path.stat().st_mtime_ns)
        for path in lib.glob("python*/site-packages/*")
        if path.suffix in (".dist-info", ".egg-info", ".pth", ".egg-link")
    )


def _levels(root: Path, project: Path, folder: Path) -> list[tuple[Path, Path]]:
    """Return the folders from the project up to that of the repository, each with its counterpart in the build."""
    up = len(project.relative_to(folder).parts)
    here = root.resolve()
    return list(zip([here, *here.parents][: up + 1], [project, *project.parents], strict=False))


def _use_present_dependencies(levels: Sequence[tuple[Path, Path]]) -> None:
    """Let a build use what is installed for the present project; raises GatesError where that is not the same.

    Every folder up to the repository's counts: Node and the workspaces of uv look for packages above the project.
    """
    node = any((then / "package.json").exists() for _, then in levels)
    hint = "say how to install them: [backend] prepare = " + (
        '"npm ci"' if node else '"python -m venv .venv && .venv/bin/pip install -r requirements.txt"'
    )
    for now, then in levels:
        mine, theirs = _dependencies(now), _dependencies(then)
        differing = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
        if differing:
            raise GatesError(
                f"the dependencies of the earlier build are not the present ones ({', '.join(differing)}), and there "
                "is no [backend] prepare that would install them",
                hint,
            )
        for name in (".venv", "venv", "env"):
            if (now / name / "pyvenv.cfg").exists():
                _link(now / name, then / name)  # start may say `.venv/bin/uvicorn`
        modules = now / "node_modules"
        if node and modules.is_dir():
            if (package := _links_to_source(modules, levels[-1][0])) is not None:
                raise GatesError(
                    f"node_modules/{package} is a link to the present source, so the earlier build would run that", hint
                )
            _link(modules, then / modules.name)


def _link(there: Path, here: Path) -> None:
    if here.is_symlink():
        here.unlink()
    if not here.exists():
        here.symlink_to(there.absolute())


def _dependencies(root: Path) -> dict[str, Any]:
    """Return what a project asks for, by file: the bytes of lock files, the dependency tables of manifests."""
    locks = [path for path in root.iterdir() if path.is_file() and _is_lock(path.name)]
    locks += (root / "requirements").glob("*.txt")
    asked: dict[str, Any] = {str(path.relative_to(root)): path.read_bytes() for path in locks}
    for name, tables in _MANIFESTS.items():
        path = root / name
        if not path.exists():
            continue
        try:
            content = read_toml(path) if path.suffix == ".toml" else json.loads(path.read_text("utf-8"))
        except (ValueError, ConfigurationError):
            asked[name] = path.read_bytes()
            continue
        found = {".".join(keys): value for keys in tables if (value := _value_at(content, keys))}
        if found:
            asked[name] = found
    return asked


def _value_at(content: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _links_to_source(modules: Path, root: Path) -> str | None:
    """Return the first package of node_modules that is a link into the project itself, as workspaces make them."""
    own = root.resolve()
    for path in [*modules.glob("*"), *modules.glob("@*/*")]:
        target = path.resolve() if path.is_symlink() else modules.resolve()
        if target.is_relative_to(own) and "node_modules" not in target.relative_to(own).parts:
            return str(path.relative_to(modules))
    return None
