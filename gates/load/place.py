"""Where code of the project's runs in Locust's process: for which build, with which login, and what it draws.

Two copies of a locustfile share one process, and the greenlets of their users interleave. What they would otherwise
share is looked up by the greenlet: `random` draws from a generator of the user's own, and the variable that holds the
headers of the login holds those of the build.
"""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent

from gates.load.assignment import HEADERS_VARIABLE

_KEY = "gates.place"


@dataclass(slots=True)
class Place:
    """What the project's code sees: `headers` is JSON; `user` is whatever stands for the user, None outside of it."""

    headers: str
    draws: random.Random
    user: Any = None


_otherwise: list[Place] = []
"""The place of what runs in no greenlet of its own: the import of a file."""


def here() -> Place | None:
    """Return the place of the greenlet that asks, which it shares with those that it spawned; None in our own."""
    known: dict[str, Place] | None = getattr(gevent.getcurrent(), "spawn_tree_locals", None)
    found = known.get(_KEY) if known else None
    return found or (_otherwise[-1] if _otherwise else None)


def spawn(place: Place, call: Callable[..., Any], *arguments: Any) -> gevent.Greenlet:
    """Call something in a greenlet at this place."""

    def called() -> Any:
        gevent.getcurrent().spawn_tree_locals = {_KEY: place}
        return call(*arguments)

    return gevent.spawn(called)


class At:
    """A block that runs at a place; only where no other greenlet runs meanwhile."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __enter__(self) -> None:
        _otherwise.append(self._place)

    def __exit__(self, *_: object) -> None:
        _otherwise.pop()


def _drawn(name: str, ordinary: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(ordinary)
    def draw(*arguments: Any, **named: Any) -> Any:
        place = here()
        return ordinary(*arguments, **named) if place is None else getattr(place.draws, name)(*arguments, **named)

    return draw


class _Variables(type(os.environ)):  # type: ignore[misc]
    """The variables of the environment, with the login of the build that the asking code runs for."""

    def __getitem__(self, key: str) -> Any:
        place = here() if key == HEADERS_VARIABLE else None
        return super().__getitem__(key) if place is None else place.headers

    def __contains__(self, key: object) -> bool:
        return (key == HEADERS_VARIABLE and here() is not None) or super().__contains__(key)


def take_over() -> None:
    """Let `random` and `os.environ` answer by place; before any file of the project's is imported."""
    shared = random.random.__self__  # type: ignore[attr-defined]
    for name in random.__all__:
        ordinary = getattr(random, name)
        if getattr(ordinary, "__self__", None) is shared:
            setattr(random, name, _drawn(name, ordinary))
    os.environ.__class__ = _Variables
