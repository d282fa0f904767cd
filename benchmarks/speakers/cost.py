"""CPU time and memory of diarization, measured in a separate process: `python -m benchmarks.speakers.cost MINUTES`."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from batchscribe.window import SAMPLE_RATE
from benchmarks.recordings import speech
from benchmarks.speakers.installed import installed_models, new_diarizer

KIB = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """`peak_bytes` is the memory of the whole process: Python, libraries, models and the example."""

    cpu_sec: float
    peak_bytes: int


def measure_cost(minutes: int) -> Cost:
    """Diarize the longest example, repeated to this length, on one core."""
    command = [sys.executable, "-m", "benchmarks.speakers.cost", str(minutes)]
    cpu_sec, peak_bytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return Cost(float(cpu_sec), int(peak_bytes))


def _diarize(minutes: int) -> tuple[float, int]:
    models = installed_models()
    sound = speech().astype(np.float32) / np.float32(2**15)
    diarizer = new_diarizer(models)
    began = time.process_time()
    left = minutes * 60 * SAMPLE_RATE
    while left > 0:
        diarizer.feed(sound[:left])
        left -= len(sound)
    diarizer.finish()
    return time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


if __name__ == "__main__":
    print(*_diarize(int(sys.argv[1])))
