"""What a rule found, before it is known how bad that is here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from gates.rest.conventions import Conventions
from gates.rest.described import Api, Described

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Violation:
    """Something against a rule; `place` makes it the same one next time, `operations` are those it concerns."""

    rule: str
    place: str
    message: str
    operations: tuple[str, ...] = ()
    pointer: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Case:
    """A document and the conventions that it is held to."""

    api: Api
    conventions: Conventions
    exempt: frozenset[str]

    def asked(self, rule: str, *, everywhere: bool = False) -> list[Described]:
        """Return the operations that a rule is asked of; exempt ones only for what is a mistake everywhere."""
        asked = self.api.operations if everywhere else self._held
        if rule not in self.conventions.exceptions:
            return list(asked)
        return [one for one in asked if not self.conventions.left_out(rule, one.name)]

    @cached_property
    def _held(self) -> list[Described]:
        """The operations that are held to conventions."""
        return [one for one in self.api.operations if one.name not in self.exempt]


Check = Callable[[Case], Iterator[Violation]]


def case_of(api: Api, conventions: Conventions) -> Case:
    """Return a document beside its conventions."""
    exempt = frozenset(one.name for one in api.operations if conventions.is_exempt(one.name))
    return Case(api, conventions, exempt)


def listed(names: Iterable[str], limit: int = _NAMED) -> str:
    """Return names for a sentence: the first few, and how many more there are."""
    every = sorted(set(names))
    more = len(every) - limit
    return ", ".join(every[:limit]) + (f" and {more} more" if more > 0 else "")


def counted(count: int, noun: str) -> str:
    """Return a number and its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def by_resource(operations: Iterable[Described]) -> Mapping[str, list[Described]]:
    """Return operations by their resource, so that a habit is told once for each."""
    found: dict[str, list[Described]] = {}
    for one in operations:
        found.setdefault(one.resource, []).append(one)
    return found


def for_each_resource(rule: str, operations: Iterable[Described], what: str, fix: str) -> Iterator[Violation]:
    """Return one finding for each resource; `what` is what is the matter with its operations, as a sentence."""
    for resource, found in sorted(by_resource(operations).items()):
        names = tuple(one.name for one in found)
        if len(names) == 1:
            message = f"{names[0]}: {what}"
        else:
            message = f"{len(names)} operations of `{resource}`: {what} ({listed(names)})"
        yield Violation(rule, resource, message, names, found[0].pointer, fix)
