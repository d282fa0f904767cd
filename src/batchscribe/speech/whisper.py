"""The Whisper family through faster-whisper: about 100 languages, word times, models as folders of CTranslate2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any

from batchscribe.segment import Hearing, Segment, Word
from batchscribe.speech.engine import WINDOW_SEC, Engine, EngineSpec
from batchscribe.speech.languages import whisper_code
from batchscribe.speech.models import ModelInfo
from batchscribe.speech.words import clean_text, tidy_words

#: Bytes of model that one CPU core gets through at the pace of speech, and one GPU: orders of magnitude, from the
#: parameter counts; shards and time limits need no more.
CPU_BYTES = 400e6
CUDA_BYTES = 40e9


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperSpec(EngineSpec):
    """`compute_type` is one of CTranslate2's."""

    name: str = "whisper"
    model_path: str
    compute_type: str = "default"

    def build(self) -> Engine:
        return WhisperEngine(self)


class WhisperEngine:
    """Takes arrays only: with a path, faster-whisper 1.2.1 would decode by itself, and fail with PyAV 19."""

    batch_size = 1
    batch_sec = WINDOW_SEC

    def __init__(self, spec: WhisperSpec) -> None:
        from faster_whisper import WhisperModel
        from tqdm import tqdm

        # faster-whisper's progress bars would make a lock between processes, which a killed engine leaves behind.
        tqdm.set_lock(RLock())
        # One thread: the pool has a process for each core, and sums must not depend on the number of workers.
        self._model = WhisperModel(
            spec.model_path,
            device=spec.device,
            compute_type=spec.compute_type,
            cpu_threads=1,
            local_files_only=True,
        )

    def transcribe(self, segments: Sequence[Segment], language: str) -> list[Hearing]:
        code = whisper_code(language)
        return [self._hear(segment, code) for segment in segments]

    def _hear(self, segment: Segment, code: str) -> Hearing:
        """Temperature 0 only: the usual fallback samples at random, and the same audio must give the same text."""
        if not segment.samples.any():  # digital silence, of which Whisper is known to make phrases
            return Hearing("")
        phrases, _ = self._model.transcribe(
            segment.samples,
            language=code,
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=False,
        )
        heard = list(phrases)
        words = [spoken(word) for phrase in heard for word in phrase.words or ()]
        text = clean_text("".join(phrase.text for phrase in heard))
        return Hearing(text, tidy_words(words, segment.duration_sec))


def spoken(word: Any) -> Word:
    """From faster-whisper's own word, whose numbers may be numpy's."""
    return Word(word.word, float(word.start), float(word.end), float(word.probability))


def whisper_spec(model: ModelInfo, device: str, compute_type: str) -> WhisperSpec:
    """On a GPU one process: each more would load the model once more."""
    name = model.name if model.name.startswith("whisper") else f"whisper-{model.name}"
    return WhisperSpec(
        model=name,
        revision=model.revision,
        languages=model.languages,
        speed=(CUDA_BYTES if device == "cuda" else CPU_BYTES) / model.size_bytes,
        most_processes=1 if device == "cuda" else None,
        model_path=str(model.path),
        device=device,
        compute_type=compute_type,
    )
