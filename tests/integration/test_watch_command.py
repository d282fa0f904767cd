"""`batchscribe watch`, run as a person runs it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from tests.documents import ROOT
from tests.integration.command import DATA, QUICK, Command, wait_until
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server

ONCE = ("--once", "--settle", "0", *QUICK)
FOREVER = ("--every", "0.2", "--settle", "1", *QUICK)
MANY = 40  #: recordings of a job that a pausing command leaves unfinished


@pytest.fixture
def command(tmp_path: Path) -> Command:
    (tmp_path / "calls").mkdir()
    return Command(tmp_path)


def transcripts(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.json")}


def rows(command: Command, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(command.folder / DATA / "batchscribe.db") as database:
        found = database.execute(query).fetchall()
    database.close()
    return found


def job_count(command: Command) -> int:
    return len(rows(command, "SELECT job_id FROM job"))


def test_what_is_new_is_transcribed_once_and_copies_of_it_never(command: Command) -> None:
    calls, out = command.folder / "calls", command.folder / "out"
    write_wav(calls / "deep" / "[a]{1}*.wav", seed=1)
    (calls / "notes.srt").write_text("not a recording")
    first = command.run("watch", "calls", "--output", "out", *ONCE)
    assert first.status == 0, first
    assert transcripts(out) == {"deep/[a]{1}*.json"}

    (calls / "deep" / "[a]{1}*.wav").rename(calls / "renamed.wav")
    shutil.copy(calls / "renamed.wav", calls / "copy.wav")
    (calls / "copy.wav").touch()
    again = command.run("watch", "calls", "--output", "out", *ONCE)
    assert again.status == 0, again
    assert again.err.count("its content is known") == 2
    assert transcripts(out) == {"deep/[a]{1}*.json"}
    assert job_count(command) == 1


def test_two_new_copies_are_transcribed_once(command: Command) -> None:
    for name in ("a.wav", "b.wav"):
        write_wav(command.folder / "calls" / name, seed=1)
    assert command.run("watch", "calls", *ONCE).status == 0
    assert transcripts(command.folder / "calls") == {"a.json"}


def test_a_replaced_recording_gets_a_new_transcript_and_its_renamed_original_gets_its_own(command: Command) -> None:
    calls = command.folder / "calls"
    write_wav(calls / "a.wav", duration_sec=0.5, seed=1)
    assert command.run("watch", "calls", *ONCE).status == 0
    (calls / "a.wav").rename(calls / "b.wav")
    assert command.run("watch", "calls", *ONCE).status == 0
    assert transcripts(calls) == {"a.json"}

    write_wav(calls / "a.wav", duration_sec=1.5, seed=2)
    assert command.run("watch", "calls", *ONCE).status == 0
    durations = {name: json.loads((calls / name).read_text())["duration_sec"] for name in transcripts(calls)}
    assert durations == {"a.json": pytest.approx(1.5, abs=0.1), "b.json": pytest.approx(0.5, abs=0.1)}


def test_a_bad_file_is_tried_again_only_when_its_content_changes(command: Command) -> None:
    bad = command.folder / "calls" / "a.wav"
    bad.write_bytes(b"not audio at all")
    assert command.run("watch", "calls", *ONCE).status == 1
    assert command.run("watch", "calls", *ONCE).status == 0
    assert job_count(command) == 1
    write_wav(bad)
    assert command.run("watch", "calls", *ONCE).status == 0
    assert transcripts(command.folder / "calls") == {"a.json"}


def test_a_growing_file_waits_and_a_signal_ends_the_watch(command: Command) -> None:
    calls = command.folder / "calls"
    whole = write_wav(command.folder / "whole.wav", duration_sec=2).read_bytes()

    def grow() -> bool:
        with (calls / "growing.wav").open("ab") as file:
            file.write(whole[file.tell() :][:2000])
            is_whole = file.tell() == len(whole)
        assert is_whole or not (calls / "growing.json").exists()
        return is_whole

    with command.started("watch", "calls", *FOREVER) as process:
        write_wav(calls / "first.wav", seed=3)
        wait_until(lambda: (calls / "first.json").exists())
        wait_until(grow)
        wait_until(lambda: (calls / "growing.json").exists())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.wait() == 128 + signal.SIGTERM
    states = [state for (state,) in rows(command, "SELECT state FROM file")]
    assert states == ["FILE_SUCCEEDED"] * 2


def test_a_job_that_was_killed_is_resumed_first(command: Command) -> None:
    for number in range(MANY):
        write_wav(command.folder / "calls" / f"{number:03}.wav", duration_sec=0.3, seed=number)
    with command.pausing().started("watch", "calls", *FOREVER) as process:
        wait_until(lambda: len(transcripts(command.folder / "calls")) > 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(transcripts(command.folder / "calls")) < MANY
    result = command.run("watch", "calls", *ONCE)
    assert result.status == 0, result
    assert "Resuming job_" in result.err
    assert len(transcripts(command.folder / "calls")) == MANY
    assert job_count(command) == 1


def test_a_killed_job_is_resumed_although_its_engine_was_chosen_automatically(command: Command) -> None:
    """A job keeps the engine that was chosen for it; its command does not name one."""
    for number in range(8):
        write_wav(command.folder / "calls" / f"{number}.wav", seed=number, duration_sec=2.0)
    whole = ("--segmentation", "none")  # the built-in engine, which is the only one here
    with command.pausing(1).started("watch", "calls", "--every", "0.2", "--settle", "0", *whole) as process:
        wait_until(lambda: len(transcripts(command.folder / "calls")) > 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
    result = command.run("watch", "calls", "--once", "--settle", "0", *whole)
    assert result.status == 0, result
    assert "Resuming job_" in result.err
    assert len(transcripts(command.folder / "calls")) == 8


def test_after_a_killed_job_the_watch_continues_with_the_engine_of_its_command(command: Command) -> None:
    """The killed job keeps its engine; what arrives later gets the new one, without another start."""
    for number in range(MANY):
        write_wav(command.folder / "calls" / f"{number:03}.wav", duration_sec=0.3, seed=number)
    with command.pausing().started("watch", "calls", *FOREVER) as process:
        wait_until(lambda: len(transcripts(command.folder / "calls")) > 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    other = ("--engine", "pocketsphinx", "--segmentation", "none")
    with command.started("watch", "calls", "--every", "0.2", "--settle", "0", *other) as process:
        wait_until(lambda: len(transcripts(command.folder / "calls")) == MANY, within_sec=60)
        write_wav(command.folder / "calls" / "new.wav", seed=MANY)
        jobs = [("scripted", "SUCCEEDED"), ("pocketsphinx", "SUCCEEDED")]
        wait_until(lambda: rows(command, "SELECT engine, state FROM job ORDER BY number") == jobs, within_sec=60)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert (command.folder / "calls" / "new.json").exists()
    assert job_count(command) == 2


def test_recordings_whose_job_was_never_submitted_are_taken_again(command: Command) -> None:
    """The database is left as a kill between the two transactions leaves it."""
    recording = write_wav(command.folder / "calls" / "a.wav", seed=1)
    assert command.run("watch", "calls", *ONCE).status == 0
    for replaces in (0, 1):
        with sqlite3.connect(command.folder / DATA / "batchscribe.db") as database:
            database.execute("UPDATE watched SET is_done = 0, job_id = 'job_0', replaces = ?", [replaces])
        database.close()
        before = (command.folder / "calls" / "a.json").stat().st_mtime_ns
        assert command.run("watch", "calls", *ONCE).status == 0
        assert ((command.folder / "calls" / "a.json").stat().st_mtime_ns > before) is bool(replaces)
    assert recording.exists()
    assert job_count(command) == 3
    assert rows(command, "SELECT count(*) FROM watched WHERE is_done = 0") == [(0,)]


def keys_in(server: S3Server, bucket: str) -> set[str]:
    """List the keys without reading the objects: the storage probe is deleted while this looks."""
    return {found["Key"] for found in server.client().list_objects_v2(Bucket=bucket).get("Contents", [])}


def test_an_object_in_a_bucket_is_transcribed_once_and_an_outage_does_not_end_the_watch(
    tmp_path: Path, moto_s3: S3Server
) -> None:
    bucket = moto_s3.new_bucket()
    recording = write_wav(tmp_path / "a.wav").read_bytes()
    keys = {"AWS_ACCESS_KEY_ID": "key-of-mine", "AWS_SECRET_ACCESS_KEY": "secret-of-mine"}
    command = Command(tmp_path, keys)
    endpoint = ("--s3-endpoint", moto_s3.endpoint, "--s3-allow-http", "--s3-path-style")
    missing = f"s3://later-{bucket}/calls"
    with command.started("watch", missing, "--output", f"s3://{bucket}/out", *FOREVER, *endpoint) as process:
        wait_until(lambda: (tmp_path / DATA / "batchscribe.db").exists())
        moto_s3.client().create_bucket(Bucket=f"later-{bucket}")
        for key in ("calls/a.wav", "calls/copy.wav"):
            moto_s3.put(f"later-{bucket}", key, recording)
        wait_until(lambda: "out/a.json" in keys_in(moto_s3, bucket))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert command.run("watch", missing, "--output", f"s3://{bucket}/out", *ONCE, *endpoint).status == 0
    assert set(moto_s3.objects(bucket)) == {"out/a.json"}


def test_a_job_that_ended_just_before_its_watch_was_killed_is_finished_by_the_next(
    tmp_path: Path, moto_s3: S3Server
) -> None:
    """The database is left as a kill between the end of the job and the next transaction leaves it."""
    bucket = moto_s3.new_bucket(**{"calls/a.wav": write_wav(tmp_path / "a.wav").read_bytes()})
    command = Command(tmp_path, {"AWS_ACCESS_KEY_ID": "key-of-mine", "AWS_SECRET_ACCESS_KEY": "secret-of-mine"})
    endpoint = ("--s3-endpoint", moto_s3.endpoint, "--s3-allow-http", "--s3-path-style")
    words = ("watch", f"s3://{bucket}/calls", "--output", f"s3://{bucket}/out", *ONCE, *endpoint)
    assert command.run(*words).status == 0
    with sqlite3.connect(tmp_path / DATA / "batchscribe.db") as database:
        database.execute("UPDATE watched SET is_done = 0")
    database.close()
    again = command.run(*words)
    assert again.status == 0, again
    assert job_count(command) == 1
    assert rows(command, "SELECT count(*) FROM watched WHERE is_done = 0") == [(0,)]


@contextmanager
def s3_running(port: int = 0) -> Iterator[int]:
    """Run an S3 server in the block and yield its port. Its buckets are kept in this process when it stops."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()[1]
    finally:
        server.stop()


def test_a_server_that_stops_and_starts_again_interrupts_a_watch_only_meanwhile(
    tmp_path: Path, moto_s3: S3Server
) -> None:
    recordings = [write_wav(tmp_path / f"{number}.wav", seed=number).read_bytes() for number in range(2)]
    bucket = moto_s3.new_bucket(**{"calls/0.wav": recordings[0]})
    keys = {"AWS_ACCESS_KEY_ID": "key-of-mine", "AWS_SECRET_ACCESS_KEY": "secret-of-mine"}
    with ExitStack() as stack, s3_running() as port:
        endpoint = ("--s3-endpoint", f"http://127.0.0.1:{port}", "--s3-allow-http", "--s3-path-style")
        words = ("watch", f"s3://{bucket}/calls", "--output", f"s3://{bucket}/out", *FOREVER, *endpoint)
        process = stack.enter_context(Command(tmp_path, keys).started(*words))
        wait_until(lambda: "out/0.json" in keys_in(moto_s3, bucket))
        running = stack.pop_all()
    with running:  # the server has stopped
        assert process.stderr is not None
        warning = next(line for line in process.stderr if "The next attempt is in" in line)
        assert f"127.0.0.1:{port}" in warning
        moto_s3.put(bucket, "calls/1.wav", recordings[1])
        with s3_running(port):
            wait_until(lambda: "out/1.json" in keys_in(moto_s3, bucket), within_sec=60)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert job_count(Command(tmp_path)) == 2


def test_the_command_of_the_systemd_unit_works(command: Command) -> None:
    write_wav(command.folder / "calls" / "a.wav")
    line = re.search(r"^ExecStart=(.+)$", (ROOT / "docs" / "watch.md").read_text(), re.MULTILINE)
    assert line is not None
    program, *words = shlex.split(line[1])
    assert Path(program).name == "batchscribe"
    places = {"/srv/recordings": "calls", "/var/lib/batchscribe-watch": DATA}
    result = command.run(*(places.get(word, word) for word in words), *ONCE)
    assert result.status == 0, result
    assert transcripts(command.folder / "calls") == {"a.json"}


def test_a_single_file_is_refused(command: Command) -> None:
    write_wav(command.folder / "calls" / "a.wav")
    result = command.run("watch", "calls/a.wav", *ONCE)
    assert result.status == 2
    assert "Only a folder, a prefix or a glob can be watched" in result.err


def test_json_is_a_line_for_each_file_and_then_for_its_job(command: Command) -> None:
    write_wav(command.folder / "calls" / "a.wav")
    (command.folder / "calls" / "bad.wav").write_bytes(b"RIFF")
    result = command.run("watch", "calls", "--json", *ONCE)
    assert result.status == 1, result
    first, second, last = map(json.loads, result.out.splitlines())
    assert [(line["file"]["input_uri"].rsplit("/", 1)[1], line["file"]["state"]) for line in (first, second)] == [
        ("a.wav", "FILE_SUCCEEDED"),
        ("bad.wav", "FILE_FAILED"),
    ]
    assert (last["job"]["state"], last["job"]["summary"]["failed"]) == ("PARTIAL", 1)
