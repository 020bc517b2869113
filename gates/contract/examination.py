"""What `gates contract` found: two documents compared, or one held to conventions, and what is to be made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gates.contract.changes import Change
from gates.document import Document
from gates.results import Finding, Severity, Verdict

FailOn = Literal["error", "warning", "never"]
WORDS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "info", Severity.INFO: "info"}
"""Severities as people say them."""
LEVELS: dict[str, Severity | None] = {
    "error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW, "off": None,
}  # fmt: skip
"""What people may say instead of a rule's own severity."""
_FAILS: dict[str, tuple[str, ...]] = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


@dataclass(frozen=True, slots=True)
class Described:
    """A document by the name it was given under, and by what it says of itself."""

    name: str
    title: str
    version: str
    operations: int


@dataclass(frozen=True, slots=True)
class Examination:
    """Changes from an earlier document to a new one, or, without an earlier one, what is wrong with the new one."""

    earlier: Described | None
    new: Described
    changes: tuple[Change, ...]
    unread: tuple[str, ...] = ()
    fail_on: FailOn = "warning"

    def of(self, word: str) -> tuple[Change, ...]:
        """Return what is an `error`, a `warning` or an `info`."""
        return tuple(change for change in self.changes if WORDS[change.severity] == word)

    @property
    def verdict(self) -> Verdict:
        """Whether it fails by what it is asked to fail on; what could not be read leaves it unknown."""
        if any(WORDS[change.severity] in _FAILS[self.fail_on] for change in self.changes):
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.unread else Verdict.PASS

    def counts(self) -> list[str]:
        """Return how many there are of each kind, in words: `3 breaking`, `1 may break`, `5 additive`."""
        breaking, may_break, rest = (len(self.of(word)) for word in ("error", "warning", "info"))
        if self.earlier is not None:
            return [f"{breaking:,} breaking", f"{may_break:,} may break", f"{rest:,} additive"]
        counted = ((breaking, "error"), (may_break, "warning"), (rest, "info"))
        return [f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counted]

    @property
    def exit_code(self) -> int:
        """The exit code that says the verdict."""
        return {Verdict.FAIL: 1, Verdict.UNKNOWN: 4}.get(self.verdict, 0)


def described(name: str, document: Document) -> Described:
    """Return what a report calls a document."""
    raw = document.content.get("info")
    info = raw if isinstance(raw, dict) else {}
    return Described(name, str(info.get("title") or ""), str(info.get("version") or ""), len(document.operations))


def as_changes(findings: Iterable[Finding]) -> tuple[Change, ...]:
    """Return findings about one document in the form of changes, so that one report shows both."""
    order = list(Severity)
    made = [
        Change(
            one.rule, one.severity, one.message, one.operation or "", (one.operation,) if one.operation else (),
            one.pointer, "", one.fingerprint, one.fix,
        )
        for one in findings
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: order.index(one.severity)))
