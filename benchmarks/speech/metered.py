"""What a command costs: CPU and wall time, and the most memory that all of its processes had at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.recordings import ROOT
from benchmarks.speech.results import Cost

SAMPLE_SEC = 0.2
#: Variables that would set the number of threads.
NOT_PASSED_ON = ("OMP_", "BATCHSCRIBE_", "CT2_")


def run_metered(command: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a command in the repository. It must succeed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    with TemporaryDirectory() as name:
        answer, log = Path(name) / "answer.json", Path(name) / "log.txt"
        wrapped = [sys.executable, "-m", "benchmarks.speech.reaper", f"{answer}", *command]
        with log.open("wb") as output:
            process = subprocess.Popen(wrapped, cwd=ROOT, env=kept | (environment or {}), stdout=output, stderr=output)
            peak_bytes = _peak_bytes(process)
        assert process.returncode == 0, log.read_text(errors="replace")[-2000:]
        measured = json.loads(answer.read_text())
    return Cost(measured["cpu_sec"], measured["wall_sec"], peak_bytes)


def best(costs: Sequence[Cost]) -> Cost:
    """Return the minimum of each, because other load on the machine only adds."""
    return Cost(
        cpu_sec=min(cost.cpu_sec for cost in costs),
        wall_sec=min(cost.wall_sec for cost in costs),
        peak_bytes=min(cost.peak_bytes for cost in costs),
    )


def _peak_bytes(process: subprocess.Popen[bytes]) -> int:
    """Return the peak until the process ends. The process itself only waits and is excluded."""
    this, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        peak = max(peak, _memory_bytes(this))
        time.sleep(SAMPLE_SEC)
    return peak


def _memory_bytes(process: psutil.Process) -> int:
    """Of its descendants: pages that several share count once in all (PSS)."""
    total = 0
    try:
        for child in process.children(recursive=True):
            total += _pss(child)
    except psutil.NoSuchProcess:
        return total
    return total


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has ended
        return 0
