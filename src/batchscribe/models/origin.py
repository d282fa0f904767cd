"""The origin record of a model: where it came from, and what its files were compared with. It is stored beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

NAME = "batchscribe.json"

#: What a file's hash was compared with: the hash that `known.py` pins, or the hub's.
Standard = Literal["pinned", "hub"]
SourceName = Literal["hub", "index", "folder"]


class FileRecord(BaseModel):
    """Size and hash of a file when it was pulled."""

    model_config = ConfigDict(frozen=True)

    size_bytes: int
    sha256: str
    checked_against: Standard | None = None


class Origin(BaseModel):
    """The origin of a model. `places` lists the carriers or the folder.

    Early releases wrote only repository and revision.
    """

    model_config = ConfigDict(frozen=True)

    repository: str | None = None
    revision: str | None = None
    licence: str | None = None
    source: SourceName | None = None
    engine: str | None = None
    places: tuple[str, ...] = ()
    files: dict[str, FileRecord] = {}
    sources: dict[str, FileRecord] = {}  #: the published files from which `files` were converted

    @property
    def pulled(self) -> dict[str, FileRecord]:
        """The files as they were published."""
        return self.sources or self.files

    @property
    def is_checked(self) -> bool:
        """Whether each published file was compared with a pinned hash or the hub's."""
        return bool(self.pulled) and all(record.checked_against for record in self.pulled.values())


def write_origin(folder: Path, origin: Origin) -> None:
    (folder / NAME).write_text(origin.model_dump_json(exclude_none=True, indent=2) + "\n", encoding="utf-8")


def read_origin(folder: Path) -> Origin:
    """Return an empty origin if there is no record or it cannot be parsed."""
    try:
        return Origin.model_validate_json((folder / NAME).read_bytes())
    except (FileNotFoundError, ValidationError):
        return Origin()
