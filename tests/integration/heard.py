"""Transcripts of many recordings from one `batchscribe transcribe` with a real model, and how to read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import faster_whisper

from tests.audio_files import samples_of
from tests.integration.command import Command

#: A limit for a busy machine with one core, not a measurement: none of the runs needs a minute.
WITHIN_SEC = 600.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """One document, with its bytes as they were written."""

    raw: bytes
    document: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Transcript:
        raw = path.read_bytes()
        return cls(raw, json.loads(raw))

    @property
    def text(self) -> str:
        text: str = self.document["result"]["text_display"]
        return text

    @property
    def segments(self) -> list[dict[str, Any]]:
        segments: list[dict[str, Any]] = self.document["result"]["segments"]
        return segments

    @property
    def words(self) -> list[dict[str, Any]]:
        return [word for segment in self.segments for word in segment["words"]]

    @property
    def flags(self) -> set[str]:
        return {flag for segment in self.segments for flag in segment.get("flags", ())}

    @property
    def warnings(self) -> list[str]:
        warnings: list[str] = self.document["metadata"]["warnings"]
        return warnings

    @property
    def languages(self) -> list[str]:
        """Of the segments, each once for all neighbors that have it."""
        spoken = [segment["language"] for segment in self.segments]
        return [language for language, before in zip(spoken, [None, *spoken], strict=False) if language != before]

    def of_channel(self, channel: int) -> str:
        return " ".join(segment["text"] for segment in self.segments if segment["channel"] == channel)


def transcribed(folder: Path, model: Path, inputs: Sequence[Path], output: str, *options: str) -> dict[str, Transcript]:
    """The transcripts of recordings with different names, by the names of the recordings without their extensions."""
    command = Command(folder, {"BATCHSCRIBE_WHISPER_MODEL": str(model)})
    words = ("transcribe", *map(str, inputs), "--output", f"{output}/", "--layout", "prefix", "--words", *options)
    result = command.run(*words, within_sec=WITHIN_SEC)
    assert result.status == 0, result
    found = {path.stem: Transcript.read(path) for path in (folder / output).rglob("*.json")}
    assert len(found) == sum(len(list(each.iterdir())) if each.is_dir() else 1 for each in inputs)
    return found


def heard_by_faster_whisper(model: Path, recordings: Sequence[tuple[Path, str]]) -> list[str]:
    """Transcribe whole recordings with the bare engine, each with its language as Whisper's code."""
    engine = faster_whisper.WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)
    texts = []
    for path, language in recordings:
        ctranslate2.set_random_seed(0)  # its retries are random
        segments, _ = engine.transcribe(samples_of(path), language=language)
        texts.append("".join(segment.text for segment in segments))
    return texts
