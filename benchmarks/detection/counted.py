"""How often a rule said what, and within which bounds the true share lies. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from benchmarks.detection.ours import Told
from gates.results import Verdict

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with Clopper and Pearson's bounds, two-sided at CONFIDENCE."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share itself; 0 of none is 0."""
        return self.count / self.of if self.of else 0.0

    @property
    def low(self) -> float:
        """The lower bound of the true share."""
        if not self.count:
            return 0.0
        return float(special.betaincinv(self.count, self.of - self.count + 1, (1 - CONFIDENCE) / 2))

    @property
    def high(self) -> float:
        """The upper bound of the true share."""
        if self.count == self.of:
            return 1.0
        return float(special.betaincinv(self.count + 1, self.of - self.count, (1 + CONFIDENCE) / 2))

    def __str__(self) -> str:
        return f"{self.count} of {self.of} ({self.low:.0%}–{self.high:.0%})" if self.of else "no rows"


@dataclass(frozen=True, slots=True)
class Cell:
    """What gates said of one effect in one regime; `left` are rows that no longer made a gate."""

    effect: str
    regime: str
    told: tuple[Told, ...]
    left: int = 0

    def share(self, verdict: Verdict) -> Share:
        """Return how many of the gates said this."""
        return Share(sum(one.verdict is verdict for one in self.told), len(self.told))

    @property
    def undecided(self) -> Share:
        """Gates that said neither fail nor pass."""
        return Share(sum(one.verdict not in (Verdict.FAIL, Verdict.PASS) for one in self.told), len(self.told))

    @property
    def load(self) -> float | None:
        """Median seconds of load until they said something; None when there were none."""
        return statistics.median(one.load for one in self.told) if self.told else None

    @property
    def decided_load(self) -> float | None:
        """The same of those gates that decided."""
        decided = [one.load for one in self.told if one.verdict in (Verdict.FAIL, Verdict.PASS)]
        return statistics.median(decided) if decided else None


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal of performance.md, and what the rows say of it."""

    told: str
    limit: float
    at_most: bool
    seen: Share | float | None
    fewest: int = 20
    """Gates, below which nothing is said of a share."""

    @property
    def enough(self) -> bool:
        """Whether there are so many gates that something can be said."""
        if not isinstance(self.seen, Share):
            return self.seen is not None
        return self.seen.of >= self.fewest

    @property
    def verdict(self) -> str:
        """`reached`, `not reached` or `not enough rows`; a share has to be within the limit as it was observed."""
        if self.seen is None or not self.enough:
            return "not enough rows"
        value = self.seen.value if isinstance(self.seen, Share) else self.seen
        return "reached" if (value <= self.limit if self.at_most else value >= self.limit) else "not reached"


FEWEST_ALIKE = 60
"""Gates of identical builds, as performance.md asks for."""
HARD = ("neighbours", "quota")


def goals(cells: Sequence[Cell]) -> list[Goal]:
    """Return the goals of performance.md with what the cells say of them."""
    by = {(cell.effect, cell.regime): cell for cell in cells}

    def share(effect: str, regimes: Sequence[str], verdict: Verdict | None) -> Share:
        found = [by[effect, regime] for regime in regimes if (effect, regime) in by]
        shares = [cell.share(verdict) if verdict else cell.undecided for cell in found]
        return Share(sum(one.count for one in shares), sum(one.of for one in shares))

    everywhere, quiet = ("quiet", *HARD), ("quiet",)
    decided = [(cell, one) for cell in cells for one in cell.told if one.verdict in (Verdict.FAIL, Verdict.PASS)]
    loads = [one.load for _, one in decided]
    passed = [
        one.load for cell, one in decided if (cell.effect, cell.regime, one.verdict) == ("same", "quiet", Verdict.PASS)
    ]
    return [
        Goal("false alarms of the whole gate, builds alike, at most 1 %", 0.01, True,
             share("same", everywhere, Verdict.FAIL), FEWEST_ALIKE),
        Goal("+10 % fails, quiet, at least 99 %", 0.99, False, share("uniform_10", quiet, Verdict.FAIL)),
        Goal("+5 % fails, quiet, at least 90 %", 0.90, False, share("uniform_05", quiet, Verdict.FAIL)),
        Goal("+10 % fails, hard noise, at least 70 %", 0.70, False, share("uniform_10", HARD, Verdict.FAIL)),
        Goal("+5 % fails, hard noise, at least 70 %", 0.70, False, share("uniform_05", HARD, Verdict.FAIL)),
        Goal("+5 % passes, anywhere, at most 5 %", 0.05, True, share("uniform_05", everywhere, Verdict.PASS)),
        Goal("+10 % passes, anywhere, never", 0.0, True, share("uniform_10", everywhere, Verdict.PASS)),
        Goal("undecided, builds alike, quiet, at most 5 %", 0.05, True, share("same", quiet, None)),
        Goal("undecided, builds alike, hard noise, at most 25 %", 0.25, True, share("same", HARD, None)),
        Goal("median seconds of load to a decision, at most 150", 150.0, True,
             statistics.median(loads) if loads else None),
        Goal("the same until builds alike pass, quiet, at most 150", 150.0, True,
             statistics.median(passed) if passed else None),
    ]  # fmt: skip
