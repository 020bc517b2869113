"""Real suites, run under coverage.py as a gate runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from gates.errors import ToolError
from gates.results import Readings
from gates.tools.base import Context, Serving
from gates.tools.coverage import Coverage

pytestmark = pytest.mark.slow

CART = """\
def total(prices, discount=0):
    result = 0
    for price in prices:
        if price < 0:
            raise ValueError("negative price")
        result += price
    if discount:
        result -= discount
    return result


def shown():  # pragma: no cover
    return 1
"""
TESTS = """\
import os
import pathlib
import subprocess
import sys

import pytest

from shop.cart import total


class TestCart:
    @pytest.mark.parametrize("price", [1, 2])
    def test_sum(self, price):
        assert total([price]) == price

    def test_wrong(self):
        assert total([1, 1]) == 3, "one and one"


def test_flaky():
    seen = pathlib.Path(os.environ["SEEN"])
    if not seen.exists():
        seen.write_text("")
        total([1], discount=1)  # what only a second try reaches, or only a first, must not change the figure
        raise AssertionError("first time")


@pytest.mark.skip(reason="not now")
def test_skipped():
    pass


def test_program():
    assert subprocess.run([sys.executable, "-m", "shop.worker"]).returncode == 0
"""
UNITTESTS = """\
import logging
import multiprocessing
import os
import pathlib
import sys
import unittest

from shop import worker
from shop.cart import total


class CartTest(unittest.TestCase):
    def test_sum(self):
        logging.warning("Not Found: /nope")
        print("ok ... FAIL", end="")
        self.assertEqual(total([1]), 1)

    def test_wrong(self):
        self.assertEqual(total([1, 1]), 3)

    def test_flaky(self):
        seen = pathlib.Path(os.environ["SEEN"])
        if not seen.exists():
            seen.write_text("")
            self.fail("first time")

    def test_forked(self):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            self.assertIsNone(pool.apply(worker.main))
            pool.close()
            pool.join()
"""


def no_backend() -> AbstractContextManager[Serving]:
    raise AssertionError("tests need no backend")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in {
        "shop/__init__.py": "", "shop/cart.py": CART, "shop/worker.py": "def main():\n    print()\n\n\nmain()\n",
        "shop/scripts/never.py": "def never():\n    return 1\n",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


Gate = Callable[..., Readings]


@pytest.fixture
def gate(project: Path, tmp_path: Path) -> Gate:
    def run(
        source: tuple[str, ...] = ("shop",), base: str | None = None, python: str = "", **settings: Any
    ) -> Readings:
        directory = tmp_path / "run"
        directory.mkdir(exist_ok=True)
        env = {**os.environ, "SEEN": str(tmp_path / "seen"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        context = Context(
            root=project, source=source, python=python or sys.executable, env=env, directory=directory, gate="tests",
            serve=no_backend, classify=lambda name, definition: "simple", base_commit=base,
        )  # fmt: skip
        return Coverage(tool="coverage", **settings).run(context)

    return run


def counts(readings: Readings) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    return {(each.name, each.scope): (each.count, each.total) for each in readings.measurements}


def outcomes(readings: Readings) -> dict[str, str]:
    return {subject.name: subject.outcome for subject in readings.subjects}


def rules(readings: Readings) -> list[str]:
    return [finding.rule for finding in readings.findings]


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", *identity, *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_suite_of_pytest_with_everything_in_it(project: Path, gate: Gate) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "test_cart.py").write_text(TESTS)
    # What a project may have of its own: it stops early, it leaves files out, it demands a figure itself.
    (project / "pytest.ini").write_text("[pytest]\naddopts = -x --junit-prefix=theirs\n")
    (project / ".coveragerc").write_text("[run]\nomit = */tests/*\ninclude = nothing.py\n[report]\nfail_under = 100\n")
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    base = git(project, "rev-parse", "HEAD")
    (project / "shop" / "cart.py").write_text(CART.replace("result -= discount", "result -= discount + 0"))
    (project / "shop" / "new.py").write_text("FIRST = 1\n\n\ndef second():\n    return 2\n")
    readings = gate(base=base)
    assert outcomes(readings) == {
        "tests/test_cart.py::TestCart::test_sum[1]": "passed",
        "tests/test_cart.py::TestCart::test_sum[2]": "passed",
        "tests/test_cart.py::TestCart::test_wrong": "failed",
        "tests/test_cart.py::test_flaky": "flaky",
        "tests/test_cart.py::test_skipped": "skipped",
        "tests/test_cart.py::test_program": "passed",
    }
    wrong = next(subject for subject in readings.subjects if subject.outcome == "failed")
    assert wrong.message.startswith("AssertionError: one and one")
    told = counts(readings)
    assert told["coverage.lines", "shop/cart.py"] == (8, 9)
    assert told["coverage.lines", "shop/worker.py"] == (3, 3)  # by a program that a test started
    assert told["coverage.lines", "shop/scripts/never.py"] == (0, 2)  # by nothing
    assert told["coverage.lines", "shop/new.py"] == (0, 3)
    assert told["coverage.lines", ""] == (11, 17)
    assert told["coverage.branches", ""] == (5, 6)
    assert told["coverage.changed_lines", ""] == (1, 4)
    values = {each.name: each.value for each in readings.measurements if not each.scope}
    assert (values["tests.total"], values["tests.failed"], values["tests.skipped"]) == (6, 1, 1)
    assert (readings.findings, readings.gaps) == ((), ())
    assert readings.configurations["coverage.omit"] == "*/tests/*"
    assert set(readings.versions) == {"python", "coverage", "pytest"}
    assert not (project / ".coverage").exists()
    assert not (project / ".pytest_cache").exists()


def test_a_module_that_cannot_be_loaded_leaves_a_finding_and_no_figure(
    project: Path, gate: Gate, tmp_path: Path
) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "test_ok.py").write_text("from shop.cart import total\ndef test_ok(): total([1])\n")
    assert ("coverage.lines", "") in counts(gate())
    (project / "tests" / "test_broken.py").write_text("import nowhere\n")
    readings = gate()  # in the folder where the good figure of the run before still lies
    (found,) = readings.findings
    assert (found.rule, found.path) == ("tests.collection", "tests/test_broken.py")
    assert "No module named 'nowhere'" in found.message
    assert not any(name.startswith("coverage.") for name, _ in counts(readings))
    assert [gap.what for gap in readings.gaps] == ["coverage"]


def test_no_test_is_a_finding_and_not_a_pass(project: Path, gate: Gate) -> None:
    readings = gate()
    assert rules(readings) == ["tests.none"]
    assert [gap.what for gap in readings.gaps] == ["coverage"]


def test_a_suite_that_was_stopped_is_told_from_a_whole_one(project: Path, gate: Gate) -> None:
    (project / "test_stop.py").write_text(
        "import pytest\nfrom shop.cart import total\ndef test_a(): total([1])\ndef test_b(): pytest.exit('enough')\n"
    )
    readings = gate()
    assert rules(readings) == ["tests.interrupted"]
    assert "enough" in readings.findings[0].message
    assert not any(name.startswith("coverage.") for name, _ in counts(readings))


@pytest.mark.parametrize(
    ("body", "told"),
    [("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"), ("import os; os._exit(1)", "exit code 1")],
)
def test_a_suite_that_dies_is_an_error(project: Path, gate: Gate, body: str, told: str) -> None:
    (project / "test_dies.py").write_text(f"def test_dies():\n    {body}\n")
    with pytest.raises(ToolError, match=told):
        gate()


def test_a_wrong_option_is_an_error_with_the_words_of_pytest(project: Path, gate: Gate) -> None:
    with pytest.raises(ToolError, match="unrecognized arguments: --bogus"):
        gate(command="pytest --bogus")


def test_tests_that_reach_none_of_the_source_measure_nothing(project: Path, gate: Gate) -> None:
    (project / "test_other.py").write_text("def test_other(): pass\n")
    readings = gate(retries=0)
    assert not any(name.startswith("coverage.") for name, _ in counts(readings))
    assert "reached no line under shop" in readings.gaps[0].reason


def test_a_source_that_is_not_there_names_what_was_looked_for(project: Path, gate: Gate) -> None:
    (project / "src" / "store").mkdir(parents=True)
    with pytest.raises(ToolError) as error:
        gate(source=("store",))
    assert "looked for the folder or file 'store'" in error.value.message
    assert 'source = ["src/store"]' in error.value.hint


def test_a_source_file_that_is_no_python_is_an_error_of_the_gate(project: Path, gate: Gate) -> None:
    (project / "shop" / "scripts" / "broken.py").write_text("def broken(:\n")
    (project / "test_cart.py").write_text("from shop.cart import total\ndef test_a(): total([1])\n")
    with pytest.raises(ToolError, match=r"broken\.py"):
        gate()


def test_an_environment_without_coverage_says_what_to_install_where(project: Path, gate: Gate, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    with pytest.raises(ToolError) as error:
        gate(python=python)
    assert "coverage and pytest are not installed" in error.value.message
    assert f"{python} -m pip install coverage pytest" in error.value.hint


def test_unittest_is_known_by_its_tests_whatever_they_print(project: Path, gate: Gate) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "__init__.py").write_text("")
    (project / "tests" / "test_cart.py").write_text(UNITTESTS)
    (project / "shop" / "worker.py").write_text("def main():\n    return None\n")
    readings = gate(command="python -m unittest")
    assert outcomes(readings) == {
        "tests/test_cart.py::CartTest::test_flaky": "flaky",
        "tests/test_cart.py::CartTest::test_forked": "passed",
        "tests/test_cart.py::CartTest::test_sum": "passed",
        "tests/test_cart.py::CartTest::test_wrong": "failed",
    }
    assert counts(readings)["coverage.lines", "shop/worker.py"] == (2, 2)  # the second line in a forked worker
    assert (readings.findings, readings.gaps) == ((), ())


def test_a_script_whose_tests_nobody_knows_is_judged_by_its_end(project: Path, gate: Gate) -> None:
    (project / "run.py").write_text("import sys\nfrom shop.cart import total\ntotal([1])\nsys.exit(int(sys.argv[1]))\n")
    good = gate(command="python run.py 0")
    assert (rules(good), [gap.what for gap in good.gaps]) == ([], ["tests"])
    assert counts(good)["coverage.lines", "shop/cart.py"] == (7, 9)
    bad = gate(command="python run.py 3")
    assert (rules(bad), [gap.what for gap in bad.gaps]) == (["tests.exit"], ["tests", "coverage"])
    assert "exit code 3" in bad.findings[0].message


def test_a_script_may_write_its_own_junit_file_but_must_write_it_now(project: Path, gate: Gate) -> None:
    (project / "out.xml").write_text("<testsuites><testsuite name='s'><testcase name='old'/></testsuite></testsuites>")
    (project / "run.py").write_text("from shop.cart import total\ntotal([1])\n")
    with pytest.raises(ToolError, match="still the one from before"):
        gate(command="python run.py", junit="out.xml")
    (project / "run.py").write_text(
        "from shop.cart import total\ntotal([1])\n"
        "open('out.xml', 'w').write('<testsuite name=\"s\"><testcase name=\"new\"/></testsuite>')\n"
    )
    readings = gate(command="python run.py", junit="out.xml")
    assert outcomes(readings) == {"s::new": "passed"}
    assert ("coverage.lines", "") in counts(readings)


NODE_TESTS = """\
const { describe, it } = require('node:test');
const assert = require('node:assert');
const { total } = require('../src/cart');
describe('cart', () => {
  it('adds', () => assert.strictEqual(total([1]), 1));
  it('is wrong', () => assert.strictEqual(total([1, 1]), 3));
});
"""


@pytest.fixture
def node_project(project: Path) -> Path:
    for name, text in {
        "src/cart.js": "'use strict';\nexports.total = (prices) => prices.reduce((sum, price) => sum + price, 0);\n",
        "src/server.js": "require('./cart');\n\nconsole.log('up');\n", "test/cart.test.js": NODE_TESTS,
    }.items():  # fmt: skip
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


NODE = (
    f"{Path(sys.executable).parent}/node --test --test-reporter=junit --test-reporter-destination=out/junit.xml "
    "--experimental-test-coverage --test-reporter=lcov --test-reporter-destination=out/lcov.info"
)


def test_a_suite_of_node_is_read_from_the_files_it_writes(node_project: Path, gate: Gate) -> None:
    (node_project / "out").mkdir()
    readings = gate(source=("src",), command=NODE, junit="out/*.xml", report="out/lcov.info")
    assert outcomes(readings) == {
        "test/cart.test.js::cart::adds": "passed",
        "test/cart.test.js::cart::is wrong": "failed",
    }
    told = counts(readings)
    assert told["coverage.lines", "src/cart.js"] == (2, 2)
    assert told["coverage.lines", "src/server.js"] == (0, 2)  # no test loads it: each line that is not blank
    assert any("src/server.js" in note for note in readings.notes)
    assert readings.findings == ()


def test_files_of_an_earlier_run_are_never_read_as_new(node_project: Path, gate: Gate) -> None:
    (node_project / "out").mkdir()
    gate(source=("src",), command=NODE, junit="out/junit.xml", report="out/lcov.info")
    with pytest.raises(ToolError, match=r"JUnit file out/junit\.xml is still the one from before"):
        gate(source=("src",), command="true", junit="out/junit.xml", report="out/lcov.info")
    with pytest.raises(ToolError, match=r"coverage file out/lcov\.info is still the one from before"):
        gate(source=("src",), command="true", report="out/lcov.info")
    readings = gate(source=("src",), command="touch out/junit.xml", junit="out/junit.xml", report="out/lcov.info")
    assert [gap.what for gap in readings.gaps] == ["coverage"]
    assert not any(name.startswith("coverage.") for name, _ in counts(readings))


def test_other_commands_without_files_say_which_settings_would_help(project: Path, gate: Gate) -> None:
    with pytest.raises(ToolError) as error:
        gate(command="npm test")
    assert "`junit` and `report`" in error.value.hint


def test_an_exit_code_that_nothing_explains_is_a_finding(project: Path, gate: Gate) -> None:
    junit = "<testsuite name='s'><testcase name='a'/></testsuite>"
    readings = gate(command=f'echo "{junit}" > out.xml; echo threshold not met >&2; exit 9', junit="out.xml")
    assert rules(readings) == ["tests.exit"]
    assert "exit code 9" in readings.findings[0].message
    assert "threshold not met" in readings.findings[0].message
    assert outcomes(readings) == {"s::a": "passed"}
    assert [gap.what for gap in readings.gaps] == ["coverage"]


def test_a_report_about_other_files_measures_nothing(project: Path, gate: Gate) -> None:
    command = "printf 'SF:/app/x.js\\nDA:1,1\\nend_of_record\\n' > lcov.info"
    readings = gate(command=command, report="lcov.info")
    assert [gap.what for gap in readings.gaps] == ["tests", "coverage"]
    assert "/app/x.js" in readings.gaps[1].reason


def test_a_commit_that_is_not_in_a_shallow_clone_is_a_gap(project: Path, gate: Gate) -> None:
    (project / "test_cart.py").write_text("from shop.cart import total\ndef test_a(): total([1])\n")
    git(project, "init", "-q")
    readings = gate(base="0123456789abcdef0123456789abcdef01234567")
    (gap,) = readings.gaps
    assert gap.what == "coverage.changed_lines"
    assert "fetch" in gap.hint
    assert ("coverage.lines", "") in counts(readings)


def test_what_a_gate_needs_is_told_before_it_runs(project: Path, tmp_path: Path) -> None:
    def told(python: str = sys.executable, **settings: Any) -> list[bool]:
        context = Context(
            root=project, source=("shop",), python=python, env=os.environ, directory=tmp_path, gate="tests",
            serve=no_backend, classify=lambda name, definition: "simple",
        )  # fmt: skip
        requirements = Coverage(tool="coverage", **settings).requirements(context)
        assert all(each.met or each.hint for each in requirements)
        return [each.met for each in requirements]

    assert told() == [True, True]
    assert told(python="/nowhere/python") == [False]
    assert told(command="npm test") == [False]
    assert told(command="npm test", junit="out.xml") == [True]


@pytest.mark.parametrize(
    ("text", "ini", "told"),
    [
        ("import pytest\n@pytest.mark.parametrize('n', range(201))\ndef test_n(n): assert total([n]) < 0\n", "", "201"),
        ("def test_a(): assert total([1]) < 0\n", "addopts = -p no:cacheprovider", "switches pytest's cache off"),
        (
            "import os, pathlib\ndef test_a():\n    seen = pathlib.Path(os.environ['SEEN'])\n"
            "    if seen.exists(): os._exit(9)\n    seen.write_text('')\n    assert total([1]) < 0\n",
            "",
            "could not be tried again",
        ),
    ],
    ids=["too many", "no cache", "dies"],
)
def test_failing_tests_that_cannot_be_tried_again_stay_failed(
    project: Path, gate: Gate, text: str, ini: str, told: str
) -> None:
    (project / "test_cart.py").write_text(f"from shop.cart import total\n{text}")
    (project / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    readings = gate()
    assert set(outcomes(readings).values()) == {"failed"}
    assert any(told in note for note in readings.notes)
    assert ("coverage.lines", "") in counts(readings)


def test_a_suite_about_a_backend_in_another_language_is_judged_without_a_figure(project: Path, gate: Gate) -> None:
    (project / "cmd").mkdir()
    (project / "cmd" / "main.go").write_text("package main\n")
    (project / "test_api.py").write_text("def test_api(): pass\n")
    readings = gate(source=("cmd",))
    assert outcomes(readings) == {"test_api.py::test_api": "passed"}
    assert [gap.reason for gap in readings.gaps] == ["there is no Python file under cmd"]


def test_a_setup_that_fails_is_a_finding_of_its_own(project: Path, gate: Gate) -> None:
    (project / "test_db.py").write_text(
        "import unittest\nfrom shop.cart import total\nclass Db(unittest.TestCase):\n"
        "    @classmethod\n    def setUpClass(cls):\n        raise RuntimeError('no database')\n"
        "    def test_a(self): pass\nclass Other(unittest.TestCase):\n    def test_b(self): total([1])\n"
    )
    readings = gate(command="python -m unittest")
    (found,) = readings.findings
    assert (found.rule, "no database" in found.message) == ("tests.setup", True)
    assert outcomes(readings) == {"test_db.py::Other::test_b": "passed"}
