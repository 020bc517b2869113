"""The real apache-otava, in an environment of its own: change points in the history of runs and one new run.

It is installed once, beside the environment this runs in; where that is not possible the table says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.detection.runs import Comparison

VERSION = "0.8.0"
BEFORE = 10
"""Runs of the earlier build before the one that is judged."""
_ENVIRONMENT = Path(sys.prefix) / "otava"
_INSTALLING = 300.0
_ANALYSING = 300.0
# Runs in that environment. Each item is the values of each metric, the new run last; the answer is whether a change
# point for the worse stands at the new run. Options are Otava's own defaults.
_PROGRAM = """
import json, sys
from otava.series import AnalysisOptions, Metric, Series
found = []
for item in json.load(sys.stdin):
    last = len(next(iter(item.values()))) - 1
    metrics = {name: Metric(-1, 1.0, "s") for name in item}
    series = Series("load", None, list(range(last + 1)), metrics, item, {"run": [str(at) for at in range(last + 1)]})
    points = series.analyze(AnalysisOptions()).change_points
    found.append(any(point.index == last and point.forward_change_percent() > 0
                     for several in points.values() for point in several))
json.dump(found, sys.stdout)
"""


class NoOtava(Exception):
    """It cannot be run here; the message says why."""


def installed(folder: Path = _ENVIRONMENT) -> Path:
    """Return the interpreter that has it, installing it where it is not there yet; raises NoOtava."""
    python, marker = folder / "bin" / "python", folder / f"apache-otava-{VERSION}"
    if marker.exists():
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"apache-otava=={VERSION}"],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALLING, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoOtava(f"apache-otava {VERSION} cannot be installed: {error}") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            raise NoOtava(f"apache-otava {VERSION} cannot be installed: {lines[-1] if lines else 'no message'}")
    marker.touch()
    return python


def series_of(one: Comparison) -> dict[str, list[float]] | None:
    """Return the mean of each operation and the p95 over all, run by run, the new one last; None with too few runs."""
    before = one.history[-BEFORE:]
    if len(before) < BEFORE:
        return None
    runs = [*before, one.now]
    names = [name for name in one.now.operations if all(name in run.means for run in before)]
    return {**{name: [run.means[name] for run in runs] for name in names}, "p95": [run.p95 for run in runs]}


def judge(comparisons: Sequence[Comparison]) -> list[bool | None]:
    """Return for each comparison whether Otava sees a change for the worse; None where there are too few runs."""
    items = [series_of(one) for one in comparisons]
    asked = json.dumps([item for item in items if item is not None])
    python = installed()
    try:
        done = subprocess.run(
            [str(python), "-c", _PROGRAM], input=asked, capture_output=True, text=True, timeout=_ANALYSING, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoOtava(f"apache-otava did not answer: {error}") from error
    if done.returncode:
        raise NoOtava(f"apache-otava ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    answers = iter(json.loads(done.stdout))
    return [None if item is None else next(answers) for item in items]
