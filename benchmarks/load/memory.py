"""Whether the loader's memory grows with the length of a run: one run of Locust with our locustfile, watched.

The run has the requests of 30 minutes at 500 per second (900,000), in less time; answers are of every kind: heads that
are never alike, chunked, compressed, errors, redirects, connections that end. RSS after a quarter of the requests
stands beside that at their end; nothing that grows with every request stays hidden, nor what grows with every second.

Run: .venv/bin/python benchmarks/load/memory.py [--rate 10000] [--requests 900000] [--pairs]
The real one: .venv/bin/python benchmarks/load/memory.py --rate 500
"""

import argparse
import platform
import sys
import tempfile
import time
from pathlib import Path

from loader import Loader, serving

GOAL_MB, GOAL_GROWTH = 150, 1.05
PATHS = ("items", "unlike", "chunked", "gzip", "error", "away", "close", "drop")


def rss(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    sys.exit("the loader ended before its time")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=10_000)
    parser.add_argument("--requests", type=int, default=900_000)
    parser.add_argument("--pairs", action="store_true", help="two builds in pairs, not one")
    given = parser.parse_args()
    seconds = given.requests / given.rate
    print(f"{time.strftime('%Y-%m-%d')}  Python {platform.python_version()}  {given.requests} requests at "
          f"{given.rate:g}/s: {seconds:.0f} s{', in pairs' if given.pairs else ''}")  # fmt: skip
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        # Of one in a thousand the answer is an error, a redirect or none at all; the rest are answers of three kinds.
        weights = {path: 1.0 if path in ("items", "unlike", "chunked", "gzip") else 0.001 for path in PATHS}
        loader = Loader(Path(folder), server, "pairs" if given.pairs else "open", given.rate, seconds, 64, weights)
        with loader.running() as process:
            began = time.monotonic()
            seen = []
            for share in (0.05, 0.25, 0.5, 0.75, 0.97):
                time.sleep(max(0.0, began + loader.before + share * seconds - time.monotonic()))
                seen.append(rss(process.pid))
                print(f"after {share * given.requests:9,.0f} requests   {seen[-1]:6.1f} MB", flush=True)
        records = loader.records()
    growth = seen[-1] / seen[1]
    print(f"four times as many requests: {growth:.3f} times the memory (goal: at most {GOAL_GROWTH}); "
          f"largest {max(seen):.0f} MB (goal: under {GOAL_MB} MB)")  # fmt: skip
    requests, succeeded = sum(one.requests for one in records), sum(one.succeeded for one in records)
    print(
        f"recorded: {requests} requests, {requests / given.requests:.1%} of those that were due; "
        f"{requests - succeeded} did not succeed, {sum(one.reopened for one in records)} connections were reopened"
    )
    return 0 if growth <= GOAL_GROWTH and max(seen) < GOAL_MB else 1


if __name__ == "__main__":
    sys.exit(main())
