"""The example recordings through the command, as `make demo` does it; the five-minute one is left to the demo."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from tests.documents import ROOT

TEXTS = json.loads((ROOT / "examples" / "texts.json").read_text())
LONG = "village.m4a"
#: The built-in engine heard each channel with a word error rate between 0 and 0.08 when the texts were chosen.
WORST_WORD_ERROR_RATE = 0.12

CHANNELS = [
    (name, channel) for name, turns in TEXTS.items() if name != LONG for channel in {turn["channel"] for turn in turns}
]

comparable = EnglishTextNormalizer()


@dataclass(frozen=True)
class Demo:
    """How the command ended, and the folder of its transcripts."""

    command: subprocess.CompletedProcess[str]
    transcripts: Path

    def transcript(self, recording: str) -> dict[str, Any]:
        path = self.transcripts / Path(recording).with_suffix(".json")
        document: dict[str, Any] = json.loads(path.read_text())
        return document


@pytest.fixture(scope="module")
def demo(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "batchscribe", "transcribe", str(examples), "--channels", "--exclude", LONG]
    places = ["--output", str(folder / "transcripts"), "--data-dir", str(folder / "data")]
    result = subprocess.run([*command, *places], capture_output=True, text=True, check=False, timeout=170)
    return Demo(result, folder / "transcripts")


def test_one_failure_is_exit_status_one_and_is_told_with_its_code(demo: Demo) -> None:
    told = demo.command.stdout + demo.command.stderr
    assert demo.command.returncode == 1, told
    assert "interrupted-upload.m4a" in told
    assert "CORRUPT_MEDIA" in told


def test_every_other_recording_has_its_transcript(demo: Demo) -> None:
    expected = {str(Path(name).with_suffix(".json")) for name in TEXTS if name != LONG}
    assert {path.name for path in demo.transcripts.iterdir()} == expected


@pytest.mark.parametrize(("recording", "channel"), CHANNELS)
def test_the_built_in_engine_reads_each_channel_well(demo: Demo, recording: str, channel: int) -> None:
    spoken = " ".join(turn["text"] for turn in TEXTS[recording] if turn["channel"] == channel)
    segments = demo.transcript(recording)["result"]["segments"]
    heard = " ".join(segment["text"] for segment in segments if segment["channel"] == channel)
    assert jiwer.wer(comparable(spoken), comparable(heard)) <= WORST_WORD_ERROR_RATE


def test_the_turns_of_a_call_come_in_the_order_they_were_spoken(demo: Demo) -> None:
    segments = demo.transcript("library-call.mp3")["result"]["segments"]
    sides = [segment["channel"] for segment in segments]
    turns = [side for side, before in zip(sides, [None, *sides], strict=False) if side != before]
    assert turns == [turn["channel"] for turn in TEXTS["library-call.mp3"]]


def test_a_transcript_of_the_built_in_engine_warns_of_its_accuracy(demo: Demo) -> None:
    metadata = demo.transcript("weather.wav")["metadata"]
    assert metadata["engine"] == "pocketsphinx"
    assert any("batchscribe models pull" in warning for warning in metadata["warnings"])
