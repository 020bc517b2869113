"""`gates init` writes the guideline and the targets of gates.toml from the same answers, and never over anything."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from projects import Project

from gates.config.load import load_configuration
from gates.config.model import flat_targets
from gates.errors import ConfigurationError
from gates.guidelines.variables import VARIABLES
from gates.init import look_at, propose, propose_for
from gates.init.answers import given_answers
from gates.init.writing import write_new

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "orders-api"
    root.mkdir()
    (root / "main.py").write_text(APP)
    (root / "requirements.txt").write_text("fastapi\npsycopg[binary]\npyjwt\n")
    return Project(root)


def files(root: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8", "replace") for path in sorted(root.iterdir()) if path.is_file()}


def test_both_files_say_the_same_and_the_gate_agrees(project: Project) -> None:
    said = project.call("init")
    assert said.code == 0, said
    assert "CLAUDE.md was written: the guideline, filled in." in said.out
    guideline = (project.root / "CLAUDE.md").read_text()
    assert "with FastAPI, emphasizing" in guideline
    assert "Implement JWT tokens" in guideline
    assert "# Database operations with PostgreSQL" in guideline
    configuration = load_configuration(project.root / "gates.toml")
    assert configuration.targets.database.connections == "<= 20"
    said = project.call("check", "guidelines")
    assert (said.code, "no new findings" in said.out or "PASS" in said.out) == (0, True), said


def test_answers_by_flag_go_into_both_files(project: Project) -> None:
    said = project.call(
        "init", "--set", "SIMPLE_QUERY_TARGET=0.08 s", "--set", "FILE_OPERATION_TARGET=3000", "--set", "DOMAIN=shop",
        "--set", "TEST_COVERAGE_TARGET=87.5", "--set", "MEMORY_USAGE_TARGET=1 GB",
    )  # fmt: skip
    assert said.code == 0, said
    guideline = (project.root / "CLAUDE.md").read_text()
    for words in (
        "- **Simple Queries:** < 80ms",
        "(<80ms for simple",
        "< 3000ms",
        "shop_models.py",
        "87.5%",
        "under 1000MB",
    ):
        assert words in guideline
    targets = flat_targets(load_configuration(project.root / "gates.toml").targets)
    assert targets["response_time.simple"] == "<= 80 ms"
    assert targets["response_time.file"] == "<= 3000 ms"
    assert targets["coverage.lines"] == ">= 87.5 %"
    assert targets["load.memory"] == "<= 1000 MB"
    assert "response_time.external" not in targets
    assert project.call("check", "guidelines").code == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("answers.toml", 'DOMAIN = "shop"\nSIMPLE_QUERY_TARGET = 80\n'),
        ("answers.toml", '[answers]\nDOMAIN = "shop"\nSIMPLE_QUERY_TARGET = "80 ms"\n'),
        ("answers.json", '{"DOMAIN": "shop", "SIMPLE_QUERY_TARGET": 80}'),
    ],
)
def test_answers_in_a_file(project: Project, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    said = project.call("init", "--answers", str(tmp_path / name), "--set", "DOMAIN=stall")
    assert said.code == 0, said
    guideline = (project.root / "CLAUDE.md").read_text()
    assert "stall_models.py" in guideline
    assert "- **Simple Queries:** < 80ms" in guideline


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "DOMAN=shop"), "the guideline has no variable 'DOMAN'\n  → did you mean DOMAIN?"),
        (("--set", "DOMAIN"), "--set 'DOMAIN' is not NAME=VALUE"),
        (("--set", "DOMAIN="), "the answer for DOMAIN is empty"),
        (("--set", "DOMAIN={MAIN_MODULE}"), "contains the placeholder {MAIN_MODULE}"),
        (("--set", "MEMORY_USAGE_TARGET=much"), "is no number in MB: 'much'"),
        (("--set", "MEMORY_USAGE_TARGET=-1"), "is no number in MB: '-1'"),
        (("--set", "RESPONSE_TIME_TARGET=1", "--set", "SIMPLE_QUERY_TARGET=2"), "and both are response_time.simple"),
        (("--answers", "nowhere.toml"), "the file of answers nowhere.toml does not exist"),
        (("--answers", "nowhere.json"), "the file of answers nowhere.json does not exist"),
        (("--answers", "answers.yaml"), "is neither TOML nor JSON by its name"),
        (("--answers", "broken.toml"), "broken.toml is not valid TOML"),
        (("--answers", "broken.json"), "broken.json is not valid JSON"),
        (("--answers", "list.json"), "list.json is not a table of answers"),
        (("--answers", "odd.json"), "the answer for DOMAIN is neither a text nor a number"),
        (("--answers", "latin.json"), "latin.json is not UTF-8 text (byte 12)"),
        (("--answers", "folder.json"), "folder.json cannot be read: Is a directory"),
        (("--guidelines", "../CLAUDE.md"), "--guidelines '../CLAUDE.md' is no file inside the project"),
        (("--guidelines", "/tmp/CLAUDE.md"), "is no file inside the project"),
        (("--guidelines", "gates.toml"), "is no file inside the project"),
        (("--guidelines", ""), "is no file inside the project"),
        (("--guidelines", "docs/GUIDE.md"), "there is no folder docs"),
        (("-C", "nowhere"), "there is no folder "),
    ],
)
def test_what_is_wrong_is_a_sentence_and_nothing_is_written(
    project: Project, arguments: tuple[str, ...], message: str
) -> None:
    project.write({"broken.toml": "DOMAIN = shop", "broken.json": "{", "list.json": "[]", "odd.json": '{"DOMAIN": []}'})
    (project.root / "latin.json").write_bytes(b'{"DOMAIN": "\xfc"}')
    (project.root / "folder.json").mkdir()
    before = files(project.root)
    said = project.call("init", *arguments)
    assert said.code == 2, said
    assert message in said.err
    assert said.out == ""
    assert files(project.root) == before


def test_the_same_answers_give_the_same_files(project: Project) -> None:
    assert project.call("init").code == 0
    first = files(project.root)
    (project.root / "gates.toml").unlink()
    (project.root / "CLAUDE.md").unlink()
    assert project.call("init").code == 0
    assert files(project.root) == first
    # And from the guideline alone come the targets that it was written with.
    (project.root / "gates.toml").unlink()
    said = project.call("init")
    assert said.code == 0
    assert "CLAUDE.md is there and stays as it is; its numbers are the targets" in said.out
    assert files(project.root) == first


def test_an_existing_guideline_is_read_and_never_written(project: Project) -> None:
    text = "# Ours\n\nSimple requests < 0,25 s; 200 concurrent users. At least 85 percent of the lines are covered.\n"
    project.write({"CLAUDE.md": text})
    said = project.call("init")
    assert said.code == 0, said
    assert (project.root / "CLAUDE.md").read_text() == text
    assert "CLAUDE.md was written" not in said.out
    targets = flat_targets(load_configuration(project.root / "gates.toml").targets)
    assert targets["response_time.simple"] == "<= 250 ms"
    assert targets["load.concurrency"] == ">= 200"
    assert targets["coverage.lines"] == ">= 85 %"
    assert targets["response_time.complex"] == "<= 500 ms"
    assert "it has no number for these, so the usual ones hold: COMPLEX_OPERATION_TARGET = 500 ms" in said.out
    assert project.call("check", "guidelines").code == 0


def test_an_answer_that_contradicts_the_guideline_that_is_there(project: Project) -> None:
    project.write({"CLAUDE.md": "# Ours\n\nSimple queries < 250 ms\n"})
    said = project.call("init", "--set", "SIMPLE_QUERY_TARGET=100")
    assert said.code == 2
    assert "line 3 of CLAUDE.md, which is there already and stays, says 'Simple queries < 250 ms'" in said.err
    assert not (project.root / "gates.toml").exists()
    said = project.call("init", "--set", "SIMPLE_QUERY_TARGET=0.25 s", "--set", "DOMAIN=shop")
    assert said.code == 0, said
    assert "not used, as CLAUDE.md is not written: DOMAIN" in said.out


def test_a_guideline_of_something_else_stays_and_another_file_can_be_named(project: Project) -> None:
    project.write({"CLAUDE.md": "# Be nice\n"})
    proposal = propose(project.root)
    assert proposal.guideline == ""
    assert any("it states no number of the guideline" in guess for guess in proposal.guesses)
    said = project.call("init", "--guidelines", "GUIDELINE.md")
    assert said.code == 0, said
    assert (project.root / "CLAUDE.md").read_text() == "# Be nice\n"
    assert 'file = "GUIDELINE.md"' in (project.root / "gates.toml").read_text()
    assert project.call("check", "guidelines").code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe", "CLAUDE.md is not UTF-8 text"), (b"x" * 500_001, "is no file that a guideline could be")],
)
def test_a_guideline_that_cannot_be_read_is_told(project: Project, content: bytes, message: str) -> None:
    (project.root / "CLAUDE.md").write_bytes(content)
    said = project.call("init")
    assert said.code == 2
    assert message in said.err
    assert not (project.root / "gates.toml").exists()


def test_with_a_gates_toml_the_guideline_alone_is_written_when_it_is_named(project: Project) -> None:
    project.write({"gates.toml": '[project]\nname = "x"\n[targets]\nresponse_time.simple = "<= 0.07 s"\n'
                                 'load.memory = "<= 1.5 GB"\n[gates.guidelines]\ntool = "guidelines"\n'})  # fmt: skip
    toml = (project.root / "gates.toml").read_text()
    said = project.call("init")
    assert said.code == 2
    assert "there is a gates.toml here already" in said.err
    assert "`gates init --guidelines CLAUDE.md` writes the guideline alone" in said.err
    assert not (project.root / "CLAUDE.md").exists()
    said = project.call("init", "--guidelines", "CLAUDE.md", "--set", "LOAD=1")
    assert said.code == 2
    said = project.call("init", "--guidelines", "CLAUDE.md", "--set", "SIMPLE_QUERY_TARGET=100")
    assert said.code == 2
    assert "gates.toml demands '<= 0.07 s' of simple operations" in said.err
    said = project.call("init", "--guidelines", "CLAUDE.md")
    assert said.code == 0, said
    assert "gates.toml stays as it is." in said.out
    assert (project.root / "gates.toml").read_text() == toml
    guideline = (project.root / "CLAUDE.md").read_text()
    assert "- **Simple Queries:** < 70ms" in guideline
    assert "under 1500MB" in guideline
    said = project.call("init", "--guidelines", "CLAUDE.md")
    assert said.code == 2
    assert "there is a gates.toml and a CLAUDE.md here already" in said.err


def test_where_one_file_cannot_be_written_none_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: str | Path, target: str | Path) -> None:
        if Path(target).name == "b":
            raise OSError(errno.ENOSPC, "No space left on device", str(source))
        rename(source, target)

    rename = os.replace
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/b'"):
        write_new({tmp_path / "a": "1", tmp_path / "b": "2"})
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_by_now_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "b").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="there is a b here already"):
        write_new({tmp_path / "a": "1", tmp_path / "b": "2"})
    assert not (tmp_path / "a").exists()


def test_secrets_of_the_project_are_neither_written_nor_told(project: Project) -> None:
    project.write({
        ".env": "DATABASE_URL=postgres://admin:hunter2-secret@db.internal:5432/orders\nSECRET_KEY=hunter2-secret\n",
        "docker-compose.yml": "services:\n  db:\n    image: postgres:16\n    environment:\n"
                              "      POSTGRES_PASSWORD: hunter2-secret\n",
    })  # fmt: skip
    said = project.call("init")
    assert said.code == 0
    texts = said.out + "".join(
        text for name, text in files(project.root).items() if name in ("CLAUDE.md", "gates.toml")
    )
    assert "PostgreSQL" in texts
    assert "hunter2" not in texts
    assert "db.internal" not in texts


def test_every_answer_may_be_given_and_then_nothing_is_guessed(project: Project, tmp_path: Path) -> None:
    answers = {name: variable.example for name, variable in VARIABLES.items()}
    (tmp_path / "all.json").write_text(json.dumps(answers))
    given = given_answers([], tmp_path / "all.json")
    assert given == answers
    proposal = propose_for(look_at(project.root), given)
    assert not any(name in guess for guess in proposal.guesses for name in VARIABLES)
    assert VARIABLES["WEBSOCKET_EXAMPLE"].example in proposal.guideline
