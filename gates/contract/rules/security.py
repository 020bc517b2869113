"""Rules on who may ask: security requirements and schemes."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule

SECURITY = (
    Rule(
        "contract.security-added", Severity.HIGH,
        "an operation that could be asked without credentials demands some",
        "Clients that send none get 401.",
        "announce it, and demand them with the next major version",
    ),
    Rule(
        "contract.security-alternative-removed", Severity.HIGH,
        "a way to be let in is not accepted any more",
        "Clients that use it get 401.",
        "go on accepting it, beside the new one",
    ),
    Rule(
        "contract.security-scope-added", Severity.HIGH,
        "more scopes are demanded than before",
        "The tokens that clients have do not hold them: they get 403.",
        "accept the earlier scopes as an alternative",
    ),
    Rule(
        "contract.security-scheme-changed", Severity.HIGH,
        "credentials are sent in another way, or are to be had elsewhere, under the same name of a scheme",
        "What clients send is not looked at any more.",
        "add the new scheme under a name of its own, as an alternative",
    ),
    Rule(
        "contract.security-removed", Severity.MEDIUM,
        "an operation that demanded credentials can be asked without any",
        "No client breaks; but what was protected is open to everybody.",
        "make sure that this is meant; if it is, waive it",
    ),
    Rule(
        "contract.security-alternative-added", Severity.INFO,
        "there is a further, or an easier way to be let in",
        "What clients send is accepted as before.",
        "nothing has to be done",
    ),
)  # fmt: skip
