"""How soon the engines are idle when the job with a running long recording is canceled on a server."""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from batchscribe.client.client import Client
from benchmarks.long.ledger import Ledger
from benchmarks.long.subject import Subject
from benchmarks.report import Figure
from benchmarks.usage import ENGINE, kind_of

CPU_PER_AUDIO_SEC = 0.08  #: for the scripted engine: a batch of full windows takes about 10 s
ROUNDS = 3
LOOK_SEC = 0.02
WATCHED_SEC = 25.0  #: after the cancel; a batch may last as long
START_MAX_SEC = 120.0


@dataclass(frozen=True, slots=True)
class Ending:
    answered_sec: float  #: until the server had answered the cancel
    idle_sec: float  #: until the engine processes of that moment used no more CPU


def measure(subject: Subject) -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        subject.write_recording(folder / "in", 60 * subject.minutes)
        with _serving(subject, folder) as (process, url), Client(url) as client:
            endings = [_cancel(client, process.pid, folder, number) for number in range(ROUNDS)]
    idle = [ending.idle_sec for ending in endings]
    return [
        Figure("cancel answered after, median", f"{statistics.median(each.answered_sec for each in endings):.2f} s"),
        Figure(
            f"engines idle after a cancel, watched for {WATCHED_SEC:.0f} s, median", f"{statistics.median(idle):.2f} s"
        ),
        Figure(f"engines idle after a cancel, most of {ROUNDS}", f"{max(idle):.2f} s", "at most 2 s"),
    ]


@contextmanager
def _serving(subject: Subject, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a server without authentication; yield its process and URL."""
    log = folder / "log.txt"
    arguments = ["serve", "--port", "0", "--data-dir", f"{folder / 'data'}"]
    command = subject.on_record(folder / "ledger", CPU_PER_AUDIO_SEC, arguments)
    with subject.started(command, log, auth="off", file_roots=f"{folder}") as process:
        deadline = time.monotonic() + START_MAX_SEC
        while not (found := re.search(r"http://\S+", log.read_text(errors="replace"))):
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(LOOK_SEC)
        yield process, found[0]


def _cancel(client: Client, server: int, folder: Path, number: int) -> Ending:
    ledger = Ledger(folder / "ledger")
    before = ledger.count_calls()
    job = client.submit(
        {
            "input": {"mode": "PREFIX", "uri": f"{(folder / 'in').as_uri()}/"},
            "output": {"uri": f"{(folder / f'out-{number}').as_uri()}/"},
            "config": {"word_time_offsets": True},
        }
    )
    deadline = time.monotonic() + START_MAX_SEC
    while ledger.count_calls() == before:
        assert time.monotonic() < deadline, "the engines did not start"
        time.sleep(LOOK_SEC)
    time.sleep(2.0 + number)  # another moment within the calls each time
    engines = [each for each in psutil.Process(server).children(recursive=True) if kind_of(each.name()) == ENGINE]
    canceled_at = time.monotonic()
    client.cancel(job.job_id)
    answered_sec = time.monotonic() - canceled_at
    return Ending(answered_sec, _last_use(engines, until=canceled_at + WATCHED_SEC) - canceled_at)


def _last_use(processes: list[psutil.Process], *, until: float) -> float:
    """Watch the processes and return the last moment, on the monotonic clock, at which one of them had used CPU."""
    used, last_at = _cpu_sec(processes), time.monotonic()
    while (now := time.monotonic()) < until:
        time.sleep(LOOK_SEC)
        if (found := _cpu_sec(processes)) != used:
            used, last_at = found, now
    return last_at


def _cpu_sec(processes: list[psutil.Process]) -> dict[int, float]:
    """CPU seconds of those that still run, by process ID."""
    found = {}
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        found[process.pid] = times.user + times.system
    return found
