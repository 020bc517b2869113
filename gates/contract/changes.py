"""What a comparison of two API descriptions brings: changes, each with its rule, places and operations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gates.results import Finding, Severity


class Direction(StrEnum):
    """Who writes what a schema describes.

    `PARAMETER` is a request whose values travel as text, so that every value is a text on the wire.
    """

    REQUEST = "request"
    PARAMETER = "parameter"
    RESPONSE = "response"

    @property
    def written_by_client(self) -> bool:
        """Whether the client writes it, and the API reads it."""
        return self is not Direction.RESPONSE

    @property
    def opposite(self) -> Direction:
        """The direction of what answers it: in a callback or webhook the API writes the request."""
        return Direction.RESPONSE if self.written_by_client else Direction.REQUEST


class Sense(StrEnum):
    """How the set of allowed values changed; `CHANGED` is neither a part of the other."""

    NARROWED = "narrowed"
    WIDENED = "widened"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference that users of the API can notice, however many operations it reaches.

    `operation` is the one it belongs to, "" where it lies in a part that several share; `operations` are all that it
    reaches. `pointer` is a JSON pointer into the new document, `earlier_pointer` into the old one: to the thing
    itself, or to where it would be. `severity` is that of its rule, unless another was asked for.
    """

    rule: str
    severity: Severity
    message: str
    operation: str
    operations: tuple[str, ...]
    pointer: str
    earlier_pointer: str
    fingerprint: str
    fix: str

    def as_finding(self) -> Finding:
        """Return the change as a finding of a gate."""
        return Finding(
            self.rule, self.severity, self.message, self.fingerprint, operation=self.operation or None, fix=self.fix,
            pointer=self.pointer, earlier_pointer=self.earlier_pointer,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes, the worst first, and in `unread` what could not be compared, a sentence each.

    Without changes the documents promise the same, but only where nothing is `unread`.
    """

    changes: tuple[Change, ...]
    unread: tuple[str, ...] = ()

    @property
    def breaking(self) -> tuple[Change, ...]:
        """What breaks clients."""
        return tuple(change for change in self.changes if change.severity is Severity.HIGH)

    @property
    def may_break(self) -> tuple[Change, ...]:
        """What breaks some clients."""
        return tuple(change for change in self.changes if change.severity is Severity.MEDIUM)

    @property
    def additive(self) -> tuple[Change, ...]:
        """What no client has to do anything about."""
        return tuple(change for change in self.changes if change.severity in (Severity.LOW, Severity.INFO))
