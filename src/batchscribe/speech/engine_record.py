"""The record that describes an engine: one kind for the built-in engines and for those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from batchscribe.models.at_hand import ModelInfo
from batchscribe.models.model_format import ModelFormat
from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec

#: The group of entry points in which a package lists its engines. Each points to an `EngineRecord`.
ENTRY_POINTS = "batchscribe.engines"
#: A multilingual model that is also available where only the Python index can be reached.
PULL = "`batchscribe models pull base`"


def warn_of_nothing(_language: str, _is_named: bool) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRecord:
    """An engine. Each of its models is an `EngineSpec`, which has the languages, the window and the batch size."""

    name: str  #: up to 40 lower-case letters, digits and hyphens, starting with a letter
    #: A job that names no engine uses the one with the smallest rank that supports its language. Built-in engines have
    #: 10, 20 and so on; see `docs/engines.md`.
    rank: int
    #: Returns its installed models, best first; possibly none. Raises `EngineNotAvailable` if a model that the
    #: settings name is missing.
    find_models: Callable[[Settings], Sequence[EngineSpec]]
    #: The next step if there is no model; completes the message "Engine NAME has no model; ...".
    advice: str
    #: Returns the models for jobs that name this engine, if they differ.
    find_named: Callable[[Settings], Sequence[EngineSpec]] | None = None
    #: Returns installed models that `find_models` omits because the settings name another one. Jobs that were accepted
    #: for such a model still use it.
    find_others: Callable[[Settings], Sequence[EngineSpec]] | None = None
    #: The format of its models, for `batchscribe models`; None if it has no models to pull.
    model_format: ModelFormat | None = None
    #: Returns the specification of an installed model in this format. Raises `EngineNotAvailable`, `InvalidSetting`.
    make_spec: Callable[[ModelInfo, Settings], EngineSpec] | None = None
    #: Whether jobs that name no engine may use it.
    is_automatic: bool = True
    #: Returns the warnings for every transcript of a job: for its language, and whether the job names the engine.
    warn: Callable[[str, bool], tuple[str, ...]] = warn_of_nothing
