"""Demands say what they mean in base units, and refuse what they cannot mean."""

from __future__ import annotations

import json

import pytest

from gates.demands import (
    Policy,
    Tolerances,
    format_value,
    parse_demand,
    parse_quantity,
    policy_from_data,
    policy_to_data,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [("100 ms", "time", 0.1), ("2s", "time", 2.0), ("512 MB", "size", 512e6), ("1 MiB", "size", 1048576.0),
     ("0.1 %", "share", 0.001), ("100", "count", 100.0), ("200 /s", "rate", 200.0)],
)  # fmt: skip
def test_quantities_are_read_in_base_units(text: str, dimension: str, value: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "dimension", "says"),
    [("100", "time", "needs one of the units"), ("100 mb", "size", "'MB'"), ("9 %", "count", "takes no unit"),
     ("fast", "time", "is not a quantity"), ("-1 ms", "time", "is not a quantity"), ("", "time", "is not a quantity")],
)  # fmt: skip
def test_what_is_no_quantity_says_what_would_be(text: str, dimension: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_quantity(text, dimension)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "met", "not_met"),
    [("<= 100 ms", 0.1, 0.1001), ("< 100 ms", 0.0999, 0.1), (">= 1 s", 1.0, 0.99), ("> 1 s", 1.01, 1.0),
     ("== 1 s", 1.0, 1.1)],
)  # fmt: skip
def test_each_operator_draws_its_line(text: str, met: float, not_met: float) -> None:
    demand = parse_demand(text, "time")
    assert demand.met_by(met)
    assert not demand.met_by(not_met)


def test_a_demand_without_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="does not begin with"):
        parse_demand("100 ms", "time")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.1131, "s", "113 ms"), (2.5e-5, "s", "25 µs"), (61.2, "s", "61.2 s"), (512e6, "B", "512 MB"),
     (0.8996, "ratio", "89.96 %"),
     (0.57, "ratio", "57 %"), (0.89999, "ratio", "89.99 %"), (3.0, "1", "3"), (212.34, "1/s", "212.3/s")],
)  # fmt: skip
def test_values_are_written_as_people_do_and_never_rounded_up_to_a_target(value: float, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


def test_a_policy_survives_json() -> None:
    policy = Policy(
        {"load.errors": parse_demand("<= 0.1 %", "share")}, Tolerances(performance=0.2), {"auth": "no users here"},
        frozenset({"load.errors"}),
    )  # fmt: skip
    assert policy_from_data(json.loads(json.dumps(policy_to_data(policy)))) == policy
