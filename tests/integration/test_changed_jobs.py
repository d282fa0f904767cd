"""`jobs retry`, `watch`, `delete` and `cancel`, on a real server and in a data directory."""

from __future__ import annotations

import json
import shlex
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command import DATA, QUICK, Command, Result, wait_until
from tests.integration.server import Server, serving
from tests.integration.test_interrupted_commands import SLOW
from tests.integration.test_transcribe_command import MANY, recordings, some_are_done, transcripts
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server


@pytest.fixture
def command(tmp_path: Path) -> Command:
    settings = {"AUTH": "off", "ENGINE": "scripted", "FILE_ROOTS": str(tmp_path)}
    return Command(tmp_path, {f"BATCHSCRIBE_{name}": value for name, value in settings.items()})


@pytest.fixture
def server(command: Command) -> Iterator[Server]:
    """A server that the command uses."""
    with serving(command) as started:
        command.environment["BATCHSCRIBE_SERVER"] = started.url
        yield started


def lay_out(folder: Path) -> Path:
    """Two good recordings and a broken one. Return the broken one."""
    recordings(folder / "calls", 2)
    broken = folder / "calls" / "broken.wav"
    broken.write_bytes(b"RIFF, and then no recording")
    return broken


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.out.splitlines()]


def row_counts(command: Command) -> list[int]:
    """The rows of jobs, files and tasks in the data directory."""
    with closing(sqlite3.connect(command.folder / DATA / "batchscribe.db")) as database:
        counts = (f"SELECT count(*) FROM {table}" for table in ("job", "file", "workflow_status"))  # noqa: S608
        return [database.execute(query).fetchone()[0] for query in counts]


def task_ids(command: Command) -> list[str]:
    with closing(sqlite3.connect(command.folder / DATA / "batchscribe.db")) as database:
        return [task_id for (task_id,) in database.execute("SELECT workflow_uuid FROM workflow_status")]


# --- on a server ---


def test_a_server_retries_what_failed(command: Command, server: Server) -> None:
    broken = lay_out(command.folder)
    job_id = server.submit(command.folder)
    server.wait(job_id, "PARTIAL")
    kept = {path: path.stat().st_mtime_ns for path in (command.folder / "out").iterdir()}

    again = command.run("jobs", "retry", job_id)  # still broken
    assert again.status == 0, again
    assert f"The failed files of {job_id} are being retried; its other transcripts are kept.\n" in again.out
    assert f"next: batchscribe jobs watch {job_id}\n" in again.out
    assert command.run("jobs", "wait", job_id).status == 1
    place = ("--data-dir", str(command.folder / DATA))
    assert (
        f"next: batchscribe jobs watch {job_id} {' '.join(place)}\n" in command.run("jobs", "retry", job_id, *place).out
    )
    assert command.run("jobs", "wait", job_id).status == 1

    write_wav(broken)
    mended = command.run("jobs", "retry", job_id, "--wait", "--json")
    assert (mended.status, mended.json()["state"]) == (0, "SUCCEEDED"), mended
    assert mended.json()["summary"]["succeeded"] == 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    done = command.run("jobs", "retry", job_id)
    assert done.status == 2
    assert done.err == f"Error: {server.url} refused: No file of {job_id} failed, so there is nothing to retry.\n"
    unknown = command.run("jobs", "retry", "job_0")
    assert (unknown.status, "There is no job job_0 at" in unknown.err) == (2, True), unknown


def test_a_watched_job_shows_its_failures_and_ends_as_wait_does(command: Command, server: Server) -> None:
    lay_out(command.folder)
    job_id = server.submit(command.folder)
    watched = command.run("jobs", "watch", job_id)
    assert watched.status == 1, watched
    told = watched.err.splitlines()
    (failure,) = (line for line in told if line.startswith("Failed: "))
    assert failure.startswith("Failed: calls/broken.wav: ")
    assert told[-1].startswith("PARTIAL: 3 of 3 files · 1 failed · ")
    assert watched.counters().items() >= {"job": job_id, "state": "PARTIAL", "failed": "1"}.items()

    seen = lines(command.run("jobs", "watch", job_id, "--json"))
    assert [next(iter(each)) for each in seen] == ["file", "job"]
    assert seen[0]["file"]["input_uri"] == (command.folder / "calls" / "broken.wav").as_uri()
    assert seen[-1]["job"] == server.job(job_id)
    status, shown = command.at_terminal("jobs", "watch", job_id)
    assert status == 1
    assert "Failed: calls/broken.wav: " in shown
    assert "PARTIAL" in shown


def test_a_watch_outlives_a_server_that_is_killed_and_started_again(command: Command) -> None:
    recordings(command.folder / "calls", MANY)
    with serving(command, "--no-worker") as first:  # so that the job cannot end before the kill
        port = first.url.rpartition(":")[2]
        job_id = first.submit(command.folder)
        with command.started("jobs", "watch", job_id, "--json", "--server", first.url) as process:
            assert process.stdout is not None
            begun = json.loads(process.stdout.readline())
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            with serving(command, "--port", port):
                out, err = process.communicate(timeout=120)
    assert begun["job"]["state"] == "QUEUED"
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["job"]["summary"]["succeeded"] == MANY


def test_a_watch_ends_at_its_time_limit(command: Command) -> None:
    """No worker takes the job."""
    recordings(command.folder / "calls", 2)
    with serving(command, "--no-worker") as server:
        command.environment["BATCHSCRIBE_SERVER"] = server.url
        job_id = server.submit(command.folder)
        watched = command.run("jobs", "watch", job_id, "--timeout", "0.5")
        assert watched.status == 3, watched
        assert f"{job_id} has not ended within 0.5 s; it continues.\n" in watched.err
        canceled = command.run("jobs", "cancel", job_id, "--json")
        assert (canceled.status, canceled.json()["state"]) == (0, "CANCELED"), canceled
        refused = command.run("jobs", "cancel", job_id, "--json")
        assert (refused.status, refused.out) == (1, "")
        retried = command.run("jobs", "retry", job_id)
        assert retried.err.startswith(f"Error: {server.url} refused: {job_id} was canceled;")


def test_a_job_is_deleted_from_a_server_after_a_confirmation(command: Command, server: Server) -> None:
    lay_out(command.folder)
    job_id = server.submit(command.folder)
    server.wait(job_id, "PARTIAL")
    blind = command.run("jobs", "delete", job_id)
    assert blind.status == 2
    assert blind.err == "Error: A job is deleted after a confirmation in a terminal; without one, add --yes.\n"
    status, asked = command.at_terminal("jobs", "delete", job_id, typed="n\n")
    assert status == 1
    question = f"Delete {job_id} (PARTIAL, 3 of 3 files)? Its recordings and 2 transcripts are kept in storage. [y/N]"
    assert question in " ".join(asked.split())
    assert server.job(job_id)["state"] == "PARTIAL"

    status, _ = command.at_terminal("jobs", "delete", job_id, typed="y\n")
    assert status == 0
    gone = command.run("jobs", "delete", job_id, "--yes")
    assert (gone.status, f"There is no job {job_id} at" in gone.err) == (2, True), gone
    assert len(transcripts(command.folder / "out")) == 2


# --- in a data directory ---


@pytest.mark.usefixtures("database")
def test_a_local_job_is_retried_here_and_deleted(command: Command) -> None:
    command.run("migrate")
    broken = lay_out(command.folder)
    first = command.transcribe("calls", "-o", "out")
    assert first.status == 1, first
    still = command.run("jobs", "retry", first.job_id)
    assert (still.status, still.counters()["failed"]) == (1, "1"), still
    assert f"Retrying {first.job_id}: 1 file failed.\n" in still.err
    write_wav(broken)
    mended = command.run("jobs", "retry", first.job_id, "--json")
    assert (mended.status, mended.json()["state"]) == (0, "SUCCEEDED"), mended
    assert transcripts(command.folder / "out") == {"000.json", "001.json", "broken.json"}
    done = command.run("jobs", "retry", first.job_id)
    assert done.status == 2
    assert f"Error: No file of {first.job_id} failed, so there is nothing to retry.\n" in done.err

    deleted = command.run("jobs", "delete", first.job_id, "--yes")
    assert deleted.status == 0, deleted
    assert deleted.out == f"{first.job_id} is deleted. Its recordings and 3 transcripts are kept in storage.\n"
    assert command.run("jobs", "list").err.startswith("No jobs found.")
    gone = command.run("jobs", "show", first.job_id)
    assert (gone.status, f"There is no job {first.job_id}" in gone.err) == (2, True), gone
    assert len(transcripts(command.folder / "out")) == 3


def test_a_retry_that_is_killed_is_resumed(command: Command) -> None:
    calls = [command.folder / "calls" / f"{number:02}.wav" for number in range(60)]
    calls[0].parent.mkdir()
    for path in calls:
        path.write_bytes(b"RIFF, and then no recording")
    job_id = command.transcribe("calls", "-o", "out").job_id
    for number, path in enumerate(calls):
        write_wav(path, seed=number)
    words = ("jobs", "retry", job_id)
    command.pausing().signaled(signal.SIGKILL, *words, when=some_are_done(command.folder / "out"))
    resume = command.run("jobs", "list", "--json").json()["interrupted"][job_id]
    resumed = command.run(*shlex.split(resume)[1:])
    assert (resumed.status, resumed.counters()["succeeded"]) == (0, "60"), resumed
    assert len(transcripts(command.folder / "out")) == 60


def test_an_interrupted_job_is_resumed_rather_than_retried_and_can_be_deleted(command: Command) -> None:
    recordings(command.folder / "calls", MANY)
    words = ("transcribe", "calls", "-o", "out", *QUICK)
    first = command.pausing().signaled(signal.SIGKILL, *words, when=some_are_done(command.folder / "out"))
    job_id = command.run("jobs", "list").job_id
    assert first.status == -signal.SIGKILL
    refused = command.run("jobs", "retry", job_id)
    assert refused.status == 2
    resume = f"batchscribe jobs resume {job_id} --data-dir {command.folder / DATA}"
    assert refused.err == f"Error: {job_id} has not ended yet, so nothing can be retried. Resume it: {resume}\n"
    status, asked = command.at_terminal("jobs", "delete", job_id, typed="y\n")
    assert status == 0
    assert "It has not ended, and will be canceled." in " ".join(asked.split())
    assert row_counts(command) == [0, 0, 0]
    again = command.transcribe("calls", "-o", "out")
    assert again.status == 0, again
    assert again.job_id != job_id
    assert len(transcripts(command.folder / "out")) == MANY


def test_a_job_is_deleted_while_another_process_works_on_it(command: Command) -> None:
    recordings(command.folder / "calls", 4, duration_sec=25.0)
    with command.started("transcribe", "calls", "-o", "out", *SLOW) as process:
        wait_until(lambda: command.run("jobs", "list", "--state", "PROCESSING").out != "", within_sec=120)
        job_id = command.run("jobs", "list").job_id
        deleted = command.run("jobs", "delete", job_id, "--yes", "--json")
        out, err = process.communicate(timeout=60)
    assert (deleted.status, deleted.json()) == (0, {"job_id": job_id, "deleted": True})
    assert process.returncode == 1, err
    assert "state: CANCELED\n" in out
    assert "Traceback" not in err
    assert command.run("jobs", "list", "--json").json() == {"jobs": []}


def test_the_jobs_of_a_stopped_server_are_retried_when_it_runs_again(command: Command) -> None:
    broken = lay_out(command.folder)
    with serving(command) as server:
        job_id = server.submit(command.folder)
        server.wait(job_id, "PARTIAL")
        assert server.end() == 0
    write_wav(broken)
    retried = command.run("jobs", "retry", job_id)
    assert retried.status == 0, retried
    assert f"next: batchscribe serve --data-dir {command.folder / DATA}\n" in retried.out
    with serving(command) as server:
        server.wait(job_id)
        watched = command.run("jobs", "watch", job_id, "--json")
        assert (watched.status, lines(watched)[-1]["job"]["state"]) == (0, "SUCCEEDED"), watched


def test_a_job_of_a_stopped_server_is_deleted_with_its_next_attempt_to_send_a_webhook(command: Command) -> None:
    lay_out(command.folder)
    settings = {"ALLOW_HTTP": "true", "ALLOW_NETWORKS": "127.0.0.0/8", "FIRST_RETRY_SEC": "600"}
    command.environment.update({f"BATCHSCRIBE_WEBHOOK_{name}": value for name, value in settings.items()})
    with serving(command) as server:
        job_id = server.submit(command.folder, notifications={"webhook_url": "http://127.0.0.1:9/closed"})
        other = server.submit(command.folder, output={"uri": f"{(command.folder / 'other').as_uri()}/"})
        server.wait(other, "PARTIAL")
        server.wait(job_id, "PARTIAL")
        wait_until(lambda: f"deliver-{job_id}-1-1" in task_ids(command))
        assert server.end() == 0
    assert command.run("jobs", "delete", job_id, "--yes").status == 0
    assert not [task_id for task_id in task_ids(command) if job_id in task_id]
    assert command.run("jobs", "list").job_id == other


def test_resume_prints_the_ended_job_as_json(command: Command) -> None:
    recordings(command.folder / "calls", MANY)
    words = ("transcribe", "calls", "-o", "out", *QUICK)
    first = command.pausing().signaled(signal.SIGINT, *words, when=some_are_done(command.folder / "out"))
    resumed = command.run("jobs", "resume", first.job_id, "--json")
    assert (resumed.status, resumed.json()["summary"]["succeeded"]) == (0, MANY), resumed
    assert command.run("jobs", "resume", first.job_id, "--json").json() == resumed.json()


# --- with storage in a cloud ---


def buckets(command: Command, moto_s3: S3Server) -> tuple[str, str]:
    """Return the URIs of recordings, one of them broken, and of transcripts."""
    bucket = moto_s3.new_bucket()
    good = write_wav(command.folder / "a.wav").read_bytes()
    moto_s3.put(bucket, "calls/a.wav", good)
    moto_s3.put(bucket, "calls/b.wav", b"RIFF, and then no recording")
    command.environment.update(KEYS)
    return f"s3://{bucket}/calls/", f"s3://{bucket}/out/"


KEYS = {"AWS_ACCESS_KEY_ID": "key-of-mine", "AWS_SECRET_ACCESS_KEY": "secret-of-mine"}


def refuses_without_keys(command: Command, job_id: str) -> None:
    for name in KEYS:
        del command.environment[name]
    refused = command.run("jobs", "retry", job_id)
    assert refused.status == 2, refused
    last = refused.err.splitlines()[-1]
    assert last.startswith(f"Error: The storage credentials of {job_id} were deleted at its end; set the variables of ")
    command.environment.update(KEYS)


def test_a_local_job_in_a_bucket_is_retried_with_the_keys_of_the_environment(
    command: Command, moto_s3: S3Server
) -> None:
    calls, out = buckets(command, moto_s3)
    endpoint = ("--s3-endpoint", moto_s3.endpoint, "--s3-allow-http", "--s3-path-style")
    first = command.transcribe(calls, "-o", out, *endpoint)
    assert first.status == 1, first
    refuses_without_keys(command, first.job_id)
    again = command.run("jobs", "retry", first.job_id)
    assert (again.status, again.counters()["succeeded"]) == (1, "1"), again
    moto_s3.put(calls.split("/")[2], "calls/b.wav", write_wav(command.folder / "b.wav").read_bytes())
    mended = command.run("jobs", "retry", first.job_id)
    assert (mended.status, mended.counters()["succeeded"]) == (0, "2"), mended


def test_a_server_gets_the_keys_of_the_environment_for_a_retry(command: Command, moto_s3: S3Server) -> None:
    calls, out = buckets(command, moto_s3)
    command.environment.update({
        "BATCHSCRIBE_S3_ENDPOINT": moto_s3.endpoint,
        "BATCHSCRIBE_S3_ALLOW_HTTP": "true",
        "BATCHSCRIBE_S3_PATH_STYLE": "true",
    })  # fmt: skip
    with serving(command) as server:
        command.environment["BATCHSCRIBE_SERVER"] = server.url
        first = command.run("jobs", "submit", calls, "-o", out, "--segmentation", "none", "--wait")
        assert first.status == 1, first
        refuses_without_keys(command, first.job_id)
        moto_s3.put(calls.split("/")[2], "calls/b.wav", write_wav(command.folder / "b.wav").read_bytes())
        mended = command.run("jobs", "retry", first.job_id, "--wait")
        assert (mended.status, mended.counters()["succeeded"]) == (0, "2"), mended
