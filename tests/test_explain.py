"""`gates explain`: every item, gate, tool and rule has an explanation, with what decided it last time."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from judging import finding, gate, judged, policy, signed

from gates.compare.subjects import SUBJECT_RULES
from gates.config.load import build_configuration
from gates.done import ITEMS, build_done
from gates.errors import GatesError
from gates.explain import COMPARED, ITEM_TEXTS, RULES, explain
from gates.results import FindingState, Judgement, Run, Verdict
from gates.tools import TOOLS

PACKAGE = Path(__file__).parent.parent / "gates"
GATES = build_configuration(
    tomllib.loads('[project]\nname = "x"\n[gates.mine]\ntool = "bandit"\ntimeout = "90 s"'), Path("/nowhere")
).gates


@pytest.fixture
def last() -> Run:
    """A run in which a scan found something new and something known."""
    scan = gate(
        "mine", "bandit", items=["security"],
        findings=[finding("bandit.B101", mark="a", fix="mend it"), finding("fuzz.crash", mark="b")],
    )  # fmt: skip
    judged_scan = judged(scan)
    run = signed("one", judged_scan).run
    done = build_done(run.gates, policy=policy(), target_owners={}, classes={})
    return replace(run, done=done)


@pytest.mark.parametrize("item", list(ITEMS))
def test_every_item_is_explained(item: str) -> None:
    text = explain(item, GATES, None)
    assert text.startswith(f"{item}: {ITEMS[item].title}\n")  # type: ignore[index]
    assert ITEM_TEXTS[item] in text
    assert "It was not decided yet: `gates check` does." in text


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_every_tool_is_explained(tool: str) -> None:
    assert len(explain(tool, {}, None)) > len(tool) + 30


def test_a_gate_is_explained_with_its_settings_and_its_last_decisions(last: Run) -> None:
    text = explain("mine", GATES, None)
    assert text.startswith("mine: bandit. ")
    assert "timeout = 90.0" in text
    assert "It did not run yet." in text
    text = explain("mine", GATES, last)
    assert f"Last time ({last.id}): fail" in text
    assert "problem b" in text


def test_an_item_is_explained_with_its_last_reasons(last: Run) -> None:
    text = explain("security", GATES, last)
    assert f"Last time ({last.id}): fail, by mine" in text
    assert "problem b" in text


def test_a_rule_is_explained_with_what_was_found(last: Run) -> None:
    text = explain("bandit.B101", GATES, last)
    assert text.startswith("bandit.B101: bandit found a pattern")
    assert "new high: problem a → mend it" in text
    assert "problem b" not in text
    assert f"The last run ({last.id}) found none." in explain("bandit.B102", GATES, last)
    assert "found none" not in explain("bandit.B102", GATES, None)


def test_what_was_repaired_is_not_shown_as_found(last: Run) -> None:
    (result,) = last.gates
    fixed = tuple(replace(one, state=FindingState.FIXED) for one in result.readings.findings)
    repaired = replace(last, gates=(replace(result, readings=replace(result.readings, findings=fixed)),))
    assert "found none" in explain("bandit.B101", GATES, repaired)


def test_the_nearest_name_is_told() -> None:
    for asked, near in (("secruity", "security"), ("mien", "mine"), ("tests.failde", "tests.failed")):
        with pytest.raises(GatesError, match=f"there is no gate, rule or item '{asked}'") as caught:
            explain(asked, GATES, None)
        assert f"did you mean {near!r}?" in caught.value.hint


def rules_in_the_source() -> set[str]:
    """Return the rules of findings that stand in the source as texts."""
    found = set(SUBJECT_RULES)
    for path in (PACKAGE / "tools").rglob("*.py"):
        found |= set(re.findall(r'(?:rule=|inding\(\s*|Obstacle\()"([a-z]+\.[a-z.-]+)"', path.read_text("utf-8")))
    return found


def test_every_rule_that_a_tool_can_report_is_explained() -> None:
    rules = rules_in_the_source()
    assert {"tests.none", "tests.setup", "command.failed", "tests.vanished", "backend.died"} <= rules
    for rule in rules:
        assert explain(rule, GATES, None).startswith(f"{rule}: ")
    for rule, (meaning, remedy) in RULES.items():
        assert meaning.endswith(".")
        assert remedy.endswith("."), rule


@pytest.mark.parametrize("name", sorted(COMPARED))
def test_everything_that_is_compared_side_by_side_is_explained_also_by_its_short_name(name: str) -> None:
    text = explain(name, GATES, None)
    assert text.startswith(f"{name}: ")
    assert len(text.splitlines()[0]) > 100
    short = name.removeprefix("pair.")
    assert short in ITEMS or explain(short, GATES, None) == text


def test_what_was_compared_last_time_is_shown_with_its_interval(last: Run) -> None:
    judgement = Judgement(
        "pair.shift", "GET /a", "beside", "at most 5 % slower, side by side", Verdict.FAIL, "GET /a takes 1.1× as long",
        ratio=1.1, low=1.05, high=1.15, hint="find what made it slower",
    )  # fmt: skip
    run = replace(last, gates=(replace(last.gates[0], judgements=(judgement,)),))
    text = explain("pair.shift", GATES, run)
    assert "- fail: GET /a takes 1.1× as long → find what made it slower" in text
    assert "●" in text
    assert "measured, with its interval" in text
    assert "it was not judged" in explain("pair.memory", GATES, run)
    assert text.count("●") == 2
