"""Inspection of existing outputs: what is stored under an output's name, and which recording it belongs to.

Before the first file is transcribed, it is also checked whether transcripts can be written at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from batchscribe.errors import (
    AccessDenied,
    BucketNameInvalid,
    BucketNotFound,
    ConditionalWriteUnsupported,
    LocationNotAllowed,
    ObjectNotFound,
    OutputExists,
    StorageError,
)
from batchscribe.jobs.layout import output_uris
from batchscribe.jobs.model import Job, Outcome
from batchscribe.storage.store import ObjectInfo, Recording, Store
from batchscribe.transcript.provenance import Provenance, parse_provenance, parse_provenance_parts
from batchscribe.wire.choices import OutputFormat
from batchscribe.wire.output import Output
from batchscribe.wire.uris import HTTP_SCHEMES, name_of, scheme_of, without_query

MAX_TRANSCRIPT_BYTES = 256 * 2**20  #: two days of speech with word times
END_BYTES = 2**16  #: read from each end of a transcript: its provenance is there
#: For formats that do not name their recording; the records of earlier jobs may.
SAYS_NOTHING = Provenance(request_id="-", duration_sec=0.0)


@dataclass(frozen=True, slots=True)
class ExistingOutput:
    """The object that is stored under an output's name. `provenance` is None if it is not a transcript."""

    provenance: Provenance | None
    is_complete: bool = True  #: stored in every format of the job


@dataclass(frozen=True, slots=True)
class RecordingIdentity:
    """A recording as transcripts identify it."""

    uri: str
    etag: str | None
    size_bytes: int | None
    request_id: str = ""

    @classmethod
    def of(cls, source: Recording | ObjectInfo, request_id: str = "") -> RecordingIdentity:
        return cls(without_query(source.uri), source.etag, source.size, request_id)

    def is_named_by(self, found: Provenance) -> bool:
        """Return whether the transcript belongs to this recording, possibly to an earlier version of it.

        For an HTTP URL, size and ETag must match too, since its query is not recorded: `download?id=7` and
        `download?id=8` are different recordings.
        """
        if found.request_id == self.request_id:
            return True
        if found.input_uri is None:
            return self._has_bytes_of(found)
        if found.input_uri != self.uri:
            return False
        return scheme_of(self.uri) not in HTTP_SCHEMES or self._is_same_size_and_etag(found)

    def has_moved_from(self, found: Provenance) -> bool:
        """Return whether the transcript belongs to this file, which was in another folder then."""
        was = found.input_uri
        return was is not None and name_of(was) == name_of(self.uri) and self._has_bytes_of(found)

    def _has_bytes_of(self, found: Provenance) -> bool:
        return self.etag is not None and self._is_same_size_and_etag(found)

    def _is_same_size_and_etag(self, found: Provenance) -> bool:
        return (self.size_bytes, self.etag) == (found.input_size_bytes, found.input_etag)


def has_recording(stat: Callable[[str], ObjectInfo], uri: str) -> bool:
    """Return whether the recording exists; False also if the job has no access."""
    try:
        stat(uri)
    except (ObjectNotFound, BucketNotFound, LocationNotAllowed, AccessDenied):
        return False
    return True


def look_in(
    store: Store, output: Output, formats: Sequence[OutputFormat] = (OutputFormat.JSON,)
) -> Callable[[str], ExistingOutput | None]:
    """Create `look` for a job. If access is denied, a job that may overwrite sees nothing.

    So credentials that can only write are sufficient for overwriting.
    """

    def look_if_allowed(uri: str) -> ExistingOutput | None:
        try:
            return look(uri, store, formats)
        except AccessDenied:
            if not output.overwrite:
                raise
            return None

    return look_if_allowed


def look(uri: str, store: Store, formats: Sequence[OutputFormat] = (OutputFormat.JSON,)) -> ExistingOutput | None:
    """Return what is stored in these formats, or None. `uri` is that of the first format. Raises `StorageError`."""
    outputs = zip(output_uris(uri, formats), formats, strict=True)
    found = [each for each in (_look(uri, format_, store) for uri, format_ in outputs) if each is not None]
    return replace(found[0], is_complete=len(found) == len(formats)) if found else None


def _look(uri: str, format_: OutputFormat, store: Store) -> ExistingOutput | None:
    try:
        if format_ is not OutputFormat.JSON:
            store.stat(uri)
            return ExistingOutput(SAYS_NOTHING)
        with store.open(uri) as found:
            return ExistingOutput(_provenance(found))
    except ObjectNotFound:
        return None


def _provenance(found: Recording) -> Provenance | None:
    size = found.size
    if size > 2 * END_BYTES:
        short = parse_provenance_parts(found.read(0, END_BYTES), found.read(size - END_BYTES, END_BYTES))
        if short is not None or size > MAX_TRANSCRIPT_BYTES:
            return short
    return parse_provenance(found.read(0, size))


def own_outcome(existing: ExistingOutput | None, request_id: str) -> Outcome | None:
    """Return the outcome of an earlier attempt; None if that attempt wrote no transcript."""
    found = existing and existing.provenance
    if not found or found.request_id != request_id:
        return None
    return Outcome.succeeded(duration_sec=found.duration_sec, warnings=found.warnings)


def exists(output_uri: str, existing: ExistingOutput, *, is_own: bool) -> OutputExists:
    """Create an error that describes the stored object."""
    found = existing.provenance
    if found is None:
        return OutputExists(
            f"{output_uri} is not a transcript and was not replaced; move it, choose another output, or allow "
            "overwriting."
        )
    if not is_own:
        of = f"of {found.input_uri}" if found.input_uri else "of another recording"
        return OutputExists(f"{output_uri} is the transcript {of}, and is never replaced; choose another output.")
    return OutputExists(f"{output_uri} already exists and was not replaced; allow overwriting to replace it.")


log = structlog.get_logger()


def check_output(uri: str, job: Job, store: Store) -> None:
    """Raise errors that all files of the job would have: no such bucket, or no support for conditional writes.

    Other errors may be temporary or depend on the name, so they are left to the files.
    """
    if job.output.overwrite:
        return
    try:
        store.check_write(uri)
    except (ConditionalWriteUnsupported, BucketNotFound, BucketNameInvalid):
        raise
    except StorageError as error:
        log.warning("output.not_checked", job_id=job.job_id, tenant=job.tenant, error_code=error.code)
