"""Load by Locust: requests that arrive on a schedule of our own, whatever the backend does, on fresh backends.

The workload comes from the OpenAPI document (or is the project's own locustfile); each latency counts from when its
request was due; what was sent is kept, so that a later phase sends the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Literal

from gates.alternating import NotBeside, without_earlier
from gates.demands import format_value
from gates.document import Document
from gates.errors import NotMeasured
from gates.load.preparation import ENDING, LEFT_OUT, Prepared
from gates.load.scenario import ON_START, TASK
from gates.profiles import nearest_hint
from gates.results import Gap, Measurement, Readings, Subject
from gates.tools.base import Context, Requirement, digest, redacted
from gates.tools.locust import found, summary
from gates.tools.locust.beside import BesideCampaign
from gates.tools.locust.campaign import Campaign
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.knee import KneeCampaign
from gates.tools.locust.mix import unmatched
from gates.tools.locust.scenarios import ScenarioCampaign
from gates.tools.locust.settings import LoadSettings
from gates.tools.locust.side_by_side import SideBySide

_SHOWN = 5


class Locust(LoadSettings):
    """Loads every operation of the document, or runs the project's own locustfile, and records each request."""

    tool: Literal["locust"] = "locust"

    needs_backend = True
    alone = True
    slow = True
    measures = ("load.", "pair.", "database.connections")

    def run(self, context: Context) -> Readings:
        """Load the backend, beside the earlier build where that can be measured.

        Raises NotMeasured when there is nothing to send, ToolError when Locust failed.
        """
        refused = None
        if self.find is None and context.earlier is not None and context.side_by_side != "never":
            try:
                beside = (BesideCampaign if self.locustfile is None else ScenarioCampaign)(self, context)
                beside.run()
            except NotBeside as error:
                if context.calibrating:
                    raise NotMeasured(error.message, error.hint) from error
                refused = error
            else:
                return self._readings(beside)
        campaign = (KneeCampaign if self.find == "knee" else Campaign)(self, context)
        campaign.run()
        readings = self._readings(campaign)
        return (
            readings
            if refused is None
            else without_earlier(readings, refused, demanded=context.side_by_side == "always")
        )

    def requirements(self, context: Context) -> list[Requirement]:
        """Return which Locust would run, and whether the project's locustfile is there."""
        found = [Requirement("locust", True, f"{version('locust')} in {sys.executable}")]
        if self.locustfile is not None:
            there = (context.root / self.locustfile).is_file()
            told = self.locustfile if there else f"{self.locustfile} does not exist"
            found.append(Requirement("locustfile", there, told, "it is looked for from the project's folder"))
        return found

    def requirements_of(self, document: Document) -> list[Requirement]:
        """Return for each name of the `mix` whether an operation fits it."""
        names = [operation.name for operation in document.operations]
        lacking = unmatched(self.mix, names)
        return [
            Requirement(
                f"mix {pattern!r}", pattern not in lacking,
                "no operation of the document fits" if pattern in lacking else f"the weight {weight:g}",
                nearest_hint(pattern, names) if pattern in lacking else "",
            )
            for pattern, weight in self.mix.items()
        ]  # fmt: skip

    def _readings(self, campaign: Campaign) -> Readings:
        prepared, document = campaign.prepared, campaign.document
        epochs = [*campaign.discarded, *campaign.epochs]
        valid = [epoch for epoch in campaign.epochs if epoch.valid]
        gaps = summary.validity_gaps(campaign.epochs)
        # Under two builds at once the times of one are not what it would take alone.
        trusted = [] if isinstance(campaign, SideBySide) else summary.only_overloaded(campaign.epochs)
        trusted = trusted if gaps else valid
        tried = {name: one.statuses for name, one in prepared.tried.items()} if prepared else {}
        refused = {} if prepared is None else {
            name: one.status for name, one in prepared.tried.items() if one.reason and one.status is not None
        }  # fmt: skip
        return Readings(
            measurements=(
                *(campaign.comparisons() if isinstance(campaign, SideBySide) else ()),
                *found.measurements(campaign, trusted, epochs),
                *_concurrency(campaign),
            ),
            findings=(*campaign.findings, *summary.server_errors(epochs, refused), *found.findings(campaign, trusted)),
            subjects=_subjects(campaign),
            operations=summary.operations_seen(
                epochs, tried, frozenset(one.name for one in document.operations) if document else frozenset()
            ),
            gaps=(
                *gaps,
                *summary.failing_gaps(valid),
                *_not_loaded(prepared),
                *_unreached(prepared, epochs),
                *_unseen(campaign),
                *found.gaps(campaign, trusted),
                *(campaign.gaps() if isinstance(campaign, SideBySide) else ()),
            ),
            epochs=found.rows(campaign),
            histograms=found.histograms(campaign, trusted),
            requests=prepared.corpus(redacted) if prepared else (),
            configurations={"load": digest(self.model_dump_json(exclude={"items", "skip", "timeout", "profile"}))},
            versions={"locust": version("locust")},
            notes=(*self._notes(campaign), *found.notes(campaign, trusted), *summary.failing_notes(valid)),
        )

    def _notes(self, campaign: Campaign) -> list[str]:
        notes = []
        if isinstance(campaign, SideBySide):
            notes += _beside_notes(campaign)
        notes += _work_notes(campaign)
        if isinstance(campaign, ScenarioCampaign):
            notes += campaign.notes()
        elif self.locustfile is not None:
            notes.append(f"{self.locustfile} is a closed loop: latencies count from when a request was really sent")
        if not campaign.started_by_us:
            notes.append("the backend was already up: its epochs are not independent of one another")
        notes += [
            f"the backend did not keep up with {epoch.assignment.arrivals.rate:.3g} requests/s, so that fewer were sent"
            + "".join(f"; {doubt.text}" for doubt in epoch.doubts)
            for epoch in campaign.too_much
        ]
        notes += [
            f"epoch {epoch.number} was measured again: {'; '.join(doubt.text for doubt in epoch.doubts)}"
            for epoch in campaign.discarded
        ]
        notes += [
            f"epoch {epoch.number} is not counted: {'; '.join(doubt.text for doubt in epoch.doubts)}"
            for epoch in campaign.epochs
            if epoch.doubts
        ]
        notes += summary.taken_notes(campaign.epochs)
        notes += [f"{name} was not loaded in every epoch: it {reason}" for name, reason in campaign.dropped.items()]
        borne = campaign.concurrency
        before = max((epoch.memory or 0 for epoch in campaign.epochs), default=0)
        if borne is not None and borne.peak > before > 0:
            notes.append(
                f"the peak of memory, {format_value(borne.peak, 'B')}, came with all connections at once; "
                f"the arriving load took {format_value(before, 'B')}"
            )
        if borne is not None and borne.borne < borne.tried:
            notes.append(
                f"{borne.tried} connections at once were not all served without errors"
                + (f" ({borne.trouble})" if borne.trouble else "")
                + (f", {borne.borne} were" if borne.borne else ", nor were fewer that were tried")
            )
        return notes


def _work_notes(campaign: Campaign) -> list[str]:
    """Return what was sent, how often, and what was not sent on purpose."""
    rates, prepared, notes = campaign.rates, campaign.prepared, []
    if rates is None or prepared is None:
        return []
    if campaign.epochs:
        notes.append(
            f"{len(prepared.work)} operations at {rates.total:.3g} requests/s together ({rates.origin}), "
            f"{len(campaign.epochs)} epochs of {rates.seconds:.3g} s"
        )
    if rates.held_back:
        notes.append(f"these came less often, because they are slow: {', '.join(rates.held_back)}")
    deleting = [name for name in _documented(campaign) if name.startswith("DELETE ")]
    if deleting:
        notes.append(f"not loaded, because it takes away what the others need: {', '.join(deleting)}")
    ending = [name for name, one in prepared.tried.items() if one.reason == ENDING]
    if ending:
        notes.append(f"not loaded, because it ends the backend or the login by its name: {', '.join(ending)}")
    left_out = [name for name, one in prepared.tried.items() if one.reason == LEFT_OUT]
    if left_out:
        notes.append(f"left out by `exclude`: {', '.join(left_out)}")
    if prepared.redrawn:
        notes.append(f"the baseline's request is refused now, another is sent: {', '.join(prepared.redrawn)}")
    return notes


def _beside_notes(campaign: SideBySide) -> list[str]:
    earlier, settings = campaign.earlier, campaign.settings
    notes = [
        f"measured beside {earlier.phase} ({earlier.commit[:7]}): {len(campaign.pairs)} epochs of "
        f"{settings.pair_seconds:g} s, {sum(one.pairs for one in campaign.pairs)} pairs"
    ]
    if campaign.context.floor.told:
        notes.append(campaign.context.floor.told)
    if campaign.confirmed:
        notes.append(f"{campaign.confirmed} of the epochs were to confirm what had become slower")
    if isinstance(campaign, BesideCampaign) and campaign.single:
        notes.append(f"only loaded on this build: {', '.join(sorted(campaign.single))}")
    if isinstance(campaign, BesideCampaign):
        notes += campaign.throughput_notes()
    if campaign.spoiled_before:
        told = ", ".join(f"{name} ({what})" for name, what in campaign.spoiled_before.items())
        notes.append(f"not sent to the earlier build: {told}")
    return notes


def _documented(campaign: Campaign) -> list[str]:
    return [operation.name for operation in campaign.document.operations] if campaign.document else []


def _concurrency(campaign: Campaign) -> list[Measurement]:
    borne = campaign.concurrency
    if borne is None:
        return []
    return [Measurement("load.concurrency", float(borne.borne), "1", "higher", count=borne.borne, total=borne.tried)]


def _subjects(campaign: Campaign) -> tuple[Subject, ...]:
    """Return what was loaded and what was not, so that a later phase notices an operation that is gone."""
    prepared = campaign.prepared
    if prepared is None:
        outside = campaign.outside if isinstance(campaign, ScenarioCampaign) else set()
        sent = sorted({*summary.operations_in(campaign.epochs), *outside})
        loaded = [name for name in sent if not name.startswith((TASK, ON_START))]
        return tuple(Subject("operation", name, "tested") for name in loaded)
    loaded = [work.operation for work in prepared.work]
    return tuple(
        Subject("operation", name, "tested" if name in loaded else "untested", one.reason)
        for name, one in prepared.tried.items()
    )


def _not_loaded(prepared: Prepared | None) -> list[Gap]:
    if prepared is None:
        return []
    reasons = {
        name: one.reason for name, one in prepared.tried.items() if one.reason and one.reason not in (LEFT_OUT, ENDING)
    }
    if not reasons:
        return []
    told = [f"{name} {reason}" for name, reason in reasons.items()]
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return [
        Gap(
            f"{len(reasons)} of {len(prepared.tried)} operations were not loaded",
            "; ".join(told[:_SHOWN]) + more,
            "give them examples in the document, load them with a `locustfile`, or name them in `exclude`",
        )
    ]


def _unreached(prepared: Prepared | None, epochs: Sequence[Loaded]) -> list[Gap]:
    """Return the gap of operations that were to be loaded, and whose turn never came while it was measured."""
    loaded = set(summary.operations_in(epochs))
    work = prepared.work if prepared is not None and loaded else ()
    names = [one.operation for one in work if one.operation not in loaded]
    if not names:
        return []
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [
        Gap(
            f"{len(names)} of {len(work)} operations got no request",
            "their turn did not come while it was measured: " + ", ".join(names[:_SHOWN]) + more,
            "load them longer, or at a higher rate; or leave slow ones out with `exclude`",
        )
    ]


def _unseen(campaign: Campaign) -> list[Gap]:
    if campaign.started_by_us:
        return []
    return [
        Gap(
            "load.memory", "the backend was already up, so its processes are not known",
            "let gates start it: [backend] start",
        )
    ]  # fmt: skip
