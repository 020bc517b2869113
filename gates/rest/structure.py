"""How paths are built: version, slashes, depth, file extensions, and parameters that are what the template says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gates.rest.described import (
    VERSION,
    Described,
    extension_of,
    is_parameter,
    parameters_of,
    prefix_length,
    segments_of,
    without_extension,
)  # fmt: skip
from gates.rest.violations import Case, Violation, counted, for_each_resource, listed
from gates.rest.words import looks_plural, says_verb, words_of


def version_prefix(case: Case) -> Iterator[Violation]:
    """Return one finding for all operations without a version in their path, and one where majors are mixed."""
    wanted = case.conventions.version_prefix
    if wanted == "any":
        return
    asked = case.asked("rest.version-prefix")
    above = {parent for one in asked for parent in _above_version(one)}
    without = [
        one for one in asked if not _has_version(one, wanted) and segments_of(f"{one.base}{one.path}") not in above
    ]
    if without:
        names = tuple(one.name for one in without)
        prefix = "/api/v1" if wanted == "auto" else wanted
        has = "has" if len(names) == 1 else "have"
        what = "no version in the path" if wanted == "auto" else f"a path that does not begin with {wanted}"
        message = f"{len(names)} of {counted(len(asked), 'operation')} {has} {what} ({listed(names)})"
        fix = f"serve them below {prefix}: {prefix}/users"
        yield Violation("rest.version-prefix", "", message, names, "/paths", fix)


def one_version(case: Case) -> Iterator[Violation]:
    """Return a finding where a document describes several major versions."""
    majors: dict[str, list[str]] = {}
    for one in case.asked("rest.one-version"):
        version = _version_of(one)
        number = re.match(r"[vV](\d+)", version or "")
        if number:
            majors.setdefault(number[1], []).append(one.name)
    if len(majors) > 1:
        told = ", ".join(f"v{major}: {counted(len(majors[major]), 'operation')}" for major in sorted(majors, key=int))
        fewest = min(sorted(majors), key=lambda major: len(majors[major]))
        yield Violation(
            "rest.one-version", "", f"one document describes {len(majors)} major versions ({told})",
            tuple(majors[fewest]), "/paths", "give each major version a document of its own",
        )  # fmt: skip


def _above_version(one: Described) -> Iterator[tuple[str, ...]]:
    """Return the paths below which versions begin, as /apis/apps above /apis/apps/v1: what they list has none yet."""
    segments = segments_of(f"{one.base}{one.path}")
    version = _version_of(one)
    for length in range(1, segments.index(version) + 1 if version else 0):
        yield segments[:length]


def _version_of(one: Described) -> str | None:
    for position, segment in enumerate(segments_of(f"{one.base}{one.path}")):
        if is_parameter(segment) and position and not re.search(r"version", segment, re.IGNORECASE):
            return None  # behind the first, which may name a tenant, a parameter is of a resource
        if VERSION.fullmatch(segment) or re.fullmatch(r"v?\{[^{}]*version[^{}]*\}", segment, re.IGNORECASE):
            return segment
    return None


def _has_version(one: Described, wanted: str) -> bool:
    if wanted == "auto":
        return _version_of(one) is not None
    expression = re.escape(wanted.rstrip("/")).replace(r"\{n\}", r"\d+") + r"(/|$)"
    return re.match(expression, f"{one.base}{one.path}") is not None


def slashes(case: Case) -> Iterator[Violation]:
    """Return the paths whose end differs from the others, and those with an empty segment."""
    paths: dict[str, list[Described]] = {}
    for one in case.asked("rest.trailing-slash"):
        if one.path.strip("/"):
            paths.setdefault(one.path, []).append(one)
    ending = [path for path in paths if path.endswith("/")]
    wanted = case.conventions.trailing_slash
    if wanted == "auto":
        wanted = "always" if len(ending) * 2 > len(paths) else "never"
    for path in sorted(paths) if wanted != "any" else ():
        if path.endswith("/") == (wanted == "never"):
            names = tuple(one.name for one in paths[path])
            has, fix = ("ends", path.rstrip("/")) if wanted == "never" else ("does not end", f"{path}/")
            yield Violation(
                "rest.trailing-slash", path, f"`{path}` {has} with a slash, unlike the rule here ({listed(names)})",
                names, paths[path][0].pointer, f"`{fix}`",
            )  # fmt: skip
    for one in case.asked("rest.empty-segment", everywhere=True):
        if "//" in one.path:
            yield Violation(
                "rest.empty-segment",
                one.path,
                f"{one.name} has an empty segment in its path",
                (one.name,),
                one.pointer,
                f"`{re.sub('/+', '/', one.path)}`",
            )


def extensions(case: Case) -> Iterator[Violation]:
    """Return the file extensions in paths, one finding for each extension."""
    found: dict[str, list[Described]] = {}
    for one in case.asked("rest.file-extension"):
        if one.segments and (extension := extension_of(one.segments[-1])) and not _is_file(one):
            found.setdefault(extension.lower(), []).append(one)
    for extension, members in sorted(found.items()):
        names = tuple(one.name for one in members)
        yield Violation(
            "rest.file-extension",
            extension,
            f"{counted(len(names), 'path')} in `{extension}` ({listed(names)})",
            names,
            members[0].pointer,
            "leave the extension out; the media type is agreed on by `Accept` and `Content-Type`",
        )


def _is_file(one: Described) -> bool:
    """Return whether a path names one file of a format that somebody else has set, such as /outline/story.json."""
    name = one.segments[-1]
    last = (words_of(without_extension(name)) or ("",))[-1]
    return one.method == "GET" and not is_parameter(name) and not looks_plural(last)


def depths(case: Case) -> Iterator[Violation]:
    """Return where resources are nested more deeply than allowed, one finding for each such beginning of a path."""
    most = case.conventions.maximum_depth
    found: dict[str, list[Described]] = {}
    for one in case.asked("rest.depth"):
        rest = one.segments[prefix_length(one.segments) :]
        levels = [
            position
            for position, segment in enumerate(rest)
            if not is_parameter(segment)
            and not says_verb(segment)
            and (position == 0 or is_parameter(rest[position - 1]))
        ]
        if len(levels) > most:
            key = "/".join("{}" if is_parameter(part) else part for part in rest[: levels[most] + 1])
            found.setdefault(f"/{key}", []).append(one)
    for key, members in sorted(found.items()):
        names = tuple(one.name for one in members)
        parent = next(part for part in reversed(key.split("/")) if part and part != "{}")
        yield Violation(
            "rest.depth", key, f"`{key}` nests more than {counted(most, 'resource')} ({listed(names)})", names,
            members[0].pointer, f"begin a path with `{parent}`: what has an identifier needs no parents before it",
        )  # fmt: skip


def ambiguous_paths(case: Case) -> Iterator[Violation]:
    """Return templates that stand for the same paths and differ only in the names of their parameters."""
    spelled: dict[str, dict[str, list[Described]]] = {}
    for one in case.asked("rest.ambiguous-path", everywhere=True):
        slash = "/" if one.path.endswith("/") else ""
        spelled.setdefault(f"{one.template}{slash}", {}).setdefault(one.path, []).append(one)
    for template, paths in sorted(spelled.items()):
        if len(paths) > 1:
            names = tuple(sorted(one.name for members in paths.values() for one in members))
            said = " and ".join(f"`{path}`" for path in sorted(paths))
            yield Violation(
                "rest.ambiguous-path", template, f"{said} stand for the same path", names,
                min(paths.values(), key=lambda members: members[0].path)[0].pointer,
                "give the parameter one name, and put the operations under one path",
            )  # fmt: skip


def path_parameters(case: Case) -> Iterator[Violation]:
    """Return parameters that the template has and the operation does not define, or the other way round."""
    for one in case.asked("rest.path-parameter", everywhere=True):
        if not one.complete:
            continue
        named, defined = parameters_of(one.path), {str(found.get("name")) for found in one.parameters("path")}
        for name in sorted(set(named) - defined):
            yield _parameter(one, name, f"`{{{name}}}` is in the path and is not defined as a parameter")
        for name in sorted(defined - set(named)):
            yield _parameter(one, name, f"the path parameter `{name}` is defined and is not in the path")
        for name in sorted({name for name in named if named.count(name) > 1}):
            yield _parameter(one, f"{name} {name}", f"`{{{name}}}` is in the path twice")


def _parameter(one: Described, name: str, what: str) -> Violation:
    return Violation(
        "rest.path-parameter", f"{one.name} {name}", f"{one.name}: {what}", (one.name,), one.pointer,
        "path and parameters have to name the same ones",
    )  # fmt: skip


def operation_ids(case: Case) -> Iterator[Violation]:
    """Return operations without an operationId, where there are any, and operationIds that are given twice."""
    given: dict[str, list[Described]] = {}
    for one in case.asked("rest.operation-id-unique", everywhere=True):
        if one.operation_id:
            given.setdefault(one.operation_id, []).append(one)
    for name, members in sorted(given.items()):
        if len(members) > 1:
            names = tuple(one.name for one in members)
            yield Violation(
                "rest.operation-id-unique", name, f"the operationId `{name}` is given to {listed(names)}", names,
                members[0].pointer, "give each operation a name of its own",
            )  # fmt: skip
    without = [one for one in case.asked("rest.operation-id") if not one.operation_id]
    yield from for_each_resource(
        "rest.operation-id", without, "no operationId", "name it by what it does, such as `listOrders`"
    )
