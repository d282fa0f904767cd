"""The specification of a Whisper model. Only engine processes load the engine itself."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from batchscribe.models.at_hand import ModelInfo
from batchscribe.speech.devices import CUDA, kind_of
from batchscribe.speech.engine import WINDOW_SEC, Engine, EngineSpec, RecognitionRequest
from batchscribe.speech.languages import whisper_code

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
        from batchscribe.speech.whisper_listen import frames_for

        return frames_for(request.window), whisper_code(request.language)

    def build(self) -> Engine:
        from batchscribe.speech.whisper import WhisperEngine
        from batchscribe.speech.whisper_model import WhisperModel

        return WhisperEngine(WhisperModel(Path(self.model_path), self.device, self.compute_type))


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
