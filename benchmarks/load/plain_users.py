"""Locust's own users, as its manual shows them: PLAIN_USER names the class, PLAIN_PATH what is asked for.

PLAIN_RATE is requests per second of each user; without it they send back to back. PLAIN_RESULT is where Locust's own
percentiles are written, in seconds.
"""

import json
import os

import locust
from locust import constant, constant_throughput, events, task

RATE = os.environ.get("PLAIN_RATE")


class Plain(getattr(locust, os.environ["PLAIN_USER"])):  # type: ignore[misc]
    wait_time = constant_throughput(float(RATE)) if RATE else constant(0)

    @task
    def ask(self) -> None:
        self.client.get(os.environ["PLAIN_PATH"])


@events.quitting.add_listener
def told(environment: locust.env.Environment, **_: object) -> None:
    total = environment.stats.total
    shares = [total.get_response_time_percentile(share) / 1000 for share in (0.5, 0.99)]
    with open(os.environ["PLAIN_RESULT"], "w") as file:
        json.dump([*shares, total.num_failures], file)
