"""Whether a name of a phase document is there, in a snapshot; and which one is nearest when it is not; pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property

from gates.tools.phase.references import KINDS, SEVERAL, Kind, Reference, called, operation_form
from gates.tools.phase.snapshot import Snapshot

_NEAR = 0.5
"""How alike two names have to be for one to be called the nearest of the other (difflib's ratio)."""
_MOST_COMPARED = 20_000
"""Names that are compared one by one; of more only those that begin alike are."""


class Resolver:
    """Looks names up in one snapshot. `has_file` says whether a path of the project is there."""

    def __init__(self, snapshot: Snapshot, has_file: Callable[[str], bool] = lambda path: False) -> None:
        self.snapshot = snapshot
        self._has_file = has_file

    @cached_property
    def _operations(self) -> dict[str, str]:
        """Operations by their form, with and without the prefix that servers put before every path."""
        base = self.snapshot.base_path
        forms: dict[str, str] = {}
        for name in self.snapshot.operations:
            method, _, path = name.partition(" ")
            forms.setdefault(operation_form(name), name)
            forms.setdefault(operation_form(f"{method} {base}{path}"), name)
        return forms

    @cached_property
    def _tables(self) -> dict[str, str]:
        """Tables and columns in lower case: SQL does not tell cases apart, and people write either."""
        return {name.lower(): name for name in self.snapshot.names("tables")}

    def find(self, reference: Reference) -> tuple[Kind, str] | None:
        """Return the kind and the name, in the snapshot, of what a reference is to, or None.

        A reference without a kind may be to any; of several with its name it is the first in the order of KINDS.
        """
        for kind in KINDS if reference.kind == "" else (reference.kind,):
            found = self._find(kind, reference.name, as_sent=not reference.listed)
            if found is not None:
                return kind, found
        return None

    def _find(self, kind: Kind, name: str, *, as_sent: bool) -> str | None:
        if kind == "operations":
            return self._find_operation(name, as_sent=as_sent)
        if kind == "tables":
            return self._find_table(name.lower())
        if kind == "files":
            return name if self._has_file(name) else None
        return name if name in getattr(self.snapshot, kind) else None

    def _find_operation(self, name: str, *, as_sent: bool) -> str | None:
        if name.startswith("/"):
            methods = sorted({form.partition(" ")[0] for form in self._operations})
            found = (self._find_operation(f"{method} {name}", as_sent=as_sent) for method in methods)
            return next((one for one in found if one), None)
        form = operation_form(name)
        if form in self._operations or not as_sent:
            return self._operations.get(form)
        wanted = form.split("/")
        # A path as it is sent, `GET /orders/17`, is of the operation whose parameters it fills in. Where things are
        # listed it is none: a misspelt word would be one, too.
        fitting = [one for one in self._operations if _fills_in(wanted, one.split("/"))]
        return self._operations[min(fitting, key=lambda one: one.count("{}"))] if fitting else None

    def _find_table(self, name: str) -> str | None:
        if name in self._tables:
            return self._tables[name]
        # `public.orders` is `orders` where the schema is not told, and the other way round.
        outer, _, inner = name.partition(".")
        if inner and inner in self._tables and outer not in self._tables:
            return self._tables[inner]
        return next((known for lower, known in self._tables.items() if lower.partition(".")[2] == name
                     and lower.partition(".")[0] not in self._table_names), None)  # fmt: skip

    @cached_property
    def _table_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.snapshot.tables)

    def not_seen(self, reference: Reference) -> str | None:
        """Return why nothing can be said of a reference that was not found, or None when it is not there."""
        kinds = KINDS if reference.kind == "" else (reference.kind,)
        return next((self.snapshot.not_seen[kind] for kind in kinds if kind in self.snapshot.not_seen), None)

    def nearest(self, reference: Reference) -> str | None:
        """Return the name in the snapshot that is most like one that is not there, or None when none is alike."""
        if reference.kind == "operations":
            return _nearest_operation(reference.name.replace(f" {self.snapshot.base_path}/", " /"), self._names)
        if reference.kind == "tables" and "." not in reference.name:
            return nearest(reference.name, list(self.snapshot.tables))
        kinds = KINDS if reference.kind == "" else (reference.kind,)
        return nearest(reference.name, [name for kind in kinds for name in self.snapshot.names(kind)])

    @property
    def _names(self) -> list[str]:
        return list(self.snapshot.operations)


def _fills_in(path: Sequence[str], template: Sequence[str]) -> bool:
    if len(path) != len(template):
        return False
    pairs = zip(path, template, strict=True)
    return all(ours == theirs or (theirs == "{}" and ours not in ("", "{}")) for ours, theirs in pairs)


def nearest(name: str, names: Collection[str]) -> str | None:
    """Return the name that is most like another, whatever its case; None when none is alike enough.

    Of two that are as alike, it is the first in alphabetical order, so that the answer never changes by itself.
    """
    lower = name.lower()
    candidates = sorted(set(names))
    if len(candidates) > _MOST_COMPARED:
        candidates = [one for one in candidates if one[:1].lower() == lower[:1]][:_MOST_COMPARED]
    best, best_ratio = None, _NEAR
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(lower)
    for one in candidates:
        matcher.set_seq1(one.lower())
        if matcher.real_quick_ratio() > best_ratio and matcher.quick_ratio() > best_ratio:
            ratio = matcher.ratio()
            if ratio > best_ratio:
                best, best_ratio = one, ratio
    return best


def _nearest_operation(name: str, names: Iterable[str]) -> str | None:
    """Return the nearest operation: another method of the same path before the same method of another path."""
    form = operation_form(name) if " " in name else operation_form(f"GET {name}")
    method, _, path = form.partition(" ")
    known = sorted(set(names))
    same_path = [one for one in known if operation_form(one).partition(" ")[2] == path]
    if same_path:
        return same_path[0]
    own = [one for one in known if one.startswith(f"{method} ")]
    by_form = {operation_form(one).partition(" ")[2]: one for one in reversed(own)}
    found = nearest(path, by_form)
    if found is None:
        by_form = {operation_form(one).partition(" ")[2]: one for one in reversed(known)}
        found = nearest(path, by_form)
    return by_form[found] if found is not None else None


def not_there(reference: Reference, near: str | None, where: str = "") -> str:
    """Return in a sentence that something is not there, with what is nearest to it."""
    told = f"the nearest is {near}" if near else f"there is nothing like it among the {SEVERAL[reference.kind]}"
    return f"{called(reference.kind, reference.name)} is not there{where}; {told}"
