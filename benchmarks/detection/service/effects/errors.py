"""Of all requests 1 % are answered with a server error."""

import random
from collections.abc import Callable
from typing import Any

SHARE = 0.01


def around(operation: str, answer: Callable[[], Any]) -> Any:
    if random.random() < SHARE:
        return "500 Internal Server Error", b"{}"
    return answer()
