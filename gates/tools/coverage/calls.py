"""Reads what `call_recorder` wrote down in the project's interpreter; pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from gates.traffic.calls import Call, make_call


@dataclass(frozen=True, slots=True)
class Sent:
    """The calls of one test; `passed` is None where the recorder was not told, and `test` empty outside any test."""

    test: str
    passed: bool | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What the tests sent, and what of it is not known."""

    sent: tuple[Sent, ...] = ()
    troubles: tuple[str, ...] = ()
    left_out: int = 0
    unreadable: int = 0

    def calls(self, passed: Collection[str] = (), *, all_passed: bool = False) -> list[Call]:
        """Return all calls, marked with whether their test passed.

        `passed` holds the tests of which that is known from elsewhere. What no test sent, in a script that knows no
        tests, passed when everything did (`all_passed`).
        """
        tests_known = any(one.test for one in self.sent)
        return [
            _marked(call, _passed(one, passed, all_passed and not tests_known))
            for one in self.sent
            for call in one.calls
        ]


def _passed(one: Sent, passed: Collection[str], all_passed: bool) -> bool:
    if one.passed is not None:
        return one.passed
    return one.test in passed if one.test else all_passed


def _marked(call: Call, passed: bool) -> Call:
    return Call(call.method, call.path, call.status, call.count, call.application, passed, call.page)


def parse_calls(texts: Iterable[str]) -> CallRecord:
    """Return what the files of one run say; a line that cannot be read is counted, not fatal."""
    sent: list[Sent] = []
    troubles: dict[str, None] = {}
    left_out = unreadable = 0
    for text in texts:
        for line in text.splitlines():
            entry = _entry(line)
            if entry is None:
                unreadable += 1
                continue
            if isinstance(entry.get("trouble"), str):
                troubles.setdefault(entry["trouble"])
            if isinstance(entry.get("left_out"), int):
                left_out += entry["left_out"]
            if isinstance(entry.get("calls"), list):
                calls = [_call(one) for one in entry["calls"]]
                unreadable += calls.count(None)
                passed = entry.get("passed") if isinstance(entry.get("passed"), bool) else None
                test = str(entry.get("test", ""))
                sent.append(Sent(test, passed, tuple(call for call in calls if call is not None)))
    return CallRecord(tuple(sent), tuple(troubles), left_out, unreadable)


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _call(one: Any) -> Call | None:
    if not isinstance(one, list) or len(one) != 6:
        return None
    application, method, path, status, page, count = one
    if not isinstance(application, str) or not isinstance(count, int) or isinstance(count, bool) or count < 1:
        return None
    return make_call(method, path, status, application=application, page=page is True, count=count)
