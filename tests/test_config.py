"""gates.toml: what may stand in it, how it is laid over profiles, and that every mistake is told where it stands."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gates.config.load import build_configuration, configuration_schema, load_configuration
from gates.config.model import DEFAULT_TARGETS, Configuration, Phase, flat_targets
from gates.demands import policy_from_data, policy_to_data
from gates.errors import ConfigurationError
from gates.profiles import list_profiles
from gates.targets import TARGETS, kind_of
from gates.tools import TOOLS

# The example of the design, as it stands there.
EXAMPLE = r"""
[project]
name   = "orders"
source = ["orders"]

[backend]
profile = "fastapi"
start   = "uvicorn orders.app:app --host 127.0.0.1 --port {port}"
prepare = "pip install -e ."            # run once per build when an earlier phase is built beside this one
ready   = "/health"
openapi = "/openapi.json"               # a path on the backend, or a file
env     = { ORDERS_DB = "{data}/orders.db" }

[backend.auth]                          # how to get in; secrets only from the environment
login = { operation = "POST /login", body = { user = "demo", password = "${ORDERS_PASSWORD}" }, token = "$.access_token" }

[operations]                            # everything else is classed by method and media type
complex  = ["POST /orders", "GET /reports/*"]
external = ["POST /payments"]

[[phases]]
name  = "foundation"
title = "Orders can be placed and read"

[[phases]]
name  = "search"
title = "Orders can be searched"
targets.response_time.simple = "<= 80 ms"     # a phase may tighten what holds for all

[targets]                               # absolute; the guidelines' own numbers
coverage.lines             = ">= 90 %"
coverage.changed_lines     = ">= 95 %"
security.high              = "== 0"
response_time.simple       = "<= 100 ms"      # p95 under the load below
response_time.complex      = "<= 500 ms"
response_time.file         = "<= 2 s"
response_time.external     = "<= 1 s"
load.errors                = "<= 0.1 %"
load.concurrency           = ">= 100"
load.memory                = "<= 512 MB"
database.connections       = "<= 20"

[baseline]                              # relative to earlier phases; these are the defaults
performance = "5 %"                     # tolerance of latency, throughput, memory, benchmarks
tails       = "10 %"                    # of p99 and of a single operation's p95
coverage    = "0 points"
findings    = "none new"
side_by_side = "auto"                   # measure the earlier phase again beside this one when it can be built

[gates.tests]
tool = "coverage"
command = "pytest"

[gates.security]
tool = "bandit"

[gates.fuzz]
tool = "schemathesis"
time = "60 s"

[gates.load]
tool = "locust"
profile = "normal"
users = 100

[gates.bench]
tool = "benchmark"
command = "pytest benchmarks"

[done]                                  # the guidelines' nine items; this is the default and need not be written
"""  # noqa: E501 - verbatim

PROJECT = '[project]\nname = "x"\n'


def build(text: str, root: Path = Path("/nowhere")) -> Configuration:
    return build_configuration(tomllib.loads(text), root)


def policy(text: str, number: int = 1) -> Any:
    configuration = build(text)
    return configuration.policy(configuration.phases[number - 1])


# ---- what it means


def test_the_example_of_the_design_loads_unchanged(tmp_path: Path) -> None:
    (tmp_path / "gates.toml").write_text(EXAMPLE, "utf-8")
    configuration = load_configuration(tmp_path / "gates.toml")
    assert [phase.name for phase in configuration.phases] == ["foundation", "search"]
    assert {name: tool.tool for name, tool in configuration.gates.items()} == {
        "tests": "coverage", "security": "bandit", "fuzz": "schemathesis", "load": "locust", "bench": "benchmark",
    }  # fmt: skip
    assert configuration.backend.env == {"ORDERS_DB": "{data}/orders.db"}
    assert configuration.backend.ready == "/health"
    login = configuration.backend.auth.login
    assert login is not None
    assert login.body == {"user": "demo", "password": "${ORDERS_PASSWORD}"}
    first, second = (configuration.policy(phase) for phase in configuration.phases)
    assert first.targets["response_time.simple"].text == "<= 100 ms"
    assert second.targets["response_time.simple"].text == "<= 80 ms"
    assert second.targets["response_time.simple"].value == pytest.approx(0.08)
    assert second.targets["load.memory"].value == 512e6
    assert second.targets["coverage.changed_lines"].value == pytest.approx(0.95)
    assert first.tolerances.performance == 0.05
    assert first.tolerances.tails == 0.1
    assert first.tolerances.coverage == 0.0
    assert policy_from_data(json.loads(json.dumps(policy_to_data(second)))) == second


@pytest.mark.parametrize("profile", ["fastapi", "django", "flask", "express"])
def test_a_project_and_a_profile_are_enough(profile: str) -> None:
    configuration = build(PROJECT + f'[backend]\nprofile = "{profile}"\napp = "x:app"')
    assert configuration.backend.start
    assert {"tests", "fuzz", "load"} <= set(configuration.gates)
    assert [phase.name for phase in configuration.phases] == ["main"]
    assert set(configuration.policy(configuration.phases[0]).targets) == set(DEFAULT_TARGETS)


def test_the_most_specific_target_counts_and_defaults_are_known_as_such() -> None:
    text = PROJECT + '[targets]\ncoverage.lines = ">= 80 %"\nsecurity.high = "== 0"\n'
    text += '[[phases]]\nname = "a"\n[[phases]]\nname = "b"\ntargets.coverage.lines = ">= 85 %"\n'
    text += 'targets.operation."GET /x" = "<= 9 ms"\n'
    first, second = policy(text, 1), policy(text, 2)
    assert (first.targets["coverage.lines"].text, second.targets["coverage.lines"].text) == (">= 80 %", ">= 85 %")
    assert second.targets["operation.GET /x"].value == pytest.approx(0.009)
    assert "operation.GET /x" not in first.targets
    assert first.defaults == set(DEFAULT_TARGETS) - {"coverage.lines", "security.high"}
    assert "response_time.simple" in second.defaults


def test_the_demands_of_command_gates_are_targets() -> None:
    text = PROJECT + '[gates.lint]\ntool = "command"\ncommand = "lint"\n'
    text += 'numbers.warnings = { json = "$.n", demand = "<= 3" }\n'
    assert policy(text).targets["lint.warnings"].text == "<= 3"


def test_tolerances_are_shares_and_points() -> None:
    rules = policy(PROJECT + '[baseline]\nperformance = "12.5 %"\ncoverage = "1 point"\nfindings = "none new high"')
    assert rules.tolerances.performance == 0.125
    assert rules.tolerances.coverage == 0.01
    assert rules.tolerances.findings == "none new high"
    assert policy(PROJECT + '[baseline]\ncoverage = "2 points"').tolerances.coverage == 0.02
    assert policy(PROJECT + '[baseline]\ncoverage = "2 %"').tolerances.coverage == 0.02


def test_what_is_left_out_is_part_of_the_policy() -> None:
    rules = policy(PROJECT + '[done.leave_out]\nauth = "Everybody may do everything."')
    assert rules.left_out == {"auth": "Everybody may do everything."}


def written_in_full() -> dict[str, Any]:
    """Return every target that the model of gates.toml takes, by its dotted name, with the demand it was written as."""
    values = {
        "time": "<= 1 s", "share": ">= 1 %", "count": "<= 1", "size": "<= 1 MB", "rate": ">= 1 /s",
        "growth": "<= 1 MB/h",
    }  # fmt: skip
    tables: dict[str, dict[str, str]] = {"operation": {"GET /x": values["time"]}, "benchmark": {"b": values["time"]}}
    for name, kind in TARGETS.items():
        table, _, key = name.partition(".")
        if key:
            tables.setdefault(table, {})[key] = values[kind.dimension]
    return tables


def test_gates_toml_and_the_table_of_targets_agree_name_by_name_and_dimension_by_dimension() -> None:
    tables = written_in_full()
    phase = Phase.model_validate({"name": "a", "targets": tables})
    flat = flat_targets(phase.targets)
    assert len(flat) == len(TARGETS)
    for name in flat:
        assert kind_of(name) is not None, name
    # And nothing that gates.toml takes is unknown to the table.
    from gates.config.model import Targets

    for table, field in Targets.model_fields.items():
        for key in getattr(field.annotation, "model_fields", {}):
            assert f"{table}.{key}" in TARGETS
    # A demand of another dimension is refused, so the two cannot drift apart.
    wrong = {
        "time": "<= 1 MB", "share": "<= 1 s", "count": "<= 1 %", "size": "<= 1 %", "rate": ">= 1 s", "growth": "<= 1 s",
    }  # fmt: skip
    for name, kind in TARGETS.items():
        table, _, key = name.partition(".")
        with pytest.raises(ValueError, match=r"needs one of the units|takes no unit"):
            Phase.model_validate({"name": "a", "targets": {table: {key or "x": wrong[kind.dimension]}}})
    assert set(DEFAULT_TARGETS) <= set(TARGETS)


# ---- profiles laid under it


def test_a_gate_of_the_project_takes_the_place_of_the_profiles_gate_with_the_same_tool() -> None:
    configuration = build(PROJECT + '[backend]\nprofile = "flask"\n[gates.unit]\ntool = "coverage"\ncommand = "nose"')
    assert {name: tool.tool for name, tool in configuration.gates.items()} == {
        "security": "bandit", "fuzz": "schemathesis", "load": "locust", "unit": "coverage",
    }  # fmt: skip


def test_the_earlier_document_is_fuzzed_beside_the_present_one() -> None:
    text = '[backend]\nprofile = "fastapi"\n[gates.earlier]\ntool = "schemathesis"\ndocument = "earlier"\n'
    assert {"fuzz", "earlier"} <= set(build(PROJECT + text).gates)


def test_a_gate_of_the_same_name_and_tool_is_the_profiles_gate_with_more_settings() -> None:
    text = (
        PROJECT
        + '[backend]\nprofile = "django"\n[gates.tests]\ntool = "coverage"\nretries = 3\n[gates.load]\nusers = 7'
    )
    gates = build(text).gates
    assert gates["tests"].command == "python manage.py test"  # type: ignore[attr-defined]
    assert gates["tests"].retries == 3  # type: ignore[attr-defined]
    assert gates["load"].users == 7  # type: ignore[attr-defined]


def test_a_gate_of_the_same_name_and_another_tool_is_the_projects_alone() -> None:
    text = PROJECT + '[backend]\nprofile = "django"\n[gates.tests]\ntool = "command"\ncommand = "true"'
    gates = build(text).gates
    assert gates["tests"].tool == "command"
    assert "coverage" not in {tool.tool for tool in gates.values()}


def test_a_load_profile_lies_under_the_gates_own_keys() -> None:
    smoke = build(PROJECT + '[gates.load]\ntool = "locust"\nprofile = "smoke"').gates["load"]
    quick = build(PROJECT + '[gates.load]\ntool = "locust"\nprofile = "smoke"\nusers = 3').gates["load"]
    assert smoke.epochs == 1  # type: ignore[attr-defined]
    assert smoke.users == 10  # type: ignore[attr-defined]
    assert quick == smoke.model_copy(update={"users": 3})


def test_every_shipped_profile_makes_a_configuration() -> None:
    for profile in list_profiles("loads", Path("/nowhere")):
        gate = build(PROJECT + f'[gates.load]\ntool = "locust"\nprofile = "{profile.name}"').gates["load"]
        assert gate.tool == "locust"
    for profile in list_profiles("backends", Path("/nowhere")):
        build(PROJECT + f'[backend]\nprofile = "{profile.name}"')


def test_the_start_command_of_a_profile_gives_way_to_a_url() -> None:
    backend = build(PROJECT + '[backend]\nprofile = "flask"\nurl = "http://127.0.0.1:8000"').backend
    assert backend.start is None
    assert backend.openapi == "/openapi.json"


def test_the_application_is_found_in_the_source(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "main.py").write_text("from fastapi import FastAPI\n\napi = FastAPI(title='x')\n")
    assert build(PROJECT + '[backend]\nprofile = "fastapi"', tmp_path).backend.app == "shop.main:api"
    own = build(PROJECT + '[backend]\nprofile = "fastapi"\napp = "other:app"', tmp_path)
    assert own.backend.app == "other:app"


# ---- mistakes

GATE = PROJECT + "[gates.x]\n"
COMMAND = GATE + 'tool = "command"\ncommand = "true"\n'
MISTAKES = [
    # (gates.toml, what the message says, what the hint says)
    ("", "gates.toml: the table [project] is missing", "name ="),
    ("[project]", "[project] needs the key 'name'", "The project's name"),
    ('[project]\nname = ""', "[project] name = '': it is empty", "The project's name"),
    ("[project]\nname = 3", "[project] name = 3: this is text, in quotes", "The project's name"),
    (PROJECT + 'suorce = ["a"]', "[project] has no key 'suorce'", "did you mean 'source'?"),
    (PROJECT + 'source = "a"', "[project] source = 'a': this is a list", "Folders"),
    (PROJECT + 'phases = ["a"]', "[project] has no key 'phases'", "it is a table of its own: begin it with [phases]"),
    (PROJECT + "[bakend]", "the top level has no key 'bakend'", "did you mean 'backend'?"),
    ("backend = 3\n" + PROJECT, "[backend]: this is a table, not 3", "gates schema"),
    ("gates = 3\n" + PROJECT, "[gates]: this is a table, not 3", "gates schema"),
    ('targets = "x"\n' + PROJECT, "[targets]: this is a table, not 'x'", "gates schema"),
    (PROJECT + '[backend]\nstrat = "x"', "[backend] has no key 'strat'", "did you mean 'start'?"),
    (PROJECT + '[backend]\nstart_timeout = "5 parsecs"', "[backend] start_timeout = '5 parsecs'", "How long"),
    (PROJECT + '[backend]\nstart_timeout = "0 s"', "[backend] start_timeout = '0 s'", "How long"),
    (PROJECT + '[backend]\nstart = ["x"]', "[backend] start = ['x']: this is text, in quotes", "{port}"),
    (PROJECT + '[backend]\nsetup = "x"', "[backend] setup = 'x': this is a list", "migrations"),
    (PROJECT + '[backend]\nenv = ["A=1"]', "[backend] env = ['A=1']: this is a table", "{port}"),
    (PROJECT + "[backend.env]\nA = 1", "[backend.env] A = 1: this is text, in quotes", "gates schema"),
    (PROJECT + '[backend]\nprofile = "fastpi"', "[backend] profile = 'fastpi': there is no such", "mean 'fastapi'?"),
    (PROJECT + "[backend]\nprofile = 3", "[backend] profile = '3': there is no such profile", "known are: django"),
    (PROJECT + '[backend]\nstart = "x"\nurl = "y"', "[backend] has both start and url", "gates schema"),
    (PROJECT + "[backend.auth]\nlogon = {}", "[backend.auth] has no key 'logon'", "did you mean 'login'?"),
    (PROJECT + '[backend.auth]\nlogin = "POST /x"', "[backend.auth] login = 'POST /x': this is a table", "schema"),
    (PROJECT + "[backend.auth.login]", "[backend.auth.login] needs the key 'operation'", "POST /login"),
    (PROJECT + "[[backend.seed]]\nbody = 1", "[[backend.seed]] number 1 needs the key 'operation'", "PUT /accounts"),
    (PROJECT + '[operations]\nsimpel = ["a"]', "[operations] has no key 'simpel'", "did you mean 'simple'?"),
    (PROJECT + "[operations]\nsimple = [3]", "[operations] simple, number 1 = 3: this is text", "gates schema"),
    (PROJECT + '[targets]\nlatency.p95 = "<= 1 s"', "[targets] has no key 'latency'", "response_time"),
    (PROJECT + '[targets]\ncoverage.linse = ">= 9 %"', "[targets.coverage] has no key 'linse'", "mean 'lines'?"),
    (PROJECT + '[targets]\ncoverage.lines = "90 %"', "[targets.coverage] lines = '90 %'", "gates schema"),
    (PROJECT + "[targets]\ncoverage.lines = 90", "[targets.coverage] lines = 90: this is text", "gates schema"),
    (PROJECT + '[targets]\nload.memory = "<= 5 MBs"', "[targets.load] memory = '<= 5 MBs'", "gates schema"),
    (PROJECT + '[targets]\noperation."GET /x" = "fast"', "[targets.operation] GET /x = 'fast'", "gates schema"),
    (PROJECT + "[[phases]]", "[[phases]] number 1 needs the key 'name'", "Lower case"),
    (PROJECT + '[[phases]]\nname = "A B"', "[[phases]] number 1 name = 'A B': it takes lower case", "Lower case"),
    (PROJECT + '[[phases]]\nname = "a"\n[[phases]]\nname = "a"', "the phase 'a' stands twice", "gates schema"),
    (PROJECT + '[phases]\nname = "a"', "each phase is a table of its own, and begins with [[phases]]", "schema"),
    ("phases = []\n" + PROJECT, "there must be at least one [[phases]]", "gates schema"),
    (
        PROJECT + '[[phases]]\nname = "a"\n[[phases]]\nname = "b"\ntargets.coverage.linse = ">= 1 %"',
        "[[phases]] number 2 targets.coverage has no key 'linse'", "did you mean 'lines'?",
    ),
    (
        PROJECT + '[[phases]]\nname = "a"\ntargets.response_time.simple = "quick"',
        "[[phases]] number 1 targets.response_time simple = 'quick'", "gates schema",
    ),
    (PROJECT + '[baseline]\nperfromance = "5 %"', "[baseline] has no key 'perfromance'", "mean 'performance'?"),
    (PROJECT + '[baseline]\nperformance = "5"', "[baseline] performance = '5': '5' needs one of the units", "'5 %'"),
    (PROJECT + "[baseline]\nperformance = 5", "[baseline] performance = 5: this is text", "'5 %'"),
    (PROJECT + '[baseline]\nfindings = "none"', "[baseline] findings = 'none'", "severity"),
    (PROJECT + '[done.leave_out]\ntest = "It is so because it is."', "[done.leave_out] has no key 'test'", "'tests'?"),
    (PROJECT + '[done.leave_out]\ntests = "no"', "[done.leave_out] tests = 'no': it is a sentence of", "schema"),
    (PROJECT + "[done]\nleave_uot = {}", "[done] has no key 'leave_uot'", "did you mean 'leave_out'?"),
    (GATE, "[gates.x] needs `tool`", "known are: bandit"),
    (GATE + 'tool = "bandti"', "[gates.x] has an unknown tool 'bandti'", "did you mean 'bandit'?"),
    (GATE + 'tool = ["bandit"]', "[gates.x] has an unknown tool ['bandit']", "did you mean 'bandit'?"),
    ("gates.x = 3\n" + PROJECT, "[gates] x = 3: this is a table, not 3", "gates schema"),
    (PROJECT + '[gates."X Y"]\ntool = "bandit"', "[gates] has a key 'X Y', which is not a name", "lower case"),
    (GATE + 'tool = "bandit"\ntimeuot = 3', "[gates.x] has no key 'timeuot'", "did you mean 'timeout'?"),
    (GATE + 'tool = "bandit"\ntimeout = -3', "[gates.x] timeout = -3", "After this time"),
    (GATE + 'tool = "bandit"\ntimeout = "soon"', "[gates.x] timeout = 'soon': 'soon' is not a quantity", "After"),
    (GATE + 'tool = "bandit"\nskip = "no"', "[gates.x] skip = 'no': it is a sentence of at least 10", "reason"),
    (GATE + 'tool = "bandit"\nitems = ["test"]', "[gates.x] items, number 1 = 'test'", "gates schema"),
    (GATE + 'tool = "command"', "[gates.x] needs the key 'command'", "Run in the project's folder"),
    (GATE + 'tool = "locust"\nprofile = "nromal"', "[gates.x] profile = 'nromal': there is no such", "'normal'?"),
    (GATE + 'tool = "locust"\nusers = -1', "[gates.x] users = -1", "connections"),
    (COMMAND + 'numbers.n = { jsn = "$.n" }', "[gates.x.numbers.n] has no key 'jsn'", "did you mean 'json'?"),
    (COMMAND + 'numbers.n = { json = "n" }', "[gates.x.numbers.n] json = 'n': 'n' is not a JSON path", ""),
    (COMMAND + 'numbers.n = { json = "$.n", demand = "5" }', "[gates.x.numbers.n] demand = '5'", "for example"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), MISTAKES, ids=[message for _, message, _ in MISTAKES])
def test_a_mistake_is_told_with_its_table_its_key_and_what_would_be_right(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert "Input should be a valid" not in caught.value.message


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        build(PROJECT + '[backend]\nstrat = "x"\n[targets]\ncoverage.lines = "x"\n[gates.a]\ntool = "bandti"')
    assert caught.value.message.startswith("gates.toml has 3 mistakes:\n")
    for told in ("[backend] has no key 'strat'", "did you mean 'start'?", "lines = 'x'", "unknown tool 'bandti'"):
        assert told in caught.value.message


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_an_unknown_key_of_any_tool_is_told(tool: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\[gates\.x\] has no key 'no_such_setting'"):
        build(GATE + f'tool = "{tool}"\nno_such_setting = 1\ncommand = "true"' if tool in ("command", "benchmark")
              else GATE + f'tool = "{tool}"\nno_such_setting = 1')  # fmt: skip


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_a_mistake_in_a_profile_is_told_with_the_name_of_its_file(tmp_path: Path) -> None:
    write(tmp_path / "profiles" / "backends" / "mine.toml", '[backend]\nstrat = "x"\n')
    with pytest.raises(ConfigurationError, match=r"profiles/backends/mine\.toml: \[backend\] has no key 'strat'"):
        build(PROJECT + '[backend]\nprofile = "mine"', tmp_path)
    write(tmp_path / "profiles" / "loads" / "mine.toml", "user = 3\n")
    with pytest.raises(ConfigurationError, match=r"the load profile that gates\.toml names: .* has no key 'user'"):
        build(PROJECT + '[gates.load]\ntool = "locust"\nprofile = "mine"', tmp_path)
    with pytest.raises(ConfigurationError, match=r"gates\.toml has 2 mistakes") as caught:
        build(PROJECT + '[backend]\nprofile = "mine"\nredy = "/"', tmp_path)
    assert "mine.toml)" in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"gates\.toml does not exist"),
        (b"[project\n", r"gates\.toml is not valid TOML: .*line 1"),
        (b"[project]\nname = orders\n", r"is not valid TOML"),
        (b'[project]\nname = "x"\n[project]\nname = "y"\n', r"is not valid TOML"),
        (b'[project]\nname = "caf\xe9"\n', r"is not UTF-8 text \(byte 21\)"),
        (b"\xff\xfe[\x00", "is not UTF-8 text"),
        (b"a = " + b"[" * 5000, r"is nested too deeply|is not valid TOML"),
        (b"\x00" * 10, "is not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "gates.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_configuration(tmp_path / "gates.toml")
    assert caught.value.hint


def test_a_folder_and_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "gates.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"gates\.toml cannot be read: Is a directory"):
        load_configuration(tmp_path / "gates.toml")
    if os.geteuid() != 0:
        (tmp_path / "secret.toml").touch(0o000)
        with pytest.raises(ConfigurationError, match=r"secret\.toml cannot be read: Permission denied"):
            load_configuration(tmp_path / "secret.toml")


# ---- its schema


def test_the_schema_describes_every_table_and_refuses_unknown_keys() -> None:
    schema = configuration_schema()
    assert schema["title"] == "gates.toml"
    assert set(schema["properties"]) == {
        "project", "backend", "operations", "phases", "targets", "baseline", "gates", "done", "waivers",
    }  # fmt: skip
    assert schema["required"] == ["project"]
    assert schema["additionalProperties"] is False
    text = json.dumps(schema)
    for tool in TOOLS:
        assert f'"const": "{tool}"' in text
    backend = schema["$defs"]["Backend"]["properties"]
    assert all("description" in field or "$ref" in field for field in backend.values())
