"""One run against one backend that is up, together with what only that backend could tell: is it dead, is the login?

A failure is sent again at once; what does not show again then is doubtful, and a second run on a fresh backend decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from gates.errors import GatesError, NotMeasured
from gates.results import Gap
from gates.tools.base import Context, Serving
from gates.tools.schemathesis import evidence, findings
from gates.tools.schemathesis.confirm import confirmed
from gates.tools.schemathesis.events import Failure
from gates.tools.schemathesis.findings import Scrub
from gates.tools.schemathesis.trial import Plan, Trial, carry_out

CONFIRM_SECONDS = 15.0
Key = tuple[str, str]
"""Operation and code of a failure."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One run, with what only the backend it ran against could tell."""

    trial: Trial
    died: bool
    last_lines: str
    login_lost: bool
    confirmed: frozenset[Key]

    @property
    def deadly(self) -> tuple[str, tuple[str, ...]]:
        """The operation that most likely ended the backend, and the last that were called; empty when it lives."""
        return evidence.deadly(self.trial.observed.calls) if self.died else ("", ())

    @property
    def death(self) -> tuple[Failure, ...]:
        """The request that a backend did not outlive, as a failure of its own; nothing when it lives."""
        last = self.trial.observed.last_request
        if not self.died or last is None:
            return ()
        return (Failure(self.deadly[0], "backend.died", "backend.died", "", "", None, last[1], valid=True),)


def attempt(plan: Plan, serving: Serving, context: Context, name: str, scrub: Scrub, known: Collection[str]) -> Tried:
    """Run a plan against a backend; failures with a fingerprint in `known` need not be sent again.

    Raises NotMeasured when the login is refused from the start, or nothing was sent.
    """
    login = serving.login_works()
    if login is False:
        raise NotMeasured(
            "the login is refused before the first request", "check [backend.auth]: what would be seen is 401s"
        )
    done = carry_out(plan, serving, context.directory / name, scrub, context.progress)
    died = not serving.alive() or done.observed.stop_reason == "server_unavailable"
    if not died and not done.requests:
        raise NotMeasured(
            f"no request was sent to any of the {plan.operations} operations",
            "; ".join(f"{gap.what}: {gap.reason}" for gap in evidence.problem_gaps(done.observed, scrub)[:3])
            or done.stopped,
        )
    same: set[Key] = set()
    lost = False
    if not died:
        lost = login is True and serving.login_works() is False
        new = [
            one for one in done.observed.failures.values() if findings.identity(one.operation, one.code) not in known
        ]
        context.progress(0.99, "trying failures again")
        same = confirmed(new, serving.url, serving.headers, each=plan.request_timeout, together=CONFIRM_SECONDS)
    return Tried(done, died, serving.last_lines() if died else "", lost, frozenset(same))


def doubtful(tried: Tried, known: Collection[str]) -> Mapping[Key, Failure]:
    """Return the new failures that did not show again; after a death nothing could be tried again, and nothing is."""
    if tried.died:
        return {}
    return {
        key: failure
        for key, failure in tried.trial.observed.failures.items()
        if key not in tried.confirmed and findings.identity(failure.operation, failure.code) not in known
    }


def told_apart(
    tried: Tried, plan: Plan, context: Context, known: Collection[str]
) -> tuple[set[Key], tuple[Gap, ...], tuple[str, ...]]:
    """Return which failures are flaky, by a second run on a fresh backend where there is any doubt, a gap and notes."""
    doubts = doubtful(tried, known)
    if not doubts or context.fast or tried.login_lost:
        return set(), (), ()
    count = f"{len(doubts)} failures" if len(doubts) > 1 else "one failure"
    notes = (f"{count} did not show again at once, so all was tried a second time on a fresh backend",)
    try:
        with context.serve() as serving:
            # Another start may have another login.
            again = replace(plan, header_names=tuple(serving.headers))
            second = attempt(again, serving, context, "again", findings.scrubber(serving.headers), known)
    except GatesError as error:
        return set(), (Gap("flaky failures were not told apart", error.message, error.hint),), notes
    return _flaky(doubts, second), (), notes


def _flaky(doubts: Mapping[Key, Failure], second: Tried) -> set[Key]:
    """Return the doubtful failures that a whole second run, which did call their operations, has not seen."""
    if second.died or second.trial.stopped:
        return set()
    observed = second.trial.observed
    cut = {one.operation for one in second.trial.log.cuts if one.why != "cases"}
    return {
        key
        for key in doubts
        if key not in observed.failures and key[0] in observed.tested and key[0] not in cut and "" not in cut
    }
