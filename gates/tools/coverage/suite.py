"""What one run of a test command brought back, whichever way it was run, and the readings made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gates.errors import GatesError
from gates.git import changed_lines
from gates.results import Finding, Gap, Measurement, Readings
from gates.tools.base import Context
from gates.tools.coverage.calls import CallRecord
from gates.tools.coverage.cases import Outcomes, finding, first_lines, measure_cases, obstacle_findings, subjects
from gates.tools.coverage.lines import FileLines, measure_changed, measure_lines

_NO_TESTS = (0, 5)
"""Exit codes of a runner that found nothing to run: 5 is that of pytest, and of unittest since Python 3.12."""


@dataclass
class Suite:
    """The tests and the lines they reached; None where they are not known, and `gaps` say why."""

    exit_code: int
    last_lines: str
    outcomes: Outcomes | None = None
    files: tuple[FileLines, ...] | None = None
    sent: CallRecord | None = None
    """The requests that the tests sent; None where nobody could listen."""
    passed: frozenset[str] = frozenset()
    """The tests that passed, by the names under which `sent` has them, where it does not know that itself."""
    ended_early: str = ""
    """Why the tests were stopped, when they told that they were."""
    tells_its_end: bool = True
    """Whether a run that crashed half way can be told from a whole one by more than its exit code."""
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    configurations: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def unexplained(self) -> bool:
        """Whether the command failed, and nothing that is known of its tests says why."""
        if self.outcomes is None:
            return self.exit_code != 0
        told = self.outcomes.obstacles or any(case.failing or case.outcome == "flaky" for case in self.outcomes.cases)
        return self.exit_code != 0 and not told

    @property
    def incomplete(self) -> str:
        """Why the lines it reached are not those of the whole suite; empty when they are."""
        if self.outcomes is None:
            unknown = f"the command ended with exit code {self.exit_code}, and left no list of its tests"
            return unknown if self.exit_code != 0 else ""
        if self.ended_early:
            return self.ended_early
        if self.unexplained and not self.tells_its_end:
            return f"the command ended with exit code {self.exit_code} although no test failed"
        if not self.outcomes.collected:
            return "not every module could be loaded"
        return "no test ran" if self.outcomes.empty else ""


def readings(suite: Suite, context: Context) -> Readings:
    """Return the readings of a suite. Lines that an incomplete suite reached are no measurement of coverage."""
    outcomes = suite.outcomes
    measurements: list[Measurement] = []
    if outcomes is not None:
        measurements.extend(measure_cases(outcomes.cases))
    if suite.incomplete:
        if not any(gap.what == "coverage" for gap in suite.gaps):
            told = f"the suite did not run as a whole: {suite.incomplete}"
            suite.gaps.append(Gap("coverage", told, "see the findings of this gate"))
    elif suite.files is not None:
        measurements.extend(_measure_coverage(suite, context))
    return Readings(
        measurements=tuple(measurements),
        findings=_findings(suite),
        subjects=subjects(outcomes.cases) if outcomes is not None else (),
        gaps=tuple(suite.gaps),
        configurations=suite.configurations,
        versions=suite.versions,
        notes=tuple(suite.notes),
    )


def _findings(suite: Suite) -> tuple[Finding, ...]:
    found = list(obstacle_findings(suite.outcomes.obstacles)) if suite.outcomes else []
    if suite.ended_early and not found:
        found.append(
            finding(
                "tests.interrupted",
                f"the tests were stopped before their end: {suite.ended_early}",
                fix="let the suite run to its end",
            )
        )
    elif suite.outcomes is not None and suite.outcomes.empty and not found and suite.exit_code in _NO_TESTS:
        found.append(
            finding(
                "tests.none",
                "the test command ran no test at all",
                fix="check the paths and selections of `command`: zero tests are not zero failures",
            )
        )
    elif suite.unexplained:
        told = f"; its last lines:\n{first_lines(suite.last_lines)}" if suite.last_lines else ""
        because = "and which tests failed is not known"
        if suite.outcomes is not None:
            because = "and ran no test" if suite.outcomes.empty else "although no test failed"
        found.append(
            finding(
                "tests.exit",
                f"the test command ended with exit code {suite.exit_code}, {because}{told}",
                fix="run the command by hand and see why it does not end with 0",
            )
        )
    return tuple(found)


def _measure_coverage(suite: Suite, context: Context) -> Sequence[Measurement]:
    files = suite.files or ()
    if not sum(len(file.executed) for file in files):
        suite.gaps.append(
            Gap(
                "coverage",
                f"the tests reached no line under {_named(context.source)}",
                "do they import another copy of it, an installed one, or reach it only over the network?",
            )
        )
        return ()
    if excluded := sum(file.excluded for file in files):
        suite.notes.append(f"{excluded} lines are left out of coverage by comments or patterns of the project")
    return (*measure_lines(files), *_changed(suite, context, files))


def _changed(suite: Suite, context: Context, files: Sequence[FileLines]) -> tuple[Measurement, ...]:
    if context.base_commit is None:
        suite.notes.append("coverage.changed_lines: there is no earlier phase that lines could have changed since")
        return ()
    try:
        changed = changed_lines(context.root, context.base_commit)
    except GatesError as error:
        suite.gaps.append(Gap("coverage.changed_lines", error.message, error.hint))
        return ()
    measured = measure_changed(files, changed)
    if not measured.total:
        suite.notes.append(
            f"coverage.changed_lines: no executable line changed under {_named(context.source)} "
            f"since {context.base_commit[:12]}"
        )
    return (measured,)


def _named(source: Sequence[str]) -> str:
    return ", ".join(source)
