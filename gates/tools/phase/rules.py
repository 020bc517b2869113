"""The rules of phase documents."""

from __future__ import annotations

from gates.results import Severity
from gates.rules import Rule, by_id

RULES = by_id(
    (
        Rule(
            "phase.unresolved",
            Severity.MEDIUM,
            "A phase document lists an operation, a table, a column, an event or a variable that is not there.",
            "The next phase is built on what this document says. What is provided has to be in the project as it is; "
            "what is consumed from an earlier phase has to have been there when that phase was signed off, and to be "
            "there still.",
            "Correct the name (the message has the nearest one), or make it. Names of path parameters may differ.",
        ),
        Rule(
            "phase.prose-unresolved",
            Severity.LOW,
            "The text of a phase document names, in code, an operation, a column or a file that is not there.",
            "Whoever reads on takes it for true. It is only low, because text may speak of what is to come.",
            "Correct it, or take it out of the code span when it speaks of something that does not exist yet.",
        ),
        Rule(
            "phase.unlisted",
            Severity.LOW,
            "Something is new in this phase and its document does not say that it is provided.",
            "The next phase does not know of it, and nobody notices when it goes. Operations and tables are low: they "
            "do not fail a first phase, and do fail later ones as every new finding does. Events and environment "
            "variables are found by reading the source, which may err, so they are only told (info). There is one "
            "finding for each kind, so that a phase with fifty new operations has one thing to do.",
            "Add the lines of the message to the document; `gates phases --draft PHASE` prints the whole of it.",
        ),
        Rule(
            "phase.promise-broken",
            Severity.HIGH,
            "Something that an earlier phase provides by its document is gone.",
            "Later phases, and others outside of this project, were told that they may rely on it.",
            "Bring it back; where it has to go, waive the finding with the reason and a date, so that it is seen.",
        ),
        Rule(
            "phase.contradiction",
            Severity.MEDIUM,
            "Two places say different things: one thing is provided and consumed, or comes from two phases.",
            "The file phases/PHASE.md and the phase's table of gates.toml are read together; nobody can rely on both.",
            "Decide for one of them. It is enough to write such things down in one of the two places.",
        ),
        Rule(
            "phase.unreadable",
            Severity.MEDIUM,
            "A section of a phase document is there, and nothing in it could be read.",
            "What nobody can look up nobody can rely on, and a document that says nothing would otherwise be fine.",
            "Name each thing in a list, in code: `GET /orders/{id}`, table `orders`, event `order.placed`, environment "
            "`ORDERS_DB`. Where there is nothing, write `none`.",
        ),
    )
)
"""By their ids."""
