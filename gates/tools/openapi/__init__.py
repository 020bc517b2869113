"""The API description as a gate: the contract with the earlier phase, the documentation, the REST conventions.

The backend is started only where it serves the document itself; a file is read. What was read is kept with the run, so
that the next phase is compared with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from gates import documentation
from gates.document import Document, DocumentError, parse_document
from gates.errors import NotMeasured, ToolError
from gates.rest import check_conventions
from gates.results import ItemId, Measurement, Readings, Severity
from gates.rules import graded
from gates.tools.base import Context, Requirement, Tool, digest
from gates.tools.openapi.committed import check_committed, find_committed
from gates.tools.openapi.earlier import Seen, check_documented, compare, find_earlier, tell_contract
from gates.tools.openapi.settings import (
    DECIDES,
    SEVERITIES,
    Check,
    Committed,
    Documentation,
    InProject,
    Rest,
    Rules,
)

_FREE = {"items", "skip", "timeout", "tool"}
"""Settings that do not change what is found."""


class OpenApi(Tool):
    """Holds the API description against the earlier phase, the committed file, its own schema and REST conventions."""

    tool: Literal["openapi"] = "openapi"
    items: tuple[ItemId, ...] = Field(
        default=(),
        description="Items of the Definition of Done this gate helps decide; by default `integration` for the check "
        "`contract`, `documentation` for `documentation`, none for `rest`",
    )
    checks: tuple[Check, ...] = Field(default=get_args(Check), min_length=1, description="What is looked at")
    rules: Rules = Field(
        default_factory=dict,
        description="How bad the findings of a rule are: error and warning fail the gate, info counts where it is new, "
        'off is not told: { "contract.operation-removed" = "warning", "rest.depth" = "off" }',
    )
    against: str | None = Field(
        default=None,
        min_length=1,
        description="What the document is compared with: a signed phase or a file; by default the phase signed last",
    )
    committed: Committed = Field(
        default=None,
        description="The file in git that has to say what the backend serves; looked for under the usual names when "
        "left out, and false does without",
        examples=["docs/openapi.yaml"],
    )
    mentioned_in: tuple[InProject, ...] = Field(
        default=(),
        description="Files and folders one of which has to mention each changed operation, in a line that is new",
        examples=[["CHANGELOG.md", "docs"]],
    )
    major_version: bool = Field(
        default=True, description="Whether what breaks clients needs a new major version of the document"
    )
    documentation: Documentation = Field(default_factory=Documentation, description="More that is asked of it")
    rest: Rest = Field(default_factory=Rest, description="The conventions")

    measures = ("openapi.operations", "contract.", "documentation.described")

    @model_validator(mode="before")
    @classmethod
    def _items_of_the_checks(cls, written: Any) -> Any:
        if not isinstance(written, Mapping) or "items" in written:
            return written
        checks = written.get("checks", get_args(Check))
        named = checks if isinstance(checks, list | tuple) else ()
        return {**written, "items": [DECIDES[check] for check in DECIDES if check in named]}

    def run(self, context: Context) -> Readings:
        """Look at the document; raises NotMeasured when none is served, ToolError when a file cannot be read."""
        document = self._file(context)
        served = document is None
        if document is None:
            context.progress(None, "starting the backend for its document")
            document = _served(context)
        context.progress(None, f"looking at {len(document.operations)} operations")
        seen = Seen()
        seen.measurements.append(Measurement("openapi.operations", len(document.operations), "1", "neither"))
        self._beside_earlier(document, context, seen)
        if "documentation" in self.checks:
            self._documentation(document, context, seen, served)
        if "rest" in self.checks:
            seen.findings += check_conventions(document, self.rest.conventions(self.severities()))
        settings = self.model_dump(mode="json", exclude=_FREE)
        return Readings(
            measurements=tuple(seen.measurements),
            findings=tuple(sorted(seen.findings, key=lambda one: list(Severity).index(one.severity))),
            gaps=tuple(seen.gaps),
            documents={"openapi": document.text, **seen.documents},
            configurations={"openapi": digest(json.dumps(settings, sort_keys=True))},
            notes=tuple(seen.notes),
        )

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the files are there that are read beside the document."""
        found = []
        if _is_file(context.openapi):
            there = (context.root / str(context.openapi)).is_file()
            found.append(Requirement("OpenAPI document", there, str(context.openapi), "[backend] openapi names it"))
        elif "documentation" in self.checks and self.committed is not False:
            name = find_committed(context.root, self.committed or None, context.source)
            what = name or f"{self.committed or 'openapi.json'} is not there"
            hint = "save what the backend serves, and commit it; `committed` names another file, or is false"
            found.append(Requirement("committed OpenAPI document", name is not None, what, hint))
        for name in self.mentioned_in:
            there = (context.root / name).exists()
            found.append(Requirement("mentioned_in", there, name if there else f"{name} is not there", "write it"))
        return found

    def severities(self) -> dict[str, Severity | None]:
        """Return the severities that this gate gives to rules, by their names."""
        given = {rule: SEVERITIES[grade] for rule, grade in self.rules.items()}
        off = [] if self.major_version else ["contract.major-version"]
        return {**dict.fromkeys(off), **given}

    def _file(self, context: Context) -> Document | None:
        """Return the document where it is a file of the project; None where the backend serves it."""
        if not _is_file(context.openapi):
            return None
        path = context.root / str(context.openapi)
        try:
            return parse_document(path.read_bytes())
        except (DocumentError, OSError) as error:
            problem = error.message if isinstance(error, DocumentError) else str(error.strerror)
            raise ToolError(f"the OpenAPI document {context.openapi} cannot be read: {problem}", "mend it") from error

    def _beside_earlier(self, document: Document, context: Context, seen: Seen) -> None:
        asked = {"contract", "documentation"} & set(self.checks)
        earlier = find_earlier(self.against, context, seen) if asked else None
        if earlier is None:
            return
        severities = self.severities()
        comparison = compare(earlier, document, severities)
        if "contract" in self.checks:
            tell_contract(comparison, seen)
        if "documentation" in self.checks:
            found, notes = check_documented(earlier, document, comparison, self.mentioned_in, context)
            seen.findings += graded(found, documentation.RULES, severities)
            seen.notes += notes

    def _documentation(self, document: Document, context: Context, seen: Seen, served: bool) -> None:
        severities = self.severities()
        asked = documentation.Settings(self.documentation.described, severities)
        seen.findings += documentation.check_documentation(document, asked)
        share = documentation.described_share(document)
        if share.total:
            seen.measurements.append(
                Measurement(
                    "documentation.described", share.described / share.total, "ratio", "higher",
                    count=share.described, total=share.total,
                )
            )  # fmt: skip
        if not served and self.committed is None:
            seen.notes.append("the document is a file of the project: nothing is served that could differ from it")
        elif self.committed is not False:
            kept = _keep(document, context.directory)
            differing = check_committed(context.root, document, self.committed or None, kept, context.source)
            seen.findings += graded(differing, documentation.RULES, severities)


def _is_file(openapi: str | None) -> bool:
    return openapi is not None and not openapi.startswith("/")


def _served(context: Context) -> Document:
    with context.serve() as serving:
        if serving.document is None:
            raise NotMeasured(
                f"there is no OpenAPI document: {serving.document_error}",
                'name its path on the backend, or a file: [backend] openapi = "/openapi.json"',
            )
        return serving.document


def _keep(document: Document, directory: Path) -> Path:
    """Write the document as it was served, so that it can be taken from there; return where."""
    kept = directory / ("openapi.json" if document.text.lstrip().startswith("{") else "openapi.yaml")
    kept.write_text(document.text, "utf-8")
    return kept
