"""The mix of the load: how often each operation comes compared with the others, by name or by pattern."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from gates.document import METHODS, matches
from gates.errors import ToolError
from gates.profiles import nearest_hint

_METHODS = tuple(method.upper() for method in METHODS)


def check_mix(mix: Mapping[str, float]) -> Mapping[str, float]:
    """Return a mix as it is; raises ValueError for what can match no operation, or is no weight."""
    for pattern, weight in mix.items():
        method, _, path = pattern.strip().partition(" ")
        path = path.strip()
        if not path or not path.startswith(("/", "*")):
            raise ValueError(f'{pattern!r} is not an operation such as "GET /items", or a pattern such as "* /admin/*"')
        if method != "*" and method.upper() not in _METHODS:
            raise ValueError(f"{pattern!r} begins with no HTTP method; {nearest_hint(method.upper(), _METHODS)}")
        if not (math.isfinite(weight) and weight > 0):
            raise ValueError(f"{pattern!r} has the weight {weight:g}, and a weight is above 0: `exclude` leaves it out")
    return mix


def weight_of(operation: str, mix: Mapping[str, float]) -> float:
    """Return how often an operation comes: by its own name first, else by the first pattern that fits, else 1."""
    for pattern, weight in mix.items():
        if "*" not in pattern and matches(operation, pattern):
            return weight
    return next((weight for pattern, weight in mix.items() if matches(operation, pattern)), 1.0)


def unmatched(mix: Mapping[str, float], operations: Iterable[str]) -> list[str]:
    """Return the patterns that fit none of the operations."""
    names = list(operations)
    return [pattern for pattern in mix if not any(matches(name, pattern) for name in names)]


def weights(mix: Mapping[str, float], operations: Iterable[str], documented: Iterable[str]) -> dict[str, float]:
    """Return the weights that are not 1 of the operations that are loaded.

    `documented` are all of the document. Raises ToolError with the nearest name for a pattern that fits none of them.
    """
    names = list(documented)
    for pattern in unmatched(mix, names):
        raise ToolError(
            f"`mix` names {pattern!r}, and the document has no such operation", nearest_hint(pattern, names)
        )
    found = {name: weight_of(name, mix) for name in operations}
    return {name: weight for name, weight in found.items() if weight != 1.0}


def mix_changes(then: Mapping[str, float], now: Mapping[str, float], loaded: Iterable[str]) -> list[str]:
    """Return in words whose weight is another one than in the baseline, among the operations that are loaded."""
    return [
        f"{name} {now.get(name, 1.0):g} (was {then.get(name, 1.0):g})"
        for name in loaded
        if now.get(name, 1.0) != then.get(name, 1.0)
    ]
