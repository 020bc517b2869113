"""What a rule of ours is: its name, how bad it is by itself, and what `gates explain` says about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gates.results import Finding, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that findings name; its severity holds until gates.toml says otherwise, None means off until then."""

    id: str
    severity: Severity | None
    summary: str
    """What it finds, in a line."""
    why: str
    """What goes wrong for whom."""
    fix: str
    """What to do about it."""


def by_id(rules: Iterable[Rule]) -> Mapping[str, Rule]:
    """Return rules by their names, each of which stands once."""
    found: dict[str, Rule] = {}
    for rule in rules:
        assert rule.id not in found, f"the rule {rule.id} stands twice"
        found[rule.id] = rule
    return found


def fingerprint(*parts: str) -> str:
    """Return the identity of a finding: 16 hexadecimal digits of the parts that make it the same one next time."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def graded(
    findings: Iterable[Finding], rules: Mapping[str, Rule], severities: Mapping[str, Severity | None]
) -> list[Finding]:
    """Return findings as bad as gates.toml says by rule, without those whose rule is off, there or by itself."""
    found = []
    for finding in findings:
        severity = severities[finding.rule] if finding.rule in severities else rules[finding.rule].severity
        if severity is not None:
            # What a rule grades by itself from case to case keeps its grade, unless somebody wrote another.
            found.append(replace(finding, severity=severity) if finding.rule in severities else finding)
    return found
