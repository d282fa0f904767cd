"""Read what is stored under an output's name, and find out which recording it belongs to.

Also checks, before the first file is transcribed, whether transcripts can be written at all.
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
END_BYTES = 2**16  #: read of each end of a transcript: all that it says about itself is there


#: Of formats that do not say which recording they belong to; the records of earlier jobs may know.
SAYS_NOTHING = Provenance(request_id="-", duration_sec=0.0)


@dataclass(frozen=True, slots=True)
class ExistingOutput:
    """What is stored under an output's name. `provenance` is None if it is not a transcript."""

    provenance: Provenance | None
    is_complete: bool = True  #: in every format of the job


@dataclass(frozen=True, slots=True)
class RecordingIdentity:
    """A recording as transcripts name it."""

    uri: str
    etag: str | None
    size_bytes: int | None
    request_id: str = ""

    @classmethod
    def of(cls, source: Recording | ObjectInfo, request_id: str = "") -> RecordingIdentity:
        return cls(without_query(source.uri), source.etag, source.size, request_id)

    def is_named_by(self, found: Provenance) -> bool:
        """Whether the transcript says that it is of this recording, of an earlier version perhaps.

        The path of a URL alone says little, `download?id=7` being one recording and `download?id=8` another.
        """
        if found.request_id == self.request_id:
            return True
        if found.input_uri is None:
            return self._has_bytes_of(found)
        if found.input_uri != self.uri:
            return False
        return scheme_of(self.uri) not in HTTP_SCHEMES or self._is_same_size_and_etag(found)

    def has_moved_from(self, found: Provenance) -> bool:
        """Whether it is the same file in another folder than when it was transcribed."""
        was = found.input_uri
        return was is not None and name_of(was) == name_of(self.uri) and self._has_bytes_of(found)

    def _has_bytes_of(self, found: Provenance) -> bool:
        return self.etag is not None and self._is_same_size_and_etag(found)

    def _is_same_size_and_etag(self, found: Provenance) -> bool:
        return (self.size_bytes, self.etag) == (found.input_size_bytes, found.input_etag)


def has_recording(stat: Callable[[str], ObjectInfo], uri: str) -> bool:
    """False where the job may not look, too."""
    try:
        stat(uri)
    except (ObjectNotFound, BucketNotFound, LocationNotAllowed, AccessDenied):
        return False
    return True


def look_in(
    store: Store, output: Output, formats: Sequence[OutputFormat] = (OutputFormat.JSON,)
) -> Callable[[str], ExistingOutput | None]:
    """`look`, as a job may. Credentials that can only write see nothing; they can overwrite all the same."""

    def look_if_allowed(uri: str) -> ExistingOutput | None:
        try:
            return look(uri, store, formats)
        except AccessDenied:
            if not output.overwrite:
                raise
            return None

    return look_if_allowed


def look(uri: str, store: Store, formats: Sequence[OutputFormat] = (OutputFormat.JSON,)) -> ExistingOutput | None:
    """None if nothing is stored in any format; `uri` is that of the first. Raises `StorageError`."""
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
    """The outcome that an earlier attempt had; None when it did not get as far as writing."""
    found = existing and existing.provenance
    if not found or found.request_id != request_id:
        return None
    return Outcome.succeeded(duration_sec=found.duration_sec, warnings=found.warnings)


def exists(output_uri: str, existing: ExistingOutput, *, is_own: bool) -> OutputExists:
    """A sentence that tells what is there."""
    found = existing.provenance
    if found is None:
        return OutputExists(
            f"{output_uri} is not a transcript, and was left alone; move it away, choose another output, or allow "
            "overwriting."
        )
    if not is_own:
        of = f"of {found.input_uri}" if found.input_uri else "of another recording"
        return OutputExists(f"{output_uri} is the transcript {of}, and is never replaced; choose another output.")
    return OutputExists(f"{output_uri} exists already and was left alone; allow overwriting to replace it.")


log = structlog.get_logger()


def check_output(uri: str, job: Job, store: Store) -> None:
    """Raises what all of the job's files would end with: the output's bucket is missing, or only overwriting works.

    Anything else may be different for the real name, or pass by, and is left to the files.
    """
    if job.output.overwrite:
        return
    try:
        store.check_write(uri)
    except (ConditionalWriteUnsupported, BucketNotFound, BucketNameInvalid):
        raise
    except StorageError as error:
        log.warning("output.not_checked", job_id=job.job_id, tenant=job.tenant, error_code=error.code)
