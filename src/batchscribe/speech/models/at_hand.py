"""The models at hand: folders that hold a Whisper model in CTranslate2's format."""

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

#: What a model cannot do without. `preprocessor_config.json` is optional: small models have none.
NEEDED = ("config.json", "model.bin", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
#: All that the engine reads.
READ = (*NEEDED, *VOCABULARIES, "preprocessor_config.json")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A Whisper model in a folder; `languages` as in `EngineSpec`, `revision` only when it was pulled."""

    name: str
    path: Path
    size_bytes: int
    languages: tuple[str, ...]
    revision: str | None = None
    origin: Origin = field(default_factory=Origin)

    @property
    def licence(self) -> str | None:
        """As the publisher names it, where that is known."""
        known = KNOWN_MODELS.get(self.name)
        return self.origin.licence or (known.licence if known else None)


def list_models(settings: Settings) -> list[ModelInfo]:
    """The pulled models, best first; of those with names unknown here, the biggest first."""
    infos = [describe_model(path, name_of(path)) for path in pulled_folders(settings) if is_model(path)]
    ranks = {name: rank for rank, name in enumerate(KNOWN_MODELS)}
    return sorted(infos, key=lambda info: (ranks.get(info.name, len(ranks)), -info.size_bytes, info.name))


def find_model(name: str, settings: Settings) -> ModelInfo:
    """A pulled model by its name, or any folder by its path. Raises `EngineNotAvailable`."""
    pulled = folder_of(name, settings)
    if is_model(pulled):
        return describe_model(pulled, name)
    folder = Path(name).expanduser()
    if is_model(folder):
        return describe_model(folder.absolute(), folder.absolute().name)
    if folder.is_dir():
        raise EngineNotAvailable(no_model(f"Folder {name}", missing_files(folder)))
    if name in KNOWN_MODELS or REPOSITORY.fullmatch(name):
        cure = f"`batchscribe models pull {name}` gets it."
    else:
        cure = "`batchscribe models list` shows the models at hand."
    raise EngineNotAvailable(f"Whisper model {name!r} is neither a folder nor pulled; {cure}")


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
    """From the vocabulary, as CTranslate2 does: an English-only model has no empty token."""
    vocabulary = read_vocabulary(path)
    if "" not in vocabulary:
        return ("en",)
    return tuple(tag for tag in REGIONS if f"<|{whisper_code(tag)}|>" in vocabulary)


def read_vocabulary(path: Path) -> frozenset[str]:
    as_json, as_text = (path / name for name in VOCABULARIES)
    if as_json.is_file():
        return frozenset(json.loads(as_json.read_text(encoding="utf-8")))
    # The last line ends like the others, and no empty one follows it.
    return frozenset(as_text.read_text(encoding="utf-8").removesuffix("\n").split("\n"))


def is_model(path: Path) -> bool:
    return path.is_dir() and not missing_files(path)


def missing_files(path: Path) -> list[str]:
    return missing_names({name for name in READ if (path / name).is_file()})


def missing_names(names: set[str]) -> list[str]:
    """What a folder with files of these names would need to be a model."""
    missing = [name for name in NEEDED if name not in names]
    if not names & set(VOCABULARIES):
        missing.append(VOCABULARIES[0])
    return missing


def no_model(what: str, missing: list[str]) -> str:
    return f"{what} holds no Whisper model in CTranslate2's format: {', '.join(missing)} missing."
