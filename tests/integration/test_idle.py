"""A process without work hardly wakes up, but still starts a new job soon. On both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.command import Command, Started, wait_until
from tests.integration.server import serving
from tests.recordings import write_wav
from tests.wakeups import wakeups_per_sec

MOST_WAKEUPS_PER_SEC = 25.0  #: on any machine: a busy one makes a process wake later, not more often
SETTLED_SEC, MEASURED_SEC = 2.0, 6.0
STARTS_WITHIN_SEC = 30.0  #: on any machine, however busy

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def command(tmp_path: Path) -> Command:
    settings = {"AUTH": "off", "ENGINE": "scripted", "FILE_ROOTS": str(tmp_path)}
    return Command(tmp_path, {f"BATCHSCRIBE_{name}": value for name, value in settings.items()})


@contextmanager
def worker(command: Command) -> Iterator[Started]:
    with command.started("worker") as process:
        assert process.stdout is not None
        assert "is ready" in process.stdout.readline()
        yield process


def wakeups(pid: int) -> float:
    time.sleep(SETTLED_SEC)
    return wakeups_per_sec(pid, measured_sec=MEASURED_SEC)


def test_an_idle_server_hardly_wakes_up_before_its_first_job_and_after_it(command: Command) -> None:
    write_wav(command.folder / "calls" / "a.wav")
    with serving(command) as server:
        assert wakeups(server.process.pid) <= MOST_WAKEUPS_PER_SEC
        server.wait(server.submit(command.folder))
        assert wakeups(server.process.pid) <= MOST_WAKEUPS_PER_SEC  # also its decoders and engines


def test_an_idle_worker_hardly_wakes_up_and_begins_the_job_of_a_server_soon(command: Command) -> None:
    write_wav(command.folder / "calls" / "a.wav")
    with serving(command, "--no-worker") as server, worker(command) as process:
        assert wakeups(process.pid) <= MOST_WAKEUPS_PER_SEC
        job_id = server.submit(command.folder)
        wait_until(lambda: server.job(job_id)["state"] != "QUEUED", STARTS_WITHIN_SEC)
        server.wait(job_id)
