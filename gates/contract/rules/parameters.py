"""Rules on parameters: path, query, header and cookie."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule

PARAMETERS = (
    Rule(
        "contract.required-parameter-added", Severity.HIGH,
        "there is a new parameter without which a request is refused",
        "No client that exists sends it.",
        "make it optional, with what was done so far as its default",
    ),
    Rule(
        "contract.parameter-added", Severity.INFO,
        "there is a new optional parameter",
        "Requests without it mean what they meant.",
        "nothing has to be done",
    ),
    Rule(
        "contract.parameter-removed", Severity.MEDIUM,
        "a parameter is gone",
        "Clients still send it: it is ignored, so that they get another answer than they asked for, or it is refused.",
        "keep it, or mark it `deprecated` first and remove it with the next major version",
    ),
    Rule(
        "contract.parameter-became-required", Severity.HIGH,
        "an optional parameter became required",
        "Clients that leave it out are refused.",
        "keep it optional, with what was done so far as its default",
    ),
    Rule(
        "contract.parameter-became-optional", Severity.INFO,
        "a required parameter became optional",
        "Clients that send it are served as before.",
        "nothing has to be done",
    ),
    Rule(
        "contract.parameter-serialization-changed", Severity.HIGH,
        "a parameter is written in another way: `style`, `explode`, `allowReserved`, or its media type",
        "The same value looks different in the URL or header, and what clients send is read wrongly.",
        "keep the earlier form; a parameter of another name may have the new one",
    ),
    Rule(
        "contract.default-changed", Severity.MEDIUM,
        "the default of a parameter or request property is another one, or is gone",
        "Clients that leave it out get something else than before, without any error.",
        "keep the default; those who want the new value can send it",
    ),
    Rule(
        "contract.default-added", Severity.INFO,
        "a parameter or request property has a default now",
        "It is told what happens when it is left out; check that it is what happened before.",
        "nothing has to be done when it is what happened before",
    ),
)  # fmt: skip
