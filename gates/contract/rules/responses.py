"""Rules on responses: statuses, media types and headers."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule

RESPONSES = (
    Rule(
        "contract.success-status-removed", Severity.HIGH,
        "a success status is not answered any more",
        "Clients that wait for it take the new answer for a failure, or for another thing.",
        "go on answering with it",
    ),
    Rule(
        "contract.error-status-removed", Severity.INFO,
        "an error or redirect status is not documented any more",
        "Clients that handle it are prepared for something that does not come.",
        "document it when it is still answered",
    ),
    Rule(
        "contract.status-added", Severity.INFO,
        "a further status is documented",
        "Clients see a status that they were not told of, unless it was answered before.",
        "nothing has to be done",
    ),
    Rule(
        "contract.response-body-removed", Severity.HIGH,
        "an answer that had a body has none any more",
        "Clients read it in vain.",
        "go on sending it",
    ),
    Rule(
        "contract.response-body-added", Severity.INFO,
        "an answer has a body now",
        "Clients that expect none leave it unread.",
        "nothing has to be done",
    ),
    Rule(
        "contract.response-media-type-removed", Severity.HIGH,
        "an answer is not given in a media type any more",
        "Clients that ask for it get 406, or something that they cannot read.",
        "go on offering it",
    ),
    Rule(
        "contract.response-media-type-added", Severity.INFO,
        "an answer is given in a further media type",
        "Clients that ask for the earlier one get it.",
        "nothing has to be done",
    ),
    Rule(
        "contract.response-header-removed", Severity.HIGH,
        "a header that was always sent is gone",
        "Clients rely on it.",
        "go on sending it",
    ),
    Rule(
        "contract.optional-header-removed", Severity.MEDIUM,
        "a header that was sent at times is gone",
        "Clients that use it do without it from now on.",
        "go on sending it",
    ),
    Rule(
        "contract.response-header-became-optional", Severity.HIGH,
        "a header that was always sent may be missing",
        "Clients rely on it.",
        "go on sending it always",
    ),
    Rule(
        "contract.response-header-added", Severity.INFO,
        "an answer has a further header",
        "Clients that do not know it leave it unread.",
        "nothing has to be done",
    ),
)  # fmt: skip
