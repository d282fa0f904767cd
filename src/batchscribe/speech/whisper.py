"""The Whisper models, run with CTranslate2: about 100 languages, word times, models in folders.

The steps of a batch, in order: features, encoder output, language detection if requested, text and word times
(`whisper_listen`), retries if the text is doubtful (`whisper_retry`), the vocabulary if there is one
(`whisper_vocabulary`), phrases with flags (`whisper_phrases`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from batchscribe.models.at_hand import ModelInfo
from batchscribe.speech.devices import CUDA, kind_of
from batchscribe.speech.engine import WINDOW_SEC, Engine, EngineSpec, LanguageChoice, RecognitionRequest
from batchscribe.speech.language_vote import choose_language
from batchscribe.speech.languages import primary_subtag, whisper_code, whisper_tag
from batchscribe.speech.whisper_listen import LENGTHS, Listener, Pass, Passes, frames_for
from batchscribe.speech.whisper_model import Features, WhisperModel
from batchscribe.speech.whisper_phrases import build_recognition
from batchscribe.speech.whisper_retry import find_missed, retry_doubtful
from batchscribe.window import Recognition

#: The model size that one CPU core, or one GPU, can run in real time: orders of magnitude, from the parameter counts.
#: They are used only for shard sizes and time limits.
CPU_BYTES = 400e6
CUDA_BYTES = 40e9
#: Windows in one call. Larger batches gain almost nothing on a CPU, where the encoder takes most of the time.
#: With fewer, a crash repeats less work: batches of 4 take 2 % more CPU than batches of 8 (`base`). A GPU processes
#: many windows at once; if its memory does not suffice, the engine process halves the batch.
CPU_BATCH, CUDA_BATCH = 4, 64
#: On a CPU, the decoder's cache for a window takes a quarter of the model's size; that of a batch stays below 1 GB.
BATCH_BYTES = 4e9
#: Threads that compute features for a GPU. Those of 30 s take 10 to 30 ms of CPU, so one feeds 1,000 times real time.
PREPARING_THREADS = 2
#: The most languages that are reported for a window.
MOST_DETECTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperSpec(EngineSpec):
    """The specification of a Whisper engine. `compute_type` is a CTranslate2 compute type."""

    name: str = "whisper"
    model_path: str
    compute_type: str = "default"
    takes_vocabulary: bool = True
    window_sec: float = WINDOW_SEC

    def reads(self) -> tuple[Path, ...]:
        """Return the model's folder, and the targets of its files that are symbolic links."""
        folder = Path(self.model_path)
        return (folder, *(file.resolve() for file in folder.iterdir() if file.is_symlink()))

    def kind_of_request(self, request: RecognitionRequest) -> Hashable:
        return frames_for(request.window), whisper_code(request.language)

    def build(self) -> Engine:
        return WhisperEngine(WhisperModel(Path(self.model_path), self.device, self.compute_type))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request with its features; None for digital silence, for which Whisper is known to invent text."""

    request: RecognitionRequest
    features: Features | None

    @property
    def n_frames(self) -> int:
        return frames_for(self.request.window)

    @property
    def asks_for_languages(self) -> bool:
        return self.features is not None and self.request.detection is not LanguageChoice.OFF


class WhisperEngine:
    """The engine. It is deterministic: the text of a window does not depend on the other windows of its batch."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        return self.transcribe_prepared([self._prepare(request) for request in requests])

    def prepare(self, requests: Sequence[RecognitionRequest]) -> list[_Prepared]:
        with ThreadPoolExecutor(PREPARING_THREADS, thread_name_prefix="features") as threads:
            return list(threads.map(self._prepare, requests))

    def _prepare(self, request: RecognitionRequest) -> _Prepared:
        window = request.window
        is_silent = not window.samples.any()
        return _Prepared(request, None if is_silent else self._model.features(window.samples, frames_for(window)))

    def transcribe_prepared(self, prepared: Sequence[_Prepared]) -> list[Recognition]:
        listener = Listener(self._model)
        for each in prepared:
            if each.features is not None:
                listener.provide(each.request.window, each.features)
        detected = self._detect(listener, prepared)
        return listener.run_together(
            [self._recognize(listener, *each) for each in zip(prepared, detected, strict=True)]
        )

    def _detect(self, listener: Listener, prepared: Sequence[_Prepared]) -> list[dict[str, float]]:
        """Return the most probable languages of each window, as tags without region; none if it was not asked."""
        detected: list[dict[str, float]] = [{} for _ in prepared]
        asked = (
            [at for at, each in enumerate(prepared) if each.asks_for_languages] if self._model.is_multilingual else []
        )
        for n_frames in LENGTHS:
            positions = [at for at in asked if prepared[at].n_frames == n_frames]
            if not positions:
                continue
            encoded = listener.encode([prepared[at].request.window for at in positions], n_frames)
            for at, found in zip(positions, self._model.detect_languages(encoded), strict=True):
                detected[at] = {whisper_tag(code): probability for code, probability in found[:MOST_DETECTED]}
        return detected

    def _recognize(self, listener: Listener, prepared: _Prepared, detected: dict[str, float]) -> Passes[Recognition]:
        """Recognize one window: in the requested language, or in a detected one, which is a tag without region."""
        if prepared.features is None:
            return Recognition()
        request, n_frames = prepared.request, prepared.n_frames
        is_chosen = request.detection is LanguageChoice.CHOOSE
        language = choose_language(detected, request.language) if is_chosen else request.language
        code = whisper_code(language)
        first = yield Pass(request.window, n_frames, code)
        take = yield from retry_doubtful(first, n_frames, code)
        missed = [] if take.doubts else (yield from find_missed(take, code))
        if request.vocabulary:
            from batchscribe.speech.whisper_vocabulary import WhisperVocabulary  # its libraries take 50 ms to import

            vocabulary = WhisperVocabulary(self._model, listener, request.vocabulary, code)
            take = vocabulary.apply(take)
            missed = [(start_sec, vocabulary.apply(each)) for start_sec, each in missed]
        return build_recognition(
            take,
            missed=missed,
            language=primary_subtag(language) if is_chosen else None,
            detected=tuple(detected.items()),
        )


def whisper_spec(model: ModelInfo, devices: tuple[str, ...], compute_type: str) -> WhisperSpec:
    """Return the specification for a model. A GPU gets one process, because each process loads the model."""
    device = kind_of(devices[0])
    name = model.name if model.name.startswith("whisper") else f"whisper-{model.name}"
    is_cuda = device == CUDA
    return WhisperSpec(
        model=name,
        revision=model.revision,
        languages=model.languages,
        detects_languages=len(model.languages) > 1,
        speed=(CUDA_BYTES if is_cuda else CPU_BYTES) / model.size_bytes,
        batch_size=CUDA_BATCH if is_cuda else max(1, min(CPU_BATCH, int(BATCH_BYTES / model.size_bytes))),
        reads_ahead=is_cuda,
        model_path=str(model.path),
        device=device,
        devices=devices if is_cuda else (),
        compute_type=resolve_compute_type(compute_type, device),
    )


def resolve_compute_type(compute_type: str, device: str) -> str:
    """Resolve `auto` to a fast type without a measurable loss of accuracy: int8 on a CPU, float16 on a GPU."""
    if compute_type != "auto":
        return compute_type
    return "float16" if device == CUDA else "int8"
