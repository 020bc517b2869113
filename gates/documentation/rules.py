"""The rules about documentation, and how a finding of one of them is made."""

from __future__ import annotations

from collections.abc import Mapping

from gates.results import Finding, Severity
from gates.rules import Rule, by_id, fingerprint

RULES: Mapping[str, Rule] = by_id([
    Rule(
        "doc.invalid", Severity.HIGH, "The document breaks the official schema of its OpenAPI version.",
        "Generators, validators and gateways refuse it or guess, each something else.",
        "Mend what the pointer names; a framework that writes the document has an option or a newer version for it.",
    ),
    Rule(
        "doc.unresolved-reference", Severity.HIGH, "A `$ref` points to nothing, to itself, or out of the document.",
        "What it stands for is undocumented, and most programs refuse the whole document.",
        "Add the component, correct its name, or bundle the document into one file.",
    ),
    Rule(
        "doc.info", Severity.MEDIUM, "The title or the version of the API is empty.",
        "Nobody can say which API, or which state of it, they speak of.", "Fill in `info.title` and `info.version`.",
    ),
    Rule(
        "doc.operation-description", Severity.MEDIUM, "An operation has neither a summary nor a description.",
        "Its path alone does not say what it does, and to whom.", "Give it a `summary`: one line is enough.",
    ),
    Rule(
        "doc.success-response", Severity.MEDIUM, "No success of an operation is documented.",
        "Whoever calls it cannot know what to expect, and no tool can tell success from failure.",
        "Document the status it answers with when all goes well.",
    ),
    Rule(
        "doc.response-description", Severity.LOW, "The description of a response is empty.",
        "The status alone does not say when it is answered.", "Say in a sentence when it is answered.",
    ),
    Rule(
        "doc.response-schema", Severity.MEDIUM, "A success answers with JSON, and no schema says what is in it.",
        "Clients have to try, and a change of the answer can break them unseen.",
        "Give the response a schema; in FastAPI the return type or `response_model` does.",
    ),
    Rule(
        "doc.parameter-description", Severity.LOW, "Parameters of an operation have no description.",
        "A name and a type do not say what a value does.", "Describe each parameter in a few words.",
    ),
    Rule(
        "doc.property-description", None, "Properties of a schema have no description.",
        "A name and a type do not say what a field means, its unit included.", "Describe each property in a few words.",
    ),
    Rule(
        "doc.described-share", Severity.MEDIUM, "Less is described than the gate's `documentation.described` asks for.",
        "The rest can only be guessed.", "Describe what the rules doc.*-description name.",
    ),
    Rule(
        "doc.example-invalid", Severity.MEDIUM, "An example does not validate against its own schema.",
        "It is what people copy first: it does not work, or the schema is wrong.", "Correct the example or the schema.",
    ),
    Rule(
        "doc.example-missing", Severity.LOW, "The JSON that an operation takes or answers with has no example.",
        "An example is what most people read of a document.",
        "Add an `example` beside the schema, in it, or to its properties.",
    ),
    Rule(
        "doc.unusable-schema", Severity.LOW, "A schema or a pattern cannot be used to check an example.",
        "What no validator can read does not say anything.", "Correct the pattern or the reference that is named.",
    ),
    Rule(
        "doc.deprecated", Severity.LOW, "A deprecated operation does not say what to use in its place.",
        "Its callers know that they have to move, and not where to.",
        "Name the operation that replaces it, or when it goes away, in its description.",
    ),
    Rule(
        "doc.tag", Severity.INFO, "An operation has no tag, where others have one.",
        "It is not found under any heading of the documentation.", "Give it the tag of its resource.",
    ),
    Rule(
        "doc.not-committed", Severity.MEDIUM, "The document that the backend serves is not kept in the project.",
        "Without the file a change of the API does not show in a review.",
        'Save the served document as openapi.json and commit it; `committed = "…"` names another file, '
        "`committed = false` does without.",
    ),
    Rule(
        "doc.served-differs", Severity.MEDIUM, "The served document is not the committed one.",
        "People read one and call the other.", "Save the served document once more, and commit it with the change.",
    ),
    Rule(
        "doc.version-not-moved", Severity.MEDIUM,
        "The contract changed since the earlier phase, and `info.version` did not move.",
        "Two different contracts have the same name, and nobody can say which of them a client was written for.",
        "Raise `info.version`: the major for a break, the minor for an addition.",
    ),
    Rule(
        "doc.not-mentioned", Severity.MEDIUM, "A changed operation is not mentioned where `mentioned_in` says.",
        "Whoever uses it learns of the change by its effect.",
        "Write `METHOD /path`, and what changed, into one of the files that `mentioned_in` names.",
    ),
])  # fmt: skip
"""Every rule by its name."""


def finding(
    rule: str, message: str, pointer: str, operation: str | None = None, *, identity: tuple[str, ...] = ()
) -> Finding:
    """Return a finding of a rule with the severity that it has by itself; info where it is off by itself.

    `identity` is what tells it from the rule's other findings: the operation, where nothing else is given.
    """
    known = RULES[rule]
    mark = fingerprint(rule, *(identity or (operation or pointer,)))
    return Finding(
        rule, known.severity or Severity.INFO, message, mark, operation=operation, fix=known.fix, pointer=pointer
    )
