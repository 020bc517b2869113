"""Settings by which a build finds its own source, whatever the environment it shares would find."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from gates import process
from gates.backend.environment import (
    backend_environment,
    interpreter,
    needs_python,
    own_interpreter,
    project_environment,
)
from gates.config.model import Backend
from gates.errors import GatesError

# Run by the interpreter of the backend, because only it knows what its environment puts on the path. A path inside the
# repository is the present source; its counterpart in the build takes its place. Measured with an editable install
# (setuptools, src layout): PYTHONPATH stands before what .pth files add, and setuptools' finders are asked after it;
# the finders of meson-python and scikit-build-core are asked first, which is why each name is looked up in the end.
_LOOK_UP = """
import importlib.util, json, os, sys
project, build, top, made = map(os.path.realpath, sys.argv[1:5])
shared = sys.argv[5] == "shared"
def inside(path, folder):
    return path == folder or path.startswith(folder + os.sep)
def present(path):
    path = os.path.realpath(path)
    return inside(path, top) and not inside(path, made) and not inside(path, os.path.realpath(sys.prefix))
usual = [name for name in ("src", ".") if os.path.isdir(os.path.join(build, name))]
search = usual if shared else []
for path in list(sys.path):
    relative = os.path.relpath(os.path.realpath(path), project)
    if present(path) and relative not in search and os.path.isdir(os.path.join(build, relative)):
        search.append(relative)
folders = [os.path.normpath(os.path.join(build, name)) for name in search]
sys.path[:0] = folders
names = set()
for folder in folders or [os.path.join(build, name) for name in usual]:
    for entry in os.scandir(folder):
        if entry.is_dir() and entry.name.isidentifier() and any(n.endswith(".py") for n in os.listdir(entry.path)):
            names.add(entry.name)
        elif entry.name.endswith(".py") and entry.name[:-3].isidentifier():
            names.add(entry.name[:-3])
foreign = []
for name in sorted(names - {"__main__", "__init__", "setup"}):
    spec = importlib.util.find_spec(name)
    places = [spec.origin] if spec and spec.origin else list(spec.submodule_search_locations or []) if spec else []
    if places and present(places[0]):
        foreign.append([name, places[0]])
print(json.dumps({"search": search, "foreign": foreign}))
"""


_OWN = "it has an interpreter of its own"


@dataclass(frozen=True, slots=True)
class Build:
    """An earlier state of the project that can be started: its folder and the [backend] it is started by."""

    root: Path
    settings: Backend
    folder: Path
    """That of its repository, in which the project may be a folder further down."""
    notes: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    """Folders of it that have to stand first on Python's path, so that it finds its own source."""

    def environment(self) -> dict[str, str]:
        """Return the environment of the project's own commands in this build."""
        environment = project_environment(self.settings, self.root)
        if self.search:
            places = [os.path.normpath(self.root / folder) for folder in self.search]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [*places, environment.get("PYTHONPATH")]))
        return environment


def with_present_folders(root: Path, project: Path, settings: Backend, present: Backend) -> Backend:
    """Return settings whose interpreter and folders are the build's where it has them, else the present project's."""
    path = tuple(
        str((root / one).absolute()) if not (project / one).exists() and (root / one).exists() else one
        for one in settings.path
    )
    python = settings.python
    if not python or ("/" in python and not (project / python).exists()):
        own = own_interpreter(settings.model_copy(update={"python": None}), project)
        python = own or own_interpreter(present, root)
        python = os.path.abspath(python) if python else None  # not resolved: the link is what makes it a venv's
    return settings.model_copy(update={"path": path, "python": python})


def top_of(root: Path, project: Path, folder: Path) -> Path:
    """Return the folder of the present repository, where `project` lies in `folder` as `root` lies in it."""
    here = root.resolve()
    return [here, *here.parents][len(project.relative_to(folder).parts)]


def localised(root: Path, project: Path, folder: Path, made: Path, settings: Backend, notes: tuple[str, ...]) -> Build:
    """Return the build with settings that find its own source, whatever the environment would find.

    `root` is the present project, `project` the build of it, `folder` that of its repository; what lies in `made` is
    not the present source. Raises GatesError where a module of the build would be the present one.
    """
    if not needs_python(settings, project):
        return Build(project, settings, folder, notes)
    python = interpreter(settings, project)
    # The folder of the environment is resolved, not the interpreter: in an environment that is a link to another's.
    shared = not Path(python).parent.parent.resolve().is_relative_to(made.resolve())
    environment, _ = backend_environment(settings, project, 1, project)
    code, text, errors = process.capture(
        [python, "-c", _LOOK_UP, str(root), str(project), str(top_of(root, project, folder)), str(made),
         "shared" if shared else "own"],
        cwd=project, env=environment,
    )  # fmt: skip
    if code != 0:
        raise GatesError(f"{python} could not look up the modules of the earlier build: {errors.strip()[-500:]}")
    found = json.loads(text.splitlines()[-1])
    if found["foreign"]:
        name, origin = found["foreign"][0]
        raise GatesError(
            f"the earlier build would import the present {name!r} ({origin}), not its own",
            'give it its own environment: [backend] prepare = "python -m venv .venv && .venv/bin/pip install -e ."',
        )
    places = ["{root}" if name == "." else f"{{root}}/{name}" for name in found["search"]]
    if places:
        written = settings.env.get("PYTHONPATH") or ("${PYTHONPATH}" if os.environ.get("PYTHONPATH") else "")
        value = os.pathsep.join(filter(None, [*places, written]))
        settings = settings.model_copy(update={"env": {**settings.env, "PYTHONPATH": value}})
    if not shared and _OWN not in notes:
        notes = (*notes, _OWN)
    return Build(project, settings, folder, notes, tuple(found["search"]))
