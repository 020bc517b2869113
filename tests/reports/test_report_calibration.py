"""A calibration and intervals as people read them: on narrow and wide terminals, in a pipe, with many operations."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import replace

import pytest
from report_samples import passing_run

from gates.calibration import Calibration, Noise, Trial
from gates.reports.calibration import calibration_json
from gates.reports.terminal import render_calibration
from gates.reports.terminal.calibration import conclusions
from gates.reports.terminal.ink import Ink
from gates.reports.terminal.interval import Interval, intervals, one_scale
from gates.results import GateResult, Judgement, Run, Verdict

MACHINE = {"processor": "AMD EPYC", "cores": "2", "memory": "8.0 GiB", "kernel": "Linux 6", "architecture": "x86_64"}


def noise(
    name: str, scope: str, sd: float = 0.01, bias: float = 0.0, needed: int | None = 6, seen: float = 0.03
) -> Noise:
    return Noise(f"pair.{name}", scope, 0.05, (bias,) * 12, bias, 0.6 * sd, sd, seen, needed)


def calibration(*more: Noise, **changes: object) -> Calibration:
    found = Calibration(
        "2026-11-24T12:00:00Z", "load", "sha256:1", MACHINE, "0.1.0", "c0ffee" * 6, 12, 12, 27.0, 0.01, 0.01,
        math.log(1.02), (noise("shift", ""), noise("p95", "", 0.03, seen=0.06), noise("memory", "", 0.001), *more),
        Trial("pass", 6),
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def shown(found: Calibration, width: int = 100, **options: bool) -> str:
    return render_calibration(found, colour=False, width=width, **options)


def words(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def test_a_quiet_machine_is_told_what_to_expect() -> None:
    text = words(shown(calibration(noise("shift", "GET /a", seen=0.04), noise("shift", "GET /b", seen=0.09))))
    assert "load: commit c0ffeec0ffee measured beside itself" in text
    assert "AMD EPYC, 2 cores" in text
    assert "passes the unchanged build after 6 epochs" in text
    assert "the ordinary floor holds: less than 1 % worse is taken for none" in text
    assert "takes 2 % longer than its twin" in text
    assert (
        "3 % in all requests together, 4 % to 9 % in one operation, 6 % in their p95 or p99, 3 % in memory on" in text
    )
    assert "An unchanged build usually passes after 6 epochs, about 2 min 42 s" in text


@pytest.mark.parametrize(
    ("change", "verdict", "told"),
    [
        ({"floor": 0.018, "wanted": 0.018}, Verdict.PASS, "raised from 1 % to 1.8 % here"),
        ({"floor": 0.03, "wanted": 0.07}, Verdict.UNKNOWN, "too noisy: identical builds may differ by 7 % here"),
        ({"trial": Trial("fail", 8, ("pair.shift of GET /a",))}, Verdict.FAIL, "FALSE ALARM"),
        ({"trial": Trial("open", 12)}, Verdict.UNKNOWN, "is undecided after 12 epochs"),
        ({"noise": (noise("shift", "", needed=28),)}, Verdict.UNKNOWN, "set `pair_epochs` to 28"),
        ({"noise": (noise("shift", "", needed=None),)}, Verdict.UNKNOWN, "set longer `pair_seconds`"),
        ({"order": math.log(0.95)}, Verdict.PASS, "takes 5 % shorter than its twin"),
    ],
)
def test_what_is_not_as_it_should_be_is_marked_and_says_what_helps(
    change: dict[str, object], verdict: Verdict, told: str
) -> None:
    found = calibration(**change)
    assert [one for one, text in conclusions(found) if told in text] == [verdict]
    assert (told in words(shown(found, quiet=True))) is (verdict is not Verdict.PASS)
    assert shown(calibration(), quiet=True) == ""


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("operations", [1, 40])
@pytest.mark.parametrize("ascii", [False, True])
def test_no_line_is_wider_than_the_terminal_and_every_operation_is_there(
    width: int,
    operations: int,
    ascii: bool,  # noqa: A002
) -> None:
    many = [noise("shift", f"GET /a/rather/long/path/{number}/of/things", 0.02) for number in range(operations)]
    text = shown(calibration(*many, noise("shift", "GET /日本語")), width, ascii=ascii)
    for line in text.splitlines():
        cells = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)
        assert cells <= width, line
    joined = "".join(text.split())
    for number in range(operations):
        assert f"/path/{number}/of/things" in joined or f"path/{number}" in joined
    assert text.isascii() is ascii
    assert ("measured, with its interval" in text) is (width == 140)


def test_the_figures_for_programs_are_whole_and_without_infinities() -> None:
    found = json.loads(calibration_json(calibration(noise("shift", "GET /a", seen=math.inf, needed=None))))
    assert found["noise"][-1]["detectable"] is None
    assert found["needed"] is None
    assert found["noise"][0]["ratio"] == 1.0
    assert found["machine"] == MACHINE
    assert list(found) == [
        "format", "at", "gate", "commit", "gates", "rule", "settings", "machine", "days", "epochs", "epoch_seconds",
        "planned", "needed", "floor", "ordinary_floor", "wanted", "too_noisy", "order", "noise", "trial",
    ]  # fmt: skip


# ---- what did not pass in a check


def compared(scope: str, ratio: float, verdict: Verdict = Verdict.FAIL, spread: float = 1.02) -> Judgement:
    return Judgement(
        "pair.shift", scope, "beside", "at most 5 % slower, side by side", verdict, "it is slower",
        ratio=ratio, low=ratio / spread, high=ratio * spread,
    )  # fmt: skip


def run_of(*judgements: Judgement) -> Run:
    return replace(passing_run(), gates=(GateResult("load", "locust", Verdict.FAIL, 1.0, judgements=judgements),))


def test_what_failed_comes_first_on_one_scale_for_all() -> None:
    run = run_of(compared("GET /a", 1.04, Verdict.UNKNOWN), compared("GET /b", 1.10), compared("", 1.0, Verdict.PASS))
    title, scale, *lines, _ = intervals(run, Ink(False, 100))
    assert title == "Side by side"
    assert [line.split()[:4] for line in lines] == [["✗", "GET", "/b", "1.100×"], ["?", "GET", "/a", "1.040×"]]
    assert len({line.index("│") for line in lines}) == 1
    assert len({line.index("╎") for line in lines if "╎" in line}) == 1
    assert scale.split() == ["0.98", "1.12"]


def test_one_wild_ratio_does_not_hide_the_others() -> None:
    run = run_of(compared("GET /a", 1.08), compared("GET /wild", 9.0))
    lines = intervals(run, Ink(False, 100))
    (tame,) = [line for line in lines if "GET /a" in line]
    (wild,) = [line for line in lines if "GET /wild" in line]
    assert wild.endswith("▸")
    assert re.search(r"├─+●─+┤", tame)
    (wild,) = [line for line in intervals(run, Ink(False, 100, ascii=True)) if "GET /wild" in line]
    assert wild.endswith(">")


def test_of_many_the_first_dozen_is_drawn_and_the_rest_is_a_command_away() -> None:
    lines = intervals(run_of(*(compared(f"GET /{number}", 1.1) for number in range(40))), Ink(False, 80))
    assert sum("GET /" in line for line in lines) == 12
    assert "and 28 more: gates explain load" in "\n".join(lines)


def test_a_narrow_terminal_takes_two_lines_for_each() -> None:
    name = "GET /orders/{id}/lines/{line}/returns"
    lines = intervals(run_of(compared(name, 1.1)), Ink(False, 60))
    assert any(line.endswith(f"{name} 1.100×") for line in lines)
    assert max(map(len, lines)) <= 60


def test_an_interval_that_leaves_the_scale_on_either_side_says_so() -> None:
    drawn = Interval(0.5, 1.0, 3.0, 1.05).draw(0.9, 1.2, 21)
    assert (drawn[0], drawn[-1]) == ("◂", "▸")
    least, most = one_scale([Interval(0.99, 1.0, 1.01, 1.05), Interval(0.2, 0.3, 0.4, 1.05)])
    assert least < 0.8 < 1.05 < most
