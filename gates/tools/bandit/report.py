"""What bandit's JSON report says, in the words of a gate; pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ValidationError

from gates.errors import ToolError
from gates.results import Finding, Gap, Measurement, Readings, Severity, Subject
from gates.rules import fingerprint
from gates.tools.bandit.files import plain_path

_SEVERITIES = {"HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM, "LOW": Severity.LOW, "UNDEFINED": Severity.LOW}
_INTERNAL_ERROR = re.compile(r"Bandit internal error running: (\S+) on file (.+?) at line (\d+)")


class _Issue(BaseModel):
    filename: str
    test_id: str
    issue_severity: Literal["HIGH", "MEDIUM", "LOW", "UNDEFINED"]
    issue_confidence: str
    issue_text: str
    line_number: int
    line_range: list[int]
    code: str
    more_info: str = ""


class _Unread(BaseModel):
    filename: str
    reason: str


class _Metrics(BaseModel):
    loc: int
    nosec: int
    skipped_tests: int = 0


class _Report(BaseModel):
    results: list[_Issue]
    errors: list[_Unread]
    metrics: dict[str, _Metrics]


@dataclass(frozen=True, slots=True)
class Scan:
    """What bandit said: readings of the files it read, the reason by path for those it did not, and suppressions."""

    readings: Readings
    unread: Mapping[str, str]
    suppressed: Mapping[str, int]
    """Findings that `# nosec` comments hide, by path; files without any are left out."""


def parse(*texts: str) -> Scan:
    """Return what one or more JSON reports of bandit say (each of other files of the same project).

    Raises ToolError when a text is not such a report.
    """
    issues: list[_Issue] = []
    unread: dict[str, str] = {}
    metrics: dict[str, _Metrics] = {}
    for text in texts:
        try:
            report = _Report.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole text"
            raise ToolError(f"bandit's report could not be read: {where}: {first['msg']}") from error
        issues += report.results
        unread |= {plain_path(item.filename): item.reason for item in report.errors}
        metrics |= {plain_path(name): numbers for name, numbers in report.metrics.items() if name != "_totals"}
    scanned = {path: numbers for path, numbers in sorted(metrics.items()) if path not in unread}
    findings = tuple(_findings(issues))
    counts = Counter(finding.severity for finding in findings)
    suppressed = {path: n for path, numbers in scanned.items() if (n := numbers.nosec + numbers.skipped_tests)}
    readings = Readings(
        measurements=(
            *(Measurement(f"security.{severity}", counts[severity], "1", "lower")
              for severity in (Severity.HIGH, Severity.MEDIUM, Severity.LOW)),
            Measurement("security.lines", sum(numbers.loc for numbers in scanned.values()), "1", "neither"),
            Measurement("security.nosec", sum(suppressed.values()), "1", "neither"),
        ),
        findings=findings,
        subjects=tuple(Subject("file", path, "scanned") for path in scanned),
    )  # fmt: skip
    return Scan(readings, unread, suppressed)


def _findings(issues: Iterable[_Issue]) -> Iterator[Finding]:
    """Identical findings of a file are numbered from the top, so that a second one is a new one."""
    occurrences: dict[tuple[str, str, str], int] = defaultdict(int)
    for issue in sorted(issues, key=lambda issue: (plain_path(issue.filename), issue.line_number, issue.test_id)):
        path = plain_path(issue.filename)
        identity = (path, issue.test_id, _flagged_text(issue))
        occurrences[identity] += 1
        yield Finding(
            rule=f"bandit.{issue.test_id}",
            severity=_SEVERITIES[issue.issue_severity],
            message=f"{' '.join(issue.issue_text.split())} (confidence {issue.issue_confidence.lower()})",
            fingerprint=fingerprint("bandit", *identity, str(occurrences[identity])),
            path=path,
            line=issue.line_number,
            fix=f"what is wrong and what to write instead: {issue.more_info}" if issue.more_info else "",
        )


def _flagged_text(issue: _Issue) -> str:
    """Return the flagged lines in one, without their numbers and indentation."""
    flagged = set(issue.line_range) or {issue.line_number}
    lines = (line.partition(" ") for line in issue.code.split("\n"))
    return " ".join(" ".join(text.split()) for number, _, text in lines if number.isdigit() and int(number) in flagged)


def parse_log(text: str) -> tuple[Gap, ...]:
    """Return the rules that crashed: bandit goes on without them, and only its error output tells."""
    crashed: dict[str, str] = {}
    for rule, path, line in _INTERNAL_ERROR.findall(text):
        crashed.setdefault(f"{rule} in {plain_path(path)}", line)
    hint = "simplify what stands there, or name the file in `exclude`"
    return tuple(Gap(f"bandit's rule {what}", f"it crashed at line {line}", hint) for what, line in crashed.items())
