"""One operation of five takes 10 % longer."""

from collections.abc import Callable
from typing import Any

import service

MORE = 0.10
OPERATION = "GET /items/{item_id}"


def around(operation: str, answer: Callable[[], Any]) -> Any:
    answered = answer()
    if operation == OPERATION:
        service.work(round(MORE * service.WHOLE[operation]))
    return answered
