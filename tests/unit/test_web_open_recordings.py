"""Recordings that are being played: which stay open, for how long, and in which version."""

from __future__ import annotations

from contextlib import suppress

import pytest

from batchscribe.errors import NotARecording, ObjectChanged
from batchscribe.storage.answer_checks import Version
from batchscribe.storage.ranged_recording import RangedRecording
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.web.open_recordings import IDLE_SEC, MOST_OPEN, OpenRecordings, SourceKey
from tests.audio_files import encoded, noise, tone, wav
from tests.twins.clock import Clock

SOUND = wav(noise(1))


class Source:
    """Counts how often a recording is opened."""

    def __init__(self, content: bytes = SOUND) -> None:
        self.content = content
        self.opened = 0

    def open(self) -> RangedRecording:
        self.opened += 1
        version = Version(len(self.content), f'"{self.opened}"', None)
        return RangedRecording("s3://in/a.wav", version, self.content, lambda *_: b"")


def key(number: int = 1, word: str = "a") -> SourceKey:
    return SourceKey(number, 1, AwsCredentials("key", word))


def test_a_recording_stays_open_between_its_parts_and_for_a_minute() -> None:
    clock, source = Clock(), Source()
    kept = OpenRecordings(clock=clock)
    for _ in range(3):
        with kept.of(key(), source.open) as played:
            assert played.media_type == "audio/wav"
        clock.advance(IDLE_SEC - 1)
    assert source.opened == 1
    clock.advance(2)
    with kept.of(key(), source.open):
        pass
    assert source.opened == 2


def test_other_credentials_open_it_again() -> None:
    source = Source()
    kept = OpenRecordings()
    for word in "abab":
        with kept.of(key(word=word), source.open):
            pass
    assert source.opened == 2


def test_after_a_change_the_next_part_is_of_the_new_version() -> None:
    source = Source()
    kept = OpenRecordings()
    versions = []
    with kept.of(key(), source.open) as played:
        versions.append(played.version)
    with suppress(ObjectChanged), kept.of(key(), source.open) as played:
        versions.append(played.version)
        raise ObjectChanged("replaced")
    with kept.of(key(), source.open) as played:
        versions.append(played.version)
    assert source.opened == 2
    assert versions[0] == versions[1] != versions[2]


def test_few_recordings_stay_open() -> None:
    sources = [Source() for _ in range(MOST_OPEN + 1)]
    kept = OpenRecordings()
    for number, source in enumerate(sources):
        with kept.of(key(number), source.open):
            pass
    for number, source in reversed(list(enumerate(sources))):
        with kept.of(key(number), source.open):
            pass
    assert [source.opened for source in sources] == [2] + [1] * MOST_OPEN


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (SOUND, "audio/wav"),
        (encoded(tone(1, 440), codec="mp3", container="mp3"), "audio/mpeg"),
        (encoded(tone(1, 440), codec="aac", container="mp4"), "audio/mp4"),
        (encoded(tone(1, 440), codec="flac", container="flac"), "audio/flac"),
        (encoded(tone(1, 440, rate=48_000), codec="libopus", container="ogg", rate=48_000), "audio/ogg"),
        (encoded(tone(1, 440, rate=48_000), codec="libopus", container="webm", rate=48_000), "audio/webm"),
        (encoded(tone(1, 440), codec="aac", container="adts"), "audio/aac"),
    ],
)
def test_the_type_follows_from_the_bytes(content: bytes, media_type: str) -> None:
    with OpenRecordings().of(key(), Source(content).open) as played:
        assert played.media_type == media_type


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"%PDF-1.7", b"PK\x03\x04", bytes(5000)])
def test_anything_else_is_not_played(content: bytes) -> None:
    with pytest.raises(NotARecording), OpenRecordings().of(key(), Source(content).open):
        pass
