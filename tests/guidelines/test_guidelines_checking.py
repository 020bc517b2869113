"""What is wrong with a guideline is a finding with its rule, its line, and both values."""

from __future__ import annotations

import pytest
from filled import NUMBERS, TOML, check, demands, filled, line_of, replaced

from gates.guidelines import RULES
from gates.guidelines.demanded import collect_demands, written_keys
from gates.guidelines.rendering import template
from gates.guidelines.variables import VARIABLES
from gates.results import Severity


def test_a_guideline_that_says_the_same_as_gates_toml_has_no_finding() -> None:
    checked = check(filled())
    assert checked.findings == ()
    assert (checked.placeholders, checked.stated, checked.equal, checked.silent) == (0, 9, 9, ())


def test_the_template_as_it_is_lacks_everything() -> None:
    checked = check(template())
    left = [finding for finding in checked.findings if finding.rule == "guideline.placeholder"]
    assert checked.placeholders == 26
    assert {name for name in VARIABLES if any(f"{{{name}}}" in finding.message for finding in left)} == set(VARIABLES)
    (section,) = (finding for finding in left if "Template Customization Variables" in finding.message)
    assert section.line == line_of(template(), "## Template Customization Variables")
    assert checked.stated == 0


@pytest.mark.parametrize(
    "written", ["{AUTH_METHOD}", "{ AUTH_METHOD }", "{{AUTH_METHOD}}", "<AUTH_METHOD>", "`{AUTH_METHOD}`"]
)
def test_a_placeholder_is_found_with_its_line(written: str) -> None:
    text = replaced(filled(), "Implement token-based authentication", f"Implement {written}")
    (finding,) = check(text).findings
    assert (finding.rule, finding.severity) == ("guideline.placeholder", Severity.HIGH)
    assert finding.line == line_of(text, f"Implement {written}")
    assert "{AUTH_METHOD}" in finding.message
    assert VARIABLES["AUTH_METHOD"].question in finding.fix


def test_a_placeholder_in_code_counts_and_several_of_one_name_are_one() -> None:
    text = filled().replace("```python", "```{LANGUAGE_EXTENSION}")
    (finding,) = check(text).findings
    lines = [number for number, line in enumerate(text.split("\n"), 1) if "{LANGUAGE_EXTENSION}" in line]
    assert finding.line == lines[0]
    assert f"(also on line {', '.join(map(str, lines[1:]))})" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "GET /orders/{orderId}",
        "f'{order.id}'",
        "cd ${BACKEND_DIR}",
        "{domain}",
        "{ }",
        "`{NOT_OURS}`",
        "Map<String, T>",
    ],
)
def test_braces_that_are_meant_are_no_placeholders(text: str) -> None:
    assert check(filled() + f"\n{text}\n").findings == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [("Deployed to {CLUSTER_NAME}.", "{CLUSTER_NAME}"), ("- **Owner:** TBD", "TBD"), ("- **Limit:** < ??", "??")],
)
def test_what_only_looks_like_a_placeholder_is_pointed_out(text: str, word: str) -> None:
    whole = filled() + f"\n{text}\n"
    (finding,) = check(whole).findings
    assert (finding.rule, finding.severity) == ("guideline.placeholder", Severity.LOW)
    assert word in finding.message
    assert finding.line == line_of(whole, text)
    assert check(filled() + f"\n```\n{text}\n```\n").findings == ()


def test_the_section_of_the_template_is_one_finding_and_a_harmless_one_once_it_names_nothing() -> None:
    explained = "\n## Template Customization Variables\n\n- `{DOMAIN}` - Your business domain\n"
    (finding,) = check(filled() + explained).findings
    assert (finding.severity, finding.line) == (Severity.MEDIUM, line_of(filled() + explained, "## Template"))
    (finding,) = check(filled() + explained.replace("{DOMAIN}", "orders")).findings
    assert finding.severity is Severity.LOW
    assert len(check(filled() + explained + "\n## More\n\n{DOMAIN}\n").findings) == 2


def test_a_number_that_differs_names_both_lines_and_both_values() -> None:
    text = replaced(filled(), "- **Complex Operations:** < 500ms", "- **Complex Operations:** < 400ms")
    (finding,) = check(text, path="docs/GUIDE.md").findings
    assert (finding.rule, finding.severity) == ("guideline.number-differs", Severity.HIGH)
    assert (finding.path, finding.line) == ("docs/GUIDE.md", line_of(text, "< 400ms"))
    toml_line = line_of(TOML, "response_time.complex")
    assert f"docs/GUIDE.md:{finding.line} says" in finding.message
    assert "< 400ms" in finding.message
    assert f'gates.toml:{toml_line} demands response_time.complex = "<= 500 ms"' in finding.message
    assert 'response_time.complex = "<= 400 ms"' in finding.fix


def test_the_same_number_in_several_places_is_one_finding_with_all_their_lines() -> None:
    text = filled(SIMPLE_QUERY_TARGET="50", RESPONSE_TIME_TARGET="50")
    checked = check(text)
    (finding,) = checked.findings
    assert finding.line == line_of(text, "(<50ms for")
    assert f"(also on line {line_of(text, '- **Simple Queries:** < 50ms')})" in finding.message
    assert (checked.stated, checked.equal) == (9, 7)


def test_its_identity_survives_moves_and_rewording_and_not_another_number() -> None:
    def identity(sentence: str, before: str = "") -> str:
        text = before + replaced(filled(), "- **Complex Operations:** < 500ms", sentence)
        (finding,) = check(text).findings
        return finding.fingerprint

    first = identity("- **Complex Operations:** < 400ms")
    assert identity("- At most 0.4 s for complex operations", "# A title\n\n") == first
    assert identity("- **Complex Operations:** < 401ms") != first


def test_a_number_that_gates_toml_does_not_say() -> None:
    text = filled(COMPLEX_OPERATION_TARGET="400")
    (finding,) = (one for one in check(text, demands("")).findings if "complex" in one.message)
    assert (finding.rule, finding.severity) == ("guideline.target-missing", Severity.MEDIUM)
    assert "gates.toml does not say response_time.complex; without it '<= 500 ms' holds" in finding.message
    assert 'write response_time.complex = "<= 400 ms" into [targets]' in finding.fix
    (finding,) = check(filled(), demands("")).findings
    assert "gates.toml does not say database.connections, so that nothing demands it" in finding.message


def test_what_gates_toml_shows_in_a_comment_was_left_out_on_purpose() -> None:
    toml = '[targets]\n# database.connections = "<= 20"\n# response_time.complex = "<= 400 ms"\n'
    findings = check(filled(COMPLEX_OPERATION_TARGET="400"), demands(toml)).findings
    assert {(one.rule, one.severity) for one in findings} == {
        ("guideline.target-missing", Severity.INFO), ("guideline.target-missing", Severity.MEDIUM),
    }  # fmt: skip
    (shown,) = (one for one in findings if one.severity is Severity.INFO)
    assert "which gates.toml:2 has in a comment only" in shown.message
    # Another number in the comment is no reason.
    toml = toml.replace("<= 20", "<= 30")
    assert all(
        one.severity is Severity.MEDIUM for one in check(filled(COMPLEX_OPERATION_TARGET="400"), demands(toml)).findings
    )


def test_a_phase_may_demand_more_and_one_that_demands_less_is_pointed_out() -> None:
    toml = TOML + '[[phases]]\nname = "foundation"\ntargets.response_time.simple = "<= 80 ms"\n'
    stricter = collect_demands(toml, NUMBERS, "foundation", 0, {"response_time.simple": "<= 80 ms"})
    assert check(filled(), stricter).findings == ()
    of_the_phase = filled(SIMPLE_QUERY_TARGET="80", RESPONSE_TIME_TARGET="80")
    assert check(of_the_phase, stricter).findings == ()
    both = replaced(filled(), "- **Simple Queries:** < 100ms", "- **Simple Queries:** < 80ms")
    assert check(both, stricter).findings == ()
    toml = toml.replace("80 ms", "120 ms")
    looser = collect_demands(toml, NUMBERS, "foundation", 0, {"response_time.simple": "<= 120 ms"})
    findings = check(filled(), looser).findings
    assert {one.severity for one in findings} == {Severity.LOW}
    assert (
        f"the phase foundation demands only '<= 120 ms' (gates.toml:{line_of(toml, '120 ms')})" in findings[0].message
    )
    of_the_phase = filled(SIMPLE_QUERY_TARGET="120", RESPONSE_TIME_TARGET="120")
    assert {one.severity for one in check(of_the_phase, looser).findings} == {Severity.HIGH}


def test_a_guideline_that_contradicts_itself() -> None:
    text = replaced(filled(), "(<100ms for simple operations)", "(<50ms for simple operations)")
    rules = {finding.rule: finding for finding in check(text).findings}
    assert set(rules) == {"guideline.contradiction", "guideline.number-differs"}
    finding = rules["guideline.contradiction"]
    assert finding.severity is Severity.MEDIUM
    assert finding.line == line_of(text, "- **Simple Queries:**")
    assert f"and line {line_of(text, '<50ms')} says" in finding.message


def test_an_item_of_the_definition_of_done_that_is_missing() -> None:
    text = replaced(filled(), "- [ ] Security best practices followed\n", "")
    (finding,) = check(text).findings
    assert (finding.rule, finding.severity) == ("guideline.checklist", Severity.MEDIUM)
    assert finding.line == line_of(text, "Backend Definition of Done")
    assert "'Security best practices followed'" in finding.message
    assert check(text, left_out={"security"}).findings == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- [ ] Performance targets met", "- [x] Performance targets met"),
        ("- [ ] Security best practices followed", "* Secure, as bandit sees it"),
        ("- [ ] All API endpoints implemented and tested", "1. Every endpoint is there and tested"),
        ("- [ ] Unit and integration tests passing", "- [X] All tests are green"),
        ("- [ ] API documentation updated", "- [ ] OpenAPI document is current"),
        (
            "- [ ] Phase integration points documented",
            "- [ ] What the next phase may rely on is written down (phases/*.md)",
        ),
    ],
)
def test_an_item_may_be_ticked_reworded_and_of_another_form(old: str, new: str) -> None:
    assert check(replaced(filled(), old, new)).findings == ()


def test_an_item_that_is_struck_out_is_missing() -> None:
    text = replaced(filled(), "- [ ] Performance targets met", "- ~~Performance targets met~~")
    assert [finding.rule for finding in check(text).findings] == ["guideline.checklist"]


def test_a_guideline_without_a_list() -> None:
    text = filled().partition("### ✅")[0]
    (finding,) = check(text).findings
    assert (finding.rule, finding.severity, finding.line) == ("guideline.checklist", Severity.LOW, None)
    assert check(text + "\n- **Definition of Done:** the nine items, decided by gates.\n").findings == ()


def test_what_gates_toml_demands_and_the_guideline_does_not_say_is_told() -> None:
    text = replaced(filled(), "- **Memory Usage:** Keep memory usage under 512MB\n", "")
    assert check(text).silent == ("load.memory",)


def test_every_rule_has_its_words() -> None:
    assert all(name.startswith("guideline.") and rule.why and rule.fix for name, rule in RULES.items())


@pytest.mark.parametrize(
    "toml",
    [
        '[targets]\n\nresponse_time.simple = "<= 100 ms"  # p95',
        '[targets.response_time]\n\nsimple = "<= 100 ms"',
        '# nothing\n\ntargets.response_time.simple = "<= 100 ms"',
        '[targets]\n\nresponse_time = { simple = "<= 100 ms" }',
        '[ targets ]   # all\n\nresponse_time . "simple" = "<= 100 ms"',
        "[project]\nx = '''\ntargets.response_time.simple = 1'''\n[targets]\nresponse_time.simple = '<= 100 ms'",
    ],
)
def test_a_target_is_located_however_it_is_written(toml: str) -> None:
    found = collect_demands(toml, {"response_time.simple": "<= 100 ms"}, "", 0, {})["response_time.simple"]
    assert found.line == 3 + 2 * toml.startswith("[project]")


def test_the_target_of_a_phase_is_located() -> None:
    toml = (
        '[[phases]]\nname = "one"\n[[phases]]\nname = "two"\ntargets.load.memory = "<= 1 GB"\n'
        '[[phases]]\nname = "three"\n[phases.targets]\nload.memory = "<= 2 GB"\n'
    )
    for number, line in ((0, None), (1, 5), (2, 9)):
        assert collect_demands(toml, {}, "", number, {})["load.memory"].phase_line == line


def test_keys_of_a_text_that_is_no_toml_are_no_reason_to_stop() -> None:
    assert [one.key for one in written_keys('[[[\n= =\n"\n[a]\nb = \n#c = "')] == ["a.b", "a.c"]
