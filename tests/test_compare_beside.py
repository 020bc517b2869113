from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from judging import OTHER_MACHINE, after, gate, judged, number, only, policy, signed

from gates.explain import explain
from gates.reports.terminal import render
from gates.reports.terminal.ink import Ink
from gates.reports.terminal.interval import draw_interval, intervals
from gates.results import GateResult, Judgement, Measurement, Run, Verdict
from gates.store import Store
from gates.tools import TOOLS

WAVES = (-0.006, 0.004, 0.002, -0.003, 0.006, -0.001, 0.002, -0.004)
OPERATIONS = ("GET /a", "GET /orders")


def pair(name: str, scope: str, ratio: float, *, noise: float = 1.0, epochs: int = 8, **more: Any) -> Measurement:
    samples = tuple(math.log(ratio) + noise * wave for wave in (WAVES * 2)[:epochs])
    return Measurement(f"pair.{name}", ratio, "ratio", "lower", scope, samples=samples, **more)


def failing(scope: str, now: int, then: int, of: int = 4000) -> list[Measurement]:
    return [
        Measurement(name, count / of, "ratio", "lower", scope, count=count, total=of)
        for name, count in (("pair.errors", now), ("pair.errors_before", then))
    ]


def beside(*more: Measurement, slow: float = 1.0, confirmed: int = 0, epochs: int = 8, **options: Any) -> GateResult:
    """A load gate measured side by side; `slow` is how much slower GET /orders became."""
    found = [number("pair.planned", 12, better="neither"), number("pair.confirmed", confirmed, better="neither")]
    for operation in OPERATIONS:
        ratio = slow if operation == "GET /orders" else 1.0
        found += [pair("shift", operation, ratio, epochs=epochs, **options), pair("p95", operation, ratio, noise=3)]
        found += [number("load.p50", 0.010, "s", scope=operation, samples=(0.01,) * 4)]
        found += [number("load.p95", 0.020, "s", scope=operation, samples=(0.02,) * 4, total=9000)]
    found += [pair("shift", "", 1.0), pair("p95", "", 1.0), pair("memory", "", 1.0)]
    replaced = {(one.name, one.scope) for one in more}
    return gate(
        "load", "locust", measurements=[one for one in found if (one.name, one.scope) not in replaced] + list(more)
    )


def kinds(result: GateResult) -> set[str]:
    return {judgement.kind for judgement in result.judgements}


def test_two_equal_builds_pass_where_stored_runs_could_not_tell() -> None:
    result = judged(beside(), None, signed("foundation", beside(), machine=OTHER_MACHINE), classes={})
    assert result.verdict is Verdict.PASS
    assert kinds(result) == {"beside", "findings"}
    shift = only(result, "beside", "pair.shift", "GET /orders")
    assert (shift.samples, shift.value, shift.unit) == (8, 0.010, "s")
    assert shift.ratio == pytest.approx(1.0)
    assert judged(result, None, signed("foundation", beside(), machine=OTHER_MACHINE), classes={}) == result


def test_a_slower_operation_is_named_in_words_that_a_person_believes() -> None:
    result = judged(beside(slow=1.08, confirmed=4), None, signed("foundation", beside()), classes={})
    assert result.verdict is Verdict.FAIL
    failed = [one for one in result.judgements if one.verdict is Verdict.FAIL]
    assert {one.scope for one in failed} == {"GET /orders"}
    reason = only(result, "beside", "pair.shift", "GET /orders").reason
    assert reason.startswith("GET /orders takes 1.080× (1.07")
    assert "as long as in foundation, measured side by side in 8 epochs; 5 % is tolerated" in reason
    assert "this run could have seen 1." in reason
    assert only(result, "beside", "pair.shift", "GET /orders").hint.startswith("find what made it slower")


def test_less_throughput_fails_and_says_what_both_get_through() -> None:
    rates = [
        number("pair.rate", 800.0, "1/s", better="neither"),
        number("pair.rate_before", 1000.0, "1/s", better="neither"),
    ]
    result = judged(
        beside(pair("throughput", "", 1.25), *rates, confirmed=4), None, signed("foundation", beside()), classes={}
    )
    assert [(one.measurement, one.verdict) for one in result.judgements if one.verdict is Verdict.FAIL] == [
        ("pair.throughput", Verdict.FAIL)
    ]
    judgement = only(result, "beside", "pair.throughput")
    assert judgement.reason.startswith("throughput was 1.250× (1.24")
    assert (
        "what it is now in foundation (1000/s then, 800/s now), measured side by side in 8 epochs" in judgement.reason
    )
    assert (judgement.value, judgement.unit) == (800.0, "1/s")
    assert judgement.demand == "at most 5 % less, side by side"
    assert draw_interval(judgement) is not None
    equal = judged(beside(pair("throughput", "", 1.0), *rates), None, signed("foundation", beside()), classes={})
    assert equal.verdict is Verdict.PASS
    bare = judged(beside(pair("throughput", "", 1.25), confirmed=4), None, signed("foundation", beside()), classes={})
    assert "what it is now in foundation, measured" in only(bare, "beside", "pair.throughput").reason


def test_a_fail_without_its_confirmation_is_undecided() -> None:
    result = judged(beside(slow=1.08), None, signed("foundation", beside()), classes={})
    assert result.verdict is Verdict.UNKNOWN
    assert only(result, "beside", "pair.shift", "GET /orders").reason.endswith("4 more epochs would decide it")


def test_what_stays_open_says_how_many_epochs_would_decide_it() -> None:
    wide = pair("shift", "GET /orders", 1.03, noise=8)
    result = judged(beside(wide), None, signed("foundation", beside()), classes={})
    assert result.verdict is Verdict.UNKNOWN
    judgement = only(result, "beside", "pair.shift", "GET /orders")
    assert "more epochs would decide it" in judgement.reason
    assert judgement.hint.startswith("measure on a quieter machine, or set `pair_epochs` of this gate to ")
    assert result.reason == judgement.reason


def test_comparisons_with_stored_runs_are_left_out_and_targets_stay() -> None:
    slow = beside(number("load.p95", 9.0, "s", scope="GET /a", samples=(9.0, 9.1, 8.9, 9.0), total=9000))
    rules = policy({"response_time.simple": "<= 100 ms"})
    result = judged(slow, rules, signed("one", beside()), signed("two", beside()), classes={"GET /a": "simple"})
    assert not kinds(result) & {"baseline", "best", "relative"}
    assert [one.kind for one in result.judgements if one.verdict is Verdict.FAIL] == ["target"]


def test_what_the_baseline_measured_and_this_run_did_not_is_still_missed() -> None:
    then = beside(number("load.p95", 0.02, "s", scope="GET /gone", samples=(0.02,) * 4))
    result = judged(beside(), None, signed("foundation", then), classes={"GET /gone": "simple"})
    assert only(result, "baseline", "load.p95", "GET /gone").verdict is Verdict.UNKNOWN


def test_an_operation_that_is_new_has_no_pair_and_no_judgement() -> None:
    new = number("load.p95", 0.02, "s", scope="GET /new", samples=(0.02,) * 4)
    result = judged(beside(new), None, signed("foundation", beside()), classes={})
    assert result.verdict is Verdict.PASS
    assert not [one for one in result.judgements if one.scope == "GET /new"]


def test_where_failures_rose_that_is_reported_and_not_the_time() -> None:
    result = judged(beside(*failing("GET /orders", 84, 4), slow=0.5), None, signed("foundation", beside()), classes={})
    judgement = only(result, "beside", scope="GET /orders")
    assert (judgement.measurement, judgement.verdict) == ("pair.errors", Verdict.FAIL)
    assert judgement.reason == (
        "84 of 4,000 answers of GET /orders failed (2.1 %); beside it, 4 of 4,000 in foundation (0.1 %); "
        "its times are not judged, failing answers look fast"
    )
    steady = judged(beside(*failing("GET /orders", 4, 4)), None, signed("foundation", beside()), classes={})
    assert steady.verdict is Verdict.PASS


def test_a_p99_of_too_few_requests_is_not_judged_and_says_so() -> None:
    result = judged(beside(pair("p99", "", 1.5, total=2000)), None, signed("foundation", beside()), classes={})
    judgement = only(result, "beside", "pair.p99")
    assert judgement.verdict is Verdict.SKIPPED
    assert "it needs 1,000 requests of each build in an epoch and 10,000 in all, and there were 250" in judgement.reason
    assert result.verdict is Verdict.PASS
    waiting = judged(beside(pair("p99", "", 1.0, total=8800)), None, signed("foundation", beside()), classes={})
    assert only(waiting, "beside", "pair.p99").verdict is Verdict.UNKNOWN
    assert waiting.verdict is Verdict.UNKNOWN


def test_a_plan_without_pairs_is_no_pass() -> None:
    result = judged(gate("load", "locust", measurements=[number("pair.planned", 12)]), None, signed("one", beside()))
    assert result.verdict is Verdict.UNKNOWN
    assert any("there are no pairs" in one.reason for one in result.judgements)


def test_a_single_epoch_leaves_no_infinite_number_behind() -> None:
    single = gate("load", "locust", measurements=[number("pair.planned", 1), pair("shift", "GET /a", 1.0, epochs=1)])
    judgement = only(judged(single, None, signed("one", beside())), "beside")
    assert judgement.verdict is Verdict.UNKNOWN
    assert (judgement.ratio, judgement.high, judgement.detectable) == (None, None, None)


def test_a_loss_that_was_accepted_does_not_come_back_by_the_best_earlier_phase() -> None:
    def stored(value: float) -> GateResult:
        samples = tuple(value * math.exp(wave) for wave in WAVES)
        return gate("load", "locust", measurements=[number("load.memory", value, "B", samples=samples)])

    worse = beside(*stored(8e7).readings.measurements, pair("memory", "", 2.0), confirmed=4)
    first = after("one", stored(4e7))
    second = after("two", worse, None, first)
    assert any(
        one.verdict is Verdict.FAIL and one.measurement == "pair.memory" for one in second.run.gates[0].judgements
    )
    third = judged(stored(8e7), None, first, second, classes={})
    assert not [one for one in third.judgements if one.kind == "best"]


def line(result: GateResult, scope: str, *, ascii: bool) -> str:  # noqa: A002
    drawn = draw_interval(only(result, "beside", "pair.shift", scope), ascii=ascii)
    assert drawn is not None
    return drawn


def test_an_interval_is_drawn_where_it_lies() -> None:
    slow = judged(beside(slow=1.08, confirmed=4), None, signed("foundation", beside()), classes={})
    drawn = line(slow, "GET /orders", ascii=False)
    assert drawn.index("│") < drawn.index("╎") < drawn.index("├") < drawn.index("●") < drawn.index("┤")
    equal = line(slow, "GET /a", ascii=True)
    assert equal.isascii()
    assert equal.index("[") < equal.index("o") < equal.index("]") < equal.index("!")
    assert draw_interval(Judgement("load.p95", "", "baseline", "at most 5 % worse", Verdict.FAIL, "")) is None


def run_of(result: GateResult) -> Run:
    return signed("two", result).run


def test_the_terminal_draws_what_did_not_pass() -> None:
    result = judged(beside(slow=1.08, confirmed=4), None, signed("foundation", beside()), classes={})
    run = run_of(result)
    text = render(run, colour=False, width=100, ascii=True)
    assert "Side by side" in text
    assert re.search(r"GET /orders +1\.080x  \S*\[-*o-*\]", text)
    assert "planned" not in text
    assert text.isascii()
    passed = judged(beside(), None, signed("foundation", beside()), classes={})
    assert intervals(run_of(passed), Ink(False, 100)) == []


def test_explain_draws_every_interval_and_says_what_the_signs_mean() -> None:
    result = judged(beside(slow=1.08, confirmed=4), None, signed("foundation", beside()), classes={})
    text = explain("load", {"load": TOOLS["locust"](tool="locust")}, run_of(result))
    assert text.count("●") == 8  # seven quantities and the legend
    assert text.rstrip().endswith("│ no change   ╎ tolerated")
    before = explain("load", {"load": TOOLS["locust"](tool="locust")}, run_of(gate("load", "locust")))
    assert "no change" not in before


def test_what_was_stored_is_judged_again_as_it_was(tmp_path: Path) -> None:
    wide = pair("p95", "", 1.03, noise=5)
    result = judged(beside(wide, slow=1.08, confirmed=4), None, signed("foundation", beside()), classes={})
    run = run_of(result)
    with Store(tmp_path / "history.db") as store:
        store.begin(run)
        store.finish(run)
        (stored,) = store.run(run.id).gates
    assert stored == result
    assert judged(stored, None, signed("foundation", beside()), classes={}) == result
