"""The settings of `[gates.NAME] tool = "locust"`: every key of a load profile is one of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gates.demands import parse_quantity
from gates.load.rate import Wish
from gates.results import ItemId
from gates.tools.base import Seconds, Tool, digest
from gates.tools.locust.mix import check_mix


def _per_second(value: Any) -> Any:
    return parse_quantity(value, "rate") if isinstance(value, str) else value


PerSecond = Annotated[float, BeforeValidator(_per_second), Field(gt=0)]
"""A rate, written `200 /s`, `600 /min` or as a number per second."""


def _as_share(value: Any) -> Any:
    return parse_quantity(value, "share") if isinstance(value, str) else value


Share = Annotated[float, BeforeValidator(_as_share), Field(gt=0)]
"""A share, written `25 %` or as a ratio."""


def _as_time(value: Any) -> Any:
    return parse_quantity(value, "time") if isinstance(value, str) else value


SecondsOrNone = Annotated[float, BeforeValidator(_as_time), Field(ge=0, allow_inf_nan=False)]
"""A duration as it is written elsewhere, or 0."""
Mix = Annotated[dict[str, float], AfterValidator(check_mix)]


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not text.startswith("unix:/") and not (host and port.isdigit()):
        raise ValueError(f"{text!r} is no host and port such as '10.0.0.7:5433', nor a socket such as 'unix:/run/db'")
    return text


Address = Annotated[str, AfterValidator(_address)]
"""Where a service listens, as it is counted under `load.connections`."""


class LoadSettings(Tool):
    """What the load looks like. The defaults are those of the profile `normal`."""

    items: tuple[ItemId, ...] = Field(
        default=("performance",), description="Items of the Definition of Done this gate helps decide"
    )
    profile: str = Field(
        default="normal", description="The load profile that the other settings come from: a file in profiles/loads/"
    )
    locustfile: str | None = Field(
        default=None,
        description="The project's own locustfile, from the project's folder. It runs in the harness's own "
        "interpreter, so it may import Locust and what is installed beside gates, but not the backend's packages. "
        "Beside an earlier build each user exists once for either; alone its users are a closed loop, and latencies "
        "count from when a request was sent. GATES_LOAD_HEADERS holds the headers of the login as JSON",
        examples=["load/locustfile.py"],
    )
    rate: PerSecond | None = Field(
        default=None,
        description="Requests per second over all operations; without it, that of the baseline, or a share of what a "
        "short ramp finds the backend to bear",
        examples=["100 /s"],
    )
    find: Literal["knee", "leak", "recovery"] | None = Field(
        default=None,
        description="What the load is to find out besides latencies: `knee`, the highest rate that still meets the "
        "targets (load.knee; `epochs` searches with steps of `seconds`, and no latencies then); `leak`, how fast "
        "memory grows (load.leak); `recovery`, how long after a `burst` it is as before (load.recovery, and no "
        "latencies then)",
    )
    mix: Mix = Field(
        default={},
        description="How often operations come compared with the others, by name or pattern; what is not named has "
        "the weight 1. The name of an operation goes before a pattern, and of patterns the first that fits counts",
        examples=[{"GET /items": 5, "POST /items": 1, "* /admin/*": 0.2}],
    )
    rate_share: float = Field(
        default=0.6,
        gt=0,
        description="Without a `rate`: the share of what the backend bears, or of what one connection bears where "
        "there is no `ramp`",
        examples=[0.6],
    )
    ramp: bool = Field(
        default=True,
        description="Without a `rate`: see in a short ramp, on a backend that is not measured, how much is borne",
    )
    rate_limit: PerSecond = Field(default=500.0, description="Without a `rate`: the most that is chosen")
    burst: float = Field(
        default=1.0, gt=0, description="How many times the rate comes in the second quarter of each epoch"
    )
    recovered_within: Share = Field(
        default=0.25,
        description='With find = "recovery": how much worse than before the burst latency may be to be as before',
        examples=["25 %"],
    )
    epochs: int = Field(default=4, gt=0, description="How often the load is repeated, each time on a fresh backend")
    seconds: Seconds = Field(default=8.0, description="How long each epoch is measured")
    longest: Seconds = Field(
        default=24.0, description="How long an epoch may become, so that every operation gets its `requests`"
    )
    requests: int = Field(
        default=120, ge=0, description="Requests that each operation should get over all epochs together"
    )
    warm_up: Seconds = Field(default=2.0, description="How long each epoch is loaded before anything counts")
    connections: int = Field(
        default=200, gt=0, description="How many connections the arriving requests may have open at once"
    )
    users: int = Field(
        default=100,
        ge=0,
        description="How many connections send at the same time when it is seen how many the backend bears "
        "(load.concurrency); 0 leaves that out. With a `locustfile`, the number of its users",
    )
    spawn_rate: PerSecond = Field(default=100.0, description="With a `locustfile`: how many users start per second")
    concurrency_seconds: Seconds = Field(default=3.0, description="How long the connections send at the same time")
    request_timeout: Seconds = Field(default=10.0, description="How long an answer may take before it is a failure")
    prepare_within: Seconds = Field(
        default=60.0, description="How long trying all operations on a fresh backend may take before the load"
    )
    timeout: Seconds = Field(
        default=1800.0,
        description="After this time no further epoch begins beside an earlier build, and alone the gate is an error",
    )
    pair_seconds: Seconds = Field(
        default=10.0, description="How long each epoch is measured when the earlier build is loaded side by side"
    )
    pair_epochs: int = Field(
        default=20,
        ge=0,
        description="How many epochs side by side there are at most; it ends as soon as everything is decided, and "
        "takes four more where something became slower, to confirm it; 0 measures this build alone",
    )
    pair_share: float = Field(
        default=0.6,
        gt=0,
        lt=1,
        description="Side by side: the most that both builds together are loaded with, as a share of what one "
        "connection gets through with the slower one",
    )
    pair_throughput: SecondsOrNone = Field(
        default=2.0,
        description="Side by side: how many seconds of each epoch show what either build gets through, loaded in "
        "turns by a few connections that send back to back; 0 leaves that out",
        examples=["4 s"],
    )
    databases: tuple[Address, ...] = Field(
        default=(),
        description="Addresses of databases on other ports than the usual ones, for the target database.connections",
        examples=[["10.0.0.7:5433"]],
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description='Operations never called, such as "POST /admin/shutdown" or "* /internal/*"; '
        "without a `locustfile`, DELETE is never called, and neither is what is named shutdown, logout or alike",
    )

    @model_validator(mode="after")
    def _go_together(self) -> LoadSettings:
        if self.locustfile is not None and self.users == 0:
            raise ValueError("a `locustfile` needs at least one of `users`")
        for key, given in (("mix", bool(self.mix)), ('find = "knee"', self.find == "knee"),
                           ('find = "recovery"', self.find == "recovery")):  # fmt: skip
            if self.locustfile is not None and given:
                raise ValueError(f"`{key}` is for load from the document, and a `locustfile` brings its own")
        if self.find == "recovery" and self.burst <= 1.0:
            raise ValueError('find = "recovery" needs a `burst` above 1: there is nothing to recover from')
        if self.find == "knee" and (self.rate is not None or self.burst != 1.0):
            raise ValueError('find = "knee" searches the rate by itself: `rate` and `burst` do not go with it')
        return self

    def pairing(self) -> str:
        """Return a digest of what shapes the load on two builds, so that a calibration is used for that load only."""
        alone = {"epochs", "seconds", "longest", "concurrency_seconds"}
        if self.locustfile is None:
            alone |= {"users", "spawn_rate"}
        return digest(self.model_dump_json(exclude={"items", "skip", "timeout", "profile", "pair_epochs", *alone}))

    def wish(self) -> Wish:
        """Return what is asked of the rate."""
        return Wish(
            self.rate, self.rate_limit, self.rate_share, self.seconds, max(self.seconds, self.longest),
            self.requests, self.epochs,
        )  # fmt: skip
