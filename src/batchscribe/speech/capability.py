"""The engines that a worker offers, in a form for other processes, which have no access to its models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.languages import understands

#: The rank of an engine without one.
LAST = 1_000
KEY_DIGITS = 12
#: End of a queue's key if its jobs need the speaker models. The digest of a model never ends like this.
_WITH_SPEAKERS = ".speakers"


def key_of_model(engine: str, model: str, revision: str | None) -> str:
    """Return a short name of the model, as part of queue names: the engine, a dot, and hexadecimal digits."""
    digest = hashlib.sha256(json.dumps([model, revision]).encode()).hexdigest()
    return f"{engine}.{digest[:KEY_DIGITS]}"


def engine_of_key(key: str) -> str:
    """Return the engine of the key of a model or queue. The name of an engine is returned unchanged."""
    return key.partition(".")[0]


def queue_key_of(key: str, *, diarization: bool) -> str:
    """Return what selects a queue: an engine or the key of a model, and whether its jobs need the speaker models."""
    return key + _WITH_SPEAKERS if diarization else key


def needs_speakers(queue_key: str) -> bool:
    """Return whether the jobs of a queue need the speaker models."""
    return queue_key.endswith(_WITH_SPEAKERS)


def model_of_queue(queue_key: str) -> str:
    """Return the engine or the key of a model that selects a queue."""
    return queue_key.removesuffix(_WITH_SPEAKERS)


def describe_model_at(model: str, revision: str | None) -> str:
    """Return the model's name and its revision, if known, for messages."""
    return f"{model} at revision {revision}" if revision else model


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """An engine and its model on some worker. `rank` is that of the engine; the other fields are of `EngineSpec`.

    Workers of earlier releases publish no ranks, no options, and no support for language detection, vocabularies or
    diarization.
    """

    name: str
    model: str
    revision: str | None = None
    languages: tuple[str, ...]
    detects_languages: bool = False
    takes_vocabulary: bool = False
    has_speakers: bool = False  #: whether its worker also has the speaker models, for diarization
    speed: float
    device: str = "cpu"
    rank: int | None = None
    model_rank: int = 0
    options: tuple[str, ...] = ()  #: what its worker can do that earlier releases cannot; see `WorkerRecord.can_read`
    is_offered: bool = True  #: False for a model that only jobs use that were accepted for it earlier

    @classmethod
    def of(cls, spec: EngineSpec, rank: int | None = None) -> Capability:
        return cls(
            name=spec.name,
            model=spec.model,
            revision=spec.revision,
            languages=spec.languages,
            detects_languages=spec.detects_languages,
            takes_vocabulary=spec.takes_vocabulary,
            speed=spec.speed,
            device=spec.device,
            rank=rank,
            model_rank=spec.model_rank,
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

    @property
    def key(self) -> str:
        return key_of_model(self.name, self.model, self.revision)

    @property
    def has_queue(self) -> bool:
        """Whether its worker reads the queue of the model. Workers of earlier releases read only those of engines."""
        return self.rank is not None

    def rank_by(self, known: Mapping[str, int]) -> int:
        """Return the rank of the engine: as published, otherwise from the engines that this process knows."""
        return known.get(self.name, LAST) if self.rank is None else self.rank

    def understands(self, language: str) -> bool:
        """Return whether the engine supports `language`, a tag from `canonical_language`."""
        return understands(self.languages, language)


_FORM = TypeAdapter(Capability)
