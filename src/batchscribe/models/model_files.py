"""Copying and hashing model files in one pass, without exceeding the expected size."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from batchscribe.errors import ModelDamaged, ModelNotStored
from batchscribe.models.known import ModelFile
from batchscribe.models.origin import FileRecord
from batchscribe.models.pull_progress import PullProgress

BLOCK_BYTES = 1 << 20
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def copy_file(
    blocks: Iterable[bytes], target: Path, expected: ModelFile | None, source: str, watch: PullProgress
) -> FileRecord:
    """Write the blocks to `target`. `source` is for messages. Raises `ModelDamaged`, `ModelNotStored`."""
    limit_bytes = expected.size_bytes if expected else None
    digest, size_bytes = hashlib.sha256(), 0
    with report_os_errors(target), target.open("wb") as file:
        for block in blocks:
            size_bytes += len(block)
            if limit_bytes is not None and size_bytes > limit_bytes:
                raise ModelDamaged(f"{target.name} in {source} is longer than the expected {limit_bytes} bytes.")
            digest.update(block)
            file.write(block)
            watch.step(f"Copying {target.name}", size_bytes, limit_bytes)
    return compare(FileRecord(size_bytes=size_bytes, sha256=digest.hexdigest()), target.name, expected, source)


def hash_file(path: Path, watch: PullProgress) -> FileRecord:
    """Raises `OSError`."""
    digest, size_bytes, total_bytes = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        for block in blocks_of(file):
            size_bytes += len(block)
            digest.update(block)
            watch.step(f"Checking {path.name}", size_bytes, total_bytes)
    return FileRecord(size_bytes=size_bytes, sha256=digest.hexdigest())


def compare(record: FileRecord, name: str, expected: ModelFile | None, source: str) -> FileRecord:
    """Compare the record with the pinned file, if there is one, and note that in it. Raises `ModelDamaged`."""
    if expected is None:
        return record
    fault = difference(record, expected.size_bytes, expected.sha256)
    if fault:
        raise ModelDamaged(f"{name} in {source} differs from the publisher's file: {fault}.")
    return record.model_copy(update={"checked_against": "pinned"})


def difference(record: FileRecord, size_bytes: int, sha256: str) -> str | None:
    """Describe the difference, if there is one."""
    if record.size_bytes != size_bytes:
        return f"{record.size_bytes} bytes instead of {size_bytes}"
    if record.sha256 != sha256:
        return f"SHA-256 {record.sha256[:16]}... instead of {sha256[:16]}..."
    return None


@contextmanager
def report_os_errors(path: Path) -> Iterator[None]:
    """Convert an `OSError` in the block into a `ModelNotStored` that names the file."""
    try:
        yield
    except OSError as error:
        raise store_error(error.errno, path) from error


def store_error(number: int | None, path: Path) -> ModelNotStored:
    reason = os.strerror(number or 0)
    if number in FULL:
        return ModelNotStored(
            f"{path.name} does not fit into {path.parent} ({reason}): free some space there, or choose another "
            "folder with --data-dir. The same command then continues where it stopped."
        )
    if number in FORBIDDEN:
        return ModelNotStored(
            f"{path} cannot be written ({reason}): change its permissions, or choose another folder with --data-dir."
        )
    return ModelNotStored(f"{path} cannot be written ({reason}): choose another folder with --data-dir.")


def sync_folder(folder: Path) -> None:
    """Flush the files to disk, so that the model survives a power failure. Raises `OSError`."""
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
