"""What every tool is: a pydantic model of its `[gates.NAME]` table that can run itself and return readings."""

from __future__ import annotations

import abc
import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gates.alternating import Alternation
from gates.calibration import Floor
from gates.demands import Tolerances, parse_quantity
from gates.document import Document
from gates.process import Usage
from gates.results import GateResult, ItemId, Measurement, Readings, Run


def _duration(value: Any) -> Any:
    return parse_quantity(value, "time") if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(_duration), Field(gt=0)]
"""A duration, written `60 s`, `10 min` or as a number of seconds."""


class Serving(Protocol):
    """A backend that is up: what a tool may know of it and ask of it."""

    @property
    def url(self) -> str:
        """The origin, without a trailing slash: `http://127.0.0.1:41234`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that carry the login; never to be written anywhere."""

    @property
    def document(self) -> Document | None:
        """Its API description; None when it could not be read, and `document_error` says why."""

    @property
    def document_error(self) -> str:
        """Why there is no document."""

    @property
    def data(self) -> Path | None:
        """Its data folder; None for a backend that was already up."""

    @property
    def started_by_us(self) -> bool:
        """Whether it was started, and can be started anew."""

    def alive(self) -> bool:
        """Return whether it still runs (or, for a URL, still answers)."""

    def last_lines(self, count: int = 10) -> str:
        """Return the end of its output."""

    def usage(self) -> Usage | None:
        """Return what its process tree uses now; None for a backend that was already up."""

    def connections(self) -> Mapping[str, int] | None:
        """Return the connections that its process tree has opened itself and holds now, by remote address.

        Those that it accepted are not among them. None where nobody can look.
        """

    def login_works(self) -> bool | None:
        """Return whether the login is still accepted; None when the backend has none."""

    def check(self) -> None:
        """Raise BackendFailed when the backend has died, with its last lines."""


class Serve(Protocol):
    """Starts a backend on its own port and an empty data folder; `cpus` binds it to these cores."""

    def __call__(self, *, cpus: frozenset[int] | None = None) -> AbstractContextManager[Serving]:
        """Return the backend as a context: up inside the block, stopped after it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A build as the project's own commands find it: its folder, its interpreter, and their environment."""

    root: Path
    python: str
    env: Mapping[str, str] = field(repr=False)


class OpenPlace(Protocol):
    """Makes the folder of an earlier build ready, with some files and folders of this build in the place of its own."""

    def __call__(self, *, present: Sequence[str] = ()) -> AbstractContextManager[Place]:
        """Return the place as a context; with `present` (paths inside the project) it is a copy, gone after it."""


@dataclass(frozen=True)
class EarlierBuild:
    """The build of an earlier, signed-off phase, which can be measured again beside this one."""

    phase: str
    commit: str
    serve: Serve | None
    """Starts it, and builds it first where it was not built yet, which may take minutes.

    Raises GatesError with the reason when it cannot be built or does not start: that is no failure of this phase.
    """
    reason: str = ""
    """Why it cannot be built, when `serve` is None."""
    place: OpenPlace | None = None
    """Where commands can be run in it, without a server; it builds and raises as `serve` does."""


@dataclass(frozen=True)
class Context:
    """Everything a tool may use while it runs."""

    root: Path
    source: tuple[str, ...]
    python: str
    """The interpreter of the backend's own environment, for tools that run the project's code."""
    env: Mapping[str, str]
    """The environment for the project's own commands."""
    directory: Path
    """An empty folder of this gate and run, for outputs."""
    gate: str
    serve: Serve
    """Starts the backend on an empty data directory; raises BackendFailed."""
    classify: Callable[[str, Mapping[str, Any]], str]
    """Returns the operation class of an operation name and its definition."""
    progress: Callable[[float | None, str], None] = lambda share, text: None
    base_commit: str | None = None
    """The commit of the phase this run is compared with."""
    baseline: GateResult | None = None
    """What this gate had measured when that phase was signed off."""
    openapi: str | None = None
    """Where the OpenAPI document is, by [backend]: a path on the backend that begins with /, or a file."""
    phase: str = ""
    """The phase that is checked."""
    phase_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its table in gates.toml."""
    signed: Mapping[str, Run] = field(default_factory=dict)
    """The runs of the earlier phases as they were signed off, by phase; the one that is compared with comes last."""
    earlier: EarlierBuild | None = None
    """The build of that phase; None when there is none, or `side_by_side` is `never`."""
    side_by_side: Literal["auto", "always", "never"] = "auto"
    """Whether the earlier build is measured again: where it can be, always (or the gate decides nothing), never."""
    tolerances: Tolerances = field(default_factory=Tolerances)
    """How much worse than the earlier phase a measurement may be."""
    floor: Floor = field(default_factory=Floor)
    """Below which a worsening is none, side by side on this machine."""
    calibrating: bool = False
    """Whether a build is measured beside itself, to see what this machine does: to the end, whatever it says."""
    known: frozenset[str] = frozenset()
    """Fingerprints of findings that were accepted in earlier phases."""
    seed: int = 20
    fast: bool = False
    targets: Mapping[str, Any] = field(default_factory=dict)
    """The demands of this phase by name, for a tool that must know what it is measured against."""


@dataclass(kw_only=True)
class BesideEarlier:
    """A command in this build and in the earlier one in turns, and what was found out; a tool says what is run."""

    context: Context
    blocks: int
    deadline: float
    """On the clock of time.monotonic; making the earlier build does not count."""
    measured_with: tuple[str, ...] | None
    alternation: Alternation | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def earlier(self) -> EarlierBuild:
        """The earlier build; there is one."""
        assert self.context.earlier is not None
        return self.context.earlier

    def measurements(self) -> list[Measurement]:
        """Return what the blocks say of the two builds."""
        return self.alternation.measurements() if self.alternation else []

    def notes(self) -> list[str]:
        """Return how it was measured, and what was left out."""
        told = self.alternation.notes(self.earlier.phase, self.earlier.commit) if self.alternation else []
        return [*told, *self.remarks]

    def left(self) -> float:
        """Return the seconds that are left, a tenth at least."""
        return max(0.1, round(self.deadline - time.monotonic(), 1))


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of `gates doctor`: something a gate needs, and whether it is here."""

    what: str
    met: bool
    detail: str
    hint: str = ""


class Tool(BaseModel, abc.ABC):
    """A gate's settings, and how it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    items: tuple[ItemId, ...] = Field(default=(), description="Items of the Definition of Done this gate helps decide")
    skip: Annotated[str, Field(min_length=10)] | None = Field(
        default=None, description="Leave the gate out, with the reason in a sentence; shown in every report"
    )
    timeout: Seconds = Field(default=600.0, description="After this time the gate is stopped and is an error")

    needs_backend: ClassVar[bool] = False
    alone: ClassVar[bool] = False
    """Whether nothing else may run beside it, because it measures time."""
    slow: ClassVar[bool] = False
    """Whether `--fast` leaves it out."""
    measures: ClassVar[tuple[str, ...]] = ()
    """Names, or prefixes ending in a dot, of its measurements: a target can then say who would bring it."""

    @abc.abstractmethod
    def run(self, context: Context) -> Readings:
        """Measure. Raises ToolError (error), NotMeasured (unknown) or BackendFailed (fail)."""

    def pairing(self) -> str | None:
        """Return a digest of what shapes its load on two builds; None for a tool that cannot be calibrated."""
        return None

    def measured_as(self, gate: str) -> tuple[str, ...]:
        """Return the names, or prefixes ending in a dot, of what a gate of this name measures."""
        return self.measures

    def requirements(self, context: Context) -> list[Requirement]:
        """Return what must be there before this gate can run, for `gates doctor`."""
        return []

    def requirements_of(self, document: Document) -> list[Requirement]:
        """Return what of the settings the document of the backend has to have, for `gates doctor`."""
        return []


def digest(text: str) -> str:
    """Return the digest of an effective configuration, so that a later run can tell that it changed."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


_SECRET = re.compile(r"(?i)\b(authorization|cookie|set-cookie|x-api-key|api[-_]?key|token|secret|password)\b")


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with the values of those that may carry a secret replaced."""
    return {name: "[redacted]" if _SECRET.search(name) else value for name, value in headers.items()}
