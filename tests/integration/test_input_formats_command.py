"""A folder with a recording of every format, transcribed as a person does it; and formats that a setting excludes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from batchscribe.input_formats import NAME_OF_EXTENSION
from tests.audio_files import Int16, encoded, tone, wav
from tests.audio_videos import video, vorbis
from tests.integration.command import QUICK, Command

RATE = 48_000
SOUND: Int16 = np.concatenate([tone(1.0, 300, rate=RATE)] * 2)


def content_of(extension: str) -> bytes:
    """Two seconds in the format that files with this extension usually have."""
    written = {
        "mp3": ("mp3", "mp3"),
        "m4a": ("aac", "ipod"),
        "flac": ("flac", "flac"),
        "oga": ("flac", "ogg"),
        "opus": ("libopus", "opus"),
        "weba": ("libopus", "webm"),
        "mka": ("aac", "matroska"),
        "aac": ("aac", "adts"),
    }
    if extension == "wav":
        return wav(SOUND, rate=RATE)
    if extension == "ogg":
        return vorbis(SOUND, container="ogg", rate=RATE)
    if extension == "webm":
        return video(SOUND, options={"live": "1"})
    if extension in ("mp4", "mkv"):
        container = "mp4" if extension == "mp4" else "matroska"
        return video(SOUND, codec="mjpeg", container=container, sound_codec="aac")
    codec, container = written[extension]
    return encoded(SOUND, codec=codec, container=container, rate=RATE)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder with one recording per extension, all named alike."""
    folder = tmp_path / "calls"
    folder.mkdir()
    for extension in NAME_OF_EXTENSION:
        (folder / f"call.{extension}").write_bytes(content_of(extension))
    return folder


def recordings_of(folder: Path) -> list[str]:
    """Return the recording that each transcript names."""
    inputs = [json.loads(path.read_text())["metadata"]["input"] for path in folder.glob("*.json")]
    return sorted(Path(each["uri"]).name for each in inputs)


@pytest.mark.parametrize("words", [("--output", "out"), ()], ids=["into a folder", "beside the recordings"])
def test_each_of_several_recordings_of_a_name_gets_its_own_transcript(
    tmp_path: Path, calls: Path, words: tuple[str, ...]
) -> None:
    command = Command(tmp_path)
    names = sorted(path.name for path in calls.iterdir())
    for skipped in (0, len(names)):  # the second time, every transcript is found under its name
        result = command.transcribe("calls", *words)
        assert result.status == 0, result
        assert recordings_of(tmp_path / "out" if words else calls) == names
        assert result.counters()["skipped"] == str(skipped)


def test_the_operator_narrows_the_formats_of_listings_and_of_contents(tmp_path: Path, calls: Path) -> None:
    command = Command(tmp_path, {"BATCHSCRIBE_INPUT_FORMATS": "mp3,flac"})
    (calls / "renamed.mp3").write_bytes(content_of("webm"))
    result = command.transcribe("calls", "--output", "out")
    assert result.status == 1
    assert recordings_of(tmp_path / "out") == ["call.flac", "call.mp3"]
    assert "call.opus: UNSUPPORTED_MEDIA: The file's name has none of the accepted extensions: mp3, flac." in result.out
    reason = "The file is WebM, which BATCHSCRIBE_INPUT_FORMATS does not allow; convert it, or add the format."
    assert f"Failed: calls/renamed.mp3: UNSUPPORTED_MEDIA: {reason}" in result.out


def test_a_watched_folder_takes_the_accepted_formats(tmp_path: Path, calls: Path) -> None:
    command = Command(tmp_path, {"BATCHSCRIBE_INPUT_FORMATS": "opus,aac"})
    result = command.run("watch", "calls", "--output", "out", "--once", "--settle", "0", *QUICK)
    assert result.status == 0, result
    assert recordings_of(tmp_path / "out") == ["call.aac", "call.oga", "call.ogg", "call.opus"]
