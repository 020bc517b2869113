"""What a load brings: latencies, or what its `find` was to find out."""

from __future__ import annotations

from collections.abc import Sequence

from gates.results import Epoch, Finding, Gap, Histogram, Measurement
from gates.tools.locust import knee, leak, opened, recovery, summary
from gates.tools.locust.campaign import Campaign
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.knee import KneeCampaign
from gates.tools.locust.mix import mix_changes


def measurements(campaign: Campaign, trusted: Sequence[Loaded], epochs: Sequence[Loaded]) -> list[Measurement]:
    """Return what was measured; `trusted` are the epochs whose times can be believed, `epochs` all there were.

    Under a burst, or at the knee, latencies and errors are what was asked for: there they are no measurements.
    """
    settings = campaign.settings
    peak = campaign.concurrency.peak if campaign.concurrency else None
    connections = opened.measured(campaign.watched, settings.databases)
    if isinstance(campaign, KneeCampaign):
        return [*knee.measured(campaign.searches), *connections]
    resources = summary.resources(trusted, peak)
    if settings.find == "recovery":
        memory = [one for one in resources if one.name == "load.memory"]
        found = recovery.measured(recovery.recoveries(trusted, settings.recovered_within))
        return [*found, *memory, *connections]
    grown = leak.measured(campaign.epochs) if settings.find == "leak" else []
    return [*summary.latencies(trusted), *summary.errors(epochs), *resources, *grown, *connections]


def findings(campaign: Campaign, trusted: Sequence[Loaded]) -> list[Finding]:
    """Return what failed besides targets."""
    settings = campaign.settings
    if isinstance(campaign, KneeCampaign):
        return knee.findings(campaign.searches)
    if settings.find == "recovery":
        return recovery.findings(recovery.recoveries(trusted, settings.recovered_within), settings.burst)
    return []


def gaps(campaign: Campaign, trusted: Sequence[Loaded]) -> list[Gap]:
    """Return what was to be found out and was not."""
    settings = campaign.settings
    if isinstance(campaign, KneeCampaign):
        return knee.gaps(campaign.searches)
    if settings.find == "recovery":
        return recovery.gaps(trusted, recovery.recoveries(trusted, settings.recovered_within))
    return leak.gaps(campaign.epochs) if settings.find == "leak" else []


def histograms(campaign: Campaign, trusted: Sequence[Loaded]) -> tuple[Histogram, ...]:
    """Return the latencies that are kept; none of a burst."""
    return () if campaign.settings.find == "recovery" else summary.histograms(trusted)


def rows(campaign: Campaign) -> tuple[Epoch, ...]:
    """Return the epochs, or searches, as they are stored."""
    if isinstance(campaign, KneeCampaign):
        return campaign.rows()
    return tuple(epoch.row() for epoch in campaign.epochs)


def notes(campaign: Campaign, trusted: Sequence[Loaded]) -> list[str]:
    """Return what is told of it: the ramp, the searches, the bursts, a mix that changed."""
    settings, told = campaign.settings, []
    if campaign.ramp is not None and campaign.ramp.borne is not None:
        borne = campaign.ramp.borne
        told.append(
            f"a short ramp: it bears {borne.rate:.3g} requests/s"
            + (f"; {borne.trouble}" if borne.trouble else " at least, and more was not tried")
        )
        if campaign.ramp.refusing:
            told.append("the backend limits the rate (429): switch that off for the load, or set a `rate` below it")
    elif campaign.ramp is not None:
        told.append("a ramp could not tell what it bears: the rate follows from what one connection gets through")
    if isinstance(campaign, KneeCampaign):
        told += knee.notes(campaign.searches, settings.rate_limit)
    elif settings.find == "recovery":
        told += recovery.notes(recovery.recoveries(trusted, settings.recovered_within))
    if settings.mix and campaign.rates is not None and campaign.rates.mix:
        told.append("the mix: " + ", ".join(f"{name} {weight:g}" for name, weight in campaign.rates.mix.items()))
    recorded = campaign.recorded_rates()
    if recorded is not None and campaign.rates is not None:
        changed = mix_changes(recorded.mix, campaign.rates.mix, campaign.rates.each)
        if changed:
            told.append(f"the mix is not that of the baseline: {', '.join(changed)}")
    return told
