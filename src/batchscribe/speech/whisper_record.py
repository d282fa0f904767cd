"""The record of the engine `whisper`: its installed models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batchscribe.settings import Settings
from batchscribe.speech.devices import find_devices
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.engine_record import PULL, EngineRecord
from batchscribe.speech.models.at_hand import ModelInfo, find_model, list_models
from batchscribe.speech.models.known import KNOWN_MODELS
from batchscribe.speech.whisper import whisper_spec


def find_whisper_specs(settings: Settings) -> list[EngineSpec]:
    """Return the configured model, or else all pulled models. Raises `EngineNotAvailable`, `InvalidSetting`."""
    if settings.whisper_model is None:
        return find_pulled_specs(settings)
    return _make_specs([find_model(settings.whisper_model, settings)], settings)


def find_pulled_specs(settings: Settings) -> list[EngineSpec]:
    """Return all pulled models. Raises `InvalidSetting`."""
    return _make_specs(list_models(settings), settings)


def _make_specs(models: Sequence[ModelInfo], settings: Settings) -> list[EngineSpec]:
    if not models:
        return []
    devices = find_devices(settings.device)
    ranks = {name: rank for rank, name in enumerate(KNOWN_MODELS)}
    return [
        replace(whisper_spec(model, devices, settings.compute_type), model_rank=ranks.get(model.name, len(ranks)))
        for model in models
    ]


def speed_of(model: ModelInfo, settings: Settings) -> float:
    """Estimate the audio seconds per second of all engine processes of this machine. Raises `InvalidSetting`."""
    spec = whisper_spec(model, find_devices(settings.device), settings.compute_type)
    return spec.speed * spec.count_processes(settings.engine_processes)


WHISPER = EngineRecord(
    name="whisper",
    rank=20,
    find_models=find_whisper_specs,
    find_others=find_pulled_specs,
    advice=f"get one with {PULL}, or set BATCHSCRIBE_WHISPER_MODEL to a folder",
)
