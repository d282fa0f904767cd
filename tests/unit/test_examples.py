"""The example recordings are what the docs say."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from tests.documents import ROOT

TEXTS = json.loads((ROOT / "examples" / "texts.json").read_text())
BROKEN = "interrupted-upload.m4a"


def tracks(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.type for stream in container.streams]


def test_every_recording_but_the_broken_one_has_its_text(examples: Path) -> None:
    assert {path.name for path in examples.iterdir()} == {*TEXTS, BROKEN}


def test_the_recordings_stay_small(examples: Path) -> None:
    assert sum(path.stat().st_size for path in examples.iterdir()) < 4_000_000


def test_every_format_is_there(examples: Path) -> None:
    assert {path.suffix for path in examples.iterdir()} == {".wav", ".mp3", ".m4a", ".mp4"}


def test_one_recording_has_a_picture_track(examples: Path) -> None:
    assert sorted(tracks(examples / "house.mp4")) == ["audio", "video"]


def test_one_recording_is_a_call_with_a_channel_for_each_voice(examples: Path) -> None:
    with av.open(str(examples / "library-call.mp3")) as container:
        assert container.streams.audio[0].channels == 2
    voices = {(turn["channel"], turn["voice"]) for turn in TEXTS["library-call.mp3"]}
    assert len(voices) == len({voice for _, voice in voices}) == 2


def test_one_recording_is_about_five_minutes_long(examples: Path) -> None:
    with av.open(str(examples / "village.m4a")) as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(300, rel=0.1)


def test_one_recording_is_broken(examples: Path) -> None:
    with pytest.raises(av.error.InvalidDataError):
        tracks(examples / BROKEN)
