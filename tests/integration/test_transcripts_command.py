"""`batchscribe transcripts`, run as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.command import DATA, Command, Result
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def transcribed(command: Command, *options: str, recordings: int = 1) -> Result:
    for number in range(recordings):
        write_wav(command.folder / "calls" / f"{number}.wav", seed=number)
    result = command.transcribe("calls", "--output", "out", *options)
    assert result.status == 0, result
    return result


def test_a_transcript_is_shown_by_its_path(command: Command) -> None:
    transcribed(command)
    shown = command.run("transcripts", "show", "out/0.json")
    assert (shown.status, shown.err) == (0, ""), shown
    head, _, paragraphs = shown.out.partition("\n\n")
    assert head.startswith("calls/0.wav (")
    assert "Warning: The scripted engine invents its text" in head
    stored = json.loads((command.folder / "out" / "0.json").read_text())
    assert " ".join(line.partition("  ")[2] for line in paragraphs.splitlines()) == stored["result"]["text_display"]


def test_json_is_the_stored_document(command: Command) -> None:
    transcribed(command)
    shown = command.run("transcripts", "show", "out/0.json", "--json")
    assert shown.json() == json.loads((command.folder / "out" / "0.json").read_text())


def test_a_transcript_is_shown_by_its_job(command: Command) -> None:
    job_id = transcribed(command).job_id
    by_path = command.run("transcripts", "show", "out/0.json")
    assert command.run("transcripts", "show", job_id) == by_path


def test_of_a_job_with_several_files_one_is_named(command: Command) -> None:
    job_id = transcribed(command, recordings=2).job_id
    unnamed = command.run("transcripts", "show", job_id)
    assert unnamed.status == 2
    assert f"Error: {job_id} has several files; name one: `batchscribe jobs files {job_id}`" in unnamed.err
    files = command.run("jobs", "files", job_id, "--json").json()["files"]
    named = command.run("transcripts", "show", job_id, files[1]["file_id"])
    assert named.out.startswith("calls/1.wav (")
    unknown = command.run("transcripts", "show", job_id, "f_9")
    assert (unknown.status, "has no file 'f_9'" in unknown.err) == (2, True)


def test_of_several_formats_the_json_is_shown(command: Command) -> None:
    job_id = transcribed(command, "--format", "srt", "--format", "json").job_id
    assert command.run("transcripts", "show", job_id).out.startswith("calls/0.wav (")


def test_a_file_without_a_transcript_says_why(command: Command) -> None:
    (command.folder / "calls").mkdir()
    (command.folder / "calls" / "a.wav").write_bytes(b"RIFF")
    job_id = command.transcribe("calls", "--output", "out").job_id
    shown = command.run("transcripts", "show", job_id)
    assert shown.status == 2
    assert f"of {job_id} has no transcript; it is FILE_FAILED (" in shown.err


def test_a_file_whose_transcript_was_there_already_names_it(command: Command) -> None:
    transcribed(command)
    job_id = transcribed(command).job_id
    shown = command.run("transcripts", "show", job_id)
    assert shown.status == 2
    assert "has no transcript; it is FILE_SKIPPED (OUTPUT_EXISTS: " in shown.err
    assert "out/0.json already exists" in shown.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.json", "There is no transcript none.json."),
        ("none.json/a.json", "There is no transcript none.json/a.json."),
        ("calls", "calls is a folder; name one transcript in it."),
        ("calls/0.wav", "calls/0.wav seems to be a recording; name its transcript, which usually ends in .json."),
        ("other.json", "other.json is not a JSON transcript of batchscribe."),
        ("a.srt", "a.srt is not JSON; this command shows JSON transcripts. Other formats need no command."),
        ("ftp://h/a.json", "ftp://h/a.json: transcripts are read from paths and file://, s3://, gs:// and az:// URIs."),
        ("", "An empty name was given; name a file, a folder or a URI."),
    ],
)  # fmt: skip
def test_what_is_no_transcript_is_explained(command: Command, name: str, message: str) -> None:
    write_wav(command.folder / "calls" / "0.wav")
    (command.folder / "other.json").write_text('{"a": 1}')
    (command.folder / "a.srt").touch()
    shown = command.run("transcripts", "show", name)
    assert (shown.status, shown.out, shown.err) == (2, "", f"Error: {message}\n")
    assert not (command.folder / DATA).exists()


def test_a_transcript_in_a_bucket_is_read_with_the_credentials_of_the_environment(
    tmp_path: Path, moto_s3: S3Server
) -> None:
    transcribed(Command(tmp_path))
    bucket = moto_s3.new_bucket(**{"a b.json": (tmp_path / "out" / "0.json").read_bytes()})
    command = Command(
        tmp_path,
        {
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "BATCHSCRIBE_S3_ENDPOINT": moto_s3.endpoint,
            "BATCHSCRIBE_S3_ALLOW_HTTP": "true",
            "BATCHSCRIBE_S3_PATH_STYLE": "true",
        },
    )
    shown = command.run("transcripts", "show", f"s3://{bucket}/a b.json")
    assert shown == command.run("transcripts", "show", "out/0.json")
    missing = command.run("transcripts", "show", f"s3://{bucket}/none.json")
    assert (missing.status, missing.err) == (2, f"Error: There is no transcript s3://{bucket}/none.json.\n")
