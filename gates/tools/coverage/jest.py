"""Reads the JSON that jest (`--json --outputFile`) writes of its tests; vitest's `json` reporter writes the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gates.errors import ToolError
from gates.tools.coverage.cases import Case, Obstacle, Outcome, Outcomes, first_lines, number_same

_OUTCOMES: Mapping[str, Outcome] = {
    "passed": "passed", "failed": "failed",
    "pending": "skipped", "skipped": "skipped", "todo": "skipped", "disabled": "skipped",
}  # fmt: skip


def parse_jest(content: bytes, name: str = "jest's report", root: str = "") -> Outcomes:
    """Return the tests of jest as `path::describe::test`; a file that could not be loaded is an obstacle.

    Raises ToolError when it is not such a report.
    """
    try:
        files = json.loads(content)["testResults"]
        cases = [case for file in files for case in _cases(file, root)]
        obstacles = tuple(
            Obstacle("tests.collection", _relative(file, root), first_lines(str(file.get("message", ""))))
            for file in files
            if file["status"] == "failed" and not file["assertionResults"]
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"{name} is not the JSON of jest: {error}", "was jest stopped before its end?") from error
    return Outcomes(number_same(cases), obstacles)


def _relative(file: Mapping[str, Any], root: str) -> str:
    return str(file["name"]).removeprefix(root.rstrip("/") + "/")


def _cases(file: Mapping[str, Any], root: str) -> Iterator[Case]:
    for test in file["assertionResults"]:
        identity = "::".join([_relative(file, root), *map(str, test["ancestorTitles"]), str(test["title"])])
        message = first_lines("\n".join(map(str, test.get("failureMessages") or ())))
        yield Case(identity, _OUTCOMES.get(str(test["status"]), "error"), message)
