"""Pulling a model from the Hugging Face hub."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batchscribe.errors import ModelDamaged, ModelNotPulled
from batchscribe.models.known import KnownModel
from batchscribe.models.model_files import FORBIDDEN, FULL, compare, difference, hash_file, store_error
from batchscribe.models.model_format import ModelFormat, describe_unknown, find_format
from batchscribe.models.origin import FileRecord, Origin
from batchscribe.models.pull_progress import PullProgress, report_folder_size

#: Time limit for the hub's first answer: if the hub is unreachable, the next source should be tried soon.
ANSWER_SEC = 10.0


@dataclass(frozen=True, slots=True)
class HubFile:
    """The hub's information about a file: large files have a SHA-256, all have their git hash."""

    name: str
    size_bytes: int
    sha256: str | None
    git_hash: str


@dataclass(frozen=True, slots=True)
class HubListing:
    """The files that the engine reads, at one revision."""

    engine: str
    revision: str
    licence: str | None
    files: tuple[HubFile, ...]


def fetch_from_hub(
    model: KnownModel, formats: Sequence[ModelFormat], part: Path, watch: PullProgress
) -> tuple[Path, Origin]:
    """Download and check the files; return their folder. Raises `ModelNotPulled`, `ModelDamaged`, `ModelNotStored`."""
    if model.by_hand:
        raise ModelNotPulled(f"The model hub does not have all files of {model.name}.")
    folder = part / "hub"
    watch.step(f"Asking the model hub for {model.repository}")
    with translate_hub_errors(model.repository, folder):
        listing = list_hub_files(model, formats)
        download(model.repository, listing, folder, watch)
        records = {file.name: check_file(file, model, folder, watch) for file in listing.files}
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # the hub library's data for resuming
    return folder, Origin(
        repository=model.repository,
        revision=listing.revision,
        licence=model.licence or listing.licence,
        source="hub",
        engine=listing.engine,
        files=records,
    )


def list_hub_files(model: KnownModel, formats: Sequence[ModelFormat]) -> HubListing:
    """Query the hub for the files. Raises `ModelNotPulled` and the errors of the hub library."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(model.repository, revision=model.revision, files_metadata=True, timeout=ANSWER_SEC)
    names = [each.rfilename for each in info.siblings or ()]
    found = find_format(names, formats)
    if found is None or info.sha is None:
        raise ModelNotPulled(describe_unknown(model.repository, names, formats))
    wanted = {file.name for file in model.files} if model.is_pinned else set(found.select(names, model.variant))
    files = tuple(
        HubFile(each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs else None, each.blob_id or "")
        for each in info.siblings or ()
        if each.rfilename in wanted
    )
    missing = found.find_missing([file.name for file in files])
    if missing:
        raise ModelNotPulled(found.describe_missing(model.repository, missing))
    licences = [tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")]
    return HubListing(found.engine, info.sha, licences[0] if licences else None, files)


def download(repository: str, listing: HubListing, folder: Path, watch: PullProgress) -> None:
    """Download the files, resuming an interrupted pull. Raises the errors of the hub library."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # batchscribe shows its own
    folder.mkdir(parents=True, exist_ok=True)
    names = [file.name for file in listing.files]
    total_bytes = sum(file.size_bytes for file in listing.files)
    with report_folder_size(folder, watch, f"Downloading {repository}", total_bytes):
        snapshot_download(repository, revision=listing.revision, local_dir=folder, allow_patterns=names)


def check_file(file: HubFile, model: KnownModel, folder: Path, watch: PullProgress) -> FileRecord:
    """Compare a file with its pinned hash, or else with the hub's. A wrong file is deleted, so that a retry gets it.

    Raises `ModelDamaged`.
    """
    path, expected = folder / file.name, model.file(file.name)
    record = hash_file(path, watch)
    try:
        if expected is not None:
            return compare(record, file.name, expected, model.repository)
        compare_with_hub(record, file, path)
    except ModelDamaged:
        path.unlink()
        raise
    return record.model_copy(update={"checked_against": "hub"})


def compare_with_hub(record: FileRecord, file: HubFile, path: Path) -> None:
    """Raise `ModelDamaged` if the file differs from the hub's."""
    if file.sha256 is not None:
        fault = difference(record, file.size_bytes, file.sha256)
    else:
        fault = None if git_hash(path) == file.git_hash else "the hashes differ"
    if fault:
        raise ModelDamaged(f"The downloaded {file.name} differs from the hub's: {fault}. Pull it again.")


def git_hash(path: Path) -> str:
    """Return the git blob hash, the only hash that the hub has for small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@contextmanager
def translate_hub_errors(repository: str, folder: Path) -> Iterator[None]:
    """Convert the hub library's errors to `ModelNotPulled` or `ModelNotStored`. Their text may contain signed URLs."""
    import httpx2
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
        XetDownloadError,
    )

    try:
        yield
    except GatedRepoError as error:
        raise ModelNotPulled(
            f"The model hub gives {repository} only to users who have accepted its conditions: accept them on its "
            "page, then set HF_TOKEN to a token of that account."
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelNotPulled(f"The model hub has no public repository {repository}.") from error
    except RevisionNotFoundError as error:
        raise ModelNotPulled(f"The model hub does not have the pinned revision of {repository}.") from error
    except OfflineModeIsEnabled as error:
        raise ModelNotPulled("The model hub is not used, because HF_HUB_OFFLINE is set.") from error
    except (OSError, httpx2.HTTPError, XetDownloadError, ValueError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in FULL | FORBIDDEN:
            raise store_error(error.errno, Path(error.filename or folder)) from error
        raise ModelNotPulled(
            f"The model hub did not answer or closed the connection ({type(error).__name__})."
        ) from error
