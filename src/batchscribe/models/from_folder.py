"""Pulling a model from a folder with a copy of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from batchscribe.errors import ModelDamaged, ModelNotPulled
from batchscribe.models.folders import remove_folder
from batchscribe.models.known import KnownModel
from batchscribe.models.model_files import blocks_of, copy_file, report_os_errors
from batchscribe.models.model_format import ModelFormat, describe_unknown, find_format, list_files
from batchscribe.models.origin import FileRecord, Origin
from batchscribe.models.pull_progress import PullProgress


def fetch_from_folder(
    folder: Path, model: KnownModel, formats: Sequence[ModelFormat], part: Path, watch: PullProgress
) -> tuple[Path, Origin]:
    """Copy and check the files; return their folder. Raises `ModelNotPulled`, `ModelDamaged`, `ModelNotStored`."""
    found, names = wanted_names(folder, model, formats)
    files = part / "files"
    with report_os_errors(files):
        remove_folder(files)
        files.mkdir(parents=True)
    records: dict[str, FileRecord] = {}
    for name in names:
        (files / name).parent.mkdir(exist_ok=True)
        blocks = read_file(folder / name)
        records[name] = copy_file(blocks, files / name, model.file(name), str(folder), watch)
    return files, Origin(
        repository=model.repository if model.is_pinned else None,
        revision=model.revision,
        licence=model.licence,
        source="folder",
        engine=found.engine,
        places=(str(folder),),
        files=records,
    )


def wanted_names(folder: Path, model: KnownModel, formats: Sequence[ModelFormat]) -> tuple[ModelFormat, list[str]]:
    """Return the format and the names of the files to copy. Raises `ModelDamaged` if one is missing."""
    there = list_files(folder)
    found = find_format(there, formats)
    if found is None:
        raise ModelDamaged(describe_unknown(str(folder), there, formats))
    selected = found.select(there, model.variant)
    needed = [file.name for file in model.files]
    missing = [name for name in needed if name not in there] or found.find_missing(selected)
    if missing:
        raise ModelDamaged(found.describe_missing(str(folder), missing))
    return found, needed if model.is_pinned else sorted(selected)


def read_file(path: Path) -> Iterator[bytes]:
    """Yield the blocks of the file. Raises `ModelNotPulled`."""
    try:
        with path.open("rb") as file:
            yield from blocks_of(file)
    except OSError as error:
        raise ModelNotPulled(f"{path} cannot be read ({os.strerror(error.errno or 0)}).") from error
