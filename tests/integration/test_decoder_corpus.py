"""Real and really broken recordings, if the corpus is available."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool, Media
from batchscribe.errors import CorruptMedia, EmptyRecording, MediaError, NoAudioTrack, UnsupportedMedia
from batchscribe.window import Window
from tests.audio_files import Bytes

#: Picture and sound of this one start 0.4 s in, as its writer left room for reordered pictures. The manifest's length
#: counts samples.
STARTS_LATE_SEC = {"video_fragmented.mp4": 0.36}


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1, DecodeLimits()) as opened:
        yield opened


def decoded(pool: DecoderPool, path: Path, *, channels_apart: bool = False) -> tuple[list[Window], Media]:
    with pool.decode(Bytes.of(path), channels_apart=channels_apart, segmentation="auto", window_sec=0.0) as decoding:
        return list(decoding.windows()), decoding.media


REFUSED: dict[str, tuple[type[MediaError], str]] = {
    "empty.mp3": (EmptyRecording, "no bytes"),
    "empty.wav": (EmptyRecording, "no bytes"),
    "garbage.mp3": (UnsupportedMedia, "an unknown format"),
    "header_no_data.wav": (EmptyRecording, "no audio samples"),
    "html_error_page.m4a": (UnsupportedMedia, "HTML"),
    "missing_wav_header.wav": (UnsupportedMedia, "an unknown format"),  # bare samples of unknown rate
    "no_moov.mp4": (CorruptMedia, "moov"),
    "text_renamed.wav": (UnsupportedMedia, "text"),
    "truncated.m4a": (CorruptMedia, "moov"),
    "video_no_audio.mp4": (NoAudioTrack, "no audio track"),
    "zero_channels.wav": (CorruptMedia, "0 channels"),
    "zero_sample_rate.wav": (CorruptMedia, "0 Hz"),
}
PARTIAL: dict[str, tuple[float, tuple[str, ...]]] = {
    "corrupt_middle.mp3": (5.14, ("7 damaged packets were skipped: 0.18 s of sound.",)),
    "mp3_named.wav": (5.14, ()),
    "truncated.mp3": (3.08, ("The file declares a length of 5.1 s but contains 3.1 s.",)),
    "truncated_data.wav": (1.71, ("The file declares a length of 5.1 s but contains 1.7 s.",)),
    "wav_named.mp3": (5.14, ()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_recording_is_refused_with_its_own_reason(pool: DecoderPool, corpus: Path, name: str) -> None:
    kind, reason = REFUSED[name]
    with pytest.raises(kind, match=reason):
        decoded(pool, corpus / "broken" / name)


@pytest.mark.parametrize("name", PARTIAL)
def test_what_is_left_of_a_broken_recording_is_decoded(pool: DecoderPool, corpus: Path, name: str) -> None:
    duration_sec, warnings = PARTIAL[name]
    windows, media = decoded(pool, corpus / "broken" / name)
    assert windows
    assert media.duration_sec == pytest.approx(duration_sec, abs=0.01)
    assert media.warnings == warnings


def test_no_broken_recording_is_forgotten(corpus: Path) -> None:
    assert {path.name for path in (corpus / "broken").iterdir()} == REFUSED.keys() | PARTIAL.keys()


def test_every_container_gives_the_same_utterance_at_the_same_time(pool: DecoderPool, corpus: Path) -> None:
    for path in sorted((corpus / "made-containers").iterdir()):
        windows, media = decoded(pool, path)
        expected_warnings = ("Audio track 1 of 2 was transcribed.",) if "two_audio" in path.name else ()
        assert (path.name, media.warnings) == (path.name, expected_warnings)
        assert windows[0].start_sec < 0.1, path.name
        spoken_sec = sum(window.duration_sec for window in windows)
        expected_sec = 5.9 if "two_speakers" in path.name else 5.15 + STARTS_LATE_SEC.get(path.name, 0.0)
        assert spoken_sec == pytest.approx(expected_sec, abs=0.1), path.name


def test_lengths_are_those_of_the_manifest(pool: DecoderPool, corpus: Path) -> None:
    lines = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text().splitlines()]
    short = [line for line in lines if line["duration_sec"] and line["duration_sec"] < 12 and line["channels"]]
    for line in short:
        if line["category"] == "broken":
            continue
        path = corpus / line["path"]
        _, media = decoded(pool, path)
        expected_sec = line["duration_sec"] + STARTS_LATE_SEC.get(path.name, 0.0)
        assert media.duration_sec == pytest.approx(expected_sec, abs=0.05), line["path"]
        assert media.channels == line["channels"], line["path"]
        assert media.warnings == () or "Audio track 1 of 2" in media.warnings[0], line["path"]


#: Seconds, without padding, that Silero takes for a voice: the cartoon's effects, and a passage of the music. Neither
#: its probability nor the rise and fall of the sound separates them from real voices in noise. The threshold that
#: finds the speech of telephone lines costs half a second more of each; Whisper finds no words in it.
FALSE_SPEECH_SEC = {"big_buck_bunny_small.mp4": 2.6, "Kevin_MacLeod_-_Vibe_Ace.ogg": 2.5}


def test_without_speech_nothing_reaches_an_engine(pool: DecoderPool, corpus: Path) -> None:
    for path in sorted((corpus / "no-speech").iterdir()):
        windows, _ = decoded(pool, path)
        spoken_sec = sum(end - start for window in windows for start, end in window.speech or ())
        assert spoken_sec <= FALSE_SPEECH_SEC.get(path.name, 0.0), path.name


def test_each_of_eight_channels_says_its_own_number(pool: DecoderPool, corpus: Path) -> None:
    """PyAV 18 crashes when asked for the planes of this file's frames."""
    windows, media = decoded(pool, corpus / "whisperkit" / "8_Channel_ID.m4a", channels_apart=True)
    assert media.channels == 8
    starts_sec = [window.start_sec for window in windows]
    assert len({window.channel for window in windows}) == len(windows) == 7  # the bass channel has no voice
    assert starts_sec == sorted(starts_sec)
