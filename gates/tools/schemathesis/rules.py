"""The rules of the earlier document held against this server, as `gates explain` shows them."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule, by_id

GONE = "earlier.operation-gone"
_WHY = (
    "Callers were told what the document of the earlier phase says. Here nobody may have written the difference down: "
    "it was seen on the server."
)
_FIX = "Keep what was promised, or put the break behind a new major version and let the old one answer."


def _of_check(check: str, severity: Severity, summary: str) -> Rule:
    return Rule(f"earlier.{check}", severity, summary, _WHY, _FIX)


RULES = by_id(
    (
        Rule(
            GONE, Severity.HIGH,
            "Every valid request to an operation of the earlier document is answered 404, 405 or 501. Where that "
            "document had announced its end (`deprecated`, and an `x-sunset` date that has come), it is a remark.",
            _WHY,
            "Bring it back; what is to go is first marked `deprecated` with an `x-sunset` date, and signed off so.",
        ),
        _of_check("not_a_server_error", Severity.HIGH, "A valid request of the earlier document is answered 5xx."),
        _of_check(
            "connection-dropped", Severity.HIGH,
            "A valid request of the earlier document has its connection closed without an answer.",
        ),
        _of_check("timeout", Severity.MEDIUM, "A valid request of the earlier document is not answered in time."),
        _of_check(
            "status_code_conformance", Severity.MEDIUM,
            "An answer has a status that the earlier document does not name for the operation.",
        ),
        _of_check(
            "content_type_conformance", Severity.MEDIUM,
            "An answer is of a media type that the earlier document does not name.",
        ),
        _of_check(
            "response_headers_conformance", Severity.MEDIUM,
            "An answer lacks a header that the earlier document promises, or it is of another form.",
        ),
        _of_check(
            "response_schema_conformance", Severity.MEDIUM,
            "An answer is not of the schema that the earlier document gives it.",
        ),
        _of_check(
            "positive_data_acceptance", Severity.MEDIUM,
            "A request that the earlier document calls valid is refused.",
        ),
    )
)  # fmt: skip
