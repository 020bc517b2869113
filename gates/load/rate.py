"""How many requests per second a backend is loaded with, and for how long; pure."""

from __future__ import annotations

from dataclasses import dataclass

_MARGIN = 1.05
"""Above a demanded throughput: the last answers of a stretch come a little after its end."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second over all operations, seconds per epoch, and in words where the rate comes from."""

    per_second: float
    seconds: float
    origin: str

    def per_operation(self, operations: int) -> float:
        """Return requests per second and operation: the same in a later phase, however many there are then."""
        return self.per_second / operations if operations else 0.0


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


def choose_rate(
    wish: Wish, *, operations: int, service_time: float, recorded: float | None = None, demanded: float | None = None
) -> Rate:
    """Return the rate: as configured, else as in the baseline (`recorded`, per operation), else what is borne.

    What is borne is a share of what one connection gets through with the mean `service_time` (seconds), up to a limit;
    but at least the throughput that a target demands, which could not be shown otherwise. Where so few requests come
    that an operation gets less than it needs, epochs become longer.
    """
    if wish.rate is not None:
        rate, origin = wish.rate, "as configured"
    elif recorded is not None:
        rate, origin = recorded * operations, "as in the baseline, per operation"
    else:
        borne = wish.share / max(service_time, 1e-6)
        rate = min(wish.limit, borne)
        origin = f"{wish.share:.0%} of what one connection bears" if borne < wish.limit else "the limit of the profile"
    if demanded is not None and wish.rate is None and rate < demanded * _MARGIN:
        rate, origin = demanded * _MARGIN, "the throughput that is demanded"
    needed = wish.requests * operations / (rate * wish.epochs)
    seconds = max(wish.seconds, min(needed, wish.longest))
    return Rate(rate, seconds, origin)
