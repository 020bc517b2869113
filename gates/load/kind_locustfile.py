"""The users of the project's own locustfile: what they send is recorded by the names that they give it."""

from __future__ import annotations

import time
from typing import Any

import gevent
from locust import events

from gates.load.naming import operation_names
from gates.load.stage import Part, Stage


def own(stage: Stage) -> Part:
    """Listen to the users of the project, and return who conducts them."""
    assignment, record, stretch = stage.assignment, stage.record, stage.stretch
    operation_named = operation_names(assignment.operations, assignment.base_path)

    @events.request.add_listener  # type: ignore[untyped-decorator]
    def heard(request_type: str, name: str, response_time: float, **rest: Any) -> None:
        now = time.monotonic()
        if not stretch.begin <= now - response_time / 1000 <= stretch.end:
            return
        record.sent += 1
        record.scheduled += 1
        record.last = now
        operation = operation_named(request_type.upper(), name)
        status = getattr(rest.get("response"), "status_code", None) or 0
        if status >= 400 or (status and rest.get("exception") is None):
            record.answered(operation, int(status), response_time / 1000)
        elif status:
            record.failed(operation, "rejected")
        elif rest.get("exception") is None:
            record.answered(operation, 200, response_time / 1000)  # not HTTP: it says itself that it went well
        else:
            record.failed(operation, "network")

    def conduct(environment: Any) -> None:
        whole = assignment.arrivals
        stretch.plan(time.monotonic() + whole.warm_up, time.monotonic() + whole.end)
        gevent.sleep(whole.end)
        record.connections = environment.runner.user_count
        environment.runner.stop()  # users end their task, for as long as --stop-timeout gives them
        stage.quit(environment)

    return None, conduct
