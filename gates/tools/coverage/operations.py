"""Which operations of the API the project's own tests call, by what was recorded while they ran."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from gates.document import Document
from gates.errors import BackendFailed, GatesError
from gates.proxy import RecordingProxy, recording
from gates.results import Finding, Gap, Readings, Severity
from gates.rules import fingerprint
from gates.tools.base import Context, Serving
from gates.tools.coverage.suite import Suite
from gates.traffic.calls import Call
from gates.traffic.evidence import evidence_of, share_of_operations
from gates.traffic.observed import NETWORK, observe

OPERATIONS = "tests.operations"
"""The share of the document's operations that a test which passed saw answer with a documented success."""
_LATER = "set `operations = false` for this gate if its tests are not about the API"


@dataclass(frozen=True, slots=True)
class Behind:
    """The backend that the tests were pointed at, and the proxy they went through; None where there could be none."""

    serving: Serving
    proxy: RecordingProxy | None


@contextlib.contextmanager
def recording_before(serving: Serving) -> Iterator[RecordingProxy | None]:
    """Yield a recording proxy in front of a backend; None for one that speaks https, which it does not."""
    if urlsplit(serving.url).scheme != "http":
        yield None
        return
    with recording(serving.url) as proxy:
        yield proxy


def died(serving: Serving) -> tuple[Finding, ...]:
    """Return the finding that the backend did not outlive the tests; nothing when it lives."""
    try:
        serving.check()
    except BackendFailed as error:
        rule = "backend.died"
        told = f"{error.message} while the tests used it"
        return (Finding(rule, Severity.HIGH, told, fingerprint(rule, "tests"), fix=error.hint),)
    return ()


def with_operations(
    readings: Readings, suite: Suite, context: Context, ignore: Sequence[str], behind: Behind | None = None
) -> Readings:
    """Return readings with what the tests' calls say of the operations of the document.

    The document is the backend's, which is started for it where it is not up. Where that fails the tests are still
    judged: a note says what is not known, or a gap where `tests.operations` is demanded.
    """
    demanded = OPERATIONS in context.targets
    calls = _calls(suite, behind)
    readings = replace(readings, notes=(*readings.notes, *_told(suite, behind, calls)))
    for trouble in suite.sent.troubles if suite.sent else ():
        readings = _unknown(readings, f"not every call was recorded: {trouble}", "", demanded)
    if not calls and not demanded:
        return readings
    if suite.sent is None and behind is None:
        hint = "let the tests send their requests to {base_url}, which stands for a recording proxy"
        return _unknown(readings, "the calls of this command cannot be recorded", hint, demanded)
    if context.fast and not demanded and behind is None:
        return replace(readings, notes=(*readings.notes, "which operations the tests call is left out by --fast"))
    try:
        document = _document(context, behind)
    except GatesError as error:
        return _unknown(readings, error.message, error.hint, demanded)
    return _observed(readings, calls, document, ignore)


def _unknown(readings: Readings, reason: str, hint: str, demanded: bool) -> Readings:
    if demanded:
        return replace(readings, gaps=(*readings.gaps, Gap(OPERATIONS, reason, hint or _LATER)))
    first = reason.splitlines()[0]
    return replace(readings, notes=(*readings.notes, f"which operations the tests call is not known: {first}"))


def _document(context: Context, behind: Behind | None) -> Document:
    """Return the document of the backend. Raises GatesError when it does not start, or has none."""
    if behind is not None:
        return _read(behind.serving)
    context.progress(None, "starting the backend for its document")
    with context.serve() as serving:
        return _read(serving)


def _read(serving: Serving) -> Document:
    if serving.document is None:
        raise GatesError(serving.document_error or "the backend has no OpenAPI document", "name it: [backend] openapi")
    if not serving.document.operations:
        raise GatesError("the OpenAPI document has no operation")
    return serving.document


def _calls(suite: Suite, behind: Behind | None) -> list[Call]:
    outcomes = suite.outcomes
    all_passed = suite.exit_code == 0 and not (outcomes is not None and (outcomes.failing or outcomes.obstacles))
    own = suite.sent.calls(suite.passed, all_passed=all_passed) if suite.sent else []
    if behind is None or behind.proxy is None:
        return own
    # What went through the proxy is counted there; by which test, and whether that passed, only the recorder knows.
    address = f"{NETWORK}{urlsplit(behind.proxy.url).netloc}"
    through = [replace(call, application="", count=0) for call in own if call.application == address and call.passed]
    others = [call for call in own if call.application != address]
    return [*(replace(call, passed=all_passed) for call in behind.proxy.calls()), *through, *others]


def _told(suite: Suite, behind: Behind | None, calls: Sequence[Call]) -> Iterable[str]:
    if behind is not None and behind.proxy is None:
        yield "the requests of the tests were not recorded: the backend speaks https, and the proxy does not"
    elif behind is not None and behind.proxy is not None:
        for trouble, count in behind.proxy.troubles().items():
            yield f"a request of the tests was not answered by the backend: {trouble}" + (
                f" ({count} times)" if count > 1 else ""
            )
        if not behind.proxy.calls():
            yield "the tests sent no request to {base_url}"
    if suite.sent is None:
        return
    if suite.sent.left_out:
        yield f"{suite.sent.left_out} calls of the tests were not recorded: there were too many different ones"
    if suite.sent.unreadable:
        yield f"{suite.sent.unreadable} lines of the record of calls could not be read"
    if not calls:
        yield "the tests sent no request that could be recorded"


def _observed(readings: Readings, calls: Sequence[Call], document: Document, ignore: Sequence[str]) -> Readings:
    observation = observe(calls, document, "tests", ignore)
    evidence = evidence_of(observation, "tests")
    return replace(
        readings,
        measurements=(*readings.measurements, share_of_operations(OPERATIONS, observation, document)),
        findings=(*readings.findings, *evidence.findings),
        operations=evidence.operations,
        documents={**readings.documents, "openapi": document.as_json()},
        notes=(*readings.notes, *evidence.notes),
    )
