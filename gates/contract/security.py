"""Who may ask: the alternatives of credentials that are demanded, and the schemes by which they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gates.contract.reading import Side, canonical, items_of, mapping, step
from gates.contract.recording import Where
from gates.contract.work import Work

Demand = Mapping[str, frozenset[str]]
"""What is demanded together: schemes, each with its scopes; none at all lets everybody in."""


class Gatekeeper:
    """The security schemes of both documents, the same one under one name in both."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._defined = [_schemes(work.earlier), _schemes(work.new)]
        was, now = self._defined
        free = {canonical(_essence(raw)): name for name, raw in reversed(was.items()) if name not in now}
        self._called = {name: free.get(canonical(_essence(raw)), name) for name, raw in now.items() if name not in was}

    def demands(self, side: int, where: str) -> tuple[str, list[Demand]]:
        """Return where it is said what an operation demands, and the alternatives."""
        document = (self._work.earlier, self._work.new)[side]
        raw = mapping(document.value(where))
        at = where if "security" in raw else ""
        listed = raw["security"] if "security" in raw else document.content.get("security")
        if not isinstance(listed, list) or not listed:
            return at, [{}]
        called = self._called if side else {}
        alternatives: list[Demand] = [
            {called.get(name, name): frozenset(map(str, items_of(scopes))) for name, scopes in mapping(one).items()}
            for one in listed
        ]
        return at, alternatives

    def compare_schemes(self, names: set[str], user: int) -> None:
        """Compare the schemes that an operation demands in both documents."""
        called = {before: name for name, before in self._called.items()}
        for name in sorted(names):
            now_called = called.get(name, name)
            one, other = self._defined[0].get(name), self._defined[1].get(now_called)
            if one is None or other is None:
                continue
            where = Where(_scheme_pointer(now_called), _scheme_pointer(name))
            number, fresh = self._work.uses.enter(("scheme", where), user)
            if fresh:
                self._compare_scheme(one, other, where, number)

    def _compare_scheme(self, one: Mapping[str, Any], other: Mapping[str, Any], where: Where, number: int) -> None:
        was, now = _essence(one), _essence(other)
        flows = [mapping(each.pop("flows", {})) for each in (was, now)]
        told = [f"`{key}` is {now.get(key)!r} now, it was {was.get(key)!r}" for key in sorted({**was, **now})
                if was.get(key) != now.get(key)]  # fmt: skip
        told += [f"the flow `{name}` is gone" for name in flows[0] if name not in flows[1]]
        told += [f"the flow `{name}` has other addresses" for name, flow in flows[0].items()
                 if name in flows[1] and flow != flows[1][name]]  # fmt: skip
        if told:
            rule = "contract.security-scheme-changed"
            self._work.recorder.add(rule, "scheme", "; ".join(told), where, number)
        for name in flows[1]:
            if name not in flows[0]:
                text = f"there is the new flow `{name}`"
                self._work.recorder.add("contract.security-alternative-added", f"flow {name}", text, where, number)


def _scheme_pointer(name: str) -> str:
    return step("", "components", "securitySchemes", name)


def _schemes(side: Side) -> dict[str, Mapping[str, Any]]:
    found = {}
    for name, listed in side.children("/components", "securitySchemes"):
        pointer = side.settle(listed)
        if pointer is not None:
            found[name] = side.object_at(pointer)
    return found


def _essence(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a client has to know of a scheme to send its credentials."""
    kept = {key: raw[key] for key in ("type", "in", "name", "scheme", "openIdConnectUrl") if key in raw}
    if raw.get("in") == "header" or "scheme" in kept:
        kept |= {key: str(kept[key]).lower() for key in ("name", "scheme") if key in kept}
    if "flows" in raw:
        addresses = ("authorizationUrl", "tokenUrl", "refreshUrl")
        kept["flows"] = {
            name: {key: mapping(flow).get(key) for key in addresses if key in mapping(flow)}
            for name, flow in mapping(raw["flows"]).items()
            if not name.startswith("x-")
        }
    return kept


def _is_met_by(demand: Demand, given: Demand) -> bool:
    """Return whether whoever brings what another alternative demands is let in."""
    return all(name in given and scopes <= given[name] for name, scopes in demand.items())


def compare_security(work: Work, where: Where, user: int) -> None:
    """Compare what two operations demand of whoever asks: every way in of the earlier one has to lead in still."""
    if work.gatekeeper is None:
        work.gatekeeper = Gatekeeper(work)
    gatekeeper = work.gatekeeper
    (was_at, was), (now_at, now) = gatekeeper.demands(0, where.earlier), gatekeeper.demands(1, where.new)
    gatekeeper.compare_schemes({name for one in was for name in one} & {name for one in now for name in one}, user)
    if was == now:
        return
    told_by_earlier = was_at == where.earlier and now_at != where.new
    at = Where(_of(work.new, now_at), _of(work.earlier, was_at), told_by_earlier)
    for given in was:
        if not any(_is_met_by(demand, given) for demand in now):
            work.recorder.add(*_closed(given, now), at, user)
    for demand in now:
        if any(_is_met_by(given, demand) for given in was):
            continue
        rule = "security-alternative-added" if demand else "security-removed"
        text = f"{_told(demand)} is enough now" if demand else "no credentials are demanded any more"
        work.recorder.add(f"contract.{rule}", f"open {_told(demand)}", text, at, user)


def _of(side: Side, pointer: str) -> str:
    """Return the pointer of the requirements that an object lists, or of the object where it lists none."""
    return step(pointer, "security") if "security" in mapping(side.value(pointer)) else pointer


def _closed(given: Demand, now: list[Demand]) -> tuple[str, str, str]:
    """Return rule, identity and text for a way in that does not lead in any more."""
    demanded = " or ".join(_told(one) for one in now)
    if not given:
        return "contract.security-added", f"closed {demanded}", f"{demanded} is demanded now, nothing was"
    same = [one for one in now if one.keys() == given.keys()]
    if same:
        more = sorted({scope for name, scopes in same[0].items() for scope in scopes - given[name]})
        told = ", ".join(f"`{scope}`" for scope in more)
        text = f"the {'scope' if len(more) == 1 else 'scopes'} {told} {'is' if len(more) == 1 else 'are'} demanded now"
        return "contract.security-scope-added", f"scopes {more}", text
    text = f"{_told(given)} is not enough any more; {demanded} is demanded"
    return "contract.security-alternative-removed", f"closed {_told(given)}", text


def _told(demand: Demand) -> str:
    parts = [f"{name} ({', '.join(sorted(scopes))})" if scopes else name for name, scopes in sorted(demand.items())]
    return " and ".join(parts) or "nothing"
