"""Of all requests 3 % take twice as long; the others are as they were."""

import random
from collections.abc import Callable
from typing import Any

import service

SHARE = 0.03


def around(operation: str, answer: Callable[[], Any]) -> Any:
    answered = answer()
    if random.random() < SHARE:
        service.work(service.WHOLE[operation])
        if operation == "GET /report":
            service.ask_archive()
    return answered
