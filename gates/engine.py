"""Runs the gates of a plan and yields events; never prints, never exits; one broken gate never stops the others."""

from __future__ import annotations

from dataclasses import dataclass

from gates.results import GateResult


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The gates that will run, in order."""

    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateStarted:
    """A gate began."""

    gate: str
    tool: str


@dataclass(frozen=True, slots=True)
class GateProgress:
    """How far a gate is; `share` is between 0 and 1, or None where the end is not known."""

    gate: str
    share: float | None
    text: str


@dataclass(frozen=True, slots=True)
class GateFinished:
    """A gate ended; its readings are raw until they are compared."""

    result: GateResult


Event = RunStarted | GateStarted | GateProgress | GateFinished
