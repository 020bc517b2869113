"""Makes the corpus of a phase: requests that are answered alike on two fresh backends, with what they depend on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from gates.document import Document
from gates.errors import BackendFailed, NotMeasured
from gates.load.preparation import LEFT_OUT, Spoiled
from gates.results import Finding, OperationSeen, Severity
from gates.rules import fingerprint
from gates.tools.base import Serving
from gates.tools.replay.candidates import find_candidates
from gates.tools.replay.exploring import Exploration
from gates.tools.replay.session import Replayer
from gates.tools.replay.shape import merge
from gates.tools.replay.stored import KINDS, Outcome, Promise

_MOST_SPOILED = 5
_APART = 5_000_000
"""Between the numbers of the exploration and those of what is recorded: what is unique is so among both."""
_REFUSING = 2.0
"""Seconds that a refusal may take to be recorded: of one that is dear there need not be one."""
_NOTHING_TO_DELETE = "is not tried: nothing could be made first that it would take away"
_NOT_TOLD = (401, 403, 429)
"""Refusals that say nothing of the request itself."""


@dataclass(slots=True)
class Recording:
    """What was recorded, and why there is not more of it."""

    promises: list[Promise] = field(default_factory=list)
    seen: dict[str, Counter[int]] = field(default_factory=dict)
    """The answers to valid requests, by operation."""
    operations: int = 0
    without: dict[str, str] = field(default_factory=dict)
    """Why there is no success of an operation."""
    unstable: list[str] = field(default_factory=list)
    unreached: int = 0
    cut_off: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def covered(self) -> set[str]:
        """The operations of which a success is recorded."""
        return {one.operation for one in self.promises if one.kind == "success"}

    def operations_seen(self) -> list[OperationSeen]:
        """Return what the operations answered to valid requests."""
        return [
            OperationSeen(name, dict(sorted(statuses.items())), any(200 <= one < 400 for one in statuses) or None)
            for name, statuses in self.seen.items()
            if statuses
        ]


@dataclass(frozen=True)
class Recorder:
    """Records on fresh backends; at most `most` requests, `each` of an operation, within so many seconds."""

    serve: Callable[[], AbstractContextManager[Serving]]
    replayer: Replayer
    excluded: Callable[[Document], Mapping[str, str]]
    timeout: float
    seconds: float
    each: int
    most: int
    progress: Callable[[float | None, str], None]

    def record(self) -> Recording:
        """Find out what can be asked, ask it twice on fresh backends, and keep what is answered alike.

        Raises NotMeasured when there is no document, or the backend is behind https.
        """
        deadline = time.monotonic() + self.seconds
        recording = Recording()
        document, candidates = self._explore(recording)
        candidates = _bounded(candidates, self.each, self.most)
        recording.cut_off = len(candidates) - min(len(candidates), self.most)
        candidates = candidates[: self.most]
        first = self.replayer.run(candidates, document, deadline, "recording", min(self.timeout, _REFUSING))
        # What is no promise already need not be asked twice.
        again = [position for position in sorted(first) if not _refuted(candidates[position], first[position])]
        second = self.replayer.run(
            [candidates[position] for position in again], document, deadline, "recording again",
            min(self.timeout, _REFUSING),
        )  # fmt: skip
        answers = {again[number]: outcome for number, outcome in second.items()}
        for position, candidate in enumerate(candidates):
            outcomes = (first.get(position), answers.get(position))
            self._count(recording, candidate, outcomes)
            kept = _kept(candidate, *outcomes)
            if isinstance(kept, Promise):
                recording.promises.append(kept)
            elif kept == _UNREACHED:
                recording.unreached += 1
            elif kept == _UNSTABLE:
                recording.unstable.append(candidate.operation)
            if candidate.kind == "success" and not isinstance(kept, Promise):
                recording.without[candidate.operation] = kept
        covered = recording.covered
        recording.without = {name: why for name, why in recording.without.items() if name not in covered}
        return recording

    def _explore(self, recording: Recording) -> tuple[Document, list[Promise]]:
        spoiled: dict[str, str] = {}
        for _ in range(_MOST_SPOILED):
            with self.serve() as serving:
                document = _usable(serving)
                excluded = {**self.excluded(document), **spoiled}
                explored = Exploration(
                    document, serving, corpus={}, excluded=excluded, timeout=self.timeout, within=self.seconds / 2,
                    first=self.replayer.number() + _APART,
                )  # fmt: skip
                try:
                    prepared = explored.run(lambda text: self.progress(None, f"exploring: {text}"))
                except Spoiled as error:
                    spoiled[error.operation] = error.what
                    self._spoil(recording, error, serving)
                    continue
                recording.operations = sum(excluded.get(one.name) != LEFT_OUT for one in document.operations)
                recording.without = {
                    one.name: prepared.tried[one.name].reason
                    if one.name in prepared.tried
                    else _NOTHING_TO_DELETE
                    if one.method == "DELETE"
                    else f"is not tried: nobody relies on {one.method}"
                    for one in document.operations
                    if excluded.get(one.name) != LEFT_OUT
                }
                login = bool(serving.headers)
                return document, find_candidates(document, explored, prepared, excluded, login=login)
        raise NotMeasured(
            f"{_MOST_SPOILED} operations ended the backend or its login: {', '.join(spoiled)}",
            "leave them out: `exclude` of this gate",
        )

    def _spoil(self, recording: Recording, spoiled: Spoiled, serving: Serving) -> None:
        if not spoiled.backend_died:
            return
        if not serving.started_by_us:
            raise BackendFailed(spoiled.message, "start it again, and exclude that operation") from spoiled
        recording.findings.append(death(spoiled.operation, "a valid request was sent", serving.last_lines()))

    def _count(self, recording: Recording, candidate: Promise, outcomes: Iterable[Outcome | None]) -> None:
        for outcome in outcomes:
            if outcome is not None and outcome.died is not None:
                died = death(candidate.operation, "a request to be recorded was sent", outcome.died)
                if died.fingerprint not in {one.fingerprint for one in recording.findings}:
                    recording.findings.append(died)
            if outcome is not None and outcome.status and outcome.blamed is None and candidate.kind == "success":
                recording.seen.setdefault(candidate.operation, Counter())[outcome.status] += 1


def death(operation: str, when: str, lines: str) -> Finding:
    """Return the finding of a backend that a request ended."""
    return Finding(
        "backend.died", Severity.HIGH,
        f"the backend died when {when} to {operation}" + (f"; its last lines were:\n{lines}" if lines else ""),
        fingerprint("backend.died", operation), operation=operation,
        fix="see its output for the error; exclude the operation, if that is its purpose",
    )  # fmt: skip


def _usable(serving: Serving) -> Document:
    if serving.url.startswith("https:"):
        raise NotMeasured(
            "requests are recorded over plain HTTP only, and this backend is behind https",
            "record at the server itself, without what encrypts in front of it",
        )
    if serving.document is None:
        raise NotMeasured(
            f"there is no OpenAPI document to take requests from: {serving.document_error}",
            'name its path on the backend, or a file: [backend] openapi = "/openapi.json"',
        )
    return serving.document


def _bounded(candidates: Sequence[Promise], each: int, most: int) -> list[Promise]:
    """Return the requests to try: a success of every operation goes before anything else, the order is kept."""
    counts: Counter[str] = Counter()
    within = []
    for kind in KINDS:
        for position, one in enumerate(candidates):
            if one.kind == kind and counts[one.operation] < each:
                counts[one.operation] += 1
                within.append(position)
    beyond = within[most:]
    return [candidates[position] for position in [*sorted(within[:most]), *beyond]]


_UNREACHED = "was not asked twice: the time was over"
_UNSTABLE = "is not answered alike twice"


def _refuted(candidate: Promise, outcome: Outcome) -> str:
    """Return why an answer is no promise, or nothing."""
    if outcome.blamed is not None:
        return f"needs {outcome.blamed.operation}, which {outcome.trouble}"
    if outcome.status is None:
        return f"was not answered: {outcome.trouble}"
    if outcome.login_lost:
        return "ended the login"
    status = outcome.status
    fits = status < 400 if candidate.kind == "success" else 400 <= status < 500 and status not in _NOT_TOLD
    return "" if fits else f"answered {status}"


def _kept(candidate: Promise, one: Outcome | None, other: Outcome | None) -> Promise | str:
    """Return what is promised by two answers, or why nothing is."""
    if one is not None and (why := _refuted(candidate, one)):
        return why
    if one is None or other is None:
        return _UNREACHED
    if (
        _refuted(candidate, other)
        or one.status != other.status
        or one.media != other.media
        or (one.shape is None) != (other.shape is None)
    ):
        return _UNSTABLE
    shape = one.shape if one.shape is None or other.shape is None else merge(one.shape, other.shape)
    return replace(candidate, status=one.status or 0, media=one.media, shape=shape)
