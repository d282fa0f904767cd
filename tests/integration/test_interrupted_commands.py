"""Interrupted jobs in the lists of a data directory, beside the processes that may work there."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

import pytest

from tests.integration.command import DATA, QUICK, Command, wait_until
from tests.integration.server import serving
from tests.integration.test_transcribe_command import MANY, recordings, some_are_done, transcripts
from tests.integration.test_watch_command import FOREVER

#: Far slower than a test, with the built-in engine.
SLOW = ("--engine", "pocketsphinx", "--segmentation", "none")


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def kill_mid_work(command: Command, *words: str) -> str:
    """Kill the command while it works, and return its job."""
    with command.pausing().started(*words) as process:
        wait_until(some_are_done(command.folder / "out"), within_sec=120)
        shown = command.run("jobs", "list")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert " PROCESSING " in shown.out, shown
    assert "interrupted" not in shown.out + shown.err
    return shown.job_id


def state_in_list(command: Command, job_id: str) -> str:
    (line,) = (line for line in command.run("jobs", "list").out.splitlines() if job_id in line)
    return line.split()[3]


@pytest.mark.usefixtures("database")
def test_a_killed_job_is_shown_as_interrupted_with_the_command_that_resumes_it(command: Command) -> None:
    command.run("migrate")
    recordings(command.folder / "calls", MANY)
    job_id = kill_mid_work(command, "transcribe", "calls", "-o", "out", *QUICK)
    listed, shown = command.run("jobs", "list"), command.run("jobs", "show", job_id)
    assert state_in_list(command, job_id) == "interrupted"
    assert shown.counters()["state"] == "interrupted"
    told = f"batchscribe jobs resume {job_id} --data-dir {command.folder / DATA}"
    assert f"No process works on {job_id}. Resume it: {told}\n" in listed.err
    assert f"No process works on this job. Resume it: {told}\n" in shown.out

    page, job = command.run("jobs", "list", "--json").json(), command.run("jobs", "show", job_id, "--json").json()
    assert page["interrupted"] == job["interrupted"] == {job_id: told}
    assert page["jobs"][0]["state"] == job["state"] == "PROCESSING"
    assert "interrupted" not in page["jobs"][0]
    waited = command.run("jobs", "wait", job_id, "--timeout", "1", "--json")
    assert (waited.status, waited.json()["interrupted"]) == (3, {job_id: told})
    assert waited.err.startswith("interrupted: ")

    resumed = command.run(*shlex.split(told)[1:])
    assert resumed.status == 0, resumed
    assert len(transcripts(command.folder / "out")) == MANY
    assert state_in_list(command, job_id) == "SUCCEEDED"
    assert command.run("jobs", "list", "--json").json().keys() == {"jobs"}


def test_a_server_works_on_its_own_jobs_and_not_on_interrupted_ones(tmp_path: Path) -> None:
    command = Command(tmp_path, {"BATCHSCRIBE_AUTH": "off", "BATCHSCRIBE_FILE_ROOTS": str(tmp_path)})
    recordings(tmp_path / "calls", 4, duration_sec=25.0)
    with command.started("transcribe", "calls", "-o", "local", *SLOW) as process:
        wait_until(lambda: command.run("jobs", "list", "--state", "PROCESSING").out != "", within_sec=120)
        local = command.run("jobs", "list").job_id
        process.send_signal(signal.SIGKILL)
        process.wait()
    with serving(command) as server:
        served = server.submit(tmp_path)
        server.wait(served, "PROCESSING")
        assert state_in_list(command, served) == "PROCESSING"
        assert state_in_list(command, local) == "interrupted"
        busy = command.run("jobs", "resume", local)
        assert (busy.status, "uses" in busy.err) == (2, True), busy
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    assert state_in_list(command, served) == "interrupted"
    told = f"batchscribe serve --data-dir {tmp_path / DATA}"
    assert command.run("jobs", "list", "--json").json()["interrupted"][served] == told
    refused = command.run("jobs", "resume", served)
    assert refused.status == 2
    assert f"was submitted to a server, which continues it when it runs again: {told}\n" in refused.err
    early = command.run("jobs", "retry", served)
    assert (early.status, early.out) == (2, ""), early
    assert early.err == f"Error: {served} is interrupted, so nothing can be retried yet. Resume it: {told}\n"


def test_a_watch_works_on_its_job_until_it_is_killed(command: Command) -> None:
    recordings(command.folder / "calls", MANY)
    job_id = kill_mid_work(command, "watch", "calls", "-o", "out", *FOREVER)
    assert state_in_list(command, job_id) == "interrupted"
    with command.started("watch", "calls", "-o", "out", *FOREVER):
        wait_until(lambda: len(transcripts(command.folder / "out")) == MANY, within_sec=120)
        wait_until(lambda: state_in_list(command, job_id) == "SUCCEEDED")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_job_that_waits_in_a_fleet_is_not_interrupted(tmp_path: Path, database: str) -> None:
    """Its workers may start later, on any machine."""
    environment = {"BATCHSCRIBE_AUTH": "off", "BATCHSCRIBE_FILE_ROOTS": str(tmp_path)}
    command = Command(tmp_path, environment | {"BATCHSCRIBE_DATABASE_URL": database})
    recordings(tmp_path / "calls", 1)
    assert command.run("migrate").status == 0
    with serving(command, "--no-worker") as server:
        job_id = server.submit(tmp_path)
        assert state_in_list(command, job_id) == "QUEUED"
    assert state_in_list(command, job_id) == "QUEUED"
    refused = command.run("jobs", "resume", job_id)
    assert (refused.status, "was submitted to a server" in refused.err) == (2, True), refused
