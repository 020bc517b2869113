"""Runs for the tests of the store: one with every field filled, and any run at all for Hypothesis."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import count
from typing import Any

from hypothesis import strategies as st

from gates.results import GateResult, Measurement, Readings, Run, Signoff, Verdict
from gates.store import content_digest


def filled(hint: Any, numbers: Any = None) -> Any:
    """Return a value of a type in which nothing is empty, None, a default or the same as anywhere else."""
    numbers = numbers or count(1)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{field.name: filled(hints[field.name], numbers) for field in fields(hint)})
    if origin in (types.UnionType, typing.Union):
        return filled(next(part for part in arguments if part is not type(None)), numbers)
    if origin is tuple:
        return (filled(arguments[0], numbers), filled(arguments[0], numbers))
    if origin is typing.Literal:
        return arguments[next(numbers) % len(arguments)]
    if origin is Mapping:
        return {filled(arguments[0], numbers): filled(arguments[1], numbers) for _ in range(2)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = list(hint)
        return members[next(numbers) % len(members)]
    number = next(numbers)
    return {str: f"text {number} …", int: number, float: number + 0.1, bool: number % 2 == 0}[hint]


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for every value of a type that a run may hold: odd text and extreme numbers, but no NaN."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{field.name: anything(hints[field.name]) for field in fields(hint)})
    if origin in (types.UnionType, typing.Union):
        return st.one_of([st.none() if part is type(None) else anything(part) for part in arguments])
    if origin is tuple:
        return st.lists(anything(arguments[0]), max_size=2).map(tuple)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is Mapping:
        return st.dictionaries(anything(arguments[0]), anything(arguments[1]), max_size=2)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return {
        str: st.text(st.characters(exclude_categories=()), max_size=12) | st.just("\ud800\udc00") | st.just("\ufdd0\\"),
        int: st.integers(-(2**63), 2**63 - 1),
        float: st.floats(allow_nan=False),
        bool: st.booleans(),
    }[hint]


def full_run(run_id: str = "20261124-085000-full", **changes: Any) -> Run:
    """Return a run in which every table has rows and no column is empty."""
    changed: Run = replace(filled(Run), id=run_id, **changes)
    return changed


def small_run(run_id: str, started: str = "2026-11-24T08:50:00Z", coverage: int = 90, **changes: Any) -> Run:
    """Return a run of one gate that measured one share."""
    share = Measurement("coverage.lines", coverage / 100, "ratio", "higher", count=coverage, total=100)
    gate = GateResult("tests", "coverage", Verdict.PASS, 1.5, readings=Readings((share,)))
    plain = Run(
        run_id, "orders", "foundation", "c" * 40, False, started, 2.0, {"cores": "2"}, {"gates": "0.1"}, "{}",
        "sha256:0", Verdict.PASS, 0, (gate,),
    )  # fmt: skip
    return replace(plain, **changes)


def signed(run: Run, number: int = 1, phase: str = "foundation", previous: Signoff | None = None) -> Signoff:
    """Return a sign-off of a run that carries the digest of its content."""
    draft = Signoff(
        phase, number, "Ada Lovelace", "2026-11-24T09:00:00Z", "a note", run, "", previous.digest if previous else None,
        ("one debt",),
    )  # fmt: skip
    return replace(draft, digest=content_digest(draft))
