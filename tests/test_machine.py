"""The fingerprint of a machine: stable, of this process's share of it, and unequal when anything that matters is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gates.machine import (
    cpu_limit,
    describe,
    differences,
    fingerprint,
    memory_limit,
    processor_model,
    quota_periods,
    same_machine,
)

ONE = {
    "processor": "AMD EPYC 7B13", "cores": "2", "memory": "7.8 GiB", "kernel": "Linux 6.1.0", "architecture": "x86_64",
    "python": "3.11.7",
}  # fmt: skip


def test_this_machine_has_every_fact_and_is_the_same_a_moment_later() -> None:
    found = fingerprint()
    assert found == fingerprint()
    assert set(found) == set(ONE)
    assert all(found.values())
    assert same_machine(found, found)
    assert found["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no processor affinity")
def test_the_cores_are_those_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert float(fingerprint()["cores"]) <= 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize("fact", ["processor", "cores", "memory", "kernel", "architecture"])
def test_another_fact_is_another_machine(fact: str) -> None:
    other = ONE | {fact: "16 GiB" if fact == "memory" else "other"}
    assert not same_machine(ONE, other)
    assert differences(ONE, other) == (f"{fact}: {ONE[fact]} and {other[fact]}",)
    missing = {name: value for name, value in ONE.items() if name != fact}
    assert not same_machine(ONE, missing)
    assert not same_machine(missing, missing)
    assert differences(missing, ONE) == (f"{fact}: not known and {ONE[fact]}",)


def test_python_and_a_little_memory_do_not_make_another_machine() -> None:
    assert same_machine(ONE, ONE | {"python": "3.13.1", "memory": "7.7 GiB", "hostname": "elsewhere"})
    assert not same_machine(ONE, ONE | {"memory": "7.0 GiB"})
    assert not same_machine(ONE, ONE | {"memory": "plenty"})


def test_nothing_known_is_not_the_same() -> None:
    assert not same_machine({}, {})


def test_a_machine_in_one_line() -> None:
    assert describe(ONE) == "AMD EPYC 7B13, 2 cores, 7.8 GiB, Linux 6.1.0 (x86_64)"
    assert describe(ONE | {"cores": "1"}).startswith("AMD EPYC 7B13, 1 core,")
    assert describe({}) == "an unknown processor, ? cores, ?, ? (?)"


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        (
            "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 85\nmodel name\t: Intel(R)  Xeon(R) CPU @ 2.00GHz\n"
            "cpu MHz\t\t: 2000.1\n\nprocessor\t: 1\nmodel name\t: Intel(R)  Xeon(R) CPU @ 2.00GHz\ncpu MHz\t\t: 1800\n",
            "Intel(R) Xeon(R) CPU @ 2.00GHz",
        ),
        (
            "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\n"
            "CPU part\t: 0xd0c\nCPU revision\t: 1\n",
            "implementer 0x41, part 0xd0c, variant 0x3",
        ),
        ("vendor_id       : IBM/S390\n", ""),
        ("", ""),
    ],
)
def test_the_model_of_a_processor_is_read_without_its_clock(cpuinfo: str, model: str) -> None:
    assert processor_model(cpuinfo) == model


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("membership", "files", "cores", "memory"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n", "memory.max": "536870912\n"}, 1.5, 536870912),
        ("0::/\n", {"cpu.max": "max 100000\n", "memory.max": "max\n"}, None, None),
        ("0::/\n", {}, None, None),
        (
            "0::/jobs/one\n",
            {"jobs/one/cpu.max": "max 100000\n", "jobs/cpu.max": "50000 100000\n", "jobs/one/memory.max": "1000\n"},
            0.5,
            1000,
        ),
        ("0::/on/the/host\n", {"cpu.max": "200000 100000\n"}, 2.0, None),
        (
            "4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n",
            {
                "cpu/box/cpu.cfs_quota_us": "25000\n",
                "cpu/box/cpu.cfs_period_us": "100000\n",
                "memory/box/memory.limit_in_bytes": "2000\n",
            },
            0.25,
            2000,
        ),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None, None),
    ],
)
def test_the_limits_of_a_container_count(
    tmp_path: Path, membership: str, files: dict[str, str], cores: float | None, memory: int | None
) -> None:
    write(tmp_path / "cgroup", files)
    (tmp_path / "self").write_text(membership)
    assert cpu_limit(tmp_path / "self", tmp_path / "cgroup") == cores
    assert memory_limit(tmp_path / "self", tmp_path / "cgroup") == memory


def test_a_system_without_control_groups_has_no_limits(tmp_path: Path) -> None:
    assert cpu_limit(tmp_path / "none", tmp_path) is None
    assert memory_limit(tmp_path / "none", tmp_path) is None


def test_the_periods_of_every_quota_above_this_process_are_counted(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("0::/pod/container\n", "utf-8")
    pod = tmp_path / "cgroup" / "pod"
    (pod / "container").mkdir(parents=True)
    (pod / "cpu.stat").write_text("usage_usec 9\nnr_periods 40\nnr_throttled 3\nthrottled_usec 7\n", "ascii")
    (pod / "container" / "cpu.stat").write_text("usage_usec 9\nnr_periods 0\nnr_throttled 0\n", "ascii")
    assert quota_periods(tmp_path / "self", tmp_path / "cgroup") == ((3, 40),)
    (pod / "container" / "cpu.stat").write_text("nr_periods 20\nnr_throttled 5\n", "ascii")
    assert quota_periods(tmp_path / "self", tmp_path / "cgroup") == ((5, 20), (3, 40))
    assert quota_periods(tmp_path / "none", tmp_path) == ()
    (tmp_path / "self").write_text("1:cpu,cpuacct:/\n", "utf-8")
    (tmp_path / "cgroup" / "cpu").mkdir()
    (tmp_path / "cgroup" / "cpu" / "cpu.stat").write_text("nr_periods 2\nnr_throttled 1\nthrottled_time 5\n", "ascii")
    assert quota_periods(tmp_path / "self", tmp_path / "cgroup") == ((1, 2),)
