"""What was found different, told once, however often and from how many operations it was come across."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gates.contract.changes import Change, Direction
from gates.contract.places import is_shared, place
from gates.contract.reading import Side
from gates.contract.rules import RULES
from gates.contract.uses import Uses
from gates.results import Severity
from gates.rules import fingerprint

_FROM_WORST = (Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)
_NAMED = 3
"""So many of the affected operations a message names."""


@dataclass(slots=True)
class _Meaning:
    """What a difference means in one direction, and for which pairs."""

    rule: str
    text: str
    users: dict[int, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """A place in both documents; `told_by_earlier` is true where the earlier document says best what it is."""

    new: str
    earlier: str
    told_by_earlier: bool = False


class Recorder:
    """Collects differences; each stands once, with what it means in either direction, and the worst of it counts."""

    def __init__(self, earlier: Side, new: Side, uses: Uses, severities: Mapping[str, Severity | None]) -> None:
        self._earlier, self._new, self._uses = earlier, new, uses
        self._severities = {**{name: rule.severity for name, rule in RULES.items()}, **severities}
        self._found: dict[tuple[str, str, Where], dict[str, _Meaning]] = {}

    def add(
        self, rule: str, what: str, text: str, where: Where, user: int, *, about: str = "",
        direction: Direction | None = None,
    ) -> None:  # fmt: skip
        """Remember a difference at a place that a pair of parts has.

        `what` is its identity there, `about` joins the rules that can mean the same difference in another direction.
        """
        meanings = self._found.setdefault((about or rule, what, where), {})
        key = f"{rule} {direction or ''}"
        if key not in meanings:
            in_direction = _in_words(direction) if direction and is_shared(where.new or where.earlier) else ""
            meanings[key] = _Meaning(rule, f"{in_direction}: {text}")
        meanings[key].users[user] = None

    def breaks(self) -> bool:
        """Return whether anything that was found breaks clients."""
        rules = {one.rule for meanings in self._found.values() for one in meanings.values()}
        return any(self._severities[rule] is Severity.HIGH for rule in rules)

    def changes(self) -> list[Change]:
        """Return what was found, the worst first; what has no severity is left out."""
        made = [change for key, meanings in self._found.items() if (change := self._change(key, meanings))]
        made.sort(key=lambda one: _FROM_WORST.index(one.severity))
        return made

    def _change(self, key: tuple[str, str, Where], meanings: Mapping[str, _Meaning]) -> Change | None:
        _, what, where = key
        told = [(severity, one) for one in meanings.values() if (severity := self._severities[one.rule]) is not None]
        if not told:
            return None
        severity, worst = min(told, key=lambda pair: _FROM_WORST.index(pair[0]))
        users = [user for one in meanings.values() if one.rule == worst.rule for user in one.users]
        operations = self._uses.operations(users)
        side, pointer = (self._earlier, where.earlier) if where.told_by_earlier else (self._new, where.new)
        subject = place(side, pointer)
        shared = is_shared(pointer)
        rule = RULES[worst.rule]
        reached = f"; affects {list_operations(operations)}" if shared and operations else ""
        return Change(
            rule.id, severity, f"{subject}{worst.text}{reached}",
            operations[0] if len(operations) == 1 and not shared else "", operations, where.new, where.earlier,
            fingerprint(rule.id, subject, what), rule.fix,
        )  # fmt: skip


def _in_words(direction: Direction) -> str:
    return " in requests" if direction.written_by_client else " in responses"


def list_operations(operations: tuple[str, ...]) -> str:
    """Return the first operations by their names, and how many more there are."""
    if len(operations) <= _NAMED + 1:
        return ", ".join(operations)
    return f"{', '.join(operations[:_NAMED])} and {len(operations) - _NAMED:,} more operations"
