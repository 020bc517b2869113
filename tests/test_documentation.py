"""Documentation is true: every command, option, tool, format, profile and key of gates.toml stands in the manual."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from gates.cli import app
from gates.config import model
from gates.profiles import list_profiles
from gates.reports import FORMATS
from gates.tools import TOOLS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
GUIDELINE = (ROOT / "CLAUDE.md").read_text("utf-8")


def names(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_-]*", text))


COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_its_options_are_in_the_manual(command: str) -> None:
    assert f"gates {command}" in README
    for parameter in COMMANDS[command].params:
        for option in parameter.opts:
            if option.startswith("--") and option not in ("--project", "--help"):
                assert option in README, f"gates {command} {option}"


@pytest.mark.parametrize(
    "name", [*TOOLS, *FORMATS, *(p.name for k in ("backends", "loads") for p in list_profiles(k, ROOT))]
)  # type: ignore[arg-type]
def test_every_tool_format_and_profile_is_in_the_manual(name: str) -> None:
    assert name in names(README)


def tables() -> Iterator[tuple[str, str]]:
    for thing in vars(model).values():
        if isinstance(thing, type) and issubclass(thing, model.Table) and thing is not model.Table:
            for key in thing.model_fields:
                yield thing.__name__, key


@pytest.mark.parametrize(("table", "key"), list(tables()))
def test_every_key_of_gates_toml_is_in_the_manual(table: str, key: str) -> None:
    assert key in names(README), f"{table}.{key}"


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_every_setting_of_a_tool_describes_itself(tool: str) -> None:
    settings: type[BaseModel] = TOOLS[tool]
    for key, field in settings.model_fields.items():
        assert key == "tool" or field.description, f"{tool}.{key}"


def test_no_placeholder_of_the_guideline_is_left() -> None:
    assert re.findall(r"\{[A-Z][A-Z_]+\}", GUIDELINE) == []
    assert GUIDELINE.count("\n") < 200


def test_the_guideline_and_gates_toml_say_the_same_numbers() -> None:
    from gates.config.load import load_configuration

    configuration = load_configuration(ROOT / "gates.toml")
    policy = configuration.policy(configuration.phases[0])
    for target, words in {
        "response_time.simple": "simple < 100 ms", "response_time.complex": "complex < 500 ms",
        "response_time.file": "file < 2000 ms", "response_time.external": "external < 1000 ms",
        "load.concurrency": "100 concurrent requests", "load.memory": "memory under 512 MB",
        "coverage.lines": "at least 85 % of lines",
    }.items():  # fmt: skip
        number = float(re.findall(r"\d+", words)[0])
        scale = {"time": 1e-3, "size": 1e6, "count": 1.0, "share": 0.01}[policy.targets[target].dimension]
        assert words in " ".join(GUIDELINE.split()), words
        assert policy.targets[target].value == pytest.approx(number * scale)
