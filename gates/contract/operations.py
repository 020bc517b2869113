"""Which operations belong together, and what is said of each as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gates.contract.bodies import compare_bodies
from gates.contract.parameters import compare_parameters
from gates.contract.parts import Part, hosts, is_unread, read_calls, read_operations
from gates.contract.reading import mapping
from gates.contract.recording import Where
from gates.contract.responses import compare_responses
from gates.contract.security import compare_security
from gates.contract.work import Work


def compare_operations(work: Work) -> None:
    """Compare all operations and webhooks of both documents; their schemas are taken to be compared later."""
    matches, gone, added = match_operations(read_operations(work.earlier), read_operations(work.new))
    # What is behind a path item that could not be read is neither gone nor new, and told as unread.
    gone = [part for part in gone if not is_unread(work.new, part.path)]
    added = [part for part in added if not is_unread(work.earlier, part.path)]
    for one, other in matches:
        user = work.uses.root(other.name)
        _compare_addresses(work, one, other, user)
        compare_operation(work, one, other, user)
    for part in gone:
        deprecated = mapping(work.earlier.value(part.pointer)).get("deprecated") is True
        text = "gone, after it was deprecated" if deprecated else "gone, and it was not deprecated before"
        where = Where("/paths", part.home, told_by_earlier=True)
        user = work.uses.root(part.name)
        work.recorder.add("contract.operation-removed", f"operation {part.method}", text, where, user)
    for part in added:
        where = Where(part.home, "/paths")
        user = work.uses.root(part.name)
        work.recorder.add("contract.operation-added", f"operation {part.method}", "new", where, user)
    _compare_webhooks(work)
    _compare_hosts(work)


def match_operations(earlier: list[Part], new: list[Part]) -> tuple[list[tuple[Part, Part]], list[Part], list[Part]]:
    """Return which operations belong together, and those that are only in the earlier or only in the new document.

    By method and whole path, servers included, whatever path parameters are called; then by method and path alone.
    """
    matches: list[tuple[Part, Part]] = []
    taken: set[str] = set()
    by_address: dict[tuple[str, str], list[Part]] = {}
    by_template: dict[tuple[str, str], list[Part]] = {}
    for part in new:
        by_template.setdefault((part.method, part.template), []).append(part)
        for address in part.addresses:
            by_address.setdefault((part.method, address), []).append(part)
    left = []
    for part in earlier:
        candidates = [one for address in part.addresses for one in by_address.get((part.method, address), ())]
        other = _choose(part, candidates, taken)
        if other is None:
            left.append(part)
        else:
            matches.append((part, other))
    gone = []
    for part in left:
        other = _choose(part, by_template.get((part.method, part.template), ()), taken)
        if other is None:
            gone.append(part)
        else:
            matches.append((part, other))
    return matches, gone, [part for part in new if part.name not in taken]


def _choose(part: Part, candidates: Sequence[Part], taken: set[str]) -> Part | None:
    free = [one for one in candidates if one.name not in taken]
    if not free:
        return None
    chosen = next((one for one in free if one.path == part.path), free[0])
    taken.add(chosen.name)
    return chosen


def _compare_addresses(work: Work, earlier: Part, new: Part, user: int) -> None:
    now = set(new.addresses)
    lost = [base for base, address in zip(earlier.bases, earlier.addresses, strict=True) if address not in now]
    if not lost:
        return
    where = Where(new.servers, earlier.servers, told_by_earlier=not new.servers)
    was, are = (", ".join(f"`{base or '/'}`" for base in bases) for bases in (lost, new.bases))
    text = f"the base path {was} is not served any more, but {are}"
    what = f"base path {sorted(lost)}"
    work.recorder.add("contract.base-path-changed", what, text, where, user)


def _compare_hosts(work: Work) -> None:
    was, now = hosts(work.earlier), hosts(work.new)
    if set(was) != set(now):
        was_told, now_told = (", ".join(ones) or "no named host" for ones in (was, now))
        text = f"requests go to {now_told} now, they went to {was_told}"
        where = Where("/servers" if now else "", "/servers" if was else "", told_by_earlier=not now)
        user, _ = work.uses.enter("servers", None)
        work.recorder.add("contract.servers-changed", f"hosts {sorted(was)} {sorted(now)}", text, where, user)


def compare_operation(work: Work, earlier: Part, new: Part, user: int) -> None:
    """Compare two operations that belong together; both are either asked by the client or by the API."""
    was, now = mapping(work.earlier.value(earlier.pointer)), mapping(work.new.value(new.pointer))
    where = Where(new.pointer, earlier.pointer)
    _compare_labels(work, was, now, where, user)
    compare_parameters(work, earlier, new, user)
    compare_bodies(work, earlier, new, user)
    compare_responses(work, earlier, new, user)
    if new.direction.written_by_client:
        compare_security(work, where, user)
        calls = (
            read_calls(work.earlier, earlier.pointer, "callbacks", new.name) if "callbacks" in was else [],
            read_calls(work.new, new.pointer, "callbacks", new.name) if "callbacks" in now else [],
        )
        _compare_calls(work, *calls, where, user)


def _compare_labels(work: Work, was: Mapping[str, Any], now: Mapping[str, Any], where: Where, user: int) -> None:
    if "operationId" in was and was.get("operationId") != now.get("operationId"):
        text = f"the operationId is {now.get('operationId')!r} now, it was {was['operationId']!r}"
        work.recorder.add("contract.operation-id-changed", f"{was['operationId']}", text, where, user)
    deprecated = (was.get("deprecated") is True, now.get("deprecated") is True)
    if deprecated[0] == deprecated[1]:
        return
    if deprecated[0]:
        work.recorder.add("contract.no-longer-deprecated", "operation", "not deprecated any more", where, user)
        return
    work.recorder.add("contract.deprecated", "operation", "deprecated now", where, user)
    if not (now.get("x-sunset") or now.get("sunset")):
        text = "deprecated now, and no `x-sunset` says until when it works"
        work.recorder.add("contract.deprecated-without-sunset", "sunset", text, where, user)


def _compare_webhooks(work: Work) -> None:
    earlier, new = read_calls(work.earlier, "", "webhooks"), read_calls(work.new, "", "webhooks")
    _compare_calls(work, earlier, new, Where("/webhooks" if new else "", "/webhooks" if earlier else ""), None)


def _compare_calls(work: Work, earlier: list[Part], new: list[Part], around: Where, user: int | None) -> None:
    """Compare what the API asks of its client; a webhook is an operation of its own, a callback belongs to one."""
    others = {(part.path, part.method): part for part in new}
    for part in earlier:
        root = user if user is not None else work.uses.root(part.name)
        other = others.pop((part.path, part.method), None)
        if other is not None:
            compare_operation(work, part, other, root)
            continue
        where = Where(around.new, part.home, told_by_earlier=True)
        text = "the API does not call any more"
        work.recorder.add("contract.callback-removed", f"call {part.method}", text, where, root)
    for part in others.values():
        root = user if user is not None else work.uses.root(part.name)
        where = Where(part.home, around.earlier)
        work.recorder.add("contract.callback-added", f"call {part.method}", "the API calls", where, root)
