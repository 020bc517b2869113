"""The builds of the service: one for each effect, in a folder of its own, as two commits would be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gates.backend.serving import serving
from gates.config.model import Backend
from gates.tools.base import Serving

SERVICE = Path(__file__).parent / "service"
SAME = "same"
EFFECTS = tuple(sorted(path.stem for path in (SERVICE / "effects").glob("*.py")))
"""Names of the effects; `same` is the build that all others are measured beside."""


def build(effect: str, folder: Path) -> Path:
    """Return the folder of a build, made anew: the service, and the effect that it has."""
    target = folder / effect
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copy(SERVICE / "service.py", target)
    shutil.copy(SERVICE / "effects" / f"{effect}.py", target / "effect.py")
    return target


@contextmanager
def served(root: Path, directory: Path, python: str, cpus: frozenset[int] | None) -> Iterator[Serving]:
    """Yield a build once it answers, started as gates starts every backend."""
    backend = Backend(
        start=f"{python} service.py --port {{port}}", ready="/health", openapi="/openapi.json",
        env={"PYTHONDONTWRITEBYTECODE": ""},
    )  # fmt: skip
    with serving(backend, root, directory, cpus) as up:
        yield up
