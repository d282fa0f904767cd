"""The format of an engine's models: which files they have, and which models are known by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batchscribe.models.known import KnownModel


@dataclass(frozen=True, slots=True)
class Conversion:
    """The conversion of the published files of a `KnownModel` into the files of a format."""

    check: Callable[[], None]  #: Raises `ModelNotPulled` if a package that it needs is not installed.
    #: Converts the files of the first folder into the second one. Raises `ModelDamaged`.
    convert: Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFormat:
    """A format. Names of files are relative to the model's folder; those in a subfolder contain a slash."""

    engine: str  #: the name of the engine that loads it, or what it is for if no engine does
    title: str  #: for messages, such as `Whisper model in CTranslate2 format`
    #: Returns those of the given files that the engine reads. A repository may have a model in several variants, such
    #: as `int8`; None is the full precision.
    select: Callable[[Collection[str], str | None], list[str]]
    #: Returns the names of the files that a model with the given files lacks.
    find_missing: Callable[[Collection[str]], list[str]]
    #: Returns the languages of the model in a folder, as in `EngineSpec`; empty if they are unknown.
    read_languages: Callable[[Path], tuple[str, ...]]
    known: Mapping[str, KnownModel] = field(default_factory=dict)  #: by name, best first
    conversion: Conversion | None = None  #: None if the published files are loaded unchanged

    def describe_missing(self, what: str, missing: Sequence[str]) -> str:
        return f"{what} is not a complete {self.title}; missing: {', '.join(missing)}."


def list_files(folder: Path) -> list[str]:
    """Return the names of the files in a folder and in its subfolders, but not deeper."""
    return sorted(
        path.relative_to(folder).as_posix()
        for pattern in ("*", "*/*")
        for path in folder.glob(pattern)
        if path.is_file() and not path.name.startswith(".")
    )


def find_format(names: Collection[str], formats: Sequence[ModelFormat]) -> ModelFormat | None:
    """Return the first format in which these files are a complete model."""
    return next((each for each in formats if not each.find_missing(names)), None)


def describe_unknown(what: str, names: Collection[str], formats: Sequence[ModelFormat]) -> str:
    """Describe files that are not a complete model, by the format that lacks the fewest files."""
    closest = min(formats, key=lambda each: len(each.find_missing(names)))
    return closest.describe_missing(what, closest.find_missing(names))
