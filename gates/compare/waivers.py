"""Findings that a person waived, in gates.toml, until a day: they stay visible and do not count."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gates.compare.case import describe_finding
from gates.demands import Policy, Waiver
from gates.results import Finding, FindingState, GateResult, Run, Verdict


def waive(findings: Iterable[Finding], waivers: Sequence[Waiver]) -> list[Finding]:
    """Return findings with those waived that are new and have a waiver that holds."""
    marks = {waiver.fingerprint for waiver in waivers}
    return [
        replace(finding, state=FindingState.WAIVED)
        if finding.state is FindingState.NEW and finding.fingerprint in marks
        else finding
        for finding in findings
    ]


def waiver_notes(policy: Policy, gates: Sequence[GateResult], *, whole: bool) -> Iterator[str]:
    """Yield in a sentence each what became of waivers that waive nothing: expired, or without a finding.

    `whole` says that every gate was to run. Only where all of them came to an end is it known that nothing matches.
    """
    whole = whole and all(gate.verdict in (Verdict.PASS, Verdict.FAIL) for gate in gates)
    found: dict[str, Finding] = {}
    for gate in gates:
        for one in gate.readings.findings:
            if one.state is not FindingState.FIXED:
                found.setdefault(one.fingerprint, one)
    for waiver in policy.expired:
        finding = found.get(waiver.fingerprint)
        told = f"the waiver of {waiver.fingerprint} by {waiver.by} expired on {waiver.until}"
        if finding is not None:
            again = "it counts again" if finding.state is FindingState.NEW else f"it is {finding.state} now"
            yield f"{told}: {again}: {describe_finding(finding)}"
        elif whole:
            yield f"{told}, and nothing matches it any more: take it out of gates.toml"
    for waiver in policy.waivers:
        finding = found.get(waiver.fingerprint)
        told = f"the waiver of {waiver.fingerprint} by {waiver.by} (until {waiver.until})"
        if finding is None and whole:
            yield f"{told} matches no finding: take it out of gates.toml"
        elif finding is not None and finding.state is not FindingState.WAIVED:
            yield f"{told} is not needed: its finding is {finding.state}"


def waivers_of(run: Run) -> dict[str, str]:
    """Return who waived a finding, until when and why, by its fingerprint: the waivers that held for a run."""
    return {
        waiver["fingerprint"]: f"by {waiver['by']} until {waiver['until']}: {waiver['reason']}"
        for waiver in json.loads(run.policy).get("waivers", ())
    }
