"""Ceiling per core and latency bias of our loader beside other load generators, in one run, on one server.

The generator has one core, the server another; where it is allowed the server, and at a given rate the generator, go
before ordinary processes. Requests are counted by the server, and the CPU of the generator is
read from outside, over the same seconds: so all are measured alike, whatever they say of themselves. The tools take
turns over several rounds, every second one backwards; the table has medians, and from lowest to highest.

Ceiling: connections that send back to back. Latency: what a tool says of itself at the same rate. The reference is wrk,
which has no rate: the number of its connections makes one, where the server holds each answer for 2 ms (/held), so that
neither think times nor coarse timers are in it. The others then send at that rate, ours as arrivals on a schedule.

Run: .venv/bin/python benchmarks/load/measure.py [--rounds 4] [--seconds 3] [--cache FOLDER]
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from loader import OURS, THEIRS, Loader, Server, machine, serving
from peers import PEERS, Job, NotThere, Peer, Told
from server import HELD, first

from gates.load.clock import MOST_FIRST
from gates.load.histogram import quantile

CONNECTIONS = 32
BIAS_GOAL, CEILING_GOAL = 0.05, 5.0
OUR_NAME, OUR_CLOSED = "gates", "gates, back to back like wrk"


@dataclass(frozen=True)
class Seen:
    """One run: requests per second as the server counted them, CPU seconds per second, and what the tool told."""

    rate: float
    cpu: float
    server: float
    told: Told
    lag: tuple[float, float] | None = None

    @property
    def per_core(self) -> float:
        return self.rate / self.cpu


def cpu_of(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and of all that it started."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def watched(process: subprocess.Popen[bytes], server: Server, seconds: float) -> tuple[float, float, float]:
    """Return requests per second, CPU of the generator and of the server per second, once it is under way."""
    before, tree = server.counted()[0], psutil.Process(process.pid)
    while server.counted()[0] < before + 10:
        if process.poll() is not None:
            raise RuntimeError("the generator ended before it had begun")
        time.sleep(0.05)
    time.sleep(1.0)
    (count, theirs), cpu, began = server.counted(), cpu_of(tree), time.monotonic()
    time.sleep(seconds)
    (count2, theirs2), cpu2, passed = server.counted(), cpu_of(tree), time.monotonic() - began
    return (count2 - count) / passed, (cpu2 - cpu) / passed, (theirs2 - theirs) / passed


class Bench:
    """All tools on one server."""

    def __init__(self, server: Server, folder: Path, seconds: float) -> None:
        self.server, self.folder, self.seconds = server, folder, seconds
        self._runs = 0

    def _next(self) -> Path:
        self._runs += 1
        folder = self.folder / f"{self._runs:04}"
        folder.mkdir()
        return folder

    def ours(self, path: str, connections: int, rate: float | None, *, bare: bool = True) -> Seen:
        """Run ours, on a schedule or back to back; on a schedule it goes first by itself where that is right."""
        length = self.seconds + 1.5
        kind = "open" if rate else "closed"
        loader = Loader(self._next(), self.server, kind, rate or 1.0, length, connections, {path.lstrip("/"): 1.0})
        with loader.running(None if bare else first) as process:
            seen = watched(process, self.server, self.seconds)
        (record,) = loader.records()
        latencies = record.success_latencies()
        told = Told(quantile(latencies, 0.5), quantile(latencies, 0.99), record.requests - record.succeeded)
        lag = (quantile(record.lag, 0.5), quantile(record.lag, 0.99)) if record.lag else None
        return Seen(*seen, told, lag)

    def theirs(self, peer: Peer, path: str, connections: int, rate: float | None, *, bare: bool = False) -> Seen:
        """Run another generator; `bare` is without going before ordinary processes, as ours does on a schedule."""

        def become() -> None:
            os.sched_setaffinity(0, {OURS})
            if not bare:
                first()

        folder = self._next()
        job = Job(self.server.url, path, connections, round(self.seconds + 2), folder, rate)
        command = peer.command(job)
        with open(folder / "output.txt", "wb") as output:
            process = subprocess.Popen(
                command.argv, env={**os.environ, **command.environment}, cwd=folder, stdout=output, stderr=output,
                preexec_fn=become,
            )  # fmt: skip
        try:
            seen = watched(process, self.server, self.seconds)
            process.wait(60)
            return Seen(*seen, peer.told(job))
        except (RuntimeError, OSError, ValueError, AssertionError) as error:
            sys.exit(f"{peer.name}: {error}\n{(folder / 'output.txt').read_text()}")
        finally:
            process.kill()
            process.wait()


Turn = Callable[[], Seen]


def in_turns(turns: dict[str, Turn], rounds: int) -> dict[str, list[Seen]]:
    """Run everything several times, every second round backwards."""
    seen: dict[str, list[Seen]] = {name: [] for name in turns}
    for number in range(rounds):
        for name in sorted(turns, key=list(turns).index, reverse=number % 2 == 1):
            seen[name].append(turns[name]())
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return seen


def spread(values: Sequence[float], form: str) -> str:
    """Return the median with the lowest and the highest."""
    middle, low, high = (format(one, form) for one in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low} to {high})"


def ceilings(bench: Bench, peers: Sequence[Peer], absent: dict[str, str], rounds: int) -> float:
    """Print the ceilings, and return ours in requests per CPU second."""
    turns: dict[str, Turn] = {OUR_NAME: lambda: bench.ours("/items", CONNECTIONS, None)}
    for peer in peers:
        turns[peer.name] = lambda peer=peer: bench.theirs(peer, "/items", CONNECTIONS, None, bare=True)  # type: ignore[misc]
    seen = in_turns(turns, rounds)
    plain = statistics.median(one.per_core for one in seen["FastHttpUser"])
    print(f"\n### Ceiling: {CONNECTIONS} connections back to back\n")
    print("| generator | requests per second of its CPU | requests/s | its core | server's core | times FastHttpUser |")
    print("|---|---|---|---|---|---|")
    for name, runs in seen.items():
        per_core = [one.per_core for one in runs]
        print(
            f"| {name} | {spread(per_core, ',.0f')} | {statistics.median(one.rate for one in runs):,.0f} | "
            f"{statistics.median(one.cpu for one in runs):.0%} | {statistics.median(one.server for one in runs):.0%} | "
            f"{statistics.median(per_core) / plain:.2f} |"
        )
    for name, reason in absent.items():
        print(f"| {name} | not measured: {reason} | | | | |")
    ours = statistics.median(one.per_core for one in seen[OUR_NAME])
    most = max((one for runs in seen.values() for one in runs), key=lambda one: one.rate)
    reached = "reached" if ours >= CEILING_GOAL * plain else "not reached"
    print(
        f"\nGoal: at least {CEILING_GOAL:g} times FastHttpUser: {reached} ({ours / plain:.1f}). "
        f"The server itself bears {most.rate / most.server:,.0f} requests per second of its core."
    )
    return ours


def latencies(bench: Bench, title: str, path: str, connections: int, peers: Sequence[Peer], rounds: int) -> None:
    """Print what our loader and others tell at the rate that wrk has with so many connections."""
    wrk = next(peer for peer in peers if peer.name == "wrk")
    rate = bench.theirs(wrk, path, connections, None).rate
    # A pool for ours and for those who need it: twice what is on its way on average.
    pool = 2 * connections + 8
    bare = rate > MOST_FIRST  # ours does not go first then either
    turns: dict[str, Turn] = {
        "wrk": lambda: bench.theirs(wrk, path, connections, None, bare=bare),
        OUR_NAME: lambda: bench.ours(path, pool, rate),
        OUR_CLOSED: lambda: bench.ours(path, connections, None, bare=bare),
    }
    for peer in peers:
        if peer is not wrk:
            turns[peer.name] = lambda peer=peer: bench.theirs(peer, path, pool, rate)  # type: ignore[misc]
    seen = in_turns(turns, rounds)
    print(f"\n### {title}: {rate:,.0f} requests/s, wrk with {connections} connections on {path}\n")
    print("| generator | requests/s | its core | p50 in ms | beside wrk | p99 in ms | beside wrk |")
    print("|---|---|---|---|---|---|---|")
    base = [statistics.median(getattr(one.told, share) for one in seen["wrk"]) for share in ("p50", "p99")]
    for name, runs in seen.items():
        cells = []
        for share, reference in zip(("p50", "p99"), base, strict=True):
            times = [getattr(one.told, share) * 1000 for one in runs]
            middle = statistics.median(times) / 1000
            cells += [spread(times, ".3f"), f"{middle / reference - 1:+.1%}, {(middle - reference) * 1e6:+.0f} µs"]
        failed = sum(one.told.failed for one in runs)
        print(
            f"| {name}{f' ({failed} failed)' if failed else ''} | {statistics.median(one.rate for one in runs):,.0f} | "
            f"{statistics.median(one.cpu for one in runs):.0%} | {' | '.join(cells)} |"
        )
    lags = [one.lag for one in seen[OUR_NAME] if one.lag]
    told = " and ".join(
        f"{name} {statistics.median(column) * 1e6:.0f} µs"
        for name, column in zip(("p50", "p99"), zip(*lags, strict=True), strict=False)
    )
    print(
        f"\nThe latency of gates counts from when a request was due, its lag included ({told or 'none'}); "
        "that of wrk counts from when it was sent, by connections that send back to back and so come in bursts."
    )


def fetched(cache: Path) -> tuple[list[Peer], dict[str, str]]:
    """Return the tools that are there, and why the others are not."""
    there: list[Peer] = []
    absent: dict[str, str] = {}
    for peer in PEERS:
        try:
            peer.fetch(cache)
        except NotThere as error:
            absent[peer.name] = str(error)
        else:
            there.append(peer)
    return there, absent


def may_go_first() -> bool:
    """Return whether a process may go before ordinary ones; tried by one that does nothing else."""
    code = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0, help="measured of each run")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "gates-load-tools")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    peers, absent = fetched(given.cache)
    versions = {OUR_NAME: f"locust {version('locust')}, gevent {version('gevent')}"} | {
        peer.name: peer.version for peer in peers
    }
    print(f"{time.strftime('%Y-%m-%d')}, {machine()}, Python {platform.python_version()}, load average "
          f"{os.getloadavg()[0]:.1f}; generator on core {OURS}, server on core {THEIRS}; {given.rounds} rounds of "
          f"{given.seconds:g} s, median (lowest to highest)")  # fmt: skip
    print(f"going before ordinary processes is {'allowed' if may_go_first() else 'refused'} here")
    print("; ".join(f"{name}: {told}" for name, told in versions.items()))
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        bench = Bench(server, Path(folder), given.seconds)
        ceiling = ceilings(bench, peers, absent, given.rounds)
        if "wrk" in absent:
            print(f"\nNo latencies: the reference is wrk, and it is not there ({absent['wrk']}).")
            return 1
        wrk = [peer for peer in peers if peer.name == "wrk"]
        latencies(bench, "All at a rate that each of them bears", "/held", 2, peers, given.rounds)
        for share in (0.10, 0.50):
            connections = max(1, round(share * ceiling * (HELD + 60e-6)))
            latencies(bench, f"{share:.0%} of our ceiling", "/held", connections, wrk, given.rounds)
        # One connection: with more wrk sends faster than ours can by a schedule.
        latencies(bench, "An answer at once", "/items", 1, wrk, given.rounds)
    for peer in peers:
        if peer.note:
            print(f"\n{peer.name}: {peer.note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
