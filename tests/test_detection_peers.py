"""The rules of other tools: what each makes of builds alike and of slower ones, at its own border."""

from __future__ import annotations

import itertools
import random
import statistics
from pathlib import Path

import pytest
from detection_rows import OPERATIONS, everything, made_rows
from scipy import stats

from benchmarks.detection import otava, peers
from benchmarks.detection.peers import PEERS, Rule
from benchmarks.detection.runs import EPOCHS, Comparison, Side, blocks, comparisons, mean


def asked(factor: float, *, noise: float = 0.002, before: int = 3) -> Comparison:
    """Return the comparison of a build that is slower by a factor everywhere, after some runs of equal builds."""
    same = made_rows(before * EPOCHS, seed=3, noise=noise)
    slower = made_rows(EPOCHS, seed=4, start=1e6, slower=everything(factor), noise=noise)
    return comparisons(blocks({"same": same, "slower": slower}))[-1]


def named(peer: peers.Peer) -> str:
    return f"{peer.name}, {peer.runs}"


@pytest.mark.parametrize("peer", PEERS, ids=named)
def test_every_rule_sees_a_build_that_takes_three_times_as_long_and_not_one_that_is_faster(peer: peers.Peer) -> None:
    assert peer.rule(asked(3.0))
    assert not peer.rule(asked(0.5))


@pytest.mark.parametrize(
    ("rule", "below", "above"),
    [
        (peers.k6_threshold, 1.18, 1.22), (peers.naive_p95, 1.09, 1.11), (peers.pytest_benchmark, 1.04, 1.06),
        (peers.github_action_benchmark, 1.98, 2.02), (peers.github_action_benchmark_150, 1.48, 1.52),
        (peers.github_action_benchmark_110, 1.09, 1.11), (peers.bencher_percentage, 1.09, 1.11),
        (peers.asv, 1.08, 1.12), (peers.asv_interleaved, 1.08, 1.12), (peers.pooled_requests, 0.99, 1.05),
    ],
)  # fmt: skip
def test_a_rule_with_a_border_has_it_there(rule: Rule, below: float, above: float) -> None:
    assert not rule(asked(below, noise=0.0005))
    assert rule(asked(above, noise=0.0005))


def test_one_operation_that_is_slower_is_enough() -> None:
    same, slower = made_rows(EPOCHS, seed=3), made_rows(EPOCHS, seed=4, start=1e6, slower={"GET /search": 1.3})
    one = comparisons(blocks({"same": same, "slower": slower}))[-1]
    assert peers.pytest_benchmark(one)
    assert peers.benchstat(one)
    assert peers.kayenta(one)
    assert not peers.k6_threshold(one)


def run_with(mean_latency: float) -> Side:
    """Return a run of which nothing but the mean of one operation is known."""
    side = Side((), ())
    side.__dict__.update(operations=("GET /a",), means={"GET /a": mean_latency})
    return side


def test_bencher_draws_its_border_from_the_spread_of_the_history() -> None:
    before = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02]
    limit = statistics.fmean(before) + stats.t.ppf(0.99, 5) * statistics.pstdev(before)
    history = tuple(map(run_with, before))
    for factor, slower in ((0.999, False), (1.001, True)):
        one = Comparison("x", run_with(limit * factor), history[-1], history[-1], history, history[0], (), ())
        assert peers.bencher_t_test(one) == slower
    alone = Comparison("x", run_with(9.0), history[0], history[0], history[:1], history[0], (), ())
    assert not peers.bencher_t_test(alone), "one run has no spread"


def test_pyperf_is_students_test_of_two_samples() -> None:
    for factor in (0.99, 1.0, 1.01, 1.02, 1.04):
        one = asked(factor, noise=0.03)
        expected = any(
            (test := stats.ttest_ind(one.now.epoch_means[name], one.then.epoch_means[name])).pvalue <= 0.05
            and test.statistic > 0
            for name in one.now.operations
        )
        assert peers.pyperf(one) == expected


def test_the_bound_of_hodges_and_lehmann_is_that_of_the_rank_test() -> None:
    draw = random.Random(3)
    first, second = [draw.gauss(1.1, 0.1) for _ in range(40)], [draw.gauss(1.0, 0.1) for _ in range(40)]
    estimate, low = peers.hodges_lehmann(first, second, 0.98)
    differences = sorted(one - other for one, other in itertools.product(first, second))
    assert estimate == pytest.approx(statistics.median(differences))
    # Moved by the bound, the two samples are just about different at 1 % on one side.
    chance = stats.mannwhitneyu([value - low for value in first], second, alternative="greater").pvalue
    assert chance == pytest.approx(0.01, rel=0.1)


def test_kayenta_takes_outliers_away_on_both_sides() -> None:
    values = [float(value) for value in range(100)]
    assert peers.without_outliers([*values, 10_000.0, -10_000.0]) == values


def test_a_run_is_the_half_of_one_build_and_no_half_is_in_two_comparisons() -> None:
    rows = {"same": made_rows(2 * EPOCHS + 3), "leak": made_rows(EPOCHS, seed=2, start=EPOCHS + 0.5)}
    ordered = blocks(rows)
    assert [(block.effect, len(block.rows)) for block in ordered] == [
        ("same", EPOCHS),
        ("same", EPOCHS),
        ("leak", EPOCHS),
    ]
    one, other = comparisons(ordered)
    assert (one.effect, other.effect) == ("same", "leak")
    assert one.then is ordered[0].old
    assert other.then is ordered[1].old
    assert other.beside is ordered[2].old
    assert other.now is ordered[2].new
    assert other.history == (ordered[0].old, ordered[1].old)
    assert other.first is ordered[0].old


def test_what_a_run_holds_is_told_by_epoch_by_second_and_as_a_whole() -> None:
    side = blocks({"same": made_rows(EPOCHS, noise=0.0)})[0].old
    exact = statistics.fmean(0.001 * (1 + number / 20) for number in range(20))
    assert side.means["GET /items"] == pytest.approx(exact, rel=0.003)
    assert len(side.epoch_means["GET /items"]) == EPOCHS
    assert statistics.fmean(side.requests["GET /items"]) == pytest.approx(exact)
    assert len(side.requests["GET /items"]) == 40 * EPOCHS
    assert len(side.seconds["GET /items"]) == 9 * EPOCHS  # from 1.5 to 9.5 s touches nine seconds
    assert side.p95 == pytest.approx(0.0019, rel=0.01)
    assert mean({}) != mean({})


def test_otava_is_given_ten_runs_and_the_new_one() -> None:
    assert otava.series_of(asked(1.1, before=9)) is None
    series = otava.series_of(asked(1.1, before=12))
    assert series is not None
    assert set(series) == {*OPERATIONS, "p95"}
    for values in series.values():
        assert len(values) == 11
        assert values[-1] == pytest.approx(1.1 * values[0], rel=0.02)


def test_that_otava_cannot_be_had_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otava, "VERSION", "0.0.0.dev0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(otava.NoOtava, match=r"apache-otava 0\.0\.0\.dev0 cannot be installed"):
        otava.installed(tmp_path / "otava")
