"""CPU time of commands: of those that only read, and of a server until it is ready."""

from __future__ import annotations

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
            Figure("serve, until it is ready", _median(partial(_serve, *place)), USUAL),
        ]


def _median(measure_once: Callable[[], float]) -> str:
    return f"{statistics.median(measure_once() for _ in range(RUNS)):.2f} s"


def _run(*arguments: str) -> float:
    """Run a command. Returns the CPU seconds of it and of its children."""
    before = _children_cpu_sec()
    subprocess.run([*BATCHSCRIBE, *arguments], capture_output=True, check=True)
    return _children_cpu_sec() - before


def _children_cpu_sec() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _serve(*place: str) -> float:
    """Start a server and stop it. Returns the CPU seconds of its process until it said that it was ready."""
    command = [*BATCHSCRIBE, "serve", "--port", "0", *place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        next(line for line in server.stdout if "is ready" in line)
        used = psutil.Process(server.pid).cpu_times()
        server.terminate()
        server.communicate()
    return float(used.user + used.system)
