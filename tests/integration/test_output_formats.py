"""One job writes its transcripts in several formats, and recognizes its own transcripts in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.database.file_rows import OPEN_STATES
from batchscribe.database.tables import file, job, shard
from batchscribe.errors import StorageUnavailable
from batchscribe.intake.dry_run import dry_run
from batchscribe.jobs.model import File, Job
from batchscribe.stages.shard import work_shard
from batchscribe.stages.shard_context import ShardContext
from batchscribe.storage.local.file_store import FileStore
from batchscribe.wire.choices import FileState, JobState, OutputFormat, OutputLayout, SegmentationMode
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FlowRunner]:
    with running(tmp_path) as started:
        yield started


def config(*formats: str) -> Config:
    return Config(segmentation_mode=SegmentationMode.NONE, output_formats=tuple(map(OutputFormat, formats)))


def recording(runner: FlowRunner, name: str, duration_sec: float = 2.0) -> None:
    write_wav(runner.folder / "calls" / name, duration_sec=duration_sec)


def stored(runner: FlowRunner) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (runner.folder / "out").iterdir()}


def states(runner: FlowRunner, done: Job) -> dict[str, tuple[str, FileState]]:
    return {
        each.input_uri.rpartition("/")[2]: (each.output_uri.rpartition("/")[2], each.state)
        for each in runner.files(done)
    }


def overwriting(runner: FlowRunner) -> Output:
    return Output(uri=f"{(runner.folder / 'out').as_uri()}/", layout=OutputLayout.PREFIX, overwrite=True)


@pytest.mark.usefixtures("database")
def test_every_format_of_a_recording_is_written_and_its_file_names_them(runner: FlowRunner) -> None:
    recording(runner, "a.wav")
    done = runner.run(config=config("srt", "txt", "json", "vtt", "srt"))
    [answer] = [each.answer(done.state, done.config.formats).body() for each in runner.files(done)]
    assert [uri.rpartition("/")[2] for uri in answer["output_uris"]] == ["a.json", "a.srt", "a.txt", "a.vtt"]
    assert answer["output_uri"] == answer["output_uris"][0]
    assert set(stored(runner)) == {"a.json", "a.srt", "a.txt", "a.vtt"}
    assert stored(runner)["a.vtt"].startswith(b"WEBVTT")


def test_a_format_that_is_missing_is_added_and_the_others_stay_as_they_are(runner: FlowRunner) -> None:
    recording(runner, "a.wav")
    runner.run()
    before = (runner.folder / "out" / "a.json").stat().st_mtime_ns
    done = runner.run(config=config("json", "srt"))
    assert states(runner, done) == {"a.wav": ("a.json", FileState.SUCCEEDED)}
    assert set(stored(runner)) == {"a.json", "a.srt"}
    assert (runner.folder / "out" / "a.json").stat().st_mtime_ns == before
    again = runner.run(config=config("json", "srt"))
    assert states(runner, again) == {"a.wav": ("a.json", FileState.SKIPPED)}


def test_a_foreign_object_stays_and_the_file_has_a_warning(runner: FlowRunner) -> None:
    recording(runner, "a.wav")
    (runner.folder / "out").mkdir()
    (runner.folder / "out" / "a.srt").write_text("my own subtitles")
    done = runner.run(config=config("json", "srt"))
    [found] = runner.files(done)
    assert found.state is FileState.SUCCEEDED
    assert any("a.srt already exists and was not replaced" in warning for warning in found.warnings)
    assert stored(runner)["a.srt"] == b"my own subtitles"
    replaced = runner.run(config=config("json", "srt"), output=overwriting(runner))
    assert not any("not replaced" in warning for warning in runner.files(replaced)[0].warnings)
    assert stored(runner)["a.srt"] != b"my own subtitles"


@pytest.mark.parametrize("extension", ["srt", "txt", "vtt"])
def test_a_name_belongs_to_a_recording_also_in_formats_that_do_not_say_whose_they_are(
    runner: FlowRunner, extension: str
) -> None:
    recording(runner, "meeting.wav", 4)
    runner.run(config=config(extension))
    before = stored(runner)
    recording(runner, "meeting.mp3", 6)  # sorts before meeting.wav
    expected = {"meeting.mp3": f"meeting.mp3.{extension}", "meeting.wav": f"meeting.{extension}"}
    done = runner.run(config=config(extension))
    assert {name: output for name, (output, _) in states(runner, done).items()} == expected
    assert stored(runner)[f"meeting.{extension}"] == before[f"meeting.{extension}"]
    again = runner.run(config=config(extension), output=overwriting(runner))
    assert {name: output for name, (output, _) in states(runner, again).items()} == expected
    later = runner.run(config=config("json", extension), output=overwriting(runner))
    assert states(runner, later)["meeting.wav"][0] == "meeting.json"


def put_back(runner: FlowRunner, done: Job, **values: Any) -> File:
    """Reset the file of an ended job, as if its worker had died after writing the transcript."""
    [found] = runner.files(done)
    with runner.records.transaction() as connection:
        connection.execute(sa.update(file).where(file.c.job == done.number).values(state=OPEN_STATES[1], **values))
        connection.execute(sa.update(shard).where(shard.c.job == done.number).values(state="RUNNING"))
        connection.execute(sa.update(job).where(job.c.number == done.number).values(state=JobState.PROCESSING))
    return found


@pytest.mark.parametrize("formats", [("json",), ("srt",), ("txt", "vtt")])
def test_a_transcript_that_was_written_before_its_worker_died_is_kept_by_another_model(
    runner: FlowRunner, formats: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request ID depends on the model; the stored digests do not."""
    recording(runner, "a.wav")
    done = runner.run(config=config(*formats))
    before = stored(runner)
    put_back(runner, done)
    monkeypatch.setattr("batchscribe.stages.transcribe_file.request_id_of", lambda *_: "req_of_another_model")
    monkeypatch.delattr(FileStore, "write")  # nothing is rewritten
    work_again(runner, done)
    assert states(runner, done)["a.wav"][1] is FileState.SUCCEEDED
    assert stored(runner) == before


def test_a_transcript_whose_second_format_was_not_written_is_done_again(runner: FlowRunner) -> None:
    recording(runner, "a.wav")
    done = runner.run(config=config("txt", "vtt"))
    before = stored(runner)
    (runner.folder / "out" / "a.vtt").unlink()
    put_back(runner, done)
    work_again(runner, done)
    [found] = runner.files(done)
    assert (found.state, found.warnings) == (FileState.SUCCEEDED, ())
    assert stored(runner) == before


@pytest.mark.parametrize("name", ["srt", "txt"])
def test_a_transcript_whose_storage_did_not_confirm_the_write_is_recognized_by_the_retry(
    runner: FlowRunner, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording(runner, "a.wav")
    write = FileStore.write
    unconfirmed = iter([True])

    def write_and_lose_the_answer(store: FileStore, uri: str, data: bytes, **options: Any) -> None:
        write(store, uri, data, **options)
        if next(unconfirmed, False):
            raise StorageUnavailable("The storage did not answer.")

    monkeypatch.setattr(FileStore, "write", write_and_lose_the_answer)
    done = runner.run(config=config(name))
    assert states(runner, done) == {"a.wav": (f"a.{name}", FileState.SUCCEEDED)}


def work_again(runner: FlowRunner, done: Job) -> None:
    current = runner.job(done.job_id)
    with runner.worker._open_jobs.of(current) as context:  # noqa: SLF001 - the task itself is gone with the job
        work_shard(ShardContext(current, context, runner.records, runner.worker._slots, 3, 3), 1)  # noqa: SLF001


def test_the_name_of_a_single_transcript_says_its_format(runner: FlowRunner) -> None:
    recording(runner, "a.wav")
    output = Output(uri=(runner.folder / "out" / "b.vtt").as_uri(), layout=OutputLayout.SINGLE)
    done = runner.run(sources=(runner.file("calls/a.wav"),), output=output, config=replace_format(config("vtt"), "vtt"))
    assert states(runner, done) == {"a.wav": ("b.vtt", FileState.SUCCEEDED)}
    assert stored(runner)["b.vtt"].startswith(b"WEBVTT")


def replace_format(before: Config, name: str) -> Config:
    return before.model_copy(update={"output_formats": None, "output_format": OutputFormat(name)})


def test_a_dry_run_names_the_transcripts_in_their_format(runner: FlowRunner) -> None:
    recording(runner, "a.wav")
    settings = runner.settings.model_copy(update={"file_roots": (runner.folder,)})
    [(_, planned)] = dry_run(replace(runner.submission(config=config("srt"))), settings).planned
    assert planned.endswith("/out/a.srt")
