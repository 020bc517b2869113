"""What Locust's process is told, and what it writes, come through whole; what is not that is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gates.errors import ToolError
from gates.load.assignment import UNIQUE, Assignment, Numbered, Sendable, Work, read_assignment, write_assignment
from gates.load.histogram import quantile, total
from gates.load.recording import Record, parse_record, write_record
from gates.load.schedule import Arrivals

RECORDED = Path(__file__).parent.parent / "output" / "locust"


def test_an_assignment_is_read_as_it_was_written() -> None:
    assignment = Assignment(
        "open", "http://127.0.0.1:1", Arrivals(10.0, 1.0, 2.0, 3.0), 5, 10.0, "20:1", "/somewhere/record.json",
        (Work("POST /a", Sendable("POST", "/v1/a", {"X": "1"}, "ä"), 0.5), Work("GET /b", Sendable("GET", "/v1/b"))),
        7, "/v1", ("GET /b", "POST /a"),
    )  # fmt: skip
    assert read_assignment(write_assignment(assignment)) == assignment


def test_each_request_gets_its_own_number_and_keeps_its_length() -> None:
    raw = f'POST / HTTP/1.1\r\n\r\n{{"a":"{UNIQUE}","b":"{UNIQUE}@x"}}'.encode()
    numbered = Numbered(raw)
    assert numbered(42) == raw.replace(UNIQUE.encode(), b"uniq0000042")
    assert len(numbered(123_456_789)) == len(raw)
    assert Numbered(b"plain")(5) == b"plain"


def record() -> Record:
    made = Record(begin=10.0, end=12.0, last=12.5, scheduled=6, sent=6, locust="2.47.0", generator_cpu=0.1)
    for status, latency in ((200, 0.01), (201, 0.02), (302, 0.03), (500, 0.5)):
        made.answered("POST /a", status, latency)
    made.failed("POST /a", "timeout")
    made.answered("GET /b", 200, 0.001)
    return made


def test_a_record_is_read_as_it_was_written() -> None:
    whole = replace(record(), queue={0: 5, 3: 1}, queue_end=3, lag={7: 1}, waited={9: 2}, went_first=True, reopened=4)
    assert parse_record(write_record(whole)) == whole
    assert parse_record(write_record(record())) == record()


def test_failing_answers_and_missing_ones_are_told_apart_and_kept_out_of_the_latency() -> None:
    one = record().operations["POST /a"]
    assert (one.requests, one.succeeded, one.failed) == (5, 3, 2)
    assert one.server_errors == {500: 1}
    assert one.failures == {"timeout": 1}
    assert total(one.success_latencies()) == 3
    assert quantile(one.success_latencies(), 1.0) == pytest.approx(0.03, rel=0.005)


def test_the_median_queue_is_that_of_half_of_the_looks() -> None:
    assert replace(record(), queue={0: 4, 2: 3, 90: 2}).queue_median == 2
    assert record().queue_median == 0


def test_throughput_counts_successes_until_the_last_answer() -> None:
    assert record().throughput == pytest.approx(4 / 2.5)
    assert record().statuses() == {200: 2, 201: 1, 302: 1, 500: 1}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace("gates.load/1", "gates.load/9"),
        lambda text: text.replace('"sent": 6', '"sent": "many"'),
        lambda text: text.replace('"operations"', '"operation"'),
        lambda text: json.dumps({**json.loads(text), "operations": {"GET /b": {"statuses": {"200": 2}, "failures": {},
                                 "latencies": {"2": {"5": 1}}}}}),
    ],
)  # fmt: skip
def test_what_is_no_record_is_an_error_and_never_an_empty_one(damage: object) -> None:
    with pytest.raises(ToolError):
        parse_record(damage(write_record(record())))  # type: ignore[operator]


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.record.json")), ids=lambda path: path.name)
def test_recorded_runs_of_locust_can_be_read(path: Path) -> None:
    read = parse_record(path.read_text("utf-8"))
    assert read.requests == read.sent > 0
    assert read.locust == path.name.split("-")[0]
    assert set(read.operations) >= {"GET /orders", "POST /orders"}
    assert total(read.success_latencies()) == read.succeeded


def test_there_are_recorded_runs() -> None:
    assert len(list(RECORDED.glob("*.record.json"))) == 3
