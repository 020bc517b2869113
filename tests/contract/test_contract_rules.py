"""The rules as people meet them: each is explained, stands in the manual, and can be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gates.contract import RULES
from gates.explain import explain
from gates.results import Severity
from gates.rules import Rule

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")
WORDS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.INFO: "info", None: "off"}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_says_what_why_and_what_to_do(rule: Rule) -> None:
    assert re.fullmatch(r"contract\.[a-z]+(-[a-z]+)*", rule.id)
    assert rule.summary[0].islower() or rule.summary.startswith("`")
    assert not rule.summary.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix
    assert rule.severity in WORDS


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_stands_in_the_manual_with_its_severity(rule: Rule) -> None:
    assert f"| `{rule.id.removeprefix('contract.')}` | {WORDS[rule.severity]} | {rule.summary} |" in README


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_test_that_expects_it(rule: str) -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_contract_*.py"))
    assert f'"{rule.removeprefix("contract.")}"' in tests or f'"{rule}"' in tests


def test_a_rule_is_explained() -> None:
    text = explain("contract.type-changed", {}, None)
    assert "a value has another type" in text
    assert "keep the type" in text
