"""Options that make pytest tell us everything, and keep a project's own options from stopping it early."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from gates.tools.coverage.interpreter import Interpreter

_CONFIGURED_IN = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_PARALLEL = re.compile(r"""(^|[\s"'=,])(-n[\s=]?\s*(auto|logical|[1-9])|--numprocesses|--tx\b)""", re.MULTILINE)
_NAMES = {
    "pytest_cov": ("cov", "pytest_cov"),
    "xdist": ("xdist",),
    "pytest_randomly": ("randomly", "pytest_randomly"),
    "pytest_rerunfailures": ("rerunfailures", "pytest_rerunfailures"),
}


def own_words(command: str, env: Mapping[str, str], root: Path) -> str:
    """Return every text in which the project can have put options of pytest."""
    texts = [command, env.get("PYTEST_ADDOPTS", "")]
    texts += [(root / name).read_text("utf-8", "replace") for name in _CONFIGURED_IN if (root / name).is_file()]
    return "\n".join(texts)


def pytest_options(interpreter: Interpreter, words: str, autoload: bool, seed: int) -> tuple[list[str], list[str]]:
    """Return options to put last, and notes about those that change how the project runs its tests.

    `words` are the project's own (see `own_words`). An option of a plug-in is only given where the plug-in is loaded:
    elsewhere pytest refuses it.
    """
    options = ["--maxfail=0", "--color=no", "--junit-prefix=", "-o", "junit_suite_name=pytest"]
    options += ["-o", "junit_family=xunit1", "-o", "junit_logging=no"]
    notes = []
    if _is_loaded("pytest_cov", interpreter, words, autoload):
        options.append("--no-cov")  # two measurements in one process disturb each other
    if _is_loaded("pytest_randomly", interpreter, words, autoload):
        options.append(f"--randomly-seed={seed}")
    if _is_loaded("pytest_rerunfailures", interpreter, words, autoload):
        options.append("--reruns=0")  # it would hide what is flaky
    if not interpreter.measures_subprocesses and _is_loaded("xdist", interpreter, words, autoload):
        options.append("-n0")
        if _PARALLEL.search(words):
            notes.append(
                f"the tests ran one after another: coverage {interpreter.coverage} cannot measure the workers of "
                "pytest-xdist, 7.10 and newer can"
            )
    return options, notes


def remembers_failures(words: str) -> bool:
    """Return whether pytest can run the tests again that failed: its cache knows them, unless the project says no."""
    return "no:cacheprovider" not in words and "--cache-clear" not in words


def _is_loaded(plugin: str, interpreter: Interpreter, words: str, autoload: bool) -> bool:
    if plugin not in interpreter.plugins or any(f"no:{name}" in words for name in _NAMES[plugin]):
        return False
    named = any(re.search(rf"-p[\s=\"',]*{name}\b", words) for name in _NAMES[plugin])
    return named or (autoload and "--disable-plugin-autoload" not in words)
