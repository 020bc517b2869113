"""What two builds get through in one epoch, one loaded at a time, in turns; and when that says nothing of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.load.assignment import EARLIER_HEADERS_VARIABLE, HEADERS_VARIABLE, Assignment
from gates.load.turns import LEAST, TurnsRecord, parse_turns
from gates.load.validity import GENERATOR_CPU, too_many
from gates.tools.base import Serving
from gates.tools.locust.run import drive

_BORNE_FAILURES = 0.01
"""Of the answers of either build in its turns: so many may fail. Failing answers look fast."""
_HOPELESS = 2
"""After so many epochs in a row without any, none is looked for any more."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Answers per second of both builds in one epoch; `why_not` says why there is none to compare.

    `ratio` is the natural logarithm of how many times what the new build gets through the old one does.
    """

    new: float = 0.0
    old: float = 0.0
    ratio: float = 0.0
    why_not: str = ""


def in_turns(
    assignment: Assignment, new: Serving, old: Serving, directory: Path, progress: Callable[[float], None]
) -> Throughput | None:
    """Load both builds in turns, as assigned, and return what they got through; None when the new build died.

    Raises ToolError when Locust failed, took too long, or left nothing readable.
    """

    def look(share: float) -> bool:
        progress(share)
        return not (new.alive() and old.alive())

    logins: Mapping[str, Mapping[str, str]] = {HEADERS_VARIABLE: new.headers, EARLIER_HEADERS_VARIABLE: old.headers}
    text = drive(assignment, directory, logins, look)
    if not new.alive():
        return None
    if text is None or not old.alive():
        return Throughput(why_not="the earlier build died when it was loaded alone")
    return judged(parse_turns(text), assignment)


def judged(record: TurnsRecord, assignment: Assignment) -> Throughput:
    """Return what both builds got through, or why that is not known."""
    for name, share in (("this build", record.failed_share(True)), ("the earlier build", record.failed_share(False))):
        if share > _BORNE_FAILURES:
            kinds = record.failures.get("new" if name == "this build" else "old", {})
            most = max(kinds, key=lambda kind: kinds[kind])
            return Throughput(why_not=f"{share:.0%} of the answers of {name} failed in its turns (mostly {most})")
    if record.trouble:
        seconds = assignment.arrivals.seconds
        failing = {kind for kinds in record.failures.values() for kind in kinds}
        told = f" ({', '.join(sorted(failing))} among them)" if failing else ""
        few = f"there are too few answers in {seconds:g} s{told}: it takes {LEAST} in a turn"
        return Throughput(why_not=few if record.trouble == "few" else f"a turn took several times too long{told}")
    used = record.generator()
    if used > GENERATOR_CPU:
        return Throughput(why_not=f"the load generator used {used:.0%} of its core, so it would be its own")
    return Throughput(record.rate(True), record.rate(False), record.ratio())


def hopeless(tried: Sequence[Throughput]) -> bool:
    """Return whether there is no use in looking for it in further epochs."""
    return len(tried) >= _HOPELESS and all(one.why_not for one in tried[-_HOPELESS:])


def compared(tried: Sequence[Throughput]) -> list[Throughput]:
    """Return those that can be compared; none when that are too few of the epochs in which it was tried."""
    found = [one for one in tried if not one.why_not]
    return [] if too_many(len(tried) - len(found), len(tried)) else found


def throughput_notes(tried: Sequence[Throughput]) -> list[str]:
    """Return for how many epochs there is no throughput, and why."""
    reasons = [one.why_not for one in tried if one.why_not]
    if not reasons:
        return []
    whole = "not judged" if not compared(tried) else f"left out in {len(reasons)} of {len(tried)} epochs"
    return [f"throughput beside the earlier build is {whole}: {'; '.join(dict.fromkeys(reasons))}"]
