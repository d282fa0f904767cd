"""Which models and engines are measured."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.models.published import KEPT

from batchscribe.models.at_hand import list_models
from batchscribe.settings import load_settings
from batchscribe.speech.languages import primary_subtag
from batchscribe.speech.whisper_format import WHISPER_FORMAT

POCKETSPHINX = "pocketsphinx"
CORES = len(os.sched_getaffinity(0))
COMPUTE_TYPE = "int8"  #: on both sides; what `auto` means on a CPU


@dataclass(frozen=True, slots=True)
class Model:
    """`folder` is None for pocketsphinx, whose model is built in. `languages` have no region."""

    name: str
    languages: frozenset[str]
    folder: Path | None = None

    @property
    def engine(self) -> str:
        return POCKETSPHINX if self.folder is None else "whisper"

    @property
    def settings(self) -> dict[str, str]:
        """By their names as fields. On a GPU the rivals would have to be set up otherwise."""
        chosen = {"device": "cpu", "compute_type": COMPUTE_TYPE}
        return chosen if self.folder is None else chosen | {"whisper_model": f"{self.folder}"}


def models_at_hand() -> list[Model]:
    """The pulled models, best first, those that the tests keep, and pocketsphinx."""
    found: dict[str, Model] = {}
    for settings in (load_settings(), load_settings(data_dir=KEPT)):
        for info in list_models(settings, [WHISPER_FORMAT]):
            languages = frozenset(primary_subtag(tag) for tag in info.languages)
            found.setdefault(info.name, Model(info.name, languages, info.path))
    built_in = [Model(POCKETSPHINX, frozenset({"en"}))] if find_spec(POCKETSPHINX) else []
    return [*found.values(), *built_in]
