"""CPU time of commands: of those that only read, and of a server and a worker until they are ready."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.recordings import examples
from benchmarks.report import Figure

RUNS = 5
BATCHSCRIBE = (sys.executable, "-m", "batchscribe")
#: Users have the bytecode of earlier runs. Without it, Python would compile 400 modules for each measurement.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
QUICK, USUAL = "below 0.5 s", "below 1 s"
#: Commands that only read a data directory, and their goals.
READING = {
    "jobs list": QUICK,
    "jobs list --json": QUICK,
    "models list": QUICK,
    "keys list": USUAL,
    "search weather": USUAL,
    "migrate": USUAL,  # there is nothing to do
}


def measure() -> list[Figure]:
    with TemporaryDirectory() as folder:
        place = ("--data-dir", str(Path(folder) / "data"))
        _run("transcribe", str(examples()[0]), "--engine", "pocketsphinx", "--output", folder, *place)
        _run("keys", "create", "--tenant", "acme", *place)
        return [
            Figure("--help", _median(partial(_run, "--help")), "below 0.3 s"),
            *(
                Figure(command, _median(partial(_run, *command.split(), *place)), goal)
                for command, goal in READING.items()
            ),
            Figure("serve, until it is ready", _median(partial(_start, "serve", "--port", "0", *place)), USUAL),
            Figure("worker, until it is ready", _median(partial(_start, "worker", *place)), USUAL),
        ]


def _median(measure_once: Callable[[], float]) -> str:
    return f"{statistics.median(measure_once() for _ in range(RUNS)):.2f} s"


def _run(*arguments: str) -> float:
    """Run a command. Returns the CPU seconds of it and of its children."""
    before = _children_cpu_sec()
    subprocess.run([*BATCHSCRIBE, *arguments], capture_output=True, check=True, env=ENVIRONMENT)
    return _children_cpu_sec() - before


def _children_cpu_sec() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _start(*arguments: str) -> float:
    """Start a server or a worker and stop it.

    Returns the CPU seconds of its process, without those of its children, until it said that it was ready.
    """
    with subprocess.Popen(
        [*BATCHSCRIBE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    ) as started:
        assert started.stdout is not None
        next(line for line in started.stdout if "is ready" in line)
        used = psutil.Process(started.pid).cpu_times()
        started.terminate()
        started.communicate()
    return float(used.user + used.system)
