"""What the reader shows of a file: its transcript, its recording and its waveform.

Each request reads everything again, with the rights of the file's job. All methods wait for the database or for
storage, so they run in threads of their own (`ReadingThreads`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from batchscribe.database.file_rows import get_file_of
from batchscribe.database.job_rows import get_job_of
from batchscribe.database.reader_rows import find_waveform, name_speaker_of, names_of_speakers
from batchscribe.database.segment_rows import segments_of
from batchscribe.errors import (
    CredentialsNeeded,
    InvalidRequest,
    StorageError,
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
from batchscribe.stages.reading_credentials import credentials_for_reading, keep_for_reading, signed_urls_for_reading
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, renew_credentials
from batchscribe.storage.store import Recording, Store
from batchscribe.transcript.from_subtitles import parse_subtitles
from batchscribe.transcript.stored_document import StoredDocument, StoredSegment, parse_document
from batchscribe.web.denied_access import explain_denial
from batchscribe.web.open_recordings import OpenRecordings, PlayedRecording, SourceKey
from batchscribe.web.reader_access import read_access, read_signed_url
from batchscribe.web.searchable_text import document_of_segments, searchable_segments
from batchscribe.web.speaker_names import check_label, check_name
from batchscribe.window import Waveform
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, OutputFormat
from batchscribe.wire.uris import name_of

ANSWER_SEC = 30.0  #: for a request
PATIENCE_SEC = 8.0  #: for one answer of storage
BLOCK_BYTES = 4 * 2**20
SUBTITLES = (OutputFormat.VTT, OutputFormat.SRT)  #: the first one names speakers
LARGE_BYTES = 32 * 2**20  #: of a transcript; parsed, it takes several times the memory


@dataclass(frozen=True, slots=True)
class FileOfJob:
    """A file of a tenant, with its job and the names that people gave to its speakers."""

    job: Job
    file: File
    names: Mapping[str, str]

    def output_uri(self, format_: OutputFormat) -> str | None:
        """Return where a format of the transcript is stored; None if the job does not write it."""
        formats = self.job.config.formats
        return dict(zip(formats, output_uris(self.file.output_uri, formats), strict=True)).get(format_)


class Reading:
    """Reads transcripts and recordings for people. Thread-safe."""

    def __init__(self, records: Records, settings: Settings) -> None:
        self._records = records
        self._settings = settings
        self._recordings = OpenRecordings()
        self._large = threading.Lock()  #: only one large transcript is in memory at a time

    def find(self, tenant: str, job_id: str, file_id: str) -> FileOfJob:
        """Raises `JobNotFound`, `JobFileNotFound`."""
        with self._records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
            file = get_file_of(connection, job, file_id)
            return FileOfJob(job, file, names_of_speakers(connection, job.number, file.seq))

    def transcript(self, tenant: str, job_id: str, file_id: str) -> bytes:
        """Return the answer to the route. Raises `TranscriptNotFound`, `TranscriptUnreadable`, `StorageError`."""
        found = self.find(tenant, job_id, file_id)
        with self.document(found) as document:
            from batchscribe.web.transcript_view import dump, view_of_document

            return dump(view_of_document(document, found.names))

    def waveform(self, tenant: str, job_id: str, file_id: str) -> JsonObject:
        """Return the answer to the route. Raises `WaveformNotFound`."""
        found = self.peaks(self.find(tenant, job_id, file_id))
        return {"peak_sec": found.peak_sec, "channels": [list(channel) for channel in found.channels]}

    def peaks(self, found: FileOfJob) -> Waveform:
        """Raises `WaveformNotFound`."""
        with self._records.transaction() as connection:
            waveform = find_waveform(connection, found.job.number, found.file.seq)
        if waveform is None:
            raise WaveformNotFound(f"There is no waveform of {found.file.file_id}; it can be played without one.")
        return waveform

    def name_speaker(self, tenant: str, job_id: str, file_id: str, label: str, name: str) -> dict[str, str]:
        """Name a speaker, or remove the name if it is empty. Return all names by label. Raises `InvalidRequest`."""
        label, name = check_label(label), check_name(name)
        with self._records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
            file = get_file_of(connection, job, file_id)
            name_speaker_of(connection, job.number, file.seq, label, name)
            return names_of_speakers(connection, job.number, file.seq)

    def give_access(self, tenant: str, job_id: str, file_id: str, form: Mapping[str, str]) -> None:
        """Take credentials from a form, for as long as a session lasts. `file_id` is that of a file with a signed URL.

        Raises `InvalidRequest`, `LocationNotAllowed`.
        """
        with self._records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
            file = get_file_of(connection, job, file_id) if file_id else None
        given = read_access(form, job)
        urls = read_signed_url(form, file.input_uri, self._settings) if file else {}
        if not given and not urls:
            raise InvalidRequest("Enter credentials that may read the recordings and transcripts of the job.")
        if given and not job.is_final:
            renew_credentials(self._records, job, given)
            given = {}
        keep_for_reading(self._records, job, given, urls, expires_at=time.time() + self._settings.session_sec)

    @contextmanager
    def document(self, found: FileOfJob) -> Iterator[StoredDocument]:
        """Hold the transcript: the stored JSON, or else the text that is stored for search.

        Raises `TranscriptNotFound`, `TranscriptUnreadable`, `CredentialsNeeded`, `StorageError`.
        """
        check_written(found)
        with ExitStack() as held:
            yield self._stored(found, held) or document_of_segments(found.job, found.file, self._text(found))

    def _stored(self, found: FileOfJob, held: ExitStack) -> StoredDocument | None:
        """Return the stored document; None if it cannot be read, but its text is in the database."""
        uri = found.output_uri(OutputFormat.JSON)
        if uri is None:
            return None
        try:
            with explain_denial(found.job, OUTPUT, uri), self.store(found.job, OUTPUT).open(uri) as stored:
                if stored.size > LARGE_BYTES:
                    held.enter_context(self._large)
                document = parse_document(read_whole(stored))
        except (CredentialsNeeded, StorageError, TranscriptUnreadable):
            if not self._searchable(found):
                raise
            return None
        _check_recording(found, document)
        return document

    def _text(self, found: FileOfJob) -> Sequence[StoredSegment]:
        """Return the text that is stored for search, or that of stored subtitles."""
        if segments := self._searchable(found):
            return segments
        for format_ in SUBTITLES:
            if (uri := found.output_uri(format_)) is not None:
                with explain_denial(found.job, OUTPUT, uri), self.store(found.job, OUTPUT).open(uri) as stored:
                    return parse_subtitles(read_whole(stored, limit_bytes=LARGE_BYTES))
        raise TranscriptNotFound(
            f"The job of {found.file.file_id} wrote neither JSON nor subtitles, and the database has no text of it; "
            "open its transcript in the storage."
        )

    def _searchable(self, found: FileOfJob) -> Sequence[StoredSegment]:
        with self._records.transaction() as connection:
            segments = segments_of(connection, found.job.number, found.file.seq)
        return searchable_segments(segments, is_apart=found.job.config.channel_separation)

    @contextmanager
    def recording(self, tenant: str, job_id: str, file_id: str) -> Iterator[PlayedRecording]:
        """Open a recording to play it. Raises `NotARecording`, `StorageError`."""
        found = self.find(tenant, job_id, file_id)
        uri = found.file.input_uri
        key = SourceKey(found.job.number, found.file.seq, credentials_for_reading(self._records, found.job, INPUT))
        with (
            explain_denial(found.job, INPUT, uri),
            self._recordings.of(key, lambda: self.store(found.job, INPUT).open(uri)) as played,
        ):
            yield played

    def store(self, job: Job, side: str) -> Store:
        """Connect to a side of the job without sending a request."""
        return connect_side(
            job,
            side,
            self._records,
            self._settings,
            credentials=credentials_for_reading(self._records, job, side),
            signed_urls=signed_urls_for_reading(self._records, job) if side == INPUT else {},
            patience_sec=PATIENCE_SEC,
        )


def check_written(found: FileOfJob) -> None:
    """Raise `TranscriptNotFound` if the file has no transcript."""
    state = found.file.state_in(found.job.state)
    if state in WITHOUT_OUTPUT or not found.file.output_uri:
        raise TranscriptNotFound(f"{found.file.file_id} has no transcript; its state is {state.value}.")
    if state is not FileState.SUCCEEDED and state is not FileState.SKIPPED:
        raise TranscriptNotFound(f"{found.file.file_id} has no transcript yet; its state is {state.value}.")


def _check_recording(found: FileOfJob, document: StoredDocument) -> None:
    """Check whether the transcript because of which a file was skipped is that of its recording, perhaps moved since.

    Raises `TranscriptNotFound`.
    """
    source = document.metadata.get("input")
    uri = source.get("uri") if isinstance(source, dict) else None
    is_other = isinstance(uri, str) and name_of(uri) != name_of(found.file.input_uri)
    if found.file.state is FileState.SKIPPED and is_other:
        raise TranscriptNotFound(
            f"{found.file.file_id} was skipped; the stored transcript belongs to another recording."
        )


def read_whole(stored: Recording, *, limit_bytes: int = MAX_TRANSCRIPT_BYTES) -> bytes:
    """Read an output of a file. Raises `TranscriptUnreadable`, `StorageError`."""
    check_size(stored, limit_bytes=limit_bytes)
    return b"".join(_read_blocks(stored, time.monotonic() + ANSWER_SEC - PATIENCE_SEC))


def check_size(stored: Recording, *, limit_bytes: int = MAX_TRANSCRIPT_BYTES) -> None:
    """Raise `TranscriptUnreadable` if an output is too large to be a transcript."""
    if stored.size > limit_bytes:
        raise TranscriptUnreadable(
            f"{stored.uri} has {stored.size} bytes, which is more than {limit_bytes}; check what replaced it."
        )


def _read_blocks(stored: Recording, deadline: float) -> Iterator[bytes]:
    for start in range(0, stored.size, BLOCK_BYTES):
        if time.monotonic() > deadline:
            raise StorageUnreachable("The storage sends the transcript too slowly; try again later.")
        yield stored.read(start, BLOCK_BYTES)
