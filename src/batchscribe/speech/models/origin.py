"""Where a model came from and what its files were compared with: a file of our own making, beside the model's files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

NAME = "batchscribe.json"

#: What a file's hash was compared with: the one that `known.py` pins, or the one that the hub told.
Standard = Literal["pinned", "hub"]
SourceName = Literal["hub", "index", "folder"]


class FileRecord(BaseModel):
    """A file as it was when it was pulled."""

    model_config = ConfigDict(frozen=True)

    size_bytes: int
    sha256: str
    checked_against: Standard | None = None


class Origin(BaseModel):
    """`places` are the carriers, or the folder. Models pulled by early versions have a repository and revision only."""

    model_config = ConfigDict(frozen=True)

    repository: str | None = None
    revision: str | None = None
    licence: str | None = None
    source: SourceName | None = None
    places: tuple[str, ...] = ()
    files: dict[str, FileRecord] = {}

    @property
    def is_checked(self) -> bool:
        """Whether each file was compared with a hash that somebody else told."""
        return bool(self.files) and all(record.checked_against for record in self.files.values())


def write_origin(folder: Path, origin: Origin) -> None:
    (folder / NAME).write_text(origin.model_dump_json(exclude_none=True, indent=2) + "\n", encoding="utf-8")


def read_origin(folder: Path) -> Origin:
    """Says nothing when there is no record, or none that can be read."""
    try:
        return Origin.model_validate_json((folder / NAME).read_bytes())
    except (FileNotFoundError, ValidationError):
        return Origin()
