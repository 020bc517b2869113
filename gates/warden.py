"""Runs one program and outlives its caller just long enough to clear up after it.

Started by `gates.process` as `python -I -S warden.py LIFELINE STATUS MODE GRACE CORES -- COMMAND…`, with the standard
library alone so that it costs little. It makes itself the subreaper of whatever the command leaves behind, so that
daemons with sessions of their own are found too. When the lifeline closes (the caller stopped it, or was killed in
any way, SIGKILL included) every descendant gets SIGTERM, and after GRACE seconds SIGKILL.

One JSON line goes to STATUS: {"pid"} once the command runs, {"failed"} when it could not be started,
{"exit"} or {"signal"} with {"cpu", "peak"} when it has ended. MODE is `run` (what the command leaves behind is killed
when it ends) or `serve` (what it leaves behind is the service, and stays until the lifeline closes). CORES binds it
all to processor cores, such as `0,2`; empty for wherever the system likes.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, list[int]]:
    """Return the children of every process, by the id of their parent."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The command name stands in parentheses and may hold anything: count from the last one.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields and fields[0] != b"Z":
            children.setdefault(int(fields[1]), []).append(int(name))
    return children


def descendants() -> list[int]:
    if sys.platform != "linux":
        return []
    children = parents()
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        for pid in children.get(waiting.pop(), []):
            found.append(pid)
            waiting.append(pid)
    return found


def send(pids: list[int], group: int, number: int) -> None:
    for target, kill in [(group, os.killpg), *((pid, os.kill) for pid in pids)]:
        try:
            kill(target, number)
        except (ProcessLookupError, PermissionError):
            continue


class Warden:
    def __init__(self, lifeline: int, status: int, mode: str, grace: float) -> None:
        self.lifeline, self.status, self.mode, self.grace = lifeline, status, mode, grace
        self.child = 0
        self.ended = False

    def tell(self, **message: object) -> None:
        try:
            os.write(self.status, json.dumps(message).encode() + b"\n")
        except OSError:
            return  # nobody listens any more; clearing up still has to be done

    def reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child and not self.ended:
                self.ended = True
                code = os.waitstatus_to_exitcode(status)
                how = {"exit": code} if code >= 0 else {"signal": -code}
                self.tell(**how, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * 1024)

    def clear(self) -> None:
        send(descendants(), self.child, signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        while time.monotonic() < deadline:
            self.reap()
            if self.ended and not descendants():
                return
            time.sleep(0.01)
        for _ in range(200):
            left = descendants()
            send(left, self.child, signal.SIGKILL)
            self.reap()
            if self.ended and not left:
                return
            time.sleep(0.01)

    def watch(self, wakeup: int) -> None:
        while True:
            readable, _, _ = select.select([self.lifeline, wakeup], [], [], 1.0)
            if wakeup in readable:
                os.read(wakeup, 4096)
            self.reap()
            if self.lifeline in readable or (self.ended and (self.mode == "run" or not descendants())):
                self.clear()
                return


def main() -> int:
    lifeline, status, mode, grace = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    cores, command = sys.argv[5], sys.argv[7:]
    warden = Warden(lifeline, status, mode, grace)
    for descriptor in (lifeline, status):
        os.set_inheritable(descriptor, False)
    become_subreaper()
    wakeup_read, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The caller decides when this ends, through the lifeline; a stray signal must not orphan the command.
        signal.signal(number, lambda *_: None)
    try:
        if cores:
            # Before the command exists, so that not even its first thread runs elsewhere; children inherit it.
            os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
        warden.child = os.posix_spawnp(
            command[0], command, os.environ, setsid=True, setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM]
        )
    except OSError as error:
        warden.tell(failed=error.strerror or str(error), errno=error.errno)
        return 0
    warden.tell(pid=warden.child)
    warden.watch(wakeup_read)
    return 0


if __name__ == "__main__":
    sys.exit(main())
