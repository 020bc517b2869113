"""What a phase document says, held against what is there now and what earlier phases had; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from gates.results import Finding, Gap, Severity
from gates.rules import fingerprint
from gates.tools.phase.drafting import draft_lines
from gates.tools.phase.references import KINDS, SEVERAL, Kind, Reference, Written, called, same_thing
from gates.tools.phase.resolve import Resolver, not_there
from gates.tools.phase.rules import RULES
from gates.tools.phase.snapshot import Change, Snapshot

_ONLY_TOLD = ("events", "environment")
"""Kinds that are found by reading the source, which may err; those that are consumed are listed as well."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class EarlierPhase:
    """A phase that was signed off: what there was then, as far as it was seen, and what its document promised."""

    name: str
    snapshot: Snapshot
    provides: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """A reference, and the kind and name of what it is to in the snapshot; without a name where it is to nothing."""

    reference: Reference
    kind: Kind
    name: str


def resolved(references: Sequence[Reference], there: Resolver) -> tuple[Resolved, ...]:
    """Return references with what they are to."""
    return tuple(Resolved(one, *(there.find(one) or (one.kind, ""))) for one in references)


@dataclass(frozen=True)
class Checked:
    """What came of a document: its references, problems with them, and what could not be looked up."""

    provides: tuple[Resolved, ...] = ()
    consumes: tuple[Resolved, ...] = ()
    kept: Mapping[str, tuple[Resolved, ...]] = field(default_factory=dict)
    """By earlier phase, what it provides and is there still."""
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()


def check(
    written: Written, present: Resolver, earlier: Sequence[EarlierPhase], phase: str, changes: Mapping[str, Change]
) -> Checked:
    """Hold a document against the present, and what it consumes against earlier phases (the latest of them last).

    `changes` is what is new and gone since the phase before, or since nothing where this is the first.
    """
    provides, consumes = resolved(written.provides, present), resolved(written.consumes, present)
    gaps: _Gaps = {}
    findings = [
        *_provided(provides, present, gaps),
        *_consumed(consumes, present, {one.name: Resolver(one.snapshot) for one in earlier}, gaps),
        *_mentioned(written, present, earlier),
        *_broken(earlier, present, gaps),
        *_contradictions(written),
        *_unread(written),
        *_unlisted([*provides, *(one for one in consumes if one.kind in _ONLY_TOLD)], phase, changes, written.places),
    ]
    kept = {one.name: tuple(promise for promise in resolved(one.provides, present) if promise.name) for one in earlier}
    return Checked(provides, consumes, kept, _each_once(findings), tuple(gaps.values()))


def _each_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    by_mark: dict[str, Finding] = {}
    for one in findings:
        by_mark.setdefault(one.fingerprint, one)
    rank = list(Severity)
    order = sorted(by_mark.values(), key=lambda one: (one.rule, one.path or "", one.line or 0))
    return tuple(sorted(order, key=lambda one: rank.index(one.severity)))


def _at(place: str) -> tuple[str, int | None]:
    """Return file and line of a place; one in gates.toml is a table, `gates.toml [[phases]] search`."""
    path, _, line = place.rpartition(":")
    return (path, int(line)) if path and line.isdigit() else (place.partition(" [[")[0], None)


def _finding(
    rule: str, place: str, message: str, fix: str, *identity: str, severity: Severity | None = None
) -> Finding:
    path, line = _at(place)
    chosen = severity or RULES[rule].severity
    assert chosen is not None
    return Finding(rule, chosen, message, fingerprint(rule, *identity), path, line, fix=fix)


_Gaps = dict[tuple[str, str], Gap]


def _provided(provides: Sequence[Resolved], present: Resolver, gaps: _Gaps) -> Iterator[Finding]:
    missing = {one.reference.name for one in provides if not one.name}
    for one in provides:
        if not one.name and not _goes_with_its_table(one.reference, missing):
            yield from _absent(one.reference, present, gaps)


def _goes_with_its_table(column: Reference, missing: Set[str]) -> bool:
    """Return whether the table of a column is missing as well: that it is missing says it all."""
    return column.kind == "tables" and "." in column.name and column.name.partition(".")[0] in missing


def _absent(reference: Reference, present: Resolver, gaps: _Gaps, was_in: str = "") -> Iterator[Finding]:
    """Yield the finding of something that is not there, or note that nobody can tell."""
    if (why := present.not_seen(reference)) is not None:
        what = f"whether the {SEVERAL[reference.kind]} of the phase document are there"
        gaps.setdefault((reference.kind, ""), Gap(what, why, "let gates see them, or do not list them"))
        return
    near = present.nearest(reference)
    fix = f"write {near}, or make {reference.name}" if near else f"make {reference.name}, or take it out"
    message = not_there(reference, near)
    if was_in:
        message = f"{message}; it was, when phase {was_in} was signed off"
    yield _finding("phase.unresolved", reference.place, message, fix, *same_thing(reference), "present")


def _consumed(
    consumes: Sequence[Resolved], present: Resolver, earlier: Mapping[str, Resolver], gaps: _Gaps
) -> Iterator[Finding]:
    """Yield what was not there in the phase that it is consumed from, or is not there any more."""
    missing = {one.reference.name for one in consumes if not one.name}
    for one in consumes:
        if not one.name and _goes_with_its_table(one.reference, missing):
            continue
        reference = replace(one.reference, kind=one.kind)
        then = earlier.get(reference.phase)
        was_there = then is not None and then.find(reference) is not None
        if not one.name:
            yield from _absent(reference, present, gaps, reference.phase if was_there else "")
            continue
        if not reference.phase or was_there:
            continue
        if then is None:
            gaps.setdefault(("", reference.phase), _unsigned(reference, list(earlier)))
        elif then.not_seen(reference) is not None:
            gaps.setdefault((reference.kind, reference.phase), _unseen_then(reference))
        else:
            where = f" in what phase {reference.phase} was signed off with"
            yield _finding(
                "phase.unresolved", reference.place, not_there(reference, then.nearest(reference), where),
                f"name the phase that made it, or leave out `from {reference.phase}`",
                *same_thing(reference), reference.phase,
            )  # fmt: skip


def _unsigned(reference: Reference, signed: Sequence[str]) -> Gap:
    from gates.profiles import nearest_hint

    return Gap(
        f"what is consumed from phase {reference.phase}",
        f"{reference.place} names a phase that is not signed off before this one",
        nearest_hint(reference.phase, list(signed)),
    )


def _unseen_then(reference: Reference) -> Gap:
    return Gap(
        f"the {SEVERAL[reference.kind]} that phase {reference.phase} had",
        "no phase gate saw them when it was signed off, so only that they are there now is known",
        f"list them under `Consumes` without `from {reference.phase}`",
    )


def _mentioned(written: Written, present: Resolver, earlier: Sequence[EarlierPhase]) -> Iterator[Finding]:
    """Yield what the text names in code and is not there; of a dotted name only where it speaks of a table."""
    for reference in written.mentions:
        if present.find(reference) or present.not_seen(reference):
            continue
        if reference.kind == "tables" and not _speaks_of_a_table(reference, present):
            continue
        if reference.kind == "operations" and any(Resolver(phase.snapshot).find(reference) for phase in earlier):
            message = f"{reference.name} is not there any more; it was when an earlier phase was signed off"
        elif reference.kind == "files":
            message = f"file {reference.name} is not there"
        else:
            message = not_there(reference, present.nearest(reference))
        rule = RULES["phase.prose-unresolved"]
        yield _finding(rule.id, reference.place, message, rule.fix, *same_thing(reference), _at(reference.place)[0])


def _speaks_of_a_table(reference: Reference, present: Resolver) -> bool:
    """Return whether a dotted name is meant as a column: it begins with a table, and is nothing else.

    Modules, attributes and domains are written the same way, so that every other one is left alone.
    """
    first, _, second = reference.name.partition(".")
    tables = {name.lower(): table for name, table in present.snapshot.tables.items()}
    table = tables.get(first.lower())
    if table is None or not table.columns or present.find(Reference("events", reference.name, "")) is not None:
        return False
    modules = {part for path in present.snapshot.components for part in path.replace(".", "/").split("/")}
    return second not in modules


def _broken(earlier: Sequence[EarlierPhase], present: Resolver, gaps: _Gaps) -> Iterator[Finding]:
    for phase in earlier:
        gone = {promise.name for promise in phase.provides if present.find(promise) is None}
        for promise in phase.provides:
            if promise.name not in gone or _goes_with_its_table(promise, gone):
                continue
            if (why := present.not_seen(promise)) is not None:
                what = f"whether phase {phase.name} keeps its promises ({SEVERAL[promise.kind]})"
                gaps.setdefault((promise.kind, f"kept {phase.name}"), Gap(what, why, "let gates see them"))
                continue
            near = present.nearest(promise)
            told = f"; the nearest is {near}" if near else ""
            what = called(promise.kind, promise.name)
            yield _finding(
                "phase.promise-broken", promise.place,
                f"{what} is gone; phase {phase.name} provides it{told}",
                RULES["phase.promise-broken"].fix, *same_thing(promise), phase.name,
            )  # fmt: skip


def _contradictions(written: Written) -> Iterator[Finding]:
    fix = RULES["phase.contradiction"].fix
    provided = {same_thing(one): one for one in written.provides}
    sources: dict[tuple[str, str], Reference] = {}
    for one in written.consumes:
        mine = provided.get(same_thing(one))
        if mine is not None:
            message = f"{one.name} is provided ({mine.place}) and consumed ({one.place})"
            yield _finding("phase.contradiction", one.place, message, fix, *same_thing(one), "both")
        other = sources.setdefault(same_thing(one), one)
        if other.phase != one.phase and other.phase and one.phase:
            message = f"{one.name} comes from {other.phase} ({other.place}) and from {one.phase} ({one.place})"
            yield _finding("phase.contradiction", one.place, message, fix, *same_thing(one), "sources")


def _unread(written: Written) -> Iterator[Finding]:
    for remark in written.remarks:
        place, _, message = remark.partition(": ")
        yield _finding("phase.unreadable", place, message, RULES["phase.unreadable"].fix, _at(place)[0], message)


def unlisted(provides: Sequence[Reference], changes: Mapping[str, Change]) -> dict[Kind, tuple[str, ...]]:
    """Return, by kind, what is new and not provided; a table that is listed lists its columns, and they list it."""
    names = {same_thing(one) for one in provides}
    names |= {("tables", one.name.partition(".")[0]) for one in provides if one.kind == "tables"}
    found: dict[Kind, tuple[str, ...]] = {}
    for kind in KINDS:
        new = changes[kind].added if kind in changes else ()
        missing = tuple(name for name in new if not _lists(names, kind, name))
        if missing:
            found[kind] = missing
    return found


def _lists(names: Set[tuple[str, str]], kind: Kind, name: str) -> bool:
    is_column = kind == "tables" and "." in name
    return same_thing(Reference(kind, name, "")) in names or (is_column and (kind, name.partition(".")[0]) in names)


def _one(kind: Kind, name: str) -> str:
    return f"operation {name}" if kind == "operations" else called(kind, name)


def _unlisted(
    listed: Sequence[Resolved], phase: str, changes: Mapping[str, Change], places: Sequence[str]
) -> Iterator[Finding]:
    found = [Reference(one.kind, one.name, "") for one in listed if one.name]
    for kind, names in unlisted(found, changes).items():
        count = f"{len(names)} {SEVERAL[kind]} are" if len(names) > 1 else f"{_one(kind, names[0])} is"
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        told = f": {shown}" if len(names) > 1 else ""
        message = f"{count} new in phase {phase} and not listed in its document{told}"
        lines = "\n".join(draft_lines(kind, names[:_SHOWN]))
        fix = f"add to {places[0] if places else f'phases/{phase}.md'} under `## Provides`:\n{lines}"
        severity = Severity.INFO if kind in _ONLY_TOLD else None
        yield _finding("phase.unlisted", places[0] if places else "", message, fix, kind, phase, *names,
                       severity=severity)  # fmt: skip
