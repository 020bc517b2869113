"""Nothing is different: the build beside which the others are measured, and the A in A/A."""

from collections.abc import Callable
from typing import Any


def around(operation: str, answer: Callable[[], Any]) -> Any:
    return answer()
