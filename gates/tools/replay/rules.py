"""The rules of recorded requests and of the earlier document, as `gates explain` shows them."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule, by_id

GONE, STATUS, SHAPE, TYPE = "replay.gone", "replay.status-class", "replay.shape", "replay.content-type"
EXACT = "replay.status"
_NEW_VERSION = "Keep the promise, or put the break behind a new major version and let the old one answer."

RULES = by_id(
    (
        Rule(
            GONE, Severity.HIGH,
            "A request that an earlier phase answered with success is answered 404, 405 or 501.",
            "Whoever was told to rely on that operation gets nothing from it any more.",
            _NEW_VERSION,
        ),
        Rule(
            STATUS, Severity.HIGH,
            "A request that an earlier phase recorded is answered with a status of another class: refused where it "
            "succeeded, a server error, or accepted where it was refused.",
            "Callers decide by the class of the status; the request is the very same, on a backend as empty as then.",
            _NEW_VERSION,
        ),
        Rule(
            EXACT, Severity.LOW,
            "A recorded request is answered with another status of the same class, say 201 for 200.",
            "The class is what is promised; some callers look at the number all the same.",
            "Answer as before, unless the difference is meant.",
        ),
        Rule(
            SHAPE, Severity.HIGH,
            "An answer lacks a property that it had, or one is of another type, may be null or missing now.",
            "What a later phase or a client reads is not there. A property more is never reported.",
            _NEW_VERSION,
        ),
        Rule(
            TYPE, Severity.MEDIUM,
            "An answer is of another media type than the earlier phase recorded.",
            "A caller that parses one does not parse the other.",
            _NEW_VERSION,
        ),
    )
)  # fmt: skip
