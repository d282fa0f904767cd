"""Jobs with diarization: the real speaker models, beside an engine, from the recording to the transcript."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import psutil
import pytest

from batchscribe.jobs.model import Job
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.speakers.speaker_process import SPEAKERS, SpeakerProcess
from batchscribe.stages.finish import cancel_job
from batchscribe.wire.choices import JobState
from batchscribe.wire.config import Config
from batchscribe.worker import worker
from tests.audio_files import encoded, samples_of, wav
from tests.integration.command import has_ended, wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.integration.pausing_pool import pausing_after
from tests.integration.test_checkpoints import wait_for_part

CALL = "library-call.mp3"  #: two voices take turns, four times each
DIARIZED = Config(diarization=True, word_time_offsets=True)
FIRST = 20  #: windows of 5 s, which the engines recognize before they pause; a part is stored after 60 s


@pytest.fixture
def folder(tmp_path: Path, speaker_models: Path) -> Path:
    """The folder of a job, with the speaker models in its data directory."""
    (tmp_path / "calls").mkdir()
    (tmp_path / "data" / "models").mkdir(parents=True)
    (tmp_path / "data" / "models" / speaker_models.name).symlink_to(speaker_models)
    return tmp_path


@pytest.fixture
def runner(folder: Path) -> Iterator[FlowRunner]:
    with running(folder) as opened:
        yield opened


def add_call(folder: Path, examples: Path) -> None:
    (folder / "calls" / CALL).write_bytes((examples / CALL).read_bytes())


def long_call(examples: Path, times: int) -> bytes:
    """The call several times in a row, mixed."""
    return wav((np.tile(samples_of(examples / CALL), times) * 32_000).astype(np.int16)[:, np.newaxis])


def document(runner: FlowRunner, job: Job) -> dict[str, Any]:
    assert job.state is JobState.SUCCEEDED, [(file.error_code, file.error_message) for file in runner.files(job)]
    [found] = runner.outputs().values()
    assert isinstance(found, dict)
    return found


def speakers_in_turn(found: dict[str, Any]) -> list[str]:
    return [speaker for speaker, _ in groupby(segment["speaker"] for segment in found["result"]["segments"])]


def speaker_processes() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name() == SPEAKERS:
                found.append(process)
    return found


def test_a_call_in_one_channel_reads_as_a_conversation(runner: FlowRunner, folder: Path, examples: Path) -> None:
    add_call(folder, examples)
    found = document(runner, runner.run(config=DIARIZED))
    assert speakers_in_turn(found) == ["Speaker 1", "Speaker 2"] * 4
    for segment in found["result"]["segments"]:
        assert {word["speaker"] for word in segment["words"]} == {segment["speaker"]}
    speakers = found["metadata"]["speakers"]
    assert speakers["count"] == 2
    assert all(13.0 < sec < 18.0 for sec in speakers["seconds"].values())


def test_the_same_recording_gives_the_same_bytes(runner: FlowRunner, folder: Path, examples: Path) -> None:
    add_call(folder, examples)
    document(runner, runner.run(config=DIARIZED))
    path = folder / "out" / "library-call.json"
    before = path.read_bytes()
    path.unlink()
    document(runner, runner.run(config=DIARIZED))
    assert path.read_bytes() == before


def test_the_number_of_speakers_is_that_of_the_request(runner: FlowRunner, folder: Path, examples: Path) -> None:
    add_call(folder, examples)
    found = document(runner, runner.run(config=Config(diarization=True, num_speakers=1)))
    assert speakers_in_turn(found) == ["Speaker 1"]
    assert found["metadata"]["speakers"]["count"] == 1


def test_without_diarization_no_process_is_used(
    runner: FlowRunner, folder: Path, examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the one that the trial of the machine has left."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("The recording is diarized.")

    monkeypatch.setattr(SpeakerPool, "diarize", refuse)
    add_call(folder, examples)
    found = document(runner, runner.run(config=Config()))
    assert "speakers" not in found["metadata"]
    assert all("speaker" not in segment for segment in found["result"]["segments"])


def test_only_a_few_recordings_are_diarized_at_once(
    folder: Path, examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait without a speaker process, although they are in progress."""
    monkeypatch.setattr(worker, "speaker_processes", lambda: 1)
    for number in range(4):
        (folder / "calls" / f"{number}.mp3").write_bytes((examples / CALL).read_bytes())
    open_now, most = [0], [0]
    diarize = SpeakerPool.diarize

    @contextmanager
    def counted(pool: SpeakerPool, *arguments: Any) -> Iterator[SpeakerProcess]:
        open_now[0] += 1
        most[0] = max(most[0], open_now[0])
        try:
            with diarize(pool, *arguments) as process:
                yield process
        finally:
            open_now[0] -= 1

    monkeypatch.setattr(SpeakerPool, "diarize", counted)
    with running(folder) as runner:
        assert runner.run(config=DIARIZED).summary.succeeded == 4
    assert most == [1]


def test_the_speakers_are_those_of_the_track_with_speech(runner: FlowRunner, folder: Path, examples: Path) -> None:
    call = (samples_of(examples / CALL) * 32_000).astype(np.int16)[:, np.newaxis]
    silence = np.zeros((len(call), 1), dtype=np.int16)
    (folder / "calls" / "call.mp4").write_bytes(encoded([silence, call], codec="aac", container="mp4", tracks=2))
    found = document(runner, runner.run(config=DIARIZED))
    assert speakers_in_turn(found) == ["Speaker 1", "Speaker 2"] * 4


def test_a_recording_without_speech_has_no_speakers(runner: FlowRunner, folder: Path) -> None:
    (folder / "calls" / "silence.wav").write_bytes(wav(np.zeros((160_000, 1), dtype=np.int16)))
    found = document(runner, runner.run(config=DIARIZED))
    assert found["result"]["segments"] == []
    assert found["metadata"]["speakers"] == {"count": 0, "seconds": {}}


def test_after_an_interruption_the_speakers_are_the_same(folder: Path, examples: Path) -> None:
    (folder / "calls" / "long.wav").write_bytes(long_call(examples, 6))
    with running(folder) as runner:
        document(runner, runner.run(config=DIARIZED))
    path = folder / "out" / "long.json"
    before = path.read_bytes()
    path.unlink()
    with running(folder, make_pool=pausing_after(FIRST)) as runner:
        job = runner.submit(config=DIARIZED)
        wait_for_part(runner)
    assert not path.exists()
    with running(folder) as runner:
        document(runner, runner.wait(job))
    assert path.read_bytes() == before


def test_a_process_that_dies_is_replaced_once(
    runner: FlowRunner, folder: Path, examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, is_first = SpeakerProcess.feed, iter([True])

    def feed_and_die(process: SpeakerProcess, samples: Any) -> None:
        if next(is_first, False):
            process.kill()
        feed(process, samples)

    monkeypatch.setattr(SpeakerProcess, "feed", feed_and_die)
    add_call(folder, examples)
    found = document(runner, runner.run(config=DIARIZED))
    assert speakers_in_turn(found) == ["Speaker 1", "Speaker 2"] * 4


def test_a_canceled_job_ends_its_process(folder: Path, examples: Path) -> None:
    """The job cannot end by itself, because the engines pause."""
    (folder / "calls" / "long.wav").write_bytes(long_call(examples, 30))
    with running(folder, make_pool=pausing_after(FIRST)) as runner:
        job = runner.submit(config=DIARIZED)
        wait_for_part(runner)
        [busy] = speaker_processes()
        used_sec = busy.cpu_times().user
        wait_until(lambda: busy.cpu_times().user > used_sec)
        assert cancel_job(runner.job(job.job_id), runner.records)
        wait_until(lambda: has_ended(busy))
