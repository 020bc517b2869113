"""What may stand in gates.toml: one strict model; secrets stay `${NAME}` here and are expanded where they are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gates.demands import Demand, Dimension, Policy, Tolerances, Waiver, parse_demand, parse_quantity
from gates.profiles import nearest_hint
from gates.results import ItemId
from gates.targets import kind_of
from gates.tools import AnyTool
from gates.tools.base import Seconds
from gates.tools.phase.references import Consumes, References


class Table(BaseModel):
    """A table of gates.toml: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _demand(dimension: Dimension) -> Callable[[str], str]:
    def check(text: str) -> str:
        parse_demand(text, dimension)
        return text

    return check


TimeDemand = Annotated[str, AfterValidator(_demand("time")), Field(examples=["<= 100 ms"])]
ShareDemand = Annotated[str, AfterValidator(_demand("share")), Field(examples=[">= 90 %"])]
CountDemand = Annotated[str, AfterValidator(_demand("count")), Field(examples=["== 0"])]
SizeDemand = Annotated[str, AfterValidator(_demand("size")), Field(examples=["<= 512 MB"])]
GrowthDemand = Annotated[str, AfterValidator(_demand("growth")), Field(examples=["<= 10 MB/h"])]
RateDemand = Annotated[str, AfterValidator(_demand("rate")), Field(examples=[">= 200 /s"])]


class Project(Table):
    """What is checked."""

    name: str = Field(min_length=1, description="The project's name, shown in reports")
    source: tuple[str, ...] = Field(
        default=(), description="Folders or packages of the project's own code; guessed when left out"
    )


class Login(Table):
    """A request that answers with a token."""

    operation: str = Field(description="Method and path, such as `POST /login`")
    body: dict[str, Any] = Field(default_factory=dict, description="Sent as JSON, with `${NAME}` from the environment")
    form: bool = Field(default=False, description="Send the body as a form, as OAuth 2 password logins want it")
    token: str = Field(default="$.access_token", description="Where the token stands in the answer")
    header: str = Field(default="Authorization", description="The header that carries the token")
    scheme: str = Field(default="Bearer", description="The word before the token; empty for none")


class Auth(Table):
    """How to get in; secrets only from the environment."""

    headers: dict[str, str] = Field(default_factory=dict, description="Headers sent with every request")
    basic: str | None = Field(default=None, description="`user:${PASSWORD}` for HTTP Basic")
    login: Login | None = None
    check: str | None = Field(
        default=None, description="An operation, such as `GET /me`, that answers 2xx only while the login holds"
    )


class SeedRequest(Table):
    """A request sent once the backend is ready, before any gate uses it: an account, some data."""

    operation: str = Field(description="Method and path, such as `PUT /accounts/admin`")
    body: Any = Field(default=None, description="Sent as JSON, with `${NAME}` from the environment")
    headers: dict[str, str] = Field(default_factory=dict)


class Backend(Table):
    """How the system under test is started, or where it already runs."""

    profile: str = Field(default="generic", description="A file of profiles/backends/, such as `fastapi`")
    start: str | None = Field(default=None, description="The command that serves on {port}; {data} is an empty folder")
    url: str | None = Field(default=None, description="A backend that is already up, instead of `start`")
    allow_hosts: tuple[str, ...] = Field(default=(), description="Hosts besides loopback that a `url` may name")
    prepare: str | None = Field(
        default=None,
        description="Run once in the folder of an earlier phase that is built beside this one: installs what it needs",
        examples=["python -m venv .venv && .venv/bin/pip install -r requirements.txt", "npm ci"],
    )
    setup: tuple[str, ...] = Field(default=(), description="Commands run before each start, such as migrations")
    seed: tuple[SeedRequest, ...] = Field(default=(), description="Requests sent once it is ready")
    ready: str = Field(default="/", description="A path that answers below 500 once the backend is ready")
    openapi: str | None = Field(
        default=None, description="The OpenAPI document: a path on the backend that begins with /, or a file"
    )
    base_path: str | None = Field(default=None, description="Prefix of every path, when the document does not say")
    app: str | None = Field(default=None, description="What {app} stands for, such as `orders.main:app`")
    python: str | None = Field(default=None, description="The interpreter of the backend's own environment")
    path: tuple[str, ...] = Field(default=(), description="Folders put before PATH for the project's commands")
    env: dict[str, str] = Field(default_factory=dict, description="{port}, {data} and ${NAME} are expanded")
    start_timeout: Seconds = Field(default=60.0, description="How long it may take to become ready")
    auth: Auth = Field(default_factory=Auth)


class Operations(Table):
    """Operations whose class is not what method and media type suggest; `*` stands for anything."""

    simple: tuple[str, ...] = ()
    complex: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    external: tuple[str, ...] = ()


class CoverageTargets(Table):
    """Shares of the project's own code that its tests execute."""

    lines: ShareDemand | None = None
    branches: ShareDemand | None = None
    changed_lines: ShareDemand | None = None


class SecurityTargets(Table):
    """How many findings of a severity there may be."""

    high: CountDemand | None = None
    medium: CountDemand | None = None
    low: CountDemand | None = None


class ResponseTimeTargets(Table):
    """p95 under load, by operation class."""

    simple: TimeDemand | None = None
    complex: TimeDemand | None = None
    file: TimeDemand | None = None
    external: TimeDemand | None = None


class SuiteTargets(Table):
    """What the project's own tests must reach of the API."""

    operations: ShareDemand | None = Field(
        default=None, description="Operations that a test saw answer with a documented success"
    )


class LoadTargets(Table):
    """What the backend as a whole must bear under load."""

    errors: ShareDemand | None = None
    concurrency: CountDemand | None = None
    memory: SizeDemand | None = None
    throughput: RateDemand | None = None
    knee: RateDemand | None = None
    leak: GrowthDemand | None = None
    recovery: TimeDemand | None = None
    connections: CountDemand | None = None


class DatabaseTargets(Table):
    """What the backend may ask of its database."""

    connections: CountDemand | None = None


class Targets(Table):
    """Absolute demands on measurements."""

    coverage: CoverageTargets = Field(default_factory=CoverageTargets)
    security: SecurityTargets = Field(default_factory=SecurityTargets)
    response_time: ResponseTimeTargets = Field(default_factory=ResponseTimeTargets)
    tests: SuiteTargets = Field(default_factory=SuiteTargets)
    load: LoadTargets = Field(default_factory=LoadTargets)
    database: DatabaseTargets = Field(default_factory=DatabaseTargets)
    operation: dict[str, TimeDemand] = Field(default_factory=dict, description="p95 of one operation or pattern")
    benchmark: dict[str, TimeDemand] = Field(default_factory=dict, description="Median of one benchmark or pattern")


DEFAULT_TARGETS: dict[str, str] = {
    "coverage.lines": ">= 90 %",
    "security.high": "== 0",
    "response_time.simple": "<= 100 ms",
    "response_time.complex": "<= 500 ms",
    "response_time.file": "<= 2 s",
    "response_time.external": "<= 1 s",
    "load.errors": "<= 0.1 %",
    "load.concurrency": ">= 100",
    "load.memory": "<= 512 MB",
}
"""The guidelines' own numbers; what gates.toml or a phase says comes before them."""


def flat_targets(targets: Targets) -> dict[str, str]:
    """Return the targets that were written, by dotted name."""
    flat: dict[str, str] = {}
    for table, content in targets.model_dump(exclude_none=True).items():
        for key, text in content.items():
            flat[f"{table}.{key}"] = text
    return flat


def _parse(name: str, text: str) -> Demand:
    kind = kind_of(name)
    assert kind is not None, f"gates.toml takes the target {name}, and nothing says what it is a demand on"
    return parse_demand(text, kind.dimension)


def _tolerance(text: Any) -> Any:
    if isinstance(text, str):
        parse_quantity(text.replace("points", "%").replace("point", "%"), "share")
    return text


Tolerance = Annotated[str, BeforeValidator(_tolerance), Field(examples=["5 %"])]


class BaselineRules(Table):
    """How much worse than an earlier phase this one may be."""

    performance: Tolerance = Field(default="5 %", description="Latency, throughput, memory, benchmarks")
    tails: Tolerance = Field(default="10 %", description="p99, and a single operation's p95")
    coverage: Tolerance = Field(default="0 points", description="Percentage points of line coverage")
    findings: Literal["none new", "none new medium", "none new high", "any"] = Field(
        default="none new", description="From which severity on a new finding fails"
    )
    side_by_side: Literal["auto", "always", "never"] = Field(
        default="auto", description="Measure the earlier phase again beside this one"
    )


class Phase(Table):
    """An ordered part of the project's plan."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Lower case, as it names the baseline's file")
    title: str = ""
    targets: Targets = Field(default_factory=Targets, description="What this phase demands beyond [targets]")
    provides: References = Field(
        default_factory=References, description="What later phases may rely on; phases/NAME.md may say it as well"
    )
    consumes: Consumes = Field(
        default_factory=Consumes, description="What it needs; a key with the name of an earlier phase says from where"
    )


class Done(Table):
    """The Definition of Done: all nine items hold unless one is left out with a written reason."""

    leave_out: dict[ItemId, Annotated[str, Field(min_length=10)]] = Field(
        default_factory=dict, description="Item = the reason, in a sentence; shown in every report"
    )


def _identity(text: str) -> str:
    if re.fullmatch("[0-9a-f]{16}", text) is None:
        raise ValueError("it is no fingerprint: these are 16 hexadecimal digits, as `gates explain GATE` names them")
    return text


def _refuse_later_phases(phase: Phase, before: Sequence[str], names: Sequence[str]) -> None:
    """A phase can only build on phases before it."""
    for source in phase.consumes.by_phase:
        if source in before:
            continue
        if source in names:
            raise ValueError(f"[[phases]] {phase.name} consumes from {source!r}, which does not come before it")
        hint = nearest_hint(source, list(before)) if before else "it is the first"
        raise ValueError(f"[[phases]] {phase.name} consumes from {source!r}, which is no phase before it; {hint}")


def _day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise ValueError("it is not a day such as 2027-01-31") from error


class WaivedFinding(Table):
    """A finding that does not count until a day, on somebody's word; `gates waive` writes it."""

    fingerprint: Annotated[str, AfterValidator(_identity)] = Field(
        description="The finding's identity, as `gates explain GATE` names it"
    )
    reason: str = Field(min_length=10, description="Why it does not count, in a sentence; shown in every report")
    by: str = Field(min_length=1, description="Who answers for that")
    until: Annotated[str, BeforeValidator(_day)] = Field(
        description="The last day on which it does not count (UTC)", examples=["2027-01-31"]
    )


class Configuration(Table):
    """All of gates.toml."""

    project: Project
    backend: Backend = Field(default_factory=Backend)
    operations: Operations = Field(default_factory=Operations)
    phases: tuple[Phase, ...] = (Phase(name="main"),)
    targets: Targets = Field(default_factory=Targets)
    baseline: BaselineRules = Field(default_factory=BaselineRules)
    gates: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")], AnyTool] = Field(default_factory=dict)
    done: Done = Field(default_factory=Done)
    waivers: tuple[WaivedFinding, ...] = ()

    @model_validator(mode="after")
    def _phases_are_distinct(self) -> Configuration:
        names = [phase.name for phase in self.phases]
        if not names:
            raise ValueError("there must be at least one [[phases]]")
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"the phase {sorted(twice)[0]!r} stands twice in [[phases]]")
        if self.backend.start and self.backend.url:
            raise ValueError("[backend] has both start and url: a backend is started, or is already up")
        for number, phase in enumerate(self.phases):
            _refuse_later_phases(phase, names[:number], names)
        marks = [waiver.fingerprint for waiver in self.waivers]
        if twice := {mark for mark in marks if marks.count(mark) > 1}:
            raise ValueError(f"the finding {sorted(twice)[0]} is waived twice in [[waivers]]: keep one of them")
        return self

    def policy(self, phase: Phase, day: str | None = None) -> Policy:
        """Return what decides the verdicts of a phase: its own targets before those for all, before the defaults.

        `day` (ISO 8601) is that of the run, by which a waiver holds or not; None for who judges no findings.
        """
        written = {**flat_targets(self.targets), **flat_targets(phase.targets)}
        texts = {**DEFAULT_TARGETS, **written}
        demands = {name: _parse(name, text) for name, text in texts.items()}
        for gate, tool in self.gates.items():
            demands.update(getattr(tool, "demands", lambda _: {})(gate))
        rules = self.baseline
        tolerances = Tolerances(_share(rules.performance), _share(rules.tails), _share(rules.coverage), rules.findings)
        left_out = {str(item): reason for item, reason in self.done.leave_out.items()}
        every = [Waiver(one.fingerprint, one.reason, one.by, one.until) for one in self.waivers] if day else []
        return Policy(
            demands, tolerances, left_out, frozenset(set(DEFAULT_TARGETS) - set(written)),
            tuple(one for one in every if one.until >= (day or "")),
            tuple(one for one in every if one.until < (day or "")),
        )  # fmt: skip


def _share(text: str) -> float:
    return parse_quantity(text.replace("points", "%").replace("point", "%"), "share")
