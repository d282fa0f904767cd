"""The bytes that are stored."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from batchscribe import __version__
from batchscribe.segment import Hearing, Word
from batchscribe.transcript.as_json import render_json
from batchscribe.transcript.document import Heard, Metadata, Transcript, assemble
from batchscribe.wire.config import Config

SPOKEN = (
    Heard(0, 0.25, 1.5, Hearing("Hello, world.", (Word("Hello,", 0.0, 0.5), Word("world.", 0.6, 1.2)))),
    Heard(0, 2.0, 1.0, Hearing("It's me.", (Word("It's", 0.1, 0.3), Word("me.", 0.3, 0.7)), "en-US")),
)
METADATA = Metadata(engine="scripted", revision="r1", input_etag='"e1"', input_size_bytes=7, warnings=("Cut off.",))


def transcript(
    config: Config | None = None,
    *,
    spoken: tuple[Heard, ...] = SPOKEN,
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
                {"id": "seg_0001", "start": 0.25, "end": 1.75, "text": "Hello, world."},
                {"id": "seg_0002", "start": 2.0, "end": 3.0, "text": "It's me.", "language": "en-US"},
            ],
        },
        "metadata": {
            "engine": "scripted",
            "model": "scripted-1",
            "revision": "r1",
            "config": Config().echo(),
            "input": {"etag": '"e1"', "size_bytes": 7},
            "batchscribe_version": __version__,
            "warnings": ["Cut off."],
        },
    }


def test_words_are_written_when_asked_for() -> None:
    segment = written(Config(word_time_offsets=True))["result"]["segments"][1]
    assert segment["words"] == [
        {"word": "It's", "start": 2.1, "end": 2.3},
        {"word": "me.", "start": 2.3, "end": 2.7},
    ]


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
    spoken = (Heard(0, 0.0, 1.0, Hearing("left")), Heard(last, 1.0, 1.0, Hearing("right")))
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
    metadata = written(metadata=Metadata("scripted", None, None, 7))["metadata"]
    assert "revision" not in metadata
    assert metadata["input"] == {"size_bytes": 7}


def test_the_same_hearing_gives_the_same_bytes_in_any_order() -> None:
    assert render_json(transcript()) == render_json(transcript(spoken=SPOKEN[::-1]))


def test_text_is_readable_utf_8_that_ends_in_a_newline() -> None:
    text = 'Ü "quoted"\\ 世界'
    data = render_json(transcript(spoken=(Heard(0, 0.0, 1.0, Hearing(text)),)))
    assert "世界".encode() in data
    assert data.endswith(b"\n")
    assert json.loads(data)["result"]["segments"][0]["text"] == text


def test_a_long_transcript_is_rendered_without_building_it_as_objects() -> None:
    words = tuple(Word("word", n * 0.1, n * 0.1 + 0.1) for n in range(50))
    spoken = tuple(Heard(0, n * 6.0, 5.0, Hearing("word " * 50, words)) for n in range(500))
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
