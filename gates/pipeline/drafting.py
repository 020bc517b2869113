"""A document of a phase, made out of what its gate saw last: nobody has to write down what is there."""

from __future__ import annotations

from pathlib import Path

from gates.config.model import Configuration
from gates.errors import GatesError
from gates.pipeline.place import existing_history, open_place
from gates.plan import choose_phase
from gates.reports.wording import clean
from gates.results import Run
from gates.store import Store
from gates.tools.phase import record
from gates.tools.phase import snapshot as snapshots
from gates.tools.phase.drafting import draft_document


def draft_phase(root: Path, phase: str) -> str:
    """Return `phases/<phase>.md` as it could be, from the last run of the phase, or the one it was signed off with.

    What a document lists already stays. Raises ConfigurationError for a phase that does not exist, and GatesError when
    no gate has looked at it yet.
    """
    place = open_place(root)
    _, chosen = choose_phase(place.configuration, phase, place.signed)
    signoff = place.signoff_of(chosen.name)
    runs = [signoff.run] if signoff else _last_runs(root, chosen.name)
    kept = [gate.readings.documents for run in runs for gate in run.gates]
    found = next((one for one in kept if record.DOCUMENT in one and snapshots.DOCUMENT in one), None)
    if found is None:
        raise GatesError(
            f"no phase gate has looked at phase {chosen.name!r} yet", _how(place.configuration, chosen.name)
        )
    try:
        seen, snapshot = record.from_json(found[record.DOCUMENT]), snapshots.from_json(found[snapshots.DOCUMENT])
    except (ValueError, KeyError, TypeError) as error:
        raise GatesError(f"what the phase gate has kept cannot be read: {error}", "run it again") from error
    listed = (seen.provides, seen.consumes)
    # Names come from the backend's own document and source.
    return clean(draft_document(chosen.name, chosen.title, snapshot, seen.new, seen.since, listed)).rstrip("\n")


def _last_runs(root: Path, phase: str) -> list[Run]:
    """Return the last run of a phase, and the last whole one: a run of other gates may have come after it."""
    path = existing_history(root)
    if path is None:
        return []
    with Store(path) as store:
        found = (store.latest(phase=phase), store.latest(phase=phase, partial=False))
    return [run for run in found if run is not None]


def _how(configuration: Configuration, phase: str) -> str:
    gates = [name for name, tool in configuration.gates.items() if tool.tool == "phase"]
    if not gates:
        return 'add one: [gates.phase] tool = "phase"; then `gates check phase`'
    return f"`gates check {gates[0]} --phase {phase}` does"
