"""Two builds side by side, whatever they are loaded with: fresh epochs of both, until what they say is decided."""

from __future__ import annotations

import abc
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from gates.alternating import NotBeside, of_the_earlier
from gates.errors import NotMeasured, ToolError
from gates.load.pairs import PairRecord
from gates.load.rate import Rates, scaled
from gates.load.validity import OVERLOAD, too_many
from gates.process import available_cores, split_cores
from gates.results import Gap, Measurement
from gates.sequential import CONFIRMING, look, plan, quantities_of, settled
from gates.tools.base import EarlierBuild, Serving
from gates.tools.locust.campaign import MOST_SPOILED, Campaign
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.ratios import Paired, comparisons
from gates.tools.locust.together import Builds, Stretches, load_both

_AROUND = 6.0
"""Seconds that start, preparation and end of an epoch take, for the progress bar only."""
_MOST_SLOWED = 3
_SLOWED = 0.7
BEARABLE = 0.9
"""The most of what one connection bears that is sent when a target demands it."""


@dataclass
class SideBySide(Campaign, abc.ABC):
    """Both builds are loaded at once, in pairs; what is known of the new one alone comes from its half of them.

    What is sent, and how both are made ready for it, is said by a subclass.
    """

    pairs: list[Paired] = field(default_factory=list)
    """Of every epoch that can be believed."""
    counted: list[Paired] = field(default_factory=list)
    """Of every epoch there was."""
    confirmed: int = 0
    """How many of these were to confirm a fail."""
    out_of_time: bool = False
    """Whether the gate's time was over before everything was decided."""
    spoiled_before: dict[str, str] = field(default_factory=dict)
    """Operations that ended the earlier build or its login."""
    _cores: tuple[frozenset[int], frozenset[int]] = field(default_factory=lambda: split_cores(available_cores()))
    """Those of both builds, and those of Locust."""

    @property
    def earlier(self) -> EarlierBuild:
        """The earlier build; there is one."""
        assert self.context.earlier is not None
        return self.context.earlier

    @property
    def planned(self) -> int:
        """How many epochs there are at most, those that confirm a fail aside."""
        return self.settings.pair_epochs

    def run(self) -> None:
        """Measure until everything is decided, or the epochs are used up.

        Raises NotBeside when the earlier build cannot be measured, NotMeasured when there is nothing to send,
        ToolError when Locust failed, or the time was over before there was anything.
        """
        if not self.planned:
            raise NotBeside("`pair_epochs` is 0")
        looks = plan(self.planned)
        number, wrong = 0, False
        while number < self.planned and not too_many(self._invalid(), self.planned) and self._has_time():
            number += 1
            if not self._measure(number):
                return
            valid = len(self.pairs)
            if self.epochs[-1].valid and valid in looks:
                quantities = quantities_of(self.comparisons(), self.context.tolerances)
                floor = self.context.floor.value
                decisions = look(quantities, position=looks.index(valid), looks=looks, floor=floor)
                wrong = any(one.verdict == "fail" for one in decisions)
                if settled(decisions) and not self.context.calibrating:
                    break
        for more in range(CONFIRMING if wrong and not self.context.calibrating else 0):
            if not self._has_time():
                break
            if not self._measure(number + more + 1):
                return
            self.confirmed += self.epochs[-1].valid
        if self._connections() and not self.out_of_time:
            self._together()

    def comparisons(self) -> list[Measurement]:
        """Return what the epochs so far say of the two builds."""
        believed = [] if too_many(self._invalid(), len(self.epochs)) else self.pairs
        return comparisons(
            believed, self.counted, planned=self.planned, confirmed=self.confirmed, floor=self.context.floor.value
        )

    def gaps(self) -> list[Gap]:
        """Return what kept the measurement from its end."""
        if not self.out_of_time:
            return []
        return [
            Gap(
                "the load side by side did not come to its end",
                f"its {self.settings.timeout:g} s were over after {len(self.epochs)} of at most {self.planned} epochs",
                "give the gate a longer `timeout`",
            )
        ]

    def _invalid(self) -> int:
        return sum(not epoch.valid for epoch in self.epochs)

    def _measure(self, number: int) -> bool:
        """Measure one epoch, a second time where it cannot be believed; return whether the backend lived."""
        tries = 0
        while (both := self._both(number, again=tries > 0)) is not None:
            epoch, paired = both
            self.counted.append(paired)
            tries += 1
            overloaded = self._overloaded(epoch)
            if not epoch.doubts or not epoch.repeatable or tries > (_MOST_SLOWED if overloaded else 1):
                self.epochs.append(epoch)
                self.pairs += [paired] if epoch.valid else []
                return True
            if overloaded:
                self._slow_down()
            self.discarded.append(epoch)
        return False

    def _overloaded(self, epoch: Loaded) -> bool:
        """Return whether a lower rate would help, and may still be chosen: until something was measured."""
        return not self.pairs and any(doubt.check in OVERLOAD | {"generator"} for doubt in epoch.doubts)

    def _slow_down(self) -> None:
        """Lower the rate for all epochs to come; raises NotBeside when what is demanded could not be shown then."""
        assert self.rates is not None
        demanded = self._demanded("load.throughput")
        if demanded is not None and self.rates.total >= demanded > self.rates.total * _SLOWED:
            raise demands_more(demanded)
        self.rates = lowered(self.rates, _SLOWED, "what both builds bear")

    def _both(self, number: int, *, again: bool) -> tuple[Loaded, Paired] | None:
        if self.rates is None:
            # Who is faster gets further in the same time: the load finds both as fresh as each other after that.
            told = f"how much {self.earlier.phase} and this build bear"
            with self._both_ready(0, told) as builds:
                self._explore(builds, told)
        told = f"epoch {number} of at most {max(number, self.planned)}, beside {self.earlier.phase}"
        told += ", again" if again else ""
        directory = self.context.directory / f"epoch-{number}{'-again' if again else ''}"
        self._progress(number - 1, 0.0, f"{told}: both builds start")
        with self._both_ready(number, told) as builds:
            stretches = self._stretches(builds, number)
            loaded = load_both(
                number, stretches, builds, directory, lambda share: self._progress(number - 1, share, told),
                self._inspect,
            )  # fmt: skip
            if loaded == "old":
                raise NotBeside("the earlier build died under load", builds.old.last_lines())
            if isinstance(loaded, str):
                self._died(builds.new, f"under load ({told})")
                return None
            if not loaded[1].new.requests:
                raise NotMeasured(
                    f"Locust sent no request in {told}", f"its output is in {directory.name}/locust.err of this run"
                )
            return loaded

    @contextmanager
    def _both_ready(self, number: int, told: str) -> Iterator[Builds]:
        """Yield both builds, fresh and ready for the same work, started in the order of a coin."""
        new_first = random.Random(f"{self.context.seed}:{number}:order").random() < 0.5
        for _ in range(MOST_SPOILED):
            with ExitStack() as stack:
                servings: dict[bool, Serving] = {}
                for new in (new_first, not new_first):
                    servings[new] = self._start(stack, new)
                self.started_by_us, self.document = servings[True].started_by_us, servings[True].document
                if not servings[True].started_by_us:
                    raise NotBeside("the backend was already up, at its URL", "let gates start it: [backend] start")
                builds = self._make_ready(servings[True], servings[False], new_first, told)
                if builds is not None:
                    yield builds
                    return
        raise NotMeasured(
            f"{MOST_SPOILED} operations ended the backend or its login: "
            + ", ".join({**self.spoiled, **self.spoiled_before}),
            "exclude them: `exclude` of this gate",
        )

    def _start(self, stack: ExitStack, new: bool) -> Serving:
        servers = self._cores[0]
        if new:
            return self._watch(stack.enter_context(self.context.serve(cpus=servers or None)))
        if self.earlier.serve is None:
            raise NotBeside(self.earlier.reason or "the earlier build cannot be built")
        began = time.monotonic()
        try:
            with of_the_earlier():
                return stack.enter_context(self.earlier.serve(cpus=servers or None))
        finally:
            if not self.epochs:
                self._began += time.monotonic() - began  # to build it is not part of the load

    @abc.abstractmethod
    def _make_ready(self, new: Serving, old: Serving, new_first: bool, told: str) -> Builds | None:
        """Return both builds ready to be loaded; None when that spoiled one of them, and both are to start again.

        Raises NotBeside when they cannot be loaded alike.
        """

    def _explore(self, builds: Builds, told: str) -> None:
        """Find out what both builds bear and choose the rates, on builds that are not measured afterwards."""

    @abc.abstractmethod
    def _stretches(self, builds: Builds, number: int) -> Stretches:
        """Return what an epoch sends."""

    def _inspect(self, record: PairRecord) -> None:
        """Look at what was recorded before it is thought anything of; may raise NotBeside or BackendFailed."""

    @abc.abstractmethod
    def _together(self) -> None:
        """See how much the new build bears at once; alone, and free to use every core."""

    def _has_time(self) -> bool:
        """Return whether another epoch may begin; what was measured until the time is over is worth what it is.

        Raises ToolError when the time is over and there is nothing.
        """
        if time.monotonic() - self._began <= self.settings.timeout:
            return True
        if not self.epochs:
            raise ToolError(
                f"no epoch side by side came to an end within {self.settings.timeout:g} s",
                "give the gate a longer `timeout`",
            )
        self.out_of_time = True
        return False

    def _progress(self, done: float, share: float, text: str) -> None:
        epoch = self.settings.warm_up + self.settings.pair_seconds + self.settings.pair_throughput + _AROUND
        together = self.settings.concurrency_seconds + _AROUND if self._connections() else 0.0
        whole = max(self.planned, done + 1) * epoch + together
        self.context.progress(min(1.0, (min(done, self.planned) + share) * epoch / whole), text)


def lowered(rates: Rates, less: float, origin: str) -> Rates:
    return rates if less >= 1.0 else scaled(rates, less, origin)


def demands_more(demanded: float) -> NotBeside:
    return NotBeside(
        f"{demanded:g} requests/s are demanded of one build, and two at once do not bear that on this machine"
    )
