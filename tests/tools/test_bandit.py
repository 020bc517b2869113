from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydantic import ValidationError

from gates.errors import NotMeasured, ToolError
from gates.results import GateResult, Measurement, Readings, Severity, Verdict
from gates.tools.bandit import Bandit
from gates.tools.bandit.files import Search, share_out
from gates.tools.bandit.report import parse, parse_log
from gates.tools.base import Context, Serving

RECORDED = Path(__file__).parent.parent / "output" / "bandit"
EVAL = 'eval("1")\n'


def no_backend() -> AbstractContextManager[Serving]:
    raise AssertionError("bandit needs no backend")


def make_context(root: Path, *source: str, python: str = sys.executable, baseline: GateResult | None = None) -> Context:
    directory = root.parent / f"{root.name}-output"
    directory.mkdir(exist_ok=True)
    return Context(
        root=root, source=source or ("orders",), python=python, env=os.environ, directory=directory, gate="security",
        serve=no_backend, classify=lambda name, definition: "simple", baseline=baseline,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "orders").mkdir(parents=True)
    (root / "orders" / "store.py").write_text(EVAL)
    return root


def values(readings: Readings) -> dict[str, float]:
    return {m.name: m.value for m in readings.measurements}


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.json").read_text()


def test_a_report_becomes_findings_and_counts() -> None:
    scan = parse(recorded("1.9.4"))
    worst = next(f for f in scan.readings.findings if f.severity is Severity.HIGH)
    assert (worst.rule, worst.path, worst.line) == ("bandit.B602", "orders/store.py", 17)
    assert worst.message.startswith("subprocess call with shell=True")
    assert worst.message.endswith("(confidence high)")
    assert "b602" in worst.fix
    assert values(scan.readings) == {
        "security.high": 1, "security.medium": 5, "security.low": 2, "security.lines": 21, "security.nosec": 2,
    }  # fmt: skip
    assert scan.suppressed == {"orders/store.py": 2}


def test_a_file_that_was_not_parsed_is_told_apart_from_those_that_were() -> None:
    scan = parse(recorded("1.9.4"))
    assert scan.unread == {"orders/broken.py": "syntax error while parsing AST from file"}
    assert [s.name for s in scan.readings.subjects] == ["orders/__init__.py", "orders/store.py", "orders/tools.py"]
    assert {s.outcome for s in scan.readings.subjects} == {"scanned"}


def test_moved_and_indented_code_keeps_its_findings_and_one_more_of_the_same_is_new() -> None:
    before = {f.fingerprint for f in parse(recorded("1.9.4")).readings.findings}
    after = {f.fingerprint: f for f in parse(recorded("1.9.4-moved")).readings.findings}
    assert len(before) == 8, "identical findings have identities of their own"
    assert before <= after.keys()
    assert {(f.rule, f.line) for fingerprint, f in after.items() if fingerprint not in before} == {("bandit.B307", 38)}


def test_reports_of_parts_of_a_project_add_up() -> None:
    whole, other = recorded("1.9.4-moved"), recorded("1.9.4").replace("orders/", "lib/")
    both = parse(whole, other).readings
    assert values(both)["security.lines"] == 46
    assert len(both.findings) == 18
    assert len({f.fingerprint for f in both.findings}) == 18


@pytest.mark.parametrize("text", ["", "[]", '{"results": [], "errors": []}', recorded("1.9.4")[:900]])
def test_what_is_no_report_is_an_error(text: str) -> None:
    with pytest.raises(ToolError, match="report could not be read"):
        parse(text)


def test_a_project_is_scanned_by_the_real_bandit(project: Path) -> None:
    readings = Bandit().run(make_context(project))
    assert [(f.rule, f.path, f.line) for f in readings.findings] == [("bandit.B307", "orders/store.py", 1)]
    assert values(readings)["security.lines"] == 1
    assert readings.versions["bandit"]
    assert readings.configurations["bandit"].startswith("sha256:")
    assert not readings.gaps


def test_files_of_the_project_cannot_weaken_the_scan(project: Path) -> None:
    for folder in (project, project / "orders"):
        (folder / ".bandit").write_text("[bandit]\nexclude: /\nskips: B307\ntests: B101\n")
    (project / "pyproject.toml").write_text('[tool.bandit]\nskips = ["B307"]\nexclude_dirs = ["orders"]\n')
    (project / "setup.cfg").write_text("[bandit]\nskips: B307\n")
    for module in ("bandit", "yaml", "stevedore"):
        (project / f"{module}.py").write_text("raise SystemExit(0)\n")
    readings = Bandit().run(make_context(project))
    assert [f.rule for f in readings.findings] == ["bandit.B307"]
    assert any(".bandit" in note and "tool.bandit" in note and "not read" in note for note in readings.notes)


def test_a_file_that_cannot_be_parsed_is_an_error_that_names_it_and_the_line(project: Path) -> None:
    (project / "orders" / "half.py").write_text("x = 1\ndef half(:\n")
    with pytest.raises(ToolError, match=r"1 of 2 files: orders/half\.py \(line 2: .*; .*1 medium"):
        Bandit().run(make_context(project))


def test_newer_syntax_than_the_harness_reads_is_said_to_be_that(project: Path, tmp_path: Path) -> None:
    (project / "orders" / "new.py").write_text("this is Python 9\n")
    newer = tmp_path / "python9"
    newer.write_text("#!/bin/sh\necho valid 9.1\n")
    newer.chmod(0o755)
    with pytest.raises(ToolError, match=r"orders/new\.py \(valid in Python 9\.1") as caught:
        Bandit().run(make_context(project, python=str(newer)))
    assert "install gates under Python 9.1" in caught.value.hint


def test_without_an_interpreter_of_the_backend_bandits_own_words_name_the_file(project: Path) -> None:
    (project / "orders" / "half.py").write_text("def half(:\n")
    with pytest.raises(ToolError, match=r"orders/half\.py \(syntax error while parsing"):
        Bandit().run(make_context(project, python="/no/such/python"))


@pytest.mark.parametrize(
    "content",
    [b'x = "\xff"\n', b"x = 1\0\n", b"# coding: nonsense\n", b"if 1:\n  x = 1\n\ty = 2\n"],
    ids=["not UTF-8", "null byte", "unknown coding", "mixed tabs"],
)
def test_odd_bytes_do_not_vanish(project: Path, content: bytes) -> None:
    (project / "orders" / "odd.py").write_bytes(content)
    with pytest.raises(ToolError, match=r"orders/odd\.py"):
        Bandit().run(make_context(project))


def test_a_file_that_bandit_does_not_mention_was_not_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gates.tools.bandit.parse", lambda *texts: parse(recorded("1.9.4-moved")))
    (project / "orders" / "other.py").write_text(EVAL)
    with pytest.raises(ToolError, match=r"1 of 2 files: orders/other\.py \(bandit did not mention it\)"):
        Bandit().run(make_context(project))


def test_a_link_to_nothing_and_a_pipe_are_files_that_were_not_read(project: Path) -> None:
    (project / "orders" / "gone.py").symlink_to("nowhere.py")
    os.mkfifo(project / "orders" / "pipe.py")
    with pytest.raises(ToolError, match=r"2 of 3 files: orders/gone\.py \(No such file.*orders/pipe\.py \(not a reg"):
        Bandit().run(make_context(project))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_an_error(project: Path) -> None:
    (project / "orders" / "locked").mkdir(mode=0o000)
    with pytest.raises(ToolError, match=r"orders/locked \(Permission denied"):
        Bandit().run(make_context(project))


def test_a_rule_of_bandit_that_crashed_is_a_gap() -> None:
    (gap,) = parse_log((RECORDED / "1.9.4-crashed-rule.stderr").read_text())
    assert gap.what == "bandit's rule hardcoded_sql_expressions in orders/deep.py"
    assert gap.reason == "it crashed at line 1"


def test_a_file_too_deep_for_a_rule_of_bandit_is_not_clean(project: Path) -> None:
    # Which of the two limits is met first depends on the version of Python.
    (project / "orders" / "deep.py").write_text("x = " + " + ".join(["'a'"] * 700) + "\n")
    try:
        told = [gap.what for gap in Bandit().run(make_context(project)).gaps]
    except ToolError as error:
        told = [error.message]
    assert told
    assert all("orders/deep.py" in text for text in told)


def test_links_are_followed_once_and_never_out_of_the_project(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "other.py").write_text(EVAL)
    (project / "lib").mkdir()
    (project / "lib" / "shared.py").write_text(EVAL)
    links = {"a.py": "store.py", "again": ".", "lib": "../lib", "out": str(outside)}
    for name, target in links.items():
        (project / "orders" / name).symlink_to(target)
    readings = Bandit().run(make_context(project))
    assert [s.name for s in readings.subjects] == ["orders/lib/shared.py", "orders/store.py"]
    assert [gap.what for gap in readings.gaps] == ["security scan of orders/out"]


def test_what_is_not_the_projects_own_source_is_left_alone(project: Path) -> None:
    for folder in (".venv", "node_modules/x", ".git", ".gates", "build", "env/lib", "pack/build"):
        (project / "orders" / folder).mkdir(parents=True)
        (project / "orders" / folder / "x.py").write_text(EVAL)
    (project / "orders" / "env" / "pyvenv.cfg").touch()
    (project / "orders" / "pack" / "build" / "__init__.py").touch()
    (project / "orders" / ".#store.py").symlink_to("user@host.1:2")
    readings = Bandit().run(make_context(project))
    scanned = [s.name for s in readings.subjects]
    assert scanned == ["orders/pack/build/__init__.py", "orders/pack/build/x.py", "orders/store.py"]
    assert any("build output" in note and "orders/build" in note for note in readings.notes)


def test_test_files_are_left_out_and_that_is_said(project: Path) -> None:
    (project / "orders" / "tests").mkdir()
    (project / "orders" / "tests" / "data.py").write_text(EVAL)
    (project / "orders" / "test_store.py").write_text(EVAL)
    context = make_context(project)
    readings = Bandit().run(context)
    assert [s.name for s in readings.subjects] == ["orders/store.py"]
    assert any("orders/test_store.py" in note and "orders/tests" in note for note in readings.notes)
    everything = Bandit(exclude=()).run(context)
    assert len(everything.subjects) == 3
    assert everything.configurations != readings.configurations


def test_exclude_means_names_or_paths_and_says_when_it_means_nothing(project: Path) -> None:
    for name in ("old/a.py", "new/old.py", "new/b.py"):
        (project / "orders" / name).parent.mkdir(exist_ok=True)
        (project / "orders" / name).write_text(EVAL)
    readings = Bandit(exclude=("orders/old/", "b.py", "nothing-like-this")).run(make_context(project))
    assert [s.name for s in readings.subjects] == ["orders/new/old.py", "orders/store.py"]
    assert "patterns of `exclude` that match nothing: nothing-like-this" in readings.notes


def test_rules_are_skipped_only_by_gates_toml(project: Path) -> None:
    readings = Bandit(skip_rules=("B307",)).run(make_context(project))
    assert not readings.findings
    assert any("B307" in note for note in readings.notes)
    with pytest.raises(ValidationError, match="skip_rules"):
        Bandit(skip_rules=("eval",))


def test_new_suppressions_are_shown_against_the_earlier_phase(project: Path) -> None:
    (project / "orders" / "store.py").write_text("eval(input())  # nosec\neval(input())  # nosec B307\n")
    before = GateResult(
        "security", "bandit", Verdict.PASS, 1.0,
        readings=Readings(measurements=(Measurement("security.nosec", 1, "1", "neither"),)),
    )  # fmt: skip
    readings = Bandit().run(make_context(project, baseline=before))
    assert values(readings)["security.nosec"] == 2
    assert "2 findings are hidden by `# nosec` (+1 since the earlier phase): orders/store.py (2)" in readings.notes


def test_source_that_is_not_there_was_not_scanned(project: Path) -> None:
    with pytest.raises(NotMeasured, match="not there: shop"):
        Bandit().run(make_context(project, "shop"))
    partly = Bandit().run(make_context(project, "orders", "shop"))
    assert [gap.what for gap in partly.gaps] == ["security scan of shop"]


def test_nothing_to_scan_is_never_clean(project: Path) -> None:
    (project / "docs").mkdir()
    with pytest.raises(NotMeasured, match="no Python file below docs"):
        Bandit().run(make_context(project, "docs"))
    with pytest.raises(NotMeasured, match=r"left out by `exclude`: orders/store\.py"):
        Bandit(exclude=("*",)).run(make_context(project))
    (project / "orders" / "store.py").write_text("# nothing yet\n\n")
    with pytest.raises(NotMeasured, match="no line of code in the 1 Python files"):
        Bandit().run(make_context(project))


def test_a_project_without_python_is_told_so(project: Path) -> None:
    (project / "orders" / "store.py").rename(project / "orders" / "store.go")
    with pytest.raises(NotMeasured, match="bandit reads Python only: nothing here is Python"):
        Bandit().run(make_context(project))
    assert [requirement.met for requirement in Bandit().requirements(make_context(project))] == [False]


def test_a_file_named_in_paths_is_python_whatever_it_is_called(project: Path) -> None:
    (project / "serve").write_text("#!/usr/bin/env python3\n" + EVAL)
    readings = Bandit(paths=("serve",)).run(make_context(project))
    assert [(f.path, f.line) for f in readings.findings] == [("serve", 2)]


def test_a_scan_that_takes_too_long_is_an_error_without_a_list_of_files(project: Path) -> None:
    with pytest.raises(ToolError, match="bandit did not end within") as caught:
        Bandit(timeout=0.01).run(make_context(project))
    assert "store.py" not in str(caught.value)


def test_a_larger_tree_is_scanned_by_several_processes_with_the_same_findings(project: Path) -> None:
    lines = "".join(f"value_{n} = [{n}, {n}, {n}]\n" for n in range(700))
    for number in range(25):
        (project / "orders" / f"module_{number}.py").write_text(lines + EVAL)
    context = make_context(project)
    readings = Bandit().run(context)
    assert len(list(context.directory.glob("bandit-*.json"))) == min(2, len(os.sched_getaffinity(0)))
    assert len(readings.findings) == 26
    assert values(readings)["security.lines"] == 25 * 701 + 1


def test_files_are_shared_out_evenly_and_command_lines_stay_short() -> None:
    files = {f"{'long/' * 30}{number}.py": 1000 + number for number in range(2000)}
    shards = share_out(files, 2)
    assert sorted(path for shard in shards for path in shard) == sorted(files)
    assert all(sum(len(path) + 16 for path in shard) <= 100_000 for shard in shards)
    small = share_out({"a.py": 10, "b.py": 20}, 8)
    assert small == [["b.py", "a.py"]]
    even = share_out({f"{number}.py": 100_000 for number in range(10)}, 2)
    assert sorted(map(len, even)) == [5, 5]


def test_a_name_that_is_not_utf8_is_not_lost(project: Path) -> None:
    name = os.fsdecode(b"n\xffme.py")
    (project / "orders" / name).write_text(EVAL)
    search = Search(str(project), ())
    search.look(["orders"])
    assert search.unread == {"orders/n\\udcffme.py": "its name is not UTF-8"}
