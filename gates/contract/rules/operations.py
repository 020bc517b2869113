"""Rules on operations: which there are, where they are, and what they are called."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule

OPERATIONS = (
    Rule(
        "contract.operation-removed", Severity.HIGH,
        "an operation that the earlier document had is gone",
        "Every client that calls it gets an error from now on.",
        "bring it back; or mark it `deprecated` first, and remove it with the next major version",
    ),
    Rule(
        "contract.operation-added", Severity.INFO,
        "there is a new operation",
        "Nothing that exists changes.",
        "nothing has to be done",
    ),
    Rule(
        "contract.base-path-changed", Severity.HIGH,
        "an operation is under another path, because `servers` (or `basePath`) changed",
        "The address of a request is the path of the server and the path of the operation: clients ask in vain.",
        "keep answering under the earlier path; both may stand in `servers`",
    ),
    Rule(
        "contract.servers-changed", Severity.INFO,
        "`servers` names other hosts, and the paths under them are the same",
        "A client that took its address from the earlier document has to learn the new one.",
        "keep the earlier host while clients use it",
    ),
    Rule(
        "contract.operation-id-changed", Severity.INFO,
        "an operation has another `operationId`",
        "Requests are the same, but generated clients name their functions after it.",
        "keep the earlier operationId where generated clients are used",
    ),
    Rule(
        "contract.deprecated", Severity.INFO,
        "an operation, parameter or property is marked `deprecated`",
        "It still works; clients are told to leave it.",
        "nothing has to be done",
    ),
    Rule(
        "contract.no-longer-deprecated", Severity.INFO,
        "an operation, parameter or property is not marked `deprecated` any more",
        "It was announced to go and stays.",
        "nothing has to be done",
    ),
    Rule(
        "contract.deprecated-without-sunset", None,
        "an operation became deprecated, and no `x-sunset` says until when it works",
        "Clients cannot plan when to have left it. Off until it is given a severity.",
        "add `x-sunset` with a date to the operation",
    ),
    Rule(
        "contract.callback-removed", Severity.HIGH,
        "a callback or webhook of the earlier document is gone",
        "Clients that wait for the call wait for ever.",
        "bring it back, or announce its end and remove it with the next major version",
    ),
    Rule(
        "contract.callback-added", Severity.INFO,
        "there is a new callback or webhook",
        "Clients that do not ask for it are not called.",
        "nothing has to be done",
    ),
)  # fmt: skip
