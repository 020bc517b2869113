"""The example backend as a git repository of its own, grown commit by commit from the states in `example/`.

`example/phase1` is a whole project; `phase2` and `repaired` hold the files that their commit changes or adds.
Nothing of the user's git reaches in: no identity, configuration, hook, template or environment.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gates.errors import GatesError
from gates.process import capture

_EXAMPLE = Path(__file__).with_name("example")

_SETTINGS = {
    "user.name": "Example Developer",
    "user.email": "developer@example.org",
    "init.defaultBranch": "main",
    "commit.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "core.excludesFile": os.devnull,
    "core.autocrlf": "false",
    "gc.auto": "0",
}

_FOUNDATION = """Orders can be placed and read

Phase 1: products, orders with their lines, one shape for all errors, a described interface.
"""
_SEARCH = """Orders can be searched

Phase 2: GET /api/v1/orders/search finds orders by customer. A line keeps the name its product had when it was
ordered, so the table of lines is written anew. The list and the search share how orders are read, and a page has
at most 50 of them now.

The test of crashes dropped that table and is taken out for now; tests of the search follow.
"""
_REPAIR = """The search is safe, tested and fast, and so is the list again

The text that is searched for is a parameter of the query and no part of it; a search may find nothing.
All orders of a page are read in one query, and the index that went with the old table of lines is back; so a page
may have 100 orders again, as was promised.
The search has tests, and the test of crashes is back.
"""


def build(directory: Path) -> str:
    """Make the repository with the first phase in it and return the commit.

    Raises GatesError when the directory holds something already, or git is not there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise GatesError(f"{directory} is not empty", "name a directory that does not exist yet")
    _git(directory, "init", "--quiet", "--template=")
    return _commit_state(directory, "phase1", _FOUNDATION)


def commit_baselines(directory: Path, phase: str) -> str:
    """Commit what a sign-off wrote, as the person who signed would, and return the commit."""
    _git(directory, "add", "--", "baselines")
    return _commit(directory, f"Phase {phase} is signed off\n")


def commit_second_phase(directory: Path) -> str:
    """Commit the second phase, which loses speed, coverage, safety and sturdiness, and breaks a promise."""
    return _commit_state(directory, "phase2", _SEARCH)


def commit_repair(directory: Path) -> str:
    """Commit the repair of all that the second phase broke and return the commit."""
    return _commit_state(directory, "repaired", _REPAIR)


def _commit_state(directory: Path, state: str, message: str) -> str:
    _git(directory, "add", "--", *_copy(_EXAMPLE / state, directory))
    return _commit(directory, message)


def _copy(source: Path, target: Path) -> list[str]:
    # File by file and without modes: an installed package may be read-only, and pip leaves compiled files in it.
    names = []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_file() and not any(part == "__pycache__" or part.endswith("_cache") for part in name.parts):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)
            names.append(str(name))
    return names


def _commit(directory: Path, message: str) -> str:
    _git(directory, "commit", "--quiet", "--message", message)
    return _git(directory, "rev-parse", "HEAD").strip()


def _git(directory: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "LC_ALL": "C"}
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    code, output, errors = capture(["git", *settings, *arguments], cwd=directory, env=environment)
    if code != 0:
        last = (errors or output).strip()
        raise GatesError(f"git {arguments[0]} failed in {directory}: {last}", "the example needs git 2.32 or newer")
    return output
