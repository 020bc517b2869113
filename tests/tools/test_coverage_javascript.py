"""JavaScript runners are asked for their tests and lines, whatever their package.json says."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gates.errors import ToolError
from gates.results import Readings
from gates.tools.base import Context
from gates.tools.coverage import Coverage
from gates.tools.coverage.cases import Obstacle
from gates.tools.coverage.javascript import Asked, NotAsked, ask_runner
from gates.tools.coverage.jest import parse_jest
from gates.tools.coverage.v8 import read_v8

OUTPUT = Path(__file__).parent.parent / "output" / "coverage"


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Asked | None]:
    def ask(command: str, *, tests: bool = True, lines: bool = True, **scripts: str) -> Asked | None:
        (tmp_path / "package.json").write_text(json.dumps({"scripts": scripts}))
        return ask_runner(command, tmp_path, Path("/run"), {"NODE_OPTIONS": "--no-warnings"}, tests=tests, lines=lines)

    return ask


def line(asked: Asked | None) -> str:
    assert asked is not None
    assert asked.words[:2] == ("sh", "-c")
    return asked.words[2]


@pytest.mark.parametrize(
    ("command", "script", "runner", "begins"),
    [
        ("npm test", "jest", "jest", "npm test -- --json --outputFile=/run/jest.json"),
        ("npm t", "jest --runInBand", "jest", "npm t -- --json"),
        ("npm test -- --silent", "jest", "jest", "npm test -- --silent --json"),
        ("yarn test", "jest", "jest", "yarn test --json"),
        (
            "NODE_ENV=test npm run test",
            "eslint . && NODE_ENV=test jest",
            "jest",
            "NODE_ENV=test npm run test -- --json",
        ),
        ("npm ci && npm test", "npx jest", "jest", "npm ci && npm test -- --json"),
        ("npx jest", "", "jest", "npx jest --json"),
        ("npm test", "node --experimental-vm-modules node_modules/jest/bin/jest.js", "jest", "npm test -- --json"),
        ("pnpm test", "mocha test/*.js", "mocha", "pnpm test --reporter xunit --reporter-option output=/run/junit.xml"),
        ("npm test", "vitest", "vitest", "npm test -- --run --reporter=default --reporter=junit"),
        ("npm test", "vitest run", "vitest", "npm test -- --reporter=default"),
        ("npm test", "node --test", "node", "npm test"),
        ("npm test", "tsx --test src", "node", "npm test"),
    ],
)
def test_the_runner_at_the_end_of_a_command_gets_what_is_added(
    ask: Callable[..., Asked | None], command: str, script: str, runner: str, begins: str
) -> None:
    asked = ask(command, test=script)
    assert line(asked).startswith(begins)
    assert asked is not None
    assert asked.runner == runner
    assert asked.tests is not None


def test_a_script_that_only_runs_another_is_followed(ask: Callable[..., Asked | None]) -> None:
    assert line(ask("npm test", test="npm run unit", unit="jest")).startswith("npm run unit -- --json")
    with pytest.raises(NotAsked, match="in a circle"):
        ask("npm test", test="npm run test")


def test_node_is_asked_by_its_environment(ask: Callable[..., Asked | None]) -> None:
    asked = ask("npm test", test="lint; node --test")
    assert asked is not None
    options = shlex.split(asked.env["NODE_OPTIONS"])
    assert options[:3] == ["--no-warnings", "--test-reporter=junit", "--test-reporter-destination=/run/junit.xml"]
    assert "--test-reporter=spec" in options, "its output stays readable"
    assert (asked.lines, asked.from_v8) == (Path("/run/v8"), True)
    assert asked.env["NODE_V8_COVERAGE"] == "/run/v8"


def test_only_what_no_setting_names_is_asked_for(ask: Callable[..., Asked | None]) -> None:
    asked = ask("npm test", test="jest", tests=False)
    assert "--json" not in line(asked)
    assert "--coverageDirectory=/run" in line(asked)
    asked = ask("npm test", test="mocha", lines=False)
    assert asked is not None
    assert (asked.lines, dict(asked.env)) == (None, {})
    assert asked.words[2].endswith("output=/run/junit.xml")


def test_lines_that_nobody_can_tell_say_why(ask: Callable[..., Asked | None], tmp_path: Path) -> None:
    for script, reason in (("c8 mocha", "c8 or nyc"), ("vitest", "@vitest/coverage-v8")):
        asked = ask("npm test", test=script)
        assert asked is not None
        assert asked.lines is None
        assert reason in asked.no_lines
        assert "NODE_V8_COVERAGE" not in asked.env
    (tmp_path / "node_modules" / "@vitest" / "coverage-v8").mkdir(parents=True)
    asked = ask("npm test", test="vitest")
    assert asked is not None
    assert asked.lines == Path("/run/lcov.info")


@pytest.mark.parametrize(
    ("command", "script", "reason"),
    [
        ("npm test", "tap test", "it runs `tap test`, which ends in none of node --test, jest, vitest and mocha"),
        ("npm test", "jest && echo done", "which ends in none of"),
        ("npm run check", "jest", "package.json has no script `check`"),
        ("npm --prefix web test", "jest", "cannot be told"),
        ("npm test", "node --test --test-reporter=tap", "reporters or NODE_OPTIONS of its own"),
        ("npm test", "mocha --reporter dot", "a reporter of its own"),
        ("npm test", "jest 'x", "cannot be read"),
    ],
)
def test_what_cannot_be_asked_says_why(
    ask: Callable[..., Asked | None], command: str, script: str, reason: str
) -> None:
    with pytest.raises(NotAsked, match=reason):
        ask(command, test=script)


def test_other_commands_are_not_asked(ask: Callable[..., Asked | None], tmp_path: Path) -> None:
    assert ask("go test ./...") is None
    assert ask("node scripts/check.js") is None
    (tmp_path / "package.json").unlink()
    with pytest.raises(NotAsked, match=r"no package\.json"):
        ask_runner("npm test", tmp_path, tmp_path, {}, tests=True, lines=True)


def test_jest_tells_its_tests_and_the_files_that_it_could_not_load() -> None:
    told = parse_jest((OUTPUT / "jest-30.json").read_bytes(), root="/home/you/shop")
    assert {case.name: case.outcome for case in told.cases} == {
        "cart.test.js::cart::adds": "passed",
        "cart.test.js::cart::is wrong": "failed",
        "cart.test.js::cart::later": "skipped",
        "cart.test.js::cart::some day": "skipped",
        "cart.test.js::cart::adds#2": "passed",
        "cart.test.js::cart::adds#3": "passed",
    }
    assert "toBe" in next(case.message for case in told.cases if case.outcome == "failed")
    (obstacle,) = told.obstacles
    assert isinstance(obstacle, Obstacle)
    assert (obstacle.rule, obstacle.place) == ("tests.collection", "broken.test.js")
    assert "nowhere" in obstacle.message
    for wrong in (b'{"testResults": [{}]}', b"{", b"[]"):
        with pytest.raises(ToolError, match="not the JSON of jest"):
            parse_jest(wrong)


# Real suites of node, by `npm test`.

CART = """\
// A comment, and a character of two units: 😀

export function total(prices, discount) {
  let sum = 0;
  for (const price of prices) sum += price;
  if (discount) {
    sum -= discount;
  }
  return sum;
}

export function never() {
  return 1;
}
"""
CHILD = "import { never } from './cart.js';\n\nnever();\n"
TESTS = """\
import { describe, it } from 'node:test';
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { total } from '../cart.js';
describe('cart', () => {
  it('adds', () => assert.strictEqual(total([1, 2]), 3));
  it('is wrong', () => assert.strictEqual(total([1]), 2));
  it('runs a child', () => execFileSync('node', ['child.js']));
});
"""


def run(root: Path, tmp_path: Path, **settings: Any) -> Readings:
    def serve() -> Any:
        raise AssertionError("tests need no backend")

    directory = tmp_path / "a run"
    directory.mkdir(exist_ok=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    context = Context(
        root=root, source=(".",), python=sys.executable, env={**os.environ, "PATH": path}, directory=directory,
        gate="tests", serve=serve, classify=lambda name, definition: "simple",
    )  # fmt: skip
    return Coverage(tool="coverage", command="npm test", **settings).run(context)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "a project"
    package = {"name": "shop", "type": "module", "scripts": {"test": "node --test"}}
    for name, text in {
        "package.json": json.dumps(package), "cart.js": CART, "child.js": CHILD, "test/cart.test.js": TESTS,
        "idle.js": "console.log(1);\n", "node_modules/other/index.js": "console.log(2);\n",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.slow
def test_npm_test_with_node_brings_tests_and_lines_without_any_setting(project: Path, tmp_path: Path) -> None:
    readings = run(project, tmp_path)
    assert {subject.name.rpartition("::")[2]: subject.outcome for subject in readings.subjects} == {
        "adds": "passed", "is wrong": "failed", "runs a child": "passed",
    }  # fmt: skip
    lines = {(one.scope, one.count, one.total) for one in readings.measurements if one.name == "coverage.lines"}
    # Only `sum -= discount` and the brace after it were not reached; that `never` was, only the child process tells.
    assert lines == {("", 11, 14), ("cart.js", 9, 11), ("child.js", 2, 2), ("idle.js", 0, 1)}
    assert readings.gaps == ()


@pytest.mark.slow
def test_what_ran_as_other_text_is_no_measurement_of_lines(project: Path, tmp_path: Path) -> None:
    readings = run(project, tmp_path)
    (project / "cart.js").write_text(CART + "\n// longer than what ran\n")
    again = read_v8(tmp_path / "a run" / "v8", project)
    assert again.rewritten == ("cart.js",)
    assert [file.path for file in again.files] == ["child.js"]
    assert readings.gaps == ()
    (tmp_path / "a run" / "v8" / "torn.json").write_text('{"result": [')
    with pytest.raises(ToolError, match=r"torn\.json cannot be read"):
        read_v8(tmp_path / "a run" / "v8", project)


@pytest.mark.slow
def test_a_runner_that_told_nothing_is_an_error_with_its_last_lines(project: Path, tmp_path: Path) -> None:
    (project / "package.json").write_text(json.dumps({"scripts": {"test": "node --no-such-option --test"}}))
    with pytest.raises(ToolError, match="node told nothing of its tests") as caught:
        run(project, tmp_path)
    assert "no-such-option" in caught.value.message


def test_npm_with_an_unknown_runner_names_those_that_are_known(project: Path, tmp_path: Path) -> None:
    (project / "package.json").write_text(json.dumps({"scripts": {"test": "tap"}}))
    with pytest.raises(ToolError, match="it runs `tap`, which ends in none of node --test, jest") as caught:
        run(project, tmp_path)
    assert "`junit` and `report`" in caught.value.hint
