"""Which operation made the others slower: told where one stands out, and never a change of what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gates.compare.culprit import name_causes
from gates.results import Judgement, JudgementKind, Verdict


def shift(
    scope: str, ratio: float, *, error: float = 0.01, measurement: str = "pair.shift", kind: JudgementKind = "beside"
) -> Judgement:
    verdict = Verdict.FAIL if ratio - error > 1.01 else Verdict.PASS
    return Judgement(
        measurement, scope, kind, "at most 5 % slower", verdict, f"{scope} takes {ratio}×", ratio=ratio,
        low=ratio - error, high=ratio + error, hint="find what made it slower" if verdict is Verdict.FAIL else "",
    )  # fmt: skip


def told(*judgements: Judgement) -> Mapping[str, Judgement]:
    found = name_causes(judgements)
    assert sorted(one.verdict for one in found) == sorted(one.verdict for one in judgements)
    return {one.scope: one for one in found}


def order(judgements: Sequence[Judgement]) -> list[str]:
    return [one.scope for one in judgements]


NEIGHBOURS = [shift("", 1.12), shift("GET /a", 1.08), shift("GET /b", 1.07), shift("GET /calm", 1.0)]


def test_the_operation_that_became_slower_by_far_comes_first_and_the_others_point_to_it() -> None:
    judgements = [*NEIGHBOURS, shift("GET /report", 3.1)]
    found = name_causes(judgements)
    assert order(found) == ["GET /report", "", "GET /a", "GET /calm", "GET /b"]
    by_scope = told(*judgements)
    assert by_scope["GET /report"] == judgements[-1]
    assert by_scope["GET /calm"] == judgements[3]
    assert by_scope["GET /a"].reason == (
        "GET /a takes 1.08×; probably because of GET /report (3.10×): what waits behind it becomes slower as well "
        "(the other operations 1.07×)"
    )
    assert by_scope["GET /a"].hint == "look at GET /report first; find what made it slower"
    assert by_scope[""].reason == " takes 1.12×; what became slower than the others is GET /report (3.10×)"


@pytest.mark.parametrize(
    "judgements",
    [
        [shift("GET /a", 1.10), shift("GET /b", 1.12), shift("GET /c", 1.11)],
        [shift("GET /a", 1.10), shift("GET /b", 1.15), shift("GET /c", 1.11)],
        [shift("GET /a", 1.10), shift("GET /b", 1.40, error=0.31), shift("GET /c", 1.10)],
        [shift("GET /a", 1.40), shift("GET /b", 1.41), shift("GET /c", 1.0)],
        [shift("GET /a", 1.4)],
        [],
    ],
    ids=["all alike", "not by far", "not certain", "most of them", "alone", "nothing"],
)
def test_where_none_stands_out_nothing_is_said(judgements: list[Judgement]) -> None:
    assert name_causes(judgements) == judgements


def test_an_operation_that_slowed_down_alone_needs_no_words() -> None:
    judgements = [shift("GET /a", 1.0), shift("GET /b", 1.001), shift("GET /report", 1.3)]
    assert name_causes(judgements) == judgements


def test_two_of_five_may_be_the_causes() -> None:
    judgements = [shift("GET /a", 1.05), shift("GET /b", 1.04), shift("GET /c", 1.03),
                  shift("GET /x", 2.0), shift("GET /y", 2.2)]  # fmt: skip
    assert order(name_causes(judgements)) == ["GET /y", "GET /x", "GET /a", "GET /b", "GET /c"]
    assert "because of GET /y (2.20×) and GET /x (2.00×)" in told(*judgements)["GET /a"].reason


def test_a_tail_is_explained_by_the_tail_of_another_where_the_middles_tell_nothing() -> None:
    judgements = [shift(scope, 1.0) for scope in ("GET /a", "GET /b", "GET /c")]
    judgements += [shift(scope, ratio, measurement="pair.p95")
                   for scope, ratio in (("GET /a", 1.2), ("GET /b", 1.01), ("GET /c", 2.5))]  # fmt: skip
    found = [one for one in name_causes(judgements) if one.verdict is Verdict.FAIL]
    assert order(found) == ["GET /c", "GET /a"]
    assert "probably because of GET /c (2.50×)" in found[1].reason


def test_memory_and_targets_are_nobodys_fault() -> None:
    memory = shift("", 1.5, measurement="pair.memory")
    target = Judgement("load.p95", "GET /a", "target", "<= 1 s", Verdict.FAIL, "too slow")
    found = name_causes([memory, target, *NEIGHBOURS, shift("GET /report", 3.1)])
    assert found[:2] == [memory, target]


def test_against_a_stored_run_the_operation_that_is_slower_than_the_others_is_named() -> None:
    absolute = [shift("", 1.5, measurement="load.p50", kind="baseline"),
                shift("GET /a", 1.4, measurement="load.p95", kind="baseline"),
                shift("GET /report", 3.0, measurement="load.p95", kind="baseline")]  # fmt: skip
    relative = [shift(scope, ratio, measurement="load.p50", kind="relative")
                for scope, ratio in (("GET /a", 1.0), ("GET /b", 1.0), ("GET /report", 2.4))]  # fmt: skip
    found = name_causes([*absolute, *relative])
    failed = [(one.kind, one.scope) for one in found if one.verdict is Verdict.FAIL]
    assert failed == [
        ("baseline", "GET /report"),
        ("relative", "GET /report"),
        ("baseline", ""),
        ("baseline", "GET /a"),
    ]
    reason = next(one.reason for one in found if one.scope == "GET /a" and one.kind == "baseline")
    assert reason.endswith("probably because of GET /report (2.40×): what waits behind it becomes slower as well")
