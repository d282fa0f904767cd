"""Writing of a transcript in every format of its job, and detection of what an earlier attempt has written.

A worker may die after it has written a transcript and before it has recorded that. So the digests of all formats are
recorded before the first one is written. An object with such a digest is from this file, whatever its engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from batchscribe.errors import ObjectNotFound, OutputExists
from batchscribe.jobs.layout import output_uris
from batchscribe.jobs.model import File, Job, Outcome, WrittenTranscript
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.metrics import Stage, stage
from batchscribe.stages.existing_output import ExistingOutput, RecordingIdentity, exists, own_outcome
from batchscribe.stages.job_context import JobContext
from batchscribe.stages.naming import OutputName
from batchscribe.storage.store import Store
from batchscribe.tracing.spans import span
from batchscribe.transcript.document import Transcript
from batchscribe.transcript.formats import FORMATS, Format

BLOCK_BYTES = 2**20
WRITE_ATTEMPTS = 3  #: under different names, if other jobs take them

#: Called with the file before its transcript is written; raises `WorkInterrupted` if it may not be written.
BeginWrite = Callable[[File, WrittenTranscript], None]


@dataclass(frozen=True, slots=True)
class Rendition:
    """A transcript in one format."""

    format: Format
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class _Stored(NamedTuple):
    """One format of a file: the digest that an earlier attempt recorded, and that of the stored object."""

    uri: str
    written: str
    stored: str | None

    @property
    def is_ours(self) -> bool:
        return self.stored == self.written


def earlier_outcome(file: File, job: Job, store: Store) -> Outcome | None:
    """Return the outcome of an earlier attempt that wrote every format; None if one is missing. Raises `StorageError`.

    An object with another digest existed before, and was left alone.
    """
    outputs = list(_read_stored(file, job, store))
    if not outputs or not outputs[0].is_ours or any(each.stored is None for each in outputs):
        return None
    left_alone = [each.uri for each in outputs if not each.is_ours]
    return _succeed(file.duration_sec or 0.0, file.warnings, left_alone)


def is_begun(file: File, job: Job, store: Store) -> bool:
    """Return whether an earlier attempt wrote the first format. Raises `StorageError`."""
    first = next(_read_stored(file, job, store), None)
    return first is not None and first.is_ours


@span("write")
def write_transcript(
    named: OutputName,
    me: RecordingIdentity,
    transcript: Transcript,
    job: Job,
    context: JobContext,
    begin_write: BeginWrite,
) -> Outcome:
    """Write a transcript in all formats. Raises `StorageError`, `WorkInterrupted`."""
    first, *others = [Rendition(FORMATS[each], FORMATS[each].render(transcript)) for each in job.config.formats]
    warnings = transcript.metadata.warnings
    digests = tuple(each.digest for each in (first, *others))
    segments = tuple(_spoken(transcript)) if context.is_searchable else ()
    waveform = transcript.waveform if context.keeps_waveforms else None
    begin_write(named.file, WrittenTranscript(transcript.duration_sec, warnings, digests, segments, waveform))
    named, kept = _write_first(named, me, first, job, context)
    if kept is not None and (named.is_of_another or not others):
        return kept
    uris = output_uris(named.file.output_uri, job.config.formats)[1:]
    wanted = zip(uris, others, named.file.output_digests[1:] or ("",) * len(others), strict=True)
    left_alone = [uri for uri, other, written in wanted if not _write_one(uri, other, written, job, context)]
    if kept is not None and len(left_alone) == len(others):
        return kept
    return _succeed(transcript.duration_sec, warnings, left_alone)


def _spoken(transcript: Transcript) -> Iterator[SpokenSegment]:
    for each in transcript.segments:
        yield SpokenSegment(each.start_sec, each.end_sec, each.channel, transcript.label(each), each.text)


def kept_outcome(named: OutputName, job: Job) -> Outcome | None:
    """Return the outcome if the object under the file's name must stay and no other format is missing."""
    existing = named.existing
    if existing is None or (job.output.overwrite and not named.is_of_another):
        return None
    if not existing.is_complete and not named.is_of_another:
        return None
    return _keep(named, existing, job)


def _keep(named: OutputName, existing: ExistingOutput, job: Job) -> Outcome:
    error = exists(named.file.output_uri, existing, is_own=named.is_own)
    return Outcome.failed(error) if job.output.overwrite else Outcome.skipped(error)


def _write_first(
    named: OutputName, me: RecordingIdentity, first: Rendition, job: Job, context: JobContext
) -> tuple[OutputName, Outcome | None]:
    """Write the first format. Another job may have used the name meanwhile, for this recording or for another one."""
    written = next(iter(named.file.output_digests), "")
    for _ in range(WRITE_ATTEMPTS):
        if job.output.overwrite:  # meanwhile, a transcript of another recording may be stored there
            named = context.naming.settle(named.file, me)
        uri = named.file.output_uri
        if _write_one(uri, first, written, job, context, may_replace=not named.is_of_another):
            return named, None
        named = context.naming.settle(named.file, me)
        if own := own_outcome(named.existing, me.request_id):
            return named, own
        if named.existing is not None:
            return named, _keep(named, named.existing, job)
    raise OutputExists(f"Other jobs keep taking the names for {named.file.output_uri}; submit the job again.")


def _write_one(
    uri: str, rendition: Rendition, written: str, job: Job, context: JobContext, *, may_replace: bool = True
) -> bool:
    """Write one format. Returns False if another object must stay. `written` is the digest of an earlier attempt."""
    overwrite = job.output.overwrite and may_replace
    try:
        _put(uri, rendition, context.output, overwrite=overwrite)
    except OutputExists:
        stored = _digest(uri, context.output)
        if stored == rendition.digest:
            return True
        if not written or stored != written:
            return False
        _put(uri, rendition, context.output, overwrite=True)
    return True


def _put(uri: str, rendition: Rendition, store: Store, *, overwrite: bool) -> None:
    with stage(Stage.WRITE):
        store.write(uri, rendition.content, overwrite=overwrite, content_type=rendition.format.content_type)


def _read_stored(file: File, job: Job, store: Store) -> Iterator[_Stored]:
    uris = output_uris(file.output_uri, job.config.formats)
    for uri, written in zip(uris, file.output_digests, strict=False):
        yield _Stored(uri, written, _digest(uri, store))


def _digest(uri: str, store: Store) -> str | None:
    """Return the digest of an object; None if it does not exist."""
    digest = hashlib.sha256()
    try:
        with store.open(uri) as found:
            for start in range(0, found.size, BLOCK_BYTES):
                digest.update(found.read(start, min(BLOCK_BYTES, found.size - start)))
    except ObjectNotFound:
        return None
    return digest.hexdigest()


def _succeed(duration_sec: float, warnings: Sequence[str], left_alone: Sequence[str]) -> Outcome:
    kept = [f"{uri} already exists and was not replaced; allow overwriting to replace it." for uri in left_alone]
    return Outcome.succeeded(duration_sec=duration_sec, warnings=(*warnings, *kept))
