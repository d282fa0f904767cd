"""The bytes of each format, read by independent parsers."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import srt
import webvtt

from batchscribe.transcript.cues import cues
from batchscribe.transcript.document import Transcript
from batchscribe.transcript.formats import FORMATS
from batchscribe.window import Waveform
from batchscribe.wire.choices import OutputFormat
from tests.documents import ROOT, table_rows
from tests.transcripts import segment, spoken, transcript

HOSTILE = (
    'a < b & c --> d <i>e</i> &lt; 00:00:01.000 --> 00:00:02.000 {\\an8} NOTE "f" \r\n\r\n7\r\n\u2028g\x00h\x1b[1m'
)
#: The same without what every format drops.
READABLE = 'a < b & c --> d <i>e</i> &lt; 00:00:01.000 --> 00:00:02.000 {\\an8} NOTE "f" 7 gh[1m'


def written(name: str, made: Transcript) -> str:
    return FORMATS[name].render(made).decode()


def read_srt(text: str) -> list[srt.Subtitle]:
    """Parse strictly: what the parser would drop or write differently is an error."""
    read = list(srt.parse(text))
    assert srt.compose(read, reindex=False, strict=True).rstrip("\n") == text.rstrip("\n")
    return read


def read_vtt(text: str) -> webvtt.WebVTT:
    return webvtt.from_string(text, strict=True)


def milliseconds(time: str) -> int:
    hours, minutes, seconds = time.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


def call() -> Transcript:
    return transcript(
        spoken("Good morning, I would like to borrow a book about the history of the city.", 0.444, word_sec=0.25),
        spoken("Of course, what is the name of the book?", 5.404, word_sec=0.25, channel=1),
        spoken("No.", 36_000.0),
        spoken("Oh!", 36_000.2, channel=1),
        channels=2,
    )


def test_every_format_is_one_record() -> None:
    assert {name: (each.name, each.name.extension, each.content_type) for name, each in FORMATS.items()} == {
        "json": ("json", ".json", "application/json"),
        "srt": ("srt", ".srt", "application/x-subrip; charset=utf-8"),
        "vtt": ("vtt", ".vtt", "text/vtt"),
        "txt": ("txt", ".txt", "text/plain; charset=utf-8"),
        "peaks": ("peaks", ".peaks", "application/json"),
    }


def test_every_format_that_a_job_can_name_has_a_record() -> None:
    assert set(FORMATS) == set(OutputFormat)


def test_the_documents_describe_every_format() -> None:
    rows = [row[:3] for row in table_rows(ROOT / "docs" / "transcripts.md") if row[0].strip("`") in FORMATS]
    records = [each for each in FORMATS.values() if each.name is not OutputFormat.JSON]
    assert rows == [[f"`{each.name}`", f"`{each.name.extension}`", f"`{each.content_type}`"] for each in records]
    for document in ("http.md", "command-line.md"):
        text = (ROOT / "docs" / document).read_text()
        assert [name for name in FORMATS if f"`{name}`" not in text] == [], document


def test_peaks_are_a_document_of_audiowaveform() -> None:
    """Pairs of minimum and maximum from -127 to 127, for one channel after the other in each peak."""
    made = replace(call(), waveform=Waveform(0.04, (bytes([0, 255, 128]), bytes([2, 1, 0]))))
    assert json.loads(written("peaks", made)) == {
        "version": 2,
        "channels": 2,
        "sample_rate": 16_000,
        "samples_per_pixel": 640,
        "bits": 8,
        "length": 3,
        "data": [0, 0, -1, 1, -127, 127, 0, 0, -64, 64, 0, 0],
    }


def test_json_is_the_document() -> None:
    assert json.loads(written("json", call()))["request_id"] == "req_1"


def test_srt_is_numbered_and_names_speakers_in_its_text() -> None:
    assert written("srt", call()) == (
        "1\n00:00:00,444 --> 00:00:02,194\n"
        "Speaker 1L: Good morning,\nI would like to borrow\n\n"
        "2\n00:00:02,194 --> 00:00:04,644\n"
        "a book about the history of the city.\n\n"
        "3\n00:00:05,404 --> 00:00:08,004\n"
        "Speaker 1R: Of course,\nwhat is the name of the book?\n\n"
        "4\n10:00:00,000 --> 10:00:01,500\n"
        "Speaker 1L: No.\nSpeaker 1R: Oh!\n"
    )


def test_vtt_has_speakers_as_voices() -> None:
    assert written("vtt", call()) == (
        "WEBVTT\n\n"
        "00:00:00.444 --> 00:00:02.194\n"
        "<v Speaker 1L>Good morning, I would like to borrow</v>\n\n"
        "00:00:02.194 --> 00:00:04.644\n"
        "<v Speaker 1L>a book about the history of the city.</v>\n\n"
        "00:00:05.404 --> 00:00:08.004\n"
        "<v Speaker 1R>Of course, what is the name of the book?</v>\n\n"
        "10:00:00.000 --> 10:00:01.500\n"
        "<v Speaker 1L>No.</v>\n<v Speaker 1R>Oh!</v>\n"
    )


def test_txt_is_paragraphs_with_the_speaker_in_front() -> None:
    assert written("txt", call()) == (
        "Speaker 1L: Good morning, I would like to borrow a book about the history of the city.\n\n"
        "Speaker 1R: Of course, what is the name of the book?\n\n"
        "Speaker 1L: No.\n\n"
        "Speaker 1R: Oh!\n"
    )


@pytest.mark.parametrize(
    "made", [call(), transcript(segment(HOSTILE, 0, 9)), transcript(spoken("世界 مرحبا 👨‍👩‍👧 ไม่"))]
)
def test_parsers_of_others_read_the_cues_as_they_are(made: Transcript) -> None:
    plain, labeled = cues(made, with_labels=False), cues(made, with_labels=True)
    read = read_srt(written("srt", made))
    assert [(each.index, each.start, each.end) for each in read] == [
        (number, timedelta(milliseconds=cue.start_ms), timedelta(milliseconds=cue.end_ms))
        for number, cue in enumerate(labeled, start=1)
    ]
    captions = read_vtt(written("vtt", made)).captions
    assert [(milliseconds(each.start), milliseconds(each.end)) for each in captions] == [
        (cue.start_ms, cue.end_ms) for cue in plain
    ]
    assert [html.unescape(caption.text).splitlines() for caption in captions] == [
        [line for part in cue.parts for line in part.lines] for cue in plain
    ]
    assert [caption.voice for caption in captions] == [cue.parts[0].label for cue in plain]


def test_text_that_looks_like_markup_is_escaped_in_vtt() -> None:
    text = written("vtt", transcript(segment(HOSTILE, 0, 9)))
    assert html.unescape(" ".join(caption.text.replace("\n", " ") for caption in read_vtt(text).captions)) == READABLE
    assert text.count("-->") == len(read_vtt(text).captions)


def test_text_that_looks_like_markup_gets_other_signs_in_srt_which_cannot_escape_it() -> None:
    text = written("srt", transcript(segment(HOSTILE, 0, 9)))
    said = " ".join(each.content.replace("\n", " ") for each in read_srt(text))
    assert said == READABLE.replace("<", "\u2039").replace(">", "\u203a").replace("{", "(").replace("}", ")")
    assert text.count("-->") == len(read_srt(text))


def test_txt_has_no_line_breaks_and_control_characters_of_its_own() -> None:
    assert written("txt", transcript(segment(HOSTILE, 0, 9))) == READABLE + "\n"


@pytest.mark.parametrize(("name", "expected"), [("srt", ""), ("vtt", "WEBVTT\n"), ("txt", "")])
def test_a_recording_without_speech_gives_a_valid_file_without_cues(name: str, expected: str) -> None:
    assert written(name, transcript()) == expected
    assert not read_srt("")
    assert not read_vtt("WEBVTT\n").captions


def test_a_text_of_only_control_characters_is_not_speech() -> None:
    made = transcript(segment("\x00 \x1b", 0, 1), channels=2)
    assert [written(name, made) for name in ("srt", "vtt", "txt")] == ["", "WEBVTT\n", ""]


def test_paragraphs_of_txt_end_at_long_pauses_and_are_of_a_readable_length() -> None:
    sentences = [spoken(f"This is sentence {n} of many.", n * 3.0) for n in range(40)]
    text = written("txt", transcript(*sentences, spoken("Much later.", 200)))
    paragraphs = text.removesuffix("\n").split("\n\n")
    assert " ".join(paragraphs) == " ".join(each.text for each in sentences) + " Much later."
    assert paragraphs[-1] == "Much later."
    assert all(500 <= len(each) < 600 and each.endswith(".") for each in paragraphs[:-2])


def test_sentences_of_chinese_stand_without_a_space_between_them_in_txt() -> None:
    assert written("txt", transcript(segment("你好。", 0, 1), segment("再见", 1, 2))) == "你好。再见\n"


@pytest.mark.parametrize("name", ["srt", "vtt", "txt"])
def test_the_same_transcript_gives_the_same_bytes(name: str) -> None:
    assert FORMATS[name].render(call()) == FORMATS[name].render(call())
