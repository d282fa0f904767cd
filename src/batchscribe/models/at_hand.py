"""The installed models: folders with a model in the format of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batchscribe.errors import EngineNotAvailable
from batchscribe.models.folders import folder_of, name_of, pulled_folders
from batchscribe.models.known import REPOSITORY
from batchscribe.models.model_format import ModelFormat, find_format, list_files
from batchscribe.models.origin import Origin, read_origin
from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model in a folder. `languages` is as in `EngineSpec`, or empty; only pulled models have a `revision`."""

    name: str
    path: Path
    size_bytes: int
    languages: tuple[str, ...]
    engine: str
    revision: str | None = None
    origin: Origin = field(default_factory=Origin)
    known_licence: str | None = None
    rank: int = 0  #: among the known models of its engine; the best one has the smallest

    @property
    def licence(self) -> str | None:
        """The publisher's name for it, if known."""
        return self.origin.licence or self.known_licence


def list_models(settings: Settings, formats: Sequence[ModelFormat]) -> list[ModelInfo]:
    """List the pulled models in these formats, in the order of the formats and best first.

    Models with unknown names come last, largest first.
    """
    infos = [
        describe_model(path, name_of(path), found)
        for path in pulled_folders(settings)
        if (found := find_format(list_files(path), formats))
    ]
    order = {each.engine: place for place, each in enumerate(formats)}
    return sorted(infos, key=lambda info: (order[info.engine], info.rank, -info.size_bytes, info.name))


def find_model(name: str, settings: Settings, model_format: ModelFormat) -> ModelInfo:
    """Return a pulled model by its name, or the model in a folder by its path. Raises `EngineNotAvailable`."""
    pulled = folder_of(name, settings)
    if is_model(pulled, (model_format,)):
        return describe_model(pulled, name, model_format)
    folder = Path(name).expanduser()
    if is_model(folder, (model_format,)):
        return describe_model(folder.absolute(), folder.absolute().name, model_format)
    if folder.is_dir():
        missing = model_format.find_missing(list_files(folder))
        raise EngineNotAvailable(model_format.describe_missing(f"Folder {name}", missing))
    if name in model_format.known or REPOSITORY.fullmatch(name):
        next_step = f"get it with `batchscribe models pull {name}`."
    else:
        next_step = "`batchscribe models list` shows the installed models."
    raise EngineNotAvailable(
        f"The model {name!r} of engine {model_format.engine} is not installed, and there is no such folder; {next_step}"
    )


def describe_model(path: Path, name: str, model_format: ModelFormat) -> ModelInfo:
    origin = read_origin(path)
    known = model_format.known.get(name)
    return ModelInfo(
        name=name,
        path=path,
        size_bytes=sum((path / file).stat().st_size for file in list_files(path)),
        languages=model_format.read_languages(path),
        revision=origin.revision,
        origin=origin,
        engine=model_format.engine,
        known_licence=known.licence if known else None,
        rank=list(model_format.known).index(name) if known else len(model_format.known),
    )


def is_model(path: Path, formats: Sequence[ModelFormat]) -> bool:
    """Return whether the folder has a complete model in one of the formats."""
    return path.is_dir() and find_format(list_files(path), formats) is not None
