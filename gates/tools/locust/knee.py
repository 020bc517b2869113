"""The search for the knee, on fresh backends one after another: the highest arrival rate that meets the targets."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gates.document import Document
from gates.load.assignment import Assignment
from gates.load.knee import Limits, Missed, Search, first_own, judge_step, p95_by_class
from gates.load.rate import mean_time
from gates.load.schedule import Arrivals
from gates.results import Epoch, Finding, Gap, Measurement, Severity
from gates.rules import fingerprint
from gates.tools.base import Serving
from gates.tools.locust.campaign import Campaign
from gates.tools.locust.epoch import assess, rate_conditions
from gates.tools.locust.run import run_load

_START = 0.5
"""Of what one connection gets through."""
_AGAIN = 0.8
"""Of the knee that was found, where the next search begins."""
_ERRORS = 0.001
_PATIENCE = 3.0
"""How many times the longest limit may wait in the queue, before a step is ended."""
_SHORTEST_PATIENCE = 1.0
_STEPS_AT_FIRST, _STEPS_AGAIN = 14, 8
"""How many steps a search takes about, for the progress bar only."""


@dataclass
class Searched:
    """One search: the highest rate that met everything (0 for none), what gave way above it, and what memory it took.

    `gave_way` is empty when the limit was reached. `own` is whether the generator or the machine gave way.
    """

    number: int
    knee: float = 0.0
    gave_way: str = ""
    own: bool = False
    steps: list[tuple[float, str]] = field(default_factory=list)
    """Each step: its rate, and what it missed."""
    memory: int = 0
    seconds: float = 0.0
    rates: Mapping[str, float] = field(default_factory=dict)
    """The rates of the operations to each other, so that a later phase searches with the same mix."""

    def row(self) -> Epoch:
        """Return the search as it is stored."""
        conditions = {"knee": self.knee, "steps": float(len(self.steps)), "reached": float(self.reached)}
        return Epoch(self.number, self.seconds, {**self.rates, **conditions, "own": float(self.own)})

    @property
    def reached(self) -> bool:
        """Whether it ended at a limit that is not the backend's."""
        return self.own or not self.gave_way


@dataclass
class KneeCampaign(Campaign):
    """Searches instead of epochs; each begins where the one before it ended."""

    searches: list[Searched] = field(default_factory=list)
    _lowest: Mapping[str, float] = field(default_factory=dict)
    """p95 by class at the lowest rate, of the first search."""

    def run(self) -> None:
        """Search; a backend that dies under load ends it with a finding.

        Raises NotMeasured when there is nothing to send, ToolError when Locust failed or the time ran out.
        """
        for number in range(1, self.settings.epochs + 1):
            searched = Searched(number)
            with self._ready(f"search {number} of {self.settings.epochs}") as (serving, prepared):
                assert prepared is not None
                natural = self._assignment(serving, prepared, number)
                searched.rates = rate_conditions(natural)
                lived = self._search(searched, serving, natural)
            self.searches.append(searched)
            if not lived or not searched.knee:
                return

    def rows(self) -> tuple[Epoch, ...]:
        """Return what is stored of each search."""
        return tuple(searched.row() for searched in self.searches)

    def _search(self, searched: Searched, serving: Serving, natural: Assignment) -> bool:
        """Search on one backend; return whether it lived."""
        assert self.rates is not None
        start = _START / mean_time(self.rates.each, self._times)
        if self.searches:
            start = _AGAIN * self.searches[-1].knee
        search, first, settled = Search(start, self.settings.rate_limit), natural.first, ""
        while (rate := search.next()) is not None:
            self._check_time()
            self._show(searched, rate)
            step = self._step(natural, rate, first, len(searched.steps))
            directory = self.context.directory / f"search-{searched.number}" / f"step-{len(searched.steps) + 1}"
            outcome = run_load(step, serving, directory)
            if outcome.died or outcome.record is None:
                self._died(serving, f"at {rate:.3g} requests/s")
                return False
            record = outcome.record
            loaded = assess(
                searched.number, step, outcome, login_works=None, allowed_lag=self._allowed_lag(),
                meant=("server", "queue", "schedule"),
            )  # fmt: skip
            limits = self._limits()
            missed = judge_step(record, loaded.conditions, limits, [doubt.check for doubt in loaded.doubts])
            if not self._lowest:
                self._lowest = p95_by_class(record, limits.classes)
            searched.steps.append((rate, "; ".join(one.what for one in missed)))
            searched.memory = max(searched.memory, outcome.observation.peak)
            searched.seconds += record.end - record.begin
            first += record.sent + int(rate * step.arrivals.warm_up) + self.settings.connections
            if search.tell(rate, met=not missed) and missed:
                settled = self._gave_way(searched, rate, missed)
            searched.knee = search.met
        searched.gave_way = settled
        return True

    def _gave_way(self, searched: Searched, rate: float, missed: list[Missed]) -> str:
        """Return what gave way at a rate; the search is the backend's own only while the generator is not worn out."""
        own = first_own(missed)
        searched.own = own is not None
        return f"at {rate:.3g} requests/s " + "; ".join(one.what for one in missed[:2])

    def _step(self, natural: Assignment, rate: float, first: int, number: int) -> Assignment:
        settings = self.settings
        longest = max(self._limits().p95.values(), default=0.0)
        return replace(
            natural, arrivals=Arrivals(rate, settings.warm_up, settings.seconds), first=first,
            seed=f"{natural.seed}:{number}", patience=max(_SHORTEST_PATIENCE, _PATIENCE * longest),
        )  # fmt: skip

    def _limits(self) -> Limits:
        targets = self.context.targets
        p95 = {
            name.partition(".")[2]: float(demand.value)
            for name, demand in targets.items()
            if name.startswith("response_time.") and demand.operator in ("<=", "<")
        }
        errors = targets.get("load.errors")
        return Limits(self._classes(self.document), p95, float(errors.value) if errors else _ERRORS, self._lowest)

    def _classes(self, document: Document | None) -> dict[str, str]:
        operations = document.operations if document else ()
        return {one.name: self.context.classify(one.name, one.definition) for one in operations}

    def _show(self, searched: Searched, rate: float) -> None:
        done = sum(len(one.steps) for one in self.searches) + len(searched.steps)
        left = max(1, (_STEPS_AGAIN if self.searches else _STEPS_AT_FIRST) - len(searched.steps))
        whole = done + left + _STEPS_AGAIN * (self.settings.epochs - searched.number)
        text = f"search {searched.number} of {self.settings.epochs}: {rate:.3g} requests/s"
        self._shown = max(self._shown, min(1.0, done / whole))
        self.context.progress(self._shown, text + (f", {searched.knee:.3g} were borne" if searched.knee else ""))


def measured(searches: list[Searched]) -> list[Measurement]:
    """Return the knee, a sample of each search that found one, and the peak of memory.

    Without samples the knee is only known to be at least the value: a limit was reached that is not the backend's.
    """
    found = []
    knees = tuple(one.knee for one in searches if one.knee and not one.reached)
    reached = [one.knee for one in searches if one.knee and one.reached]
    if len(knees) >= len(reached) and knees:
        found.append(Measurement("load.knee", statistics.median(knees), "1/s", "higher", samples=knees))
    elif reached:
        found.append(Measurement("load.knee", statistics.median(reached), "1/s", "higher"))
    memory = tuple(float(one.memory) for one in searches if one.memory)
    if memory:
        found.append(Measurement("load.memory", max(memory), "B", "lower", samples=memory))
    return found


def findings(searches: list[Searched]) -> list[Finding]:
    """Return a finding when not even the lowest rate was borne."""
    if not searches or searches[0].knee or searches[0].own or not searches[0].steps:
        return []
    rate, missed = searches[0].steps[-1]
    return [
        Finding(
            "load.no-knee", Severity.HIGH, f"not even {rate:.2g} requests/s meet the targets: {missed}",
            fingerprint("load.no-knee"), fix="make it faster, or class slow operations differently in [operations]",
        )
    ]  # fmt: skip


def gaps(searches: list[Searched]) -> list[Gap]:
    """Return why there is no knee although the backend may have one."""
    if not searches or any(one.knee for one in searches) or not searches[0].own:
        return []
    return [
        Gap(
            "load.knee", f"the load generator or the machine gave way before the backend did: {searches[0].gave_way}",
            "run it alone, or on a machine with more cores",
        )
    ]  # fmt: skip


def notes(searches: list[Searched], limit: float) -> list[str]:
    """Return how each search went."""
    told = []
    for one in searches:
        lead = f"search {one.number}: {one.knee:.3g} requests/s were borne after {len(one.steps)} steps"
        if one.own:
            told.append(f"{lead}; above it the generator or the machine gave way, not the backend: {one.gave_way}")
        elif one.gave_way:
            told.append(f"{lead}; {one.gave_way}")
        elif one.knee >= limit:
            told.append(f"{lead}, the `rate_limit`: it bears at least that")
        else:
            told.append(f"{lead}, and there it was left")
    return told
