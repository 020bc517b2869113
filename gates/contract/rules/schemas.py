"""Rules on schemas; what breaks in a request is the opposite of what breaks in a response."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule

SCHEMAS = (
    Rule(
        "contract.type-changed", Severity.HIGH,
        "a value has another type",
        "What clients send is refused, and what they receive they cannot read.",
        "keep the type; a property of another name may have the new one",
    ),
    Rule(
        "contract.request-type-narrowed", Severity.HIGH,
        "fewer types are accepted in requests",
        "Clients that send one of the others are refused.",
        "go on accepting what was accepted",
    ),
    Rule(
        "contract.response-type-widened", Severity.HIGH,
        "a value in responses may have further types",
        "Clients that read the earlier type cannot read the others.",
        "keep the type; a property of another name may have the new one",
    ),
    Rule(
        "contract.request-null-refused", Severity.HIGH,
        "null is not accepted in requests any more",
        "Clients that send it are refused.",
        "go on accepting null",
    ),
    Rule(
        "contract.response-became-nullable", Severity.HIGH,
        "a value in responses may be null now",
        "Clients use it without a look whether it is there.",
        "go on sending a value always",
    ),
    Rule(
        "contract.request-enum-value-removed", Severity.HIGH,
        "a value of an enumeration is not accepted in requests any more",
        "Clients that send it are refused.",
        "go on accepting it",
    ),
    Rule(
        "contract.response-enum-value-added", Severity.MEDIUM,
        "an enumeration in responses has a further value",
        "Clients that list all values (a switch, a database column, a generated enum) do not know this one.",
        "send it only to clients that asked for it, or waive it when clients are told to expect new values",
    ),
    Rule(
        "contract.request-enum-added", Severity.HIGH,
        "requests may have only enumerated values, where any was accepted",
        "Clients that send others are refused.",
        "go on accepting what was accepted",
    ),
    Rule(
        "contract.response-enum-removed", Severity.MEDIUM,
        "a value in responses is not one of an enumeration any more",
        "Clients that list all values do not know what comes now.",
        "keep the enumeration where only its values are sent",
    ),
    Rule(
        "contract.request-constraint-tightened", Severity.HIGH,
        "a bound on values in requests became tighter, or there is a new one",
        "Clients that send values beyond it are refused.",
        "go on accepting what was accepted",
    ),
    Rule(
        "contract.response-constraint-loosened", Severity.MEDIUM,
        "a bound on values in responses became wider, or is gone",
        "Clients that made room for the earlier ones (columns, fields, buffers) may have too little.",
        "keep the bound where it still holds",
    ),
    Rule(
        "contract.request-pattern-changed", Severity.HIGH,
        "values in requests have to match a new or another pattern",
        "Clients that send values which do not match are refused.",
        "go on accepting what was accepted",
    ),
    Rule(
        "contract.response-pattern-changed", Severity.MEDIUM,
        "values in responses match another pattern, or none",
        "Clients that take values apart by the earlier pattern may not be able to.",
        "keep the pattern where it still holds",
    ),
    Rule(
        "contract.format-changed", Severity.HIGH,
        "a value has another format",
        "What clients send is refused, and what they receive they cannot read.",
        "keep the format; a property of another name may have the new one",
    ),
    Rule(
        "contract.request-format-added", Severity.HIGH,
        "values in requests have to be of a format",
        "Clients that send values of another form are refused.",
        "go on accepting what was accepted",
    ),
    Rule(
        "contract.response-format-removed", Severity.MEDIUM,
        "values in responses have no format any more, or one that holds more values",
        "Clients that read them by the format may not be able to.",
        "keep the format where it still holds",
    ),
    Rule(
        "contract.required-property-added", Severity.HIGH,
        "there is a new property without which a request is refused",
        "No client that exists sends it. A default does not help: a request without it breaks the document.",
        "make it optional, with what was done so far as its default",
    ),
    Rule(
        "contract.property-became-required", Severity.HIGH,
        "an optional property became required in requests",
        "Clients that leave it out are refused.",
        "keep it optional, with what was done so far as its default",
    ),
    Rule(
        "contract.request-property-added", Severity.INFO,
        "requests may have a further property",
        "Requests without it mean what they meant.",
        "nothing has to be done",
    ),
    Rule(
        "contract.request-property-removed", Severity.MEDIUM,
        "a property of requests is not documented any more",
        "Requests that have it are still valid, but what clients say in it may have no effect.",
        "keep it, or mark it `deprecated` first and remove it with the next major version",
    ),
    Rule(
        "contract.request-property-refused", Severity.HIGH,
        "a property of requests is gone where others are refused (`additionalProperties: false`)",
        "Clients that send it are refused.",
        "go on accepting it",
    ),
    Rule(
        "contract.property-became-read-only", Severity.MEDIUM,
        "a property of requests is `readOnly` now",
        "What clients say in it has no effect, or is refused.",
        "go on accepting it",
    ),
    Rule(
        "contract.response-property-removed", Severity.HIGH,
        "a property that was always in responses is gone",
        "Clients read it.",
        "go on sending it",
    ),
    Rule(
        "contract.optional-property-removed", Severity.MEDIUM,
        "a property that was at times in responses is gone",
        "Clients that use it when it is there do without it from now on.",
        "go on sending it, or mark it `deprecated` first and remove it with the next major version",
    ),
    Rule(
        "contract.response-property-became-optional", Severity.HIGH,
        "a property that was always in responses may be missing",
        "Clients read it without a look whether it is there.",
        "go on sending it always",
    ),
    Rule(
        "contract.response-property-added", Severity.INFO,
        "responses have a further property",
        "Clients that do not know it leave it unread.",
        "nothing has to be done",
    ),
    Rule(
        "contract.closed-response-property-added", Severity.MEDIUM,
        "responses have a further property, although the earlier document said that there is no other",
        "Clients that were generated from `additionalProperties: false` refuse what they do not know.",
        "waive it when clients are told to expect new properties",
    ),
    Rule(
        "contract.request-additional-properties-refused", Severity.HIGH,
        "requests may have no other properties than those documented, where any was accepted",
        "Clients that send others are refused.",
        "go on ignoring them",
    ),
    Rule(
        "contract.response-additional-properties-allowed", Severity.MEDIUM,
        "responses may have other properties than those documented, where there were none",
        "Clients that were generated from `additionalProperties: false` refuse what they do not know.",
        "keep it closed where no others are sent",
    ),
    Rule(
        "contract.request-variant-removed", Severity.HIGH,
        "a variant of `oneOf` or `anyOf` is not accepted in requests any more",
        "Clients that send it are refused.",
        "go on accepting it",
    ),
    Rule(
        "contract.response-variant-added", Severity.MEDIUM,
        "responses may be of a further variant of `oneOf` or `anyOf`",
        "Clients that tell the variants apart do not know this one.",
        "send it only to clients that asked for it, or waive it when clients are told to expect new variants",
    ),
    Rule(
        "contract.discriminator-changed", Severity.HIGH,
        "the variants are told apart by another property",
        "Clients look at the earlier one, and send it.",
        "keep the earlier property",
    ),
    Rule(
        "contract.condition-changed", Severity.MEDIUM,
        "a condition changed that cannot be called tighter or looser: `not`, `if`, `contains`, `dependentSchemas`, …",
        "Whether values that were valid still are depends on the values.",
        "look at both documents; waive it when what is sent is valid by both",
    ),
    Rule(
        "contract.request-widened", Severity.INFO,
        "requests may be what they could not be before: further types, values, longer texts, …",
        "What clients send is accepted as before.",
        "nothing has to be done",
    ),
    Rule(
        "contract.response-narrowed", Severity.INFO,
        "responses promise more than before: fewer types or values, tighter bounds, …",
        "What clients are prepared for is more than what comes.",
        "nothing has to be done",
    ),
)  # fmt: skip
