"""A campaign that calibrates goes on to its end, and one with a raised floor decides and is recorded by that floor."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from test_locust_pairs import Played, an_epoch, earlier, measured, shop_context

from gates.calibration import Floor
from gates.load.rate import Rates
from gates.tools.locust import Locust
from gates.tools.locust.ratios import comparisons
from gates.tools.locust.settings import LoadSettings


def campaign(directory: Path, *script: float, floor: float = 0.01, calibrating: bool = False) -> Played:
    class Script(Played):
        pass

    Script.script = script
    context = replace(
        shop_context(directory, earlier=earlier(directory / "earlier")), floor=Floor(floor), calibrating=calibrating
    )
    made = Script(Locust(users=0, pair_epochs=8), context)
    made.rates = Rates(1.0, {"GET /a": 1.0}, 1.0, "")
    made.run()
    return made


@pytest.mark.parametrize("ratio", [1.0, 1.3])
def test_a_calibration_measures_every_planned_epoch_and_confirms_nothing(tmp_path: Path, ratio: float) -> None:
    made = campaign(tmp_path, ratio, calibrating=True)
    assert (len(made.pairs), made.confirmed) == (8, 0)


def test_the_floor_decides_when_to_stop_and_is_recorded(tmp_path: Path) -> None:
    tolerated = 1.055  # slower than the 5 % that are tolerated, by less than a floor of 6 %
    assert campaign(tmp_path / "a", tolerated).confirmed == 4
    made = campaign(tmp_path / "b", tolerated, floor=0.06)
    assert (len(made.pairs), made.confirmed) == (8, 0)
    assert measured(made.comparisons(), "pair.floor")[""].value == 0.06


def test_what_being_asked_first_costs_is_measured_apart_from_the_shift() -> None:
    epoch = an_epoch(1.0)
    for name, ratios in epoch.ratios.items():
        ratios.new_first, ratios.old_first = {40: 20}, {-20: 20}
        assert name == "GET /a"
    order = measured(comparisons([epoch], [epoch], planned=1, confirmed=0), "pair.order")[""]
    assert order.samples == pytest.approx((0.015,), abs=6e-4)
    assert order.value == pytest.approx(math.exp(0.015), abs=1e-3)
    assert order.better == "neither"


def test_what_shapes_the_load_on_two_builds_is_told_from_what_does_not() -> None:
    def digest(**settings: object) -> str:
        return LoadSettings.pairing(Locust(**settings))

    for other in ({"pair_epochs": 21}, {"users": 7}, {"epochs": 9}, {"timeout": "20 min"}, {"profile": "mine"}):
        assert digest(**other) == digest(), other
    for other in ({"pair_seconds": "9 s"}, {"rate": "70 /s"}, {"exclude": ["GET /a"]}, {"warm_up": "4 s"}):
        assert digest(**other) != digest(), other
