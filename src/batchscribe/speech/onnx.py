"""The engine `onnx`: Parakeet, Canary and other models that onnx-asr loads, run with ONNX Runtime.

The text of a window does not depend on the other windows of its batch. So the samples of each window are padded to a
length that depends only on that window, and only windows of equal length share a call. Some models have no such
batches at all; see `is_batchable`.
"""

from __future__ import annotations

import mmap
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from batchscribe.errors import EngineNotAvailable
from batchscribe.models.at_hand import ModelInfo, find_model, list_models
from batchscribe.settings import Settings
from batchscribe.speech.devices import CPU, CUDA, find_devices, kind_of, number_of
from batchscribe.speech.engine import Engine, EngineSpec, RecognitionRequest
from batchscribe.speech.engine_record import EngineRecord
from batchscribe.speech.languages import primary_subtag
from batchscribe.speech.onnx_models import FACTS_FILE, NAME, ONNX_FORMAT, OnnxFiles, read_facts, read_files
from batchscribe.speech.onnx_words import Token, build_recognition
from batchscribe.window import SAMPLE_RATE, Recognition, Samples, Window

PACKAGE = "onnx_asr"
#: The longest window. onnx-asr recommends 20 to 30 s; GigaAM accepts at most 25 s.
LONGEST_SEC = 25.0
#: Windows are padded to a multiple of this on a GPU, so that many share a length. On a CPU, batches gain nothing.
PAD_SEC = 5.0
#: Shorter windows are padded with silence: the features need some frames.
SHORTEST_SEC = 0.2
CUDA_BATCH = 32
#: The model size that one CPU core, or one GPU, can run in real time; see `whisper.py`. From onnx-asr's own figures:
#: Parakeet of 2.4 GB runs at 36 times real time on 8 cores, and at 57 to 320 times on a GPU.
CPU_BYTES = 10e9
CUDA_BYTES = 250e9
#: Types whose batches are exact. Others read the padding, or continue a finished text while others of the batch run.
BATCHABLE = frozenset({"nemo-conformer-ctc", "nemo-conformer-rnnt", "nemo-conformer-tdt"})
AED = "nemo-conformer-aed"
#: An operator that scales numbers by the largest of the whole batch.
DYNAMIC_SCALE = b"DynamicQuantizeLinear"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxSpec(EngineSpec):
    """The specification of an ONNX model. `model_type` and `quantization` are onnx-asr's names."""

    name: str = NAME
    model_path: str
    model_type: str
    quantization: str | None = None
    pad_sec: float = 0.0  #: samples are padded to a multiple of this; 0: not at all
    window_sec: float = LONGEST_SEC

    def reads(self) -> tuple[Path, ...]:
        """Return the model's folder, and the targets of its files that are symbolic links."""
        folder = Path(self.model_path)
        return (folder, *(file.resolve() for file in folder.rglob("*") if file.is_symlink()))

    def kind_of_request(self, request: RecognitionRequest) -> Hashable:
        return self.padded_length(request.window), primary_subtag(request.language)

    def padded_length(self, window: Window) -> int:
        """Return the number of samples that the model gets for a window."""
        step = round(self.pad_sec * SAMPLE_RATE) or 1
        return -(-_sound_length(window) // step) * step

    def build(self) -> Engine:
        return OnnxEngine(self)


class OnnxEngine:
    """A loaded model."""

    def __init__(self, spec: OnnxSpec) -> None:
        self._spec = spec
        self._model = load(spec)
        self._batches = is_batchable(spec)

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        groups: dict[tuple[int, str | int], list[int]] = defaultdict(list)
        for at, request in enumerate(requests):
            if request.window.samples.any():  # models may invent text for digital silence
                language = primary_subtag(request.language)
                groups[self._spec.padded_length(request.window), language if self._batches else at].append(at)
        found: dict[int, Recognition] = {}
        for (length, _), places in groups.items():
            found.update(zip(places, self._recognize([requests[at] for at in places], length), strict=True))
        return [found.get(at, Recognition()) for at in range(len(requests))]

    def _recognize(self, requests: Sequence[RecognitionRequest], length: int) -> list[Recognition]:
        """Recognize windows in one call; all get the same number of samples."""
        import numpy as np

        samples = np.stack([pad(request.window.samples, length) for request in requests])
        lengths = np.array([_sound_length(request.window) for request in requests], np.int64)
        options = {"language": primary_subtag(requests[0].language)} if self._spec.model_type == AED else {}
        results = self._model.asr.recognize_batch(
            *self._model.resampler(samples, lengths, SAMPLE_RATE), need_logprobs=True, **options
        )
        return [_convert(result, request) for result, request in zip(results, requests, strict=True)]


def load(spec: OnnxSpec) -> Any:
    """Load the model without network. Raises `EngineNotAvailable`, and the errors of onnx-asr and ONNX Runtime."""
    import onnx_asr
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(4)  # only fatal errors: warnings may contain paths
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # one process for each core
    providers: list[Any] = ["CPUExecutionProvider"]
    if kind_of(spec.device) == CUDA:
        if not has_cuda():
            raise EngineNotAvailable(
                "The installed ONNX Runtime has no CUDA; install onnxruntime-gpu instead of onnxruntime."
            )
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": number_of(spec.device)}))
    model = onnx_asr.load_model(
        spec.model_type, spec.model_path, quantization=spec.quantization, sess_options=options, providers=providers
    )
    sessions = [value for value in vars(model.asr).values() if isinstance(value, onnxruntime.InferenceSession)]
    if kind_of(spec.device) == CUDA and not all("CUDAExecutionProvider" in each.get_providers() for each in sessions):
        raise EngineNotAvailable("ONNX Runtime cannot use the GPU; check its driver, CUDA and cuDNN.")
    return model.with_timestamps()


def has_cuda() -> bool:
    """Return whether the installed ONNX Runtime supports CUDA."""
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def is_batchable(spec: OnnxSpec) -> bool:
    """Return whether the result of a window is independent of the others in a call.

    It is not with dynamic quantization, which scales by the largest number of the batch.
    """
    if spec.model_type not in BATCHABLE:
        return False
    return not any(contains(file, DYNAMIC_SCALE) for file in Path(spec.model_path).glob("*.onnx"))


def contains(file: Path, part: bytes) -> bool:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(part) >= 0


def pad(samples: Samples, length: int) -> Samples:
    import numpy as np

    return np.pad(samples, (0, length - len(samples)))


def _sound_length(window: Window) -> int:
    """Return the number of samples that count as sound."""
    return max(len(window.samples), round(SHORTEST_SEC * SAMPLE_RATE))


def _convert(result: Any, request: RecognitionRequest) -> Recognition:
    """Convert onnx-asr's result. Models without token times, such as Canary, give only text."""
    duration_sec = request.window.duration_sec
    if result.timestamps is None:
        return Recognition.of(str(result.text).strip(), (), duration_sec)
    logs = result.logprobs if result.logprobs is not None else [None] * len(result.tokens)
    tokens = [Token(*each) for each in zip(result.tokens, result.timestamps, logs, strict=True)]
    return build_recognition(tokens, request.language, duration_sec)


# --- the installed models --------------------------------------------------------------------------------------


def find_onnx_specs(settings: Settings) -> list[EngineSpec]:
    """Return the configured model, or else all pulled models with known languages.

    Raises `EngineNotAvailable`, `InvalidSetting`.
    """
    if settings.onnx_model is None:
        return find_pulled_specs(settings)
    _check_installed()
    return [make_spec(find_model(settings.onnx_model, settings, ONNX_FORMAT), settings)]


def find_pulled_specs(settings: Settings) -> list[EngineSpec]:
    """Return the pulled models with known types and languages. Raises `InvalidSetting`."""
    if find_spec(PACKAGE) is None:
        return []
    models = list_models(settings, (ONNX_FORMAT,))
    return [make_spec(model, settings) for model in models if find_fault(model) is None]


def find_named_specs(settings: Settings) -> list[EngineSpec]:
    """Return the models for jobs that name the engine. Raises `EngineNotAvailable` with what is wrong with them."""
    _check_installed()
    specs = find_onnx_specs(settings)
    for model in list_models(settings, (ONNX_FORMAT,)) if not specs else ():
        raise EngineNotAvailable(find_fault(model) or "")
    return specs


def make_spec(model: ModelInfo, settings: Settings) -> OnnxSpec:
    """Return the specification of a model. Raises `EngineNotAvailable`, `InvalidSetting`."""
    if fault := find_fault(model):
        raise EngineNotAvailable(fault)
    files = _files_of(model)
    assert files is not None  # noqa: S101 - for the type checker: the model has no fault
    devices = find_devices(settings.device)
    if settings.device == "auto" and kind_of(devices[0]) == CUDA and not has_cuda():
        devices = (CPU,)
    is_cuda = kind_of(devices[0]) == CUDA
    can_batch = is_cuda and files.type in BATCHABLE and files.quantization in (None, "fp16")
    return OnnxSpec(
        model=model.name,
        model_rank=model.rank,
        revision=model.revision,
        languages=model.languages,
        speed=(CUDA_BYTES if is_cuda else CPU_BYTES) / model.size_bytes,
        batch_size=CUDA_BATCH if can_batch else 1,
        reads_ahead=is_cuda,
        pad_sec=PAD_SEC if can_batch else 0.0,
        model_path=str(model.path),
        model_type=files.type,
        quantization=files.quantization,
        device=kind_of(devices[0]),
        devices=devices if is_cuda else (),
    )


def find_fault(model: ModelInfo) -> str | None:
    """Return why a model cannot be used, as a sentence with the next step."""
    try:
        facts = read_facts(model.path)
    except ValueError as error:
        return f"{error}."
    write = f'write a file {model.path / FACTS_FILE}, such as {{"type": "nemo-conformer-tdt", "languages": ["en"]}}.'
    if facts.type is None:
        return f"The type of the ONNX model {model.name} is not known; {write}"
    if not facts.languages:
        return f"The languages of the ONNX model {model.name} are not known; {write}"
    if _files_of(model) is None:
        return f"The ONNX model {model.name} does not have the files of the type {facts.type}; {write}"
    return None


def _files_of(model: ModelInfo) -> OnnxFiles | None:
    return read_files(model.path, read_facts(model.path))


def _check_installed() -> None:
    if find_spec(PACKAGE) is None:
        raise EngineNotAvailable("Engine onnx is not installed; install it with `pip install 'batchscribe[onnx]'`.")


ONNX = EngineRecord(
    name=NAME,
    rank=10,
    find_models=find_onnx_specs,
    find_named=find_named_specs,
    find_others=find_pulled_specs,
    model_format=ONNX_FORMAT,
    make_spec=make_spec,
    advice="get one with `batchscribe models pull parakeet-tdt-0.6b-v3`, or set BATCHSCRIBE_ONNX_MODEL to a folder",
)
