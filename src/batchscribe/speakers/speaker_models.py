"""The speaker models of diarization: where they are installed, and their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from batchscribe.errors import ModelDamaged
from batchscribe.models.at_hand import is_model
from batchscribe.models.folders import folder_of
from batchscribe.models.origin import FileRecord, read_origin
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_format import EMBEDDING, NAME, SEGMENTATION, SPEAKER_FORMAT

PULL = f"`batchscribe models pull {NAME}`"
NOT_INSTALLED = f"The speaker models, which diarization needs, are not installed; get them with {PULL}."
PULL_AGAIN = f"`batchscribe models remove {NAME}` and {PULL} reinstall them."


@dataclass(frozen=True, slots=True)
class SpeakerModels:
    """The content of the ONNX files: pyannote's segmentation-3.0, and the speaker embedding CAM++."""

    segmentation: bytes = field(repr=False)
    embedding: bytes = field(repr=False)


def find_speaker_models(settings: Settings) -> Path | None:
    """Return the folder of the installed speaker models; None if they are not installed."""
    folder = folder_of(NAME, settings)
    return folder if is_model(folder, (SPEAKER_FORMAT,)) else None


def read_speaker_models(folder: Path) -> SpeakerModels:
    """Read the models and compare them with the record of their conversion. Raises `ModelDamaged`, `OSError`."""
    records = read_origin(folder).files
    return SpeakerModels(*(_read(folder / name, records.get(name)) for name in (SEGMENTATION, EMBEDDING)))


def _read(path: Path, record: FileRecord | None) -> bytes:
    content = path.read_bytes()
    if record is None or hashlib.sha256(content).hexdigest() != record.sha256:
        raise ModelDamaged(f"{path} is not the file that was converted from the publisher's. {PULL_AGAIN}")
    return content
