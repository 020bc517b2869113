"""What runs inside Locust: `locust -f locustfile.py[,the project's own]`, told what to do by an assignment.

Locust brings its users, its events, its statistics and its end; when the requests are due, and what was recorded of
them, is ours: each kind of load is a module beside this one. Nothing here imports pydantic.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gevent
from locust import events

from gates.load.assignment import ASSIGNMENT_VARIABLE, Kind, read_assignment
from gates.load.kind_closed import simultaneous
from gates.load.kind_locustfile import own
from gates.load.kind_open import arrivals
from gates.load.kind_pairs import pairs
from gates.load.kind_scenarios import scenarios, trial
from gates.load.kind_turns import turns
from gates.load.stage import Part, Stage

KINDS: Mapping[Kind, Callable[[Stage], Part]] = {
    "open": arrivals,
    "pairs": pairs,
    "turns": turns,
    "closed": simultaneous,
    "locustfile": own,
    "scenarios": scenarios,
    "trial": trial,
}

ASSIGNMENT = read_assignment(Path(os.environ[ASSIGNMENT_VARIABLE]).read_text("utf-8"))

if ASSIGNMENT.cpus and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, ASSIGNMENT.cpus)

STAGE = Stage(ASSIGNMENT)
USERS, CONDUCT = KINDS[ASSIGNMENT.kind](STAGE)
"""Locust finds the class of the users by looking for one in this module."""


def _give_up(environment: Any) -> None:
    """End without a record: something here is broken, and half a measurement would be taken for a whole one."""
    environment.process_exit_code = 2
    gevent.spawn(environment.runner.quit)


@events.init.add_listener  # type: ignore[untyped-decorator]
def _begin(environment: Any, **_: Any) -> None:
    begun: list[gevent.Greenlet] = []

    @events.spawning_complete.add_listener  # type: ignore[untyped-decorator]
    def _conduct_once(**_: Any) -> None:
        if not begun:  # a shape spawns several times
            gc.collect()
            gc.freeze()
            begun.append(gevent.spawn(CONDUCT, environment))
            begun[0].link_exception(lambda _: _give_up(environment))

    if ASSIGNMENT.kind in ("open", "closed", "pairs", "turns"):
        STAGE.ear.take_over(environment)

    if ASSIGNMENT.kind != "locustfile":

        @events.user_error.add_listener  # type: ignore[untyped-decorator]
        def _broken(**_: Any) -> None:
            _give_up(environment)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _quitting(environment: Any, **_: Any) -> None:
    # A shape of the project's own may end before the time; when we gave up, there is nothing to write.
    if environment.process_exit_code is None and ASSIGNMENT.kind == "locustfile":
        STAGE.write()
        environment.process_exit_code = 0
