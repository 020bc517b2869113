"""What an earlier phase recorded, sent again: which promises are kept, which are broken, which changed their mind."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gates.document import Document, DocumentError, operation_of, parse_document
from gates.load.preparation import left_out
from gates.results import Finding, GateResult, OperationSeen, RecordedRequest
from gates.tools.base import Context, Serving
from gates.tools.replay.comparing import Compared, changed_their_mind, compare
from gates.tools.replay.fallback import replay_load
from gates.tools.replay.session import Replayer
from gates.tools.replay.stored import Outcome, Promise, from_recorded
from gates.tools.replay.template import TOKEN

FIRST_PHASE = "first phase: nothing promised yet"


@dataclass
class Backends:
    """Starts backends, and remembers of them whether there is a login and what their document is."""

    context: Context
    has_login: bool = False
    document: Document | None = None

    @contextmanager
    def serve(self) -> Iterator[Serving]:
        """Start one; it is stopped after the block."""
        with self.context.serve() as serving:
            self.has_login, self.document = bool(serving.headers), serving.document
            yield serving


@dataclass(frozen=True, slots=True)
class Corpus:
    """What an earlier phase left to be sent again; without `promises` only what it was loaded with is known."""

    phase: str
    promises: tuple[Promise, ...] = ()
    document: Document | None = None
    loaded: tuple[RecordedRequest, ...] = ()


@dataclass(slots=True)
class Replayed:
    """What came of the earlier phase's requests; `compared` is None when there were none."""

    compared: Compared | None = None
    flaky: list[Finding] = field(default_factory=list)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    succeeded: dict[str, bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def findings(self) -> list[Finding]:
        """Return what is broken, and what was only at the first try."""
        return [*(self.compared.findings() if self.compared else ()), *self.flaky]

    def count(self, promise: Promise, outcome: Outcome, present: Document | None) -> None:
        """Take in an answer, under the name that its operation has now."""
        if outcome.status is None or outcome.blamed is not None:
            return
        name = present_name(present, promise)
        self.statuses.setdefault(name, Counter())[outcome.status] += 1
        if promise.kind == "success":
            self.succeeded[name] = self.succeeded.get(name, False) or outcome.status < 400

    def operations_seen(self, present: Document | None) -> list[OperationSeen]:
        """Return what the operations answered."""
        documented = {one.name for one in present.operations} if present else set(self.statuses)
        return [
            OperationSeen(
                name, dict(sorted(statuses.items())), self.succeeded.get(name), name in documented, source="replayed"
            )
            for name, statuses in self.statuses.items()
        ]


def present_name(present: Document | None, promise: Promise) -> str:
    """Return what the present document calls the operation of a request, or what it was called when it was recorded."""
    request = promise.asked.request
    path = TOKEN.sub("0", request.target.partition("?")[0])
    found = operation_of(present, request.method, path) if present is not None else None
    return found.name if found is not None else promise.operation


def find_corpus(context: Context) -> Corpus | None:
    """Return the requests of the latest phase that recorded some, else those that the last one was loaded with."""
    for phase in reversed(list(context.signed)):
        for gate in context.signed[phase].gates:
            if gate.tool == "replay" and gate.readings.requests:
                return Corpus(phase, tuple(map(from_recorded, gate.readings.requests)), _document(gate))
    last = next(reversed(list(context.signed)), None)
    if last is None:
        return None
    loaded = [
        request
        for gate in context.signed[last].gates
        if gate.tool == "locust"
        for request in gate.readings.requests
        if request.status is not None and request.status < 400
    ]
    return Corpus(last, loaded=tuple(loaded))


def _document(gate: GateResult) -> Document | None:
    try:
        return parse_document(gate.readings.documents.get("openapi", ""))
    except DocumentError:
        return None  # it only serves to make secrets anew, and without it a usual one is sent


@dataclass(frozen=True)
class Again:
    """Sends a corpus again, on fresh backends, within so many seconds."""

    backends: Backends
    replayer: Replayer
    exclude: tuple[str, ...]
    timeout: float
    seconds: float

    def run(self, corpus: Corpus | None) -> Replayed:
        """Return what came of it; what is not answered as then is tried once more on another backend."""
        if corpus is None:
            return Replayed(notes=[FIRST_PHASE])
        if corpus.promises:
            return self._replay(corpus)
        if not corpus.loaded:
            return Replayed(notes=[f"no phase up to {corpus.phase} recorded requests, so there are none to send again"])
        compared = replay_load(
            corpus.phase, corpus.loaded, self.backends.serve, lambda document: left_out(document, self.exclude),
            timeout=self.timeout, seconds=self.seconds,
        )  # fmt: skip
        told = (
            f"{corpus.phase} recorded no requests to replay: those that it was loaded with were sent again, and only "
            "the class of their status is compared"
        )
        return Replayed(compared, notes=[told])

    def _replay(self, corpus: Corpus) -> Replayed:
        deadline = time.monotonic() + self.seconds
        excluded = left_out(corpus.document, self.exclude) if corpus.document else {}
        promises = [
            one
            for one in corpus.promises
            if not {one.operation, *(step.operation for step in one.steps)} & set(excluded)
        ]
        told = f"replaying {corpus.phase}"
        outcomes = self.replayer.run(promises, corpus.document, deadline, told)
        first = compare(corpus.phase, promises, outcomes, has_login=self.backends.has_login)
        replayed = Replayed(first, notes=[f"{len(promises)} requests of {corpus.phase} were sent again"])
        for position, outcome in outcomes.items():
            replayed.count(promises[position], outcome, self.backends.document)
        if first.doubtful:
            doubtful = [promises[position] for position in first.doubtful]
            second = self.replayer.run(doubtful, corpus.document, deadline + self.seconds, f"{told}, once more")
            merged = {**outcomes, **{first.doubtful[number]: outcome for number, outcome in second.items()}}
            replayed.compared = compare(corpus.phase, promises, merged, has_login=self.backends.has_login)
            replayed.flaky = changed_their_mind(first, replayed.compared)
        if len(promises) < len(corpus.promises):
            replayed.notes.append(f"{len(corpus.promises) - len(promises)} of them were left out by `exclude`")
        return replayed
