"""Texts and word times of recordings through the whole flow: the code that `batchscribe transcribe` runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from batchscribe.wire.config import Config
from benchmarks.flow import Bench, bench
from benchmarks.speech.contenders import CORES, Model
from benchmarks.speech.progress import tell
from benchmarks.speech.recordings import Recording

Transcript = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the recordings of one job have in common."""

    tag: str
    is_apart: bool


@dataclass(frozen=True, slots=True)
class Documents:
    """The transcripts, and the CPU seconds of all their jobs."""

    by_recording: dict[Recording, Transcript]
    cpu_sec: float


def texts_of(recordings: Sequence[Recording], model: Model) -> dict[Recording, str]:
    found = documents_of(recordings, model).by_recording
    return {each: text_of(document, each.channel) for each, document in found.items()}


def documents_of(recordings: Sequence[Recording], model: Model, **options: Any) -> Documents:
    """`options` are further fields of `Config`."""
    documents: dict[Recording, Transcript] = {}
    cpu_sec = 0.0
    with TemporaryDirectory() as folder, bench(Path(folder), engine_processes=CORES, more=model.settings) as flow:
        for kind in sorted({_kind(each) for each in recordings}, key=str):
            some = [each for each in recordings if _kind(each) == kind]
            tell(f"{model.name}, flow: {len(some)} recordings in {kind.tag}")
            config = Config(language=kind.tag, channel_separation=kind.is_apart, **options)
            transcripts, job_sec = _transcribe(flow, [each.path for each in some], model, config)
            documents |= {each: transcripts[each.path] for each in some}
            cpu_sec += job_sec
    return Documents(documents, cpu_sec)


def words_of(paths: Sequence[Path], model: Model) -> list[list[tuple[str, float]]]:
    """Words with their starts, of recordings in English."""
    config = Config(language="en-US", word_time_offsets=True)
    with TemporaryDirectory() as folder, bench(Path(folder), engine_processes=CORES, more=model.settings) as flow:
        transcripts, _ = _transcribe(flow, paths, model, config)
        return [list(_words(transcripts[path])) for path in paths]


def _transcribe(
    flow: Bench, paths: Sequence[Path], model: Model, config: Config
) -> tuple[dict[Path, Transcript], float]:
    """Transcribe the largest first, so that no long one remains at the end. Return the CPU seconds, too."""
    wanted = sorted(set(paths), key=lambda path: (-path.stat().st_size, path))
    run = flow.run(wanted, engine=model.engine, config=config)
    assert run.job.summary.succeeded == len(wanted), run.job.summary
    return {path: json.loads(output.read_bytes()) for path, output in flow.outputs(run).items()}, run.cpu_sec


def _kind(recording: Recording) -> _Kind:
    return _Kind(recording.tag, recording.channel is not None)


def text_of(transcript: Transcript, channel: int | None) -> str:
    if channel is None:
        return str(transcript["result"]["text_display"])
    return " ".join(each["text"] for each in transcript["result"]["segments"] if each["channel"] == channel)


def _words(transcript: Transcript) -> Iterator[tuple[str, float]]:
    for segment in transcript["result"]["segments"]:
        yield from ((word["word"], word["start"]) for word in segment["words"])


def words_with_confidence(transcript: Transcript, channel: int | None) -> Iterator[tuple[str, float | None]]:
    for segment in transcript["result"]["segments"]:
        if channel in (None, segment.get("channel")):
            yield from ((word["word"], word.get("confidence")) for word in segment["words"])
