"""The bodies of requests, and of what the API asks of its clients."""

from __future__ import annotations

from gates.contract.content import compare_content
from gates.contract.parts import Part
from gates.contract.reading import Side, mapping
from gates.contract.recording import Where
from gates.contract.work import Work


def _body(side: Side, part: Part) -> tuple[bool, str | None]:
    """Return whether an operation has a body, and where it is defined, if it could be read."""
    raw = mapping(side.value(part.pointer))
    if raw.get("requestBody") is None:
        return False, None
    return True, side.settle(side.child(part.pointer, "requestBody", value=raw["requestBody"]))


def compare_bodies(work: Work, earlier: Part, new: Part, user: int) -> None:
    """Compare the bodies of two operations."""
    (had, was), (has, now) = _body(work.earlier, earlier), _body(work.new, new)
    by_client = new.direction.written_by_client
    if was is not None and now is not None:
        _compare_body(work, Where(now, was), new, user)
    elif has and not had and now is not None:
        required = work.new.object_at(now).get("required") is True
        rule = "required-body-added" if required else "body-added"
        text = f"new, and {'required' if required else 'optional'}"
        where = Where(f"{new.pointer}/requestBody", earlier.pointer)
        work.recorder.add(f"contract.{rule if by_client else 'response-body-added'}", "new body", text, where, user)
    elif had and not has:
        rule = "body-removed" if by_client else "response-body-removed"
        where = Where(new.pointer, f"{earlier.pointer}/requestBody", told_by_earlier=True)
        work.recorder.add(f"contract.{rule}", "gone body", "gone", where, user)


def _compare_body(work: Work, where: Where, part: Part, user: int) -> None:
    number, fresh = work.uses.enter(("body", where.earlier, where.new, part.direction), user)
    if not fresh:
        return
    required = (
        work.earlier.object_at(where.earlier).get("required") is True,
        work.new.object_at(where.new).get("required") is True,
    )
    if required[0] != required[1] and part.direction.written_by_client:
        rule = "contract.body-became-required" if required[1] else "contract.body-became-optional"
        text = "required now" if required[1] else "not required any more"
        work.recorder.add(rule, "required", text, where, number)
    compare_content(work, where, part.direction, number)
