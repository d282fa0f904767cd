"""The Whisper models, run with CTranslate2: about 100 languages, word times, models in folders.

The steps of a batch, in order: features, encoder output, language detection if requested, text and word times
(`whisper_listen`), retries if the text is doubtful (`whisper_retry`), phrases with flags (`whisper_phrases`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchscribe.speech.devices import CUDA, kind_of
from batchscribe.speech.engine import WINDOW_SEC, Engine, EngineSpec, LanguageChoice, RecognitionRequest
from batchscribe.speech.language_vote import choose_language
from batchscribe.speech.languages import primary_subtag, whisper_code, whisper_tag
from batchscribe.speech.models.at_hand import ModelInfo
from batchscribe.speech.whisper_listen import Take, encode, frames_for, listen
from batchscribe.speech.whisper_model import Encoded, SearchOptions, WhisperModel
from batchscribe.speech.whisper_phrases import build_recognition
from batchscribe.speech.whisper_retry import find_missed, retry_doubtful
from batchscribe.window import Recognition

#: The model size that one CPU core, or one GPU, can run in real time: orders of magnitude, from the parameter counts.
#: They are used only for shard sizes and time limits.
CPU_BYTES = 400e6
CUDA_BYTES = 40e9
#: Windows in one call. Larger batches gain almost nothing on a CPU, where the encoder takes most of the time.
CPU_BATCH, CUDA_BATCH = 8, 16
#: The decoder's cache for a window takes a quarter of the model's size; that of a batch stays below 1 GB.
BATCH_BYTES = 4e9
#: The most languages that are reported for a window.
MOST_DETECTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperSpec(EngineSpec):
    """The specification of a Whisper engine. `compute_type` is a CTranslate2 compute type."""

    name: str = "whisper"
    model_path: str
    compute_type: str = "default"
    window_sec: float = WINDOW_SEC

    def reads(self) -> tuple[Path, ...]:
        """Return the model's folder, and the targets of its files that are symbolic links."""
        folder = Path(self.model_path)
        return (folder, *(file.resolve() for file in folder.iterdir() if file.is_symlink()))

    def build(self) -> Engine:
        return WhisperEngine(WhisperModel(Path(self.model_path), self.device, self.compute_type))


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A request with its encoder output."""

    request: RecognitionRequest
    n_frames: int
    encoded: Encoded
    detected: dict[str, float]  #: the most probable languages, as tags without region

    @property
    def language(self) -> str:
        """The language to transcribe in: the requested tag, or a detected one without region."""
        requested = self.request.language
        return (
            choose_language(self.detected, requested) if self.request.detection is LanguageChoice.CHOOSE else requested
        )


class WhisperEngine:
    """The engine. It is deterministic: the text of a window does not depend on the other windows of its batch."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        # Whisper is known to invent text for digital silence.
        encodings = [self._encode(request) if request.window.samples.any() else None for request in requests]
        takes = self._listen([encoding for encoding in encodings if encoding is not None])
        return [Recognition() if encoding is None else self._finish(encoding, next(takes)) for encoding in encodings]

    def _encode(self, request: RecognitionRequest) -> _Encoding:
        n_frames = frames_for(request.window)
        encoded = encode(self._model, request.window, n_frames)
        detected: dict[str, float] = {}
        if request.detection is not LanguageChoice.OFF and self._model.is_multilingual:
            found = self._model.detect_language(encoded)
            detected = {whisper_tag(code): probability for code, probability in found[:MOST_DETECTED]}
        return _Encoding(request, n_frames, encoded, detected)

    def _listen(self, encodings: Sequence[_Encoding]) -> Iterator[Take]:
        """Return one take per encoding, in order. Those with the same number of frames and language share a batch."""
        kinds = [(encoding.n_frames, whisper_code(encoding.language)) for encoding in encodings]
        takes: dict[int, Take] = {}
        for kind in dict.fromkeys(kinds):
            positions = [at for at, each in enumerate(kinds) if each == kind]
            windows = [encodings[at].request.window for at in positions]
            heard = listen(self._model, [encodings[at].encoded for at in positions], windows, kind[1], SearchOptions())
            takes.update(zip(positions, heard, strict=True))
        return (takes[at] for at in range(len(encodings)))

    def _finish(self, encoding: _Encoding, first: Take) -> Recognition:
        code = whisper_code(encoding.language)
        take = retry_doubtful(self._model, first, encoding.n_frames, code)
        return build_recognition(
            take,
            missed=[] if take.doubts else list(find_missed(self._model, take, code)),
            language=primary_subtag(encoding.language) if encoding.request.detection is LanguageChoice.CHOOSE else None,
            detected=tuple(encoding.detected.items()),
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
        batch_size=max(1, min(CUDA_BATCH if is_cuda else CPU_BATCH, int(BATCH_BYTES / model.size_bytes))),
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
