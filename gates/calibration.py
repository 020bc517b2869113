"""What this machine does to a build that is measured beside itself, and what that means for later checks. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gates.sequential import FLOOR


@dataclass(frozen=True, slots=True)
class Floor:
    """Below which a worsening is none (0.01 for 1 %), and what a report says of where that comes from, if anything."""

    value: float = FLOOR
    told: str = ""
