"""The document of a phase, held against the project as it is and against what earlier phases were signed off with.

A snapshot of the project is taken and kept with the baseline. What a phase provides has to be in it; what it consumes
has to have been in that of the phase it names, and to be there still; what earlier phases provide may not be gone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gates.document import Document, DocumentError, parse_document
from gates.errors import ToolError
from gates.profiles import nearest_hint, read_toml
from gates.results import Finding, Gap, ItemId, Measurement, Readings, Run, Severity, Subject
from gates.tools.base import Context, Requirement, Tool, digest
from gates.tools.phase import record
from gates.tools.phase import snapshot as snapshots
from gates.tools.phase.databases import Live, live_tables
from gates.tools.phase.document import read_document, read_table
from gates.tools.phase.drafting import draft_table
from gates.tools.phase.files import Files, Found, read_project
from gates.tools.phase.promises import Checked, EarlierPhase, check, unlisted
from gates.tools.phase.references import KINDS, Reference, Written, merge
from gates.tools.phase.resolve import Resolver, nearest
from gates.tools.phase.rules import RULES
from gates.tools.phase.snapshot import Change, Snapshot
from gates.tools.phase.source.events import CALLS

__all__ = ["RULES", "PhaseDocument"]


def _known_rules(rules: dict[str, str]) -> dict[str, str]:
    for name in rules:
        if name not in RULES:
            raise ValueError(f"there is no rule {name!r}; {nearest_hint(name, list(RULES))}")
    return rules


def _in_project(folder: str) -> str:
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or not folder.strip():
        raise ValueError(f"{folder!r} is not a folder of the project")
    return str(path)


_SEVERITIES = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW}
_MOST_BYTES = 500_000
_NO_TABLES = (
    "no table was seen: there is no SQLite file in {data} once the backend is up, and no migration, model or "
    "CREATE TABLE in the files of the project names any"
)


@dataclass(frozen=True, slots=True)
class _Before:
    """What is known of the phases that were signed off, and what could not be read of them."""

    phases: tuple[EarlierPhase, ...]
    notes: tuple[str, ...]


class PhaseDocument(Tool):
    """Holds what a phase says it provides and consumes against the project as it is and the earlier phases."""

    tool: Literal["phase"] = "phase"
    items: tuple[ItemId, ...] = Field(
        default=("integration",), description="Items of the Definition of Done this gate helps decide"
    )
    folder: Annotated[str, AfterValidator(_in_project)] = Field(
        default="phases", description="Where the documents lie, each called PHASE.md"
    )
    rules: Annotated[dict[str, Literal["error", "warning", "info", "off"]], AfterValidator(_known_rules)] = Field(
        default_factory=dict,
        description="How bad the findings of a rule are: error and warning fail the gate, info is only new once, off "
        "is not told",
        examples=[{"phase.unlisted": "warning"}],
    )
    events: tuple[str, ...] = Field(
        default=(),
        description='Functions that publish events, besides the usual ones such as `publish` and `emit`: ["announce"]',
    )

    needs_backend = True
    measures = ("phase.",)

    def run(self, context: Context) -> Readings:
        """Take the snapshot, read the document, and look everything up."""
        written = self._written(context)
        snapshot, notes = self._snapshot(context)
        before = _signed_before(context.signed)
        since, changes = _changes(before.phases, snapshot)
        resolver = Resolver(snapshot, Files(context.root).has)
        checked = check(written, resolver, before.phases, context.phase, changes)
        gaps = [*checked.gaps, *self._no_document(context, written, changes)]
        return Readings(
            measurements=tuple(_measurements(snapshot, checked)),
            findings=tuple(self._graded(checked, written)),
            subjects=tuple(
                Subject("file", place, "scanned")
                for place in dict.fromkeys(place.partition(" ")[0] for place in written.places)
            ),
            gaps=tuple(gaps),
            documents={
                snapshots.DOCUMENT: snapshots.to_json(snapshot),
                record.DOCUMENT: record.to_json(context.phase, since, written, checked, changes),
            },
            configurations={"the calls that publish events": digest(" ".join(sorted(self.events)))},
            notes=(*notes, *before.notes),
        )

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the phase has a document."""
        written = self._written(context)
        detail = ", ".join(written.places) if written.complete else "nothing says what it provides"
        hint = "" if written.complete else f"`gates phases --draft {context.phase}` prints one, once the gate has run"
        return [Requirement(f"a document of phase {context.phase}", written.complete, detail, hint)]

    def _graded(self, checked: Checked, written: Written) -> Iterator[Finding]:
        """Yield the findings, as bad as this gate calls them."""
        for one in checked.findings:
            if one.rule == "phase.unlisted" and not written.complete:
                continue  # it is the whole document that is missing, and not every single thing
            named = self.rules.get(one.rule)
            if named is None:
                yield one
            elif named != "off":
                yield replace(one, severity=_SEVERITIES[named])

    def _path(self, phase: str) -> str:
        return f"{self.folder}/{phase}.md"

    def _written(self, context: Context) -> Written:
        """Return what the file and the phase's table of gates.toml say together."""
        path = self._path(context.phase)
        names = _phase_names(context)
        parts = [read_table(context.phase_settings, f"gates.toml [[phases]] {context.phase}")]
        file = context.root / path
        if file.exists():
            parts.insert(0, read_document(_text_of(file, path), path, names))
        return merge(parts)

    def _snapshot(self, context: Context) -> tuple[Snapshot, list[str]]:
        # A file system may keep whole seconds.
        began = time.time() - 2.0
        context.progress(None, "starting the backend")
        with context.serve() as serving:
            document, error = serving.document, serving.document_error
            live = Live()
            if serving.data is not None:
                live = live_tables(serving.data, context.root, began, context.directory / "databases")
            serving.check()
        context.progress(None, "reading the source")
        found = read_project(context.root, context.source, {*CALLS, *self.events})
        return _put_together(document, error, live, found)

    def _no_document(self, context: Context, written: Written, changes: Mapping[str, Change]) -> list[Gap]:
        if written.complete:
            return []
        path = self._path(context.phase)
        folder = context.root / self.folder
        if path in written.places:
            reason = f"{path} has no section `Provides`"
        else:
            others = [one.name for one in folder.glob("*.md")] if folder.is_dir() else []
            near = nearest(f"{context.phase}.md", others)
            looked = f" ({self.folder}/ has {near})" if near else ""
            reason = f"neither {path}{looked} nor its table in gates.toml says what it provides"
        make = "" if folder.is_dir() else f"mkdir -p {self.folder} && "
        hint = (
            f"`{make}gates phases --draft {context.phase} > {path}` writes one from what is new; or put into its "
            f"[[phases]] of gates.toml:\n{draft_table(unlisted((), changes))}"
        )
        return [Gap(f"phase {context.phase} has no document", reason, hint)]


def _phase_names(context: Context) -> tuple[str, ...]:
    """Return the names of all phases, as they stand in gates.toml; without one, those that are known."""
    names = [*context.signed, context.phase]
    if (context.root / "gates.toml").exists():
        phases = read_toml(context.root / "gates.toml").get("phases")
        names += [str(one["name"]) for one in phases or () if isinstance(one, dict) and "name" in one]
    return tuple(dict.fromkeys(names))


def _text_of(file: Path, path: str) -> str:
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            raise ToolError(
                f"{path} is no phase document: it is {'too large' if file.is_file() else 'no file'}",
                f"a document of a phase is a text of at most {_MOST_BYTES // 1000} kB",
            )
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ToolError(f"{path} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}") from error


def _put_together(document: Document | None, error: str, live: Live, found: Found) -> tuple[Snapshot, list[str]]:
    """Return the snapshot, and how it was come by; tables that were seen come before those that are declared."""
    not_seen, notes = {}, [*live.notes, *found.notes]
    if document is None:
        not_seen["operations"] = f"the backend's OpenAPI document could not be read: {error or 'there is none'}"
        notes.append(f"operations are not in the snapshot: {error or 'the backend has no OpenAPI document'}")
    tables = dict(live.tables) if live.databases else dict(found.tables)
    if live.databases:
        notes.append(f"tables as they are in {', '.join(live.databases)} of the started backend")
    elif tables:
        notes.append("tables as migrations and models declare them: the backend has no SQLite file to look at")
    else:
        not_seen["tables"] = _NO_TABLES
    snapshot = Snapshot(
        operations={one.name: "openapi" for one in document.operations} if document else {},
        tables=tables,
        events=found.events,
        environment=found.environment,
        dependencies=found.dependencies,
        components=found.components,
        base_path=document.base_path if document else "",
        not_seen=not_seen,
    )
    kept = snapshots.bounded(snapshot)
    notes += [f"the snapshot keeps no more: {count:,} {kind} are left out" for kind, count in kept.left_out.items()]
    return kept, notes


def _signed_before(signed: Mapping[str, Run]) -> _Before:
    phases, notes = [], []
    for name, run in signed.items():
        documents = [gate.readings.documents for gate in run.gates]
        kept = next((one[snapshots.DOCUMENT] for one in documents if snapshots.DOCUMENT in one), None)
        promised = next((one[record.DOCUMENT] for one in documents if record.DOCUMENT in one), None)
        try:
            snapshot = snapshots.from_json(kept) if kept else _only_operations(documents)
            provides = record.from_json(promised).provides if promised else ()
        except (ValueError, KeyError, TypeError) as error:
            raise ToolError(
                f"what phase {name} was signed off with cannot be read: {error}",
                "was it signed off with a later version of gates? Use that one",
            ) from error
        if kept is None:
            notes.append(f"phase {name} was signed off without a phase gate: of what was there then little is known")
        phases.append(EarlierPhase(name, snapshot, provides))
    return _Before(tuple(phases), tuple(notes))


def _only_operations(documents: Sequence[Mapping[str, str]]) -> Snapshot:
    """Return what can be told of a phase without a snapshot: the operations of the document that any gate has kept."""
    unseen = dict.fromkeys((*KINDS, "dependencies", "components"), "no phase gate saw it")
    text = next((one["openapi"] for one in documents if "openapi" in one), None)
    if text is None:
        return Snapshot(not_seen=unseen)
    try:
        document = parse_document(text)
    except DocumentError:
        return Snapshot(not_seen=unseen)  # the gate that kept it has said so
    del unseen["operations"]
    names = dict.fromkeys((one.name for one in document.operations), "openapi")
    return Snapshot(operations=names, base_path=document.base_path, not_seen=unseen)


def _changes(earlier: Sequence[EarlierPhase], snapshot: Snapshot) -> tuple[str, dict[str, Change]]:
    """Return what is new and gone, and since which phase: the last of which anything is known, "" for everything."""
    for phase in reversed(earlier):
        found = snapshots.differences(phase.snapshot, snapshot)
        if found:
            return phase.name, found
    return "", snapshots.first_changes(snapshot)


def _measurements(snapshot: Snapshot, checked: Checked) -> list[Measurement]:
    counts = {
        "operations": len(snapshot.operations),
        "tables": len(snapshot.tables),
        "lines": sum(one.lines for one in snapshot.components.values()),
    }
    found = [
        Measurement(f"phase.{name}", count, "1", "neither")
        for name, count in counts.items()
        if name not in snapshot.not_seen
    ]
    references: list[Reference] = [one.reference for one in (*checked.provides, *checked.consumes)]
    there = sum(bool(one.name) for one in (*checked.provides, *checked.consumes))
    if references:
        share = there / len(references)
        found.append(Measurement("phase.resolved", share, "ratio", "neither", count=there, total=len(references)))
    return found
