"""Access logs and HAR files that tests or a pipeline left behind, in any language, held against the document."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from gates.document import Document
from gates.errors import NotMeasured, ToolError
from gates.git import commit_time, read_checkout
from gates.results import Gap, ItemId, Measurement, Readings
from gates.tools.base import Context, Requirement, Tool
from gates.tools.traffic.reading import Reader, find_files
from gates.traffic.access_log import FIELDS, Form
from gates.traffic.calls import Call
from gates.traffic.evidence import evidence_of, share_of_operations
from gates.traffic.observed import observe

_OLD = "let what makes them run on this commit before the check, or set `allow_old = true`"


@dataclass
class _Files:
    """The files that the patterns name: those to be read, and those that are older than the commit."""

    fresh: list[Path] = field(default_factory=list)
    old: list[Path] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)


class Traffic(Tool):
    """Reads which operations were really asked, and with what answer, from access logs and HAR files of this commit."""

    tool: Literal["traffic"] = "traffic"
    items: tuple[ItemId, ...] = Field(
        default=("endpoints",), description="Items of the Definition of Done this gate helps decide"
    )
    access_logs: tuple[str, ...] = Field(
        default=(), description="Access logs, by paths or patterns inside the project", examples=[["logs/access*.log"]]
    )
    har: tuple[str, ...] = Field(
        default=(), description="HAR files, by paths or patterns inside the project", examples=[["e2e/**/*.har"]]
    )
    format: Form = Field(
        default="auto",
        description="What a line of an access log is: `text` of the usual servers, `json`, or (auto) told by each line",
    )
    fields: dict[str, str] = Field(
        default_factory=dict,
        description="Where a JSON line has its method, path, status, route and time, when under no usual name; a dot "
        "leads into an object",
        examples=[{"method": "req.verb", "status": "res.code"}],
    )
    hosts: tuple[str, ...] = Field(
        default=(), description="The hosts of a HAR file that are the backend, as `localhost:8000`; loopback by default"
    )
    prefix: str = Field(
        default="", description="What a proxy puts before every path, and neither the backend nor the document knows"
    )
    ignore: tuple[str, ...] = Field(
        default=(), description="Routes that need not be in the document, by patterns", examples=[["/internal/*"]]
    )
    allow_old: bool = Field(
        default=False, description="Whether files and lines count that are older than the commit that is checked"
    )

    needs_backend = True
    measures: ClassVar[tuple[str, ...]] = ("traffic.requests", "traffic.operations")

    @field_validator("access_logs", "har")
    @classmethod
    def _inside(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if not pattern.strip() or pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
                raise ValueError(f"{pattern!r} must be a path or pattern inside the project")
        return patterns

    @field_validator("fields")
    @classmethod
    def _known(cls, fields: dict[str, str]) -> dict[str, str]:
        for name, place in fields.items():
            if name not in FIELDS:
                raise ValueError(f"{name!r} is none of {', '.join(FIELDS)}")
            if not place.strip():
                raise ValueError(f"the place of {name!r} is empty")
        return fields

    @field_validator("prefix")
    @classmethod
    def _begins(cls, prefix: str) -> str:
        if prefix and not prefix.startswith("/"):
            raise ValueError(f"{prefix!r} must begin with a slash, as in `/api`")
        return prefix.rstrip("/")

    @model_validator(mode="after")
    def _reads_something(self) -> Traffic:
        if not self.access_logs and not self.har:
            raise ValueError("it reads nothing: name files in `access_logs` or `har`")
        return self

    def run(self, context: Context) -> Readings:
        """Read the files. Raises NotMeasured when they are not there, are old, or tell of no request to the API."""
        since = None if self.allow_old else commit_time(context.root)
        logs, hars = self._files(context.root, self.access_logs, since), self._files(context.root, self.har, since)
        self._refuse_nothing(logs, hars)
        reader = Reader(self.format, self.fields, self.hosts, since)
        for path in logs.fresh:
            context.progress(None, f"reading {path.relative_to(context.root)}")
            reader.read_log(path)
        for path in hars.fresh:
            context.progress(None, f"reading {path.relative_to(context.root)}")
            reader.read_har(path, str(path.relative_to(context.root)))
        calls = [self._stripped(call) for call in reader.calls]
        if not calls:
            raise NotMeasured(f"no request could be read: {reader.described()}", reader.advice(_OLD))
        with context.serve() as serving:
            if serving.document is None:
                raise ToolError(serving.document_error or "the backend has no OpenAPI document", "[backend] openapi")
            document = serving.document
        readings = self._readings(calls, document, reader)
        gaps = [Gap(f"the traffic of {pattern}", "there is no such file", "correct it") for pattern in logs.nothing]
        gaps += [Gap(f"the traffic of {pattern}", "there is no such file", "correct it") for pattern in hars.nothing]
        notes = [*readings.notes, *_notes(context.root, [*logs.old, *hars.old], since)]
        return replace(readings, gaps=(*readings.gaps, *gaps), notes=tuple(notes))

    def _files(self, root: Path, patterns: tuple[str, ...], since: float | None) -> _Files:
        found = _Files()
        for pattern in patterns:
            paths = find_files(root, pattern)
            if not paths:
                found.nothing.append(pattern)
            for path in paths:
                is_old = since is not None and path.stat().st_mtime < since
                (found.old if is_old else found.fresh).append(path)
        return found

    def _refuse_nothing(self, logs: _Files, hars: _Files) -> None:
        if logs.fresh or hars.fresh:
            return
        old = [*logs.old, *hars.old]
        if old:
            count = "1 file is" if len(old) == 1 else f"{len(old)} files are"
            raise NotMeasured(f"{count} older than the commit that is checked: {old[0].name}", _OLD)
        named = ", ".join([*self.access_logs, *self.har])
        raise NotMeasured(
            f"there is no file {named}", "it is written by tests or a pipeline before the check: is the path right?"
        )

    def _stripped(self, call: Call) -> Call:
        if self.prefix and (call.path + "/").startswith(self.prefix + "/"):
            return replace(call, path=call.path[len(self.prefix) :] or "/")
        return call

    def _readings(self, calls: list[Call], document: Document, reader: Reader) -> Readings:
        observation = observe(calls, document, "traffic", self.ignore)
        if not observation.matched:
            raise NotMeasured(
                f"of {reader.total:,} requests none is to an operation of the document; the first is "
                f"{calls[0].method} {calls[0].path}",
                "name what stands before every path in `prefix`, or in [backend] base_path",
            )
        evidence = evidence_of(observation, "traffic")
        share = share_of_operations("traffic.operations", observation, document)
        return Readings(
            measurements=(Measurement("traffic.requests", reader.total, "1", "neither"), share),
            findings=evidence.findings,
            operations=evidence.operations,
            gaps=tuple(reader.gaps),
            documents={"openapi": document.as_json()},
            notes=(reader.described(), *evidence.notes),
        )

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the files are there, which need not be before the tests that write them ran."""
        found = [path for pattern in (*self.access_logs, *self.har) for path in find_files(context.root, pattern)]
        told = ("1 file" if len(found) == 1 else f"{len(found)} files") if found else "no file yet"
        return [Requirement("recorded traffic", bool(found), told, "" if found else "let the tests write it first")]


def _notes(root: Path, old: list[Path], since: float | None) -> list[str]:
    notes = []
    if old:
        shown = ", ".join(str(path.relative_to(root)) for path in old[:3])
        notes.append(f"older than the commit, and therefore not read: {shown}" + (" and others" if old[3:] else ""))
    if since is not None and read_checkout(root).dirty:
        notes.append("there are uncommitted changes: whether the traffic is of them cannot be told")
    return notes
