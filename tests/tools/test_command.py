from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from gates.errors import BackendFailed, ToolError
from gates.process import CommandFailed, CommandNotFound
from gates.results import Readings, Severity
from gates.tools.base import Context, Serving
from gates.tools.command import Command
from gates.tools.command.numbers import Number, NumberMissing, parse, parse_path

RECORDED = Path(__file__).parent.parent / "output" / "command"


class Backend:
    """A backend that is up for as long as the command runs, and remembers that it was."""

    def __init__(self, url: str = "http://127.0.0.1:41234", data: Path | None = None, dead: bool = False) -> None:
        self.url, self.data, self.dead, self.entered, self.left = url, data, dead, False, False

    def check(self) -> None:
        if self.dead:
            raise BackendFailed("the backend died")

    @contextmanager
    def serve(self) -> Iterator[Serving]:
        self.entered = True
        yield cast(Serving, self)
        self.left = True


def make_context(root: Path, backend: Backend | None = None, **env: str) -> Context:
    directory = root.parent / f"{root.name}-output"
    directory.mkdir(exist_ok=True)
    return Context(
        root=root, source=(), python=sys.executable, env={**os.environ, **env}, directory=directory, gate="checks",
        serve=(backend or Backend(dead=True)).serve, classify=lambda name, definition: "simple",
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


def recorded(name: str) -> str:
    return (RECORDED / name).read_text()


def values(readings: Readings) -> dict[str, float]:
    return {measurement.name: measurement.value for measurement in readings.measurements}


@pytest.mark.parametrize(
    ("number", "output", "value"),
    [
        (Number(pattern=r"best of 5: (\S+) nsec per loop", unit="ns"), "timeit-3.11.txt", 344e-9),
        (Number(pattern=r"^# fail (\d+)$"), "node-tap.txt", 1),
        (Number(pattern=r"^# duration_ms (.+)$", unit="ms"), "node-tap.txt", 0.050158934),
        (Number(json="$.totals.percent_covered", unit="%"), "coverage-7.17.json", 0.7142857142857143),
        (Number(json="$.files['m.py'].executed_lines[-1]"), "coverage-7.17.json", 5),
        (Number(json='$["totals"]["missing_lines"]'), "coverage-7.17.json", 1),
    ],
)
def test_numbers_of_real_tools_are_read_in_base_units(number: Number, output: str, value: float) -> None:
    assert parse(number, recorded(output)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "value"),
    [("", 250), ("ms", 0.25), ("min", 15000), ("kB", 250_000), ("MiB", 250 * 2**20), ("%", 2.5), ("ratio", 250),
     ("/min", 250 / 60)],
)  # fmt: skip
def test_every_unit_becomes_its_base_unit(unit: str, value: float) -> None:
    assert parse(Number(json="$.n", unit=unit), '{"n": 250}') == pytest.approx(value)


def test_the_last_match_counts_and_the_error_output_comes_second() -> None:
    number = Number(pattern=r"^took (\S+) s")
    assert parse(number, "took 1 s\ntook 2.5 s\n", "took 9 s\n") == 2.5
    assert parse(number, "quiet", "took 1e-3 s") == 0.001


def test_json_may_be_the_last_line_of_a_program_that_talks() -> None:
    assert parse(Number(json="$.n"), 'starting…\n{"n": 1}\n{"n": 2}\n\n') == 2


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("$.totals.failed", '{"totals": {"passed": 1}}', r"\$\.totals has no 'failed'; it has 'passed'"),
        ("$.totals.failed", '{"totals": {}}', r"\$\.totals has no 'failed'; it has nothing"),
        ("$.a[2]", '{"a": [1, 2]}', r"\$\.a has 2 elements"),
        ("$.a.b", '{"a": [1, 2]}', r"\$\.a is a list with 2 elements"),
        ("$[0]", '{"a": 1}', r"\$ is an object with 1 elements"),
        ("$.a.b", '{"a": 1}', r"\$\.a is the int 1"),
        ("$.a", '{"a": "12"}', 'it is the str "12", not a number'),
        ("$.a", '{"a": true}', "it is the bool true, not a number"),
        ("$.a", '{"a": null}', "it is null, not a number"),
        ("$.a", '{"a": {}}', "it is an object with 0 elements, not a number"),
        ("$.a", '{"a": NaN}', "it is nan, which nothing can be compared with"),
        ("$.a", '{"a": -Infinity}', "it is -inf, which"),
        ("$.a", '{"a": 1e999}', "it is inf, which"),
        ("$.a", '{"a": 1' + "0" * 400 + "}", "which nothing can be compared with"),
        ("$.a", "", "there is nothing"),
        ("$.a", "<html>", "it is not JSON"),
        ("$.a", "[" * 100_000, "it is not JSON"),
    ],
)
def test_what_is_no_number_in_json_is_missing_and_never_zero(path: str, text: str, why: str) -> None:
    with pytest.raises(NumberMissing, match=why) as caught:
        parse(Number(json=path), text)
    assert path in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [("p95 none", "nothing matches"), ("p95: ms", "matches '', which is no number"),
     ("p95: nan ms", "matches 'nan', which is no number"), ("p95: 1_000 ms", "'1_000', which is no number"),
     ("p95: 1,234.5 ms", "'1,234.5', which is no number"), ("p95: 1e999 ms", "nothing can be compared with")],
)  # fmt: skip
def test_what_is_no_number_in_text_is_missing(text: str, why: str) -> None:
    with pytest.raises(NumberMissing, match=why):
        parse(Number(pattern=r"p95: ?(\S*) ?ms"), text)


def test_a_group_that_did_not_take_part_is_missing() -> None:
    with pytest.raises(NumberMissing, match="None, which is no number"):
        parse(Number(pattern=r"a(\d)?b"), "ab")


def test_paths_are_parsed_into_names_and_indices() -> None:
    assert parse_path("$") == ()
    assert parse_path("""$.a-b['c d.e'][0]["f'g"][-1]._h""") == ("a-b", "c d.e", 0, "f'g", -1, "_h")


@pytest.mark.parametrize("path", ["a.b", "$a", "$.", "$..a", "$.a[*]", "$.a[0:1]", "$['a]", "$.a b", ""])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="is not a JSON path"):
        Number(json=path)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "either `json` or `pattern`"),
        ({"json": "$.a", "pattern": "(a)"}, "either `json` or `pattern`"),
        ({"pattern": "(a"}, "not a regular expression"),
        ({"pattern": "a"}, "has 0 groups, and needs one"),
        ({"pattern": "(a)(b)"}, "has 2 groups"),
        ({"json": "$.a", "unit": "ms", "demand": "<= 100"}, "needs one of the units"),
        ({"json": "$.a", "demand": "<= 5 %"}, "takes no unit"),
        ({"json": "$.a", "unit": "%", "demand": "5 %"}, "does not begin with <="),
        ({"json": "$.a", "unit": "furlong"}, "'furlong' is not a unit; known are 'ns'"),
        ({"json": "$.a", "jsno": "$.b"}, "jsno"),
        ({"json": "$.a", "better": "smaller"}, "better"),
    ],
)
def test_a_number_that_cannot_be_measured_is_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Command.model_validate({"tool": "command", "command": "true", "numbers": {"n": settings}})


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"command": ""}, "command"),
        ({"command": "  "}, "the command is empty"),
        ({"command": "echo 'open"}, "No closing quotation"),
        ({"command": "curl {base_url}/health"}, "needs the backend: add `backend = true`"),
        ({"command": "true", "expect_exit": ()}, "expect_exit"),
        ({"command": "true", "expect_exit": (256,)}, "expect_exit"),
        ({"command": "true", "numbers": {"a.b": {"json": "$"}}}, "a.b"),
    ],
)
def test_a_command_that_cannot_work_is_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Command.model_validate({"tool": "command", **settings})


def test_demands_are_known_by_the_names_of_the_measurements() -> None:
    tool = Command.model_validate(
        {"command": "true", "items": ["database"], "numbers": {
            "errors": {"json": "$.errors", "unit": "ratio", "demand": "<= 5 %"},
            "slow": {"json": "$.slow", "unit": "ms", "demand": "<= 1.5 s"},
            "seen": {"json": "$.seen"},
        }}
    )  # fmt: skip
    demands = tool.demands("checks")
    assert {name: (d.operator, d.value, d.dimension) for name, d in demands.items()} == {
        "checks.errors": ("<=", 0.05, "share"), "checks.slow": ("<=", 1.5, "time"),
    }  # fmt: skip
    assert tool.items == ("database",)


def test_a_command_that_succeeds_passes_with_its_numbers(project: Path) -> None:
    (project / "report.py").write_text("import json; print('hello'); print(json.dumps({'size': 3}))")
    tool = Command.model_validate(
        {"command": "{python} report.py", "numbers": {"size": {"json": "$.size", "unit": "MB", "better": "lower"}}}
    )
    readings = tool.run(make_context(project))
    (measurement,) = readings.measurements
    assert (measurement.name, measurement.value, measurement.unit, measurement.better) == (
        "checks.size", 3e6, "B", "lower",
    )  # fmt: skip
    assert not readings.findings
    assert readings.configurations["command"].startswith("sha256:")


def test_an_exit_code_that_is_not_expected_is_a_finding_with_the_last_lines(project: Path) -> None:
    tool = Command(command="echo on its way; echo broken pipe fitting >&2; exit 3")
    (finding,) = tool.run(make_context(project)).findings
    assert (finding.rule, finding.severity) == ("command.failed", Severity.HIGH)
    assert "exit code 3 instead of 0" in finding.message
    assert "on its way\nbroken pipe fitting" in finding.message
    same = Command(command="sh -c 'exit 3'").run(make_context(project)).findings[0]
    other = Command(command="sh -c 'exit 4'").run(make_context(project)).findings[0]
    assert finding.fingerprint == same.fingerprint != other.fingerprint


def test_other_exit_codes_can_be_expected(project: Path) -> None:
    tool = Command(command="sh -c 'exit 3'", expect_exit=(0, 3))
    assert not tool.run(make_context(project)).findings
    assert Command(command="true", expect_exit=(1,)).run(make_context(project)).findings


def test_a_number_that_is_not_there_is_an_error_that_shows_the_output(project: Path) -> None:
    numbers = {"n": {"pattern": r"^errors: (\d+)"}, "m": {"json": "$.m"}}
    tool = Command.model_validate({"command": "echo no errors at all", "numbers": numbers})
    with pytest.raises(ToolError) as caught:
        tool.run(make_context(project))
    assert "checks.n is not there: the pattern `^errors: (\\d+)`: nothing matches" in caught.value.message
    assert "checks.m is not there: `$.m`: it is not JSON" in caught.value.message
    assert caught.value.message.endswith("no errors at all")


def test_after_a_failure_missing_numbers_are_gaps_and_the_others_are_kept(project: Path) -> None:
    numbers = {"n": {"pattern": r"^done: (\d+)"}, "m": {"pattern": r"^total: (\d+)"}}
    tool = Command.model_validate({"command": "echo done: 5; exit 1", "numbers": numbers})
    readings = tool.run(make_context(project))
    assert values(readings) == {"checks.n": 5}
    assert [gap.what for gap in readings.gaps] == ["checks.m"]
    assert readings.findings


def test_words_are_not_given_to_a_shell_unless_it_is_needed(project: Path) -> None:
    context = make_context(project, GREETING="hello")
    (project / "a.txt").touch()

    def output(command: str) -> str:
        Command(command=command).run(context)
        return (context.directory / "stdout.txt").read_text().strip()

    assert output("printf %s 'a  b'") == "a  b"
    assert output("echo one | tr o 0") == "0ne"
    assert output("echo $GREETING") == "hello"
    assert output("X=1 sh -c 'echo ${X}'") == "1"
    assert output("echo *.txt") == "a.txt"
    assert output("echo {unknown} {python}") == f"{{unknown}} {sys.executable}"
    assert output("echo $$").isdigit()
    assert output("echo '$$'") == "$$"
    assert output("false; echo $?") == "1"
    (project / "say.sh").write_text("echo $1", "utf-8")
    assert output("sh say.sh $GREETING") == "hello"
    assert output("python=mine; echo ${python}") == "mine"


@pytest.mark.parametrize(
    "command",
    ["printf %s {data}", "printf %s {data} | cat", "printf %s '{data}' | cat", 'printf %s "{data}" | cat',
     "sh -c 'printf %s \"{data}\"'", "bash -c 'printf %s {data}'"],
)  # fmt: skip
def test_a_placeholder_stays_one_word_in_whatever_quotation_it_stands(project: Path, command: str) -> None:
    odd = project / """it's "$HOME" `a` \\ b"""
    context = make_context(project, Backend(data=odd))
    Command(command=command, backend=True).run(context)
    assert (context.directory / "stdout.txt").read_text() == str(odd)


def test_a_pipe_comes_with_a_warning_about_its_exit_code(project: Path) -> None:
    assert any("a | b" in note for note in Command(command="false | true").run(make_context(project)).notes)
    assert not Command(command="true || false").run(make_context(project)).notes
    assert not Command(command="echo 'a | b'").run(make_context(project)).notes


@pytest.mark.parametrize("command", ["no-such-program --now", "no-such-program | cat; exit 127", "/no/such/file > x"])
def test_a_program_that_is_not_there_is_an_error(project: Path, command: str) -> None:
    with pytest.raises(CommandNotFound):
        Command(command=command).run(make_context(project))


@pytest.mark.parametrize("command", ["sh -c 'kill -9 $$'", "sh -c 'kill -9 $$' && true", "kill -9 $$ && true"])
def test_a_killed_program_is_an_error_with_or_without_a_shell(project: Path, command: str) -> None:
    with pytest.raises(ToolError, match="killed by SIGKILL"):
        Command(command=command).run(make_context(project))


def test_a_command_that_takes_too_long_is_an_error(project: Path) -> None:
    with pytest.raises(CommandFailed, match=r"did not end within 0\.3 s"):
        Command(command="sleep 30", timeout=0.3).run(make_context(project))


def test_a_file_counts_only_when_this_run_wrote_it(project: Path) -> None:
    number = {"n": {"json": "$.n", "file": "out/result.json"}}
    write = Command.model_validate({"command": "cp new.json out/result.json", "numbers": number})
    forget = Command.model_validate({"command": "true", "numbers": number})
    context = make_context(project)
    (project / "new.json").write_text('{"n": 7}')
    (project / "out").mkdir()
    with pytest.raises(ToolError, match=r"out/result\.json does not exist"):
        forget.run(context)
    assert values(write.run(context)) == {"checks.n": 7}
    with pytest.raises(ToolError, match="older than this run: the command did not write it"):
        forget.run(context)
    assert values(write.run(context)) == {"checks.n": 7}, "written again with the same content"


def test_a_pattern_can_be_looked_for_in_a_file(project: Path) -> None:
    number = {"n": {"pattern": "^n=(.*)$", "file": "log.txt"}}
    tool = Command.model_validate({"command": "echo n=4 > log.txt", "numbers": number})
    assert values(tool.run(make_context(project))) == {"checks.n": 4}


def test_a_pattern_sees_the_end_of_long_output_and_any_bytes(project: Path) -> None:
    (project / "talk.py").write_text(
        "import sys\nout = sys.stdout.buffer\nout.write(b'n=1\\n' + b'\\xff\\x00 noise\\r\\n' * 200_000 + b'n=2\\n')"
    )
    numbers = {"n": {"pattern": "^n=(.*)$"}}
    tool = Command.model_validate({"command": "{python} talk.py", "numbers": numbers})
    assert values(tool.run(make_context(project))) == {"checks.n": 2}


def test_a_pattern_that_never_ends_is_stopped(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gates.tools.command.execution._SEARCH_SECONDS", 0.5)
    numbers = {"n": {"pattern": "^(a+)+$"}}
    tool = Command.model_validate({"command": f"echo {'a' * 60}!", "numbers": numbers})
    with pytest.raises(ToolError, match=r"the pattern `\^\(a\+\)\+\$` was not done"):
        tool.run(make_context(project))


def test_the_backend_is_up_while_the_command_runs_and_only_when_asked_for(project: Path) -> None:
    backend = Backend(data=project / "some data")
    # Alone, because otherwise it is told the address of a recording proxy: see test_command_proxied.py.
    tool = Command(command="echo {base_url}/health {port} {data} $GATES_BASE_URL", backend=True, runs_alone=True)
    context = make_context(project, backend)
    tool.run(context)
    assert backend.entered
    assert backend.left
    said = (context.directory / "stdout.txt").read_text().strip()
    assert said == f"{backend.url}/health 41234 {project}/some data {backend.url}"
    untouched = Backend()
    Command(command="true").run(make_context(project, untouched))
    assert not untouched.entered


def test_a_backend_without_a_port_in_its_address_has_that_of_its_scheme(project: Path) -> None:
    context = make_context(project, Backend("https://orders.test"))
    Command(command="echo {port}", backend=True).run(context)
    assert (context.directory / "stdout.txt").read_text().strip() == "443"
    with pytest.raises(ToolError, match=r"\{data\} stands for nothing"):
        Command(command="echo {data}", backend=True).run(context)


def test_a_backend_that_died_is_what_failed(project: Path) -> None:
    with pytest.raises(BackendFailed):
        Command(command="sh -c 'exit 1'", backend=True).run(make_context(project, Backend(dead=True)))


def test_what_other_tools_fix_is_a_setting_here() -> None:
    plain, special = Command(command="true"), Command(command="true", backend=True, runs_alone=True)
    assert (plain.needs_backend, plain.alone, plain.slow) == (False, False, False)
    assert (special.needs_backend, special.alone) == (True, True)


def test_requirements_say_whether_the_program_is_there(project: Path) -> None:
    context = make_context(project)
    (project / "check.sh").write_text("#!/bin/sh\n")
    (project / "check.sh").chmod(0o755)

    def met(command: str) -> bool:
        return Command(command=command).requirements(context)[0].met

    assert met("./check.sh --all")
    assert met("sh check.sh")
    assert met("no-such-program | cat")  # the shell is there; what it finds is known when it runs
    assert not met("no-such-program")
    assert not met("./no-such-file")


def test_the_schema_calls_the_path_by_the_name_that_is_written() -> None:
    schema = json.dumps(Command.model_json_schema())
    assert '"json":' in schema
    assert "json_path" not in schema


def test_a_dumped_setting_is_the_setting_again() -> None:
    written = {"command": "true", "numbers": {"n": {"json": "$.n", "unit": "ms"}}}
    tool = Command.model_validate(written)
    assert Command.model_validate(tool.model_dump(by_alias=True)) == tool
