"""Two machines with one database: only one of them runs a watch, or works on a job of the command line."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.tables import file
from batchscribe.wire.choices import FileState
from tests.integration.command import QUICK, Command, Started, wait_until
from tests.recordings import write_wav

SILENT_SEC = 4.0
MANY = 40  #: recordings of a job that a pausing command leaves unfinished
FOREVER = ("--every", "0.2", "--settle", "0", *QUICK)
ONCE = ("--once", "--settle", "0", *QUICK)


@pytest.fixture
def machines(database: str, tmp_path: Path) -> Command:
    """Each machine has its own data directory in the folder."""
    (tmp_path / "calls").mkdir()
    settings = {
        "BATCHSCRIBE_DATABASE_URL": database,
        "BATCHSCRIBE_HEARTBEAT_SEC": "0.5",
        "BATCHSCRIBE_SILENT_SEC": str(SILENT_SEC),
        "BATCHSCRIBE_SECRET_KEY": "YSBrZXkgdGhhdCBub3RoaW5nIGVsc2UgaXMgZm9yLi4=",
    }
    return Command(tmp_path, settings)


def watch(machine: str, *options: str) -> tuple[str, ...]:
    return "watch", "calls", "--data-dir", machine, *options


def transcripts(machines: Command) -> int:
    return len(list((machines.folder / "calls").glob("*.json")))


def write_calls(machines: Command, count: int, *, first: int = 0) -> None:
    for number in range(first, first + count):
        write_wav(machines.folder / "calls" / f"{number:03}.wav", duration_sec=0.3, seed=number)


def attempts(machines: Command) -> list[tuple[str, int]]:
    """Return the state of every row of a file, and how often it was tried."""
    engine = open_database(machines.environment["BATCHSCRIBE_DATABASE_URL"])
    with engine.connect() as connection:
        found = [(row.state, row.attempt) for row in connection.execute(sa.select(file.c.state, file.c.attempt))]
    engine.dispose()
    return found


def killed_at_work(machines: Command, machine: str) -> None:
    with machines.pausing().started(*watch(machine, *FOREVER)) as process:
        wait_until(lambda: transcripts(machines) > 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert transcripts(machines) < MANY


def interrupt(process: Started) -> int:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    return process.wait()


def test_the_second_watch_is_refused_until_the_first_has_ended(machines: Command) -> None:
    write_calls(machines, 1)
    with machines.started(*watch("first", *FOREVER)) as process:
        wait_until(lambda: transcripts(machines) == 1)
        refused = machines.run(*watch("second", *ONCE))
        assert (refused.status, refused.out) == (2, ""), refused
        told = rf"Process \d+ on {re.escape(socket.gethostname())} has been watching this for the same output since"
        assert re.search(told, refused.err), refused
        other = machines.run(*watch("second", *ONCE), "--output", "elsewhere")
        assert other.status == 0, other
        assert len(list((machines.folder / "elsewhere").glob("*.json"))) == 1
        write_calls(machines, 1, first=1)
        wait_until(lambda: transcripts(machines) == 2)
        assert interrupt(process) == 128 + signal.SIGINT
    write_calls(machines, 1, first=2)
    assert machines.run(*watch("second", *ONCE)).status == 0
    assert transcripts(machines) == 3
    assert attempts(machines) == [(FileState.SUCCEEDED, 1)] * 4, "no recording is transcribed twice"


def test_a_killed_watch_does_not_block_the_next_one_on_its_machine(machines: Command) -> None:
    write_calls(machines, MANY)
    machines.environment["BATCHSCRIBE_SILENT_SEC"] = "3600"
    killed_at_work(machines, "first")
    again = machines.run(*watch("first", *ONCE))
    assert again.status == 0, again
    assert transcripts(machines) == MANY


def test_a_killed_watch_blocks_another_machine_only_until_it_counts_as_dead(machines: Command) -> None:
    write_calls(machines, MANY)
    killed_at_work(machines, "first")
    killed_at = time.monotonic()
    refused = machines.run(*watch("second", *ONCE))
    if refused.status == 2:
        assert "If it no longer runs, try again in" in refused.err
        wait_until(lambda: time.monotonic() - killed_at > SILENT_SEC)
        refused = machines.run(*watch("second", *ONCE))
    assert refused.status == 0, refused
    assert "Resuming job_" in refused.err
    assert transcripts(machines) == MANY
    assert {state for state, _ in attempts(machines)} == {FileState.SUCCEEDED}
    assert len(attempts(machines)) == MANY


def test_a_job_of_the_command_line_is_resumed_by_one_process_at_a_time(machines: Command) -> None:
    write_calls(machines, MANY)
    words = ("transcribe", "calls", "--output", "out", *QUICK)
    with machines.pausing().started(*words, "--data-dir", "first"):
        wait_until(lambda: len(list(machines.folder.glob("out/*.json"))) > 3)
        refused = machines.run(*words, "--data-dir", "second")
    assert refused.status == 2, refused
    assert re.search(r"Process \d+ on \S+ has been working on job_[0-9a-f]+ since", refused.err), refused


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_paused_watch_ends_after_another_machine_has_taken_over(machines: Command) -> None:
    """Not on SQLite, where a process that is paused within a write blocks all others."""
    write_calls(machines, 1)
    with machines.started(*watch("first", *FOREVER)) as paused:
        wait_until(lambda: attempts(machines) == [(FileState.SUCCEEDED, 1)])
        paused.send_signal(signal.SIGSTOP)
        time.sleep(SILENT_SEC + 1)
        with machines.started(*watch("second", *FOREVER)) as process:
            write_calls(machines, 1, first=1)
            wait_until(lambda: transcripts(machines) == 2)
            paused.send_signal(signal.SIGCONT)
            _, err = paused.communicate(timeout=30)
            assert (paused.wait(), "another one has taken over its work. Process" in err) == (1, True), err
            write_calls(machines, 1, first=2)
            wait_until(lambda: transcripts(machines) == 3)
            assert interrupt(process) == 128 + signal.SIGINT
    assert attempts(machines) == [(FileState.SUCCEEDED, 1)] * 3
