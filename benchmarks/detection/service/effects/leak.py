"""Every request leaves 1.5 kB behind that are never given back."""

from collections.abc import Callable
from typing import Any

KEPT: list[bytes] = []
LEFT = 1_500


def around(operation: str, answer: Callable[[], Any]) -> Any:
    answered = answer()
    KEPT.append(bytes(bytearray(b"x" * LEFT)))
    return answered
