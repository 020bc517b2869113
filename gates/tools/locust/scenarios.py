"""Two builds loaded by the project's own locustfile: each of its users exists once for either build."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from gates.alternating import NotBeside
from gates.errors import BackendFailed, NotMeasured
from gates.load.assignment import TRIAL_LANES, Assignment, Counterpart, OwnUsers
from gates.load.pairs import PairRecord
from gates.load.rate import MARGIN, Rates
from gates.load.scenario import Scenario
from gates.load.schedule import Arrivals
from gates.results import Gap
from gates.tools.base import Serving
from gates.tools.locust.concurrency import BORNE_ERRORS, Concurrency
from gates.tools.locust.run import run_load
from gates.tools.locust.side_by_side import BEARABLE, SideBySide, demands_more
from gates.tools.locust.together import Builds, Stretches, run_pairs

TRIAL_SECONDS = 4.0
MATCHED_SHARE = 0.5
"""Of the requests that succeeded: with fewer in pairs the two builds did not do the same work."""
_GENERATOR_SHARE = 0.35
"""The most of its core that the generator is given to do: half of what makes an epoch doubtful."""
_SPARE = 8
"""So many pairs of users are there for one that is busy on average: a stall of the machine must not use them all up."""
_FEWEST_PAIRS = 20
_TRIAL_PAIRS = 10
_ENOUGH = 10
"""Requests of an operation, before it is said that too few of them could be matched."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Borne:
    """What the trial showed: requests of a run; runs per second that each build got through, with both at once; how
    many seconds a run takes on both, one after the other; and seconds of CPU that the generator needs for that."""

    requests: float
    runs: float
    taking: float
    generator: float


@dataclass
class ScenarioCampaign(SideBySide):
    """Pairs of task runs: the same tasks with the same draws, on either build by a user of its own."""

    outside: set[str] = field(default_factory=set)
    """Operations that are sent where nothing is measured, in on_start and on_stop."""
    matched: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By operation: how many pairs there were, and of how many requests of runs in which nothing failed."""
    answered: dict[str, set[bool]] = field(default_factory=dict)
    """By operation: which builds answered it with success, the new one being True."""
    unlike: int = 0
    runs: int = 0
    _borne: Borne | None = None

    def _make_ready(self, new: Serving, old: Serving, new_first: bool, told: str) -> Builds:
        return Builds(new, old)

    def _explore(self, builds: Builds, told: str) -> None:
        """Try the scenario on both builds, a few runs at a time, and choose the rate by how many they get through."""
        assignment = replace(
            self._assigned(builds, 0, Arrivals(1.0, self.settings.warm_up, TRIAL_SECONDS), _TRIAL_PAIRS), kind="trial"
        )
        outcome = run_pairs(
            assignment, builds, self.context.directory / "trial", lambda share: self.context.progress(None, told),
            self._cores[0],
        )  # fmt: skip
        if outcome.died == "old":
            raise NotBeside("the earlier build died when the scenario was tried", builds.old.last_lines())
        if outcome.died or outcome.record is None:
            raise BackendFailed(f"the backend died when {self.settings.locustfile} was tried", builds.new.last_lines())
        scenario = self._sound(outcome.record)
        if not scenario.runs or not outcome.record.new.requests:
            raise NotMeasured(
                f"no user of {self.settings.locustfile} sent a request in {TRIAL_SECONDS:g} s",
                "see trial/locust.err of this run",
            )
        rate, lanes = scenario.runs / scenario.taking, min(TRIAL_LANES, assignment.connections)
        self._borne = Borne(
            outcome.record.new.requests / scenario.runs, rate, lanes / rate, scenario.generator / scenario.runs
        )
        self.rates = self._rates(self._borne)

    def _rates(self, borne: Borne) -> Rates:
        """Return the rate of each build in requests per second; both together stay under what the slower one bears."""
        settings, demanded = self.settings, self._demanded("load.throughput")
        burst = max(1.0, settings.burst)
        most = settings.pair_share * borne.runs / burst * borne.requests
        wished = (
            (settings.rate, "as configured") if settings.rate else (settings.rate_limit, "the limit of the profile")
        )
        rate, origin = min(
            wished, (most, f"{settings.pair_share:.0%} of what both builds got through at once"),
            (_GENERATOR_SHARE / (borne.generator * burst) * borne.requests, "what the users of Locust can send"),
            key=lambda one: one[0],
        )  # fmt: skip
        if demanded is not None and rate < demanded * MARGIN and (settings.rate or math.inf) >= demanded * MARGIN:
            rate, origin = demanded * MARGIN, "the throughput that is demanded"
            if rate > most / settings.pair_share * BEARABLE:
                raise demands_more(demanded)
        return Rates(rate, {"": rate}, settings.pair_seconds, origin)

    def _stretches(self, builds: Builds, number: int) -> Stretches:
        settings, rates, borne = self.settings, self.rates, self._borne
        assert rates is not None
        assert borne is not None
        runs = rates.total / borne.requests
        pairs = min(settings.users, max(_FEWEST_PAIRS, math.ceil(_SPARE * runs * borne.taking)))
        arrivals = Arrivals(2 * runs, settings.warm_up, settings.pair_seconds, settings.burst)
        assignment = self._assigned(builds, number, arrivals, pairs)
        natural = replace(assignment, arrivals=replace(arrivals, rate=rates.total))
        return Stretches(assignment, None, natural, self._cores[0])

    def _assigned(self, builds: Builds, number: int, arrivals: Arrivals, pairs: int) -> Assignment:
        settings, document, file = self.settings, builds.new.document, self._locustfile()
        assert file is not None
        return Assignment(
            "scenarios", builds.new.url, arrivals, min(pairs, settings.users), settings.request_timeout,
            f"{self.context.seed}:{number}", "", base_path=document.base_path if document else "",
            operations=tuple(operation.name for operation in document.operations) if document else (),
            earlier=Counterpart(builds.old.url, ()), cpus=tuple(sorted(self._cores[1])),
            own=OwnUsers(str(file.path), str(file.root), settings.users, file.spawn_rate),
        )  # fmt: skip

    def _inspect(self, record: PairRecord) -> None:
        scenario = self._sound(record)
        self.outside |= scenario.outside
        self.runs, self.unlike = self.runs + scenario.runs, self.unlike + scenario.unlike
        for name in record.new.operations.keys() | record.old.operations.keys():
            self.answered.setdefault(name, set()).update(
                new for new in (True, False) if (one := record.of(new).operations.get(name)) and one.succeeded
            )
        for name, count in scenario.comparable.items():
            pairs, comparable = self.matched.get(name, (0, 0))
            now = record.ratios[name].pairs if name in record.ratios else 0
            self.matched[name] = pairs + now, comparable + count

    def _sound(self, record: PairRecord) -> Scenario:
        """Return what is known of the users; raises when the two builds did not do the same work, or one could not."""
        file, scenario = Path(self.settings.locustfile or "").name, record.scenario
        assert scenario is not None
        if scenario.refused:
            raise NotBeside(f"{file} cannot be run on two builds at once: {scenario.refused}")
        new, old = scenario.broken.get("new"), scenario.broken.get("old")
        see = "run it with Locust by hand; GATES_LOAD_HEADERS holds the headers of the login"
        if new and old:
            raise NotMeasured(f"no user of {file} got through on_start, on either build: {new}", see)
        if new:
            raise BackendFailed(
                f"no user of {file} got through on_start, though all did on {self.earlier.phase}: {new}", see
            )
        if old:
            raise NotBeside(f"on the earlier build no user of {file} got through on_start: {old}")
        matched = sum(one.pairs for one in record.ratios.values())
        comparable = sum(scenario.comparable.values())
        if matched < MATCHED_SHARE * comparable:
            other = f"{scenario.unlike} of {scenario.runs} runs took another course"
            raise NotBeside(
                f"only {matched} of {comparable} requests of {file} were the same on both builds "
                f"({other if scenario.unlike else 'their names or statuses differ'})",
                "its users must do the same with the same `random`; give requests whose path differs a `name`",
            )
        return scenario

    def _together(self) -> None:
        """See whether all users of the locustfile are served at once by the new build, with nothing else beside it."""
        with self._ready("all users at once") as (serving, _):
            assignment = replace(
                self._assignment(serving, None, 0), arrivals=Arrivals(1.0, 0.0, self.settings.concurrency_seconds)
            )
            outcome = run_load(assignment, serving, self.context.directory / "together", locustfile=self._locustfile())
            record = outcome.record
            if record is None or outcome.died:
                self._died(serving, f"with {assignment.connections} users at once")
                return
        failed = record.requests - record.succeeded
        borne = record.connections if record.requests and failed <= BORNE_ERRORS * record.requests else 0
        self.concurrency = Concurrency(borne, assignment.connections, outcome.observation.peak)

    def notes(self) -> list[str]:
        """Return what a person should know of how the locustfile was run."""
        rates, borne, file = self.rates, self._borne, self.settings.locustfile
        if rates is None or borne is None:
            return []
        found = [
            f"{file}: {rates.total / borne.requests:.3g} task runs/s on each build, which are {rates.total:.3g} "
            f"requests/s ({rates.origin}); wait_time only says how often users come compared with one another"
        ]
        if self.settings.pair_throughput:
            found.append(f"throughput beside the earlier build is not judged: the users of {file} come as they are due")
        unmeasured = sorted(self.outside - self.answered.keys())
        if unmeasured:
            found.append(f"not measured, because only on_start or on_stop sends it: {', '.join(unmeasured)}")
        new = sorted(name for name, builds in self.answered.items() if builds == {True})
        if new:
            found.append(f"not compared, because the earlier build never answers it with success: {', '.join(new)}")
        if self.unlike:
            found.append(f"{self.unlike} of {self.runs} pairs of runs took another course on one build; not compared")
        return found

    def gaps(self) -> list[Gap]:
        """Return what is missing, operations that could mostly not be compared though nothing failed among it."""
        few = [
            f"{name} ({pairs} of {comparable})"
            for name, (pairs, comparable) in sorted(self.matched.items())
            if comparable >= _ENOUGH and pairs < MATCHED_SHARE * comparable
        ]
        if not few:
            return super().gaps()
        more = f"; and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
        return [
            *super().gaps(),
            Gap(
                f"{len(few)} operations of {self.settings.locustfile} were not the same on both builds",
                "too few of their requests could be matched: " + "; ".join(few[:_SHOWN]) + more,
                "let users do the same with the same `random`; give requests whose path differs a `name`",
            ),
        ]
