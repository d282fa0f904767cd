"""The installed models: folders with a Whisper model in CTranslate2 format."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from batchscribe.errors import EngineNotAvailable
from batchscribe.settings import Settings
from batchscribe.speech.languages import REGIONS, whisper_code
from batchscribe.speech.models.folders import folder_of, name_of, pulled_folders
from batchscribe.speech.models.known import KNOWN_MODELS, REPOSITORY
from batchscribe.speech.models.origin import Origin, read_origin

#: Required files. `preprocessor_config.json` is optional: small models do not have it.
NEEDED = ("config.json", "model.bin", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
#: All files that the engine reads.
READ = (*NEEDED, *VOCABULARIES, "preprocessor_config.json")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A Whisper model in a folder. `languages` is as in `EngineSpec`; only pulled models have a `revision`."""

    name: str
    path: Path
    size_bytes: int
    languages: tuple[str, ...]
    revision: str | None = None
    origin: Origin = field(default_factory=Origin)

    @property
    def licence(self) -> str | None:
        """The publisher's name for it, if known."""
        known = KNOWN_MODELS.get(self.name)
        return self.origin.licence or (known.licence if known else None)


def list_models(settings: Settings) -> list[ModelInfo]:
    """List the pulled models, best first; models with unknown names come last, largest first."""
    infos = [describe_model(path, name_of(path)) for path in pulled_folders(settings) if is_model(path)]
    ranks = {name: rank for rank, name in enumerate(KNOWN_MODELS)}
    return sorted(infos, key=lambda info: (ranks.get(info.name, len(ranks)), -info.size_bytes, info.name))


def find_model(name: str, settings: Settings) -> ModelInfo:
    """Return a pulled model by its name, or the model in a folder by its path. Raises `EngineNotAvailable`."""
    pulled = folder_of(name, settings)
    if is_model(pulled):
        return describe_model(pulled, name)
    folder = Path(name).expanduser()
    if is_model(folder):
        return describe_model(folder.absolute(), folder.absolute().name)
    if folder.is_dir():
        raise EngineNotAvailable(describe_missing(f"Folder {name}", missing_files(folder)))
    if name in KNOWN_MODELS or REPOSITORY.fullmatch(name):
        next_step = f"get it with `batchscribe models pull {name}`."
    else:
        next_step = "`batchscribe models list` shows the installed models."
    raise EngineNotAvailable(f"Whisper model {name!r} is not installed, and there is no such folder; {next_step}")


def describe_model(path: Path, name: str) -> ModelInfo:
    origin = read_origin(path)
    return ModelInfo(
        name=name,
        path=path,
        size_bytes=sum(file.stat().st_size for file in path.iterdir() if file.is_file()),
        languages=languages_of(path),
        revision=origin.revision,
        origin=origin,
    )


def languages_of(path: Path) -> tuple[str, ...]:
    """Read the languages from the vocabulary, as CTranslate2 does: an English-only model has no empty token."""
    vocabulary = read_vocabulary(path)
    if "" not in vocabulary:
        return ("en",)
    return tuple(tag for tag in REGIONS if f"<|{whisper_code(tag)}|>" in vocabulary)


def read_vocabulary(path: Path) -> frozenset[str]:
    as_json, as_text = (path / name for name in VOCABULARIES)
    if as_json.is_file():
        return frozenset(json.loads(as_json.read_text(encoding="utf-8")))
    # The last line ends with a newline like the others; no empty token follows it.
    return frozenset(as_text.read_text(encoding="utf-8").removesuffix("\n").split("\n"))


def is_model(path: Path) -> bool:
    return path.is_dir() and not missing_files(path)


def missing_files(path: Path) -> list[str]:
    return missing_names({name for name in READ if (path / name).is_file()})


def missing_names(names: set[str]) -> list[str]:
    """Return the names of the files that a model with these files lacks."""
    missing = [name for name in NEEDED if name not in names]
    if not names & set(VOCABULARIES):
        missing.append(VOCABULARIES[0])
    return missing


def describe_missing(what: str, missing: list[str]) -> str:
    return f"{what} has no Whisper model in CTranslate2 format: {', '.join(missing)} missing."
