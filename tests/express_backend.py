"""Node and Express for the tests that need them: `tests/backends/express` with its packages installed, once."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path

from gates.process import capture

EXPRESS = Path(__file__).parent / "backends" / "express"


def node_environment() -> dict[str, str]:
    """Return the environment in which `node`, `npm` and `npx` are found.

    They stand beside this Python, as programs that start the real ones: a signal to their process misses Node itself.
    """
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


def install_packages() -> Path:
    """Install the packages of the Express backend, unless they are there, and return their folder.

    Safe for several test processes at once. The packages stay beside the backend and are ignored by git.
    """
    modules = EXPRESS / "node_modules"
    stamp = modules / ".installed-lock.json"
    wanted = (EXPRESS / "package-lock.json").read_bytes()
    with (EXPRESS / "package.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_bytes() != wanted:
            code, output, errors = capture(
                ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=EXPRESS, env=node_environment(), timeout=300,
            )  # fmt: skip
            assert code == 0, f"npm ci failed: {errors or output}"
            stamp.write_bytes(wanted)
    return modules


def copy_project(target: Path) -> Path:
    """Copy the Express backend to a new folder, with its packages linked, and return the folder."""
    modules = install_packages()
    shutil.copytree(EXPRESS, target, ignore=shutil.ignore_patterns("node_modules", "reports"))
    (target / "node_modules").symlink_to(modules)
    return target
