from __future__ import annotations

import os
from pathlib import Path

import pytest

from gates.tools.coverage import Coverage
from gates.tools.coverage.command import OtherCommand, PythonCommand, understand
from gates.tools.coverage.interpreter import Interpreter
from gates.tools.coverage.pytest_options import own_words, pytest_options, remembers_failures
from gates.tools.coverage.written import expect


def wrapped(command: str) -> list[str]:
    understood = understand(command, "py")
    assert isinstance(understood, PythonCommand)
    return understood.under_coverage(Path("rc"), ["--ours"])


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest", "py -m coverage run --rcfile=rc -m pytest --ours"),
        ("pytest -k 'a or b' tests", "py -m coverage run --rcfile=rc -m pytest -k a_or_b tests --ours"),
        ("pytest tests -- -x", "py -m coverage run --rcfile=rc -m pytest tests --ours -- -x"),
        ("python -m pytest -q", "py -m coverage run --rcfile=rc -m pytest -q --ours"),
        (
            "python3.12 -X dev -Werror -m unittest -v",
            "py -X dev -Werror -m coverage run --rcfile=rc -m unittest -v --ours",
        ),
        ("python manage.py test", "py -m coverage run --rcfile=rc manage.py test --ours"),
        ("django-admin test", "py -m coverage run --rcfile=rc -m django test --ours"),
        ("python run.py", "py -m coverage run --rcfile=rc run.py --ours"),
        (".venv/bin/pytest", ".venv/bin/python -m coverage run --rcfile=rc -m pytest --ours"),
        ("venv/bin/python3 -m pytest", "venv/bin/python3 -m coverage run --rcfile=rc -m pytest --ours"),
    ],
)
def test_python_commands_are_put_under_coverage(command: str, expected: str) -> None:
    assert wrapped(command) == [word.replace("_", " ") for word in expected.split(" ")]


def test_variables_before_a_command_are_kept() -> None:
    understood = understand("DJANGO_SETTINGS_MODULE='a b' X= pytest", "py")
    assert isinstance(understood, PythonCommand)
    assert understood.env == {"DJANGO_SETTINGS_MODULE": "a b", "X": ""}
    assert understood.kind == "pytest"


@pytest.mark.parametrize(
    ("command", "reason", "hint", "shell"),
    [
        ("npm test", "'npm' is no Python program", "", False),
        ("A=1 npm test", "'npm' is no Python program", "", True),
        ("pytest && npm test", "needs a shell", "", True),
        ("pytest > log", "needs a shell", "", True),
        ("pytest $ARGS", "needs a shell", "", True),
        ("python -c 'import x'", "code on the command line", "", False),
        ("python", "no module and no script", "", False),
        ("python -m coverage run -m pytest", "runs coverage.py itself", "", False),
        ("coverage run -m pytest", "no Python program", "without `coverage run`", False),
        ("uv run pytest", "no Python program", "under [backend]", False),
        ("A=1", "names no program", "", True),
    ],
)
def test_other_commands_say_why_and_what_to_do(command: str, reason: str, hint: str, shell: bool) -> None:
    understood = understand(command, "py")
    assert isinstance(understood, OtherCommand)
    assert reason in understood.reason
    assert hint in understood.hint
    assert (understood.words[:2] == ("sh", "-c")) is shell


def test_settings_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValueError, match="quotation"):
        Coverage(tool="coverage", command="pytest -k 'a")
    with pytest.raises(ValueError, match="inside the project"):
        Coverage(tool="coverage", junit="../junit.xml")
    with pytest.raises(ValueError, match="inside the project"):
        Coverage(tool="coverage", report="/tmp/lcov.info")


def interpreter(coverage: str = "7.17.3", *plugins: str) -> Interpreter:
    return Interpreter("py", "3.12.1", coverage, "9.2.0", frozenset(plugins))


ALL = ("pytest_cov", "xdist", "pytest_randomly", "pytest_rerunfailures")


def test_options_of_plugins_are_given_only_where_the_plugin_is_loaded() -> None:
    ours = {"--no-cov", "--reruns=0", "--randomly-seed=20", "-n0"}
    old = interpreter("6.5.0", *ALL)
    assert ours <= set(pytest_options(old, "pytest", True, 20)[0])
    assert not ours & set(pytest_options(interpreter("6.5.0"), "pytest --cov", True, 20)[0])
    assert not ours & set(pytest_options(old, "pytest", False, 20)[0])
    assert not ours & set(pytest_options(old, "pytest --disable-plugin-autoload", True, 20)[0])
    assert ours & set(pytest_options(old, "pytest -p xdist -p pytest_cov", False, 20)[0]) == {"--no-cov", "-n0"}
    assert "--no-cov" not in pytest_options(old, "pytest -p no:cov", True, 20)[0]


def test_parallel_tests_are_measured_where_coverage_can_and_told_where_it_cannot() -> None:
    assert pytest_options(interpreter("7.10.0", "xdist"), "pytest -n auto", True, 20)[1] == []
    assert "-n0" not in pytest_options(interpreter("7.10.0", "xdist"), "pytest -n auto", True, 20)[0]
    for words in ("pytest -n auto", 'addopts = "-n4"', "--numprocesses=2"):
        (note,) = pytest_options(interpreter("7.9.2", "xdist"), words, True, 20)[1]
        assert "one after another" in note
    assert pytest_options(interpreter("7.9.2", "xdist"), "pytest -k not-n", True, 20)[1] == []


def test_words_of_the_project_are_looked_for_where_pytest_looks(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    assert not remembers_failures(own_words("pytest", {}, tmp_path))
    assert not remembers_failures(own_words("pytest", {"PYTEST_ADDOPTS": "--cache-clear"}, tmp_path / "none"))
    assert remembers_failures(own_words("pytest", {}, tmp_path / "none"))


def test_only_files_that_were_written_since_are_fresh(tmp_path: Path) -> None:
    for name in ("kept.xml", "touched.xml"):
        (tmp_path / name).write_text("old")
    expected = expect(tmp_path, "*.xml")
    assert (expected.fresh(), len(expected.stale())) == ([], 2)
    state = (tmp_path / "touched.xml").stat()
    (tmp_path / "touched.xml").write_text("new")
    os.utime(tmp_path / "touched.xml", ns=(state.st_atime_ns, state.st_mtime_ns))  # as tools that copy files do
    (tmp_path / "fresh.xml").write_text("new")
    assert [path.name for path in expected.fresh()] == ["fresh.xml", "touched.xml"]
    assert [path.name for path in expected.stale()] == ["kept.xml"]
    (tmp_path / "kept.xml").unlink()
    assert expected.stale() == []
