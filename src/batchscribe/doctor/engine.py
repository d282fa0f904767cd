"""Checks of the speech engines."""

from __future__ import annotations

import time
from collections.abc import Iterator

from batchscribe.doctor.check import Check, failed, ok, warning
from batchscribe.errors import EngineNotAvailable, InvalidSetting, MachineTrouble
from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import PULL, find_engines

NAME = "engine"
PULL_ADVICE = f"Get a model with {PULL}; BATCHSCRIBE_ENGINE and BATCHSCRIBE_WHISPER_MODEL select which one is used."


def check_engines(settings: Settings, *, load: bool) -> Iterator[Check]:
    """Check which engines are installed. With `load`, also start the best one and transcribe a trial recording."""
    try:
        engines = find_engines(settings.engine, settings)
    except (EngineNotAvailable, InvalidSetting) as error:
        yield failed(NAME, error.message, PULL_ADVICE)
        return
    yield check_installed(engines)
    if load:
        yield check_loading(engines[0])


def check_installed(engines: list[EngineSpec]) -> Check:
    found = f"Installed: {', '.join(f'{each.name} with {each.model} on {each.device}' for each in engines)}."
    if not any(each.name == "whisper" for each in engines):
        return warning(NAME, f"{found} There is no Whisper model, so accuracy is low.", PULL_ADVICE)
    return ok(NAME, found)


def check_loading(engine: EngineSpec) -> Check:
    """Start the engine in its own process, as a worker does."""
    name = f"engine {engine.name}"
    began_at = time.monotonic()
    try:
        with EnginePool(engine, 1) as pool:
            pool.try_out()
    except MachineTrouble as error:
        return failed(name, error.message, PULL_ADVICE)
    return ok(
        name,
        f"It loaded {engine.model} on {engine.device} and transcribed a trial recording "
        f"in {time.monotonic() - began_at:.1f} s.",
    )
