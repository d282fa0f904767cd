"""The format of Whisper models: CTranslate2's."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from batchscribe.models.model_format import ModelFormat
from batchscribe.speech.languages import REGIONS, whisper_code
from batchscribe.speech.whisper_known import KNOWN_MODELS

#: Required files. `preprocessor_config.json` is optional: small models do not have it.
NEEDED = ("config.json", "model.bin", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
#: All files that the engine reads.
READ = (*NEEDED, *VOCABULARIES, "preprocessor_config.json")


def select_files(names: Collection[str], _variant: str | None = None) -> list[str]:
    return [name for name in READ if name in names]


def missing_names(names: Collection[str]) -> list[str]:
    """Return the names of the files that a model with these files lacks."""
    missing = [name for name in NEEDED if name not in names]
    if not any(name in names for name in VOCABULARIES):
        missing.append(VOCABULARIES[0])
    return missing


def languages_of(path: Path) -> tuple[str, ...]:
    """Read the languages from the vocabulary, as CTranslate2 does: an English-only model has no empty token.

    Returns none if the vocabulary is damaged.
    """
    try:
        vocabulary = read_vocabulary(path)
    except (TypeError, ValueError):
        return ()
    if "" not in vocabulary:
        return ("en",)
    return tuple(tag for tag in REGIONS if f"<|{whisper_code(tag)}|>" in vocabulary)


def read_vocabulary(path: Path) -> frozenset[str]:
    """Raises `TypeError` and `ValueError` if the file is damaged."""
    as_json, as_text = (path / name for name in VOCABULARIES)
    if as_json.is_file():
        return frozenset(json.loads(as_json.read_text(encoding="utf-8")))
    # The last line ends with a newline like the others; no empty token follows it.
    return frozenset(as_text.read_text(encoding="utf-8").removesuffix("\n").split("\n"))


WHISPER_FORMAT = ModelFormat(
    engine="whisper",
    title="Whisper model in CTranslate2 format",
    select=select_files,
    find_missing=missing_names,
    read_languages=languages_of,
    known=KNOWN_MODELS,
)
