"""Locust's own statistics get the sums in the end, and whoever else listens is told of every request.

In a process of its own: importing Locust changes the whole one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
from locust.env import Environment
import json
from gates.load.client import Answer
from gates.load.locust_events import Ear, fire, settle
from gates.load.recording import Record

def taken_over(*listeners):
    environment, ear = Environment(), Ear()
    environment.create_local_runner()
    for listener in listeners:
        environment.events.request.add_listener(listener)
    ear.take_over(environment)
    return environment, ear

record = Record()
for number in range(100):
    record.answered("GET /a", 200, 0.050 + number / 1000)
for _ in range(3):
    record.answered("GET /a", 503, 0.001)
record.failed("POST /b", "timeout")
record.answered("POST /b", 201, 0.2)

environment, ear = taken_over()
settle(environment.stats, [record, record])
told = {
    name: (one.num_requests, one.num_failures, one.min_response_time, one.median_response_time, one.max_response_time)
    for name, one in (("whole", environment.stats.total), *((k[0], e) for k, e in environment.stats.entries.items()))
}
errors = sorted((one.error, one.occurrences) for one in environment.stats.errors.values())

heard = []
listened, open_ear = taken_over(lambda **told: heard.append(
    (told["name"], told["response_time"], told["response_length"], str(told["exception"]))))
fire(listened, "GET /a", 0.25, Answer(200, b"", b"", 7), None)
fire(listened, "GET /a", 0.25, Answer(404, b"", b"", 7), None)
fire(listened, "GET /a", 0.25, None, ValueError("no answer"))
print(json.dumps({"told": told, "errors": errors, "ears": [ear.open, open_ear.open], "heard": heard,
                  "counted": listened.stats.total.num_requests}))
"""


@pytest.fixture(scope="module")
def seen() -> Any:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_locusts_statistics_are_told_in_the_end_what_was_recorded(seen: Any) -> None:
    assert seen["told"]["whole"][:2] == [210, 8]
    assert seen["told"]["/a"] == pytest.approx([206, 6, 1, 100, 149], rel=0.1)
    assert seen["told"]["/b"][:2] == [4, 2]
    assert seen["errors"] == [["status 503", 6], ["timeout", 2]]


def test_a_listener_of_somebody_elses_hears_of_each_request_and_locusts_statistics_of_none(seen: Any) -> None:
    assert seen["ears"] == [False, True]
    assert seen["heard"] == [
        ["/a", 250.0, 7, "None"], ["/a", 250.0, 7, "status 404"], ["/a", 250.0, 0, "no answer"],
    ]  # fmt: skip
    assert seen["counted"] == 0
