"""Whole-process time of `gates --version` beside the smallest typer program, in turn, on this machine.

Run: .venv/bin/python benchmarks/startup/measure.py [PAIRS]
"""

import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = {
    "gates": [sys.executable, "-m", "gates", "--version"],
    "minimal": [sys.executable, str(HERE / "minimal.py"), "--version"],
}
GOAL = 1.5


def measure(command: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of one whole process."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in PROGRAMS}
    for command in PROGRAMS.values():
        measure(command)  # fills the page cache and the bytecode
    for number in range(pairs):
        for name in sorted(PROGRAMS, reverse=number % 2 == 1):
            times[name].append(measure(PROGRAMS[name]))
    print(f"Python {platform.python_version()}, {platform.machine()}, {pairs} pairs, median of whole processes")
    print(f"{'program':10} {'wall':>8} {'CPU':>8}")
    for name, rows in times.items():
        wall, cpu = (statistics.median(column) * 1000 for column in zip(*rows, strict=True))
        print(f"{name:10} {wall:6.0f}ms {cpu:6.0f}ms")
    pairs_of_rows = list(zip(times["gates"], times["minimal"], strict=True))
    for position, kind in enumerate(("wall", "CPU")):
        ratio = statistics.median(ours[position] / theirs[position] for ours, theirs in pairs_of_rows)
        print(f"ratio of {kind}, pair by pair: {ratio:.2f} (goal: at most {GOAL})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
