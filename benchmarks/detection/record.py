"""Records epochs of two builds of the service: real servers, real Locust, through the product's own epochs.

Nothing is decided here and nothing stops early: every epoch is kept, those that cannot be believed with their doubts.
It may be interrupted at any moment and goes on where it stopped. Run in the folder of any checkout, whose own gates
it measures with:

    .venv/bin/python -m benchmarks.detection.record --minutes 60
    .venv/bin/python -m benchmarks.detection.record --effect uniform_05 --regime quiet --epochs 16
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.detection import needed, regimes, rows, variants
from gates import git
from gates.errors import GatesError
from gates.load.pairs import together
from gates.load.preparation import Prepared
from gates.load.rate import Rates
from gates.machine import fingerprint
from gates.tools.base import Context, EarlierBuild, Serving
from gates.tools.locust import Locust, run
from gates.tools.locust.beside import BesideCampaign

ROOT = Path(__file__).resolve().parents[2]
RATE = 320.0
"""Pairs per second."""
SECONDS = 8.0
WARM_UP = 1.5
CONNECTIONS = 64
CHUNK = 16
"""Epochs of one cell in a row, before the next one: as many as the longest gate takes."""
_MOST_FAILURES = 3


class RecordedCampaign(BesideCampaign):
    """The product's campaign, epoch by epoch; the rate is the same in all rows, so that they can be compared."""

    def _choose_rates(self, prepared: Prepared) -> None:
        each = RATE / len(prepared.work)
        self.rates = Rates(each, {work.operation: each for work in prepared.work}, SECONDS, "as in all rows")

    def epoch(self, number: int, sitting: str) -> rows.Row:
        """Measure one epoch; raises GatesError when there was none."""
        began, at = time.monotonic(), time.time()
        both = self._both(number, again=False)
        if both is None:
            raise GatesError(f"the new build died: {[finding.message for finding in self.findings]}")
        loaded, paired = both
        sampled = next(self.context.directory.rglob("sampled.json"))
        sample = rows.pair_up(json.loads(sampled.read_text("utf-8")))
        shutil.rmtree(sampled.parent)
        return rows.Row(
            sitting, at, SECONDS, WARM_UP, time.monotonic() - began, paired,
            tuple(doubt.check for doubt in loaded.doubts), loaded.conditions, sample,
        )  # fmt: skip


@dataclass(frozen=True)
class Sitting:
    """One start of the recorder: where it works, and how it is named in the rows."""

    id: str
    seed: int
    scratch: Path
    folder: Path

    def line(self, around: regimes.Surroundings) -> dict[str, object]:
        """Return what is known of it, for the file of rows."""
        versions = {name: version(name) for name in ("locust", "gevent", "numpy")}
        checkout = git.read_checkout(ROOT, ("baselines", "benchmarks/detection/rows"))
        return {
            "id": self.id, "format": rows.FORMAT, "machine": fingerprint(), "versions": versions,
            "date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": checkout.commit, "dirty": checkout.dirty,
            "rate": RATE, "seconds": SECONDS, "warm_up": WARM_UP, "around": around.told,
        }  # fmt: skip


def campaign(effect: str, sitting: Sitting, around: regimes.Surroundings) -> RecordedCampaign:
    """Return a campaign of an effect beside `same`; both are built anew."""
    place = Path(tempfile.mkdtemp(prefix=f"{effect}-", dir=sitting.scratch))

    def serve(name: str, side: str) -> Callable[..., AbstractContextManager[Serving]]:
        root = variants.build(name, place / side)

        @contextmanager
        def up(*, cpus: frozenset[int] | None = None) -> Iterator[Serving]:
            with variants.served(root, place / f"{side}-run", sys.executable, cpus) as serving:
                around.adopt([process.pid for process in serving.running.processes()])  # type: ignore[attr-defined]
                yield serving

        return up

    context = Context(
        root=place, source=(), python=sys.executable, env={}, directory=place / "load", gate="load",
        serve=serve(effect, "new"), classify=lambda name, definition: "simple",
        earlier=EarlierBuild("same", "0" * 40, serve(variants.SAME, "old")),
        seed=random.Random(f"{sitting.seed}:{time.time_ns()}").randrange(2**31),
    )  # fmt: skip
    settings = Locust(
        rate=RATE, warm_up=WARM_UP, pair_seconds=SECONDS, pair_epochs=CHUNK, connections=CONNECTIONS, users=0,
        pair_throughput=0.0,  # rows hold none, and those that are there were recorded without
        timeout=10 * CHUNK * (SECONDS + WARM_UP),
    )  # fmt: skip
    return RecordedCampaign(settings, context)


def record(effect: str, regime: str, epochs: int, sitting: Sitting, until: float) -> int:
    """Record epochs of one cell; return how many there were until the time was up."""
    path = rows.path_of(effect, regime, sitting.folder)
    cut = rows.repair(path)
    if cut:
        print(f"{path.name}: {cut} bytes of a row that was interrupted are cut off", flush=True)
    done = failures = 0
    with regimes.regime(regime, sitting.seed, sitting.scratch) as around:
        rows.append(path, sitting.line(around))
        load = campaign(effect, sitting, around)
        while done < epochs and time.monotonic() < until:
            around.seen()
            try:
                row = load.epoch(done + failures + 1, sitting.id)
            except GatesError as error:
                failures += 1
                print(f"{effect} {regime}: no epoch: {error.message}", flush=True)
                if failures >= _MOST_FAILURES:
                    raise
                continue
            row.conditions.update(around.seen())  # type: ignore[attr-defined]
            rows.append(path, rows.write_row(row))
            done += 1
            _tell(effect, regime, done, epochs, row)
    shutil.rmtree(load.context.root)
    return done


def _tell(effect: str, regime: str, done: int, epochs: int, row: rows.Row) -> None:
    shift = together(row.paired.ratios).shift()
    doubts = f"; not to be believed: {', '.join(row.doubts)}" if row.doubts else ""
    seen = {name: row.conditions.get(name) for name in ("both_cpu", "lag_p99", "steal", "quota_used_up")}
    told = ", ".join(f"{name} {value:.3g}" for name, value in seen.items() if value is not None)
    print(f"{effect:12} {regime:10} {done:3} of {epochs}: shift {shift:+.4f}, {row.paired.pairs} pairs, "
          f"{row.wall:.1f} s; {told}{doubts}", flush=True)  # fmt: skip


def main() -> int:
    """Record what was asked for, or what the table lacks most, until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effect", choices=variants.EFFECTS, help="without it, what the table lacks most")
    parser.add_argument("--regime", choices=regimes.REGIMES)
    parser.add_argument("--epochs", type=int, help="how many (of one cell); without it until the time is up")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rows", type=Path, default=rows.ROWS, help="the folder of the rows")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way, what was started is stopped
    until = time.monotonic() + 60 * options.minutes
    seed = random.SystemRandom().randrange(2**31)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{seed % 4096:03x}"
    run._LOCUSTFILE = Path(__file__).with_name("locustfile.py")
    draw, left = random.Random(seed), options.epochs or sys.maxsize
    try:
        with tempfile.TemporaryDirectory(prefix="detection-") as scratch:
            sitting = Sitting(name, seed, Path(scratch), options.rows)
            while left > 0 and time.monotonic() < until:
                cell = needed.next_cell(draw, options.rows, options.effect, options.regime)
                if cell is None:
                    print("the table lacks nothing more")
                    break
                left -= record(*cell, min(CHUNK, left), sitting, until)
    except KeyboardInterrupt:
        print("interrupted: what was recorded stays")
    except GatesError as error:
        print(f"the recording ended: {error}", file=sys.stderr)
        return 1
    print(needed.told(options.rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
