"""The rules of the guideline, by name."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule, by_id

RULES = by_id(
    (
        Rule(
            "guideline.placeholder",
            Severity.HIGH,
            "A placeholder of the guideline's template was left in CLAUDE.md.",
            "Whoever works by the guideline, a person or a program, is told nothing there. Words in capitals and "
            "braces that are none of the 26 variables are only pointed out (low).",
            "Write what holds for this project in its place; the section that explains the variables belongs to the "
            "template, and is deleted.",
        ),
        Rule(
            "guideline.number-differs",
            Severity.HIGH,
            "A number in CLAUDE.md is not the target in gates.toml.",
            "One of the two is believed, and the other one is measured. A phase may demand more than the guideline; a "
            "phase that demands less is pointed out (low).",
            "Write the same number in both.",
        ),
        Rule(
            "guideline.target-missing",
            Severity.MEDIUM,
            "CLAUDE.md names a number that gates.toml does not demand.",
            "Nothing measures it, or it is measured against a default that is another number. Where gates.toml shows "
            "the same number in a comment, somebody left it out on purpose, and that is only pointed out (info).",
            "Write it into [targets] of gates.toml.",
        ),
        Rule(
            "guideline.checklist",
            Severity.MEDIUM,
            "An item of the Definition of Done is missing in CLAUDE.md.",
            "The list has nine items, and gates decides all of them; who reads eight does not know of the ninth. What "
            "[done.leave_out] of gates.toml leaves out with a reason may be missing here as well. A guideline that "
            "says nothing of a Definition of Done is pointed out (low).",
            "Bring the item back, or leave it out in gates.toml with a reason.",
        ),
        Rule(
            "guideline.contradiction",
            Severity.MEDIUM,
            "CLAUDE.md names two different numbers for the same thing.",
            "Only one of them can be the target.",
            "Write the same number in both places.",
        ),
    )
)  # fmt: skip
"""What the guidelines gate finds."""
