"""The number of cores that a process may use, with the files of cgroups as the kernel writes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batchscribe.cpu_cores import count_cores, find_quota
from batchscribe.settings import load_settings
from batchscribe.worker.capacity import capacity_of, speaker_processes, speaker_threads

CORES = 64


@pytest.fixture(autouse=True)
def _cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(CORES)))


def process(folder: Path, groups: str, *mounts: str) -> Path:
    """Return the folder of a process in `/proc`. Mounts are written as `root folder kind options`."""
    found = folder / "proc"
    found.mkdir()
    (found / "cgroup").write_text(groups)
    lines = ["22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/root rw"]
    for number, mount in enumerate(mounts, 30):
        root, place, kind, options = mount.split()
        lines.append(
            f"{number} 22 0:{number} {root} {place} rw,nosuid shared:{number} master:1 - {kind} {kind} {options}"
        )
    (found / "mountinfo").write_text("\n".join(lines) + "\n")
    return found


def group_v2(folder: Path, quota: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpu.max").write_text(f"{quota}\n")
    return folder


def group_v1(folder: Path, quota: int, period: int = 100_000) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (folder / "cpu.cfs_period_us").write_text(f"{period}\n")
    return folder


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", CORES),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("25000 50000", 1),
        ("10000000 100000", CORES),
        ("", CORES),
        ("200000 0", CORES),
    ],
)
def test_a_container_has_the_quota_at_the_root_of_its_mount(tmp_path: Path, quota: str, cores: int) -> None:
    root = group_v2(tmp_path / "cgroup", quota)
    assert count_cores(process(tmp_path, "0::/\n", f"/ {root} cgroup2 rw,nsdelegate")) == cores


def test_the_smallest_quota_of_a_unit_and_of_what_contains_it_counts(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    group_v2(root / "system.slice" / "batchscribe.service", "800000 100000")
    group_v2(root / "system.slice", "300000 100000")
    group_v2(root / "user.slice", "100000 100000")
    within = process(tmp_path, "0::/system.slice/batchscribe.service\n", f"/ {root} cgroup2 rw")
    assert find_quota(within) == 3.0
    assert count_cores(within) == 3


def test_version_1_has_a_file_for_each_number(tmp_path: Path) -> None:
    group_v1(tmp_path / "cpu" / "docker" / "a1", 250_000)
    group_v1(tmp_path / "cpu", -1)
    groups = "11:memory:/docker/a1\n4:cpu,cpuacct:/docker/a1\n1:name=systemd:/docker/a1\n"
    within = process(
        tmp_path, groups, f"/ {tmp_path}/memory cgroup rw,memory", f"/ {tmp_path}/cpu cgroup rw,cpu,cpuacct"
    )
    assert find_quota(within) == 2.5
    assert count_cores(within) == 3


def test_in_a_container_without_a_namespace_the_mount_begins_at_its_own_cgroup(tmp_path: Path) -> None:
    own = group_v1(tmp_path / "cpu", 400_000)
    within = process(tmp_path, "4:cpu,cpuacct:/docker/a1\n0::/\n", f"/docker/a1 {own} cgroup rw,cpuacct,cpu")
    assert count_cores(within) == 4


def test_a_cgroup_outside_the_mount_has_the_quotas_of_the_mount(tmp_path: Path) -> None:
    root = group_v2(tmp_path / "cgroup", "500000 100000")
    assert count_cores(process(tmp_path, "0::/../other\n", f"/ {root} cgroup2 rw")) == 5


def test_with_both_versions_the_smaller_quota_counts(tmp_path: Path) -> None:
    old, new = group_v1(tmp_path / "cpu", 600_000), group_v2(tmp_path / "unified", "700000 100000")
    within = process(tmp_path, "4:cpu:/\n0::/\n", f"/ {old} cgroup rw,cpu", f"/ {new} cgroup2 rw")
    assert count_cores(within) == 6


def test_the_folder_of_a_mount_may_have_a_space(tmp_path: Path) -> None:
    root = group_v2(tmp_path / "c group", "200000 100000")
    assert count_cores(process(tmp_path, "0::/\n", f"/ {str(root).replace(' ', chr(92) + '040')} cgroup2 rw")) == 2


def test_the_affinity_counts_if_it_is_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 6})
    root = group_v2(tmp_path / "cgroup", "400000 100000")
    assert count_cores(process(tmp_path, "0::/\n", f"/ {root} cgroup2 rw")) == 3


@pytest.mark.parametrize(("groups", "mount"), [("", "nothing"), ("0::/\n", "0 - cgroup2"), ("garbage", "- - -")])
def test_unreadable_files_mean_no_quota(tmp_path: Path, groups: str, mount: str) -> None:
    folder = tmp_path / "proc"
    folder.mkdir()
    assert count_cores(folder) == CORES
    (folder / "cgroup").write_text(groups)
    (folder / "mountinfo").write_text(mount)
    assert count_cores(folder) == CORES


def test_all_numbers_of_processes_and_threads_follow_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = group_v2(tmp_path / "cgroup", "400000 100000")
    found = process(tmp_path, "0::/\n", f"/ {root} cgroup2 rw")
    monkeypatch.setattr("batchscribe.cpu_cores.PROCESS", found)
    settings = load_settings(data_dir=tmp_path, engine="scripted")
    assert settings.engine_processes == 4
    assert capacity_of(settings).decoders == 4
    assert (speaker_threads(), speaker_processes()) == (2, 2)


# --- the kernel --------------------------------------------------------------------------------------------------


@contextmanager
def real_group(parent: Path) -> Iterator[Path]:
    group = parent / f"batchscribe-test-{os.getpid()}"
    group.mkdir()
    try:
        yield group
    finally:
        group.rmdir()


def real_hierarchies() -> list[Path]:
    """Return the hierarchies of this machine in which this user may limit the CPU; none in most containers."""
    found = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/cpu,cpuacct")]
    return [each for each in found if os.access(each, os.W_OK) and has_cpu(each)]


def has_cpu(folder: Path) -> bool:
    control = folder / "cgroup.subtree_control"
    is_v2 = control.exists() and "cpu" in control.read_text().split()
    return is_v2 or (folder / "cpu.cfs_quota_us").exists()


def test_a_quota_that_this_kernel_enforces_is_found() -> None:
    """Checks what the machine permits; the tests above cover the rest with the same files."""
    code = "import os; open(os.environ['GROUP'], 'w').write('0'); from batchscribe import cpu_cores; "
    code += "print(cpu_cores.find_quota(cpu_cores.PROCESS))"
    for hierarchy in real_hierarchies():
        with real_group(hierarchy) as outer, real_group(outer) as inner:
            if (outer / "cpu.max").exists():
                (outer / "cpu.max").write_text("150000 100000")
            else:
                (outer / "cpu.cfs_quota_us").write_text("150000")
            environment = os.environ | {"GROUP": str(inner / "cgroup.procs")}
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
            )
        assert done.stdout == "1.5\n", (hierarchy, done)
