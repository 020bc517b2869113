"""The settings of `[gates.NAME] tool = "locust"`: every key of a load profile is one of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from gates.demands import parse_quantity
from gates.load.rate import Wish
from gates.results import ItemId
from gates.tools.base import Seconds, Tool, digest


def _per_second(value: Any) -> Any:
    return parse_quantity(value, "rate") if isinstance(value, str) else value


PerSecond = Annotated[float, BeforeValidator(_per_second), Field(gt=0)]
"""A rate, written `200 /s`, `600 /min` or as a number per second."""


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
        "interpreter, so it may import Locust and what is installed beside gates, but not the backend's packages. Its "
        "users are a closed loop: latencies count from when a request was sent. GATES_LOAD_HEADERS holds the headers "
        "of the login as JSON",
        examples=["load/locustfile.py"],
    )
    rate: PerSecond | None = Field(
        default=None,
        description="Requests per second over all operations; without it, that of the baseline, or a share of what one "
        "connection bears",
        examples=["100 /s"],
    )
    rate_share: float = Field(
        default=0.4, gt=0, description="Without a `rate`: the share of what one connection bears", examples=[0.4]
    )
    rate_limit: PerSecond = Field(default=200.0, description="Without a `rate`: the most that is chosen")
    burst: float = Field(
        default=1.0, gt=0, description="How many times the rate comes in the middle third of each epoch"
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
    pair_seconds: Seconds = Field(
        default=20.0, description="How long each epoch is measured when the earlier build is loaded side by side"
    )
    pair_epochs: int = Field(
        default=12,
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
    exclude: tuple[str, ...] = Field(
        default=(),
        description='Operations never called, such as "POST /admin/shutdown" or "* /internal/*"; '
        "without a `locustfile`, DELETE is never called, and neither is what is named shutdown, logout or alike",
    )

    @model_validator(mode="after")
    def _users_of_a_locustfile(self) -> LoadSettings:
        if self.locustfile is not None and self.users == 0:
            raise ValueError("a `locustfile` needs at least one of `users`")
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
