"""One recording becomes one transcript, with the engines' text and the warnings for its reader."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool
from batchscribe.intake.planned_names import PlannedNames
from batchscribe.jobs.model import File
from batchscribe.settings import load_settings
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.speech.engine import LanguageChoice, RecognitionRequest
from batchscribe.speech.registry import Choice
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.stages.existing_output import look
from batchscribe.stages.job_context import FilesInHand, JobContext, JobWatch
from batchscribe.stages.naming import Naming
from batchscribe.stages.slots import Slots
from batchscribe.stages.transcribe_file import transcribe_file
from batchscribe.storage.memory import MemoryStore
from batchscribe.transcript.profanity import ProfanityFilter, load_filter
from batchscribe.window import SAMPLE_RATE, Flag, Phrase, Recognition
from batchscribe.wire.choices import FileState, OutputLayout
from batchscribe.wire.config import Config
from batchscribe.worker.machine_health import MachineHealth
from tests.audio_files import encoded, noise, samples_of, tone, wav
from tests.jobs_on_record import NoCheckpoints, a_job, keys_of_nobody

FILE = File(job_number=1, seq=1, shard=1, input_uri="memory://a.wav", output_uri="memory://a.json")
SPEC = ScriptedSpec(languages=("en", "de"), detects_languages=True, window_sec=30.0)


@pytest.fixture(scope="module")
def decoder() -> Iterator[DecoderPool]:
    with DecoderPool(1, DecodeLimits()) as pool:
        yield pool


class Pool:
    """A pool that returns these answers, one for each window, and no text for later windows."""

    has_enough = False

    def __init__(self, answers: Sequence[Recognition] = ()) -> None:
        self.requests: list[RecognitionRequest] = []
        self._answers = answers

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        future: Future[Recognition] = Future()
        number = len(self.requests)
        future.set_result(self._answers[number] if number < len(self._answers) else Recognition())
        self.requests.append(request)
        return future

    def try_out(self) -> None:
        """Always succeed."""

    def close(self) -> None:
        """Do nothing."""


def transcribed(
    decoder: DecoderPool,
    content: bytes,
    pool: Pool,
    *,
    spec: ScriptedSpec = SPEC,
    warnings: tuple[str, ...] = (),
    profanity: ProfanityFilter | None = None,
    **config: Any,
) -> tuple[Any, tuple[str, ...]]:
    """Return the transcript, and the warnings of the file's row."""
    output = MemoryStore()
    context = JobContext(
        input=MemoryStore({FILE.input_uri: content}),
        output=output,
        decoder=decoder,
        decoding=Slots(1),
        diarizing=Slots(1),
        speech=pool,
        speakers=SpeakerPool(load_settings(), threads=1, most_idle=0),
        choice=Choice(spec, "en-US", warnings),
        watch=JobWatch(lambda _: True),
        in_hand=FilesInHand(),
        naming=Naming(OutputLayout.PREFIX, partial(look, store=output), PlannedNames([FILE], lambda _: False)),
        health=MachineHealth(lambda _part: None),
        keys=keys_of_nobody(),
        checkpoints=NoCheckpoints(),
        profanity=profanity,
    )
    outcome = transcribe_file(FILE, a_job(number=1, config=Config(**config)), context, lambda *_: None)
    assert outcome.state is FileState.SUCCEEDED, outcome
    with output.open(FILE.output_uri) as written:
        return json.loads(written.read(0, written.size)), outcome.warnings


def test_doubts_of_the_engine_reach_the_segments_the_warnings_and_the_files_row(decoder: DecoderPool) -> None:
    doubtful = Recognition(
        (Phrase("Yes.", 0.0, 1.0), Phrase("Perhaps.", 1.5, 2.0, flags=(Flag.LOW_CONFIDENCE,))), left_out=((2.5, 4.0),)
    )
    document, told = transcribed(decoder, wav(noise(5.0)), Pool([doubtful]), segmentation_mode="none")
    segments = document["result"]["segments"]
    assert [(segment["text"], segment.get("flags")) for segment in segments] == [
        ("Yes.", None),
        ("Perhaps.", ["low_confidence"]),
    ]
    assert document["result"]["text_display"] == "Yes. Perhaps."
    assert document["metadata"]["warnings"] == list(told)
    assert told == (
        "Text is doubtful in 1 place, at 1.5 s: low_confidence. The segments there carry these flags.",
        "Text that the engine invented was removed in 1 place, at 2.5 s.",
    )


def test_warnings_of_the_engine_the_recording_and_the_text_come_in_this_order(decoder: DecoderPool) -> None:
    """Warnings of the engine belong to the job: a file's row does not repeat them."""
    content = encoded(tone(4.0, 500), codec="aac", container="mp4", tracks=2)
    german = Recognition((Phrase("Ja.", 0.0, 4.0, flags=(Flag.LOW_SPEECH,)),), detected=(("de", 0.98), ("en", 0.01)))
    document, told = transcribed(
        decoder, content, Pool([german]), warnings=("The engine is a toy.",), segmentation_mode="none"
    )
    assert [warning.partition(" ")[0] for warning in told] == ["Audio", "The", "Text"]
    assert document["metadata"]["warnings"] == ["The engine is a toy.", *told]
    assert told[1] == (
        "The recording is in de, but en-US was requested: the text is wrong or a translation. "
        "Transcribe it with language de, or with language detection."
    )


def test_a_language_that_this_worker_cannot_mask_is_a_warning(decoder: DecoderPool) -> None:
    """The server accepted `el` because its own profanity file has words for it."""
    said = Pool([Recognition((Phrase("oh shit", 0.0, 2.0),))])
    options: dict[str, Any] = {"profanity_filter": True, "segmentation_mode": "none"}
    greek, told = transcribed(decoder, wav(noise(3.0)), said, profanity=load_filter(None), language="el-GR", **options)
    assert greek["result"]["text_display"] == "oh shit"
    assert told == ("Profanity was not masked in el, for which the filter has no words.",)
    said = Pool([Recognition((Phrase("oh shit", 0.0, 2.0),))])
    english, told = transcribed(decoder, wav(noise(3.0)), said, profanity=load_filter(None), **options)
    assert (english["result"]["text_display"], told) == ("oh s***", ())


def test_an_engine_gets_windows_as_long_as_it_wants_them_and_knows_where_in_them_the_speech_is(
    decoder: DecoderPool, examples: Path
) -> None:
    content = (examples / "library-call.mp3").read_bytes()
    filled, single = Pool(), Pool()
    transcribed(decoder, content, filled)
    transcribed(decoder, content, single, spec=replace(SPEC, window_sec=0.0))
    assert len(filled.requests) < len(single.requests)
    assert all(request.window.duration_sec <= SPEC.window_sec for request in filled.requests)
    assert [len(request.window.speech or ()) for request in single.requests] == [1] * len(single.requests)
    assert sum(len(request.window.speech or ()) for request in filled.requests) == len(single.requests)


@pytest.mark.parametrize(("mode", "windows"), [("once", 1), ("continuous", 2)])
def test_where_the_language_may_change_a_pause_ends_a_window(
    mode: str, windows: int, decoder: DecoderPool, examples: Path
) -> None:
    speech = samples_of(examples / "weather.wav")[: 5 * SAMPLE_RATE]
    pause = np.zeros(2 * SAMPLE_RATE)
    content = wav(np.int16(32767 * np.concatenate([speech, pause, speech])).reshape(-1, 1))
    pool = Pool([Recognition((Phrase("Yes.", 0.0, 1.0),), language="en", detected=(("en", 1.0),))] * windows)
    transcribed(decoder, content, pool, language_detection={"mode": mode})
    assert len(pool.requests) == windows


def test_the_language_may_change_per_window_and_is_reported_with_its_seconds(decoder: DecoderPool) -> None:
    """A minute of noise without segmentation has three windows, the first two of a little under 30 s."""
    answers = [
        Recognition((Phrase(text, 0.0, 1.0),), language=language, detected=((language, 0.9),))
        for text, language in (("Hello.", "en"), ("Ja.", "de"), ("Nein.", "de"))
    ]
    pool = Pool(answers)
    document, told = transcribed(
        decoder, wav(noise(65.0)), pool, segmentation_mode="none", language_detection={"mode": "continuous"}
    )
    assert {request.detection for request in pool.requests} == {LanguageChoice.CHOOSE}
    segments = document["result"]["segments"]
    assert [(segment["text"], segment["language"]) for segment in segments] == [
        ("Hello.", "en"),
        ("Ja.", "de"),
        ("Nein.", "de"),
    ]
    metadata = document["metadata"]
    assert metadata["language"] == "de"
    assert list(metadata["languages"]) == ["de", "en"]
    assert sum(metadata["languages"].values()) == pytest.approx(65.0, abs=0.2)
    assert told == ()
