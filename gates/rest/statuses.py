"""Statuses that an operation documents: what it answers when it creates, deletes, refuses and does not find."""

from __future__ import annotations

from collections.abc import Iterator

from gates.rest.described import Described, is_parameter
from gates.rest.shapes import says_nothing
from gates.rest.violations import Case, Violation, for_each_resource
from gates.rest.words import says_verb, word_set, words_of

_SEARCHES = word_set("search query filter lookup batch bulk validate preview count export")


def creations(case: Case) -> Iterator[Violation]:
    """Return POST operations on collections that answer 200, where 201 says that something new is there."""
    for one in case.asked("rest.create-status"):
        if one.method != "POST" or not case.api.is_collection(one):
            continue
        if says_verb(one.segments[-1]) or set(words_of(one.segments[-1])) & _SEARCHES:
            continue
        if {"PUT", "PATCH"} <= case.api.by_template[one.template].keys():
            continue  # whatever is sent there is passed on: a proxy
        if one.statuses("2") == ["200"]:
            yield Violation(
                "rest.create-status", one.name, f"{one.name} creates and answers 200", (one.name,),
                f"{one.pointer}/responses/200", "answer 201, with the new one's address in `Location`",
            )  # fmt: skip


def deletions(case: Case) -> Iterator[Violation]:
    """Return DELETE operations whose success has no body and is not 204, or is said to have created something."""
    for one in case.asked("rest.delete-status"):
        success = one.statuses("2")
        if one.method != "DELETE" or not success:
            continue
        if success == ["200"] and not one.answers["200"].schemas:
            what, fix = "answers 200 without a body", "answer 204, which says that there is none"
        elif success == ["201"]:
            what, fix = "deletes and answers 201, which is for what was created", "answer 204"
        else:
            continue
        yield Violation(
            "rest.delete-status",
            one.name,
            f"{one.name} {what}",
            (one.name,),
            f"{one.pointer}/responses/{success[0]}",
            fix,
        )


def empty_answers(case: Case) -> Iterator[Violation]:
    """Return answers with a body under a status that cannot have one."""
    for one in case.asked("rest.no-content", everywhere=True):
        for status in ("204", "205", "304"):
            if status in one.answers and not says_nothing(case.api, one.answers[status].schemas):
                yield Violation(
                    "rest.no-content",
                    f"{one.name} {status}",
                    f"{one.name} documents a body for {status}, which has none",
                    (one.name,),
                    f"{one.pointer}/responses/{status}",
                    "take the body out, or answer 200",
                )


def _refuses(one: Described) -> bool:
    """Return whether an operation documents any error of the caller; `default` stands for all that is not named."""
    return bool(one.statuses("4")) or "default" in one.answers


def refusals(case: Case) -> Iterator[Violation]:
    """Return operations that take input and say nothing about what happens when it is wrong."""
    found = [one for one in case.asked("rest.documented-4xx") if _takes_input(one) and not _refuses(one)]
    yield from for_each_resource(
        "rest.documented-4xx", found, "no 4xx is documented for wrong input",
        "say what a caller gets for wrong input: 400 or 422, and 404 for what is not there",
    )  # fmt: skip


def _takes_input(one: Described) -> bool:
    return one.has_body or bool(one.parameters("path", "query", "body", "formData"))


def locked_doors(case: Case) -> Iterator[Violation]:
    """Return operations behind a login that do not say what a caller without one gets."""
    found = [
        one
        for one in case.asked("rest.documented-401")
        if one.protected and one.answers and not ({"401", "403", "4XX", "4xx", "default"} & one.answers.keys())
    ]
    yield from for_each_resource(
        "rest.documented-401", found, "neither 401 nor 403 is documented, and credentials are needed",
        "document 401 (and 403 where roles differ), so that clients can ask for a new login",
    )  # fmt: skip


def missing_items(case: Case) -> Iterator[Violation]:
    """Return operations on a single thing that do not say what happens when it is not there."""
    found = [
        one
        for one in case.asked("rest.documented-404")
        if one.method in ("GET", "PATCH", "DELETE")
        and one.segments
        and is_parameter(one.segments[-1])
        and one.statuses("4")  # without any, rest.documented-4xx tells of it
        and not ({"404", "410", "4XX", "4xx", "default"} & one.answers.keys())
    ]
    yield from for_each_resource(
        "rest.documented-404", found, "no 404 is documented for what is not there", "document 404 for what is not there"
    )
