"""Recorded requests: those of an earlier phase are sent again, and those of this phase are recorded for the next.

Each is sent to a fresh backend with the steps that make what it speaks of. A promise is kept when the status is of the
same class, the media type the same, and the shape of the answer a superset. What is kept with a run is what two fresh
backends answered alike: no answers, only their shapes; no identifiers, no login, no secrets.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from gates.errors import NotMeasured
from gates.load.preparation import ENDING, left_out
from gates.results import Gap, ItemId, Measurement, Readings, Severity
from gates.tools.base import Context, Seconds, Tool, digest
from gates.tools.replay.earlier import Again, Backends, Replayed, find_corpus, present_name
from gates.tools.replay.recording import Recorder, Recording
from gates.tools.replay.session import Replayer
from gates.tools.replay.stored import Promise, to_recorded

_SHOWN = 8


class Replay(Tool):
    """Sends the requests that an earlier phase recorded, compares the answers, and records those of this phase."""

    tool: Literal["replay"] = "replay"
    items: tuple[ItemId, ...] = Field(
        default=("integration",), description="Items of the Definition of Done this gate helps decide"
    )
    time: Seconds = Field(
        default=120.0, description="The most that sending the earlier requests may take, and that recording may"
    )
    requests: int = Field(default=500, gt=0, le=5000, description="At most so many requests are recorded")
    per_operation: int = Field(
        default=3,
        ge=1,
        le=3,
        description="At most so many of an operation: a valid one, one for what is not there, one with a wrong body",
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description='Operations never called, such as "POST /admin/reset" or "* /internal/*"; what is named shutdown, '
        "logout or alike never is",
    )
    request_timeout: Seconds = Field(default=10.0, description="How long an answer may take before it is none")

    needs_backend = True
    alone = True
    measures = ("replay.kept", "replay.operations", "replay.requests")

    def run(self, context: Context) -> Readings:
        """Replay, then record; raises NotMeasured when there was nothing to replay and nothing could be recorded."""
        # A backend may keep its data from start to start: what has to be unique is so from run to run as well.
        numbers = itertools.count(int(time.time() * 100))
        backends = Backends(context)
        replayer = Replayer(backends.serve, self.request_timeout, lambda: next(numbers), context.progress)
        again = Again(backends, replayer, self.exclude, self.request_timeout, self.time)
        replayed = again.run(find_corpus(context))
        recorder = Recorder(
            backends.serve, replayer, lambda document: left_out(document, self.exclude), self.request_timeout,
            self.time, self.per_operation, self.requests, context.progress,
        )  # fmt: skip
        gaps: tuple[Gap, ...] = ()
        try:
            recording = recorder.record()
        except NotMeasured as error:
            if replayed.compared is None:
                raise
            recording, gaps = Recording(), (Gap("nothing was recorded for later phases", error.message, error.hint),)
        if not recording.promises and replayed.compared is None:
            raise NotMeasured(
                f"no request could be recorded: {_reasons(recording) or 'the document describes no operation'}",
                "give the operations examples in the document, and see [backend.auth]",
            )
        carried = self._carried(replayed, recording, backends)
        return self._readings(backends, replayed, recording, carried, gaps)

    def _carried(self, replayed: Replayed, recording: Recording, backends: Backends) -> list[Promise]:
        """Return earlier requests that were answered as promised, and of which nothing new was recorded."""
        now = {(one.operation, one.kind) for one in recording.promises}
        kept = replayed.compared.kept if replayed.compared else []
        present = {one.name for one in backends.document.operations} if backends.document else set()
        old = [
            one
            for one in kept
            for name in [present_name(backends.document, one)]
            # Of an operation that is not documented any more only what it is for is still promised.
            if one.status and (name, one.kind) not in now and (one.kind == "success" or name in present)
        ]
        return old[: max(0, self.requests - len(recording.promises))]

    def _readings(
        self, backends: Backends, replayed: Replayed, recording: Recording, carried: Sequence[Promise],
        gaps: tuple[Gap, ...],
    ) -> Readings:  # fmt: skip
        corpus = [*recording.promises, *carried]
        covered, operations = len(recording.covered), recording.operations
        measurements = [Measurement("replay.requests", len(corpus), "1", "higher")]
        if operations:
            measurements.append(
                Measurement("replay.operations", covered / operations, "ratio", "higher", "", covered, operations)
            )
        compared = replayed.compared
        if compared is not None and compared.judged:
            kept, judged = len(compared.kept) + compared.close, compared.judged
            measurements.append(Measurement("replay.kept", kept / judged, "ratio", "higher", "", kept, judged))
        order = list(Severity)
        findings = sorted([*replayed.findings(), *recording.findings], key=lambda one: order.index(one.severity))
        document = backends.document
        return Readings(
            measurements=tuple(measurements),
            findings=tuple(findings),
            operations=(*replayed.operations_seen(document), *recording.operations_seen()),
            gaps=(*(compared.gaps() if compared else ()), *gaps),
            requests=tuple(to_recorded(one) for one in corpus),
            documents={} if document is None else {"openapi": document.text},
            configurations={"replay": digest(self.model_dump_json(exclude={"items", "skip", "timeout"}))},
            notes=(*replayed.notes, *_notes(recording, carried)),
        )


def _notes(recording: Recording, carried: Sequence[Promise]) -> list[str]:
    notes = []
    if recording.promises:
        notes.append(
            f"{len(recording.promises)} requests were recorded for later phases, with a success of "
            f"{len(recording.covered)} of {recording.operations} operations"
        )
    if recording.without and recording.promises:
        notes.append(f"without one: {_reasons(recording)}")
    if recording.unstable:
        notes.append(f"not recorded, because two fresh backends answered differently: {_some(recording.unstable)}")
    if recording.unreached:
        notes.append(f"{recording.unreached} requests were not asked twice: the time was over")
    if recording.cut_off:
        notes.append(f"{recording.cut_off} requests were left out, because there are more than `requests`")
    if carried:
        notes.append(f"kept from the earlier phase as they are: {_some([one.operation for one in carried])}")
    return notes


def _reasons(recording: Recording) -> str:
    ending = [name for name, why in recording.without.items() if why == ENDING]
    told = [f"{name} {why}" for name, why in recording.without.items() if why != ENDING]
    told += [f"{name} {ENDING}" for name in ending]
    return "; ".join(told[:_SHOWN]) + (f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")


def _some(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
