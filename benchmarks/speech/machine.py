"""The machine and software of a measurement, in general terms."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.speech import rival
from benchmarks.speech.contenders import CORES, POCKETSPHINX, Model


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def description() -> str:
    """Cores, processor and memory."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{CORES} cores of {_processor()}, {memory_gib:.0f} GiB of memory"


def versions(model: Model) -> str:
    names = [POCKETSPHINX] if model.folder is None else ["faster-whisper", "ctranslate2"]
    told = [f"{name} {version(name)}" for name in ("batchscribe", *names, "onnxruntime")]
    rivals = [] if model.folder is None else [f"{rival.NAME} {rival.VERSION}"]
    return ", ".join([*told, *rivals, f"Python {platform.python_version()}"])


def _processor() -> str:
    """Return the kernel's name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
