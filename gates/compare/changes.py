"""What changed since a sign-off besides the readings: what is demanded, and with what it is measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gates.compare.case import Earlier, find_gate, has_content
from gates.compare.performance import percent
from gates.demands import Policy
from gates.results import GateResult


def policy_changes(then: Policy, now: Policy) -> list[str]:
    """Return in sentences how what is demanded changed, so that nothing is loosened unseen."""
    lines = []
    for name in sorted(then.targets.keys() | now.targets.keys()):
        before, after = then.targets.get(name), now.targets.get(name)
        if before is None and after is not None:
            lines.append(f"targets.{name} is new: {after.text}")
        elif after is None and before is not None:
            lines.append(f"targets.{name} was {before.text}, is no longer demanded")
        elif before is not None and after is not None and before.text != after.text:
            lines.append(f"targets.{name} was {before.text}, is {after.text}")
    for name in ("performance", "tails", "coverage", "findings"):
        old, new = getattr(then.tolerances, name), getattr(now.tolerances, name)
        if old != new:
            lines.append(f"baseline.{name} was {_tolerance(name, old)}, is {_tolerance(name, new)}")
    for item in sorted(then.left_out.keys() | now.left_out.keys()):
        if item not in then.left_out:
            lines.append(f"the item {item} is left out now: {now.left_out[item]}")
        elif item not in now.left_out:
            lines.append(f"the item {item} was left out, and counts again")
        elif then.left_out[item] != now.left_out[item]:
            lines.append(f"the item {item} is left out for another reason: {now.left_out[item]}")
    return lines


def _tolerance(name: str, value: object) -> str:
    if not isinstance(value, float | int):
        return repr(value)
    return f"{value * 100:g} points" if name == "coverage" else percent(value)


def configuration_changes(
    previous: Earlier, gates: Sequence[GateResult], configured: Collection[str] = ()
) -> list[str]:
    """Return in sentences what changed in how the gates measure: gone gates, configurations, versions of tools."""
    names = set(configured) | {gate.gate for gate in gates}
    matched = [(gate, find_gate(previous.run, gate, names)) for gate in gates]
    continued = {then.gate for _, then in matched if then is not None}
    lines = [
        f"the gate {then.gate} ({then.tool}) was there in {previous.phase}, and is gone"
        for then in previous.run.gates
        if then.gate not in names and then.gate not in continued
    ]
    for gate, then in matched:
        if then is None or not has_content(gate):
            continue  # new, left out or broken: its own verdict says so
        for name in _differing(then.readings.configurations, gate.readings.configurations):
            about = f"{name} of {gate.gate}" if name != gate.gate else gate.gate
            lines.append(f"the effective configuration of {about} changed since {previous.phase}")
        versions = gate.readings.versions
        lines += [
            f"{name} is {versions[name]}, and was {then.readings.versions[name]} in {previous.phase}"
            for name in _differing(then.readings.versions, versions)
            if name in versions and name in then.readings.versions
        ]
    return list(dict.fromkeys(lines))


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
