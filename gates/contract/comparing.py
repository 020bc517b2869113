"""Two API descriptions compared, as the users of the API would: what breaks, what may break, what is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gates.contract.changes import Change, Comparison
from gates.contract.operations import compare_operations
from gates.contract.originals import original_pointer
from gates.contract.reading import Side
from gates.contract.schemas import compare_pending
from gates.contract.versions import compare_versions
from gates.contract.work import Work
from gates.document import Document, DocumentError
from gates.results import Severity


def compare_documents(
    old: Document, new: Document, severities: Mapping[str, Severity | None] | None = None
) -> Comparison:
    """Return what changed between two API descriptions, OpenAPI 3.x or Swagger 2.0.

    `severities` are by rule and instead of the rules' own, None for off. A part that is used by many operations is
    compared once, and a change of it is one change. Nothing outside of the documents is read: what could not be
    compared is in `unread`. Raises DocumentError for documents that are nested too deeply.
    """
    try:
        return _compare(old, new, severities or {})
    except RecursionError as error:
        raise DocumentError(
            "the documents are nested deeper than can be compared", "name the inner parts and refer to them"
        ) from error


def _compare(old: Document, new: Document, severities: Mapping[str, Severity | None]) -> Comparison:
    work = Work(_as_openapi3(old), _as_openapi3(new), severities)
    compare_operations(work)
    compare_pending(work)
    if work.recorder.breaks():
        compare_versions(work)
    changes = tuple(_in_originals(change, old, new) for change in work.recorder.changes())
    unread = (*_unread(work.earlier, old), *_unread(work.new, new))
    return Comparison(changes, unread)


def _unread(side: Side, document: Document) -> Iterator[str]:
    for pointer, reason in side.unread:
        at = original_pointer(pointer, document.content) if document.version.startswith("2.") else pointer
        yield f"{side.name} document, {at or 'as a whole'}: {reason}"


def _as_openapi3(document: Document) -> Document:
    if not document.version.startswith("2."):
        return document
    from gates.contract.swagger import as_openapi3

    return as_openapi3(document)


def _in_originals(change: Change, old: Document, new: Document) -> Change:
    """Return a change with pointers into the documents that were given, where they were converted."""
    if old.version.startswith("2."):
        change = replace(change, earlier_pointer=original_pointer(change.earlier_pointer, old.content))
    if new.version.startswith("2."):
        change = replace(change, pointer=original_pointer(change.pointer, new.content))
    return change
