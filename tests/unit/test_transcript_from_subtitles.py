"""Stored subtitles, read as segments: ours completely, and anything else without an error of another kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.errors import TranscriptUnreadable
from batchscribe.transcript.as_srt import render_srt
from batchscribe.transcript.as_vtt import render_vtt
from batchscribe.transcript.cues import cues
from batchscribe.transcript.from_subtitles import parse_subtitles
from tests.transcripts import segment, spoken, transcript

HOSTILE = segment('a < b & c --> d <i>e</i> &lt; 00:00:01.000 --> 00:00:02.000 <script>alert("f")</script>', 6.0, 9.0)
CALL = transcript(
    spoken("Good morning, I would like to borrow a book about the history of the city.", 0.444),
    spoken("Of course, what is the name of the book?", 8.0, channel=1),
    spoken("Oh!", 36_000.2, channel=1),
    channels=2,
)


def test_webvtt_has_the_text_of_each_voice() -> None:
    read = parse_subtitles(render_vtt(CALL))
    written = [
        (cue.start_ms / 1000, part.label, " ".join(part.lines))
        for cue in cues(CALL, with_labels=False)
        for part in cue.parts
    ]
    assert [(each.start_sec, each.speaker, each.text) for each in read] == written


def test_subrip_has_the_text_with_its_labels() -> None:
    read = parse_subtitles(render_srt(CALL))
    assert read[0].start_sec == 0.444
    assert read[-1].start_sec == 36_000.2
    assert " ".join(each.text for each in read).startswith("Speaker 1L: Good morning,")
    assert {each.speaker for each in read} == {None}


def test_markup_in_the_text_is_text() -> None:
    read = parse_subtitles(render_vtt(transcript(HOSTILE)))
    assert " ".join(each.text for each in read) == HOSTILE.text


def test_subtitles_without_speech_have_no_segments() -> None:
    assert parse_subtitles(render_vtt(transcript())) == parse_subtitles(render_srt(transcript())) == ()


def test_lines_of_other_programs_are_read_too() -> None:
    lines = [
        "\ufeff1",
        "00:00:01,000 --> 00:00:02,000",
        "Hi",
        "there",
        "",
        "2",
        "00:00:03,000 --> 00:00:01,000",
        "Bye",
    ]
    content = "\r\n".join(lines).encode()
    assert [(each.start_sec, each.end_sec, each.text) for each in parse_subtitles(content)] == [
        (1.0, 2.0, "Hi there"),
        (3.0, 3.0, "Bye"),
    ]


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(TranscriptUnreadable):
        parse_subtitles(b"\xff\xfe")


@given(
    st.lists(st.sampled_from(["WEBVTT", "\n", "1", "00:00:01.000 --> 00:00:02.000", "<v ", ">", "</v>", "a", "&", "<"]))
)
def test_nothing_raises_another_error(parts: list[str]) -> None:
    for each in parse_subtitles("".join(parts).encode()):
        assert 0 <= each.start_sec <= each.end_sec
