from __future__ import annotations

import sys
from pathlib import Path

import pytest
from coverage import Coverage as Measuring

from gates.errors import ToolError
from gates.tools.coverage.interpreter import Interpreter, ask, missing, parse_answer
from gates.tools.coverage.rcfile import configurations, honoured, render, source_folders
from gates.tools.coverage.wrapped import environment_to_ask, unmeasured

EXCLUDED = ("#pragma$", "  two spaces before", "; semicolon", "^\\s*if (a|b):$", "cost \\$HOME", "def \\w+\\(")


def chosen(coverage: str = "7.17.3", **options: tuple[str, ...]) -> Interpreter:
    configuration = {name.replace("_", ":", 1): values for name, values in options.items()}
    return Interpreter("py", "3.12.1", coverage, "9.2.0", frozenset(), configuration)


def read_back(text: str, tmp_path: Path) -> Measuring:
    (tmp_path / "rc").write_text(text)
    return Measuring(config_file=str(tmp_path / "rc"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "a project"
    for name in (
        "shop/__init__.py", "shop/a.py", "shop/deep/__init__.py", "shop/deep/b.py", "shop/scripts/c.py",
        "shop/data/none.txt", "shop/data/below/__init__.py", "shop/data/below/d.py", "shop/venv/pyvenv.cfg",
        "shop/venv/e.py", "shop/.hidden/f.py", "shop/node_modules/g.py", "alone.py",
    ):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n")
    return root


def test_every_folder_with_code_is_measured_also_where_no_test_can_have_imported_it(project: Path) -> None:
    folders, pruned = source_folders(project, ["shop", "alone.py"])
    assert [str(Path(folder).relative_to(project)) for folder in folders] == [
        "shop", "shop/data/below", "shop/scripts", ".",
    ]  # fmt: skip
    assert sorted(str(Path(pattern).relative_to(project)) for pattern in pruned) == [
        "shop/.hidden/*", "shop/node_modules/*", "shop/venv/*",
    ]  # fmt: skip


def test_what_the_project_chose_comes_back_out_of_our_file_as_it_was(project: Path, tmp_path: Path) -> None:
    asked = chosen(
        run_omit=("*/migrations/*", "shop/gen_*.py"), report_omit=("shop/old/*",), report_exclude_lines=EXCLUDED,
        report_partial_branches=("#no branch$",),
    )  # fmt: skip
    text = render(asked, project, ["shop"], tmp_path / "data $HOME", branches=False, recorder=False)
    config = read_back(text, tmp_path).config
    bare = [value.removeprefix("(?:").removesuffix(")") if value.startswith("(?:") else value for value in EXCLUDED]
    assert [value.removeprefix("(?:").removesuffix(")") if value.startswith("(?:") else value
            for value in config.exclude_list] == bare  # fmt: skip
    everything_left_out = ["*/migrations/*", f"{project}/shop/gen_*.py", f"{project}/shop/old/*"]
    assert config.report_omit == everything_left_out
    assert config.run_omit[:3] == everything_left_out
    assert config.branch is False
    assert config.data_file == str(tmp_path / "data $HOME")
    assert config.source[0] == str(project / "shop")
    assert config.concurrency == ["thread", "multiprocessing"]
    assert config.patch == ["subprocess"]
    assert config.fail_under == 0


def test_an_old_coverage_is_told_nothing_that_it_does_not_know(project: Path, tmp_path: Path) -> None:
    text = render(chosen("5.5"), project, ["shop"], tmp_path / "data", branches=True, recorder=True)
    assert "sigterm" not in text
    assert "patch" not in text
    assert "gates_unittest_recorder" in text


def test_sigterm_and_forked_workers_are_not_forced_together() -> None:
    root = Path("/srv")
    assert honoured(chosen(run_sigterm=("False",)), root)["run:concurrency"] == ("thread", "multiprocessing")
    assert "run:sigterm" not in honoured(chosen(run_sigterm=("False",)), root)
    asked = honoured(chosen(run_sigterm=("True",), run_concurrency=("gevent",)), root)
    assert (asked["run:sigterm"], asked["run:concurrency"]) == (("true",), ("gevent",))


def test_a_change_of_what_is_left_out_changes_what_is_recorded() -> None:
    root = Path("/srv/shop")
    before = configurations(chosen(run_omit=("a.py",)), root)
    moved = configurations(chosen(run_omit=("a.py",)), Path("/elsewhere"))
    after = configurations(chosen(run_omit=("a.py", "b.py"), report_exclude_lines=("raise",)), root)
    assert before == moved
    assert before["coverage"] != after["coverage"]
    assert (before["coverage.omit"], after["coverage.omit"]) == ("a.py", "a.py, b.py")
    assert after["coverage.exclude_lines"] == "raise"


def test_the_interpreter_tells_what_it_has_and_what_the_project_configured(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.coverage.run]\nomit = ["gen/*"]\nsigterm = true\n[tool.coverage.report]\nexclude_also = ["raise X"]\n'
    )
    asked = ask(sys.executable, tmp_path, {"PATH": ""}, wants_pytest=True)
    assert asked.version == ".".join(map(str, sys.version_info[:3]))
    assert asked.coverage_version >= (7, 17)
    assert asked.pytest is not None
    assert asked.configuration["run:omit"] == ("gen/*",)
    assert asked.configuration["run:sigterm"] == ("True",)
    assert "raise X" in asked.configuration["report:exclude_lines"]
    assert asked.configured_in == str(tmp_path / "pyproject.toml")
    assert missing(asked, wants_pytest=True) is None


def test_a_broken_configuration_of_the_project_is_told(tmp_path: Path) -> None:
    (tmp_path / ".coveragerc").write_text("[run]\nbranch = perhaps\n")
    error = missing(ask(sys.executable, tmp_path, {}, wants_pytest=False), wants_pytest=False)
    assert error is not None
    assert "cannot be read" in error.message
    assert "perhaps" in error.message


def test_what_must_be_installed_is_named_with_the_place() -> None:
    asked = Interpreter("env/bin/python", "3.12.1", None, None, frozenset())
    error = missing(asked, wants_pytest=True)
    assert error is not None
    assert error.message.startswith("coverage and pytest are not installed in the project's environment")
    assert "env/bin/python -m pip install coverage pytest" in error.hint
    old = missing(Interpreter("py", "3.6.0", "4.5.4", "5.0", frozenset()), wants_pytest=True)
    assert old is not None
    assert "too old" in old.message


def test_an_interpreter_that_fails_or_chatters_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="could not say what is installed"):
        ask("false", tmp_path, {"PATH": "/usr/bin:/bin"}, wants_pytest=False)
    with pytest.raises(ToolError, match="no readable answer"):
        parse_answer("py", '{"python": "3.12.1"}\nbye')


def test_a_configuration_named_by_a_variable_is_the_projects_unless_it_is_of_a_measurement_of_this_program() -> None:
    env = {"COVERAGE_RCFILE": "theirs", "COVERAGE_PROCESS_CONFIG": "x", "COVERAGE_CORE": "sysmon", "PATH": "/bin"}
    assert unmeasured(env) == {"COVERAGE_CORE": "sysmon", "PATH": "/bin"}
    assert environment_to_ask(unmeasured(env), env)["COVERAGE_RCFILE"] == "theirs"
    assert "COVERAGE_RCFILE" not in environment_to_ask(unmeasured(env), {**env, "COVERAGE_RUN": "true"})
