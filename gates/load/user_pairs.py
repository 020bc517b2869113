"""Users of the project's, in pairs: one of each build, who take their turns when they are given them.

Locust's own loop runs each user: it chooses the tasks, nests the sets and ends them. Only its pause between two tasks
is another one: the user rests until its next turn is due. So a run, what is done in one turn, is what Locust does from
one pause to the next; both users of a pair draw the same in it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import gevent
from gevent.event import Event
from gevent.hub import Waiter, get_hub
from locust import TaskSet
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING, DefaultTaskSet

from gates.load.copies import Copy
from gates.load.place import Place, here, spawn
from gates.load.scenario import Run, Sent

_SHORTEST_TURN = 1e-3
"""Seconds; users who neither wait nor take any time come as often as one another."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run that a user is to make: the number of its pair, and when it is due on the monotonic clock."""

    number: int
    due: float
    first: bool
    measured: bool
    was_free: bool


class PairedUser:
    """One user of one build: rests, makes a run when it is its turn, and rests again."""

    def __init__(self, pair: UserPair, copy: Copy) -> None:
        self.pair, self.copy = pair, copy
        self.place: Place = copy.place(f"{pair.name}:{pair.number}:on_start", self)
        self.ready = self.resting = self.ended = False
        self.rests = Event()
        self.rests.set()
        """Set while it makes no run."""
        self.failure = ""
        """Why it was never `ready` for its first turn, when it has ended before."""
        self.run: Run | None = None
        self.began = 0.0
        self.paused = 0.0
        """Seconds that it would have waited before its next task."""
        self._waiter: Any = None
        self._greenlet: Any = None

    def start(self) -> None:
        """Start it as Locust does; it begins with on_start."""
        making = spawn(self.place, self._make)
        making.join()
        if making.exception is not None:
            self.failure = _told(making.exception)
            self._over()

    def _make(self) -> None:
        environment = self.copy.environment
        user = self.copy.classes[self.pair.name](environment)
        self._greenlet = user.start(environment.runner.user_greenlets)
        self._greenlet.link(lambda _: self._over())

    def rest(self, pause: float) -> None:
        """End the run, if there is one, and return when the next turn is due; raises StopUser when there is none."""
        self.paused = pause
        self._end_run()
        self.ready = self.resting = True
        self.rests.set()
        self._waiter = Waiter()
        self.pair.changed()
        turn: Turn | None = self._waiter.get()
        self.resting, self._waiter = False, None
        if turn is None:
            raise StopUser()
        self.began = time.monotonic()
        self.place.draws = self.copy.place(f"{self.pair.name}:{self.pair.number}:{turn.number}").draws
        self.run = Run(turn.number, self.copy.build.new, turn.first, turn.measured, self.began - turn.due)
        self.pair.crew.began(self.run, turn)

    def give(self, turn: Turn | None) -> None:
        """Let it make a run, or end where there is no turn for it any more; it must be resting."""
        self.resting = False
        self.rests.clear()
        get_hub().loop.run_callback(self._waiter.switch, turn)

    def failed(self, error: BaseException) -> None:
        """Take note of what a task, or on_start, raised."""
        if self.run is None:
            self.failure = _told(error)
        else:
            self.run.error = type(error).__name__

    def sent(self, request: Sent) -> None:
        """Take note of a request."""
        if self.run is None:
            self.pair.crew.outside(request.operation)
        else:
            self.run.sent.append(request)

    def is_here(self) -> bool:
        """Return whether it is the user's own greenlet that asks, not one that a task spawned."""
        return self._greenlet is gevent.getcurrent()

    def hang(self) -> None:
        """Count it as a failure that its run did not end in time."""
        if self.run is not None:
            self.run.hang(time.monotonic() - self.began)
            self._end_run()

    def _end_run(self) -> None:
        run, self.run = self.run, None
        if run is not None:
            self.pair.ended(run, time.monotonic() - self.began)

    def _over(self) -> None:
        self._end_run()
        if not self.ready and not self.failure:
            self.failure = "it ended itself"
        self.ended, self.resting = True, False
        self.rests.set()
        self.pair.changed()


class Crew(Protocol):
    """Who is told of runs that begin and end, and of what was sent outside of them."""

    def began(self, run: Run, turn: Turn) -> None:
        """A run began."""

    def ended(self, run: Run) -> bool:
        """Take in a run that ended; return whether it is like that of the other user, as far as that is known."""

    def outside(self, operation: str) -> None:
        """Something was sent while there was no run."""

    def changed(self) -> None:
        """A user rests, or has ended."""


class UserPair:
    """A user of both builds; `weight` is how many users it stands for, `turn` when it would come next.

    `turn` counts in seconds of the user's own: the pauses that it asked for and the time that its runs took. Whoever
    has the least is next, so users come as often, compared with one another, as they would if they really waited.
    """

    def __init__(self, crew: Crew, copies: tuple[Copy, Copy], name: str, number: int, weight: float) -> None:
        self.crew, self.name, self.number, self.turn = crew, name, number, 0.0
        self.users = tuple(PairedUser(self, copy) for copy in copies)
        self.weight, self._taken, self._apart = weight, 0.0, False
        self.owed = False
        """Whether the second of them still has to be given the turn that the first one had."""

    def start(self) -> None:
        """Start both users."""
        for user in self.users:
            user.start()

    @property
    def idle(self) -> bool:
        """Whether both users rest, and may be given a turn."""
        return not self.owed and all(user.resting for user in self.users)

    @property
    def begun(self) -> bool:
        """Whether both are through with on_start, one way or another."""
        return all(user.resting or user.ended for user in self.users)

    @property
    def over(self) -> bool:
        """Whether there are none of them any more."""
        return all(user.ended for user in self.users)

    def of(self, new: bool) -> PairedUser:
        """Return the user of one build."""
        return next(user for user in self.users if user.copy.build.new is new)

    def ended(self, run: Run, seconds: float) -> None:
        """Take in a run of one user."""
        self._taken += seconds / 2
        self._apart = not self.crew.ended(run) or self._apart

    def changed(self) -> None:
        """See whether both rest again, and let a user go whose other is gone, or has taken another course."""
        if self.owed:
            pass
        elif self.idle and not self._apart:
            paused = sum(user.paused for user in self.users) / 2
            self.turn += max(_SHORTEST_TURN, paused + self._taken) / self.weight
            self._taken = 0.0
        elif self.idle or any(user.ended for user in self.users):
            for user in self.users:
                if user.resting:
                    user.give(None)
        self.crew.changed()


def _told(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _user_here() -> PairedUser | None:
    place = here()
    user = place.user if place is not None else None
    return user if isinstance(user, PairedUser) and user.is_here() else None


def take_turns() -> None:
    """Let Locust's users rest until their turn where they would wait: before their first task and between two."""
    loop: Any = TaskSet
    first: Any = DefaultTaskSet
    sleep, begin, execute = loop.wait, first.on_start, loop.execute_next_task

    def as_if_waited(*waiting: Any) -> None:
        # constant_pacing counts a run from the end of the pause that it asked for: that is now.
        for one in waiting:
            one._cp_last_run = time.perf_counter() - one._cp_last_wait_time

    def wait(self: Any) -> None:
        paired = _user_here()
        if paired is None:
            sleep(self)
            return
        if self.user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        self.user._state = LOCUST_STATE_WAITING
        pause = max(0.0, float(self.wait_time() or 0.0))
        paired.rest(pause)
        as_if_waited(self, self.user)
        if self.user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        self.user._state = LOCUST_STATE_RUNNING

    def on_start(self: Any) -> None:
        begin(self)
        paired = _user_here()
        if paired is not None:
            self.user._state = LOCUST_STATE_WAITING
            paired.rest(0.0)
            as_if_waited(self, self.user)
            self.user._state = LOCUST_STATE_RUNNING

    def execute_next_task(self: Any) -> None:
        paired = _user_here()
        if paired is not None and paired.run is not None:
            task = self._task_queue[0]
            paired.run.tasks.append(f"{type(self).__name__}.{getattr(task, '__name__', type(task).__name__)}")
        execute(self)

    loop.wait, first.on_start, loop.execute_next_task = wait, on_start, execute_next_task
