"""Every operation takes 0.3 ms longer, whatever it took before."""

from collections.abc import Callable
from typing import Any

import service

ROUNDS = 9_400
"""About 0.3 ms on the machine that recorded the rows."""


def around(operation: str, answer: Callable[[], Any]) -> Any:
    answered = answer()
    service.work(ROUNDS)
    return answered
