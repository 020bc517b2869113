"""One lock around every answer: while one request waits for the archive, all others wait for that request."""

from collections.abc import Callable
from typing import Any

from gevent.lock import RLock

LOCK = RLock()


def around(operation: str, answer: Callable[[], Any]) -> Any:
    with LOCK:
        return answer()
