"""A stored transcript, read back: rendering it again gives the same bytes in every format."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscribe.errors import TranscriptUnreadable
from batchscribe.transcript.document import Metadata, Transcript
from batchscribe.transcript.formats import FORMATS
from batchscribe.transcript.from_json import label_of, separate_channels, transcript_of
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.transcript.stored_document import MOST_AT_ONCE, StoredDocument, parse_document
from batchscribe.window import Flag, Word
from batchscribe.wire.choices import OutputFormat
from batchscribe.wire.config import Config
from tests.transcripts import segment, spoken, transcript

JSON = FORMATS["json"].render
TEXTS = [each for each in FORMATS.values() if each.name is not OutputFormat.PEAKS]


def read_back(original: Transcript) -> Transcript:
    return transcript_of(parse_document(JSON(original)), {})


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(lambda text: " ".join(text.split()))


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Return transcripts as jobs with word times write them."""
    channels = draw(st.integers(1, 4))
    diarization = channels == 1 and draw(st.booleans())
    segments: list[TranscriptSegment] = []
    at_ms = 0
    for _ in range(draw(st.integers(0, 12))):
        at_ms += draw(st.integers(0, 3000))
        words = []
        start_ms = at_ms
        for text in draw(st.lists(texts.filter(bool), min_size=1, max_size=8)):
            end_ms = at_ms + draw(st.integers(0, 900))
            words.append(Word(text, at_ms / 1000, end_ms / 1000, draw(st.none() | st.floats(0, 1))))
            at_ms = end_ms
        segments.append(
            TranscriptSegment(
                draw(st.integers(0, channels - 1)),
                start_ms / 1000,
                at_ms / 1000,
                " ".join(word.text for word in words),
                tuple(words),
                draw(st.none() | st.sampled_from(["en", "de"])),
                tuple(draw(st.sets(st.sampled_from(Flag)))),
                draw(st.none() | st.integers(1, 3)) if diarization else None,
            )
        )
    return Transcript(
        "req_1",
        at_ms / 1000 + 1,
        "base",
        channels,
        tuple(segments),
        Config(
            channel_separation=channels > 1,
            diarization=diarization,
            word_time_offsets=True,
            word_confidence=draw(st.booleans()),
        ),
        Metadata(
            "whisper",
            draw(st.none() | st.just("abc")),
            "s3://in/a.wav",
            draw(st.none() | st.just('"1"')),
            7,
            draw(st.dictionaries(st.sampled_from(["en", "de", "fr"]), st.floats(0.01, 1e5))),
            ("A warning.",),
        ),
        {number: draw(st.floats(0, 1e4)) for number in (1, 2)} if diarization else {},
    )


@settings(max_examples=150, deadline=None)
@given(transcripts())
def test_it_gives_the_same_bytes_in_every_format(original: Transcript) -> None:
    again = read_back(original)
    for each in TEXTS:
        assert each.render(again) == each.render(original), each.name


def test_without_word_times_the_document_and_the_text_are_the_same() -> None:
    original = transcript(spoken("good morning", 0.0), spoken("yes ...3 indeed", 5.0), channels=1)
    again = read_back(original)
    for name in ("json", "txt"):
        assert FORMATS[name].render(again) == FORMATS[name].render(original)


def test_words_with_confidence_only_share_the_time_of_their_segment() -> None:
    original = replace(
        transcript(segment("a b", 1.0, 2.0, Word("a", 1.0, 1.2, 0.5), Word("b", 1.2, 2.0, 0.9))),
        config=Config(word_confidence=True),
    )
    again = read_back(original)
    assert [(word.start_sec, word.end_sec) for word in again.segments[0].words] == [(1.0, 1.5), (1.5, 2.0)]
    assert JSON(again) == JSON(original)


def test_without_timestamps_the_whole_text_is_one_segment() -> None:
    original = replace(transcript(spoken("good morning")), config=Config(timestamps=False))
    document = parse_document(JSON(original))
    assert document.segments is None
    assert [each.text for each in document.segments_or_whole] == ["good morning"]
    assert JSON(transcript_of(document, {})) == JSON(original)


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_channels_are_counted_even_if_only_the_first_one_speaks(channels: int) -> None:
    original = replace(transcript(spoken("hello"), channels=channels), config=Config(channel_separation=True))
    document = parse_document(JSON(original))
    assert separate_channels(document) == channels
    assert document.segments is not None
    assert label_of(document.segments[0], channels) == original.label(original.segments[0])


def test_names_replace_labels_in_every_format() -> None:
    original = transcript(spoken("hello"), spoken("yes", 3.0, channel=1), channels=2)
    named = transcript_of(parse_document(JSON(original)), {"Speaker 1L": "Zoë"})
    for each in TEXTS:
        content = each.render(named).decode()
        assert "Zoë" in content, each.name
        assert "Speaker 1R" in content, each.name
        assert "Speaker 1L" not in content, each.name


def test_two_speakers_with_the_same_name_are_one_in_the_metadata() -> None:
    original = replace(
        transcript(*(replace(spoken("yes", 5.0 * each), speaker=each) for each in (1, 2))),
        config=Config(diarization=True),
        speakers={1: 1.0, 2: 2.5},
    )
    named = replace(original, names={"Speaker 1": "Ann", "Speaker 2": "Ann"})
    assert json.loads(JSON(named))["metadata"]["speakers"] == {"count": 1, "seconds": {"Ann": 3.5}}


# --- what is not our transcript ----------------------------------------------------------------------------------

GOOD = json.loads(JSON(replace(transcript(spoken("hello there")), config=Config(word_time_offsets=True))))


def changed(**fields: object) -> bytes:
    """Return the document with other fields of its first segment."""
    document = json.loads(json.dumps(GOOD))
    document["result"]["segments"][0] |= fields
    return json.dumps(document).encode()


def test_a_transcript_that_another_program_has_indented_is_read() -> None:
    document = parse_document(json.dumps(GOOD, indent=4).encode())
    assert document == parse_document(
        JSON(replace(transcript(spoken("hello there")), config=Config(word_time_offsets=True)))
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5_000,
        b'"' + b"x" * (MOST_AT_ONCE + 1) + b'"',
        changed(start=float("nan")),
        changed(end=float("inf")),
        changed(start=-1),
        changed(start=2, end=1),
        changed(start="0"),
        changed(start=True),
        changed(end=10**400),
        changed(text=None),
        changed(text=["hello"]),
        changed(text="\ud800"),
        changed(speaker=1),
        changed(speaker="x" * 1000),
        changed(flags="low_confidence"),
        changed(flags=[1]),
        changed(channel="0"),
        changed(channel=-1),
        changed(channel=10**9),
        changed(words={}),
        changed(words=["hello"]),
        changed(words=[{"word": "a", "start": 0}]),
        changed(words=[{"word": "a", "confidence": 7}]),
        JSON(transcript(spoken("hello"))).replace(b'   {"id"', b'   {"id'),
        JSON(transcript(spoken("hello"))).replace(b'"start": 0.0', b'"start": 1e999'),
        JSON(transcript(spoken("hello"))).replace(b'"duration_sec"', b'"duration"'),
        JSON(transcript(spoken("hello"))).replace(b'"engine": "scripted"', rb'"engine": "\ud800"'),
        JSON(transcript(spoken("hello"))).replace(b'"metadata": {', rb'"metadata": {"languages": {"\udfff": 1},'),
        JSON(transcript(spoken("hello"))).replace(b'"warnings": []', rb'"warnings": ["a", "\ud800b"]'),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_one_error(content: bytes) -> None:
    with pytest.raises(TranscriptUnreadable):
        parse_document(content)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_change_of_a_transcript_raises_another_error(data: st.DataObject) -> None:
    content = bytearray(JSON(transcript(spoken("hello there"), spoken("yes", 3.0, channel=1), channels=2)))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    try:
        document = parse_document(bytes(content))
    except TranscriptUnreadable:
        return
    assert isinstance(document, StoredDocument)
    try:
        again = transcript_of(document, {})
    except TranscriptUnreadable:
        return
    for each in TEXTS:
        each.render(again)
