"""Waking up on time: the event loop's own timers are a millisecond coarse, which would be most of a fast answer's time.

Linux has timers as file descriptors, which the loop can watch like a socket: about 50 µs late instead of 600. Runs in
Locust's process. Where there are none, the loop's timer is used; the lag that it causes is measured and judged.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import get_hub

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK = 0o4000
_TFD_TIMER_ABSTIME = 1
_READ = 1
_NEVER = float("inf")
MOST_FIRST = 35_000.0
"""Requests per second up to which a process that goes first still sleeps often enough."""
CLOSE = 50e-6
"""Seconds until a moment for which it is not worth while to fall asleep."""


class _TimerSpec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long), ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long), ("value_ns", ctypes.c_long),
    )  # fmt: skip


def go_first(rate: float = 0.0) -> bool:
    """Ask the system to wake this process before ordinary ones, and return whether it does.

    Not at so high a `rate` (requests per second) that it would hardly ever sleep: the system stops one that goes first
    for the last twentieth of every second.

    With two busy neighbours on two cores requests left 0.15 ms late (p99) instead of 5 ms. It takes a permission that
    root has; where it is refused the lag stays what it is. Not for load that uses its core up: the backend needs it.
    """
    if not hasattr(os, "sched_setscheduler") or rate > MOST_FIRST:
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    except OSError:
        return False
    return True


class Bell:
    """Calls back at a moment of `time.monotonic()`, in the loop's own greenlet: the callback must not wait.

    When the moment is closer than `close` seconds the loop turns until then, without sleeping: to set a timer, fall
    asleep and be woken takes long, and more of a busy core. Not in a process that goes first: it has to sleep.
    """

    def __init__(self, ring: Callable[[], object], close: float = 0.0) -> None:
        self._ring, self._close = ring, close
        self._moment = _NEVER
        self._turning = False
        self._loop = get_hub().loop
        self._descriptor = -1
        self._watcher: Any = None
        if sys.platform != "linux":
            return
        library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = library.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._set_time, self._spec = library.timerfd_settime, _TimerSpec()
        self._pointer = ctypes.byref(self._spec)
        self._watcher = self._loop.io(self._descriptor, _READ)
        self._watcher.start(self._expired)

    def set(self, moment: float) -> None:
        """Call back at this moment, or as soon as the loop runs when it is past; instead of what was set before."""
        self._moment = moment
        left = moment - time.monotonic()
        if self._descriptor < 0:
            self._stop_watching()
            self._watcher = self._loop.timer(max(0.0, left))
            self._watcher.start(self._due)
        elif left > self._close:
            self._turning = False
            self._arm(moment)
        elif not self._turning:
            # A timer that is past and not read is ready each time the loop looks, so that it looks again and again.
            self._turning = True
            self._arm(1.0)

    def close(self) -> None:
        """Give the timer back; nothing is called any more."""
        self._moment = _NEVER
        self._stop_watching()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _stop_watching(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def _arm(self, moment: float) -> None:
        seconds = int(moment)
        self._spec.value_s, self._spec.value_ns = seconds, int((moment - seconds) * 1e9) + 1
        self._set_time(self._descriptor, _TFD_TIMER_ABSTIME, self._pointer, None)

    def _expired(self) -> None:
        if self._moment == _NEVER:
            self._turning = False
            with contextlib.suppress(BlockingIOError):
                os.read(self._descriptor, 8)
        else:
            self._due()

    def _due(self) -> None:
        if self._moment <= time.monotonic():
            self._moment = _NEVER
            self._ring()
        else:
            self.set(self._moment)


class Alarm:
    """Puts one greenlet to sleep until a moment of `time.monotonic()`."""

    def __init__(self) -> None:
        self._bell = Bell(self._wake)
        self._sleeper: Any = None

    def sleep_until(self, moment: float) -> None:
        """Return at the moment, or at once when it is past."""
        while moment > time.monotonic():
            self._bell.set(moment)
            self._sleeper = gevent.getcurrent()
            try:
                get_hub().switch()
            finally:
                self._sleeper = None

    def close(self) -> None:
        """Give the timer back."""
        self._bell.close()

    def _wake(self) -> None:
        if self._sleeper is not None:
            self._sleeper.switch()
