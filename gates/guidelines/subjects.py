"""What the numbers of a guideline speak of: the words for each target, and the words that say it is something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from gates.guidelines.quantities import Kind

KIND_OF: Mapping[str, Kind] = {
    "response_time.simple": "time",
    "response_time.complex": "time",
    "response_time.file": "time",
    "response_time.external": "time",
    "coverage.lines": "share",
    "load.concurrency": "count",
    "load.memory": "size",
    "database.connections": "count",
}
"""The targets of gates.toml that the guideline has numbers for."""
_AT_LEAST = frozenset({"coverage.lines", "load.concurrency"})

_OPERATIONS = r"(?:quer(?:y|ies)|operations?|requests?|endpoints?|calls?)"
_NAMES: Mapping[str, str] = {
    "response_time.simple": rf"\bsimple\b|\b(?:plain|basic|read(?:-only)?|GET) {_OPERATIONS}\b|\breads\b",
    "response_time.complex": rf"\bcompl(?:ex|icated)\b|\b(?:write|heavy|expensive) {_OPERATIONS}\b|\bwrites\b",
    "response_time.file": r"(?<!per )(?<!each )\bfiles?\b(?!\.\w)|\b(?:up|down)loads?\b",
    "response_time.external": r"\bexternal\b|\bthird[- ]part(?:y|ies)\b|\bupstream\b|\boutbound\b",
    "coverage.lines": r"\bcoverage\b|\bcover(?:s|ed)?\b"
    r"|(?:%|\bpercent|\bper cent)\s*of\s(?:all\s|the\s|our\s)?(?:code\s|source\s)?lines\b",
    "load.concurrency": r"\bconcurren(?:t|tly|cy)\b(?! (?:database|db|pool|connection pool))"
    r"|\bsimultaneous(?:ly)?\b|\bin parallel\b|\bparallel (?:requests|users|clients)\b|\bat once\b"
    r"|\bat the same time\b",
    "load.memory": r"(?<!in-)(?<!in )\bmemory\b|\bRAM\b|\b[RP]SS\b",
    "database.connections": r"\b(?:database|db|pool\w*|postgres\w*|mysql|sql)\b[^.;]{0,30}?\bconnections?\b"
    r"|\bconnections?\b[^.;]{0,30}?\b(?:database|db|postgres\w*|mysql|mariadb|mongodb)\b"
    r"|\b(?:connection )?pool(?:[ _-]?size| of)\b"
    r"|\bmax_connections\b|\b(?:connection|database|db)[- ]pool\b",
}
_NAMED = re.compile(
    "|".join(f"(?P<{target.replace('.', '__')}>{pattern})" for target, pattern in _NAMES.items()), re.IGNORECASE
)

_NOT_TIMES = re.compile(
    r"\btime-?d?[ -]?outs?\b|\bretr(?:y|ies|ied)\b|\bback-?off\b|\bTTL\b|\bexpir\w*|\bintervals?\b|\bevery\b|\bpoll\w*"
    r"|\bkeep-?alive\b|\bsleep\w*|\bcache[ds]?\b|\bcaching\b|\bbackground\b|\bjobs?\b|\bslow(?:est|ly)?\b|\balert\w*|\bwarn\w*"
    r"|\bstart-?up\b|\bgive up\b|\bwindows?\b|\bdelay\w*|\brotat\w*",
    re.IGNORECASE,
)
_NOT_MEMORY = re.compile(
    r"\bcach\w+|\buploads?\b|\bbod(?:y|ies)\b|\bpayloads?\b|\battachments?\b|\bfiles?\b|\bdisks?\b|\bstorage\b|\blogs?\b"
    r"|\bper (?:request|query|connection|user|session)\b|\bleaks?\b|\bgrow\w*|\bswap\b",
    re.IGNORECASE,
)
_NOT_COVERAGE = re.compile(
    r"\bbranch(?:es)?\b|\bchanged\b|\bnew\b|\bdiff\b|\bpatch\w*|\bmutation\b|\bcritical\b|\bbusiness\b|\bcore\b|\bfunctions?\b"
    r"|\b(?:per|each|every) (?:file|module|package|class)\b|\bdrop\w*|\bfall\w*|\bdecreas\w*|\bregress\w*|\berror\b",
    re.IGNORECASE,
)
_NOT_REQUESTS = re.compile(
    r"\bworkers?\b|\bthreads?\b|\bprocess(?:es)?\b|\bjobs?\b|\btasks?\b|\bgoroutines?\b|\bretr(?:y|ies)\b",
    re.IGNORECASE,
)
_RATE = re.compile(r"\s*(?:\w+\s?)?(?:/|\bper )\s?(?:s|sec|second|min|minute|h|hour)\b|\s*[rt]ps\b", re.IGNORECASE)
"""What stands behind a number that is no count."""
_NOT_CONNECTIONS = re.compile(r"\btime-?outs?\b|\bversions?\b|\bretr(?:y|ies)\b", re.IGNORECASE)
_LEAST = re.compile(r"\b(?:min(?:imum)?|idle|overflow|spare)\b", re.IGNORECASE)
_NOT_DEMANDED = re.compile(
    r"\bmeasured\b|\bcurrent(?:ly)?\b|\bobserved\b|\bactual(?:ly)?\b|\bpreviously\b|\bformerly\b|\bused to\b|\bwas\b"
    r"|\bwere\b|\binstead of\b",
    re.IGNORECASE,
)
_EXCLUDED = {
    "coverage.lines": _NOT_COVERAGE,
    "load.concurrency": _NOT_REQUESTS,
    "load.memory": _NOT_MEMORY,
    "database.connections": _NOT_CONNECTIONS,
}
_PERCENTILE = re.compile(
    r"\bp ?(\d{1,2}(?:\.\d+)?)\b|\b(\d{1,2})th\b|\b(median|average|avg|mean|worst|maximum response)\b", re.IGNORECASE
)
_LIMIT = re.compile(
    r"(?:[<>≤≥]\s?=?|\b(?:under|below|within|at most|at least"
    r"|(?:less|fewer|more|faster|longer|slower|higher|lower) than|(?:not )?exceed(?:ing)?"
    r"|up to|max(?:imum|\.)?(?: of)?|min(?:imum|\.)?(?: of)?|above|over|limit(?:ed)?(?: to| of)?|in"
    r"|sub|unter|höchstens|mindestens|maximal))\s*~?\s*$",
    re.IGNORECASE,
)
_LIMIT_AFTER = re.compile(r"\s*(?:or (?:less|faster|better|fewer|more)\b|max(?:imum)?\b|at most\b|at least\b)", re.I)
_SPEED = re.compile(
    r"\brespon\w+|\blatenc\w+|\bperformance\b|\bspeed\b|\bp95\b|\banswer\w*|\bgoals?\b|\btargets?\b", re.I
)
_NEAR = 40
_BEHIND = 15
"""What follows a number has to be this much nearer than what stands before it."""


@lru_cache(maxsize=64)  # a clause is asked about once for each of its numbers
def _occurrences(text: str) -> tuple[tuple[str, int, int], ...]:
    return tuple(
        (str(match.lastgroup).replace("__", "."), match.start(), match.end()) for match in _NAMED.finditer(text)
    )


@lru_cache(maxsize=256)
def _first(pattern: re.Pattern[str], text: str) -> str:
    """Return the first words of a text that fit a pattern; "" when none do."""
    match = pattern.search(text)
    return match[0] if match else ""


def named_in(text: str) -> tuple[str, ...]:
    """Return the targets that a text names, in order, each once."""
    return tuple(dict.fromkeys(target for target, _, _ in _occurrences(text)))


def named_nearest(text: str, start: int, end: int, kind: Kind) -> str:
    """Return the target that is named nearest to a number of a clause; "" when none of its kind is."""
    best = min(
        (
            (start - last if last <= start else first - end + _BEHIND if first >= end else 0, target)
            for target, first, last in _occurrences(text)
            if KIND_OF[target] == kind
        ),
        default=(0, ""),
    )
    return best[1]


def bounded_above(target: str) -> bool:
    """Return whether a target is a most, rather than a least."""
    return target not in _AT_LEAST


def limits(before: str) -> bool:
    """Return whether what stands before a number makes it a bound: `<`, `under`, `at most`."""
    return _LIMIT.search(before[-_NEAR:]) is not None


def limited(before: str, after: str) -> bool:
    """Return whether a number is a bound by what stands before it or after it."""
    return limits(before) or _LIMIT_AFTER.match(after[:_NEAR]) is not None


def is_of_speed(context: str) -> bool:
    """Return whether what stands round a number speaks of how fast something answers."""
    return _SPEED.search(context) is not None


def is_excluded(target: str, clause: str, start: int, end: int, since: int = 0) -> bool:
    """Return whether a clause speaks of something else: a timeout, another percentile, a part, what it was once.

    `since` is where the number before this one ends.
    """
    if _first(_NOT_DEMANDED, clause):
        return True
    if target.startswith("response_time."):
        after = clause[:start].rstrip().lower().endswith("after")
        return after or bool(_first(_NOT_TIMES, clause)) or not _is_p95(clause, start, end)
    found = _first(_EXCLUDED[target], clause)
    if target == "coverage.lines" and found.lower().startswith("branch"):
        return re.search(r"\blines?\b", clause, re.IGNORECASE) is None
    if target == "database.connections" and _LEAST.search(clause[since:start]):
        return True
    return bool(found) or (target == "load.concurrency" and _RATE.match(clause, end) is not None)


def _is_p95(clause: str, start: int, end: int) -> bool:
    """Return whether the percentile that is named nearest to a number is the one that targets are about."""
    named = [
        (start - match.end() if match.end() <= start else match.start() - end + _BEHIND, match[1] or match[2] or "")
        for match in _PERCENTILE.finditer(clause)
        if match.end() <= start or match.start() >= end
    ]
    return not named or min(named)[1] in ("95", "95.0")
