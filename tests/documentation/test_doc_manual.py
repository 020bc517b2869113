"""The manual has every rule of documentation with its severity, and every setting of the tool; `explain` knows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gates.documentation import RULES
from gates.explain import explain
from gates.results import Severity
from gates.tools.openapi import OpenApi
from gates.tools.openapi.settings import Documentation, Rest

README = (Path(__file__).parent.parent.parent / "README.md").read_text("utf-8")
WORDS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "info", Severity.INFO: "remark", None: "off"}


def test_the_table_has_every_rule_with_its_severity_and_no_other() -> None:
    rows = re.findall(r"^\| `(doc\.[a-z-]+)` \| (\w+) \|", README, re.MULTILINE)
    assert rows == [(rule.id, WORDS[rule.severity]) for rule in RULES.values()]


@pytest.mark.parametrize("rule", list(RULES))
def test_explain_says_what_a_rule_is_about(rule: str) -> None:
    text = explain(rule, {}, None)
    assert text.startswith(f"{rule}: {RULES[rule].summary}\n")
    assert RULES[rule].why in text
    assert RULES[rule].fix in text


@pytest.mark.parametrize("settings", [OpenApi, Documentation, Rest])
def test_every_setting_is_in_the_manual(settings: type[OpenApi | Documentation | Rest]) -> None:
    for key, field in settings.model_fields.items():
        assert re.search(rf"\b{key}\b", README), key
        assert key == "tool" or field.description, key
