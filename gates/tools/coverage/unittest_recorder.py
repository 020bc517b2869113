"""Runs inside the project's own interpreter, as a plug-in of coverage.py: writes down what unittest says of its tests.

The verbose output of unittest cannot be read reliably: whatever a test prints or logs stands between its name and its
outcome. So this listens to `unittest.TestResult` instead, which Django's test runner and most others build on. It needs
nothing but the standard library of Python 3.7 or newer, and changes nothing about how the tests are found or run.

A line of JSON per event is appended to the file that GATES_UNITTEST_RECORD names; GATES_UNITTEST_ONLY may name a file
with the ids of the only tests that are to run.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
import unittest
from collections.abc import Callable
from typing import Any

# Taken out of the environment, so that what the tests start themselves does not write into the same record.
_RECORD = os.environ.pop("GATES_UNITTEST_RECORD", "")
_ONLY = os.environ.pop("GATES_UNITTEST_ONLY", "")
_OWNER = os.getpid()


def coverage_init(registry: Any, options: Any) -> None:
    """Be a plug-in of coverage.py, so that it is loaded before the tests; but not in the programs that they start.

    Those get the configuration handed on, and may be started without the path that leads here.
    """
    from coverage import CoveragePlugin

    class Once(CoveragePlugin):
        def configure(self, config: Any) -> None:
            plugins = config.get_option("run:plugins") or []
            config.set_option("run:plugins", [name for name in plugins if name != __name__])

    registry.add_configurer(Once())


def _write(**event: Any) -> None:
    if os.getpid() != _OWNER:
        return  # a forked worker: its results are told again in the process that started it
    descriptor = os.open(_RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, json.dumps(event).encode() + b"\n")
    finally:
        os.close(descriptor)


def _told(error: Any) -> str:
    if not isinstance(error, tuple):
        return str(error)
    return "".join(traceback.format_exception_only(error[0], error[1]))


def _tell(outcome: str, test: Any, message: str = "") -> None:
    test = getattr(test, "test_case", test)
    module = type(test).__module__
    file = getattr(sys.modules.get(module), "__file__", None)
    _write(
        outcome=outcome,
        id=test.id(),
        kind=type(test).__name__,
        module=module,
        file=os.path.abspath(file) if file else "",
        message=message[:4000],
    )


def _listen(name: str, tell: Callable[..., None]) -> None:
    original = getattr(unittest.TestResult, name)

    def told(self: Any, *arguments: Any) -> Any:
        tell(*arguments)
        return original(self, *arguments)

    told.__name__ = name
    setattr(unittest.TestResult, name, told)


def _tell_subtest(test: Any, subtest: Any, error: Any) -> None:
    if error is not None:
        _tell("failed" if issubclass(error[0], test.failureException) else "error", test, _told(error))


def _run_only(wanted: set[str]) -> None:
    original = unittest.TestCase.run

    def run(self: unittest.TestCase, result: Any = None) -> Any:
        return original(self, result) if self.id() in wanted else result

    unittest.TestCase.run = run  # type: ignore[method-assign]


if _RECORD:
    _listen("startTestRun", lambda: _write(outcome="started"))
    _listen("addSuccess", lambda test: _tell("passed", test))
    _listen("addFailure", lambda test, error: _tell("failed", test, _told(error)))
    _listen("addError", lambda test, error: _tell("error", test, _told(error)))
    _listen("addSkip", lambda test, reason: _tell("skipped", test, reason))
    _listen("addExpectedFailure", lambda test, error: _tell("skipped", test, "expected failure: " + _told(error)))
    _listen("addUnexpectedSuccess", lambda test: _tell("failed", test, "unexpected success"))
    _listen("addSubTest", _tell_subtest)
    if os.environ.get("GATES_CALLS_RECORD"):
        _calls = importlib.import_module("gates_call_recorder")  # lies beside this file
        _listen("startTest", lambda test: _calls.begin_test(test.id()))
        _listen("stopTest", lambda test: _calls.end_test())
    if _ONLY:
        with open(_ONLY, encoding="utf-8") as only:
            _run_only(set(json.load(only)))
