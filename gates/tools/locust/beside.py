"""Two builds loaded with the operations of the document: which both have, how often each comes, and what is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gates.alternating import NotBeside
from gates.errors import BackendFailed, NotMeasured
from gates.load.assignment import Assignment
from gates.load.preparation import LEFT_OUT, Preparation, Prepared, Spoiled
from gates.load.rate import MARGIN, ONE_CONNECTION, Rates, choose_rates
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.load.turns import CONNECTIONS
from gates.results import RecordedRequest
from gates.tools.base import Serving
from gates.tools.locust.campaign import PROBE_SECONDS, why_nothing
from gates.tools.locust.mix import weights
from gates.tools.locust.ramp import climb_together, needs_ramp
from gates.tools.locust.ratios import tried_throughput
from gates.tools.locust.side_by_side import BEARABLE, SideBySide, demands_more, lowered
from gates.tools.locust.throughput import hopeless, throughput_notes
from gates.tools.locust.together import (
    Builds,
    PairOutcome,
    PreparedBuilds,
    Stretches,
    counterpart,
    run_pairs,
)


@dataclass
class BesideCampaign(SideBySide):
    """Pairs of requests from the document; what only the new build has is loaded on it alone, after the pairs."""

    single: frozenset[str] = frozenset()
    """Operations that only this build has, or that cannot be sent to both alike."""
    _paired: frozenset[str] = frozenset()
    _sent: Mapping[str, RecordedRequest] = field(default_factory=dict)
    _slower: dict[str, float] = field(default_factory=dict)
    """Seconds that each operation takes, in the build in which it takes longer."""

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
                raise NotBeside("no operation could be sent to both builds alike")
            self._choose_rates(ready[True])
        for name in (self._paired - alike) | (self.single - now):
            self.dropped.setdefault(name, ready[True].tried[name].reason or "was refused by the earlier build")
        return PreparedBuilds(new, old, ready[True], ready[False], self._paired & alike, self.single & now)

    def _prepare_one(self, serving: Serving, new: bool, told: str) -> Prepared:
        document = serving.document
        if document is None:
            error = NotMeasured if new else NotBeside
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
        """Choose the rate of each build, so that both together stay under what the slower one bears.

        That of the baseline is of no use here: both are measured now, and a higher rate decides sooner.
        """
        settings, demanded = self.settings, self._demanded("load.throughput")
        wish = replace(
            settings.wish(), share=min(settings.rate_share, settings.pair_share / 2), seconds=settings.pair_seconds,
            longest=settings.pair_seconds, epochs=min(self.planned, 4),
        )  # fmt: skip
        times = {work.operation: self._slower[work.operation] for work in prepared.work}
        of = "what both builds bear together" if self.ramp else ONE_CONNECTION
        documented = [one.name for one in self.document.operations] if self.document else []
        rates = choose_rates(
            wish, times, demanded=demanded,
            mix=weights(settings.mix, times, documented), of=of,
        )  # fmt: skip
        # Both together stay under their share; only a throughput that is demanded has to be sent all the same.
        share = 2 * max(1.0, settings.burst) * rates.total * self._busy(rates, self._paired)
        less = min(1.0, settings.pair_share / share)
        if demanded is not None and rates.total * less < demanded * MARGIN <= rates.total:
            less = demanded * MARGIN / rates.total
            if share * less > BEARABLE:
                raise demands_more(demanded)
        self.rates = replace(lowered(rates, less, f"{settings.pair_share:.0%} of {of}"), seconds=settings.pair_seconds)

    def _explore(self, builds: Builds, told: str) -> None:
        """See in a short ramp what both builds bear together, where nothing says the rate, and choose it by that."""
        assert isinstance(builds, PreparedBuilds)
        assert self.rates is not None
        demanded = self._demanded("load.throughput")
        if not needs_ramp(self.settings, None) or (demanded and self.rates.total >= demanded):
            return
        directory = self.context.directory / "ramp"

        def load(ramp: Assignment) -> PairOutcome:
            return run_pairs(ramp, builds, directory, lambda _: self.context.progress(None, told), self._cores[0])

        self.ramp = climb_together(
            self._stretches(builds, 0).pairs, self.settings, self.rates, self._slower, load, builds.old.last_lines
        )
        if self.ramp is None:
            raise BackendFailed("the backend died when it was seen how much it bears", builds.new.last_lines())
        self._slower = dict(self.ramp.times)
        self._choose_rates(builds.new_ready)

    def _busy(self, rates: Rates, names: frozenset[str]) -> float:
        """Return the mean seconds that a request of some operations takes, in their mix."""
        whole = sum(rates.each[name] for name in names)
        return sum(rates.each[name] * self._slower[name] for name in names) / whole if whole else 0.0

    def _stretches(self, builds: Builds, number: int) -> Stretches:
        settings, rates = self.settings, self.rates
        assert rates is not None
        assert isinstance(builds, PreparedBuilds)
        first = max(builds.new_ready.first, builds.old_ready.first) + 1
        each = rates.each.__getitem__
        arrivals = Arrivals(rates.total, settings.warm_up, settings.pair_seconds, settings.burst)
        natural = Assignment(
            "open", builds.new.url, arrivals, settings.connections, settings.request_timeout,
            f"{self.context.seed}:{number}", "", cpus=tuple(sorted(self._cores[1])), first=first,
            work=builds.work(builds.new_ready, builds.paired | builds.single, each), mix=rates.mix,
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
        return Stretches(pairs, single, natural, self._cores[0], self._turns(pairs, single or pairs))

    def _turns(self, pairs: Assignment, last: Assignment) -> Assignment | None:
        """Return what shows how much either build gets through alone, after the `last` load; None for nothing."""
        seconds = self.settings.pair_throughput
        if not seconds or self._crowded() or hopeless(tried_throughput(self.counted)):
            return None
        arrivals = last.arrivals
        sent = int(arrivals.rate * max(1.0, arrivals.burst) * arrivals.end) + last.connections
        return replace(
            pairs, kind="turns", arrivals=Arrivals(1.0, 0.0, seconds), connections=min(CONNECTIONS, pairs.connections),
            first=last.first + sent,
        )  # fmt: skip

    def _crowded(self) -> bool:
        """Return whether what sends would take time from the builds: nothing shows then what they get through."""
        return not self._cores[1] - self._cores[0]

    def throughput_notes(self) -> list[str]:
        """Return why it is not known what both builds get through, or not of every epoch."""
        if self.settings.pair_throughput and self._crowded():
            return ["throughput beside the earlier build is not judged: it takes a core of its own to send the load"]
        return throughput_notes(tried_throughput(self.pairs))

    def _together(self) -> None:
        """See how many connections the new build bears at once; alone, and free to use every core."""
        with self._ready("all connections at once") as (serving, prepared):
            assert prepared is not None
            self.concurrency = self._bear(serving, self._assignment(serving, prepared, 0), Record())
