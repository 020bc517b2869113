"""Which operations of the API a command asked, by what the proxy before the backend noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gates.proxy import RecordingProxy
from gates.results import Readings
from gates.tools.base import Serving
from gates.traffic.evidence import evidence_of
from gates.traffic.observed import observe


def with_operations(readings: Readings, proxy: RecordingProxy, serving: Serving, ignore: Sequence[str]) -> Readings:
    """Return readings with the operations that were asked; a command that failed has tested none of them."""
    passed = not readings.findings
    notes = [
        f"a request was not answered by the backend: {trouble}" + (f" ({count} times)" if count > 1 else "")
        for trouble, count in proxy.troubles().items()
    ]
    calls = [replace(call, passed=passed) for call in proxy.calls()]
    if not calls:
        return replace(readings, notes=(*readings.notes, *notes))
    if serving.document is None:
        why = serving.document_error.splitlines()[0] if serving.document_error else "there is no document"
        return replace(readings, notes=(*readings.notes, *notes, f"which operations it asked is not known: {why}"))
    evidence = evidence_of(observe(calls, serving.document, "tests", ignore), "tests")
    return replace(
        readings,
        findings=(*readings.findings, *evidence.findings),
        operations=evidence.operations,
        documents={"openapi": serving.document.as_json()},
        notes=(*readings.notes, *notes, *evidence.notes),
    )
