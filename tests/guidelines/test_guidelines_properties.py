"""Whatever the answers are: what is rendered is read again as the same numbers, and has nothing left to fill in."""

from __future__ import annotations

from filled import check
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.guidelines.checking import check_guidelines
from gates.guidelines.demanded import collect_demands, demand_of, values_of
from gates.guidelines.examples import FRAMEWORKS, default_answers
from gates.guidelines.quantities import find_quantities, same
from gates.guidelines.reading import read_guidelines
from gates.guidelines.rendering import render
from gates.guidelines.variables import NUMBERS, VARIABLES, check_answer, targets_of

_MOST = {"TEST_COVERAGE_TARGET": 100}
_LETTERS = st.characters(categories=("L", "N", "P", "S"), exclude_characters="{}<>`|#*_~")


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, str]:
    """Return an answer for each number; those of one target are the same."""
    by_target: dict[str, str] = {}
    answers = {}
    for name, target in NUMBERS.items():
        unit = VARIABLES[name].unit
        assert unit is not None
        whole = st.integers(1, _MOST.get(name, 2_000_000))
        number = (
            whole
            if unit.dimension == "count"
            else st.one_of(whole, st.decimals("0.01", _MOST.get(name, 5000), places=3))
        )
        by_target.setdefault(target, check_answer(name, str(draw(number))))
        answers[name] = by_target[target]
    return answers


@settings(max_examples=150, deadline=None)
@given(numbers(), st.sampled_from(sorted(FRAMEWORKS)))
def test_what_is_rendered_is_read_as_the_same_numbers(answers: dict[str, str], framework: str) -> None:
    text = render({**default_answers(framework), **answers})
    targets = targets_of(answers)
    found = read_guidelines(text)
    for target, demand in targets.items():
        stated = found.of(target)
        assert len(stated) == (2 if target == "response_time.simple" else 1)
        assert all(same(one.values, values_of(demand_of(target, demand))) for one in stated), (stated, demand)
    toml = "[targets]\n" + "".join(f'{target} = "{demand}"\n' for target, demand in targets.items())
    assert check_guidelines(text, collect_demands(toml, targets, "", 0, {})).findings == ()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from([name for name, one in VARIABLES.items() if one.kind == "text"]),
                       st.text(_LETTERS, min_size=1, max_size=40).map(lambda text: f"a {text} b")))  # fmt: skip
def test_no_answer_in_words_is_taken_for_a_number(answers: dict[str, str]) -> None:
    usual = default_answers("fastapi")
    text = render({**usual, **answers})
    assert [one.target for one in read_guidelines(text).numbers] == [
        one.target for one in read_guidelines(render(usual)).numbers
    ]
    assert check(text).placeholders == 0


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_looked_at(text: str) -> None:
    checked = check(text)
    assert checked.equal <= checked.stated
    assert all(finding.line is None or 1 <= finding.line <= text.count("\n") + 1 for finding in checked.findings)
    assert all(quantity.start < quantity.end for quantity in find_quantities(text))
