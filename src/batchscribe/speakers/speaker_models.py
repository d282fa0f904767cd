"""The models that diarization needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SpeakerModels:
    """The ONNX files of pyannote's segmentation-3.0 and of the CAM++ speaker embedding."""

    segmentation: Path
    embedding: Path
