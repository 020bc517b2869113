"""What is demanded of a measurement: `<= 100 ms`, `>= 90 %`, `== 0`; parsed once, then compared in base units."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Dimension = Literal["time", "size", "share", "count", "rate", "growth"]

UNITS: dict[Dimension, dict[str, float]] = {
    "time": {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0},
    "size": {"B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3},
    "share": {"%": 0.01},
    "count": {"": 1.0},
    "rate": {"/s": 1.0, "/min": 1 / 60},
    "growth": {"B/s": 1.0, "kB/h": 1e3 / 3600, "MB/h": 1e6 / 3600, "GB/h": 1e9 / 3600, "MB/min": 1e6 / 60},
}
BASE_UNIT: dict[Dimension, str] = {
    "time": "s", "size": "B", "share": "ratio", "count": "1", "rate": "1/s", "growth": "B/s",
}  # fmt: skip

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([^\s0-9.]*)\s*")
_DEMAND = re.compile(r"\s*(<=|>=|==|<|>)(.*)")


@dataclass(frozen=True, slots=True)
class Demand:
    """An operator and a value in base units, with the text it was written as."""

    operator: str
    value: float
    dimension: Dimension
    text: str

    def met_by(self, value: float) -> bool:
        """Return whether a value in base units satisfies the demand."""
        return _OPERATORS[self.operator](value, self.value)


def _examples(dimension: Dimension) -> str:
    examples: dict[Dimension, str] = {
        "time": "100 ms", "size": "512 MB", "share": "90 %", "count": "0", "rate": "200 /s", "growth": "10 MB/h",
    }  # fmt: skip
    return examples[dimension]


def parse_quantity(text: str, dimension: Dimension) -> float:
    """Return a quantity such as `60 s` or `5 %` in base units.

    Raises ValueError with a sentence that names the units that would be understood.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity such as {_examples(dimension)!r}")
    number, unit = match.groups()
    factor = UNITS[dimension].get(unit)
    if factor is None:
        known = ", ".join(repr(known) for known in UNITS[dimension] if known)
        needs = f"needs one of the units {known}" if known else "takes no unit"
        raise ValueError(f"{text!r} {needs}, as in {_examples(dimension)!r}")
    return float(number) * factor


def parse_demand(text: str, dimension: Dimension) -> Demand:
    """Return the demand that a text such as `<= 100 ms` makes; raises ValueError when it makes none."""
    match = _DEMAND.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} does not begin with <=, >=, ==, < or >, as in '<= {_examples(dimension)}'")
    sign, quantity = match.groups()
    return Demand(sign, parse_quantity(quantity, dimension), dimension, text.strip())


def format_value(value: float, unit: str) -> str:
    """Return a value in base units as people write it: `113 ms`, `91.4 %`, `512 MB`."""
    if unit == "s":
        if not value:
            return "0 s"
        for limit, factor, name in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s")):
            if abs(value) < limit:
                return f"{value * factor:.3g} {name}"
        return f"{value / 60:.3g} min"
    if unit == "B":
        for limit, factor, name in ((1e3, 1.0, "B"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB")):
            if abs(value) < limit:
                return f"{value / factor:.4g} {name}"
        return f"{value / 1e9:.4g} GB"
    if unit == "ratio":
        # Rounded towards zero, so that 89.96 % is never shown as the 90 % it did not reach.
        return f"{int(round(value * 10000, 6)) / 100:g} %"
    if unit == "B/s":
        return f"{value * 3600 / 1e6:.3g} MB/h"
    if unit == "1/s":
        return f"{value:.4g}/s"
    return f"{value:g}" if unit in ("1", "") else f"{value:g} {unit}"


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How much worse than an earlier phase a measurement may be; all are ratios (0.05 for 5 %)."""

    performance: float = 0.05
    tails: float = 0.10
    coverage: float = 0.0
    findings: Literal["none new", "none new medium", "none new high", "any"] = "none new"


@dataclass(frozen=True, slots=True)
class Waiver:
    """A person's word that one finding does not count until a day (ISO 8601, that day included), and why."""

    fingerprint: str
    reason: str
    by: str
    until: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides a verdict besides the readings; stored with the run, so that it can be judged again."""

    targets: Mapping[str, Demand]
    tolerances: Tolerances
    left_out: Mapping[str, str]
    """Items of the Definition of Done that were left out, with the written reason."""
    defaults: frozenset[str] = frozenset()
    """Names of the targets that nobody wrote: where nothing of their kind exists, they are silent."""
    waivers: tuple[Waiver, ...] = ()
    """Those that hold on the day of the run."""
    expired: tuple[Waiver, ...] = ()
    """Those that did until before it: they change nothing, and are told."""


def policy_to_data(policy: Policy) -> dict[str, Any]:
    """Return a policy as plain data, for JSON."""
    return {
        "targets": {name: [demand.text, demand.dimension] for name, demand in sorted(policy.targets.items())},
        "tolerances": asdict(policy.tolerances),
        "left_out": dict(policy.left_out),
        "defaults": sorted(policy.defaults),
        "waivers": [asdict(waiver) for waiver in policy.waivers],
        "expired_waivers": [asdict(waiver) for waiver in policy.expired],
    }


def policy_from_data(data: Mapping[str, Any]) -> Policy:
    """Return the policy that `policy_to_data` wrote."""
    return Policy(
        {name: parse_demand(text, dimension) for name, (text, dimension) in data["targets"].items()},
        Tolerances(**data["tolerances"]),
        dict(data["left_out"]),
        frozenset(data["defaults"]),
        tuple(Waiver(**waiver) for waiver in data.get("waivers", ())),  # a run from before there were any has no key
        tuple(Waiver(**waiver) for waiver in data.get("expired_waivers", ())),
    )
