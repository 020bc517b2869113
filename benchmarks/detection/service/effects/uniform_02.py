"""Every operation takes 2 % longer: as much more work as that is of all a client waits for, the archive included."""

from collections.abc import Callable
from typing import Any

import service

MORE = 0.02
service.longer[0] = 1 + MORE


def around(operation: str, answer: Callable[[], Any]) -> Any:
    answered = answer()
    service.work(round(MORE * service.WHOLE[operation]))
    return answered
