"""How much slower each build of the service really is, one request after the other on one connection, undisturbed.

Asks `same` and one effect in turn, a request each, thousands of times, and prints the median and mean latency and the
middle ratio for every operation. Under load everything takes longer, so the ratios are smaller there.
Run: .venv/bin/python -m benchmarks.detection.measure [EFFECT ...]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.detection import variants
from gates.load.client import Connection, address_of, serialize
from gates.process import available_cores, split_cores

REQUESTS = 2000
BODY = b'{"name": "candle", "price": 250}'
TARGETS = {
    "GET /items": ("GET", "/items", None), "GET /items/{item_id}": ("GET", "/items/7", None),
    "POST /items": ("POST", "/items", BODY), "GET /search": ("GET", "/search?q=basket", None),
    "GET /report": ("GET", "/report", None),
}  # fmt: skip


def compare(effect: str, folder: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Return latencies in seconds of `same` and of an effect, by operation, request by request."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    with ExitStack() as stack:
        connections = []
        for number, name in enumerate((variants.SAME, effect)):
            root = variants.build(name, folder / str(number))
            up = stack.enter_context(
                variants.served(root, folder / f"run-{number}", sys.executable, split_cores(available_cores())[0])
            )
            connections.append((up.url, Connection(address_of(up.url), 10.0)))
        for operation, (method, target, body) in TARGETS.items():
            sides: tuple[list[float], list[float]] = ([], [])
            for _ in range(REQUESTS // (4 if operation == "GET /report" else 1)):
                for (url, connection), side in zip(connections, sides, strict=True):
                    request = serialize(url, method, target, {"Content-Type": "application/json"}, body)
                    began = time.perf_counter()
                    connection.exchange(request)
                    side.append(time.perf_counter() - began)
            found[operation] = sides
    return found


def main() -> None:
    """Print a table for each effect that is named, or for all."""
    for effect in sys.argv[1:] or variants.EFFECTS:
        with tempfile.TemporaryDirectory() as folder:
            found = compare(effect, Path(folder))
        for operation, (same, other) in found.items():
            medians = [statistics.median(side) for side in (same, other)]
            means = [statistics.fmean(side) for side in (same, other)]
            print(f"{effect:12} {operation:22} median {medians[0] * 1e3:.3f} ms, {medians[1] / medians[0]:.3f} times; "
                  f"mean {means[0] * 1e3:.3f} ms, {means[1] / means[0]:.3f} times")  # fmt: skip


if __name__ == "__main__":
    main()
