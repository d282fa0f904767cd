"""Whisper models at hand: folders under the data directory, pulled from the Hugging Face hub on request only."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from batchscribe.errors import EngineNotAvailable
from batchscribe.settings import Settings
from batchscribe.speech.languages import REGIONS, whisper_code

#: Names that `pull_model` knows, best model first, and the repository of each one's CTranslate2 conversion.
#: Source: faster-whisper 1.2.1, utils.py.
REPOSITORIES = {
    "large-v3": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "large-v2": "Systran/faster-whisper-large-v2",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "medium": "Systran/faster-whisper-medium",
    "medium.en": "Systran/faster-whisper-medium.en",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
}
#: What a model cannot do without. `preprocessor_config.json` is optional: small models have none.
NEEDED = ("config.json", "model.bin", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
PATTERNS = (*NEEDED, *VOCABULARIES, "preprocessor_config.json")
#: Where a pulled model came from; of our own making, beside the model's files.
ORIGIN = "batchscribe.json"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A Whisper model in a folder; `languages` as in `EngineSpec`, `revision` only when it was pulled."""

    name: str
    path: Path
    size_bytes: int
    languages: tuple[str, ...]
    revision: str | None = None


def list_models(settings: Settings) -> list[ModelInfo]:
    """The pulled models, best first; of those with names unknown here, the biggest first."""
    if not settings.models_dir.is_dir():
        return []
    infos = [describe_model(path, name_of(path)) for path in settings.models_dir.iterdir() if is_pulled(path)]
    ranks = {name: rank for rank, name in enumerate(REPOSITORIES)}
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
        raise EngineNotAvailable(
            f"Folder {name} holds no Whisper model in CTranslate2's format: {', '.join(missing_files(folder))} missing."
        )
    raise EngineNotAvailable(
        f"Whisper model {name!r} is neither a folder nor pulled; `batchscribe models pull {name}` gets it."
    )


def pull_model(name: str, settings: Settings) -> ModelInfo:
    """Download a model, with the hub's own progress bars on a terminal; one that is at hand is left as it is.

    `name` is one of `REPOSITORIES` or a repository, `OWNER/NAME`. A download that breaks off goes on where it was
    when asked again, and is not at hand before it is whole. Raises `EngineNotAvailable`.
    """
    repository = REPOSITORIES.get(name, name)
    if repository.count("/") != 1:
        known = ", ".join(REPOSITORIES)
        raise EngineNotAvailable(f"Model {name!r} is not known; name one of {known}, or a repository as OWNER/NAME.")
    target = folder_of(name, settings)
    if not is_model(target):
        part = target.with_name(f".{target.name}.part")
        revision = download(repository, part)
        finish(part, repository, revision)
        part.rename(target)
    return describe_model(target, name)


def download(repository: str, folder: Path) -> str:
    """Returns the revision. Raises `EngineNotAvailable`."""
    import httpx2
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionResolutionError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        revision = HfApi().resolve_revision(repository)
        snapshot_download(repository, revision=revision, local_dir=folder, allow_patterns=list(PATTERNS))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise EngineNotAvailable(f"The model hub has no public repository {repository}.") from error
    except (OSError, httpx2.HTTPError, RevisionResolutionError) as error:
        raise EngineNotAvailable(
            f"Model {repository} could not be downloaded ({type(error).__name__}): check the connection to the "
            "model hub and the free space, or copy the model's folder here and name it in BATCHSCRIBE_WHISPER_MODEL."
        ) from error
    return revision.resolved


def finish(folder: Path, repository: str, revision: str) -> None:
    """Raises `EngineNotAvailable` when what was downloaded is no model."""
    if not is_model(folder):
        missing = ", ".join(missing_files(folder))
        shutil.rmtree(folder)
        raise EngineNotAvailable(f"{repository} is no Whisper model in CTranslate2's format: {missing} missing.")
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the hub's notes for resuming
    (folder / ORIGIN).write_text(json.dumps({"repository": repository, "revision": revision}))


def describe_model(path: Path, name: str) -> ModelInfo:
    origin = path / ORIGIN
    return ModelInfo(
        name=name,
        path=path,
        size_bytes=sum(file.stat().st_size for file in path.iterdir() if file.is_file()),
        languages=languages_of(path),
        revision=json.loads(origin.read_text())["revision"] if origin.is_file() else None,
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


def missing_files(path: Path) -> list[str]:
    missing = [name for name in NEEDED if not (path / name).is_file()]
    if not any((path / name).is_file() for name in VOCABULARIES):
        missing.append(VOCABULARIES[0])
    return missing


def is_model(path: Path) -> bool:
    return path.is_dir() and not missing_files(path)


def is_pulled(path: Path) -> bool:
    """Not what is still being downloaded."""
    return not path.name.startswith(".") and is_model(path)


def folder_of(name: str, settings: Settings) -> Path:
    return settings.models_dir.absolute() / name.replace("/", "--")


def name_of(path: Path) -> str:
    return path.name.replace("--", "/")
