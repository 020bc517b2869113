"""Rates follow what is asked, what was, or what is borne; a slow operation does not take the others' requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.load.rate import Recorded, Wish, choose_rates, lower, mean_time, scaled

WISH = Wish(rate=None, limit=200.0, share=0.4, seconds=8.0, longest=24.0, requests=120, epochs=4)


def wish(**changed: float | None) -> Wish:
    return Wish(**{**{name: getattr(WISH, name) for name in Wish.__slots__}, **changed})  # type: ignore[arg-type]


def test_a_share_of_what_one_connection_bears() -> None:
    rates = choose_rates(WISH, {"a": 0.004, "b": 0.006})
    assert rates.total == pytest.approx(0.4 / 0.005)
    assert rates.each == pytest.approx({"a": 40, "b": 40})
    assert (rates.seconds, rates.held_back) == (8.0, ())
    assert "40%" in rates.origin


def test_a_fast_backend_is_limited() -> None:
    rates = choose_rates(WISH, dict.fromkeys("abcd", 0.0001))
    assert rates.total == pytest.approx(200.0)
    assert "limit" in rates.origin


def test_the_configured_rate_is_kept_whatever_is_borne() -> None:
    rates = choose_rates(wish(rate=50.0), {"a": 1.0, "b": 0.001}, recorded=Recorded(7.0, {}), demanded=1000.0)
    assert rates.each == {"a": 25.0, "b": 25.0}


def test_the_rates_of_the_baseline_are_kept_and_new_operations_come_like_the_others() -> None:
    rates = choose_rates(WISH, {"a": 5.0, "slow": 5.0, "new": 5.0}, recorded=Recorded(10.0, {"slow": 0.5, "gone": 1.0}))
    assert rates.each == {"a": 10.0, "slow": 0.5, "new": 10.0}
    assert rates.held_back == ("slow",)


def test_a_demanded_throughput_is_tried() -> None:
    assert choose_rates(WISH, {"a": 0.01}, demanded=100.0).total >= 100.0
    assert choose_rates(WISH, {"a": 0.001}, demanded=100.0).total == pytest.approx(200.0)
    assert choose_rates(WISH, {"a": 0.5}, recorded=Recorded(2.0, {}), demanded=100.0).total == 2.0


def test_epochs_become_longer_where_operations_get_too_few_requests_and_not_without_end() -> None:
    assert choose_rates(WISH, dict.fromkeys("abcdefghij", 0.02)).seconds == pytest.approx(120 / (2.0 * 4))
    assert choose_rates(WISH, {"a": 2.0}).seconds == 24.0
    assert choose_rates(wish(requests=0), {"a": 2.0}).seconds == 8.0


def test_a_slow_operation_is_held_back_where_the_others_would_get_too_little() -> None:
    times = {"slow": 2.0, **{f"fast{number}": 0.002 for number in range(40)}}
    rates = choose_rates(WISH, times)
    assert rates.held_back == ("slow",)
    assert rates.each["fast1"] * rates.seconds * 4 == pytest.approx(120, rel=0.01)
    assert 0 < rates.each["slow"] < 0.2


def test_what_was_too_much_is_lowered_to_half_of_what_was_borne() -> None:
    rates = choose_rates(WISH, {"a": 0.004, "b": 0.006})
    assert rates.found
    lowered = lower(WISH, rates, borne=40.0)
    assert lowered.total == pytest.approx(20.0)
    assert lowered.each["a"] == lowered.each["b"] == lowered.common
    assert lower(WISH, rates, borne=500.0).total == pytest.approx(40.0)


def test_only_a_rate_that_was_found_and_meant_to_be_borne_may_be_lowered() -> None:
    assert not choose_rates(wish(rate=5.0), {"a": 0.1}).found
    assert not choose_rates(WISH, {"a": 0.1}, recorded=Recorded(1.0, {})).found
    assert not choose_rates(WISH, {"a": 0.1}, demanded=50.0).found
    assert not choose_rates(wish(share=1.5), {"a": 0.1}).found


@given(st.lists(st.floats(min_value=1e-4, max_value=5.0), min_size=1, max_size=60))
def test_together_they_never_ask_for_more_than_the_share(times: list[float]) -> None:
    service = {str(number): seconds for number, seconds in enumerate(times)}
    rates = choose_rates(WISH, service)
    assert sum(rates.each[name] * seconds for name, seconds in service.items()) <= 0.4 * 1.0001
    assert rates.total <= 200.0 * 1.0001
    assert 8.0 <= rates.seconds <= 24.0
    assert all(rate > 0 for rate in rates.each.values())


MIX = {"a": 5.0, "c": 0.2}


def test_operations_come_as_often_as_the_mix_says() -> None:
    rates = choose_rates(WISH, {"a": 0.004, "b": 0.006, "c": 0.01}, mix=MIX)
    assert rates.each == pytest.approx({"a": 5 * rates.common, "b": rates.common, "c": 0.2 * rates.common})
    assert sum(rates.each[name] * seconds for name, seconds in {"a": 0.004, "b": 0.006, "c": 0.01}.items()) == (
        pytest.approx(0.4)
    )
    assert rates.held_back == ()
    assert choose_rates(wish(rate=62.0), {"a": 1.0, "b": 1.0, "c": 1.0}, mix=MIX).each == pytest.approx(
        {"a": 50.0, "b": 10.0, "c": 2.0}
    )
    assert choose_rates(WISH, dict.fromkeys("abc", 1e-5), mix=MIX).total == pytest.approx(200.0)


def test_what_comes_seldom_makes_epochs_longer() -> None:
    times = {"a": 0.02, "c": 0.02}
    assert choose_rates(WISH, times).seconds == choose_rates(WISH, times, mix={"c": 0.5}).seconds == 8.0
    assert choose_rates(WISH, times, mix={"c": 0.1}).seconds == pytest.approx(120 / (0.1 * 0.4 / 0.022 * 4), rel=0.01)


def test_the_mix_of_the_baseline_is_kept_and_a_weight_that_changed_is_heeded() -> None:
    recorded = Recorded(10.0, {"a": 50.0, "slow": 0.5}, {"a": 5.0})
    times = {"a": 1.0, "slow": 1.0, "new": 1.0}
    assert choose_rates(WISH, times, recorded=recorded, mix={"a": 5.0}).each == {"a": 50.0, "slow": 0.5, "new": 10.0}
    changed = choose_rates(WISH, times, recorded=recorded, mix={"a": 2.0, "new": 3.0})
    assert changed.each == {"a": 20.0, "slow": 0.5, "new": 30.0}


def test_the_mean_time_of_a_request_is_that_of_the_mix() -> None:
    assert mean_time({"a": 30.0, "b": 10.0}, {"a": 0.01, "b": 0.05}) == pytest.approx(0.02)


def test_a_part_of_some_rates_keeps_their_mix() -> None:
    rates = choose_rates(WISH, {"a": 0.004, "b": 0.006}, mix=MIX)
    half = scaled(rates, 0.5, "half")
    assert half.total == pytest.approx(rates.total / 2)
    assert (half.mix, half.seconds, half.origin, half.found) == (rates.mix, rates.seconds, "half", False)
