"""The 26 variables, their answers, and the guideline that is made of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from filled import filled

from gates.config.model import DEFAULT_TARGETS
from gates.errors import ConfigurationError
from gates.guidelines import RULES
from gates.guidelines.demanded import demand_of
from gates.guidelines.examples import FRAMEWORKS, default_answers
from gates.guidelines.rendering import render, template
from gates.guidelines.variables import NUMBERS, USUAL_TARGETS, VARIABLES, check_answer, targets_of
from gates.profiles import list_profiles
from gates.targets import kind_of


def test_the_variables_are_those_of_the_template() -> None:
    assert len(VARIABLES) == 26
    used = re.findall(r"\{([A-Z_]+)\}", template())
    assert set(used) == set(VARIABLES)
    body = template().partition("## Template Customization Variables")[0]
    assert set(re.findall(r"\{([A-Z_]+)\}", body)) == set(VARIABLES)


def test_every_number_is_a_target_of_gates_toml_and_its_example_the_default() -> None:
    assert len(NUMBERS) == 9
    for name, target in NUMBERS.items():
        kind, unit = kind_of(target), VARIABLES[name].unit
        assert kind is not None
        assert unit is not None
        assert kind.dimension == unit.dimension
    for target, text in USUAL_TARGETS.items():
        assert demand_of(target, DEFAULT_TARGETS[target]).value == pytest.approx(demand_of(target, text).value)
        assert DEFAULT_TARGETS[target][:2] == text[:2]
    assert set(NUMBERS.values()) - set(USUAL_TARGETS) == {"database.connections"}


@pytest.mark.parametrize("name", VARIABLES)
def test_every_example_is_an_answer(name: str) -> None:
    assert check_answer(name, VARIABLES[name].example) == VARIABLES[name].example
    assert VARIABLES[name].question.endswith("?") or "(" in VARIABLES[name].question


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS))
def test_the_guideline_of_a_framework_is_the_template_with_every_placeholder_filled(framework: str) -> None:
    text, answers = filled(framework), default_answers(framework)
    assert list(answers) == list(VARIABLES)
    assert re.findall(r"\{[A-Z_]+\}", text) == []
    assert "Template Customization" not in text
    body = template().partition("---\n\n## Template Customization")[0]
    for name, answer in answers.items():
        body = body.replace(f"{{{name}}}", answer)
    assert text == body.rstrip() + "\n"


def test_every_profile_has_examples_or_is_told_to_be_like_any() -> None:
    for profile in list_profiles("backends", Path("nowhere")):
        assert profile.name in FRAMEWORKS, profile.name


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("RESPONSE_TIME_TARGET", "fast", "is no number in ms: 'fast'"),
        ("RESPONSE_TIME_TARGET", "-100", "is no number in ms: '-100'"),
        ("RESPONSE_TIME_TARGET", "0", "is not above 0"),
        ("RESPONSE_TIME_TARGET", "512 MB", "is no number in ms"),
        ("RESPONSE_TIME_TARGET", "", "is no number in ms: ''"),
        ("TEST_COVERAGE_TARGET", "101", "is not above 0 and at most 100: '101'"),
        ("CONCURRENT_REQUESTS_TARGET", "1.5", "is not a whole number: '1.5'"),
        ("CONCURRENT_REQUESTS_TARGET", "100 ms", "is no number: '100 ms'"),
        ("MEMORY_USAGE_TARGET", "9" * 400, "is no number in MB: '999999999999999999999999999999…'"),
        ("MEMORY_USAGE_TARGET", True, "is neither a text nor a number"),
        ("AUTH_METHOD", ["JWT"], "is neither a text nor a number"),
        ("AUTH_METHOD", "  ", "is empty"),
        ("AUTH_METHOD", "JWT\ntokens", "is not one line of text"),
        ("AUTH_METHOD", "JWT\x1b[31m", "is not one line of text"),
        ("AUTH_METHOD", "the {SECRET_MANAGEMENT} of {DOMAIN}", "contains the placeholder {SECRET_MANAGEMENT}"),
        ("DATABASE_EXAMPLE", "SELECT { DOMAIN }", "contains the placeholder { DOMAIN }"),
        ("DATABASE_EXAMPLE", "a\n```\n# Injected", "contains ```"),
        ("DATABASE_EXAMPLE", "x" * 10_001, "has more than 10,000 characters"),
        ("AUTH_METHOD", "x" * 201, "has more than 200 characters"),
        ("DOMAIN", "orders\x00", "is not one line of text"),
        ("DOMAIN", "{}", "is not a plain name"),
        ("MAIN_MODULE", "../../etc (x)", "is not a plain name"),
        ("LANGUAGE_EXTENSION", "python and more", "is not a plain name"),
    ],
)
def test_an_answer_that_cannot_stand_there_is_refused_in_a_sentence(name: str, answer: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_answer(name, answer)
    assert message in caught.value.message
    assert caught.value.message.startswith(f"the answer for {name} ")
    assert VARIABLES[name].question in caught.value.hint


@pytest.mark.parametrize(
    ("name", "answer", "written"),
    [
        ("RESPONSE_TIME_TARGET", "0.25 s", "250"),
        ("RESPONSE_TIME_TARGET", 80, "80"),
        ("RESPONSE_TIME_TARGET", 0.5, "0.5"),
        ("RESPONSE_TIME_TARGET", "1.125 s", "1125"),
        ("RESPONSE_TIME_TARGET", "1,125 ms", "1125"),
        ("RESPONSE_TIME_TARGET", "0.0011255 s", "1.1255"),
        ("RESPONSE_TIME_TARGET", "0.001125 s", "1.1250"),
        ("MEMORY_USAGE_TARGET", "1.5 GB", "1500"),
        ("TEST_COVERAGE_TARGET", ">= 87,5 %", "87.5"),
        ("SUCCESS_RESPONSE_EXAMPLE", "\n{\n  {}\n}\n", "{\n  {}\n}"),
        ("ERROR_RESPONSE_EXAMPLE", "f'{orderId} ${DOMAIN}'", "f'{orderId} ${DOMAIN}'"),
        ("AUTH_METHOD", " JWT {RS256} ", "JWT {RS256}"),
    ],
)
def test_an_answer_is_written_in_the_unit_of_its_variable(name: str, answer: object, written: str) -> None:
    assert check_answer(name, answer) == written


def test_nothing_is_filled_in_twice() -> None:
    # An answer that looks like a placeholder of another kind stays as it was given.
    assert "Implement {NOT_OURS} tokens" in filled(AUTH_METHOD="{NOT_OURS} tokens")


def test_an_unknown_variable_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="the guideline has no variable 'MEMORY_TARGET'") as caught:
        render({"MEMORY_TARGET": "1"})
    assert "did you mean MEMORY_USAGE_TARGET?" in caught.value.hint


def test_a_missing_answer_is_named() -> None:
    answers = default_answers("go")
    del answers["DOMAIN"]
    with pytest.raises(ConfigurationError, match="there is no answer for DOMAIN"):
        render(answers)


def test_two_numbers_of_one_target_are_the_same() -> None:
    with pytest.raises(
        ConfigurationError, match=r"RESPONSE_TIME_TARGET is 50, SIMPLE_QUERY_TARGET is 100.*response_time.simple"
    ):
        filled(RESPONSE_TIME_TARGET="50")
    assert targets_of({"RESPONSE_TIME_TARGET": "50"}) == {"response_time.simple": "<= 50 ms"}


def test_the_manual_has_a_row_for_each_variable_and_each_rule() -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text("utf-8")
    for name, variable in VARIABLES.items():
        (row,) = (line for line in readme.split("\n") if line.startswith(f"| `{name}` |"))
        assert variable.question in row
        assert (f"| `{variable.target}` |" in row) if variable.target else row.endswith("|  |")
    for rule in RULES:
        assert f"\n| `{rule}` | " in readme
