"""Whether the methods are what HTTP says they are for, and what must not stand in a query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gates.rest.described import Described, is_parameter, prefix_length
from gates.rest.shapes import says_nothing, shape_of
from gates.rest.violations import Case, Violation, listed
from gates.rest.words import looks_plural, word_set, words_of

_CHANGING = word_set("create delete remove update insert destroy revoke purge erase")
_MAKING = word_set("create creates add adds list lists get gets")
"""What a POST on an address with a parameter at its end does where that names what it happens within."""
_READING = word_set("get list retrieve fetch show return read find search view check describe query download export")
_CHANGES = re.compile(
    r"(create|delete|remove|update|insert|destroy|revoke|purge)s? (a|an|the|all|one|this|your|new|existing|multiple)\b",
    re.IGNORECASE,
)
_SECRETS = word_set(
    "password passwd pwd passphrase secret clientsecret apikey apisecret accesstoken authtoken "
    "authenticationtoken sessiontoken bearertoken privatekey secretkey accesskey credentials"
)
_CREDENTIAL = re.compile(r"key|token|secret|pass|auth|sig|session|jwt|credential|code|pin", re.I)
_NO_SECRET = re.compile(r"page|pagin|cursor|continu|next|offset|resum|sync|search|contract|mint|asset|blockchain", re.I)


def get_bodies(case: Case) -> Iterator[Violation]:
    """Return what is read with a body, which caches and clients leave out."""
    for one in case.asked("rest.get-body", everywhere=True):
        if one.method in ("GET", "HEAD") and not says_nothing(case.api, one.bodies):
            yield Violation(
                "rest.get-body", one.name, f"{one.name} takes a body, which clients and caches may drop", (one.name,),
                one.pointer, "put what is asked for into the query, or make it a POST on a search resource",
            )  # fmt: skip


def safe_gets(case: Case) -> Iterator[Violation]:
    """Return the GET operations that say they change something."""
    for one in case.asked("rest.safe-get"):
        said = _changes(one) if one.method in ("GET", "HEAD") else None
        if said is not None:
            yield Violation(
                "rest.safe-get", one.name, f"{one.name} is named {said}, and a GET must not change anything",
                (one.name,), one.pointer, "use POST, PUT, PATCH or DELETE",
            )  # fmt: skip


def _changes(one: Described) -> str | None:
    """Return what of a GET says that it changes something: its summary, or an operationId that nothing contradicts."""
    named = words_of(one.operation_id)
    if _CHANGES.match(one.summary) and not _READING & set(named):
        return f"{one.summary[:60]!r}"
    return f"{one.operation_id!r}" if not one.summary and named[:1] and named[0] in _CHANGING else None


def reading_posts(case: Case) -> Iterator[Violation]:
    """Return the POST operations that by their name only read one thing or a list, and take no body to say which."""
    for one in case.asked("rest.post-reads"):
        if one.method != "POST" or one.has_body:
            continue
        first = words_of(one.operation_id)[:1] or words_of(one.summary)[:1]
        if first and first[0] in ("get", "list", "retrieve", "fetch", "gets", "lists", "retrieves", "fetches"):
            yield Violation(
                "rest.post-reads", one.name, f"{one.name} only reads, by its name, and takes no body", (one.name,),
                one.pointer, "use GET: it can be cached, repeated and linked to",
            )  # fmt: skip


def whole_collections(case: Case) -> Iterator[Violation]:
    """Return the DELETE operations on collections that nothing narrows: one slip takes all."""
    for one in case.asked("rest.collection-delete"):
        narrowed = one.parameters("query", "body", "formData") or one.has_body
        if one.method == "DELETE" and case.api.is_collection(one) and looks_plural(_last_word(one)) and not narrowed:
            yield Violation(
                "rest.collection-delete",
                one.name,
                f"{one.name} deletes a whole collection",
                (one.name,),
                one.pointer,
                "delete single ones, or require a parameter that says which",
            )


def _last_word(one: Described) -> str:
    return (words_of(one.segments[-1]) or ("",))[-1]


def written_collections(case: Case) -> Iterator[Violation]:
    """Return PUT and PATCH on a collection of its own that is created in by POST: which one of them is meant?

    What belongs to another thing (the labels of an issue) may be replaced as a whole,
    and so may what is sent as a list.
    """
    for one in case.asked("rest.collection-put"):
        methods = case.api.by_template[one.template]
        if len(one.segments) - prefix_length(one.segments) != 1:
            continue
        many = any(shape_of(case.api, schema).kind == "array" for schema in one.bodies.values())
        if one.method in ("PUT", "PATCH") and case.api.is_collection(one) and "POST" in methods and not many:
            shown = case.api.by_template[f"{one.template}/{{}}"]
            if one.method not in shown:
                yield Violation(
                    "rest.collection-put", one.name, f"{one.name} changes one of a collection without naming it",
                    (one.name,), one.pointer, f"{one.method} {one.path.rstrip('/')}/{{id}}",
                )  # fmt: skip


def posts_on_items(case: Case) -> Iterator[Violation]:
    """Return the POST operations on single things that no PUT or PATCH changes."""
    for one in case.asked("rest.item-post"):
        methods = case.api.by_template[one.template]
        parent = case.api.by_template.get(one.template.rpartition("/")[0], {})
        if one.method != "POST" or "GET" not in methods or {"PUT", "PATCH"} & methods.keys():
            continue
        if {*words_of(one.operation_id)[:1], *words_of(one.summary)[:1]} & _MAKING:
            continue
        own = one.segments[prefix_length(one.segments) :]
        if len(own) > 1 and is_parameter(own[-1]) and not is_parameter(own[-2]) and parent:
            yield Violation(
                "rest.item-post", one.name, f"{one.name} changes a single thing by POST", (one.name,), one.pointer,
                f"PATCH {one.path} for some of it, PUT for all of it: both may be repeated",
            )  # fmt: skip


def secrets_in_queries(case: Case) -> Iterator[Violation]:
    """Return the secrets that are sent in a query, where every log on the way keeps them."""
    found: dict[str, list[Described]] = {}
    for one in case.asked("rest.secret-in-query", everywhere=True):
        for parameter in one.parameters("query"):
            if _is_secret(parameter):
                found.setdefault(str(parameter.get("name")), []).append(one)
    for name, members in sorted(found.items()):
        names = tuple(one.name for one in members)
        yield Violation(
            "rest.secret-in-query", name, f"the query parameter `{name}` carries a secret ({listed(names)})", names,
            members[0].pointer, "send it in a header or in the body: addresses are kept in logs and histories",
        )  # fmt: skip
    yield from _keys_in_queries(case)


def _keys_in_queries(case: Case) -> Iterator[Violation]:
    content = case.api.document.content
    components = content.get("components")
    places = {
        "/components/securitySchemes": components.get("securitySchemes") if isinstance(components, Mapping) else None,
        "/securityDefinitions": content.get("securityDefinitions"),
    }
    for pointer, schemes in places.items():
        for name, raw in sorted(schemes.items()) if isinstance(schemes, Mapping) else ():
            scheme = case.api.resolved(raw)
            secret = _CREDENTIAL.search(f"{name} {scheme.get('name')}")
            if scheme.get("type") == "apiKey" and scheme.get("in") == "query" and secret:
                yield Violation(
                    "rest.secret-in-query", f"scheme {name}",
                    f"the credentials of `{name}` are sent in the query, as `{scheme.get('name')}`", (),
                    f"{pointer}/{name}", "send them in a header: addresses are kept in logs and histories",
                )  # fmt: skip


def _is_secret(parameter: Mapping[str, object]) -> bool:
    name = "".join(words_of(str(parameter.get("name"))))
    if name in _SECRETS:
        return True
    about = f"{parameter.get('name')} {parameter.get('description', '')}"
    return name == "token" and not _NO_SECRET.search(about)
