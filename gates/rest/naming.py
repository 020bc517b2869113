"""Names of paths: nouns, not verbs; plural collections. Works on documents and on routes seen in traffic alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gates.rest.conventions import Conventions
from gates.rest.described import (
    escaped,
    is_parameter,
    looks_identified,
    parameters_of,
    prefix_length,
    segments_of,
    without_extension,
)
from gates.rest.violations import Case, Violation, counted, listed
from gates.rest.words import (
    METHOD_OF,
    action_verb,
    is_singular,
    looks_plural,
    method_verb,
    plural_of,
    says_verb,
    style_of,
    styled,
    word_set,
    words_of,
)

_CUSTOM = re.compile(r"([^{}:]+|\{[^{}]*\}):([A-Za-z]+)")
"""A custom method behind a colon: `orders:batchGet`, `{id}:cancel`."""

_ACTION_FOLDERS = frozenset({"action", "actions", "command", "commands", "operations", "rpc"})
"""Segments behind which an action is named on purpose: `/servers/{id}/actions/create_image`."""
_IDENTIFIERS = word_set(
    "id ids uid uuid guid key name slug number num no nr code sku ean isbn ref reference pk identifier email username "
    "login handle index hash fingerprint entity or resource object item uri urn external"
)
"""Words of parameters that number things of any kind."""
_PREPOSITIONS = frozenset({"by", "with", "for", "from", "to", "of", "in", "on", "and", "as"})


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A path template and the methods that it answers to."""

    path: str
    methods: frozenset[str]

    def name(self, method: str) -> str:
        """The operation as people write it."""
        return f"{method} {self.path}"


@dataclass(frozen=True, slots=True)
class _Named:
    """A segment that breaks a rule, with the sentence about it; `key` is the path up to it."""

    rule: str
    key: str
    what: str
    fix: str
    path: str


def noun_paths(case: Case) -> Iterator[Violation]:
    """Return the verbs in paths, and the actions where the policy tells of them."""
    for rule in ("rest.noun-path", "rest.action-path"):
        paths = named_paths((one.method, one.path) for one in case.asked(rule))
        yield from _grouped((found for path in paths for found in verbs_of(path, case.conventions)), paths, rule)


def plural_collections(case: Case) -> Iterator[Violation]:
    """Return the collections whose name is singular."""
    rule = "rest.plural-collection"
    paths = named_paths((one.method, one.path) for one in case.asked(rule))
    yield from _grouped((found for path in paths for found in singulars_of(path, case.conventions)), paths, rule)


def of_routes(routes: Iterable[tuple[str, str]], conventions: Conventions) -> Iterator[Violation]:
    """Return what breaks the rules of naming among methods and paths that are in no document."""
    paths = named_paths(routes)
    for rule, look in (
        ("rest.noun-path", verbs_of), ("rest.action-path", verbs_of), ("rest.plural-collection", singulars_of),
    ):  # fmt: skip
        allowed = [
            NamedPath(path.path, methods)
            for path in paths
            if (methods := frozenset(m for m in path.methods if not conventions.left_out(rule, path.name(m))))
        ]
        yield from _grouped((found for path in allowed for found in look(path, conventions)), allowed, rule)


def named_paths(operations: Iterable[tuple[str, str]]) -> list[NamedPath]:
    """Return the paths of some operations, in order."""
    methods: dict[str, set[str]] = {}
    for method, path in operations:
        methods.setdefault(path, set()).add(method)
    return [NamedPath(path, frozenset(found)) for path, found in sorted(methods.items())]


def _grouped(found: Iterable[_Named], paths: Iterable[NamedPath], rule: str) -> Iterator[Violation]:
    methods = {path.path: path.methods for path in paths}
    groups: dict[str, list[_Named]] = {}
    for one in found:
        if one.rule == rule:
            groups.setdefault(one.key, []).append(one)
    for key, members in sorted(groups.items()):
        names = sorted({f"{method} {one.path}" for one in members for method in methods[one.path]})
        used = f"{names[0]}" if len(names) == 1 else f"`{key}` in {counted(len(names), 'operation')} ({listed(names)})"
        first = members[0]
        yield Violation(rule, key, f"{used}: {first.what}", tuple(names), f"/paths/{escaped(first.path)}", first.fix)


def verbs_of(path: NamedPath, conventions: Conventions) -> Iterator[_Named]:
    """Return the verbs that a path is named by."""
    segments = segments_of(path.path)
    start = prefix_length(segments)
    for position, segment in enumerate(segments):
        if position < start:
            continue
        key = _key(segments[: position + 1])
        custom = _CUSTOM.fullmatch(segment)
        if custom and custom[2] not in conventions.nouns:
            resource = "/" + "/".join([*segments[:position], custom[1]])
            what = f"`:{custom[2]}` is an action"
            yield _Named("rest.action-path", key, what, _instead_of_action(resource, custom[2]), path.path)
        elif not is_parameter(segment):
            yield from _verb(path, key, segments, position, conventions)


def _verb(
    path: NamedPath, key: str, segments: tuple[str, ...], position: int, conventions: Conventions
) -> Iterator[_Named]:
    segment, last = segments[position], position == len(segments) - 1
    plain = without_extension(segment)
    name = plain.rpartition(".")[2]
    words = words_of(name)
    if not words or words[0] in conventions.nouns or name.lower() in conventions.nouns:
        return
    before = segments[position - 1] if position else ""
    only_read = path.methods <= {"GET", "HEAD", "OPTIONS"}
    plural = not is_parameter(before) and looks_plural((words_of(before) or ("",))[-1])
    called = name != plain
    # /timelines/list/{list_id} is the timeline of a list; /users/list is all users.
    listed_by = last or "list" not in words_of(segments[position + 1])
    verb = method_verb(name, only_read=only_read and not called, after_plural=(plural or called) and listed_by)
    if words[0] in conventions.verbs:
        verb = words[0]
    if verb is not None and before.lower() in _ACTION_FOLDERS:
        resource = "/" + "/".join(segments[: position - 1])
        fix = _instead_of_action(resource, name)
        yield _Named("rest.action-path", key, f"`{name}` is an action", fix, path.path)
        return
    if verb is not None:
        fix = _instead_of_verb(path, segments, position, verb, name)
        yield _Named("rest.noun-path", key, f"`{_shown(name, verb)}` is a verb", fix, path.path)
        return
    # What can be read, or taken back under the same address, is a resource.
    readable = bool(path.methods & {"GET", "HEAD", "DELETE"})
    behind = is_parameter(before)
    action = action_verb(name, only_read=only_read, ends_resource=last and behind and not readable)
    if action is None:
        return
    resource = "/" + "/".join(segments[:position])
    if only_read:
        what = f"`{_shown(name, action)}` is a verb, and a GET only reads"
        yield _Named("rest.noun-path", key, what, "name what is read by a noun; what is done is a POST", path.path)
    elif last and not readable and path.methods & {"POST", "PUT", "PATCH"}:
        what = f"`{_shown(name, action)}` is an action"
        yield _Named("rest.action-path", key, what, _instead_of_action(resource, name), path.path)


def _shown(name: str, verb: str) -> str:
    return name if name.lower() == verb else f"{verb}` in `{name}"


def _key(segments: Iterable[str]) -> str:
    return "/" + "/".join("{}" if part.startswith("{") and part.endswith("}") else part for part in segments)


def _instead_of_verb(path: NamedPath, segments: tuple[str, ...], position: int, verb: str, name: str) -> str:
    method = METHOD_OF.get(verb)
    if method is None:
        return "name the resource by a noun, and let the method say what is done"
    words = words_of(name)
    called = without_extension(segments[position]).rpartition(".")[0]
    rest = [*segments[:position], *([called] if called else ())]
    end = next((number for number, word in enumerate(words) if word in _PREPOSITIONS), len(words))
    what = [word for word in words[1:end] if word not in ("all", "new", "one")]
    if what and not called:
        what[-1] = what[-1] if looks_plural(what[-1]) or verb == "set" else plural_of(what[-1])
        style = style_of(name) or "kebab"
        rest.append(styled("-".join(what), style if style in ("kebab", "snake") else "kebab"))
    rest += segments[position + 1 :]
    if not rest:
        return "name the resource by a noun, and let the method say what is done"
    return f"{method} /{'/'.join(rest)} says it"


_NOUN_OF = {
    "cancel": "cancellation", "activate": "activation", "deactivate": "deactivation", "approve": "approval",
    "reject": "rejection", "suspend": "suspension", "publish": "publication", "confirm": "confirmation",
    "verify": "verification", "validate": "validation", "renew": "renewal", "revoke": "revocation",
    "subscribe": "subscription", "refund": "refunds", "submit": "submission", "invite": "invitations",
    "restart": "restarts", "retry": "retries", "merge": "merges", "capture": "captures", "clone": "copies",
    "accept": "acceptance", "close": "closure", "archive": "archival", "assign": "assignments",
}  # fmt: skip


def _instead_of_action(resource: str, action: str) -> str:
    state = f"PATCH {resource} with the new state" if "{" in resource else "a resource for what is made"
    noun = _NOUN_OF.get(action.lower())
    return f"POST {resource.rstrip('/')}/{noun}, or {state}" if noun else f'{state}, or actions = "allow"'


def singulars_of(path: NamedPath, conventions: Conventions) -> Iterator[_Named]:
    """Return the collections of a path that are named in the singular."""
    if conventions.plural == "any":
        return
    segments = segments_of(path.path)
    for position in range(prefix_length(segments), len(segments)):
        segment = segments[position]
        following = segments[position + 1] if position + 1 < len(segments) else ""
        if is_parameter(segment) or not (following.startswith("{") and following.endswith("}")):
            continue
        words = words_of(segment)
        if not words or words[-1] in conventions.nouns or segment.lower() in conventions.nouns:
            continue
        if says_verb(segment) or words[0] == "check" or _looked_up(segments, position, words[-1]):
            continue
        if is_singular(words[-1], parameters_of(following)[0]):
            plural = segment[: len(segment) - len(words[-1])] + _as(plural_of(words[-1]), segment)
            what = f"`{segment}` is a collection, and singular"
            fix = f"/{'/'.join([*segments[:position], plural])}"
            yield _Named("rest.plural-collection", _key(segments[: position + 1]), what, fix, path.path)


def _looked_up(segments: tuple[str, ...], position: int, word: str) -> bool:
    """Return whether a segment says by what one thing is looked up, or what it holds, rather than what is numbered.

    In /calendar/{event_id} and /stream/{n} the parameter is not about the segment; in /projects/user/{user_id} it picks
    from what stands before it.
    """
    before = segments[position - 1] if position > prefix_length(segments) else ""
    if before and not is_parameter(before) and looks_plural((words_of(before) or ("",))[-1]):
        return True
    end = next((n for n in range(position + 1, len(segments)) if not is_parameter(segments[n])), len(segments))
    names = [name for segment in segments[position + 1 : end] for name in parameters_of(segment)]
    return not any(word in name.lower() or set(words_of(name)) <= _IDENTIFIERS for name in names)


def _as(word: str, segment: str) -> str:
    """Return a last word in the case that it has in a segment."""
    style = style_of(segment)
    return word.capitalize() if style == "pascal" or (style == "camel" and len(words_of(segment)) > 1) else word


def exempt_routes(routes: Iterable[tuple[str, str]], conventions: Conventions) -> list[tuple[str, str]]:
    """Return the routes that conventions hold for."""
    return [(method, path) for method, path in routes if not conventions.is_exempt(f"{method} {path}")]


def as_templates(routes: Iterable[str]) -> list[tuple[str, str]]:
    """Return routes seen in traffic with what looks like an identifier as a parameter: `GET /users/17`."""
    found = []
    for route in routes:
        method, _, path = route.strip().partition(" ")
        parts = ["{id}" if looks_identified(part) else part for part in path.strip().split("?")[0].split("/")]
        found.append((method.upper(), "/".join(parts)))
    return found
