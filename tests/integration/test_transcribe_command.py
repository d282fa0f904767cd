"""`batchscribe transcribe`, run as a person runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from batchscribe.worker.capacity import FILES_PER_ENGINE
from tests.integration.command import DATA, QUICK, WORKERS, Command
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server

MANY = 40  #: files of a job that a pausing command leaves unfinished


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def recordings(folder: Path, count: int, *, duration_sec: float = 0.3) -> list[Path]:
    return [write_wav(folder / f"{number:03}.wav", duration_sec=duration_sec, seed=number) for number in range(count)]


def transcripts(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.json")}


# --- what is transcribed, and where to -------------------------------------------------------------------------


def test_a_folder_becomes_transcripts_in_the_same_folders(command: Command) -> None:
    for name in ("a.wav", "2026/b.wav", "2026/01/c.wav", "drafts/d.wav"):
        write_wav(command.folder / "calls" / name)
    result = command.transcribe("calls", "--output", "out", "--exclude", "drafts/**")
    assert result.status == 0, result
    assert transcripts(command.folder / "out") == {"a.json", "2026/b.json", "2026/01/c.json"}
    assert result.counters().items() >= {"state": "SUCCEEDED", "succeeded": "3", "transcripts": "out/"}.items()


def test_adjacent_transcripts_are_not_inputs_and_are_replaced_only_on_request(command: Command) -> None:
    recordings(command.folder / "calls", 2)
    (command.folder / "calls" / "000.json").write_text("mine")
    first = command.transcribe("calls")
    assert first.status == 0, first
    assert first.counters().items() >= {"files": "2", "succeeded": "1", "skipped": "1"}.items()
    assert "Skipped: calls/000.wav: OUTPUT_EXISTS: " in first.out
    assert transcripts(command.folder) == {"calls/000.json", "calls/001.json"}
    assert (command.folder / "calls" / "000.json").read_text() == "mine"

    again = command.transcribe("calls", "--overwrite")
    assert again.counters().items() >= {"files": "2", "succeeded": "2"}.items()
    assert "request_id" in (command.folder / "calls" / "000.json").read_text()


def test_files_globs_and_folders_make_one_job(command: Command) -> None:
    for name in ("one.wav", "two/a.wav", "two/deep/b.wav", "three/c.wav"):
        write_wav(command.folder / name)
    result = command.transcribe("one.wav", "two/*.wav", (command.folder / "three").as_uri(), "-o", "out")
    assert result.status == 0, result
    assert transcripts(command.folder / "out") == {"one.json", "a.json", "c.json"}


def test_the_options_reach_the_transcript(command: Command) -> None:
    write_wav(command.folder / "call.wav", channels=2)
    options = ("--words", "--channels", "--language", "en_gb")
    assert command.transcribe("call.wav", "--output", "new/call.json", *options).status == 0
    document = json.loads((command.folder / "new" / "call.json").read_text())
    segments = document["result"]["segments"]
    assert {segment["channel"] for segment in segments} == {0, 1}
    assert all(segment["words"] for segment in segments)
    assert document["metadata"]["config"]["language"] == "en-GB"
    assert document["metadata"]["engine"] == "scripted"


def test_prefixes_in_s3_are_read_and_written_with_the_keys_of_the_environment(
    tmp_path: Path, moto_s3: S3Server
) -> None:
    bucket = moto_s3.new_bucket()
    recording = write_wav(tmp_path / "a.wav").read_bytes()
    for key in ("calls/a.wav", "calls/deep/b.wav", "calls-2024/c.wav"):
        moto_s3.put(bucket, key, recording)
    keys = {"AWS_ACCESS_KEY_ID": "key-of-mine", "AWS_SECRET_ACCESS_KEY": "secret-of-mine"}
    command = Command(tmp_path, keys)
    endpoint = ("--s3-endpoint", moto_s3.endpoint, "--s3-allow-http", "--s3-path-style")
    result = command.transcribe(f"s3://{bucket}/calls", "--output", f"s3://{bucket}/out", *endpoint)
    assert result.status == 0, result
    listed = moto_s3.client().list_objects_v2(Bucket=bucket, Prefix="out/")["Contents"]
    assert {each["Key"] for each in listed} == {"out/a.json", "out/deep/b.json"}
    on_disk = b"".join(path.read_bytes() for path in (tmp_path / DATA).iterdir())
    assert b"secret-of-mine" not in on_disk
    assert secrets_on_record(tmp_path) == 0
    assert "secret-of-mine" not in result.out + result.err


def secrets_on_record(folder: Path) -> int:
    with sqlite3.connect(folder / DATA / "batchscribe.db") as database:
        (count,) = database.execute("SELECT count(*) FROM secret").fetchone()
    database.close()
    return int(count)


# --- exit status and messages ----------------------------------------------------------------------------------


def test_one_broken_file_is_status_1_and_its_neighbors_are_done(command: Command) -> None:
    recordings(command.folder / "calls", 2)
    (command.folder / "calls" / "broken[1].wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEfmt nothing")
    (command.folder / "calls" / "notes.txt").write_text("no recording")
    result = command.transcribe("calls", "-o", "out")
    assert result.status == 1
    assert re.search(r"^Failed: calls/broken\[1\]\.wav: [A-Z_]+: ", result.out, re.MULTILINE)
    assert re.search(r"^Skipped: calls/notes\.txt: UNSUPPORTED_MEDIA: ", result.out, re.MULTILINE)
    counters = {"files": "4", "succeeded": "2", "failed": "1", "skipped": "1", "state": "PARTIAL"}
    assert result.counters().items() >= counters.items()


def test_a_folder_without_recordings_that_pass_is_status_1(command: Command) -> None:
    write_wav(command.folder / "calls" / "a.wav")
    result = command.transcribe("calls", "--include", "*.mp3", "-o", "out")
    assert result.status == 1
    assert "NO_INPUT_FILES: No file was found" in result.out


def test_without_a_terminal_a_warning_and_progress_are_plain_lines_on_standard_error(command: Command) -> None:
    recordings(command.folder / "calls", 3)
    result = command.transcribe("calls", "-o", "out")
    assert "\x1b" not in result.out + result.err
    warning, *progress = result.err.splitlines()
    assert warning.startswith("Warning: The scripted engine invents its text")
    assert all(re.match("Finding files: |Transcribing: |Done: ", line) for line in progress)
    assert progress[-1].startswith("Done: 3 of 3 files · ")
    assert "Done" not in result.out


def test_at_a_terminal_there_is_a_bar_and_then_tables(command: Command) -> None:
    recordings(command.folder / "calls", 40)  # enough that the bar is drawn while they are transcribed
    (command.folder / "calls" / "empty.wav").touch()
    status, shown = command.at_terminal("transcribe", "calls", "-o", "out", *QUICK)
    assert status == 1, shown
    bar, _, tables = shown.partition("Failed (1)")
    assert "Transcribing" in bar
    assert "━" in bar
    assert re.search(r"│ calls/empty\.wav +│ EMPTY_RECORDING +│", tables)
    assert re.search(r"│ PARTIAL +│ 41 +│ 40 +│ 1 +│ 0 +│", tables)
    assert "transcripts: out/" in tables


def test_a_file_name_that_is_not_text_is_transcribed_and_shown(command: Command) -> None:
    (command.folder / "calls").mkdir()
    good, bad = (os.fsdecode(name) for name in (b"caf\xe9.wav", b"\xff\x1b[2J.wav"))
    (command.folder / "calls" / good).write_bytes(write_wav(command.folder / "a.wav").read_bytes())
    (command.folder / "calls" / bad).write_bytes(b"")
    result = command.transcribe("calls", "-o", "out")
    assert result.status == 1, result
    assert (command.folder / "out" / os.fsdecode(b"caf\xe9.json")).is_file()
    assert "Failed: calls/\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2J.wav: EMPTY_RECORDING" in result.out


# --- interruptions ---------------------------------------------------------------------------------------------


def some_are_done(folder: Path) -> Callable[[], bool]:
    return lambda: folder.is_dir() and any(folder.iterdir())


def test_after_ctrl_c_the_same_command_resumes(command: Command) -> None:
    recordings(command.folder / "calls", MANY)
    out = command.folder / "out"
    words = ("transcribe", "calls", "-o", "out", *QUICK)
    first = command.pausing().signaled(signal.SIGINT, *words, when=some_are_done(out))
    assert first.status == 130, first
    told = re.search(r"Interrupted: (\d+) of (?:at least )?\d+ files are done", first.err)
    assert told, first
    assert f"batchscribe jobs resume {first.job_id} --data-dir {command.folder / DATA}" in first.err
    assert "Traceback" not in first.err
    written = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert int(told[1]) <= len(written) < MANY

    second = command.run(*words)
    assert second.status == 0, second
    assert f"Resuming {first.job_id}: " in second.err
    assert second.counters().items() >= {"files": str(MANY), "succeeded": str(MANY), "skipped": "0"}.items()
    assert len(transcripts(out)) == MANY
    assert all(path.stat().st_mtime_ns == moment for path, moment in written.items())


def test_after_a_kill_the_same_command_loses_nothing_and_writes_nothing_twice(command: Command) -> None:
    recordings(command.folder / "calls", MANY)
    out = command.folder / "out"
    words = ("transcribe", "calls", "-o", "out", *QUICK)
    killed = command.pausing().signaled(signal.SIGKILL, *words, when=some_are_done(out))
    assert killed.status == -signal.SIGKILL
    written = {path: path.stat().st_mtime_ns for path in out.glob("*.json")}
    done_before = len(written)
    assert done_before < MANY

    again = command.run(*words)
    assert again.status == 0, again
    assert again.counters().items() >= {"succeeded": str(MANY), "skipped": "0"}.items()
    assert len(transcripts(out)) == MANY
    assert all(path.stat().st_mtime_ns == moment for path, moment in written.items())
    going_on = re.search(r"Resuming job_\w+: (\d+) of (?:at least )?\d+ files are done", again.err)
    assert going_on, again
    assert int(going_on[1]) >= done_before - WORKERS * FILES_PER_ENGINE


# --- what would be transcribed ---------------------------------------------------------------------------------


def test_a_dry_run_shows_the_transcripts_and_writes_nothing(command: Command) -> None:
    recordings(command.folder / "calls", 2)
    (command.folder / "calls" / "notes.txt").write_text("no recording")
    dry = command.transcribe("calls", "--output", "out", "--dry-run")
    assert (dry.status, dry.err) == (0, ""), dry
    assert dry.out.startswith("calls/000.wav -> out/000.json\ncalls/001.wav -> out/001.json\n")
    assert dry.counters().items() >= {"matched": "2", "skipped": "1", "excluded": "0"}.items()
    assert [path.name for path in command.folder.iterdir()] == ["calls"]

    assert command.transcribe("calls", "--output", "out").status == 0
    assert transcripts(command.folder) == {"out/000.json", "out/001.json"}


def test_a_dry_run_counts_the_transcripts_that_exist(command: Command) -> None:
    recordings(command.folder / "calls", 3)
    (command.folder / "calls" / "000.json").write_text("mine")
    warning = "Warning: Transcripts that already exist: 1. Their files would be skipped; allow overwriting"
    assert warning in command.transcribe("calls", "--dry-run").out
    assert "Warning" not in command.transcribe("calls", "--dry-run", "--overwrite").out


def test_a_dry_run_reports_mistakes_like_the_command_itself(command: Command) -> None:
    write_wav(command.folder / "a.wav")
    mistakes = {
        "--layout single --output out/": "With --layout single, --output names the transcript, not a folder.",
        "--speakers auto": "The speaker models, which diarization needs, are not installed; get them with",
        "--language tlh": "tlh",
    }
    for options, message in mistakes.items():
        for more in (["--dry-run"], []):
            result = command.run("transcribe", "a.wav", *options.split(), *more)
            assert (result.status, result.out) == (2, ""), result
            assert message in result.err


def test_json_of_a_dry_run_is_that_of_a_server(command: Command) -> None:
    write_wav(command.folder / "a.wav")
    body = command.transcribe("a.wav", "--output", "out/", "--dry-run", "--json").json()
    assert body["dry_run"] is True
    assert body["planned"] == [
        {"input_uri": (command.folder / "a.wav").as_uri(), "output_uri": (command.folder / "out/a.json").as_uri()}
    ]


def test_json_of_a_job_is_its_answer_and_nothing_else_is_on_standard_output(command: Command) -> None:
    write_wav(command.folder / "a.wav")
    body = command.transcribe("a.wav", "--json").json()
    assert (body["state"], body["summary"]["succeeded"]) == ("SUCCEEDED", 1)
