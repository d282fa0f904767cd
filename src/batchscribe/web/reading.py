"""What the reader shows of a file: its transcript, its recording and its waveform.

Everything is read with the rights of the file's job, for each request anew. All methods wait for the database or for
storage, so they run in threads of their own (`SlowRequests`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from batchscribe.database.file_rows import get_file_of
from batchscribe.database.job_rows import get_job_of
from batchscribe.database.reader_rows import find_waveform, names_of_speakers
from batchscribe.errors import (
    AccessDenied,
    CredentialsExpired,
    CredentialsNeeded,
    ObjectNotFound,
    StorageUnreachable,
    TranscriptNotFound,
    TranscriptUnreadable,
    WaveformNotFound,
)
from batchscribe.jobs.layout import output_uris
from batchscribe.jobs.model import WITHOUT_OUTPUT, File, Job
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.stages.existing_output import MAX_TRANSCRIPT_BYTES
from batchscribe.stages.job_stores import connect_side
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, open_credentials
from batchscribe.storage.store import Recording, Store
from batchscribe.transcript.stored_document import StoredDocument, parse_document
from batchscribe.web.open_recordings import OpenRecordings, PlayedRecording, SourceKey
from batchscribe.web.transcript_view import dump, view_of_document
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, OutputFormat
from batchscribe.wire.locations import is_in_cloud
from batchscribe.wire.uris import FILE_SCHEME, scheme_of

ANSWER_SEC = 30.0  #: for a request
PATIENCE_SEC = 8.0  #: for one answer of storage
BLOCK_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class FileOfJob:
    """A file of a tenant, with its job and the names that people gave to its speakers."""

    job: Job
    file: File
    names: dict[str, str]

    @property
    def json_uri(self) -> str | None:
        """Where the document is stored; None if the job writes none."""
        formats = self.job.config.formats
        uris = dict(zip(formats, output_uris(self.file.output_uri, formats), strict=True))
        return uris.get(OutputFormat.JSON)


class Reading:
    """Reads transcripts and recordings for people. Thread-safe."""

    def __init__(self, records: Records, settings: Settings) -> None:
        self._records = records
        self._settings = settings
        self._recordings = OpenRecordings()

    def find(self, tenant: str, job_id: str, file_id: str) -> FileOfJob:
        """Raises `JobNotFound`, `JobFileNotFound`."""
        with self._records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
            file = get_file_of(connection, job, file_id)
            return FileOfJob(job, file, names_of_speakers(connection, job.number, file.seq))

    def transcript(self, tenant: str, job_id: str, file_id: str) -> bytes:
        """Return the answer to the route. Raises `TranscriptNotFound`, `TranscriptUnreadable`, `StorageError`."""
        found = self.find(tenant, job_id, file_id)
        return dump(view_of_document(self.document(found), found.names))

    def waveform(self, tenant: str, job_id: str, file_id: str) -> JsonObject:
        """Raises `WaveformNotFound`."""
        with self._records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
            file = get_file_of(connection, job, file_id)
            found = find_waveform(connection, job.number, file.seq)
        if found is None:
            raise WaveformNotFound(f"There is no waveform of {file.file_id}; it can be played without one.")
        return {"peak_sec": found.peak_sec, "channels": [list(channel) for channel in found.channels]}

    def document(self, found: FileOfJob) -> StoredDocument:
        _check_written(found)
        if found.json_uri is None:
            raise TranscriptNotFound(f"The job of {found.file.file_id} wrote no JSON, so its text cannot be shown.")
        return parse_document(self.read_output(found, found.json_uri))

    def read_output(self, found: FileOfJob, uri: str) -> bytes:
        """Read an output of a file. Raises `TranscriptNotFound`, `TranscriptUnreadable`, `StorageError`."""
        deadline = time.monotonic() + ANSWER_SEC - PATIENCE_SEC
        with _explain(found.job, uri), self._store(found.job, OUTPUT).open(uri) as stored:
            if stored.size > MAX_TRANSCRIPT_BYTES:
                raise TranscriptUnreadable(f"{uri} has {stored.size} bytes; at most {MAX_TRANSCRIPT_BYTES} are read.")
            return b"".join(_read_blocks(stored, deadline))

    @contextmanager
    def recording(self, tenant: str, job_id: str, file_id: str) -> Iterator[PlayedRecording]:
        """Open a recording to play it. Raises `NotARecording`, `StorageError`."""
        found = self.find(tenant, job_id, file_id)
        uri = found.file.input_uri
        key = SourceKey(found.job.number, found.file.seq, open_credentials(self._records, found.job, INPUT))
        with (
            _explain(found.job, uri),
            self._recordings.of(key, lambda: self._store(found.job, INPUT).open(uri)) as played,
        ):
            yield played

    def _store(self, job: Job, side: str) -> Store:
        return connect_side(
            job,
            side,
            self._records,
            self._settings,
            credentials=open_credentials(self._records, job, side),
            patience_sec=PATIENCE_SEC,
        )


def _check_written(found: FileOfJob) -> None:
    state = found.file.state_in(found.job.state)
    if state in WITHOUT_OUTPUT or not found.file.output_uri:
        raise TranscriptNotFound(f"{found.file.file_id} has no transcript: its state is {state.value}.")
    if state is not FileState.SUCCEEDED and state is not FileState.SKIPPED:
        raise TranscriptNotFound(f"{found.file.file_id} has no transcript yet; it is written when the file is done.")


def _read_blocks(stored: Recording, deadline: float) -> Iterator[bytes]:
    for start in range(0, stored.size, BLOCK_BYTES):
        if time.monotonic() > deadline:
            raise StorageUnreachable("The storage sends the transcript too slowly; try again later.")
        yield stored.read(start, BLOCK_BYTES)


@contextmanager
def _explain(job: Job, uri: str) -> Iterator[None]:
    """Turn a denial of storage that takes credentials into `CredentialsNeeded`."""
    try:
        yield
    except (AccessDenied, CredentialsExpired) as error:
        if scheme_of(uri) == FILE_SCHEME:
            raise
        ended = " The job has ended, so its credentials were deleted." if job.is_final and is_in_cloud(uri) else ""
        raise CredentialsNeeded(f"{error.message}{ended}") from None
    except ObjectNotFound as error:
        raise ObjectNotFound(f"{error.message} It may have been moved or deleted since.") from None
