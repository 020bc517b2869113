"""The project's own locustfile, imported once for each of two builds, so that nothing it keeps is shared by both.

Each copy has modules, events and an environment of its own, with the host and the login of its build: listeners, lists
at the top of a module and attributes of classes are as many as there are builds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import locust
from locust import TaskSet, User
from locust.argument_parser import get_parser
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import WorkerNode
from locust.util.load_locustfile import load_locustfile

from gates.load.assignment import OwnUsers
from gates.load.place import At, Place, spawn

_STOPPING = 1.0
"""Seconds that users who are in the middle of something get to end it; they had the time of a request before."""
_INSTALLED = ("site-packages", "dist-packages")


class RefusedFile(Exception):
    """The locustfile cannot be run on two builds at once; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Build:
    """One of two builds: its origin, and the headers of its login as JSON."""

    new: bool
    url: str
    headers: str


@dataclass(slots=True)
class Copy:
    """The locustfile as it is for one build."""

    build: Build
    environment: Any
    classes: dict[str, type[User]]
    seed: str
    ended_itself: bool = False
    """Whether its users ended the test."""
    ending: bool = False

    def place(self, purpose: str, user: Any = None) -> Place:
        """Return a place for this build; the same purpose draws the same for both builds."""
        return Place(self.build.headers, random.Random(f"{self.seed}:{purpose}"), user)

    def begin(self) -> None:
        """Tell the file's listeners that Locust is up and the test begins."""
        events, environment = self.environment.events, self.environment
        events.test_stopping.add_listener(self._stopping)
        self._within("init", lambda: events.init.fire(environment=environment, runner=environment.runner, web_ui=None))
        self._within("test_start", lambda: events.test_start.fire(environment=environment))

    def spawned(self) -> None:
        """Tell the listeners that all users have been started; there are those who wait for it in on_start."""
        count = len(self.environment.runner.user_greenlets)
        self._within("spawned", lambda: self.environment.events.spawning_complete.fire(user_count=count))

    def end(self) -> None:
        """Stop the users, who run their on_stop, and tell the listeners."""
        self.ending = True
        environment = self.environment
        self._within("stop", environment.runner.quit)
        self._within("quitting", lambda: environment.events.quitting.fire(environment=environment, reverse=True))

    def _stopping(self, **_: Any) -> None:
        self.ended_itself = self.ended_itself or not self.ending

    def _within(self, purpose: str, call: Callable[[], Any]) -> None:
        spawn(self.place(purpose), call).get()


def two_copies(own: OwnUsers, builds: tuple[Build, Build], seed: str) -> tuple[Copy, Copy]:
    """Import the locustfile for both builds. Raises RefusedFile, and whatever the file raises."""
    first, forget = _copy(own, builds[0], seed)
    for name in forget:
        sys.modules.pop(name, None)
    second, _ = _copy(own, builds[1], seed)
    for name, shared in first.classes.items():
        if second.classes.get(name) is shared:
            # It comes from a package that is installed: a class of its own has at least a host of its own.
            kind: Any = type(shared)
            second.classes[name] = kind(name, (shared,), {"__module__": shared.__module__})
    if first.classes.keys() != second.classes.keys():
        raise RefusedFile("imported twice, it has other users the second time")
    for copy in (first, second):
        for user_class in copy.classes.values():
            user_class.host = copy.build.url
        copy.environment.user_classes[:] = list(copy.classes.values())
    return first, second


def _copy(own: OwnUsers, build: Build, seed: str) -> tuple[Copy, list[str]]:
    """Return a copy, and the names of the project's modules that were imported for it."""
    ordinary, known = locust.events, set(sys.modules)
    make_events: Any = locust.event.Events
    locust.events = make_events()
    try:
        with At(Place(build.headers, random.Random(f"{seed}:import"))):
            classes, shapes = load_locustfile(own.path)
            _refuse(classes.values(), bool(shapes))
            arguments = ["--headless", "--host", build.url, "--users", str(own.users), "--only-summary"]
            options = get_parser(default_config_files=[]).parse_args(arguments)
            environment: Any = Environment(
                user_classes=list(classes.values()), host=build.url, events=locust.events, parsed_options=options,
                stop_timeout=_STOPPING, locustfile=Path(own.path).name,
            )  # fmt: skip
            environment.create_local_runner()
    finally:
        locust.events = ordinary
    kept = {one.__name__: one for one in environment.user_classes}  # those of weight 0 are not
    mine = [name for name in set(sys.modules) - known if _of_project(sys.modules[name], Path(own.root))]
    return Copy(build, environment, kept, seed), mine


def _of_project(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    if file is None:
        return any(root in Path(place).parents for place in getattr(module, "__path__", ()))
    path = Path(file)
    return root in path.parents and not set(_INSTALLED) & set(path.parts)


def _refuse(classes: Iterable[type[User]], shaped: bool) -> None:
    if shaped:
        raise RefusedFile(
            "it has a LoadTestShape, which says how many users there are over time; side by side, what they do comes "
            "at one constant rate"
        )
    found = list(classes)
    if not found:
        raise RefusedFile("it has no class of users")
    for user_class in found:
        if user_class.run is not User.run:
            raise RefusedFile(f"{user_class.__name__} runs its tasks in a way of its own")
        for task_set in _task_sets(user_class.tasks, set()):
            if any(getattr(task_set, name) is not getattr(TaskSet, name) for name in ("run", "wait", "_sleep")):
                raise RefusedFile(f"{task_set.__name__} runs its tasks, or waits between them, in a way of its own")


def _task_sets(tasks: Iterable[Any], seen: set[Any]) -> Iterable[type[TaskSet]]:
    for task in tasks:
        if isinstance(task, type) and issubclass(task, TaskSet) and task not in seen:
            seen.add(task)
            yield task
            yield from _task_sets(task.tasks, seen)


def shares(own: OwnUsers, classes: Iterable[type[User]], pairs: int) -> dict[str, tuple[int, float]]:
    """Return of each class how many pairs of users there are, and how many users each of them stands for.

    Locust shares out `own.users` by weight and `fixed_count`; of fewer pairs each class with users has one at least.
    """
    dispatcher = UsersDispatcher([WorkerNode("here")], list(classes))
    dispatcher.new_dispatch(target_user_count=own.users, spawn_rate=own.users)
    whole = dict(list(dispatcher)[-1]["here"])
    found = {}
    for name, count in whole.items():
        if count:
            number = count if pairs >= own.users else max(1, round(count * pairs / own.users))
            found[name] = number, count / number
    return found
