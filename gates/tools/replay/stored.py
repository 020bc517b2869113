"""How a recorded request is kept: with its answer's shape and the steps that make what it speaks of. Pure.

`RecordedRequest.shape` is `{"type": "application/json", "body": shape}`, the body left out where there was none or it
was no JSON (see `gates.tools.replay.shape`). `RecordedRequest.steps` is JSON of format 1:

    {"format": 1, "kind": "success" | "missing" | "invalid", "login": true, "secrets": {"~secret-1~": "body#/password"},
     "steps": [{"operation", "method", "path", "headers", "body", "captures": {"~captured-1~": "body#/id"}, "secrets"}]}

Steps are sent in their order before the request, each on what the ones before it captured. `kind` says what was asked:
a valid request, one for what is not there, one whose body is wrong. `login` is whether the login went along; it is not
kept, and neither is an identifier nor a secret: see `gates.tools.replay.template`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gates.errors import ToolError
from gates.load.assignment import Sendable
from gates.results import RecordedRequest
from gates.tools.replay.shape import Shape, decode, encode

Kind = Literal["success", "missing", "invalid"]
KINDS: tuple[Kind, ...] = ("success", "missing", "invalid")
Key = tuple[str, str, str]
"""Method, path and body of a request before it is filled in."""
MOST_BODY = 64 * 1024
_MOST_STEPS = 8
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with tokens, and where their values come from.

    `captures` names what later requests take from its answer, `secrets` what of itself is made anew.
    """

    operation: str
    request: Sendable
    secrets: Mapping[str, str] = field(default_factory=dict)
    captures: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What makes two requests the same."""
        return (self.request.method, self.request.target, self.request.body or "")

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.request.method not in ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Promise:
    """A request that was recorded, and what it was answered with; `shape` is None where the body was no JSON."""

    kind: Kind
    asked: Asked
    steps: tuple[Asked, ...] = ()
    login: bool = False
    status: int = 0
    media: str = ""
    shape: Shape | None = None

    @property
    def operation(self) -> str:
        """The operation that it was recorded for."""
        return self.asked.operation

    def fits(self) -> bool:
        """Return whether it is small enough to be kept."""
        bodies = [one.request.body or "" for one in (self.asked, *self.steps)]
        return len(self.steps) <= _MOST_STEPS and all(len(body.encode()) <= MOST_BODY for body in bodies)


@dataclass(slots=True)
class Outcome:
    """What came of one recorded request. `status` is None when there was no answer, and `trouble` says why.

    `blamed` is the step that could not be made, and `status` its own then.
    """

    status: int | None = None
    media: str = ""
    shape: Shape | None = None
    trouble: str = ""
    blamed: Asked | None = None
    died: str | None = None
    """The last lines of a backend that this ended."""
    login_lost: bool = False


def to_recorded(promise: Promise) -> RecordedRequest:
    """Return a promise as it is kept with a run."""
    request = promise.asked.request
    steps = {
        "format": _FORMAT, "kind": promise.kind, "login": promise.login, "secrets": dict(promise.asked.secrets),
        "steps": [_step(one) for one in promise.steps],
    }  # fmt: skip
    return RecordedRequest(
        promise.operation, request.method, request.target, dict(request.headers), request.body, promise.status,
        encode(promise.media, promise.shape), json.dumps(steps, separators=(",", ":"), sort_keys=True),
    )  # fmt: skip


def _step(asked: Asked) -> dict[str, Any]:
    request = asked.request
    return {
        "operation": asked.operation, "method": request.method, "path": request.target,
        "headers": dict(request.headers), "body": request.body, "captures": dict(asked.captures),
        "secrets": dict(asked.secrets),
    }  # fmt: skip


def from_recorded(recorded: RecordedRequest) -> Promise:
    """Return the promise that a run kept; raises ToolError when it cannot be read."""
    try:
        content = json.loads(recorded.steps)
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']!r}, not {_FORMAT}")
        if content["kind"] not in KINDS:
            raise ValueError(f"its kind is {content['kind']!r}")
        media, shape = decode(recorded.shape)
        steps = tuple(
            Asked(
                str(step["operation"]),
                Sendable(str(step["method"]), str(step["path"]), dict(step["headers"]), step["body"]),
                dict(step["secrets"]), dict(step["captures"]),
            )
            for step in content["steps"]
        )  # fmt: skip
        request = Sendable(recorded.method, recorded.path, dict(recorded.headers), recorded.body)
        asked = Asked(recorded.operation, request, dict(content["secrets"]))
        return Promise(content["kind"], asked, steps, bool(content["login"]), int(recorded.status or 0), media, shape)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ToolError(
            f"the request that an earlier phase recorded for {recorded.operation} cannot be read: {error}",
            "sign that phase off again with this version of gates",
        ) from error
