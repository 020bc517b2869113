"""The settings of the openapi tool: what they decide by default, and mistakes as sentences."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from gates.config.load import build_configuration
from gates.errors import ConfigurationError
from gates.results import Severity
from gates.tools.openapi import OpenApi


def gate(text: str = "") -> OpenApi:
    toml = f'[project]\nname = "x"\n[gates.contract]\ntool = "openapi"\n{text}'
    made = build_configuration(tomllib.loads(toml), Path("/nowhere")).gates["contract"]
    assert isinstance(made, OpenApi)
    return made


def test_by_default_everything_is_looked_at_and_two_items_are_decided() -> None:
    made = gate()
    assert made.checks == ("contract", "documentation", "rest")
    assert made.items == ("integration", "documentation")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('checks = ["contract"]', ("integration",)),
        ('checks = ["documentation", "rest"]', ("documentation",)),
        ('checks = ["rest"]', ()),
        ('checks = ["rest"]\nitems = ["endpoints"]', ("endpoints",)),
        ("items = []", ()),
    ],
)
def test_the_checks_say_which_items_are_decided(text: str, items: tuple[str, ...]) -> None:
    assert gate(text).items == items


def test_severities_by_rule() -> None:
    rules = '"contract.operation-removed" = "warning", "rest.depth" = "off", "doc.tag" = "error", "doc.info" = "info"'
    assert gate(f"rules = {{ {rules} }}").severities() == {
        "contract.operation-removed": Severity.MEDIUM, "rest.depth": None, "doc.tag": Severity.HIGH,
        "doc.info": Severity.LOW,
    }  # fmt: skip


def test_the_major_version_can_be_left_alone() -> None:
    assert gate("major_version = false").severities()["contract.major-version"] is None
    assert "contract.major-version" not in gate().severities()


def test_the_conventions_get_their_table_and_the_severities() -> None:
    made = gate('rules = { "rest.depth" = "error" }\n[gates.contract.rest]\nmaximum_depth = 2\npath_case = "kebab"')
    conventions = made.rest.conventions(made.severities())
    assert (conventions.maximum_depth, conventions.path_case) == (2, "kebab")
    assert conventions.severities["rest.depth"] is Severity.HIGH


MISTAKES: list[tuple[str, str]] = [
    ('checks = ["contracts"]', "checks, number 1 = 'contracts'"),
    ("checks = []", "checks"),
    ('rules = { "rest.dept" = "off" }', "there is no rule 'rest.dept': did you mean 'rest.depth'?"),
    ('rules = { "contract.operation-remove" = "off" }', "did you mean 'contract.operation-removed'?"),
    ('rules = { "doc.tags" = "off" }', "did you mean 'doc.tag'?"),
    ('rules = { "tag" = "off" }', "there is no rule 'tag'"),
    ('rules = { "doc.tag" = "high" }', "rules"),
    ("rules = [1]", "rules"),
    ("committed = true", "it is the name of a file, or false"),
    ("committed = 5", "it is the name of a file, or false"),
    ('committed = "../openapi.json"', "is no file or folder inside the project"),
    ('mentioned_in = ["/etc/passwd"]', "is no file or folder inside the project"),
    ('mentioned_in = "CHANGELOG.md"', "this is a list"),
    ("documentation = { described = 80 }", "80 is not a share between 0 % and 100 %, such as '80 %'"),
    ('documentation = { described = "much" }', "'much' is not a quantity"),
    ("documentation = { describe = 1 }", "has no key 'describe'"),
    ("rest = { maximum_depth = 0 }", "maximum_depth is 0"),
    ('rest = { path_case = "kebap" }', "path_case is 'kebap'"),
    ('rest = { depth = 4 }', "has no key 'depth'"),
    ('rest = { exceptions = { "rest.dept" = ["GET /a"] } }', "there is no rule 'rest.dept'"),
    ("major_version = 2", "this is true or false"),
    ('commited = "openapi.json"', "did you mean 'committed'?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_a_mistake_is_a_sentence(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        gate(text)
    assert told in str(caught.value)
    assert "gates.contract" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize(("written", "share"), [('"80 %"', 0.8), ("0.8", 0.8), ("1", 1.0), ('"0 %"', 0.0)])
def test_a_share_is_written_in_either_way(written: str, share: Any) -> None:
    assert gate(f"documentation = {{ described = {written} }}").documentation.described == share
