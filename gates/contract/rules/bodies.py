"""Rules on request bodies and their media types."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule

BODIES = (
    Rule(
        "contract.required-body-added", Severity.HIGH,
        "an operation that had no body requires one now",
        "Clients send none and are refused.",
        "make the body optional",
    ),
    Rule(
        "contract.body-added", Severity.INFO,
        "an operation takes a body now, which may be left out",
        "Requests without it mean what they meant.",
        "nothing has to be done",
    ),
    Rule(
        "contract.body-removed", Severity.HIGH,
        "an operation takes no body any more",
        "What clients send in it is ignored or refused.",
        "keep the body, or offer what it does now under another path",
    ),
    Rule(
        "contract.body-became-required", Severity.HIGH,
        "a body that could be left out became required",
        "Clients that send none are refused.",
        "keep it optional",
    ),
    Rule(
        "contract.body-became-optional", Severity.INFO,
        "a required body became optional",
        "Clients that send it are served as before.",
        "nothing has to be done",
    ),
    Rule(
        "contract.request-media-type-removed", Severity.HIGH,
        "a media type is not accepted any more",
        "Clients that send it get 415.",
        "go on accepting it",
    ),
    Rule(
        "contract.request-media-type-added", Severity.INFO,
        "a further media type is accepted",
        "Nothing that exists changes.",
        "nothing has to be done",
    ),
    Rule(
        "contract.request-encoding-changed", Severity.MEDIUM,
        "the parts of a form are written in another way (`encoding`)",
        "What clients send may be read wrongly or be refused.",
        "keep the earlier encoding",
    ),
)  # fmt: skip
