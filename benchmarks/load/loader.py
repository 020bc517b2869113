"""Our loader as a process (Locust, gates/load/locustfile.py, an assignment), and the server that it is tried on."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gates.load
from gates.load.assignment import ASSIGNMENT_VARIABLE, Assignment, Counterpart, Sendable, Work, write_assignment
from gates.load.pairs import parse_pairs
from gates.load.recording import Record, parse_record
from gates.load.schedule import Arrivals

HERE = Path(__file__).parent
LOCUSTFILE = Path(gates.load.__file__).with_name("locustfile.py")
CORES = sorted(os.sched_getaffinity(0))
OURS, THEIRS = CORES[0], CORES[-1]
"""The core of the generator, and that of the server."""


@dataclass(frozen=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def counted(self) -> tuple[int, float]:
        """Return how many requests it has answered, and its seconds of CPU."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(b"GET /count HTTP/1.1\r\nHost: x\r\n\r\n")
            answered, cpu = connection.recv(65536).split(b"\r\n\r\n")[1].split()
        return int(answered), float(cpu)


@contextmanager
def serving() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(HERE / "server.py"), str(port), str(THEIRS)])
    server = Server(port, process)
    try:
        for _ in range(100):
            try:
                server.counted()
                break
            except OSError:
                time.sleep(0.05)
        yield server
    finally:
        process.kill()
        process.wait()


class Loader:
    """One run of our loader; `before` is about how many seconds pass until its measured stretch begins."""

    before = 1.5

    def __init__(
        self, folder: Path, server: Server, kind: str, rate: float, seconds: float, connections: int,
        weights: Mapping[str, float],
    ) -> None:  # fmt: skip
        self.folder, self.paired = folder, kind == "pairs"
        folder.mkdir(parents=True, exist_ok=True)
        work = tuple(Work(f"GET /{path}", Sendable("GET", f"/{path}"), weight) for path, weight in weights.items())
        warm_up = 0.0 if kind == "closed" else 0.5
        self.assignment = Assignment(
            kind, server.url, Arrivals(rate, warm_up, seconds), connections, 5.0, "seed", str(folder / "record.json"),
            work, earlier=Counterpart(server.url, work) if self.paired else None, cpus=(OURS,),
        )  # fmt: skip

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return how Locust is started, and in which environment."""
        told = self.folder / "assignment.json"
        told.write_text(write_assignment(self.assignment))
        users = str(self.assignment.connections)
        command = [
            sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary",
            "--host", self.assignment.url, "--users", users, "--spawn-rate", users, "--stop-timeout", "6",
            "--loglevel", "WARNING",
        ]  # fmt: skip
        return command, {**os.environ, ASSIGNMENT_VARIABLE: str(told), "PYTHONPATH": str(LOCUSTFILE.parents[2])}

    @contextmanager
    def running(self, become: Callable[[], object] | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Run it to its end; `become` is called in the process before it starts."""
        command, environment = self.command()
        with open(self.folder / "output.txt", "wb") as output:
            process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=output, stderr=output, preexec_fn=become
            )
        try:
            yield process
            process.wait()
        finally:
            process.kill()
            process.wait()

    def records(self) -> list[Record]:
        """Return what was recorded, of both builds where there are two."""
        path = self.folder / "record.json"
        if not path.exists():
            sys.exit(f"Locust left no record:\n{(self.folder / 'output.txt').read_text()}")
        text = path.read_text()
        if not self.paired:
            return [parse_record(text)]
        pairs = parse_pairs(text)
        return [pairs.new, pairs.old]


def machine() -> str:
    """Return what the figures are of."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown processor")  # fmt: skip
    return f"{model}, {len(CORES)} cores, Linux {os.uname().release}"
