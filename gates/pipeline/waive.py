"""A waiver written into gates.toml: at its end, as a table of its own, with everything above as it was."""

from __future__ import annotations

import difflib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from gates.config.load import CONFIGURATION_FILE, build_configuration, load_configuration
from gates.config.model import Configuration
from gates.errors import ConfigurationError, GatesError
from gates.pipeline.lookup import find_run
from gates.profiles import read_toml
from gates.reports.wording import describe_finding
from gates.results import Finding, FindingState, Run

LONG = 366
"""Days; a waiver that holds longer is hardly looked at again, and the command says so."""
_LEAST = 10


@dataclass(frozen=True, slots=True)
class Waived:
    """What was waived, until when, and for how many days from today on."""

    finding: Finding
    gate: str
    path: Path
    until: str
    days: int

    @property
    def described(self) -> str:
        """The finding in one line."""
        return describe_finding(self.finding)


def waive_finding(root: Path, fingerprint: str, *, reason: str, by: str, until: str) -> Waived:
    """Append a waiver of a finding of the last run to gates.toml.

    Raises ConfigurationError, and writes nothing, for a day that has passed, a finding that the last run does not have
    or that does not count anyway, and one that has a waiver.
    """
    path = root / CONFIGURATION_FILE
    configuration = load_configuration(path)
    if not by.strip():
        raise ConfigurationError("--by is empty", "a person answers for a waiver: --by 'NAME'")
    if len(reason.strip()) < _LEAST:
        raise ConfigurationError(
            f"--reason {reason.strip()!r} is too short", f"it is a sentence of at least {_LEAST} characters"
        )
    day, days = _day(until)
    finding, gate = _find(fingerprint.strip(), configuration, find_run(root, None))
    table = {"fingerprint": finding.fingerprint, "reason": reason.strip(), "by": by.strip(), "until": day}
    _append(path.resolve(), root, table, describe_finding(finding))
    return Waived(finding, gate, path, day, days)


def _day(until: str) -> tuple[str, int]:
    """Return a day to come as it is written, and in how many days it is."""
    try:
        day = date.fromisoformat(until.strip())
    except ValueError as error:
        raise ConfigurationError(f"--until {until!r} is not a day", "write it as YEAR-MONTH-DAY: 2027-01-31") from error
    today = datetime.now(UTC).date()
    if day < today:
        raise ConfigurationError(f"--until {until} has passed", f"today is {today}: a waiver holds until a day to come")
    return day.isoformat(), (day - today).days


def _find(fingerprint: str, configuration: Configuration, run: Run) -> tuple[Finding, str]:
    written = next((one for one in configuration.waivers if one.fingerprint == fingerprint), None)
    if written is not None:
        raise ConfigurationError(
            f"{fingerprint} has a waiver already, by {written.by} until {written.until}",
            "change that [[waivers]] table in gates.toml, or take it out",
        )
    every = [(finding, gate.gate) for gate in run.gates for finding in gate.readings.findings]
    there = [(finding, gate) for finding, gate in every if finding.state is not FindingState.FIXED]
    same = [(finding, gate) for finding, gate in there if finding.fingerprint == fingerprint]
    if not same:
        raise ConfigurationError(
            f"the last run ({run.id}) has no finding {fingerprint!r}", _nearest(fingerprint, [one for one, _ in there])
        )
    new = [(finding, gate) for finding, gate in same if finding.state is FindingState.NEW]
    if not new:
        finding = same[0][0]
        raise ConfigurationError(
            f"{fingerprint} needs no waiver: it is {finding.state} ({describe_finding(finding)})",
            "only a new finding can fail a gate",
        )
    return new[0]


def _nearest(fingerprint: str, findings: Iterable[Finding]) -> str:
    by_mark = {finding.fingerprint: finding for finding in findings}
    near = difflib.get_close_matches(fingerprint, list(by_mark), n=1, cutoff=0.5)
    by_rule = [mark for mark, finding in by_mark.items() if fingerprint and fingerprint in (finding.rule, mark[:8])]
    for mark in [*near, *by_rule][:1]:
        return f"did you mean {mark}? {describe_finding(by_mark[mark])}"
    return "`gates explain GATE` names those of a gate" if by_mark else "it has no findings at all"


def _append(path: Path, root: Path, table: dict[str, str], described: str) -> None:
    """Write the table behind what is there, once it is known that the whole can still be read."""
    before = path.read_bytes()
    newline = b"\r\n" if b"\r\n" in before else b"\n"
    lines = [f"# {described}"] + [f"{key:<11} = {_text(value)}" for key, value in table.items()]
    added = "\n".join(["", "[[waivers]]", *lines, ""]).encode("utf-8", "replace").replace(b"\n", newline)
    whole = before + (b"" if not before or before.endswith(b"\n") else newline) + added
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(whole)
        shutil.copymode(path, part)
        _check(part, root, table["fingerprint"], added.decode())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _check(part: Path, root: Path, fingerprint: str, added: str) -> None:
    by_hand = f"write this into it by hand:\n{added.strip()}"
    try:
        configuration = build_configuration(read_toml(part), root)
    except GatesError as error:
        told = error.message.replace(str(part), CONFIGURATION_FILE)
        raise ConfigurationError(
            f"{CONFIGURATION_FILE} could not be read with a [[waivers]] table at its end: {told}", by_hand
        ) from error
    if not any(one.fingerprint == fingerprint for one in configuration.waivers):
        raise ConfigurationError(f"a [[waivers]] table at the end of {CONFIGURATION_FILE} is not read as one", by_hand)


def _text(value: str) -> str:
    # The escapes of JSON are those of TOML, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
