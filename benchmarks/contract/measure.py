"""Time and peak memory of `gates contract OLD NEW` on documents of several sizes, in fresh processes that take turns.

Each document is compared with a twin of which a share of the schemas has changed. The whole process is measured from
outside, as a user waits for it: start of Python, reading and parsing both files, comparing, printing. The cost of a
megabyte is the CPU time that a document takes more than the smallest possible one, by its size (CPU, so that
neighbours do not count); it stays the same where the cost grows linearly. Round by round all sizes take turns, every
second round backwards; medians, and from lowest to highest.

Run: .venv/bin/python benchmarks/contract/measure.py [--rounds 5] [--sizes 0.5 1 2 4 8 16] [--yaml 1 2 4 8]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from generated import document, twin

GOAL_SECONDS, GOAL_MB, GOAL_RATIO = 5.0, 500, 1.5
SEVERAL = 8.0  # megabytes up to which the goals hold
FEW, MANY = 0.02, 0.5


@dataclass
class Case:
    """Two files to compare, with what was seen: seconds, CPU seconds and peak megabytes of each run."""

    name: str
    old: Path
    new: Path
    breaks: int
    seen: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def megabytes(self) -> float:
        return self.old.stat().st_size / 1e6

    def median(self, column: int) -> float:
        return statistics.median(row[column] for row in self.seen)

    def run(self, folder: Path) -> None:
        command = [sys.executable, "-m", "gates", "contract", str(self.old), str(self.new)]
        began = time.perf_counter()
        with open(folder / "out.txt", "w") as output:
            process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != (1 if self.breaks else 0):
            sys.exit(f"{self.name}: exit code {process.returncode}\n{(folder / 'out.txt').read_text()[:2000]}")
        self.seen.append((seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))


def resources_for(megabytes: float) -> int:
    """Return how many resources make a document of that size: each of a sample costs the same."""
    sample = 40
    return max(1, round(megabytes * 1e6 / (len(json.dumps(document(sample))) / sample)))


def written(folder: Path, name: str, megabytes: float, share: float, as_yaml: bool = False) -> Case:
    """Write a document and its twin."""
    old = document(resources_for(megabytes))
    new, breaks = twin(old, share) if share else (old, 0)
    paths = [folder / f"{name}-{which}.{'yaml' if as_yaml else 'json'}" for which in ("old", "new")]
    for path, content in zip(paths, (old, new), strict=True):
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        path.write_text(yaml.dump(content, Dumper=dumper, sort_keys=False) if as_yaml else json.dumps(content))
    return Case(name, *paths, breaks)


def smallest(folder: Path) -> Case:
    """Write two documents of no size: what remains is the start of the process."""
    paths = [folder / f"none-{which}.json" for which in ("old", "new")]
    for path in paths:
        path.write_text('{"openapi": "3.0.3", "info": {"title": "none", "version": "1"}, "paths": {}}')
    return Case("none", *paths, 0)


def table(cases: list[Case], start: Case) -> None:
    print(f"{'document':16} {'MB':>6} {'changes':>8} {'seconds':>8} {'from .. to':>14} {'CPU s':>7} {'peak MB':>8} "
          f"{'CPU/MB':>9} {'MB per MB':>10}")  # fmt: skip
    for case in [start, *cases]:
        every = [row[0] for row in case.seen]
        per = [(case.median(column) - start.median(column)) / case.megabytes for column in (1, 2)]
        costs = f"{per[0]:9.3f} {per[1]:10.1f}" if case is not start else ""
        spread = f"{min(every):.2f} .. {max(every):.2f}"
        print(f"{case.name:16} {case.megabytes:6.2f} {case.breaks:8} {case.median(0):8.2f} {spread:>14} "
              f"{case.median(1):7.2f} {case.median(2):8.0f} {costs}")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.5, 1, 2, 4, 8, 16])
    parser.add_argument("--yaml", type=float, nargs="*", default=[1, 2, 4, 8])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = smallest(folder)
        # A process that is started counts what its parent held at that moment: the documents are made in another one.
        with ProcessPoolExecutor(1) as maker:
            jobs = [maker.submit(written, folder, f"{size:g} MB", size, FEW) for size in sorted(given.sizes)]
            jobs.append(maker.submit(written, folder, f"{SEVERAL:g} MB, half new", SEVERAL, MANY))
            for size in sorted(given.yaml):
                jobs.append(maker.submit(written, folder, f"{size:g} MB of YAML", size, FEW, as_yaml=True))
            cases = [job.result() for job in jobs]
        plain = cases[: len(given.sizes)]
        for number in range(given.rounds):
            for case in [start, *cases][:: -1 if number % 2 else 1]:
                case.run(folder)
        print(f"{time.strftime('%Y-%m-%d')}  Python {platform.python_version()}, {platform.machine()}, "
              f"{os.cpu_count()} cores, {given.rounds} rounds, medians of whole processes")  # fmt: skip
        table(cases, start)
        costs = [(case.median(1) - start.median(1)) / case.megabytes for case in plain if case.megabytes >= 0.9]
        several = [case for case in plain if case.megabytes <= SEVERAL * 1.1]
        slowest, largest = max(case.median(0) for case in several), max(case.median(2) for case in several)
    ratio = costs[-1] / costs[0]
    print(f"a megabyte of the largest document costs {ratio:.2f} times one of the smallest from 1 MB on "
          f"(goal: at most {GOAL_RATIO})")  # fmt: skip
    print(f"up to {SEVERAL:g} MB: {slowest:.2f} s and {largest:.0f} MB at most "
          f"(goal: {GOAL_SECONDS:g} s and {GOAL_MB} MB)")  # fmt: skip
    return 0 if ratio <= GOAL_RATIO and slowest <= GOAL_SECONDS and largest <= GOAL_MB else 1


if __name__ == "__main__":
    sys.exit(main())
