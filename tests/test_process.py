"""Programs are run, described when they fail, and never outlive the one who started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from gates import process
from gates.errors import GatesError


def run(command: list[str], tmp_path: Path, **options: object) -> process.Finished:
    settings: dict[str, object] = {"timeout": 20.0, **options}
    return process.run(
        command, cwd=tmp_path, env=os.environ, stdout=tmp_path / "out", stderr=tmp_path / "err", **settings
    )  # type: ignore[arg-type]


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes with a word of their own on the command line."""
    found = []
    for one in psutil.process_iter(["cmdline", "status"]):
        if one.info["status"] != psutil.STATUS_ZOMBIE and any(mark in word for word in one.info["cmdline"] or ()):
            found.append(one)
    return found


def wait_until_gone(mark: str, seconds: float = 15.0) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_output_goes_to_files_and_the_exit_code_comes_back(tmp_path: Path) -> None:
    finished = run(["sh", "-c", "echo out; echo err >&2; exit 3"], tmp_path, normal=(3,))
    assert finished.exit_code == 3
    assert (tmp_path / "out").read_text() == "out\n"
    assert (tmp_path / "err").read_text() == "err\n"


def test_an_abnormal_exit_code_is_an_error_with_the_last_words(tmp_path: Path) -> None:
    with pytest.raises(process.CommandFailed, match=r"exit code 4.*\n.*the last word"):
        run(["sh", "-c", "echo the last word >&2; exit 4"], tmp_path)


def test_a_killed_program_is_an_error_even_where_any_exit_code_is_normal(tmp_path: Path) -> None:
    with pytest.raises(process.CommandFailed, match="killed by SIGKILL"):
        run(["sh", "-c", "kill -9 $$"], tmp_path, normal=None)


def test_a_program_that_takes_too_long_is_stopped_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(process.CommandFailed, match=r"did not end within 0\.5 s"):
        run(["sh", "-c", "sleep 300.125 & sleep 300.125"], tmp_path, timeout=0.5)
    assert wait_until_gone("300.125") == []


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(process.CommandNotFound, match="no-such-program"):
        run(["no-such-program"], tmp_path)


def test_what_a_finished_program_leaves_behind_is_ended(tmp_path: Path) -> None:
    run(["sh", "-c", "setsid sleep 300.25 >/dev/null 2>&1 & exit 0"], tmp_path)
    assert wait_until_gone("300.25") == []


def test_a_background_program_that_ignores_sigterm_is_killed_with_its_daemons(tmp_path: Path) -> None:
    script = 'setsid sleep 300.5 & trap "" TERM; sleep 300.5; sleep 300.5'
    running = process.start(["sh", "-c", script], cwd=tmp_path, env=os.environ, stdout=tmp_path / "out", grace=0.3)
    deadline = time.monotonic() + 10
    while len(marked("300.5")) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.usage().processes >= 3
    running.stop()
    running.stop()
    assert wait_until_gone("300.5") == []
    assert running.ended() is not None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_caller_is_killed(tmp_path: Path, number: int) -> None:
    mark = f"300.{int(number)}75"
    caller = tmp_path / "caller.py"
    caller.write_text(
        textwrap.dedent(f"""
        import os, time
        from pathlib import Path
        from gates import process
        here = Path({str(tmp_path)!r})
        process.start(["sh", "-c", "setsid sleep {mark} & sleep {mark}"], cwd=here, env=os.environ,
                      stdout=here / "out", grace=0.3)
        print("started", flush=True)
        time.sleep(60)
        """)
    )
    victim = subprocess.Popen([sys.executable, str(caller)], stdout=subprocess.PIPE)
    assert victim.stdout is not None
    assert victim.stdout.readline() == b"started\n"
    victim.send_signal(number)
    victim.wait()
    assert wait_until_gone(mark) == []


def test_usage_counts_the_whole_tree(tmp_path: Path) -> None:
    burn = "import time\nblock = bytearray(60_000_000)\nend = time.process_time() + 0.3\n"
    burn += "while time.process_time() < end: pass\nprint('burnt', flush=True)\ntime.sleep(60)"
    output = tmp_path / "out"
    with process.start(
        ["sh", "-c", f'"{sys.executable}" -c "{burn}" & wait'], cwd=tmp_path, env=os.environ, stdout=output
    ) as running:
        deadline = time.monotonic() + 20
        while "burnt" not in output.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        usage = running.usage()
    assert usage.cpu_seconds >= 0.3
    assert usage.memory_bytes > 60_000_000


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pytest -q 'a b'", ["pytest", "-q", "a b"]),
        ("a && b", ["sh", "-c", "a && b"]),
        ("X=1 a", ["sh", "-c", "X=1 a"]),
        ("a > file", ["sh", "-c", "a > file"]),
        ("echo 'a && b'", ["echo", "a && b"]),
        ("", []),
    ],
)
def test_only_what_needs_a_shell_gets_one(command: str, words: list[str]) -> None:
    assert process.shell_words(command) == words


def test_the_error_above_a_long_stack_is_among_the_last_lines(tmp_path: Path) -> None:
    frames = "".join(f"    at wrap (node:internal/loader:{number})\n" for number in range(30))
    path = tmp_path / "stderr"
    path.write_text(
        f"Error: compiled against another Node.js version\n{frames}  code: 'ERR_DLOPEN_FAILED'\nNode.js v24\n"
    )
    assert process.last_lines(path).splitlines() == [
        "Error: compiled against another Node.js version", "    at wrap (node:internal/loader:0)",
        "  code: 'ERR_DLOPEN_FAILED'", "Node.js v24",
    ]  # fmt: skip
    path.write_text("Exception: no table\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n\t... 12 more\nat least this\n")
    assert process.last_lines(path).splitlines()[-3:] == [
        "Exception: no table",
        "\tat a.B.c(B.java:1)",
        "at least this",
    ]


def test_the_last_lines_of_any_bytes_are_text(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100_000 + b"\nfirst\n\n\xff\xfe last\n")
    assert process.last_lines(path, 2).splitlines() == ["first", "\ufffd\ufffd last"]
    assert process.last_lines(tmp_path / "none") == ""


bound = pytest.mark.skipif(not process.available_cores(), reason="programs cannot be bound to cores here")


@bound
def test_a_program_and_its_children_run_on_their_cores_from_the_first_moment(tmp_path: Path) -> None:
    core = max(process.available_cores())
    script = f'{sys.executable} -c "import os; print(os.sched_getaffinity(0))"; sleep 60'
    with process.start(["sh", "-c", script], cwd=tmp_path, env=os.environ, stdout=tmp_path / "out",
                       cpus=frozenset({core})):  # fmt: skip
        deadline = time.monotonic() + 20
        while not (tmp_path / "out").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert (tmp_path / "out").read_text().strip() == str({core})
    assert frozenset(os.sched_getaffinity(0)) == process.available_cores() != frozenset()


def test_cores_that_are_not_there_are_refused_before_anything_starts(tmp_path: Path) -> None:
    for cpus, said in ((frozenset({100_000}), "100000"), (frozenset(), "an empty list")):
        with pytest.raises(GatesError, match=f"cannot be bound to the cores .*{said}"):
            process.start(["true"], cwd=tmp_path, env=os.environ, stdout=tmp_path / "out", cpus=cpus)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("available", "servers", "loader"),
    [
        ((), set(), set()),
        ((3,), {3}, {3}),
        ((0, 1), {0}, {1}),
        ((6, 2, 4), {2, 4}, {6}),
        (range(8), {0, 1, 2, 3, 4, 5}, {6, 7}),
    ],
)
def test_servers_and_loader_share_a_core_only_where_there_is_one(
    available: Sequence[int], servers: set[int], loader: set[int]
) -> None:
    assert process.split_cores(available) == (servers, loader)
