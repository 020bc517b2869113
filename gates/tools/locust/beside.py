"""A whole measurement beside the build of an earlier phase: epochs of both builds, until what they say is decided."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from gates.errors import GatesError, NotMeasured, ToolError
from gates.load.assignment import Assignment
from gates.load.preparation import Preparation, Prepared, Spoiled
from gates.load.rate import MARGIN, Rates, choose_rates
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.load.validity import too_many
from gates.process import available_cores, split_cores
from gates.results import Measurement, RecordedRequest
from gates.sequential import CONFIRMING, look, plan, quantities_of, settled
from gates.tools.base import EarlierBuild, Serving
from gates.tools.locust.campaign import LEFT_OUT, MOST_SPOILED, PROBE_SECONDS, Campaign, why_nothing
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.ratios import Paired, comparisons
from gates.tools.locust.together import Builds, NotSideBySide, Stretches, counterpart, load_both

_AROUND = 6.0
"""Seconds that start, preparation and end of an epoch take, for the progress bar only."""
_MOST_SLOWED = 3
_SLOWED = 0.7
_BEARABLE = 0.9


@dataclass
class BesideCampaign(Campaign):
    """Both builds are loaded at once, in pairs; what is known of the new one alone comes from its half of them."""

    pairs: list[Paired] = field(default_factory=list)
    """Of every epoch that can be believed."""
    counted: list[Paired] = field(default_factory=list)
    """Of every epoch there was."""
    confirmed: int = 0
    """How many of these were to confirm a fail."""
    spoiled_before: dict[str, str] = field(default_factory=dict)
    """Operations that ended the earlier build or its login."""
    single: frozenset[str] = frozenset()
    """Operations that only this build has, or that cannot be sent to both alike."""
    _paired: frozenset[str] = frozenset()
    _sent: Mapping[str, RecordedRequest] = field(default_factory=dict)
    _slower: dict[str, float] = field(default_factory=dict)
    """Seconds that each operation takes, in the build in which it takes longer."""
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

        Raises NotSideBySide when the earlier build cannot be measured, NotMeasured when there is nothing to send,
        ToolError when Locust failed or the time ran out.
        """
        if self.settings.locustfile is not None:
            raise NotSideBySide("a `locustfile` of the project's own is run on this build alone")
        if not self.planned:
            raise NotSideBySide("`pair_epochs` is 0")
        looks = plan(self.planned)
        number, wrong = 0, False
        while number < self.planned and not too_many(self._invalid(), self.planned):
            number += 1
            if not self._measure(number):
                return
            valid = len(self.pairs)
            if self.epochs[-1].valid and valid in looks:
                quantities = quantities_of(self.comparisons(), self.context.tolerances)
                decisions = look(quantities, position=looks.index(valid), looks=looks)
                wrong = any(one.verdict == "fail" for one in decisions)
                if settled(decisions):
                    break
        for more in range(CONFIRMING if wrong else 0):
            if not self._measure(number + more + 1):
                return
            self.confirmed += self.epochs[-1].valid
        if self._connections():
            self._together()

    def comparisons(self) -> list[Measurement]:
        """Return what the epochs so far say of the two builds."""
        believed = [] if too_many(self._invalid(), len(self.epochs)) else self.pairs
        return comparisons(believed, self.counted, planned=self.planned, confirmed=self.confirmed)

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
        return not self.pairs and bool({"server", "generator", "schedule"} & {doubt.check for doubt in epoch.doubts})

    def _slow_down(self) -> None:
        """Lower the rate for all epochs to come; raises NotSideBySide when what is demanded could not be shown then."""
        assert self.rates is not None
        demanded = self._demanded("load.throughput")
        if demanded is not None and self.rates.total >= demanded > self.rates.total * _SLOWED:
            raise _demands_more(demanded)
        self.rates = _lowered(self.rates, _SLOWED, "what both builds bear")

    def _both(self, number: int, *, again: bool) -> tuple[Loaded, Paired] | None:
        if not self._paired:
            # Who is faster gets further in the same time: the load finds both as fresh as each other after that.
            with self._both_ready(0, f"how much {self.earlier.phase} and this build bear"):
                pass
        self._check_time()
        told = f"epoch {number} of at most {max(number, self.planned)}, beside {self.earlier.phase}"
        told += ", again" if again else ""
        directory = self.context.directory / f"epoch-{number}{'-again' if again else ''}"
        self._progress(number - 1, 0.0, f"{told}: both builds start")
        with self._both_ready(number, told) as builds:
            stretches = self._stretches(builds, number)
            loaded = load_both(
                number, stretches, builds, directory, lambda share: self._progress(number - 1, share, told)
            )
            if loaded == "old":
                raise NotSideBySide("the earlier build died under load", builds.old.last_lines())
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
                    raise NotSideBySide("the backend was already up, at its URL", "let gates start it: [backend] start")
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
            return stack.enter_context(self.context.serve(cpus=servers or None))
        if self.earlier.serve is None:
            raise NotSideBySide(self.earlier.reason or "the earlier build cannot be built")
        began = time.monotonic()
        try:
            return stack.enter_context(self.earlier.serve(cpus=servers or None))
        except GatesError as error:
            raise NotSideBySide(error.message, error.hint) from error
        finally:
            if not self.epochs:
                self._began += time.monotonic() - began  # to build it is not part of the load

    def _make_ready(self, new: Serving, old: Serving, new_first: bool, told: str) -> Builds | None:
        """Return both builds prepared; None when a request spoiled one of them, which is left out from now on."""
        ready: dict[bool, Prepared] = {}
        # What the new build accepts is what both are sent: the first time, it is the one to say.
        for is_new in (new_first, not new_first) if self.prepared else (True, False):
            serving = new if is_new else old
            try:
                ready[is_new] = self._prepare_one(serving, is_new, told)
            except Spoiled as spoiled:
                if is_new:
                    self._spoil(spoiled, serving)
                else:
                    self.spoiled_before[spoiled.operation] = spoiled.what
                return None
        now = {work.operation for work in ready[True].work}
        then = {work.operation for work in ready[False].work}
        alike = now & then - set(ready[False].redrawn)
        if not self._paired:
            self._paired, self.single = frozenset(alike), frozenset(now - alike)
            if not alike:
                raise NotSideBySide("no operation could be sent to both builds alike")
            self._choose_rates(ready[True])
        for name in (self._paired - alike) | (self.single - now):
            self.dropped.setdefault(name, ready[True].tried[name].reason or "was refused by the earlier build")
        return Builds(new, old, ready[True], ready[False], self._paired & alike, self.single & now)

    def _prepare_one(self, serving: Serving, new: bool, told: str) -> Prepared:
        document = serving.document
        if document is None:
            error = NotMeasured if new else NotSideBySide
            raise error(
                f"there is no OpenAPI document to take requests from: {serving.document_error}",
                "name it with [backend] openapi",
            )
        excluded = self._left_out(document)
        if not new:
            others = {one.name for one in document.operations} - {
                work.operation for work in (self.prepared.work if self.prepared else ())
            }
            excluded = {**dict.fromkeys(others, LEFT_OUT), **excluded, **self.spoiled_before}
        preparation = Preparation(
            document, serving, corpus=self._sent or self._corpus(), excluded=excluded,
            timeout=self.settings.request_timeout, within=self.settings.prepare_within,
        )  # fmt: skip
        which = "this build" if new else "the earlier build"
        prepared = preparation.run(lambda text: self.context.progress(None, f"{told}, {which}: {text}"))
        if new and not prepared.work:
            raise NotMeasured(*why_nothing(prepared))
        if new and self.prepared is None:
            self.prepared = prepared
            self._sent = {one.operation: one for one in prepared.corpus(dict)}
        if not self._paired:
            for name, seconds in preparation.service_times(prepared.work, PROBE_SECONDS).items():
                self._slower[name] = max(seconds, self._slower.get(name, 0.0))
        return replace(prepared, first=preparation.sent)

    def _choose_rates(self, prepared: Prepared) -> None:
        """Choose the rate of each build, so that both together stay under what the slower one bears."""
        settings, demanded = self.settings, self._demanded("load.throughput")
        wish = replace(
            settings.wish(), share=min(settings.rate_share, settings.pair_share / 2), seconds=settings.pair_seconds,
            longest=settings.pair_seconds, epochs=min(self.planned, 4),
        )  # fmt: skip
        times = {work.operation: self._slower[work.operation] for work in prepared.work}
        rates = choose_rates(wish, times, recorded=self._recorded_rates(), demanded=demanded)
        # Both together stay under their share; only a throughput that is demanded has to be sent all the same.
        share = 2 * max(1.0, settings.burst) * rates.total * self._busy(rates, self._paired)
        less = min(1.0, settings.pair_share / share)
        if demanded is not None and rates.total * less < demanded * MARGIN <= rates.total:
            less = demanded * MARGIN / rates.total
            if share * less > _BEARABLE:
                raise _demands_more(demanded)
        self.rates = replace(_lowered(rates, less, f"{settings.pair_share:.0%} of what one connection bears"),
                             seconds=settings.pair_seconds)  # fmt: skip

    def _busy(self, rates: Rates, names: frozenset[str]) -> float:
        """Return the mean seconds that a request of some operations takes, in their mix."""
        whole = sum(rates.each[name] for name in names)
        return sum(rates.each[name] * self._slower[name] for name in names) / whole if whole else 0.0

    def _stretches(self, builds: Builds, number: int) -> Stretches:
        settings, rates = self.settings, self.rates
        assert rates is not None
        first = max(builds.new_ready.first, builds.old_ready.first) + 1
        each = rates.each.__getitem__
        arrivals = Arrivals(rates.total, settings.warm_up, settings.pair_seconds, settings.burst)
        natural = Assignment(
            "open", builds.new.url, arrivals, settings.connections, settings.request_timeout,
            f"{self.context.seed}:{number}", "", cpus=tuple(sorted(self._cores[1])), first=first,
            work=builds.work(builds.new_ready, builds.paired | builds.single, each),
        )  # fmt: skip
        pairs = replace(
            natural, kind="pairs", arrivals=replace(arrivals, rate=2 * rates.total),
            work=builds.work(builds.new_ready, builds.paired, each), earlier=counterpart(builds, each),
        )  # fmt: skip
        single = None
        if builds.single:
            # The pairs come at the rate of all operations: so long that these get their share of the whole.
            busy = self._busy(rates, builds.single)
            rate = min(rates.total, settings.pair_share / busy) if busy else rates.total
            shares = [sum(each(name) for name in names) for names in (builds.single, builds.paired)]
            seconds = settings.pair_seconds * shares[0] / shares[1] * rates.total / rate
            single = replace(
                natural, arrivals=Arrivals(rate, settings.warm_up, min(seconds, 2 * settings.pair_seconds)),
                work=builds.work(builds.new_ready, builds.single, each),
                first=first + int(rates.total * arrivals.end) + settings.connections,
            )  # fmt: skip
        return Stretches(pairs, single, natural, len(self._cores[0]))

    def _together(self) -> None:
        """See how many connections the new build bears at once; alone, and free to use every core."""
        with self._ready("all connections at once") as (serving, prepared):
            assert prepared is not None
            self.concurrency = self._bear(serving, self._assignment(serving, prepared, 0), Record())

    def _check_time(self) -> None:
        if time.monotonic() - self._began > self.settings.timeout:
            raise ToolError(
                f"the load side by side did not end within {self.settings.timeout:g} s ({len(self.epochs)} of at most "
                f"{self.planned} epochs were done)",
                "give the gate a longer `timeout`, or fewer `pair_epochs`",
            )

    def _progress(self, done: float, share: float, text: str) -> None:
        epoch = self.settings.warm_up + self.settings.pair_seconds + _AROUND
        together = self.settings.concurrency_seconds + _AROUND if self._connections() else 0.0
        whole = max(self.planned, done + 1) * epoch + together
        self.context.progress(min(1.0, (min(done, self.planned) + share) * epoch / whole), text)


def _lowered(rates: Rates, less: float, origin: str) -> Rates:
    if less >= 1.0:
        return rates
    return Rates(rates.common * less, {name: rate * less for name, rate in rates.each.items()}, rates.seconds, origin)


def _demands_more(demanded: float) -> NotSideBySide:
    return NotSideBySide(
        f"{demanded:g} requests/s are demanded of one build, and two at once do not bear that on this machine"
    )
