"""The responses of operations: statuses, bodies and headers."""

from __future__ import annotations

from collections.abc import Mapping

from gates.contract.changes import Direction
from gates.contract.content import compare_content, media_types
from gates.contract.parts import Part
from gates.contract.reading import Side
from gates.contract.recording import Where
from gates.contract.work import Work

_DEFAULT = "DEFAULT"


def _responses(side: Side, part: Part) -> dict[str, str]:
    return {status.upper(): pointer for status, pointer in side.children(part.pointer, "responses")}


def _successes(statuses: Mapping[str, str]) -> list[str]:
    """Return the statuses of an operation that went well; of one that only leads elsewhere, the redirects."""
    return [one for one in statuses if one.startswith("2")] or [one for one in statuses if one.startswith("3")]


def covering(status: str, statuses: Mapping[str, str]) -> list[str]:
    """Return which of some statuses say what an answer with another one looks like.

    A range holds its statuses, and is held by all of them together; `default` holds what is not named, and a success
    only where no other success is.
    """
    if status in statuses:
        return [status]
    wide = f"{status[:1]}XX"
    if wide in statuses:
        return [wide]
    if status.endswith("XX"):
        inside = [one for one in statuses if one.startswith(status[:1])]
        if inside:
            return inside
    if _DEFAULT in statuses and status != _DEFAULT and not (status.startswith("2") and _successes(statuses)):
        return [_DEFAULT]
    return []


def compare_responses(work: Work, earlier: Part, new: Part, user: int) -> None:
    """Compare the responses of two operations; each with what says in the other document how it looks there."""
    was, now = _responses(work.earlier, earlier), _responses(work.new, new)
    direction = new.direction.opposite
    successes = _successes(was)
    pairs: dict[tuple[str, str], None] = {}
    for status, pointer in was.items():
        into = covering(status, now)
        pairs.update({(pointer, now[one]): None for one in into})
        if not into and not (status == _DEFAULT and not successes and _successes(now)):
            rule = "success-status-removed" if status in successes else "error-status-removed"
            where = Where(new.pointer, pointer, told_by_earlier=True)
            work.recorder.add(f"contract.{rule}", "gone status", "gone", where, user)
    for status, pointer in now.items():
        out_of = covering(status, was)
        pairs.update({(was[one], pointer): None for one in out_of})
        if not out_of and not (status == _DEFAULT and not _successes(now) and successes):
            where = Where(pointer, earlier.pointer)
            work.recorder.add("contract.status-added", "new status", "new", where, user)
    for one, other in pairs:
        settled = (work.earlier.settle(one), work.new.settle(other))
        if settled[0] is not None and settled[1] is not None:
            _compare_response(work, Where(settled[1], settled[0]), direction, user)


def _compare_response(work: Work, where: Where, direction: Direction, user: int) -> None:
    number, fresh = work.uses.enter(("response", where.earlier, where.new, direction), user)
    if not fresh:
        return
    work.earlier.object_at(where.earlier), work.new.object_at(where.new)
    was, now = media_types(work.earlier, where.earlier), media_types(work.new, where.new)
    if was and not now:
        work.recorder.add("contract.response-body-removed", "gone body", "it has no body any more", where, number)
    elif now and not was:
        work.recorder.add("contract.response-body-added", "new body", "it has a body now", where, number)
    else:
        compare_content(work, where, direction, number)
    if not direction.written_by_client:
        _compare_headers(work, where, number)


def _headers(side: Side, pointer: str) -> dict[str, str]:
    """Return the headers of a response; what its content type is, is said by its media types."""
    listed = {name.lower(): at for name, at in side.children(pointer, "headers")}
    return {name: at for name, at in listed.items() if name != "content-type"}


def _compare_headers(work: Work, around: Where, user: int) -> None:
    was, now = _headers(work.earlier, around.earlier), _headers(work.new, around.new)
    for name in {**was, **now}:
        one, other = was.get(name), now.get(name)
        if one is None and other is not None:
            where = Where(other, around.earlier)
            work.recorder.add("contract.response-header-added", f"new {name}", "new", where, user)
        elif one is not None and other is None:
            settled = work.earlier.settle(one)
            required = settled is not None and work.earlier.object_at(settled).get("required") is True
            rule = "contract.response-header-removed" if required else "contract.optional-header-removed"
            where = Where(around.new, one, told_by_earlier=True)
            work.recorder.add(rule, f"gone {name}", "gone", where, user)
        elif one is not None and other is not None:
            _compare_header(work, work.earlier.settle(one), work.new.settle(other), user)


def _compare_header(work: Work, earlier: str | None, new: str | None, user: int) -> None:
    if earlier is None or new is None:
        return
    number, fresh = work.uses.enter(("header", earlier, new), user)
    if not fresh:
        return
    where = Where(new, earlier)
    one, other = work.earlier.object_at(earlier), work.new.object_at(new)
    required = (one.get("required") is True, other.get("required") is True)
    if required[0] != required[1]:
        rule = "contract.response-narrowed" if required[1] else "contract.response-header-became-optional"
        text = "always sent now" if required[1] else "may be missing now"
        work.recorder.add(rule, "required", text, where, number)
    if (one.get("deprecated") is True) != (other.get("deprecated") is True):
        is_deprecated = other.get("deprecated") is True
        rule = "contract.deprecated" if is_deprecated else "contract.no-longer-deprecated"
        text = "deprecated now" if is_deprecated else "not deprecated any more"
        work.recorder.add(rule, "deprecated header", text, where, number)
    if "content" in one or "content" in other:
        compare_content(work, where, Direction.RESPONSE, number)
        return
    schemas = [
        (side.child(pointer, "schema", value=raw["schema"]),) if "schema" in raw else ()
        for side, pointer, raw in ((work.earlier, earlier, one), (work.new, new, other))
    ]
    work.schema(schemas[0], schemas[1], where, Direction.RESPONSE, number)
