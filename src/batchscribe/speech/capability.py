"""The engines that a worker offers, in a form for other processes, which have no access to its models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.languages import understands


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """An engine and its model on some worker. The fields are those of `EngineSpec`."""

    name: str
    model: str
    revision: str | None = None
    languages: tuple[str, ...]
    detects_languages: bool = False
    speed: float
    device: str = "cpu"

    @classmethod
    def of(cls, spec: EngineSpec) -> Capability:
        return cls(
            name=spec.name,
            model=spec.model,
            revision=spec.revision,
            languages=spec.languages,
            detects_languages=spec.detects_languages,
            speed=spec.speed,
            device=spec.device,
        )

    @classmethod
    def from_json(cls, values: object) -> Capability | None:
        """Parse a capability; return None if it is invalid, which may be because another release wrote it."""
        try:
            found = _FORM.validate_python(values)
        except ValidationError:
            return None
        return found if isfinite(found.speed) and found.speed > 0 else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def understands(self, language: str) -> bool:
        """Return whether the engine supports `language`, a tag from `canonical_language`."""
        return understands(self.languages, language)


_FORM = TypeAdapter(Capability)
