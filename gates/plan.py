"""From configuration, phase and selection to the gates that will run, in order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gates.config.model import Configuration, Phase
from gates.errors import ConfigurationError
from gates.profiles import nearest_hint
from gates.tools.base import Tool


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """A gate, and why a person left it out, if one did."""

    name: str
    tool: Tool
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do. `asked` names the gates of a partial run, None for a whole one."""

    phase: Phase
    number: int
    previous: str | None
    gates: tuple[PlannedGate, ...]
    asked: frozenset[str] | None
    fast: bool

    @property
    def partial(self) -> bool:
        """Whether the command line left something out, so that the run cannot be signed off.

        What gates.toml itself leaves out is the project's own word: it holds for every run, and each report says so.
        """
        return self.asked is not None or self.fast or any(gate.skipped != gate.tool.skip for gate in self.gates)

    def running(self) -> list[PlannedGate]:
        """Return the gates that run: those that may run side by side, then those that measure time."""
        return sorted(
            (gate for gate in self.gates if not gate.skipped), key=lambda gate: (gate.tool.alone, gate.tool.slow)
        )


def choose_phase(configuration: Configuration, name: str | None, signed: Collection[str]) -> tuple[int, Phase]:
    """Return the phase to check and its number from 1: the one named, else the first not signed off, else the last."""
    names = [phase.name for phase in configuration.phases]
    if name is not None:
        if name not in names:
            raise ConfigurationError(f"there is no phase {name!r} in gates.toml", nearest_hint(name, names))
        return names.index(name) + 1, configuration.phases[names.index(name)]
    for number, phase in enumerate(configuration.phases, 1):
        if phase.name not in signed:
            return number, phase
    return len(names), configuration.phases[-1]


def previous_phase(configuration: Configuration, number: int, signed: Collection[str]) -> str | None:
    """Return the signed-off phase that a run of phase `number` is compared with.

    It is the nearest earlier one; a phase that is itself signed off is compared with its own baseline.
    """
    for phase in reversed(configuration.phases[:number]):
        if phase.name in signed:
            return phase.name
    return None


def make_plan(
    configuration: Configuration,
    *,
    signed: Collection[str],
    phase: str | None = None,
    gates: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    fast: bool = False,
) -> Plan:
    """Return the plan of a run; raises ConfigurationError for a gate or phase that does not exist."""
    names = list(configuration.gates)
    for name in (*gates, *only, *skip):
        if name not in names:
            raise ConfigurationError(f"there is no gate {name!r}", nearest_hint(name, names))
    chosen = frozenset((*gates, *only))
    number, current = choose_phase(configuration, phase, signed)
    planned = []
    for name, tool in configuration.gates.items():
        reason = tool.skip
        if name in skip:
            reason = "left out with --skip"
        elif chosen and name not in chosen:
            reason = "not asked for"
        elif fast and tool.slow:
            reason = "left out by --fast"
        planned.append(PlannedGate(name, tool, reason))
    previous = previous_phase(configuration, number, signed)
    return Plan(current, number, previous, tuple(planned), chosen or None, fast)
