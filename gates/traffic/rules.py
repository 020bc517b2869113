"""The rules of this package."""

from __future__ import annotations

from collections.abc import Mapping

from gates.results import Severity
from gates.rules import Rule, by_id

UNDOCUMENTED = "traffic.undocumented-route"

RULES: Mapping[str, Rule] = by_id(
    [
        Rule(
            UNDOCUMENTED,
            Severity.MEDIUM,
            "A route answered a request of the tests or of recorded traffic, and no document has it.",
            "What is in no document is in no check either: it is not fuzzed, not measured, and no later phase keeps "
            "it. A debug route that was forgotten is found this way, and so is a document that was.",
            "Describe it in the OpenAPI document, or take it out; what is meant for machines of your own (a probe, an "
            "internal page) is named in `ignore` of the gate.",
        ),
    ]
)
"""By their names."""
