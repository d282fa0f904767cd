"""The speaker models on this machine, and the diarizer to measure."""

from __future__ import annotations

from functools import cache

from tests.models.published import KEPT

from batchscribe.settings import load_settings
from batchscribe.speakers.diarizer import Diarizer
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_models import SpeakerModels, find_speaker_models, read_speaker_models


@cache
def installed_models() -> SpeakerModels:
    """Read the pulled models, or those that the tests keep."""
    for settings in (load_settings(), load_settings(data_dir=KEPT)):
        folder = find_speaker_models(settings)
        if folder is not None:
            return read_speaker_models(folder)
    raise SystemExit("There are no speaker models: `batchscribe models pull speakers` installs them.")


def new_diarizer(models: SpeakerModels, count: SpeakerCount | None = None) -> Diarizer:
    """Return a diarizer for one core, so that CPU times are comparable."""
    return Diarizer(models, count or SpeakerCount(), 1)
