"""How many requests per second each operation of a backend is loaded with, and for how long; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MARGIN = 1.05
"""Above a demanded throughput: the last answers of a stretch come a little after its end."""
ONE_CONNECTION = "what one connection bears"
ALL_TOGETHER = "what the backend bears"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The rates of a baseline: of each operation that had its own, and of all others; and their weights in the mix."""

    common: float
    own: Mapping[str, float]
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests per second of each operation, seconds per epoch, and in words where the rates come from.

    `common` is that of every operation with the weight 1 that is not held back, and of those that a later phase adds.
    """

    common: float
    each: Mapping[str, float]
    seconds: float
    origin: str
    found: bool = False
    """Whether it was found here, and meant to be borne, so that it is lowered when it turns out to be too much."""
    mix: Mapping[str, float] = field(default_factory=dict)
    """The weights that are not 1."""

    @property
    def total(self) -> float:
        """Requests per second over all operations."""
        return sum(self.each.values())

    @property
    def held_back(self) -> tuple[str, ...]:
        """Operations that come less often than their weight asks for."""
        return tuple(
            name for name, rate in self.each.items() if rate < self.common * self.mix.get(name, 1.0) * (1 - 1e-9)
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What the settings ask for. `share` is of what is borne; times are in seconds per epoch."""

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
    mix: Mapping[str, float] | None = None,
    of: str = ONE_CONNECTION,
) -> Rates:
    """Return the rates: as configured, else as in the baseline, else what is borne.

    What is borne is a share of what is got through with the mean `service_times` (seconds of the backend by operation;
    `of` says in words whose they are), up to a limit; but at least the throughput that a target demands, which could
    not be shown otherwise. Operations come as often as their weight in the `mix` says (1 where it says nothing), unless
    slow ones would leave the others with too few requests: those are held back then. Where an operation still gets
    less than it needs, epochs become longer.
    """
    weights = {name: (mix or {}).get(name, 1.0) for name in service_times}
    whole = sum(weights.values())
    if wish.rate is not None:
        return _rates(wish, wish.rate / whole, weights, None, "as configured")
    if recorded is not None:
        each = {name: _as_recorded(recorded, name, weight) for name, weight in weights.items()}
        return _rates(wish, recorded.common, weights, each, "as in the baseline")
    times = {name: max(seconds, 1e-6) for name, seconds in service_times.items()}
    borne = wish.share / sum(weights[name] * seconds for name, seconds in times.items())
    common = min(borne, wish.limit / whole)
    origin = "the limit of the profile" if borne > common else f"{wish.share:.0%} of {of}"
    each = {name: common * weight for name, weight in weights.items()}
    if common * wish.longest * wish.epochs < wish.requests:
        common, each = _held_back(wish, times, weights)
        origin = f"{wish.share:.0%} of {of}, slow operations held back"
    total, found = sum(each.values()), wish.share <= 1.0
    if demanded is not None and total < demanded * MARGIN:
        more = demanded * MARGIN / total
        common, each = common * more, {name: rate * more for name, rate in each.items()}
        origin, found = "the throughput that is demanded", False
    return replace(_rates(wish, common, weights, each, origin), found=found)


def _as_recorded(recorded: Recorded, name: str, weight: float) -> float:
    """Return the rate of an operation as it was, unless its weight is another one now."""
    if recorded.mix.get(name, 1.0) == weight:
        return recorded.own.get(name, recorded.common * weight)
    return recorded.common * weight


def lower(wish: Wish, rates: Rates, borne: float) -> Rates:
    """Return rates for a backend that did not keep up: half of what it got through (`borne`, per second)."""
    part = min(1.0, borne / rates.total) / 2
    lowered = scaled(rates, part, "half of what the backend got through when that was too much")
    weights = {name: rates.mix.get(name, 1.0) for name in rates.each}
    return replace(lowered, seconds=_seconds(wish, lowered.common, weights), found=True)


def scaled(rates: Rates, part: float, origin: str) -> Rates:
    """Return a part of some rates, with the same mix and for as long."""
    each = {name: rate * part for name, rate in rates.each.items()}
    return replace(rates, common=rates.common * part, each=each, origin=origin, found=False)


def mean_time(each: Mapping[str, float], service_times: Mapping[str, float]) -> float:
    """Return the mean seconds of a request, when each operation comes at its rate."""
    return sum(rate * service_times[name] for name, rate in each.items()) / sum(each.values())


def _held_back(wish: Wish, times: Mapping[str, float], weights: Mapping[str, float]) -> tuple[float, dict[str, float]]:
    """Return the rate that most operations need, and each one's rate.

    Operations get what they need, the fast ones without cost to speak of; the slow ones share what is left of the
    backend's time equally.
    """
    needed = min(wish.requests / (wish.longest * wish.epochs), wish.limit / sum(weights.values()))
    low, high = 0.0, wish.share
    for _ in range(60):
        part = (low + high) / 2
        used = sum(min(needed * weights[name] * seconds, part) for name, seconds in times.items())
        low, high = (part, high) if used <= wish.share else (low, part)
    return needed, {name: min(needed * weights[name], low / seconds) for name, seconds in times.items()}


def _rates(
    wish: Wish, common: float, weights: Mapping[str, float], each: Mapping[str, float] | None, origin: str
) -> Rates:
    if each is None:
        each = {name: common * weight for name, weight in weights.items()}
    mix = {name: weight for name, weight in weights.items() if weight != 1.0}
    return Rates(common, each, _seconds(wish, common, weights), origin, mix=mix)


def _seconds(wish: Wish, common: float, weights: Mapping[str, float]) -> float:
    """Return how long an epoch is, so that the operation that comes least often by its weight gets its requests."""
    least = common * min(1.0, *weights.values())
    needed = wish.requests / (least * wish.epochs) if least > 0 else wish.longest
    return max(wish.seconds, min(needed, wish.longest))
