"""The command line as its users meet it: exit codes, outputs, pipes and terminals, and places with something amiss."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from projects import REPORTED_TESTS, Project, command_gate, environment, gates_toml, results, small_project

from gates import __version__
from gates.pipeline.signoff import sign_off
from gates.store import Store

GOOD = command_gate("true", "good")
ESCAPE = "\x1b["


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that passes; tests leave it as it is, but for the runs in its history."""
    toml = gates_toml(GOOD + command_gate("true", "lint", items="[]"))
    return small_project(tmp_path_factory.mktemp("passing") / "project", toml)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one gate that passes, for a test that changes it."""
    return small_project(tmp_path / "project", gates_toml(GOOD))


@pytest.fixture(scope="module", autouse=True)
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A check of a project whose history another process does not let go of; it waits while the other tests run."""
    locked = small_project(tmp_path_factory.mktemp("locked") / "project", gates_toml(GOOD))
    locked.check()
    with closing(sqlite3.connect(locked.root / ".gates" / "history.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with locked.start("check") as running:
            yield running
            running.kill()


# ---- exit codes


def test_0_passed(passing: Project) -> None:
    said = passing.gates("check")
    assert said.code == 0, said
    assert "PASS · exit code 0: passed" in said.out
    assert said.err == ""


def test_1_a_gate_failed(project: Project) -> None:
    project.commit("failing", **{"gates.toml": gates_toml(command_gate("false", "bad"))})
    said = project.gates("check")
    assert said.code == 1
    assert "FAIL · exit code 1: a gate failed" in said.out
    assert "`false` ended with exit code 1 instead of 0" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "godo"), "there is no gate 'godo'\n  → did you mean 'good'?"),
        (("check", "--skip", "godo"), "there is no gate 'godo'"),
        (("check", "--only", "godo"), "there is no gate 'godo'"),
        (("check", "--phase", "oen"), "there is no phase 'oen' in gates.toml\n  → did you mean 'one'?"),
        (("check", "-C", "nowhere"), "gates.toml does not exist"),
        (("check", "--no-such-option"), "No such option: --no-such-option"),
        (("chekc",), "No such command 'chekc'"),
        (("signoff",), "Missing option '--by'"),
        (("signoff", "--by", " "), "--by is empty"),
        (("report", "--format", "jsn"), "there is no format 'jsn'"),
        (("init",), "there is a gates.toml here already"),
        (("init", "--profile", "x", "-C", "{empty}"), "'x': there is no such profile"),
    ],
)
def test_2_usage_and_configuration(passing: Project, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    said = passing.call(*(word.replace("{empty}", str(tmp_path)) for word in arguments))
    assert said.code == 2, said
    assert message in said.err
    assert said.out == ""


def test_3_a_gate_could_not_run(project: Project) -> None:
    project.commit("broken", **{"gates.toml": gates_toml(command_gate("no-such-tool", "broken"))})
    said = project.gates("check")
    assert said.code == 3
    assert "ERROR · exit code 3: a gate could not run" in said.out


def test_4_undecided_and_how_it_is_allowed(project: Project) -> None:
    toml = gates_toml(GOOD).replace('auth          = "This', '# auth = "This')
    project.commit("undecided", **{"gates.toml": toml})
    said = project.gates("check")
    assert said.code == 4
    assert "UNKNOWN · exit code 4: undecided: evidence is missing" in said.out
    said = project.gates("check", "--allow-unknown")
    assert said.code == 0
    assert "--allow-unknown: an unknown verdict exits with 0" in said.out
    assert "UNKNOWN" in said.out


@pytest.mark.parametrize(
    "command", [("check",), ("verify",), ("phases",), ("signoff", "--by", "Me"), ("report", "one")]
)
def test_5_a_baseline_is_not_what_was_signed(command: tuple[str, ...], tampered: Project) -> None:
    said = tampered.gates(*command)
    assert said.code == 5, said
    assert "the baseline of phase 'one' is not what was signed" in said.err
    assert "git checkout COMMIT -- FILE" in said.err


@pytest.fixture(scope="module")
def tampered(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = small_project(tmp_path_factory.mktemp("tampered") / "project", gates_toml(GOOD))
    project.check()
    sign_off(project.root, None, by="Somebody")
    with closing(sqlite3.connect(project.root / "baselines" / "01-one.db")) as database:
        database.execute("UPDATE runs SET seconds = seconds + 1")
        database.commit()
    return project


def test_130_interrupted(project: Project) -> None:
    project.commit("slow", **{"gates.toml": gates_toml(command_gate("sleep 60", "slow"))})
    running = project.start("check")
    assert running.stdout is not None
    while "slow (command) started" not in running.stdout.readline():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err == "gates: interrupted; what was started is stopped, and what had ended is saved\n"


def test_a_failure_counts_more_than_an_error_and_an_error_more_than_unknown(project: Project) -> None:
    bad, broken = command_gate("false", "bad"), command_gate("no-such-tool", "broken")
    unknown = gates_toml(bad + broken).replace('auth          = "This', '# auth = "This')
    project.commit("all of it", **{"gates.toml": unknown})
    assert project.call("check").code == 1
    assert project.call("check", "broken").code == 3


# ---- what is shown, and where


def test_the_version(passing: Project) -> None:
    assert passing.call("--version").out == f"gates {__version__}\n"


def test_help_names_every_command(passing: Project) -> None:
    said = passing.call("--help")
    for command in (
        "init",
        "doctor",
        "check",
        "signoff",
        "verify",
        "phases",
        "report",
        "compare",
        "history",
        "explain",
    ):
        assert f" {command} " in said.out
    assert passing.call().code == 2


def test_named_gates_alone_are_run_and_judged(project: Project) -> None:
    toml = gates_toml(GOOD + command_gate("false", "bad", items='["security"]'))
    toml = toml.replace('security      = "This', '# security = "This')
    project.commit("two gates", **{"gates.toml": toml})
    assert project.call("check").code == 1
    for arguments in (("check", "--only", "good"), ("check", "--skip", "bad")):
        assert project.call(*arguments, "--quiet").code == 0
    said = project.call("check", "good")
    assert said.code == 0
    assert "this run cannot be signed off" in said.out
    assert "skipped        bad (not asked for)" in said.out
    assert "Security best practices followed (not asked)" in said.out


def test_fast_says_what_it_left_out(project: Project) -> None:
    bench = '[gates.bench]\ntool = "benchmark"\ncommand = "false"\n'
    project.commit("slow", **{"gates.toml": gates_toml(GOOD + bench)})
    said = project.call("check", "--fast")
    assert said.code == 0
    assert "skipped        bench (left out by --fast)" in said.out


def test_quiet_shows_no_progress_and_nothing_that_passed(passing: Project) -> None:
    said = passing.call("check", "--quiet")
    assert said.code == 0
    assert "started" not in said.out
    assert "Unit and integration tests passing" not in said.out
    assert "left out       Database" in said.out  # what was not looked at is always said
    assert "PASS" in said.out


def test_json_on_standard_output_is_nothing_but_json(passing: Project) -> None:
    said = passing.call("check", "--json", "-")
    result = json.loads(said.out)
    assert (result["format"], result["verdict"], result["exit_code"]) == ("gates.run/1", "pass", 0)
    assert said.err == ""


def test_files_are_written_for_machines_and_for_people(passing: Project, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    said = passing.call(
        "check", "--json", str(folder / "run.json"), "--junit", str(folder / "junit.xml"),
        "--markdown", str(folder / "summary.md"),
    )  # fmt: skip
    assert said.code == 0
    assert json.loads((folder / "run.json").read_text())["verdict"] == "pass"
    assert ElementTree.parse(folder / "junit.xml").getroot().tag == "testsuites"
    assert (folder / "summary.md").read_text().startswith("#")


@pytest.mark.parametrize("option", ["--json", "--junit", "--markdown"])
def test_an_output_that_cannot_be_written_is_refused_before_anything_runs(
    passing: Project, tmp_path: Path, option: str
) -> None:
    before = len(list(passing.runs_folder().iterdir())) if passing.runs_folder().exists() else 0
    (tmp_path / "file").touch()
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "file" / "x", "File exists|Not a directory")):
        said = passing.call("check", option, str(path))
        assert said.code == 2
        assert re.search(rf"gates: {option} {path} cannot be written: ({reason})\n  → name a file", said.err)
    after = len(list(passing.runs_folder().iterdir())) if passing.runs_folder().exists() else 0
    assert after == before


def test_an_old_result_is_not_left_standing_where_a_check_broke_off(passing: Project, tmp_path: Path) -> None:
    old = tmp_path / "junit.xml"
    old.write_text("<testsuites/>")
    assert passing.call("check", "no-such-gate", "--junit", str(old)).code == 2
    assert old.read_text() == ""


def test_a_result_is_shown_though_its_file_cannot_be_written_any_more(passing: Project) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    said = passing.call("check", "--markdown", "/dev/full")
    assert said.code == 3
    assert "PASS" in said.out
    assert "No space left on device" in said.err


# ---- pipes and terminals


def on_a_terminal(project: Project, *arguments: str, **env: str) -> tuple[int, str]:
    """Run a command with a terminal of its own; return its exit code and all that it showed."""
    ours, theirs = pty.openpty()
    try:
        running = project.start(*arguments, env={"TERM": "xterm", **env}, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        while True:
            if select.select([ours], [], [], 60)[0]:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:  # the other end is closed
                    break
                if not chunk:
                    break
                shown += chunk
        return running.wait(60), shown.decode()
    finally:
        os.close(ours)


COLOUR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")


def test_a_terminal_gets_colours_and_a_pipe_does_not(passing: Project) -> None:
    code, shown = on_a_terminal(passing, "check")
    assert code == 0
    assert COLOUR.search(shown)
    assert ESCAPE not in passing.gates("check").out


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_may_be_refused(passing: Project, env: dict[str, str]) -> None:
    code, shown = on_a_terminal(passing, "phases", **env)
    assert code == 0
    assert not COLOUR.search(shown)


def test_an_output_without_unicode_gets_plain_characters(passing: Project) -> None:
    said = passing.gates("check", env={"PYTHONIOENCODING": "ascii"})
    assert said.code == 0
    assert said.out.isascii()
    assert passing.gates("explain", "tests", env={"PYTHONIOENCODING": "ascii"}).code == 0
    assert "->" in passing.gates("check", "nothing", env={"PYTHONIOENCODING": "ascii"}).err


@pytest.mark.parametrize("command", [("schema",), ("verify",), ("check",), ("check", "--json", "-")])
def test_a_reader_that_has_gone_ends_it_quietly(passing: Project, command: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    running = passing.start(*command, stdout=write)
    os.close(write)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 141
    assert err == ""


def test_a_full_disk_behind_standard_output_is_told(passing: Project) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        running = passing.start("verify", stdout=full)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 3
    assert "No space left on device" in err


def test_a_closed_standard_output_is_no_obstacle(passing: Project) -> None:
    command = f'exec "{sys.executable}" -m gates phases >&-'
    done = subprocess.run(["sh", "-c", command], cwd=passing.root, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# ---- the other commands


def test_the_whole_journey_by_the_command_line(tmp_path: Path) -> None:
    project = small_project(tmp_path / "project", gates_toml(REPORTED_TESTS), **results())
    assert project.call("check").code == 0
    said = project.call("signoff", "--by", "Ada", "--note", "Done.")
    assert said.code == 0
    assert "Phase 'one' is signed off by Ada, at commit " in said.out
    assert "Commit these two files: baselines/01-one.db baselines/01-one.md" in said.out
    project.commit("signed and worse", **results("adds", covered=9))
    said = project.call("check")
    assert said.code == 1
    assert "compared with  the baseline of phase one" in said.out
    said = project.call("signoff", "--by", "Ada")
    assert said.code == 1
    assert said.err.startswith("gates: 1 item is not met:\n  Unit and integration tests passing: fail")
    said = project.call("signoff", "--by", "Ada", "--accept-debt")
    assert "known debts were accepted; the report begins with them" in said.out
    said = project.call("verify")
    assert said.out.count("digest and chain hold") == 2
    said = project.call("phases")
    assert "Ada" in said.out
    said = project.call("compare", "one", "two")
    assert "coverage.lines" in said.out
    said = project.call("history", "coverage.lines")
    assert "coverage.lines" in said.out
    assert "90 %" in said.out
    for kind, beginning in (("json", "{"), ("junit", "<?xml"), ("markdown", "#"), ("terminal", "small")):
        said = project.call("report", "one", "--format", kind)
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith(beginning)
    assert "Last time" in project.call("explain", "tests").out


def test_init_writes_and_says_what_was_guessed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    project = Project(tmp_path)
    said = project.call("init")
    assert said.code == 0
    assert "gates.toml was written. What was guessed:" in said.out
    assert "- the framework is Flask" in said.out
    assert 'profile = "flask"' in (tmp_path / "gates.toml").read_text()


def test_doctor_says_what_is_missing(project: Project) -> None:
    assert project.call("doctor").code == 0
    project.write({"gates.toml": gates_toml(command_gate("no-such-tool", "x"))})
    said = project.call("doctor")
    assert said.code == 3
    assert "no-such-tool" in said.out


def test_profiles_and_schema_are_listed(passing: Project) -> None:
    said = passing.call("profiles")
    assert "fastapi" in said.out
    assert "nothing in particular" in said.out  # a profile of the project's own
    assert json.loads(passing.call("schema").out)["title"] == "gates.toml"


@pytest.mark.parametrize("command", [("report",), ("history", "x"), ("report", "one"), ("compare", "a", "b")])
def test_where_nothing_was_checked_that_is_said(project: Project, command: tuple[str, ...]) -> None:
    said = project.call(*command)
    assert said.code == 3
    assert "there is no run yet" in said.err
    assert not (project.root / ".gates").exists()


# ---- git


def test_a_detached_head_is_as_good_as_any(project: Project) -> None:
    project.git("checkout", "--quiet", "--detach")
    assert project.call("check", "--quiet").code == 0
    assert project.call("signoff", "--by", "Me").code == 0


def test_without_git_on_the_path(project: Project) -> None:
    said = project.gates("check", env={"PATH": str(project.root)})
    assert said.code == 3  # `true` is not found either
    assert "git is not installed" in said.out


def test_a_shallow_clone_says_what_it_lacks(tmp_path: Path) -> None:
    project = small_project(
        tmp_path / "project", gates_toml(REPORTED_TESTS, targets='coverage.changed_lines = ">= 50 %"'), **results()
    )
    project.check()
    sign_off(project.root, None, by="Me")
    for number in range(3):
        project.commit(f"commit {number}", **{"file.txt": str(number)})
    clone = Project(tmp_path / "clone")
    project.git("clone", "--quiet", "--depth", "1", project.root.as_uri(), str(clone.root))
    said = clone.call("check")
    assert said.code == 4, said
    assert "is not in this clone" in said.out
    assert "git fetch --unshallow" in said.out


# ---- places with something amiss

NOBODY = 65534


def test_a_folder_that_may_only_be_read(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as read_only:
        project = small_project(tmp_path / "disk" / "project", gates_toml(GOOD))
        read_only()
        said = project.call("check")
        assert said.code == 3, said
        assert f"{project.root}/.gates cannot be written: Read-only file system" in said.err
        assert project.call("phases").code == 0  # looking is not writing
        assert project.call("verify").code == 0
        said = project.call("init", "-C", str(tmp_path / "disk"))
        assert said.code == 3
        assert "Read-only file system" in said.err


def test_a_repository_of_another_user_is_told(project: Project) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can hand a folder to another user")
    os.chown(project.root, NOBODY, NOBODY)
    said = project.call("check")
    assert said.code == 0, said
    told = " ".join(said.out.split())
    assert "git refuses this folder: it belongs to another user): it cannot be signed off" in told


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """Mount a disk of three megabytes; what is yielded makes it read-only."""
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("a disk of three megabytes cannot be mounted here")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk"):
        project = small_project(tmp_path / "disk" / "project", gates_toml(GOOD))
        assert project.call("check", "--quiet").code == 0
        # It fills up while a gate runs, and again where there is no room from the start.
        filling = "head -c 9000000 /dev/zero > filling; true"
        project.commit("filling", **{"gates.toml": gates_toml(command_gate(filling, "good"))})
        for run in (project.gates, project.call):
            said = run("check")
            assert said.code == 3, said
            assert re.search("is full|No space left", said.err), said
        (project.root / "filling").unlink()
        project.write({"gates.toml": gates_toml(GOOD)})
        assert project.call("check", "--quiet").code == 0
        with Store(project.root / ".gates" / "history.db") as store:
            states = [line.state for line in store.runs()]
        assert states[0] == states[-1] == "finished"


@pytest.mark.parametrize(
    ("command", "content"),
    [(("check",), b"SQLite format 3\0" + b"\xff" * 9000), (("phases",), b"garbage" * 1000), (("report",), b"x")],
)
def test_a_damaged_history_is_told_with_the_way_out(project: Project, content: bytes, command: tuple[str, ...]) -> None:
    (project.root / ".gates").mkdir()
    history = project.root / ".gates" / "history.db"
    history.write_bytes(content)
    said = project.call(*command)
    assert said.code == 3
    assert "history.db is damaged" in said.err
    assert "nothing was deleted" in said.err
    assert history.read_bytes() == content
    hint = said.err.splitlines()[1]
    subprocess.run(["sh", "-c", hint[hint.index("mkdir -p") :]], check=True)
    project.check()


def test_a_history_of_a_newer_gates_is_told(project: Project) -> None:
    project.check()
    with closing(sqlite3.connect(project.root / ".gates" / "history.db")) as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('gates', 'v99_future', '2030')"
        )
        database.commit()
    said = project.call("check")
    assert said.code == 3
    assert "was written by a newer gates" in said.err


def test_a_history_that_is_in_use_for_a_moment_is_waited_for(project: Project) -> None:
    project.check()
    database = sqlite3.connect(project.root / ".gates" / "history.db", isolation_level=None, check_same_thread=False)
    database.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.5, lambda: database.execute("ROLLBACK"))
    timer.start()
    assert project.call("check", "--quiet").code == 0
    timer.join()
    database.close()


def test_a_file_in_the_place_of_the_work_folder(project: Project) -> None:
    (project.root / ".gates").touch()
    said = project.call("check")
    assert said.code == 3
    assert ".gates cannot be written" in said.err


def test_a_history_that_is_never_let_go_of_is_told(waiting: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 3
    assert "history.db is in use by another process that does not let go of it" in err
    assert time.monotonic() - began < 60
