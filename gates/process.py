"""The one place that starts programs: `run` to their end, `start` in the background, `capture` for short answers.

Every program has a warden (see `gates.warden`) that ends it, and whatever it started, when this process is gone.
Output goes to files, never into memory.
"""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from gates.errors import GatesError, ToolError

_WARDEN = Path(__file__).with_name("warden.py")
_TAIL_BYTES = 16_384
_FRAME = re.compile(r"\s+(at \S|\.\.\. \d+ more$)")


class CommandNotFound(ToolError):
    """The program does not exist or may not be executed."""


class CommandFailed(ToolError):
    """The program ended in a way its caller did not call normal; the message carries its last words."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: an exit code or a signal; CPU seconds and peak bytes are of its largest process."""

    exit_code: int | None
    signal: int | None
    cpu_seconds: float
    peak_bytes: int

    def describe(self) -> str:
        """Return the end in words."""
        if self.signal is not None:
            return f"killed by {signal.Signals(self.signal).name}"
        return f"exit code {self.exit_code}"


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that was run to its end, and where its output is."""

    command: tuple[str, ...]
    ended: Ended
    seconds: float
    stdout: Path
    stderr: Path

    @property
    def exit_code(self) -> int:
        """The exit code; a killed program has 128 and its signal, as in a shell."""
        return self.ended.exit_code if self.ended.exit_code is not None else 128 + (self.ended.signal or 0)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process tree uses: CPU seconds so far, memory now (PSS where the kernel tells), number of processes."""

    cpu_seconds: float
    memory_bytes: int
    processes: int


def shell_words(command: str) -> list[str]:
    """Return a command line as words; one with pipes, redirections or assignments is given to `sh -c`.

    Raises ValueError when a quotation is not closed.
    """
    words = shlex.split(command)
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    needs_shell = any(token and set(token) <= set("();<>|&") for token in lexer) or "`" in command or "$(" in command
    if words and (needs_shell or re.match(r"[A-Za-z_][A-Za-z0-9_]*=", words[0])):
        return ["sh", "-c", command]
    return words


def last_lines(path: Path, count: int = 10) -> str:
    """Return the last lines of an output file, however large it is and whatever bytes it holds.

    Of a stack that Node or Java prints below its error only the first frame is kept: ten of them would hide the error.
    """
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    frames = [_FRAME.match(line) is not None for line in lines]
    told = [line for number, line in enumerate(lines) if not (frames[number] and number and frames[number - 1])]
    return "\n".join(told[-count:])


def available_cores() -> frozenset[int]:
    """Return the numbers of the cores this process may use; empty where the system cannot bind programs to cores."""
    return frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset()


def split_cores(available: Collection[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Return the cores for servers and those for the load generator, so that neither takes time from the other.

    The generator gets a quarter, at least one; with a single core both share it, with none there is nothing to bind to.
    """
    cores = sorted(available)
    if len(cores) < 2:
        return frozenset(cores), frozenset(cores)
    loader = max(1, len(cores) // 4)
    return frozenset(cores[:-loader]), frozenset(cores[-loader:])


_running: set[Running] = set()
_lock = threading.Lock()


def stop_all() -> None:
    """Stop every program that still runs, and all that those started; for an interrupt."""
    with _lock:
        running = list(_running)
    for program in running:
        program.release()
    for program in running:
        program.stop()


class Running:
    """A program in the background, with its warden; leaving the `with` block stops it and all it started."""

    def __init__(self, command: tuple[str, ...], warden: subprocess.Popen[bytes], lifeline: int, status: int) -> None:
        self.command = command
        self.started = time.monotonic()
        self._warden, self._lifeline, self._status = warden, lifeline, status
        self._buffer = b""
        self._ended: Ended | None = None
        self._reading = threading.RLock()
        with _lock:
            _running.add(self)
        first = self._next_message(timeout=30)
        if first is None or "failed" in first:
            self.stop()
            reason = first["failed"] if first else "its warden did not answer"
            raise CommandNotFound(
                f"{command[0]!r} could not be started: {reason}", "is it installed, and on the PATH of the backend?"
            )
        self.pid = int(first["pid"])

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _next_message(self, timeout: float | None) -> dict[str, float | str] | None:
        while b"\n" not in self._buffer:
            if not select.select([self._status], [], [], timeout)[0]:
                return None
            chunk = os.read(self._status, 4096)
            if not chunk:
                return {"signal": signal.SIGKILL, "cpu": 0.0, "peak": 0}
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, float | str] = json.loads(line)
        return message

    def wait(self, timeout: float | None) -> Ended | None:
        """Return how the program ended, or None when it still runs after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._reading:
                if self._ended is None and self._status >= 0:
                    # Short waits, so that `stop` can come in from another thread.
                    left = 0.2 if deadline is None else max(0.0, min(0.2, deadline - time.monotonic()))
                    self._ended = _ended(self._next_message(left))
                if self._ended is not None or self._status < 0:
                    return self._ended
            if deadline is not None and time.monotonic() >= deadline:
                return None

    def ended(self) -> Ended | None:
        """Return how the program ended, or None while it runs."""
        return self.wait(0)

    def processes(self) -> list[psutil.Process]:
        """Return the program and everything it started that still runs, daemons included."""
        try:
            return [
                child
                for child in psutil.Process(self._warden.pid).children(recursive=True)
                if child.status() != psutil.STATUS_ZOMBIE
            ]
        except psutil.NoSuchProcess:
            return []

    def usage(self) -> Usage:
        """Return what the whole process tree uses at this moment."""
        cpu, memory, alive = 0.0, 0, 0
        for process in self.processes():
            try:
                times = process.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                memory += _memory(process.pid)
                alive += 1
            except (psutil.Error, OSError):
                continue  # it ended while we looked
        return Usage(cpu, memory, alive)

    def signal(self, number: int) -> None:
        """Send a signal to the program itself (not to what it started)."""
        if self.ended() is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def release(self) -> None:
        """Tell the warden to end the program, without waiting for it."""
        with _lock:
            lifeline, self._lifeline = self._lifeline, -1
            _running.discard(self)
        if lifeline >= 0:
            os.close(lifeline)

    def stop(self) -> None:
        """End the program and everything it started: SIGTERM first, SIGKILL after its grace; safe to call twice."""
        self.release()
        self._warden.wait()
        with self._reading:
            if self._status < 0:
                return
            self.wait(1.0)
            os.close(self._status)
            self._status = -1
            if self._ended is None:
                self._ended = Ended(None, signal.SIGKILL, 0.0, 0)


def _ended(message: Mapping[str, float | str] | None) -> Ended | None:
    if message is None or not ({"exit", "signal"} & set(message)):
        return None
    code, number = message.get("exit"), message.get("signal")
    return Ended(
        int(code) if code is not None else None,
        int(number) if number is not None else None,
        float(message["cpu"]),
        int(message["peak"]),
    )


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # another user's process, or not Linux: the resident size is the next best
    return int(psutil.Process(pid).memory_info().rss)


def start(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: Path,
    stderr: Path | None = None,
    grace: float = 5.0,
    serve: bool = True,
    cpus: frozenset[int] | None = None,
) -> Running:
    """Start a program in the background; `stderr` None mixes both outputs into one file.

    `cpus` binds it, and all it starts, to these cores. Raises CommandNotFound when it cannot be executed, ToolError
    when this process has no such cores.
    """
    if cpus is not None and not (cpus and cpus <= available_cores()):
        raise ToolError(
            f"programs cannot be bound to the cores {_cores(cpus) or 'of an empty list'} here",
            f"this process may use {_cores(available_cores()) or 'no core by its number'}",
        )
    lifeline_read, lifeline_write = os.pipe()
    status_read, status_write = os.pipe()
    words = tuple(str(word) for word in command)
    try:
        with stdout.open("ab") as out, (stderr or stdout).open("ab") as err:
            warden = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_WARDEN), str(lifeline_read), str(status_write),
                 "serve" if serve else "run", str(grace), _cores(cpus or ()), "--", *words],
                cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                pass_fds=(lifeline_read, status_write), start_new_session=True,
            )  # fmt: skip
    except BaseException:
        for descriptor in (lifeline_write, status_read):
            os.close(descriptor)
        raise
    finally:
        os.close(lifeline_read)
        os.close(status_write)
    return Running(words, warden, lifeline_write, status_read)


def _cores(cpus: Collection[int]) -> str:
    return ",".join(str(core) for core in sorted(cpus))


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: Path,
    stderr: Path,
    timeout: float,
    normal: Collection[int] | None = (0,),
) -> Finished:
    """Run a program to its end; `normal` names the exit codes its caller understands, None allows any.

    Raises CommandNotFound, or CommandFailed when it was killed, took longer than `timeout` seconds, or ended otherwise.
    """
    for path in (stdout, stderr):
        path.unlink(missing_ok=True)
    began = time.monotonic()
    with start(command, cwd=cwd, env=env, stdout=stdout, stderr=stderr, serve=False) as running:
        ended = running.wait(timeout)
    seconds = time.monotonic() - began
    name = Path(str(command[0])).name
    last = last_lines(stderr) or last_lines(stdout)
    if ended is None:
        raise CommandFailed(
            f"{name} did not end within {timeout:g} s and was stopped" + (f"; its last lines:\n{last}" if last else ""),
            "give the gate a longer `timeout`, or less to do",
        )
    if ended.signal is not None or (normal is not None and ended.exit_code not in normal):
        raise CommandFailed(
            f"{name} ended with {ended.describe()}" + (f"; its last lines:\n{last}" if last else ""),
            f"the command was: {' '.join(str(word) for word in command)}",
        )
    return Finished(tuple(str(word) for word in command), ended, seconds, stdout, stderr)


def capture(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 60.0
) -> tuple[int, str, str]:
    """Return exit code, output and errors of a short, trusted command such as git; for anything long use `run`.

    Raises CommandNotFound when it does not exist.
    """
    try:
        done = subprocess.run(
            list(command), cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except OSError as error:
        raise CommandNotFound(f"{command[0]!r} could not be started: {error.strerror}", "is it installed?") from error
    except subprocess.TimeoutExpired as error:
        raise GatesError(f"{command[0]!r} did not answer within {timeout:g} s", "try it by hand") from error
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
