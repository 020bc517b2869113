"""What was kept, looked up again: phases, runs, a measurement over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gates.config.load import CONFIGURATION_FILE
from gates.errors import GatesError
from gates.explain import explain
from gates.pipeline.place import Place, existing_history, open_place, read_signoffs
from gates.plan import choose_phase
from gates.profiles import nearest_hint
from gates.results import Measurement, Run, Verdict
from gates.store import HistoryPoint, Store

_TELLING = ("coverage.lines", "tests.total", "security.high", "fuzz.operations", "load.p95", "load.errors")


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase as `gates phases` shows it."""

    number: int
    name: str
    title: str
    state: str
    by: str | None = None
    at: str | None = None
    commit: str | None = None
    verdict: Verdict | None = None
    numbers: tuple[Measurement, ...] = ()


def list_phases(root: Path) -> list[PhaseRow]:
    """Return every phase of gates.toml with its state; the current one with its last run."""
    place = open_place(root)
    current, _ = choose_phase(place.configuration, None, place.signed)
    rows = []
    for number, phase in enumerate(place.configuration.phases, 1):
        signoff = place.signoff_of(phase.name)
        run = signoff.run if signoff else _last_run(place, phase.name)
        state = "signed off" if signoff else "current" if number == current else "open"
        rows.append(
            PhaseRow(
                number, phase.name, phase.title, state, signoff.by if signoff else None,
                signoff.at if signoff else None, run.commit if run else None, run.verdict if run else None,
                _telling(run) if run else (),
            )
        )  # fmt: skip
    return rows


def _last_run(place: Place, phase: str) -> Run | None:
    path = existing_history(place.root)
    if path is None:
        return None
    with Store(path) as store:
        return store.latest(phase=phase)


def _telling(run: Run) -> tuple[Measurement, ...]:
    found = {one.name: one for gate in run.gates for one in gate.readings.measurements if not one.scope}
    return tuple(found[name] for name in _TELLING if name in found)


def find_run(root: Path, what: str | None) -> Run:
    """Return a run by the name of its signed-off phase, by its id or the beginning of it, or the last one."""
    signoffs = {signoff.phase: signoff.run for signoff in read_signoffs(root)}
    if what in signoffs:
        return signoffs[what]
    with _kept(root) as store:
        if what is not None:
            return store.run(what)
        run = store.latest()
    if run is None:
        raise GatesError("there is no run yet", "`gates check` makes one")
    return run


def _kept(root: Path) -> Store:
    path = existing_history(root)
    if path is None:
        raise GatesError(f"there is no run yet in {root}", "`gates check` makes one; -C names another project")
    return Store(path)


def measurement_history(root: Path, measurement: str, scope: str | None) -> list[HistoryPoint]:
    """Return a measurement over the finished runs; the whole when no scope is named.

    Raises GatesError that names the nearest measurement there is.
    """
    with _kept(root) as store:
        points = store.history(measurement, scope if scope is not None else "")
        names = store.measurement_names()
    if points:
        return points
    scopes = sorted({known_scope for name, known_scope in names if name == measurement and known_scope})
    if scopes:
        raise GatesError(
            f"{measurement} was not measured for {repr(scope) if scope else 'the whole'}, but for "
            + ("one scope" if len(scopes) == 1 else f"{len(scopes)} scopes"),
            nearest_hint(scope or "", scopes) + ": --scope names one",
        )
    if (measurement, "") in names:
        raise GatesError(f"{measurement} was measured as a whole, not for {scope!r}", "leave --scope out")
    known = sorted({name for name, _ in names})
    raise GatesError(f"{measurement!r} was never measured here", nearest_hint(measurement, known))


def explanation(root: Path, what: str, *, ascii: bool = False) -> str:  # noqa: A002
    """Return what `gates explain` says of a gate, rule or item, with what decided it in the last run.

    Rules, items and tools are explained where there is no project, too: `gates contract` needs none.
    """
    if not (root / CONFIGURATION_FILE).exists():
        return explain(what, {}, None, ascii=ascii)
    place = open_place(root)
    path = existing_history(root)
    last = None
    if path is not None:
        with Store(path) as store:
            last = store.latest()
    return explain(what, place.configuration.gates, last, ascii=ascii)
