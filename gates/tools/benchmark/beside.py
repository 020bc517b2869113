"""Benchmarks of two builds in turns: the same benchmarks, those of this build, on the source of either.

A benchmark that was changed in this phase would be different work in each build, so what holds benchmarks is laid over
a copy of the earlier one. What the earlier source cannot run is not compared, and is said not to be.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gates.alternating import Alternation, NotBeside, Reading, Turn, check_measured_with, is_inside, of_the_earlier
from gates.sequential import BENCH
from gates.tools.base import BesideEarlier, Place
from gates.tools.benchmark.execution import Runner
from gates.tools.benchmark.report import Sample
from gates.tools.benchmark.same_work import (
    Loaded,
    comparable,
    differing,
    files_of,
    is_configured,
    measuring,
    parse_loaded,
    source_of,
)

_PLUGIN = "gates_loaded_files"
_QUICKLY = ("--benchmark-max-time=0.000001", "--benchmark-min-rounds=1", "-p", _PLUGIN)
_SHOWN = 3


@dataclass(kw_only=True)
class BenchmarksBeside(BesideEarlier):
    """The benchmarks of this build and of the earlier one in turns, and everything that was found out."""

    here: Runner
    samples: list[Sample] = field(default_factory=list)
    """Of this build, one a process."""
    _block_seconds: float = 0.0

    def run(self) -> None:
        """Measure until everything is decided.

        Raises NotBeside when the earlier build cannot be measured; what this one brought until then is kept. Raises
        ToolError and NotMeasured for this build as when it is measured alone.
        """
        if not self.blocks:
            raise NotBeside("`pair_blocks` is 0")
        self.context.progress(None, "trying the benchmarks of this build")
        tried, loaded = self._try(self.here, "trial")
        if not tried.medians:
            raise NotBeside("no benchmark could be measured in this build")
        names = self._measuring(tried, loaded)
        with ExitStack() as stack:
            with of_the_earlier():
                there = stack.enter_context(self._place(names))
                runner = replace(self.here, place=there)
                allowed = self._allowed(runner, tried, names)
            self._alternate(runner, allowed)

    def _try(self, runner: Runner, name: str) -> tuple[Sample, Loaded]:
        """Run every benchmark once, without measuring: what can be run, and what source it runs."""
        plugin = self.context.directory / "plugin"
        plugin.mkdir(exist_ok=True)
        (plugin / f"{_PLUGIN}.py").write_bytes(Path(__file__).with_name("loaded_files.py").read_bytes())
        told = self.context.directory / f"{name}.files.json"
        path = os.pathsep.join(filter(None, (runner.place.env.get("PYTHONPATH"), str(plugin))))
        sample = runner.measure(
            name, self.left(), more=_QUICKLY, env={"PYTHONPATH": path, "GATES_LOADED_FILES": str(told)}
        )
        if not told.exists():
            raise NotBeside(f"`{runner.command}` does not let it be seen which source its benchmarks run")
        loaded = parse_loaded(told.read_text("utf-8"))
        told.unlink()
        return sample, loaded

    def _measuring(self, tried: Sample, loaded: Loaded) -> tuple[str, ...]:
        """Return the files and folders that both builds have to have alike."""
        root = self.context.root
        if self.measured_with is None:
            files = files_of(tried.medians, loaded.of(root))
            if not files:
                raise NotBeside(
                    "the files that hold the benchmarks are not in the project", "name them in `measured_with`"
                )
            return measuring(files, source_of(self.context.source))
        check_measured_with(self.measured_with, source_of(self.context.source), lambda name: (root / name).exists())
        return self.measured_with

    @contextmanager
    def _place(self, names: tuple[str, ...]) -> Iterator[Place]:
        earlier = self.earlier
        if earlier.place is None:
            raise NotBeside(earlier.reason or "the earlier build cannot be built")
        began = time.monotonic()
        with earlier.place() as own:
            self._tell_changes(names, own.root)
        with earlier.place(present=names) as there:
            if not is_configured(there.root):
                (there.root / "pytest.ini").write_text("[pytest]\n")  # or pytest would take that of the present project
            self.deadline += time.monotonic() - began
            yield there

    def _tell_changes(self, names: tuple[str, ...], then: Path) -> None:
        changed = differing(names, self.context.root, then)
        if changed:
            self.remarks.append(
                f"both builds ran the benchmarks of this one; {_listed(changed)} "
                f"{'is' if len(changed) == 1 else 'are'} not as in {self.earlier.phase}"
            )

    def _allowed(self, runner: Runner, tried: Sample, names: tuple[str, ...]) -> frozenset[str]:
        """Return the benchmarks that can be compared; raises NotBeside when the builds are not measured alike."""
        phase, versions = self.earlier.phase, runner.versions
        mine, theirs = self.here.versions.get("pytest-benchmark"), versions.get("pytest-benchmark")
        if mine != theirs:
            raise NotBeside(
                f"pytest-benchmark is {mine} here, and {theirs or 'not installed'} in the build of {phase}",
                "let [backend] prepare install the same",
            )
        self.context.progress(None, f"trying the benchmarks on the source of {phase}")
        then, loaded = self._try(runner, "trial-earlier")
        if foreign := loaded.of(self.context.root):
            raise NotBeside(
                f"the benchmarks would run the present {min(foreign)} in the build of {phase}",
                "let them import the source by its name, not by an absolute path",
            )
        others = {
            name for name in loaded.of(runner.place.root)
            if not any(is_inside(name, one) for one in (*names, *source_of(self.context.source)))
        }  # fmt: skip
        if changed := differing(others, self.context.root, runner.place.root):
            self.remarks.append(
                f"each build has its own {_listed(changed)}: name in `measured_with` what measures and is not measured"
            )
        obstacles = comparable(tried, then)
        left_out = {name: why for name, why in obstacles.items() if why}
        if len(left_out) == len(obstacles):
            raise NotBeside(f"no benchmark runs on the source of {phase}: {_told(left_out)}")
        if left_out:
            self.remarks.append(f"not measured side by side: {_told(left_out)}")
        return frozenset(obstacles.keys() - left_out.keys())

    def _alternate(self, there: Runner, allowed: frozenset[str]) -> None:
        def measure(turn: Turn) -> Mapping[str, Reading]:
            began = time.monotonic()
            self.context.progress(turn.share, f"{turn.told}, beside {self.earlier.phase}")
            if turn.new:
                sample = self.here.measure(f"benchmark-{turn.block}", self.left())
                self.samples.append(sample)
            else:
                with of_the_earlier():
                    sample = there.measure(f"benchmark-{turn.block}-earlier", self.left())
            self._block_seconds = max(self._block_seconds, 2.2 * (time.monotonic() - began))
            return {
                name: Reading(median, sample.least[name])
                for name, median in sample.medians.items() if name in allowed and median
            }  # fmt: skip

        self.alternation = Alternation(
            BENCH, self.blocks, self.context.seed, self.context.tolerances, self.context.floor.value,
            room=lambda: time.monotonic() + self._block_seconds < self.deadline,
        )  # fmt: skip
        try:
            self.alternation.run(measure)
        except NotBeside:
            self.alternation = None
            raise


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _told(left_out: Mapping[str, str]) -> str:
    return _listed([f"{name} ({why})" for name, why in left_out.items()])
