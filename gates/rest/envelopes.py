"""One shape for all errors, one for all lists, JSON for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gates.rest.described import Described, is_json
from gates.rest.shapes import Shape, json_schema, shape_of
from gates.rest.violations import Case, Violation, by_resource, counted, listed
from gates.rest.words import word_set, words_of

_ALIKE = 0.5
_LISTS = word_set("items data results result values value records entries list content rows elements objects nodes")
_MORE = word_set(
    "next nextcursor nextpage nextpagetoken nexttoken nextlink cursor hasmore more links meta metadata pagination "
    "paging page pageinfo total totalcount totalresults totalitems count previous prev offset limit continue"
)


@dataclass(frozen=True, slots=True)
class _Error:
    operation: Described
    status: str
    shape: Shape


def error_envelopes(case: Case) -> Iterator[Violation]:
    """Return the errors whose shape is not that of the others, one finding for each other shape."""
    errors = list(_errors(case))
    wanted = frozenset(case.conventions.error_envelope)
    usual = _usual(errors)
    groups: dict[str, list[_Error]] = {}
    for error in errors:
        fits = wanted <= error.shape.properties.keys() if wanted else _alike(error.shape, usual)
        if not fits:
            groups.setdefault(str(error.shape), []).append(error)
    rule = "{" + ", ".join(sorted(wanted)) + "}" if wanted else str(usual)
    for shape, members in sorted(groups.items()):
        names = tuple(sorted({error.operation.name for error in members}))
        said = listed(f"{error.operation.name} {error.status}" for error in members)
        first = members[0]
        yield Violation(
            "rest.error-envelope",
            shape,
            f"errors are {shape} in {counted(len(members), 'answer')}, and {rule} elsewhere ({said})",
            names,
            f"{first.operation.pointer}/responses/{first.status}",
            "give all errors one shape, in a component of its own",
        )


def _errors(case: Case) -> Iterator[_Error]:
    known: dict[int, Shape] = {}
    for one in case.asked("rest.error-envelope"):
        statuses = one.statuses("4") + one.statuses("5")
        if one.statuses("2") and "default" in one.answers:
            statuses.append("default")
        for status in statuses:
            schema = json_schema(one.answers[status].schemas)
            if schema is None:
                continue
            if id(schema) not in known:
                known[id(schema)] = shape_of(case.api, schema)
            shape = known[id(schema)]
            if shape.properties or shape.kind not in ("", "object"):
                yield _Error(one, status, shape)


def _usual(errors: list[_Error]) -> Shape:
    """Return the shape of most errors; of two that are as frequent, the one that comes first by its letters."""
    counts = Counter(str(error.shape) for error in errors)
    if not counts:
        return Shape("", {})
    most = min(counts, key=lambda shape: (-counts[shape], shape))
    return next(error.shape for error in errors if str(error.shape) == most)


def _alike(one: Shape, other: Shape) -> bool:
    """Return whether two shapes are of one family: most properties of the smaller are those of the other, too."""
    if one.kind != other.kind:
        return False
    shared = len(one.properties.keys() & other.properties.keys())
    return shared >= _ALIKE * min(len(one.properties), len(other.properties))


@dataclass(frozen=True, slots=True)
class Listing:
    """An operation that answers with a list: in the open (`key` is ""), or under a key of an object."""

    operation: Described
    key: str
    shape: Shape
    status: str


def listings(case: Case, rule: str) -> Iterator[Listing]:
    """Return the operations that list a collection's things: GET where single ones are below, or POST creates them."""
    for one in case.asked(rule):
        methods = case.api.by_template[one.template]
        if one.method != "GET" or not one.segments or "{" in one.segments[-1]:
            continue
        if not (case.api.is_collection(one) or "POST" in methods):
            continue
        for status in one.statuses("2")[:1]:
            shape = shape_of(case.api, json_schema(one.answers[status].schemas))
            key = _list_key(case, one, shape)
            if key is not None:
                yield Listing(one, key, shape, status)


def _list_key(case: Case, one: Described, shape: Shape) -> str | None:
    """Return under which key the list is, "" where the body is one, None where there is none."""
    if shape.kind == "array":
        return ""
    last = words_of(one.segments[-1])
    for name, schema in sorted(shape.properties.items()):
        if ("".join(words_of(name)) in _LISTS or words_of(name) == last) and shape_of(case.api, schema).kind == "array":
            return name
    return None


def list_envelopes(case: Case) -> Iterator[Violation]:
    """Return the lists that stand in the open where others are wrapped, or the other way round, by resource."""
    found = list(listings(case, "rest.list-envelope"))
    wanted = set(case.conventions.list_envelope)
    if wanted:
        odd = [listing for listing in found if not wanted <= listing.shape.properties.keys()]
        rule = "{" + ", ".join(sorted(wanted)) + "}"
    else:
        bare = sum(not listing.key for listing in found)
        usual_bare = bare * 2 > len(found)
        odd = [listing for listing in found if (not listing.key) != usual_bare]
        rule = "an array in most lists" if usual_bare else "an object around the array in most lists"
    shapes = {listing.operation.name: str(listing.shape) for listing in odd}
    for resource, members in sorted(by_resource(listing.operation for listing in odd).items()):
        names = tuple(one.name for one in members)
        told = f"{names[0]}" if len(names) == 1 else f"{len(names)} lists of `{resource}` ({listed(names)})"
        verb = "answers" if len(names) == 1 else "answer"
        yield Violation(
            "rest.list-envelope",
            resource,
            f"{told} {verb} {shapes[names[0]]}, and the rule here is {rule}",
            names,
            members[0].pointer,
            "give all lists one shape",
        )


def paginations(case: Case) -> Iterator[Violation]:
    """Return lists that come as a whole, however long they get."""
    known = {"".join(words_of(name)) for name in case.conventions.pagination}
    for listing in listings(case, "rest.pagination"):
        one = listing.operation
        pages = any(
            "".join(words_of(str(parameter.get("name")))) in known or _pages(str(parameter.get("name")))
            for parameter in one.parameters("query", "header")
        )
        more = {"".join(words_of(name)) for name in listing.shape.properties} & _MORE
        answer = one.answers[listing.status]
        chosen = any(parameter.get("required") for parameter in one.parameters("query"))
        grows = {"POST", "PUT", "PATCH", "DELETE"} & {*case.api.by_template[one.template], *_item_methods(case, one)}
        if (
            pages
            or more
            or chosen
            or not grows
            or not one.complete
            or answer.linked
            or {"link", "content-range"} & answer.headers
        ):
            continue
        yield Violation(
            "rest.pagination",
            one.name,
            f"{one.name} answers with all there is, and has no parameter to ask for less",
            (one.name,),
            one.pointer,
            "take a `limit` and a `cursor`, or a `page`, and bound both",
        )


def _item_methods(case: Case, one: Described) -> Iterable[str]:
    return case.api.by_template.get(f"{one.template}/{{}}", {})


def _pages(name: str) -> bool:
    words = words_of(name)
    return bool({"page", "cursor", "offset", "limit", "pagesize", "per"} & set(words))


_NOT_JSON = ("application/xml", "text/xml", "application/x-www-form-urlencoded")


def media_types(case: Case) -> Iterator[Violation]:
    """Return bodies that come as something else than JSON although they are data, one finding for each such type."""
    groups: dict[tuple[str, str], list[Described]] = {}
    for one in case.asked("rest.media-type"):
        sent = {"take": set() if one.method in ("GET", "HEAD", "DELETE") else set(one.bodies)}
        sent["answer"] = {media for status in one.statuses("2") for media in one.answers[status].schemas}
        for direction, kinds in sent.items():
            plain = {kind.split(";")[0].strip().lower() for kind in kinds}
            if plain and not any(map(is_json, plain)) and plain <= set(_NOT_JSON):
                groups.setdefault((direction, min(plain)), []).append(one)
    for (direction, kind), members in sorted(groups.items()):
        names = tuple(one.name for one in members)
        yield Violation(
            "rest.media-type",
            f"{direction} {kind}",
            f"{counted(len(names), 'operation')} {direction}{'s' * (len(names) == 1)} only {kind} ({listed(names)})",
            names,
            members[0].pointer,
            "take and answer `application/json`",
        )
