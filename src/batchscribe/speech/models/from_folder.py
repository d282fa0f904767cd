"""Pulling a model from a folder with a copy of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batchscribe.errors import ModelDamaged, ModelNotPulled
from batchscribe.speech.models.at_hand import READ, describe_missing, missing_names
from batchscribe.speech.models.folders import remove_folder
from batchscribe.speech.models.known import KnownModel
from batchscribe.speech.models.model_files import blocks_of, copy_file, report_os_errors
from batchscribe.speech.models.origin import FileRecord, Origin
from batchscribe.speech.models.pull_progress import PullProgress


def fetch_from_folder(folder: Path, model: KnownModel, part: Path, watch: PullProgress) -> tuple[Path, Origin]:
    """Copy and check the files; return their folder. Raises `ModelNotPulled`, `ModelDamaged`, `ModelNotStored`."""
    names = wanted_names(folder, model)
    files = part / "files"
    with report_os_errors(files):
        remove_folder(files)
        files.mkdir(parents=True)
    records: dict[str, FileRecord] = {}
    for name in names:
        blocks = read_file(folder / name)
        records[name] = copy_file(blocks, files / name, model.file(name), str(folder), watch)
    return files, Origin(
        repository=model.repository if model.is_pinned else None,
        revision=model.revision,
        licence=model.licence,
        source="folder",
        places=(str(folder),),
        files=records,
    )


def wanted_names(folder: Path, model: KnownModel) -> list[str]:
    """Return the names of the files to copy. Raises `ModelDamaged` if one is missing."""
    found = {name for name in READ if (folder / name).is_file()}
    needed = [file.name for file in model.files]
    missing = [name for name in needed if name not in found] or missing_names(found)
    if missing:
        raise ModelDamaged(describe_missing(str(folder), missing))
    return needed if model.is_pinned else sorted(found)


def read_file(path: Path) -> Iterator[bytes]:
    """Yield the blocks of the file. Raises `ModelNotPulled`."""
    try:
        with path.open("rb") as file:
            yield from blocks_of(file)
    except OSError as error:
        raise ModelNotPulled(f"{path} cannot be read ({os.strerror(error.errno or 0)}).") from error
