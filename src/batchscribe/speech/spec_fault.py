"""Checks of the specifications that engines of other packages return, before this process uses them."""

from __future__ import annotations

import pickle
from dataclasses import fields
from math import isfinite
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from batchscribe.errors import UnsupportedLanguage
from batchscribe.speech.engine import LEAST_WINDOW_SEC, WINDOW_SEC, EngineSpec
from batchscribe.speech.engine_child import describe
from batchscribe.speech.languages import canonical_language


def find_fault(spec: object, name: str) -> str | None:
    """Return why a specification of the engine `name` is invalid, as part of a sentence; None if it is valid."""
    if not isinstance(spec, EngineSpec):
        return f"{type(spec).__name__} is not an EngineSpec"
    if fault := _find_type_fault(spec):
        return fault
    if spec.name != name:
        return f"its name is {spec.name!r} instead of {name!r}"
    if not spec.model or not spec.languages:
        return "it has no model name or no language"
    for tag in spec.languages:
        try:
            canonical_language(tag)
        except UnsupportedLanguage as error:
            return error.message.rstrip(".")
    if not (isfinite(spec.speed) and spec.speed > 0):
        return f"its speed is {spec.speed}; it must be above 0"
    if spec.batch_size < 1:
        return f"its batch_size is {spec.batch_size}; it must be at least 1"
    if spec.window_sec and not LEAST_WINDOW_SEC <= spec.window_sec <= WINDOW_SEC:
        return f"its window_sec is {spec.window_sec:g}; it must be 0, or {LEAST_WINDOW_SEC:g} to {WINDOW_SEC:g}"
    return None


def _find_type_fault(spec: EngineSpec) -> str | None:
    try:
        _FIELDS.model_validate(spec)
        hash(spec)
        pickle.dumps(spec)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        return f"it cannot be hashed and pickled ({describe(error)})"
    return None


def _make_fields() -> type[BaseModel]:
    """Return a model with the fields of `EngineSpec`, which accepts only values of their exact types."""
    hints = get_type_hints(EngineSpec)
    types: dict[str, Any] = {each.name: (hints[each.name], ...) for each in fields(EngineSpec)}
    config = ConfigDict(strict=True, from_attributes=True, protected_namespaces=())
    return create_model("EngineSpecFields", __config__=config, **types)


_FIELDS = _make_fields()
