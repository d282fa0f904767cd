"""The number of CPU cores that this process may use: those of its affinity, limited by the CPU quota of its cgroups.

With a quota of 2, a process may run on each of the machine's 64 cores, but only for 2 seconds of CPU time per second.
Container runtimes and systemd (`CPUQuota=`) set such quotas.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

PROCESS = Path("/proc/self")
V2, CONTROLLER = "cgroup2", "cpu"
_OCTAL = re.compile(r"\\([0-7]{3})")  #: how the list of mounts writes a space


class Mount(NamedTuple):
    """A mounted hierarchy of cgroups: the cgroup at its root, and the folder where that is mounted."""

    root: PurePosixPath
    folder: Path
    is_v2: bool


def count_cores(process: Path | None = None) -> int:
    """Return the number of cores. A part of a core counts as one, so a quota of 1.5 means 2."""
    allowed = len(os.sched_getaffinity(0))
    quota = find_quota(process or PROCESS)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def find_quota(process: Path) -> float | None:
    """Return the smallest quota, in cores, of its cgroups and of those above them; None if there is none."""
    try:
        groups = dict(_read_groups((process / "cgroup").read_text()))
        mounts = list(_read_mounts((process / "mountinfo").read_text()))
    except (OSError, ValueError):  # not Linux, or /proc is hidden
        return None
    quotas = [
        quota
        for mount in mounts
        if mount.is_v2 in groups
        for folder in _folders(mount, groups[mount.is_v2])
        if (quota := _read_quota(folder, is_v2=mount.is_v2)) is not None
    ]
    return min(quotas, default=None)


def _read_groups(text: str) -> Iterator[tuple[bool, PurePosixPath]]:
    """Yield the path of the cgroup in each hierarchy that may have quotas, with whether that is version 2."""
    for line in text.splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            yield True, PurePosixPath(path)
        elif CONTROLLER in controllers.split(","):
            yield False, PurePosixPath(path)


def _read_mounts(text: str) -> Iterator[Mount]:
    """Yield the mounts of these hierarchies; proc(5) describes the lines."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        root, folder = before.split()[3:5]
        kind, _, options = after.split(maxsplit=2)
        if kind == V2 or (kind == "cgroup" and CONTROLLER in options.split(",")):
            yield Mount(PurePosixPath(_unescape(root)), Path(_unescape(folder)), kind == V2)


def _unescape(path: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), path)


def _folders(mount: Mount, group: PurePosixPath) -> Iterator[Path]:
    """Yield the folder of a cgroup and of those above it. In a container, the root of the mount may be its own."""
    inside = group.relative_to(mount.root) if group.is_relative_to(mount.root) else PurePosixPath()
    for path in (inside, *inside.parents):
        yield mount.folder / path


def _read_quota(folder: Path, *, is_v2: bool) -> float | None:
    """Return the quota of one cgroup; None if it has none."""
    try:
        if is_v2:
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # no such file at the root; "max"
        return None
