"""The parts of checkpoints in the database, sealed, because they contain what was said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version

import structlog

from batchscribe import __version__
from batchscribe.database.checkpoint_rows import CheckpointPart, add_part, last_fruitful_attempt, list_parts
from batchscribe.database.connect import DATABASE_TROUBLE, cause_of
from batchscribe.errors import SecretKeyChanged
from batchscribe.jobs.model import File, Job
from batchscribe.queue.records import Records
from batchscribe.stages.checkpoint import LEAST_BYTES, Checkpoint
from batchscribe.storage.store import Recording

log = structlog.get_logger()


class Checkpoints:
    """The checkpoints of the files of one job."""

    def __init__(self, job: Job, records: Records) -> None:
        self._job = job
        self._records = records

    def open(self, file: File, source: Recording, request_id: str) -> Checkpoint:
        """Return the checkpoint of a file; it is empty if its recording, engine or release has changed.

        `request_id` stands for everything that determines the transcript. Raises the errors of the database.
        """
        if source.size < LEAST_BYTES or source.etag is None:
            return Checkpoint()
        return Checkpoint(FileParts(self._job, file, f"{request_id} {_versions()}", self._records))

    def last_fruitful_attempt(self, file: File) -> int:
        """Return the latest attempt at a file that came further than those before; 0 if none did."""
        with self._records.transaction() as connection:
            return last_fruitful_attempt(connection, file)


@cache
def _versions() -> str:
    """Return the versions of this release and of the packages that determine the windows of a recording."""
    return " ".join((__version__, *map(version, ("av", "faster-whisper", "numpy", "onnxruntime"))))


class FileParts:
    """The parts of one file, for one attempt."""

    def __init__(self, job: Job, file: File, identity: str, records: Records) -> None:
        self._job = job
        self._file = file
        self._identity = identity
        self._records = records
        self._last = 0  #: number of the last part of all attempts

    def read(self) -> Iterator[bytes]:
        """Yield the content of the parts with the same identity, in order."""
        if not self._file.has_checkpoint:
            return
        with self._records.transaction() as connection:
            parts = list_parts(connection, self._file)
        for part in parts:
            self._last = part.number
            if part.identity == self._identity and (content := self._open(part)) is not None:
                yield content

    def write(self, content: bytes, n_known: int) -> bool | None:
        """Store a part. Returns None if the database is unavailable, and False if the attempt is no longer wanted."""
        self._last += 1  # in any case: if a connection breaks, its transaction may have been committed
        key_id, sealed = self._records.keyring.seal(content, bound_to=self._name(self._last))
        part = CheckpointPart(self._last, n_known, self._identity, key_id, sealed)
        try:
            with self._records.transaction() as connection:
                return add_part(connection, self._file, part)
        except DATABASE_TROUBLE as error:
            log.warning("checkpoint.database_trouble", error=cause_of(error))
            return None

    def _open(self, part: CheckpointPart) -> bytes | None:
        try:
            return self._records.keyring.open(part.key_id, part.sealed, bound_to=self._name(part.number))
        except SecretKeyChanged:
            return None  # its key is no longer configured; the recording is transcribed from the start

    def _name(self, number: int) -> str:
        return f"checkpoint {self._job.job_id} {self._file.seq} {number}"
