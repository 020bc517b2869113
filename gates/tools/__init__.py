"""The tools: one file each, and one name in this table."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gates.tools.bandit import Bandit
from gates.tools.base import Tool
from gates.tools.benchmark import Benchmark
from gates.tools.command import Command
from gates.tools.coverage import Coverage
from gates.tools.guidelines import Guidelines
from gates.tools.locust import Locust
from gates.tools.openapi import OpenApi
from gates.tools.phase import PhaseDocument
from gates.tools.replay import Replay
from gates.tools.schemathesis import Schemathesis
from gates.tools.traffic import Traffic

AnyTool = Annotated[
    Bandit
    | Benchmark
    | Command
    | Coverage
    | Guidelines
    | Locust
    | OpenApi
    | PhaseDocument
    | Replay
    | Schemathesis
    | Traffic,
    Field(discriminator="tool"),
]
"""What `[gates.NAME]` may be, told apart by its `tool`."""

TOOLS: dict[str, type[Tool]] = {
    "bandit": Bandit,
    "benchmark": Benchmark,
    "command": Command,
    "coverage": Coverage,
    "guidelines": Guidelines,
    "locust": Locust,
    "openapi": OpenApi,
    "phase": PhaseDocument,
    "replay": Replay,
    "schemathesis": Schemathesis,
    "traffic": Traffic,
}
