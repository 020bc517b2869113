"""The rule on the version that a document gives itself."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule

VERSIONS = (
    Rule(
        "contract.major-version", Severity.MEDIUM,
        "something breaks clients, and `info.version` has no new major version",
        "Whoever reads the version takes the new document for compatible. Of versions below 1.0 the second number "
        "counts, and versions that are no numbers (dates, names) are not judged.",
        "raise the first number of `info.version`, or take back what breaks",
    ),
)  # fmt: skip
