"""The stored bytes of a transcript."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from batchscribe import __version__
from batchscribe.transcript.as_json import render_json
from batchscribe.transcript.document import Metadata, RecognizedWindow, Transcript, assemble
from batchscribe.window import Flag, Phrase, Recognition, Word
from batchscribe.wire.config import Config


def recognized(
    text: str, start_sec: float, duration_sec: float = 1.0, *words: Word, channel: int = 0, language: str | None = None
) -> RecognizedWindow:
    recognition = replace(Recognition.of(text, words, duration_sec), language=language)
    return RecognizedWindow(channel, start_sec, duration_sec, recognition)


SPOKEN = (
    recognized("Hello, world.", 0.25, 1.5, Word("Hello,", 0.0, 0.5), Word("world.", 0.6, 1.2)),
    recognized("It's me.", 2.0, 1.0, Word("It's", 0.1, 0.3), Word("me.", 0.3, 0.7), language="en"),
)
METADATA = Metadata(
    engine="scripted",
    revision="r1",
    input_uri="s3://in/a.wav",
    input_etag='"e1"',
    input_size_bytes=7,
    warnings=("Cut off.",),
)


def transcript(
    config: Config | None = None,
    *,
    spoken: tuple[RecognizedWindow, ...] = SPOKEN,
    channels: int = 1,
    metadata: Metadata = METADATA,
) -> Transcript:
    return assemble(
        spoken,
        duration_sec=27.400000001,
        channels=channels,
        model="scripted-1",
        request_id="req_1",
        config=config or Config(),
        metadata=metadata,
    )


def written(config: Config | None = None, **changes: Any) -> dict[str, Any]:
    document = json.loads(render_json(transcript(config, **changes)))
    assert isinstance(document, dict)
    return document


def test_a_transcript_is_the_document_of_the_contract() -> None:
    assert written() == {
        "request_id": "req_1",
        "duration_sec": 27.4,
        "model": "scripted-1",
        "result": {
            "text_display": "Hello, world. It's me.",
            "text_lexical": "hello world it's me",
            "segments": [
                {"id": "seg_0001", "start": 0.25, "end": 1.45, "text": "Hello, world."},
                {"id": "seg_0002", "start": 2.1, "end": 2.7, "text": "It's me.", "language": "en"},
            ],
        },
        "metadata": {
            "engine": "scripted",
            "model": "scripted-1",
            "revision": "r1",
            "config": Config().echo(),
            "input": {"uri": "s3://in/a.wav", "etag": '"e1"', "size_bytes": 7},
            "batchscribe_version": __version__,
            "warnings": ["Cut off."],
        },
    }


def test_words_are_written_on_request() -> None:
    segment = written(Config(word_time_offsets=True))["result"]["segments"][1]
    assert segment["words"] == [
        {"word": "It's", "start": 2.1, "end": 2.3},
        {"word": "me.", "start": 2.3, "end": 2.7},
    ]


@pytest.mark.parametrize("times", [True, False])
def test_words_have_their_confidence_on_request_where_the_engine_gives_one(times: bool) -> None:
    spoken = (recognized("Well yes.", 1.0, 1.0, Word("Well", 0.1, 0.3, 0.12345), Word("yes.", 0.3, 0.7)),)
    config = Config(word_time_offsets=times, word_confidence=True)
    well, yes = written(config, spoken=spoken)["result"]["segments"][0]["words"]
    assert well == {"word": "Well", **({"start": 1.1, "end": 1.3} if times else {}), "confidence": 0.123}
    assert yes == {"word": "yes.", **({"start": 1.3, "end": 1.7} if times else {})}


def test_no_confidence_is_above_one() -> None:
    spoken = (recognized("Yes.", 1.0, 1.0, Word("Yes.", 0.3, 0.7, 1.0000001)),)
    (segment,) = written(Config(word_confidence=True), spoken=spoken)["result"]["segments"]
    assert segment["words"] == [{"word": "Yes.", "confidence": 1.0}]


def test_without_timestamps_there_are_no_segments_but_all_of_the_text() -> None:
    result = written(Config(timestamps=False))["result"]
    assert result == {"text_display": "Hello, world. It's me.", "text_lexical": "hello world it's me"}


@pytest.mark.parametrize(
    ("channels", "speakers"), [(1, [None, None]), (2, ["Speaker 1L", "Speaker 1R"]), (6, [None, None])]
)
def test_separate_channels_are_numbered_and_the_sides_of_a_call_named(
    channels: int, speakers: list[str | None]
) -> None:
    last = min(channels - 1, 1)
    spoken = (recognized("left", 0.0), recognized("right", 1.0, channel=last))
    segments = written(Config(channel_separation=True), spoken=spoken, channels=channels)["result"]["segments"]
    assert [segment["channel"] for segment in segments] == [0, last]
    assert [segment.get("speaker") for segment in segments] == speakers


def test_mixed_channels_have_neither_number_nor_speaker() -> None:
    segments = written(channels=2)["result"]["segments"]
    assert all("channel" not in segment and "speaker" not in segment for segment in segments)


def test_silence_is_an_empty_transcript() -> None:
    result = written(spoken=())["result"]
    assert result == {"text_display": "", "text_lexical": "", "segments": []}


def test_what_is_not_known_of_the_input_is_left_out() -> None:
    metadata = written(metadata=Metadata("scripted", None, "s3://in/a.wav", None, 7))["metadata"]
    assert "revision" not in metadata
    assert metadata["input"] == {"uri": "s3://in/a.wav", "size_bytes": 7}


def test_a_doubtful_segment_says_why() -> None:
    phrases = (
        Phrase("Sure.", 0.0, 0.5),
        Phrase("Perhaps.", 0.5, 1.0, flags=(Flag.LOW_CONFIDENCE, Flag.NO_SPEECH)),
    )
    segments = written(spoken=(RecognizedWindow(0, 0.0, 1.0, Recognition(phrases)),))["result"]["segments"]
    assert [segment.get("flags") for segment in segments] == [None, ["low_confidence", "no_speech"]]


def test_detected_languages_have_their_seconds_of_speech_most_spoken_first() -> None:
    languages = {"fr": 3.0, "en": 61.23, "de": 3.0}
    metadata = written(metadata=replace(METADATA, languages=languages))["metadata"]
    assert metadata["language"] == "en"
    assert list(metadata["languages"].items()) == [("en", 61.2), ("de", 3.0), ("fr", 3.0)]


def test_without_detection_no_language_is_reported() -> None:
    assert not {"language", "languages"} & written()["metadata"].keys()


def test_the_same_recognitions_give_the_same_bytes_in_any_order() -> None:
    assert render_json(transcript()) == render_json(transcript(spoken=SPOKEN[::-1]))


def test_text_is_readable_utf_8_that_ends_in_a_newline() -> None:
    text = 'Ü "quoted"\\ 世界'
    data = render_json(transcript(spoken=(recognized(text, 0.0),)))
    assert "世界".encode() in data
    assert data.endswith(b"\n")
    assert json.loads(data)["result"]["segments"][0]["text"] == text


def test_a_long_transcript_is_rendered_without_building_it_as_objects() -> None:
    words = tuple(Word("word", n * 0.1, n * 0.1 + 0.1) for n in range(30))
    spoken = tuple(recognized("word " * 30, n * 6.0, 5.0, *words) for n in range(500))
    long = assemble(
        spoken,
        duration_sec=3_000.0,
        channels=1,
        model="m",
        request_id="r",
        config=Config(word_time_offsets=True),
        metadata=METADATA,
    )
    tracemalloc.start()
    data = render_json(long)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(json.loads(data)["result"]["segments"]) == 500
    assert peak < 3.5 * len(data)
