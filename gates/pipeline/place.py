"""The project that is checked: its configuration, its signed-off phases, and where things are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gates.compare import Earlier
from gates.config.load import CONFIGURATION_FILE, load_configuration
from gates.config.model import Configuration
from gates.document import DocumentError, classify, parse_document
from gates.errors import ConfigurationError, GatesError
from gates.plan import Plan
from gates.results import GateResult, Signoff
from gates.store import read_baseline, verify_baseline, verify_chain

BASELINES = "baselines"
WORK = ".gates"


@dataclass(frozen=True)
class Place:
    """A project, its configuration, and the phases that were signed off in it, in order."""

    root: Path
    configuration: Configuration
    signoffs: tuple[Signoff, ...] = ()

    @property
    def signed(self) -> tuple[str, ...]:
        """The names of the signed-off phases."""
        return tuple(signoff.phase for signoff in self.signoffs)

    def signoff_of(self, phase: str) -> Signoff | None:
        """Return the sign-off of a phase, if there is one."""
        return next((signoff for signoff in self.signoffs if signoff.phase == phase), None)

    def earlier(self, plan: Plan) -> list[Earlier]:
        """Return the signed-off phases that a plan's run is compared with, the nearest last."""
        before = []
        for signoff in self.signoffs:
            before.append(Earlier(signoff.phase, signoff.run))
            if signoff.phase == plan.previous:
                return before
        return []


def open_place(root: Path) -> Place:
    """Return the project in a folder.

    Raises ConfigurationError for its gates.toml, IntegrityError when a baseline is not what was signed.
    """
    configuration = load_configuration(root / CONFIGURATION_FILE)
    signoffs = tuple(read_signoffs(root))
    _refuse_lost_phases(configuration, signoffs)
    return Place(root, configuration, signoffs)


def _refuse_lost_phases(configuration: Configuration, signoffs: Iterable[Signoff]) -> None:
    """A signed phase that was renamed, moved or removed would take its baseline out of every comparison, unseen."""
    names = [phase.name for phase in configuration.phases]
    for signoff in signoffs:
        number, name = signoff.number, signoff.phase
        there = names[number - 1] if number <= len(names) else "not there"
        if there != name:
            raise ConfigurationError(
                f"phase {name!r} is signed off as number {number}, and [[phases]] number {number} is {there}",
                f"a signed phase keeps its name and its place: bring back name = {name!r}, and put new phases after it",
            )


def read_signoffs(root: Path) -> list[Signoff]:
    """Return the signed-off phases in order, each verified against its digest and against the one before it."""
    signoffs = [read_baseline(path) for path in sorted((root / BASELINES).glob("*.db"))]
    signoffs.sort(key=lambda signoff: signoff.number)
    for signoff in signoffs:
        verify_baseline(signoff)
    verify_chain(signoffs)
    return signoffs


def history_path(root: Path) -> Path:
    """Return where the runs of a checkout are kept; the folder ignores itself in git."""
    folder = root / WORK
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", "ascii")
    except OSError as error:
        raise GatesError(
            f"{folder} cannot be written: {error.strerror}", "gates keeps its history and the outputs of tools there"
        ) from error
    return folder / "history.db"


def existing_history(root: Path) -> Path | None:
    """Return where the runs of a checkout are kept, if there are any; nothing is made for those who only look."""
    path = root / WORK / "history.db"
    return path if path.exists() else None


def documented_operations(gates: Iterable[GateResult]) -> dict[str, dict[str, object]]:
    """Return the operations, with their definitions, of the OpenAPI document that the gates saw."""
    for gate in gates:
        text = gate.readings.documents.get("openapi")
        if text is None:
            continue
        try:
            return {operation.name: dict(operation.definition) for operation in parse_document(text).operations}
        except DocumentError:
            continue  # the gate that read it has said so
    return {}


def operation_classes(gates: Iterable[GateResult], overrides: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the class of every operation that the gates saw."""
    gates = list(gates)
    definitions = documented_operations(gates)
    scopes = {seen.operation for gate in gates for seen in gate.readings.operations}
    scopes |= {one.scope for gate in gates for one in gate.readings.measurements if " /" in one.scope}
    names = [*definitions, *sorted(scopes - set(definitions))]
    return {name: classify(name, definitions.get(name, {}), overrides) for name in names}
