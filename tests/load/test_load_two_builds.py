"""The project's own users on two builds: real Locust, real sites, and what a user of Locust expects of it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from two_sites import load_sites, open_site

from gates.errors import ToolError
from gates.load.histogram import quantile, total

pytestmark = pytest.mark.slow

SHOP = """
import json, os, random
import gevent
from random import choice
from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, between, constant, events, task
import shared

NAMES = iter(range(1000))
EVENTS = []


@events.test_start.add_listener
def started(environment, **_):
    EVENTS.append(environment.host)


class Edit(SequentialTaskSet):
    @task
    def create(self):
        text = random.choice("abc") + choice("abc") + str(random.random())
        self.number = self.client.post("/notes", json={"text": text}).json()["id"]

    @task
    class Look(TaskSet):
        @task
        def read(self):
            self.client.get(f"/notes/{self.parent.number}")
            if random.random() < 0.5:
                self.client.get("/notes")
            self.interrupt()

    @task
    def remove(self):
        self.client.delete(f"/notes/{self.number}")
        with self.client.get(f"/notes/{self.number}", name="gone", catch_response=True) as answer:
            if answer.status_code == 404:
                answer.success()
        self.interrupt()


class Writer(HttpUser):
    tasks = [Edit]
    wait_time = between(1, 2)
    weight = 3

    def on_start(self):
        shared.HOSTS.add(self.host)
        assert EVENTS == [self.host] == list(shared.HOSTS), "each build has modules of its own"
        self.client.post("/login", json={"user": f"writer-{next(NAMES)}"})


class Reader(FastHttpUser):
    wait_time = constant(0.5)

    def on_start(self):
        self.login = json.loads(os.environ["GATES_LOAD_HEADERS"])

    @task
    def look(self):
        self.client.get("/notes", headers=self.login)
        with self.environment.events.request.measure("grpc", "Look"):
            gevent.sleep(0.002)

    def on_stop(self):
        self.client.get("/bye", headers=self.login)
"""


def test_both_builds_are_sent_the_same_by_users_of_their_own(tmp_path: Path) -> None:
    with open_site("new") as new, open_site("old") as old:
        record = load_sites(tmp_path, SHOP, new, old, files={"shared.py": "HOSTS = set()\n"})
    scenario = record.scenario
    assert scenario is not None
    assert (scenario.refused, scenario.broken, scenario.unlike, scenario.users) == ("", {}, 0, 4)
    assert scenario.runs == record.new.sent == record.old.sent == record.new.scheduled == pytest.approx(60, abs=2)
    assert record.new.succeeded == record.new.requests == record.old.requests
    assert {name: one.pairs for name, one in record.ratios.items()} == {
        name: one.requests for name, one in record.new.operations.items()
    }
    assert record.new.operations.keys() == {
        "GET /notes", "POST /notes", "GET /notes/{id}", "DELETE /notes/{id}", "GET gone", "GRPC Look",
    }  # fmt: skip
    assert scenario.outside >= {"POST /login", "GET /bye"}
    # The same draws, whichever greenlet ran in between; numbers and names begin anew in each copy of the file.
    assert new.of("POST /notes") == old.of("POST /notes")
    assert len(set(new.of("POST /notes"))) > 5
    assert new.of("POST /login") == old.of("POST /login") == [json.dumps({"user": f"writer-{n}"}) for n in range(3)]
    for site in (new, old):
        sessions = {session for session, _, _ in site.seen}
        assert {session.partition("-writer")[0] for session in sessions} == {
            "", f"session={site.name}", f"login-of-{site.name}",
        }  # fmt: skip
        assert Counter(asked for _, asked, _ in site.seen)["GET /bye"] == 1
    assert b"login-of" not in b"".join(file.read_bytes() for file in (tmp_path / "load").iterdir() if file.is_file())


PACED = """
from locust import FastHttpUser, constant, constant_pacing, task


class Often(FastHttpUser):
    wait_time = constant_pacing(0.1)

    @task
    def often(self):
        self.client.get("/notes", name="/often")
        self.wait()
        self.client.get("/notes", name="/after a pause")


class Seldom(FastHttpUser):
    wait_time = constant(1)

    @task
    def seldom(self):
        self.client.get("/notes", name="/seldom")
"""


def test_users_come_as_often_compared_with_one_another_as_they_would_wait(tmp_path: Path) -> None:
    with open_site("new") as new, open_site("old") as old:
        record = load_sites(tmp_path, PACED, new, old, rate=100.0, users=40, pairs=4)
    counts = {name.partition("/")[2]: one.requests for name, one in record.new.operations.items()}
    assert counts["often"] == pytest.approx(counts["after a pause"], abs=2)
    assert 7 < (counts["often"] + counts["after a pause"]) / counts["seldom"] < 14
    assert record.scenario is not None
    assert record.scenario.unlike == 0


ODD = """
import random
from locust import FastHttpUser, task
from locust.exception import StopUser


class Careful(FastHttpUser):
    @task
    def create(self):
        number = self.client.post("/notes", json={"text": "x"}).json()["id"]
        self.client.get(f"/notes/{number}")

    @task
    def look(self):
        self.client.get("/notes")


class Once(FastHttpUser):
    def on_start(self):
        self.client.post("/login", json={"user": "once"})

    @task
    def once(self):
        self.client.get("/notes", name="/once")
        raise StopUser()
"""


def test_what_raises_on_one_build_is_its_failure_and_who_ends_is_replaced(tmp_path: Path) -> None:
    with open_site("new", odd=True) as new, open_site("old") as old:
        record = load_sites(tmp_path, ODD, new, old, operations=())
    created, before = record.new.operations["POST /notes"], record.old.operations["POST /notes"]
    assert created.failures == {"KeyError": created.requests}
    assert (before.failed, before.requests) == (0, created.requests)
    assert "POST /notes" not in record.ratios
    assert record.ratios["GET /notes"].pairs > 3
    assert record.scenario is not None
    assert record.scenario.unlike == created.requests
    assert record.ratios["GET /once"].pairs == record.new.operations["GET /once"].requests > 10
    assert len(new.of("POST /login")) == len(old.of("POST /login")) > 10


BROKEN = """
from locust import HttpUser, task


class Broken(HttpUser):
    def on_start(self):
        self.number = self.client.post("/notes", json={"text": "x"}).json()["id"]

    @task
    def look(self):
        self.client.get(f"/notes/{self.number}")
"""


@pytest.mark.parametrize(("new_is_odd", "old_is_odd", "told"), [(True, False, {"new"}), (True, True, {"new", "old"})])
def test_when_nobody_gets_through_on_start_it_is_said_on_which_build(
    tmp_path: Path, new_is_odd: bool, old_is_odd: bool, told: set[str]
) -> None:
    with open_site("new", odd=new_is_odd) as new, open_site("old", odd=old_is_odd) as old:
        record = load_sites(tmp_path, BROKEN, new, old)
    assert record.scenario is not None
    assert record.scenario.broken == dict.fromkeys(told, "KeyError: 'id'")
    assert record.ratios == {}


REFUSED = {
    "a LoadTestShape": """
class Shape(LoadTestShape):
    def tick(self):
        return (1, 1) if self.get_run_time() < 60 else None
""",
    "no class of users": "del Looker\n",
    "Own waits for itself": """
class Own(TaskSet):
    @task
    def look(self): self.client.get("/notes")
    def wait(self): pass
Looker.tasks = [Own]
""",
    "end the test": "Looker.look = lambda self: self.environment.runner.quit()\nLooker.tasks = [Looker.look]\n",
}
LOOKER = """
from locust import FastHttpUser, LoadTestShape, TaskSet, task
class Looker(FastHttpUser):
    @task
    def look(self): self.client.get("/notes")
"""


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_done_on_two_builds_is_refused_in_a_sentence(tmp_path: Path, why: str) -> None:
    with open_site("new") as new, open_site("old") as old:
        record = load_sites(tmp_path, LOOKER + REFUSED[why], new, old, seconds=0.5)
    assert record.scenario is not None
    words = "in a way of its own" if why.startswith("Own") else why
    assert words in record.scenario.refused


def test_a_file_that_cannot_be_imported_is_an_error_with_its_last_lines(tmp_path: Path) -> None:
    with open_site("new") as new, open_site("old") as old, pytest.raises(ToolError, match="nothing_like_it"):
        load_sites(tmp_path, "import nothing_like_it\n", new, old)


def test_a_trial_is_a_closed_loop_of_a_few_runs_at_a_time(tmp_path: Path) -> None:
    with open_site("new") as new, open_site("old") as old:
        record = load_sites(tmp_path, LOOKER, new, old, kind="trial", seconds=1.0, pairs=10, users=10)
    scenario = record.scenario
    assert scenario is not None
    assert scenario.runs == record.new.requests == record.old.requests == record.ratios["GET /notes"].pairs > 40
    assert 0.9 < scenario.taking < 2.0
    assert 0 < scenario.generator < scenario.taking
    assert 2 < max(record.new.queue) <= 4


SLOW = """
import gevent
from locust import FastHttpUser, task
class Slow(FastHttpUser):
    @task
    def slow(self):
        self.client.get("/notes")
        gevent.sleep(0.2)
"""


def test_runs_that_find_nobody_free_wait_and_their_latency_says_so(tmp_path: Path) -> None:
    with open_site("new") as new, open_site("old") as old:
        record = load_sites(tmp_path, SLOW, new, old, rate=60.0, seconds=1.5, pairs=2, users=2, timeout=1.0)
    build = record.new
    assert build.scheduled == pytest.approx(45, abs=2)
    assert build.sent < build.scheduled, "those that waited longer than an answer may take are not sent"
    assert total(build.waited) > 0.9 * build.sent
    assert quantile(build.operations["GET /notes"].success_latencies(), 0.9) > 0.5


STUCK = """
import random
import gevent
from locust import FastHttpUser, task
class Stuck(FastHttpUser):
    @task
    def stuck(self):
        self.client.get("/notes")
        if random.random() < 0.1 and self.host == NEW:
            gevent.sleep(60)
"""


def test_a_run_that_does_not_end_is_a_failure_of_its_build(tmp_path: Path) -> None:
    with open_site("new") as new, open_site("old") as old:
        record = load_sites(tmp_path, STUCK.replace("NEW", repr(new.url)), new, old, pairs=8, users=8, timeout=1.0)
    hung = record.new.operations["task DefaultTaskSet.stuck"]
    assert hung.failures == {"timeout": hung.requests}
    assert record.ratios["GET /notes"].pairs > 20
    assert not any(name.startswith("task ") for name in record.old.operations)
