"""Runs inside Schemathesis: keeps every operation to its share of the time, and the systematic cases to a number.

Loaded by path (`hooks` in the configuration written for a run), so it imports nothing of ours. Schemathesis' own
`--max-time` repeats the random phases until the time is spent, so that the number of cases depends on the speed of
the machine, and does not say which operations it cut short. Here nothing is cut while the time is enough; what is
cut, and which operation is being tested, is written to a log, one JSON object a line.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import schemathesis
from schemathesis.cli import EventHandler, handler
from schemathesis.engine import events

# What an operation's turn ends with when its `--max-time` share is over: its own results are kept, the run goes on.
from schemathesis.engine.run.unit._case import BudgetExpired

PHASES = ("examples", "coverage", "fuzzing", "stateful")
RESERVED = {"coverage": 0.3, "fuzzing": 0.15, "stateful": 0.1}
"""The share of the time that the phases before each of these leave for it."""
WAITING_SECONDS = 0.25
"""What every operation that still waits in a phase is sure of, as long as the time allows it."""
STALL_SECONDS = 5.0
"""An operation for which no request was sent for so long is stuck making one, and gives its turn up if others wait."""


class Limits:
    """The clock of one run: who is at work, until when, and what was cut."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.begin = time.monotonic()
        self.seconds = float(settings["seconds"])
        self.coverage_cases = int(settings["coverage_cases"])
        self.operations = int(settings["operations"])
        self.phases = [phase for phase in PHASES if phase in settings["phases"]]
        self.log_path = str(settings["log"])
        self.lock = threading.Lock()
        self.turns: dict[tuple[str, str], float] = {}
        self.sent: dict[tuple[str, str], int] = {}
        self.cut: set[tuple[str, str, str]] = set()
        self.at_work: tuple[str, str] | None = None
        self.last_sign = self.begin
        self.in_flight = False

    @property
    def end(self) -> float:
        """When the whole run is out of time."""
        return self.begin + self.seconds

    def log(self, **entry: object) -> None:
        """Append a line to the log; the parent reads it while the run is on."""
        with self.lock, open(self.log_path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def deadline(self, turn: tuple[str, str]) -> float:
        """Return until when an operation may go on in a phase; its turn begins when this is first asked."""
        if turn not in self.turns:
            phase = turn[0]
            later = self.phases[self.phases.index(phase) + 1 :] if phase in self.phases else []
            phase_end = self.begin + self.seconds * (1 - sum(RESERVED[name] for name in later))
            had_turns = sum(1 for name, _ in self.turns if name == phase)
            waiting = 0 if phase == "stateful" else max(0, self.operations - had_turns - 1)
            each = min(WAITING_SECONDS, max(0.0, phase_end - time.monotonic()) / (waiting + 1))
            self.turns[turn] = phase_end - each * waiting
        return self.turns[turn]

    def cut_short(self, turn: tuple[str, str], why: str) -> None:
        """Note, once, that an operation was not tested to the end in a phase."""
        if (*turn, why) not in self.cut:
            self.cut.add((*turn, why))
            self.log(cut=turn[1], phase=turn[0], why=why, sent=self.sent.get(turn, 0))

    def allow(self, turn: tuple[str, str]) -> None:
        """Let a request through, or end the operation's turn; the first of a turn passes while there is time at all."""
        now = time.monotonic()
        until = self.deadline(turn) if self.sent.get(turn) else self.end
        if now >= until:
            self.cut_short(turn, "time")
            raise BudgetExpired
        self.sent[turn] = self.sent.get(turn, 0) + 1
        self.last_sign, self.in_flight = now, True

    def answered(self) -> None:
        """Note that no request is under way."""
        self.last_sign, self.in_flight = time.monotonic(), False

    def bounded(self, label: str, cases: Iterator[Any]) -> Iterator[Any]:
        """Yield the systematic cases of an operation up to the number allowed, and while half its time is left."""
        turn = ("coverage", label)
        if ("examples", label, "stalled") in self.cut:
            return self.cut_short(turn, "stalled")
        now = time.monotonic()
        until = now + (self.deadline(turn) - now) / 2
        for number, case in enumerate(cases):
            if number >= self.coverage_cases:
                return self.cut_short(turn, "cases")
            if number and time.monotonic() >= until:
                return self.cut_short(turn, "time")
            self.last_sign = time.monotonic()
            yield case
        return None

    def is_stuck(self) -> bool:
        """Return whether the operation at work has been making a request for too long while others wait."""
        if self.at_work is None or self.in_flight:
            return False
        now = time.monotonic()
        return now - self.last_sign > STALL_SECONDS and now >= min(self.deadline(self.at_work), self.end)

    def watch(self) -> None:
        """End the turn of an operation that is stuck; its worker gets the exception at its next bytecode."""
        while True:
            time.sleep(0.25)
            turn = self.at_work
            if turn is None or not self.is_stuck():
                continue
            for thread in threading.enumerate():
                if thread.name.startswith("schemathesis_unit_tests") and thread.ident is not None:
                    self.cut_short(turn, "stalled")
                    self.last_sign = time.monotonic()
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread.ident), ctypes.py_object(BudgetExpired)
                    )


LIMITS = Limits(json.loads(os.environ["GATES_FUZZ_LIMITS"]))


def turn_of(case: Any) -> tuple[str, str]:
    """Return the phase and the operation that a case belongs to; stateful scenarios are one turn together."""
    phase = case.meta.phase.name.value if case.meta is not None else "stateful"
    return (phase, "" if phase == "stateful" else case.operation.label)


@schemathesis.hook
def after_load_schema(context: Any, schema: Any) -> None:
    """Bound the systematic cases where they are made, so that making thousands does not take the time of others."""
    every = schema.iter_coverage_cases
    schema.iter_coverage_cases = lambda operation, **options: LIMITS.bounded(
        operation.label, iter(every(operation, **options))
    )


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Ask for time before every request."""
    LIMITS.allow(turn_of(case))


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Note that a request was answered."""
    LIMITS.answered()


@schemathesis.hook
def after_network_error(context: Any, case: Any, request: Any) -> None:
    """Note that a request has failed."""
    LIMITS.answered()


@handler()
class Turns(EventHandler[Any]):
    """Follows which operation is at work, for the log and for the watch over stuck ones."""

    def handle_event(self, ctx: Any, event: Any) -> None:
        """Begin or end a turn."""
        if isinstance(event, events.ScenarioStarted) and event.label is not None:
            LIMITS.at_work, LIMITS.last_sign = (event.phase.value, event.label), time.monotonic()
            LIMITS.log(began=event.label, phase=event.phase.value)
        elif isinstance(event, events.ScenarioFinished):
            LIMITS.at_work = None
        elif isinstance(event, events.PhaseStarted):
            LIMITS.log(phase=event.phase.name.value)


# A run that is told to stop writes its reports first.
signal.signal(signal.SIGTERM, signal.default_int_handler)
threading.Thread(target=LIMITS.watch, name="gates-limits", daemon=True).start()
