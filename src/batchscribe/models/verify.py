"""Verification of the files of installed models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from batchscribe.models.folders import model_not_found, name_of, pulled_folders
from batchscribe.models.known import KnownModel
from batchscribe.models.model_files import difference, hash_file
from batchscribe.models.model_format import ModelFormat, find_format, list_files
from batchscribe.models.origin import Origin, read_origin
from batchscribe.models.pull_progress import PullProgress
from batchscribe.settings import Settings


class FileCheck(StrEnum):
    """The result for one file; `unknown` means that there is nothing to compare it with."""

    OK = "ok"
    WRONG = "wrong"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """The verdict on a file. `against` is what it was compared with: a `pinned` hash, the `hub`, or the `pull`."""

    file: str
    verdict: FileCheck
    against: str | None = None
    fault: str | None = None

    @property
    def is_wrong(self) -> bool:
        return self.verdict not in (FileCheck.OK, FileCheck.UNKNOWN)


class Expected(NamedTuple):
    size_bytes: int
    sha256: str
    against: str


def verify_models(
    name: str | None, settings: Settings, watch: PullProgress, formats: Sequence[ModelFormat]
) -> dict[str, tuple[FileVerdict, ...]]:
    """Verify one pulled model or all, including those that are unusable because a file is missing.

    Raises `ModelNotFound`.
    """
    folders = {name_of(folder): folder for folder in sorted(pulled_folders(settings))}
    if name is not None and name not in folders:
        raise model_not_found(name)
    names = folders if name is None else [name]
    return {each: verify_folder(folders[each], each, watch, formats) for each in names}


def verify_folder(
    folder: Path, name: str, watch: PullProgress, formats: Sequence[ModelFormat]
) -> tuple[FileVerdict, ...]:
    """Hash each file that the engine reads, and compare it with the pinned hash, or else with that at the pull."""
    origin, there = read_origin(folder), list_files(folder)
    model_format = format_of(name, origin, there, formats)
    model = None if model_format.conversion else model_format.known.get(name)
    expected = expected_files(origin, model)
    verdicts = {name: judge(folder / name, expected[name], watch) for name in expected}
    lists_all = bool(origin.files) or (model is not None and model.is_pinned)
    for name in model_format.select(there, model.variant if model else None):
        if name not in expected:
            verdicts[name] = FileVerdict(name, FileCheck.UNEXPECTED if lists_all else FileCheck.UNKNOWN)
    for name in () if lists_all else model_format.find_missing(there):
        verdicts.setdefault(name, FileVerdict(name, FileCheck.MISSING))
    return tuple(verdicts[name] for name in sorted(verdicts))


def format_of(name: str, origin: Origin, there: Sequence[str], formats: Sequence[ModelFormat]) -> ModelFormat:
    """Return the format of a model, even if one of its files is missing."""
    by_engine = (each for each in formats if origin.engine == each.engine or name in each.known)
    return find_format(there, formats) or next(by_engine, formats[0])


def expected_files(origin: Origin, model: KnownModel | None) -> dict[str, Expected]:
    pulled = {
        name: Expected(record.size_bytes, record.sha256, record.checked_against or "pull")
        for name, record in origin.files.items()
    }
    pinned = {file.name: Expected(file.size_bytes, file.sha256, "pinned") for file in model.files} if model else {}
    return pulled | pinned


def judge(path: Path, expected: Expected, watch: PullProgress) -> FileVerdict:
    try:
        fault = difference(hash_file(path, watch), expected.size_bytes, expected.sha256)
    except FileNotFoundError:
        return FileVerdict(path.name, FileCheck.MISSING, expected.against)
    except OSError as error:
        fault = f"it cannot be read ({os.strerror(error.errno or 0)})"
    return FileVerdict(path.name, FileCheck.WRONG if fault else FileCheck.OK, expected.against, fault)
