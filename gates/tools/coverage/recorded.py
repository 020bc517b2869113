"""Reads what `unittest_recorder` wrote down in the project's interpreter."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gates.errors import ToolError
from gates.tools.coverage.cases import Case, Obstacle, Outcomes, first_lines, merge_same, node_id

# What unittest puts in the place of a module that it could not import, or that asked to be skipped.
_NOT_LOADED = ("_FailedTest", "ModuleImportFailure", "LoadTestsFailure")
_SKIPPED_MODULE = "ModuleSkipped"


@dataclass(frozen=True, slots=True)
class Record:
    """What unittest did: whether it was started at all, its tests, and the id by which it knows each of them."""

    started: bool
    outcomes: Outcomes
    ids: dict[str, str]


def parse_record(text: str, root: str = "", is_file: Callable[[str], bool] = lambda path: False) -> Record:
    """Return the tests of a record; identities are those pytest would give them. Raises ToolError on a broken line."""
    started = False
    cases: list[Case] = []
    obstacles: list[Obstacle] = []
    ids: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            event = json.loads(line)
        except ValueError as error:
            raise ToolError(f"line {number} of the record of unittest is not readable: {line[:80]!r}") from error
        if event["outcome"] == "started":
            started = True
        elif event["kind"] in _NOT_LOADED:
            place = node_id(event["id"].partition(f"{event['kind']}.")[2], "", is_file)
            obstacles.append(Obstacle("tests.collection", place, _cause(event["message"])))
        elif event["kind"] == "_ErrorHolder" and event["outcome"] != "skipped":
            obstacles.append(Obstacle("tests.setup", event["id"], first_lines(event["message"])))
        else:
            name = _identity(event, root, is_file)
            ids[name] = event["id"]
            is_module = event["kind"] == _SKIPPED_MODULE
            cases.append(Case(name, event["outcome"], first_lines(event["message"]), is_module))
    return Record(started, Outcomes(merge_same(cases), tuple(obstacles)), ids)


def _identity(event: dict[str, Any], root: str, is_file: Callable[[str], bool]) -> str:
    identity: str = event["id"]
    if event["kind"] == _SKIPPED_MODULE:
        return node_id(identity.partition(f"{_SKIPPED_MODULE}.")[2], "", is_file)
    module, file = event["module"], event["file"]
    if not identity.startswith(module + ".") or not file.startswith(root.rstrip("/") + "/"):
        return identity
    path = file.removeprefix(root.rstrip("/") + "/")
    return "::".join([path, *identity[len(module) + 1 :].split(".")])


def _cause(message: str) -> str:
    """Return the last line of the traceback that unittest wraps a failed import in."""
    lines = [line for line in message.splitlines() if line.strip()]
    return first_lines(lines[-1]) if lines else ""
