"""The record of the engine `whisper`: its installed models."""

from __future__ import annotations

from dataclasses import replace

from batchscribe.errors import EngineNotAvailable
from batchscribe.models.at_hand import ModelInfo, find_model, list_models
from batchscribe.settings import Settings
from batchscribe.speech.devices import find_devices
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.engine_record import PULL, EngineRecord
from batchscribe.speech.whisper_format import WHISPER_FORMAT
from batchscribe.speech.whisper_spec import whisper_spec


def find_whisper_specs(settings: Settings) -> list[EngineSpec]:
    """Return the configured model, or else all pulled models. Raises `EngineNotAvailable`, `InvalidSetting`."""
    if settings.whisper_model is None:
        return find_pulled_specs(settings)
    return [make_spec(find_model(settings.whisper_model, settings, WHISPER_FORMAT), settings)]


def find_pulled_specs(settings: Settings) -> list[EngineSpec]:
    """Return all pulled models with a readable vocabulary. Raises `InvalidSetting`."""
    return [make_spec(model, settings) for model in list_models(settings, (WHISPER_FORMAT,)) if model.languages]


def make_spec(model: ModelInfo, settings: Settings) -> EngineSpec:
    """Return the specification of a model. Raises `EngineNotAvailable`, `InvalidSetting`."""
    if not model.languages:
        raise EngineNotAvailable(
            f"The vocabulary of the Whisper model {model.name} is damaged; check it with `batchscribe models verify`."
        )
    return replace(whisper_spec(model, find_devices(settings.device), settings.compute_type), model_rank=model.rank)


WHISPER = EngineRecord(
    name="whisper",
    rank=20,
    find_models=find_whisper_specs,
    find_others=find_pulled_specs,
    model_format=WHISPER_FORMAT,
    make_spec=make_spec,
    advice=f"get one with {PULL}, or set BATCHSCRIBE_WHISPER_MODEL to a folder",
)
