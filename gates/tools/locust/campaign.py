"""A whole measurement: epochs on fresh backends, doubtful ones repeated, and all connections at once at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gates.document import Document
from gates.errors import BackendFailed, NotMeasured, ToolError
from gates.load.assignment import Assignment
from gates.load.preparation import Preparation, Prepared, Spoiled, left_out
from gates.load.rate import ALL_TOGETHER, ONE_CONNECTION, Rates, Recorded, choose_rates, lower
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.load.validity import OVERLOAD, SHORTEST_LAG, TAKEN
from gates.results import Finding, RecordedRequest, Severity
from gates.rules import fingerprint
from gates.tools.base import Context, Serving
from gates.tools.locust.concurrency import Concurrency, all_at_once, users_at_once
from gates.tools.locust.epoch import Loaded, assess, recorded_rates
from gates.tools.locust.leak import growth
from gates.tools.locust.mix import weights
from gates.tools.locust.ramp import Ramp, climb, needs_ramp
from gates.tools.locust.run import Locustfile, Outcome, run_load
from gates.tools.locust.settings import LoadSettings
from gates.tools.locust.watch import Watched

MOST_SPOILED = 5
_LOWERINGS = 2
_LAG_OF_DEMAND = 0.1
_NEAR = 0.5
PROBE_SECONDS = 1.0
_AROUND_AN_EPOCH = 3.0
"""Seconds that start, preparation and end of an epoch take, for the progress bar only."""


@dataclass
class Campaign:
    """One measurement of a backend, and everything it found out."""

    settings: LoadSettings
    context: Context
    epochs: list[Loaded] = field(default_factory=list)
    """The last try of every epoch."""
    discarded: list[Loaded] = field(default_factory=list)
    too_much: list[Loaded] = field(default_factory=list)
    """Epochs at a rate that was found, and turned out to be more than the backend bears."""
    findings: list[Finding] = field(default_factory=list)
    spoiled: dict[str, str] = field(default_factory=dict)
    """Operations that ended the backend or its login, and how that showed."""
    prepared: Prepared | None = None
    """As the first backend was."""
    dropped: dict[str, str] = field(default_factory=dict)
    """Operations that were loaded at first, and could not be on a later backend."""
    document: Document | None = None
    rates: Rates | None = None
    ramp: Ramp | None = None
    """What it was seen to bear, where that was looked for."""
    concurrency: Concurrency | None = None
    started_by_us: bool = True
    watched: list[Watched] = field(default_factory=list)
    """Every backend there was, in order."""
    _times: Mapping[str, float] = field(default_factory=dict)
    """Mean seconds of each operation over one connection."""
    _shown: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Measure; a backend that dies under load ends the campaign with a finding.

        Raises NotMeasured when there is nothing to send, ToolError when Locust failed or the time ran out.
        """
        if not self._find_rates():
            return
        for number in range(1, self.settings.epochs + 1):
            loaded = self._epoch(number, again=False)
            for _ in range(_LOWERINGS if number == 1 else 0):
                if loaded is None or self.rates is None or self._bears(loaded):
                    break
                self.too_much.append(loaded)
                self.rates = lower(self.settings.wish(), self.rates, loaded.record.throughput)
                loaded = self._epoch(number, again=True)
            if loaded is not None and loaded.doubts and loaded.repeatable and self.settings.find != "leak":
                self.discarded.append(loaded)
                loaded = self._epoch(number, again=True)
            if loaded is None:
                return
            self.epochs.append(loaded)

    def _find_rates(self) -> bool:
        """See what the backend bears, on one that is not measured, where nothing says its rate; False when it died."""
        if self.settings.locustfile is not None or not needs_ramp(self.settings, self.recorded_rates()):
            return True
        with self._ready("how much it bears") as (serving, prepared):
            assert prepared is not None
            assert self.rates is not None
            if not self.rates.found:
                return True
            ramp = climb(
                self._assignment(serving, prepared, 0), self.settings, self.rates, self._times,
                lambda ramp: run_load(ramp, serving, self.context.directory / "ramp"),
            )  # fmt: skip
            if ramp is None:
                self._died(serving, "when it was seen how much it bears")
                return False
            self.ramp, self._times = ramp, ramp.times
            self._choose_rates_of(tuple(self.rates.each))
        return True

    def _choose_rates_of(self, names: tuple[str, ...]) -> None:
        """Choose the rates of operations from what is known of the backend by now."""
        documented = [one.name for one in self.document.operations] if self.document else []
        self.rates = choose_rates(
            self.settings.wish(), {name: self._times[name] for name in names},
            recorded=self.recorded_rates(), demanded=self._demanded("load.throughput"),
            mix=weights(self.settings.mix, names, documented), of=ALL_TOGETHER if self.ramp else ONE_CONNECTION,
        )  # fmt: skip

    def _epoch(self, number: int, *, again: bool) -> Loaded | None:
        """Return one epoch, or None when the backend died in it."""
        self._check_time()
        told = f"epoch {number} of {self.settings.epochs}" + (", again" if again else "")
        directory = self.context.directory / f"epoch-{number}{'-again' if again else ''}"
        self._progress(number - 1, 0.0, f"{told}: the backend starts")
        with self._ready(told) as (serving, prepared):
            assignment = self._assignment(serving, prepared, number)
            outcome = run_load(
                assignment, serving, directory, locustfile=self._locustfile(),
                progress=lambda share: self._progress(number - 1, share, told),
            )  # fmt: skip
            if outcome.died or outcome.record is None:
                self._died(serving, f"under load ({told})")
                return None
            loaded = assess(
                number, assignment, outcome, login_works=serving.login_works(), allowed_lag=self._allowed_lag(),
                meant=self._meant() | self._harmless(outcome.record),
            )  # fmt: skip
            if self.settings.find == "leak":
                grown = growth(self.watched[-1].memory, outcome.record.begin, outcome.record.end)
                loaded = replace(loaded, conditions={**loaded.conditions, **grown})
            if not outcome.record.requests:
                raise NotMeasured(
                    f"Locust sent no request in {told}", f"its output is in {directory.name}/locust.err of this run"
                )
            good = (number > 1 or self._bears(loaded)) and (not loaded.doubts or not loaded.repeatable)
            last = (again or good) and number == self.settings.epochs
            if last and prepared is not None and self._connections():
                self.concurrency = self._bear(serving, assignment, outcome.record)
            elif last and prepared is None:
                self.concurrency = users_at_once([*self.epochs, loaded])
        return loaded

    def _bears(self, loaded: Loaded) -> bool:
        """Return whether the backend kept up, or was not meant to: a rate that was given is what it is."""
        if self.settings.find == "recovery":
            return True
        overloaded = not loaded.kept_up or any(doubt.check in OVERLOAD for doubt in loaded.doubts)
        return not overloaded or self.rates is None or not self.rates.found

    def _meant(self) -> frozenset[str]:
        """Return the checks that may fail, because that much load was asked for: by a profile, a person, a target.

        How busy the backend is at a rate that was given is its own affair; a queue that grows is not: what was measured
        is only the beginning of it then.
        """
        if self.settings.find == "recovery":
            return OVERLOAD
        if self.settings.rate is None and self.settings.rate_share > 1.0:
            return frozenset({"server", "queue"})
        return frozenset() if self.rates is not None and self.rates.found else frozenset({"server"})

    def _harmless(self, record: Record) -> frozenset[str]:
        """Return what others may take from the servers: as long as nothing that is demanded is near, it is met anyway.

        Like lag it can only make the backend look slower; every operation has to be twice as fast as the shortest time
        that is demanded of any.
        """
        slowest = max((p95 for one in record.operations.values() if (p95 := one.success_quantile(0.95))), default=0.0)
        demanded = self._shortest_demand()
        return TAKEN if demanded is not None and slowest <= _NEAR * demanded else frozenset()

    def _check_time(self) -> None:
        if time.monotonic() - self._began > self.settings.timeout:
            raise ToolError(
                f"the load did not end within {self.settings.timeout:g} s ({len(self.epochs)} of "
                f"{self.settings.epochs} epochs were done)",
                "give the gate a longer `timeout`, or fewer `epochs`",
            )

    @contextmanager
    def _ready(self, told: str) -> Iterator[tuple[Serving, Prepared | None]]:
        """Yield a fresh backend that is prepared; one that a request spoiled is started again without that request."""
        for _ in range(MOST_SPOILED):
            with self.context.serve() as bare:
                serving = self._watch(bare)
                self.started_by_us = serving.started_by_us
                self.document = serving.document
                if self.settings.locustfile is not None:
                    yield serving, None
                    return
                try:
                    prepared = self._prepare(serving, told)
                except Spoiled as spoiled:
                    self._spoil(spoiled, serving)
                    continue
                yield serving, prepared
                return
        raise NotMeasured(
            f"{MOST_SPOILED} operations ended the backend or its login: " + ", ".join(self.spoiled),
            "exclude them: `exclude` of this gate",
        )

    def _watch(self, serving: Serving) -> Watched:
        self.watched.append(Watched(serving))
        return self.watched[-1]

    def _spoil(self, spoiled: Spoiled, serving: Serving) -> None:
        self.spoiled[spoiled.operation] = spoiled.what
        if not spoiled.backend_died:
            return
        if not serving.started_by_us:
            raise BackendFailed(spoiled.message, "start it again, and exclude that operation") from spoiled
        self._died(serving, f"when a valid request was sent to {spoiled.operation}", spoiled.operation)

    def _died(self, serving: Serving, when: str, operation: str | None = None) -> None:
        lines = serving.last_lines()
        self.findings.append(
            Finding(
                "backend.died", Severity.HIGH,
                f"the backend died {when}" + (f"; its last lines were:\n{lines}" if lines else ""),
                fingerprint("backend.died", operation or "load"), operation=operation,
                fix="exclude it, if that is its purpose" if operation else "see its output for the error",
            )
        )  # fmt: skip

    def _prepare(self, serving: Serving, told: str) -> Prepared:
        document = serving.document
        if serving.url.startswith("https:"):
            raise NotMeasured(
                "the load is sent over plain HTTP only, and this backend is behind https",
                "load the server itself, without what encrypts in front of it, or give this gate a `locustfile`",
            )
        if document is None:
            raise NotMeasured(
                f"there is no OpenAPI document to take requests from: {serving.document_error}",
                "name it with [backend] openapi, or give this gate a `locustfile`",
            )
        preparation = Preparation(
            document, serving, corpus=self._corpus(), excluded=self._left_out(document),
            timeout=self.settings.request_timeout, within=self.settings.prepare_within,
        )  # fmt: skip
        prepared = preparation.run(lambda text: self.context.progress(None, f"{told}: {text}"))
        if not prepared.work:
            raise NotMeasured(*why_nothing(prepared))
        if self.prepared is None:
            self.prepared = prepared
            self._times = preparation.service_times(prepared.work, PROBE_SECONDS)
            self._choose_rates_of(tuple(work.operation for work in prepared.work))
        else:
            now = {work.operation for work in prepared.work}
            for work in self.prepared.work:
                if work.operation not in now:
                    self.dropped[work.operation] = prepared.tried[work.operation].reason
        return replace(prepared, first=preparation.sent)

    def _left_out(self, document: Document) -> dict[str, str]:
        return {**left_out(document, self.settings.exclude), **self.spoiled}

    def _corpus(self) -> Mapping[str, RecordedRequest]:
        baseline = self.context.baseline
        return {request.operation: request for request in baseline.readings.requests} if baseline else {}

    def recorded_rates(self) -> Recorded | None:
        epochs = self.context.baseline.readings.epochs if self.context.baseline else ()
        return next((rates for epoch in epochs if (rates := recorded_rates(epoch))), None)

    def _demanded(self, name: str) -> float | None:
        demand: Any = self.context.targets.get(name)
        return float(demand.value) if demand is not None and demand.operator in (">=", ">", "==") else None

    def _allowed_lag(self) -> float:
        """Return how many seconds late a request may leave: a tenth of the shortest time that is demanded."""
        return max(SHORTEST_LAG, _LAG_OF_DEMAND * (self._shortest_demand() or 0.0))

    def _shortest_demand(self) -> float | None:
        times = ("response_time.", "operation.")
        demanded = (float(demand.value) for name, demand in self.context.targets.items() if name.startswith(times))
        return min(demanded, default=None)

    def _connections(self) -> int:
        """Return how many connections are tried at once: as configured, and as many as a target demands."""
        if self.settings.users == 0:
            return 0
        return max(self.settings.users, int(self._demanded("load.concurrency") or 0))

    def _locustfile(self) -> Locustfile | None:
        if self.settings.locustfile is None:
            return None
        path = self.context.root / self.settings.locustfile
        if not path.is_file():
            raise ToolError(
                f"the locustfile {self.settings.locustfile} does not exist", "it is looked for in the project"
            )
        return Locustfile(path.resolve(), self.context.root.resolve(), self.settings.spawn_rate)

    def _assignment(self, serving: Serving, prepared: Prepared | None, number: int) -> Assignment:
        settings, document = self.settings, serving.document
        common = Assignment(
            "locustfile", serving.url, Arrivals(1.0, settings.warm_up, settings.seconds), settings.users,
            settings.request_timeout, f"{self.context.seed}:{number}", "",
            base_path=document.base_path if document else "",
            operations=tuple(operation.name for operation in document.operations) if document else (),
        )  # fmt: skip
        if prepared is None:
            return common
        assert self.rates is not None
        # An operation that this backend refuses takes its requests along; one that is new comes like most others.
        each = {work.operation: self.rates.each.get(work.operation, self.rates.common) for work in prepared.work}
        arrivals = Arrivals(sum(each.values()), settings.warm_up, self.rates.seconds, settings.burst)
        return replace(
            common, kind="open", arrivals=arrivals, connections=settings.connections, operations=(),
            work=tuple(replace(work, weight=each[work.operation]) for work in prepared.work), first=prepared.first + 1,
            mix=self.rates.mix, slice_seconds=1.0 if settings.find == "recovery" else 0.0,
        )  # fmt: skip

    def _bear(self, serving: Serving, open_loop: Assignment, loaded: Record) -> Concurrency:
        """Return how many connections are all served at once."""
        closed = replace(
            open_loop, kind="closed", arrivals=Arrivals(1.0, 0.0, self.settings.concurrency_seconds),
            connections=self._connections(), first=open_loop.first + loaded.scheduled + self.settings.connections,
            slice_seconds=0.0,
        )  # fmt: skip

        def load(assignment: Assignment) -> Outcome:
            self._progress(self.settings.epochs, 0.0, f"{assignment.connections} connections at once")
            return run_load(assignment, serving, self.context.directory / f"together-{assignment.connections}")

        return all_at_once(closed, load, lambda when: self._died(serving, when))

    def _progress(self, done: float, share: float, text: str) -> None:
        settings = self.settings
        seconds = self.rates.seconds if self.rates else settings.seconds
        epoch = settings.warm_up + seconds + _AROUND_AN_EPOCH
        together = settings.concurrency_seconds + _AROUND_AN_EPOCH if self._connections() else 0.0
        whole = settings.epochs * epoch + together
        self._shown = max(self._shown, min(1.0, (done + share) * epoch / whole))  # an epoch again is no step back
        self.context.progress(self._shown, text)


def why_nothing(prepared: Prepared) -> tuple[str, str]:
    """Return why no operation could be loaded, and what would help."""
    told = [f"{name} {one.reason}" for name, one in prepared.tried.items() if one.reason]
    told_all = "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "") or "the document has none"
    statuses = {status for one in prepared.tried.values() for status in one.statuses}
    hint = "does the document leave out a prefix? name it: [backend] base_path" if statuses == {404} else ""
    return f"no operation could be loaded: {told_all}", hint or "see [backend.auth] and `exclude`"
