"""Is the API documented? Rules over one document, and over it beside another; pure.

`RULES` names them all. What is off by itself is told only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gates.document import Document
from gates.documentation.described import Share, check_described, described_share
from gates.documentation.examples import check_examples
from gates.documentation.moved import Changed, check_mentioned, check_version, version_of
from gates.documentation.rules import RULES, finding
from gates.documentation.served import check_served
from gates.documentation.valid import check_valid
from gates.results import Finding, Severity
from gates.rules import graded

__all__ = [
    "RULES", "Changed", "Settings", "Share", "check_described", "check_documentation", "check_mentioned",
    "check_served", "check_version", "described_share", "finding", "version_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project asks of its documentation; `severities` are those of gates.toml by rule, None for off."""

    described: float | None = None
    """The share of operations, parameters and properties that has to be described."""
    severities: Mapping[str, Severity | None] = field(default_factory=dict)


def check_documentation(document: Document, settings: Settings | None = None) -> list[Finding]:
    """Return what is wrong with a document by itself; one that is invalid is looked at as far as it can be."""
    settings = settings or Settings()
    found = [*check_valid(document), *check_described(document), *check_examples(document)]
    share = described_share(document)
    if settings.described is not None and share.total and share.described / share.total < settings.described:
        text = (
            f"{share.described:,} of {share.total:,} operations, parameters and properties are described, "
            f"and {settings.described * 100:g} % have to be"
        )
        found.append(finding("doc.described-share", text, "", identity=("share",)))
    return graded(found, RULES, settings.severities)
