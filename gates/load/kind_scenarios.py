"""Task runs of the project's own users, in pairs: each user exists once for either build, and both make the same run.

Runs come in an open loop at a constant rate for both builds together, in the order of a coin, so that a slow build is
not asked less often. The first request of a run counts from when the run was due: it waited as long as the run did;
the others count from when they were sent, for they depend on the answer before.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from locust import User, constant, task
from locust.exception import StopUser

from gates.load.assignment import EARLIER_HEADERS_VARIABLE, HEADERS_VARIABLE, LONGEST_TRIAL, STARTING, TRIAL_LANES
from gates.load.clock import Alarm, go_first
from gates.load.copies import Build, Copy, RefusedFile, shares, two_copies
from gates.load.naming import operation_names
from gates.load.pairs import PairSlot, pair_slots
from gates.load.place import here, take_over
from gates.load.scenario import ON_START, Matching, Run, Scenario, Sent
from gates.load.stage import Part, Stage
from gates.load.user_pairs import PairedUser, Turn, UserPair, take_turns

_LOOK_EVERY = 0.05


class Company:
    """All pairs of users of a stretch: starts them, gives them turns, and takes in what they did."""

    def __init__(self, stage: Stage, copies: tuple[Copy, Copy], scenario: Scenario) -> None:
        self._stage, self._copies, self._scenario = stage, copies, scenario
        self._matching = Matching(stage.pairs, scenario)
        self._pairs: list[UserPair] = []
        self._changed = Event()
        self._turn = 0.0
        self._made = 0
        for copy in copies:
            self._listen(copy)

    def _listen(self, copy: Copy) -> None:
        assignment = self._stage.assignment
        operation_named = operation_names(assignment.operations, assignment.base_path)

        def heard(request_type: str, name: str, response_time: float, **rest: Any) -> None:
            now, error = time.monotonic(), rest.get("exception")
            status = int(getattr(rest.get("response"), "status_code", None) or 0)
            failure = "" if error is None else str(status) if status >= 400 else "rejected" if status else "network"
            at = now - max(response_time / 1000, time.time() - (rest.get("start_time") or time.time()))
            sent = Sent(operation_named(request_type.upper(), name), status, failure, response_time / 1000, at)
            place = here()
            if place is None or place.user is None:
                self.outside(sent.operation)
            else:
                place.user.sent(sent)

        def raised(user_instance: Any, exception: BaseException, **_: Any) -> None:
            place = here()
            if place is not None and place.user is not None:
                place.user.failed(exception)

        copy.environment.events.request.add_listener(heard)
        copy.environment.events.user_error.add_listener(raised)

    # What pairs tell

    def began(self, run: Run, turn: Turn) -> None:
        """Count a run that begins."""
        self._stage.crew.unanswered += 1
        if run.measured:
            self._stage.pairs.of(run.new).left(run.late, was_free=turn.was_free)

    def ended(self, run: Run) -> bool:
        """Take in a run that ended."""
        self._stage.crew.unanswered -= 1
        if run.measured:
            self._stage.pairs.of(run.new).last = time.monotonic()
        return self._matching.ended(run)

    def outside(self, operation: str) -> None:
        """Note an operation that was sent outside of all runs."""
        self._scenario.outside.add(operation)

    def changed(self) -> None:
        """Let whoever waits for a pair look again."""
        self._changed.set()

    # What is asked of them

    def start(self) -> None:
        """Start all users, and return when they are through with on_start, or have had their time for that."""
        own = self._stage.assignment.own
        assert own is not None
        for copy in self._copies:
            copy.begin()
        numbers = shares(own, self._copies[0].environment.user_classes, self._stage.assignment.connections)
        for name, (count, weight) in numbers.items():
            for _ in range(count):
                self._add(name, weight)
                gevent.sleep(1 / own.spawn_rate)
        for copy in self._copies:
            copy.spawned()
        deadline = time.monotonic() + STARTING
        while not all(pair.begun for pair in self._pairs) and time.monotonic() < deadline:
            self._wait(deadline)
        late = sum(not pair.begun for pair in self._pairs)
        if late:
            raise RefusedFile(f"{late} of {len(self._pairs)} users were not through with on_start in {STARTING:.0f} s")
        self._scenario.users = sum(pair.idle for pair in self._pairs)
        for pair in self._pairs:
            self._note_failures(pair)
        if not self._scenario.users:
            for key, new in (("new", True), ("old", False)):
                failures = [pair.of(new).failure for pair in self._pairs if pair.of(new).failure]
                if len(failures) == len(self._pairs):
                    self._scenario.broken[key] = failures[0]

    def _add(self, name: str, weight: float) -> UserPair:
        self._made += 1
        pair = UserPair(self, self._copies, name, self._made, weight)
        pair.turn = self._turn
        self._pairs.append(pair)
        pair.start()
        return pair

    def _note_failures(self, pair: UserPair) -> None:
        """Count it as a failure of a build when its user did not get through on_start."""
        for user in pair.users:
            if user.failure and not user.ready:
                kind = user.failure.partition(":")[0]
                self._stage.pairs.of(user.copy.build.new).failed(f"{ON_START}{pair.name}", kind)

    def _wait(self, until: float) -> None:
        self._changed.clear()
        self._changed.wait(max(0.0, until - time.monotonic()))

    def _renew(self) -> None:
        """Put a fresh pair in the place of each that has ended; one that never got to its first turn stays away."""
        for pair in [one for one in self._pairs if one.over]:
            self._pairs.remove(pair)
            if all(user.ready for user in pair.users):
                gevent.spawn(self._greet, self._add(pair.name, pair.weight))

    def _greet(self, fresh: UserPair) -> None:
        while not fresh.begun:
            gevent.sleep(_LOOK_EVERY)
        self._note_failures(fresh)

    def next_pair(self, give_up: float) -> tuple[UserPair | None, bool]:
        """Return the idle pair whose turn it is, and whether there was one at once; none until the moment `give_up`."""
        was_free = True
        while True:
            self._renew()
            idle = [pair for pair in self._pairs if pair.idle]
            if idle:
                chosen = min(idle, key=lambda pair: (pair.turn, pair.number))
                self._turn = chosen.turn
                return chosen, was_free
            was_free = False
            if time.monotonic() >= give_up or not self._pairs:
                return None, False
            self._wait(give_up)

    def give(self, pair: UserPair, slot: PairSlot, due: float, *, first: bool, was_free: bool) -> PairedUser:
        """Give one user of a pair its turn, and return it; one that ended meanwhile makes no run."""
        user = pair.of(slot.new)
        pair.owed = first
        if user.resting:
            user.give(Turn(slot.number, due, first, slot.measured, was_free))
        else:
            self._matching.alone(slot.number)
            pair.changed()
        return user

    def wait_until_idle(self, until: float) -> None:
        """Return when no user makes a run any more, or at a moment."""
        for pair in list(self._pairs):
            for user in pair.users:
                user.rests.wait(max(0.0, until - time.monotonic()))

    def end(self) -> None:
        """Count what did not end as failed, and stop all users."""
        for pair in self._pairs:
            for user in pair.users:
                user.hang()
        if any(copy.ended_itself for copy in self._copies):
            self._scenario.refused = "its users end the test themselves, and nobody was left to load the builds"
        for copy in self._copies:
            copy.end()


def _both(stage: Stage) -> tuple[Build, Build]:
    assert stage.assignment.earlier is not None
    headers = os.environ.get(HEADERS_VARIABLE, "{}"), os.environ.pop(EARLIER_HEADERS_VARIABLE, "{}")
    return Build(True, stage.assignment.url, headers[0]), Build(False, stage.assignment.earlier.url, headers[1])


def _prepared(stage: Stage, load: Callable[[Stage, Company, Scenario], None]) -> Part:
    """Import the locustfile for both builds; what is returned has one user, which only keeps Locust up."""
    assignment, scenario = stage.assignment, Scenario()
    assert assignment.own is not None
    stage.pairs.scenario = scenario
    copies: tuple[Copy, Copy] | None = None
    take_over()
    take_turns()
    try:
        copies = two_copies(assignment.own, _both(stage), assignment.seed)
    except RefusedFile as refused:
        scenario.refused = str(refused)

    class Waiting(User):
        """Stays until it is over; the project's users are run beside it."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Wait for the end."""
            stage.crew.through.wait()
            raise StopUser()

    def conduct(environment: Any) -> None:
        if copies is not None:
            company = Company(stage, copies, scenario)
            try:
                company.start()
            except RefusedFile as refused:
                scenario.refused = str(refused)
            if scenario.users and not scenario.refused:
                load(stage, company, scenario)
            company.end()
        stage.crew.through.set()
        stage.quit(environment)

    return Waiting, conduct


def scenarios(stage: Stage) -> Part:
    """Return who keeps Locust up, and who conducts the runs of the project's users on two builds."""
    return _prepared(stage, _scheduled)


def _scheduled(stage: Stage, company: Company, _: Scenario) -> None:
    both, whole = stage.pairs, stage.assignment.arrivals
    both.new.went_first = both.old.went_first = go_first()
    start, alarm = time.monotonic(), Alarm()
    give_up = start + whole.end + stage.assignment.timeout
    source = pair_slots(whole, {"": 1.0}, stage.assignment.seed)
    upcoming, dropped, blocked = start, 0, False

    def overdue() -> int:
        late = time.monotonic() - upcoming
        return int(late * whole.rate_at(time.monotonic() - start)) + 1 if late > 0 else 0

    stage.stretch.overdue = overdue
    stage.stretch.plan(start + whole.warm_up, start + whole.end)
    try:
        for first, second in zip(source, source, strict=False):
            upcoming = start + first.due
            blocked = blocked and upcoming < time.monotonic()  # what waits behind others found nobody free either
            alarm.sleep_until(upcoming)
            pair, was_free = company.next_pair(give_up)
            blocked = blocked or not was_free
            if pair is None:
                dropped += first.measured
                continue
            company.give(pair, first, upcoming, first=True, was_free=not blocked)
            upcoming = start + second.due
            blocked = blocked and upcoming < time.monotonic()
            alarm.sleep_until(upcoming)
            company.give(pair, second, upcoming, first=False, was_free=not blocked)
        upcoming = float("inf")
        company.wait_until_idle(give_up)
    finally:
        alarm.close()
    for record in (both.new, both.old):
        record.scheduled = record.sent + dropped


def trial(stage: Stage) -> Part:
    """Return who conducts the same runs in a closed loop, a few pairs at a time, to see how many are borne."""
    return _prepared(stage, _back_to_back)


def _back_to_back(stage: Stage, company: Company, scenario: Scenario) -> None:
    whole, timeout = stage.assignment.arrivals, stage.assignment.timeout
    coin, numbers, start = random.Random(f"{stage.assignment.seed}:coin"), itertools.count(), time.monotonic()
    stage.stretch.plan(start + whole.warm_up, start + whole.end)

    def passed() -> float:
        return time.monotonic() - start

    def lane() -> None:
        while passed() < whole.end or (not scenario.runs and passed() < whole.warm_up + LONGEST_TRIAL * whole.seconds):
            measured = passed() >= whole.warm_up
            pair, _ = company.next_pair(time.monotonic() + timeout)
            if pair is None:
                break
            number, new = next(numbers), coin.random() < 0.5
            for first in (True, False):
                slot = PairSlot(number, 0.0, "", new is first, measured)
                user = company.give(pair, slot, time.monotonic(), first=first, was_free=True)
                user.rests.wait(timeout)

    lanes = [gevent.spawn(lane) for _ in range(min(TRIAL_LANES, stage.assignment.connections))]
    gevent.sleep(max(0.0, start + whole.warm_up - time.monotonic()))
    began, cpu = time.monotonic(), time.process_time()
    gevent.joinall(lanes, raise_error=True)
    scenario.taking, scenario.generator = time.monotonic() - began, time.process_time() - cpu
    for record in (stage.pairs.new, stage.pairs.old):
        record.scheduled = record.sent
