"""How many requests per second each operation of a backend is loaded with, and for how long; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

MARGIN = 1.05
"""Above a demanded throughput: the last answers of a stretch come a little after its end."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The rates of a baseline: of each operation that had its own, and of all others."""

    common: float
    own: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests per second of each operation, seconds per epoch, and in words where the rates come from.

    `common` is that of every operation that is not held back, and of those that a later phase adds.
    """

    common: float
    each: Mapping[str, float]
    seconds: float
    origin: str
    found: bool = False
    """Whether it was found here, and meant to be borne, so that it is lowered when it turns out to be too much."""

    @property
    def total(self) -> float:
        """Requests per second over all operations."""
        return sum(self.each.values())

    @property
    def held_back(self) -> tuple[str, ...]:
        """Operations that come less often than the others."""
        return tuple(name for name, rate in self.each.items() if rate < self.common * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Wish:
    """What the settings ask for. `share` is of what one connection bears; times are in seconds per epoch."""

    rate: float | None
    limit: float
    share: float
    seconds: float
    longest: float
    requests: int
    epochs: int


def choose_rates(
    wish: Wish,
    service_times: Mapping[str, float],
    *,
    recorded: Recorded | None = None,
    demanded: float | None = None,
) -> Rates:
    """Return the rates: as configured, else as in the baseline, else what is borne.

    What is borne is a share of what one connection gets through with the mean `service_times` (seconds by operation),
    up to a limit; but at least the throughput that a target demands, which could not be shown otherwise. All operations
    come equally often, unless slow ones would leave the others with too few requests: those are held back then.
    Where an operation still gets less than it needs, epochs become longer.
    """
    names = list(service_times)
    if wish.rate is not None:
        return _rates(wish, wish.rate / len(names), dict.fromkeys(names, wish.rate / len(names)), "as configured")
    if recorded is not None:
        each = {name: recorded.own.get(name, recorded.common) for name in names}
        return _rates(wish, recorded.common, each, "as in the baseline")
    times = {name: max(seconds, 1e-6) for name, seconds in service_times.items()}
    borne = wish.share / sum(times.values())
    common = min(borne, wish.limit / len(names))
    origin = "the limit of the profile" if borne > common else f"{wish.share:.0%} of what one connection bears"
    each = dict.fromkeys(names, common)
    if common * wish.longest * wish.epochs < wish.requests:
        common, each = _held_back(wish, times)
        origin = f"{wish.share:.0%} of what one connection bears, slow operations held back"
    total, found = sum(each.values()), wish.share <= 1.0
    if demanded is not None and total < demanded * MARGIN:
        more = demanded * MARGIN / total
        common, each = common * more, {name: rate * more for name, rate in each.items()}
        origin, found = "the throughput that is demanded", False
    return replace(_rates(wish, common, each, origin), found=found)


def lower(wish: Wish, rates: Rates, borne: float) -> Rates:
    """Return rates for a backend that did not keep up: half of what it got through (`borne`, per second)."""
    part = min(1.0, borne / rates.total) / 2
    each = {name: rate * part for name, rate in rates.each.items()}
    lowered = _rates(wish, rates.common * part, each, "half of what the backend got through when that was too much")
    return replace(lowered, found=True)


def _held_back(wish: Wish, times: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """Return the rate that most operations need, and each one's rate.

    Operations get what they need, the fast ones without cost to speak of; the slow ones share what is left of the
    backend's time equally.
    """
    needed = min(wish.requests / (wish.longest * wish.epochs), wish.limit / len(times))
    low, high = 0.0, wish.share
    for _ in range(60):
        part = (low + high) / 2
        used = sum(min(needed * seconds, part) for seconds in times.values())
        low, high = (part, high) if used <= wish.share else (low, part)
    return needed, {name: min(needed, low / seconds) for name, seconds in times.items()}


def _rates(wish: Wish, common: float, each: Mapping[str, float], origin: str) -> Rates:
    needed = wish.requests / (common * wish.epochs) if common > 0 else wish.longest
    return Rates(common, each, max(wish.seconds, min(needed, wish.longest)), origin)
