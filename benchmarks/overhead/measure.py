"""The harness's own share of a full check on the example: wall time in which no tool and no backend ran, and its CPU.

Watched from outside: every 2 ms, whether the process of gates has any child, and how much CPU it used itself.
Run: .venv/bin/python benchmarks/overhead/measure.py [RUNS]
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gates.demo.repository import build

GOAL = 2.0
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def has_child(pid: int) -> bool:
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            if Path(f"/proc/{pid}/task/{task}/children").read_bytes():
                return True
        except OSError:
            continue  # a thread that has ended
    return False


def watch(root: Path) -> tuple[float, float, float]:
    """Return wall seconds, seconds without any child, and CPU seconds of the harness itself."""
    began = previous = time.perf_counter()
    alone = cpu = 0.0
    with open(root.parent / "output.txt", "w") as output:
        process = subprocess.Popen([sys.executable, "-m", "gates", "check"], cwd=root, stdout=output, stderr=output)
        while process.poll() is None:
            now = time.perf_counter()
            try:
                cpu = cpu_seconds(process.pid)
                if not has_child(process.pid):
                    alone += now - previous
            except OSError:
                break  # it has just ended
            previous = now
            time.sleep(0.002)
        process.wait()
    if process.returncode not in (0, 4):
        sys.exit(f"gates check ended with {process.returncode}:\n{(root.parent / 'output.txt').read_text()}")
    return time.perf_counter() - began, alone, cpu


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "orders"
        build(root)
        rows = [watch(root) for _ in range(runs)]
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, {runs} full checks")
    for name, column in zip(
        ("wall", "no tool or backend running", "CPU of the harness itself"), zip(*rows, strict=True), strict=True
    ):
        print(f"{name:28} median {statistics.median(column):6.2f} s   from {min(column):.2f} to {max(column):.2f}")
    print(f"goal: less than {GOAL:g} s without any tool running")
    return 0


if __name__ == "__main__":
    sys.exit(main())
