"""Which machine this is: what must be equal before two absolute times can be compared; never a clock reading."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from gates.process import CommandNotFound, capture

_GIB = 2**30
_DECIDING = ("processor", "cores", "memory", "kernel", "architecture")
# Firmware and the kernel keep a little more or less of the memory for themselves from one start to the next.
_SAME_MEMORY = 0.05


def fingerprint() -> dict[str, str]:
    """Return the facts of this machine, as this process may use it.

    Keys: `processor` (its model), `cores` (those this process may run on, fewer where a container is limited),
    `memory` (GiB, of the container where that is less), `kernel`, `architecture`, and `python`, which plays no part in
    `same_machine`.
    """
    return {
        "processor": _processor(),
        "cores": _cores(),
        "memory": f"{_memory() / _GIB:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def same_machine(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Return whether times from two machines may be compared; a fact that is missing makes them different."""
    return not differences(first, second)


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[str, ...]:
    """Return what keeps times of two machines from being compared, as `cores: 2 and 4`; nothing when nothing does."""
    return tuple(
        f"{fact}: {first.get(fact) or 'not known'} and {second.get(fact) or 'not known'}"
        for fact in _DECIDING
        if not _agree(fact, first.get(fact), second.get(fact))
    )


def describe(machine: Mapping[str, str]) -> str:
    """Return a machine in one line: `AMD EPYC 7B13, 2 cores, 7.8 GiB, Linux 6.1.0 (x86_64)`."""
    cores = machine.get("cores", "?")
    return (
        f"{machine.get('processor', 'an unknown processor')}, {cores} {'core' if cores == '1' else 'cores'}, "
        f"{machine.get('memory', '?')}, {machine.get('kernel', '?')} ({machine.get('architecture', '?')})"
    )


def _agree(fact: str, first: str | None, second: str | None) -> bool:
    if not first or not second:
        return False
    if fact != "memory":
        return first == second
    sizes = [float(match[0]) for text in (first, second) if (match := re.match(r"[0-9.]+", text))]
    return len(sizes) == 2 and abs(sizes[0] - sizes[1]) <= _SAME_MEMORY * max(sizes)


def processor_model(cpuinfo: str) -> str:
    """Return the model that a Linux `/proc/cpuinfo` names; on ARM it has numbers in place of a name. "" for none."""
    facts = dict(re.findall(r"^([^:\n]*?)[ \t]*:[ \t]*(.*?)[ \t]*$", cpuinfo, re.MULTILINE))
    for name in ("model name", "cpu model", "Processor", "uarch"):
        if facts.get(name):
            return " ".join(facts[name].split())
    numbers = [f"{name[4:]} {facts[name]}" for name in ("CPU implementer", "CPU part", "CPU variant") if name in facts]
    return ", ".join(numbers)


def _processor() -> str:
    try:
        model = processor_model(Path("/proc/cpuinfo").read_text("utf-8", "replace"))
    except OSError:
        model = _sysctl("machdep.cpu.brand_string") or _sysctl("hw.model")
    return model or platform.processor() or platform.machine()


def _sysctl(name: str) -> str:
    try:
        code, output, _ = capture(["sysctl", "-n", name], cwd=Path("/"))
    except CommandNotFound:
        return ""
    return output.strip() if code == 0 else ""


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    limit = cpu_limit(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return f"{min(float(usable), limit):g}" if limit is not None else str(usable)


def _memory() -> int:
    total = int(psutil.virtual_memory().total)
    limit = memory_limit(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return min(total, limit) if limit is not None else total


def _groups(membership: Path, controller: str, root: Path) -> list[Path]:
    """Return the folders of the control groups this process is in, its own first, of cgroups 2 and 1."""
    try:
        lines = membership.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []  # no Linux
    folders: list[Path] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base = root
        elif controller in controllers.split(","):
            base = root / controller
        else:
            continue
        # Inside a container the path may be the host's, which is not there: then the root is the container's own.
        inside = base / path.lstrip("/")
        folders += [folder for folder in (inside, *inside.parents) if folder.is_relative_to(base)]
    return folders


def _numbers(file: Path) -> list[int | None]:
    """Return the numbers in a control file, None for `max`; nothing when there is no such file."""
    try:
        words = file.read_text("ascii").split()
    except OSError:
        return []
    return [int(word) if word.lstrip("-").isdigit() else None for word in words]


def cpu_limit(membership: Path, root: Path) -> float | None:
    """Return the cores' worth of time that the control groups of this process allow; None when they set no limit."""
    limits: list[float] = []
    for folder in _groups(membership, "cpu", root):
        numbers = _numbers(folder / "cpu.max")
        if not numbers:
            numbers = _numbers(folder / "cpu.cfs_quota_us") + _numbers(folder / "cpu.cfs_period_us")
        if len(numbers) == 2 and numbers[0] is not None and numbers[0] > 0 and numbers[1]:
            limits.append(numbers[0] / numbers[1])
    return min(limits, default=None)


def quota_periods(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> tuple[tuple[int, int], ...]:
    """Return (used up, all) periods so far of each CPU quota on this process; nothing where there is none."""
    found = []
    for folder in _groups(membership, "cpu", root):
        try:
            lines = (folder / "cpu.stat").read_text("ascii").splitlines()
        except OSError:
            continue
        counts = {name: int(number) for name, _, number in (line.partition(" ") for line in lines) if number.isdigit()}
        if counts.get("nr_periods"):
            found.append((counts.get("nr_throttled", 0), counts["nr_periods"]))
    return tuple(found)


def memory_limit(membership: Path, root: Path) -> int | None:
    """Return the bytes that the control groups of this process allow; None when they set no limit."""
    limits = [
        number
        for folder in _groups(membership, "memory", root)
        for name in ("memory.max", "memory.limit_in_bytes")
        for number in _numbers(folder / name)
        if number is not None
    ]
    return min(limits, default=None)
