"""The machine of a measurement, in general terms."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def description() -> str:
    """Cores, processor and memory."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{len(cores())} cores of {_processor()}, {memory_gib:.0f} GiB of memory"


def versions(*names: str) -> str:
    """The versions of installed packages and of Python. A name with a space already has its version."""
    numbered = [name if " " in name else f"{name} {version(name)}" for name in names]
    return ", ".join([*numbered, f"Python {platform.python_version()}"])


def _processor() -> str:
    """Return the kernel's name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
