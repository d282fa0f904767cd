"""Replaces the specification of the scripted engine in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchscribe.speech.engine import EngineSpec


def replace_scripted(make_spec: Callable[[], EngineSpec]) -> None:
    from batchscribe.speech import registry
    from batchscribe.speech.scripted import SCRIPTED

    scripted = replace(SCRIPTED, find_models=lambda _settings: [make_spec()])
    engines = tuple(scripted if engine.name == scripted.name else engine for engine in registry.BUILT_IN)
    vars(registry).update(BUILT_IN=engines)
