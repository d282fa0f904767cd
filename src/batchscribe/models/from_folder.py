"""Pulling a model from a folder with a copy of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from batchscribe.errors import ModelDamaged, ModelNotPulled
from batchscribe.models.folders import remove_folder
from batchscribe.models.known import KnownModel, ModelFile
from batchscribe.models.model_files import blocks_of, copy_file, difference, report_os_errors
from batchscribe.models.model_format import ModelFormat, describe_unknown, find_format, list_files
from batchscribe.models.origin import FileRecord, Origin, read_origin
from batchscribe.models.pull_progress import PullProgress


def fetch_from_folder(
    folder: Path, model: KnownModel, formats: Sequence[ModelFormat], part: Path, watch: PullProgress
) -> tuple[Path, Origin]:
    """Copy and check the files; return their folder. Raises `ModelNotPulled`, `ModelDamaged`, `ModelNotStored`."""
    converted = find_converted(folder, model, formats)
    if converted is not None:
        records = converted.files.items()
        wanted = {name: ModelFile(name, record.size_bytes, record.sha256) for name, record in records}
        copy_files(folder, wanted, part / "files", watch)
        return part / "files", converted.model_copy(update={"source": "folder", "places": (str(folder),)})
    found, names = wanted_names(folder, model, formats)
    copied = copy_files(folder, {name: model.file(name) for name in names}, part / "files", watch)
    return part / "files", Origin(
        repository=model.repository if model.is_pinned else None,
        revision=model.revision,
        licence=model.licence,
        source="folder",
        engine=found.engine,
        places=(str(folder),),
        files=copied,
    )


def copy_files(
    folder: Path, wanted: Mapping[str, ModelFile | None], target: Path, watch: PullProgress
) -> dict[str, FileRecord]:
    with report_os_errors(target):
        remove_folder(target)
        target.mkdir(parents=True)
    copied: dict[str, FileRecord] = {}
    for name, expected in wanted.items():
        (target / name).parent.mkdir(exist_ok=True)
        copied[name] = copy_file(read_file(folder / name), target / name, expected, str(folder), watch)
    return copied


def find_converted(folder: Path, model: KnownModel, formats: Sequence[ModelFormat]) -> Origin | None:
    """Return the record of a model that another machine pulled and converted; None if the folder has no such model.

    Raises `ModelDamaged` if it was not converted from the publisher's files.
    """
    record = read_origin(folder)
    if not record.sources:
        return None
    found = find_format(list_files(folder), formats)
    if found is None or set(found.select(list_files(folder), model.variant)) != set(record.files):
        listed = ", ".join(record.files)
        raise ModelDamaged(f"{folder} does not have exactly the files that its record lists: {listed}.")
    for file in model.files:
        source = record.sources.get(file.name)
        if source is None or difference(source, file.size_bytes, file.sha256):
            raise ModelDamaged(f"The model in {folder} was not converted from {file.name} of the publisher.")
    return record


def wanted_names(folder: Path, model: KnownModel, formats: Sequence[ModelFormat]) -> tuple[ModelFormat, list[str]]:
    """Return the format and the names of the files to copy. Raises `ModelDamaged` if one is missing."""
    there = list_files(folder)
    needed = [file.name for file in model.files]
    converting = next((each for each in formats if each.conversion and model.name in each.known), None)
    found = converting or find_format(there, formats)
    if found is None:
        raise ModelDamaged(describe_unknown(str(folder), there, formats))
    selected = found.select(there, model.variant)
    missing = [name for name in needed if name not in there]
    missing = missing or ([] if converting else found.find_missing(selected))
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
