"""The records of jobs and files, the result of a file, and the allowed transitions between states."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from batchscribe.cost import Cost
from batchscribe.errors import BatchscribeError
from batchscribe.jobs.job_progress import Progress
from batchscribe.jobs.layout import output_uris
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.jobs.summary import Summary
from batchscribe.speech.capability import key_of_model, queue_key_of
from batchscribe.window import Waveform
from batchscribe.wire.answers import ErrorAnswer, FileAnswer, JobAnswer, UsageAnswer
from batchscribe.wire.choices import FileState, JobState, OutputFormat, WaitingFor
from batchscribe.wire.config import Config
from batchscribe.wire.locations import is_in_cloud
from batchscribe.wire.output import Output
from batchscribe.wire.vocabulary import Vocabulary

LOCAL_TENANT = "default"  #: of all jobs of the command line
ANY_ENGINE = "auto"  #: the engine of a job that names none, until one is chosen
WATCH_LANE = "watch_"  #: how the lane of a `batchscribe watch` begins


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file's final state, with the values to store in its row."""

    state: FileState
    duration_sec: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    warnings: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)

    @classmethod
    def succeeded(cls, *, duration_sec: float, warnings: tuple[str, ...] = ()) -> Self:
        return cls(FileState.SUCCEEDED, duration_sec=duration_sec, warnings=warnings)

    @classmethod
    def failed(cls, error: BatchscribeError) -> Self:
        return cls(FileState.FAILED, error_code=error.code, error_message=error.message)

    @classmethod
    def skipped(cls, error: BatchscribeError) -> Self:
        return cls(FileState.SKIPPED, error_code=error.code, error_message=error.message)


#: The allowed state transitions of a job. All code that writes a state uses this table. Of the final states, two allow
#: a retry of the files that failed, which opens the job again.
JOB_MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.PROCESSING, JobState.FAILED, JobState.CANCELED}),
    JobState.PROCESSING: frozenset({JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.PARTIAL: frozenset({JobState.PROCESSING}),
    JobState.FAILED: frozenset({JobState.PROCESSING}),
    JobState.CANCELED: frozenset(),
}

#: The allowed state transitions of a file. PROCESSING to itself is a new attempt after its worker died;
#: PROCESSING to QUEUED requeues the file, and so does FAILED to QUEUED, in a retry.
FILE_MOVES: Mapping[FileState, frozenset[FileState]] = {
    FileState.QUEUED: frozenset({FileState.PROCESSING, FileState.FAILED, FileState.SKIPPED, FileState.CANCELED}),
    FileState.PROCESSING: frozenset(FileState),
    FileState.SUCCEEDED: frozenset(),
    FileState.FAILED: frozenset({FileState.QUEUED}),
    FileState.CANCELED: frozenset(),
    FileState.SKIPPED: frozenset(),
}

FINAL_JOB_STATES = frozenset(JobState) - {JobState.QUEUED, JobState.PROCESSING}
FINAL_FILE_STATES = frozenset(FileState) - {FileState.QUEUED, FileState.PROCESSING}
RETRYABLE_JOB_STATES = frozenset(state for state in FINAL_JOB_STATES if JobState.PROCESSING in JOB_MOVES[state])
#: The states of files that will never have a transcript (contract 1.5).
WITHOUT_OUTPUT = frozenset({FileState.FAILED, FileState.CANCELED})

MAX_SEQ_DIGITS = 9  #: so that any number fits in a 32-bit column


@dataclass(frozen=True, slots=True)
class Cursor:
    """The progress of an enumeration; after a crash, it resumes from here."""

    source: int = 0  #: index of the source being read
    after: str | None = None  #: the last URI read from it
    seq: int = 0  #: of the last file
    shard: int = 0  #: the number of the last shard
    listed: bool = False  #: all sources have been read


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `number` is its database key; `job_id` is the ID that users see."""

    number: int
    job_id: str
    tenant: str
    lane: str  #: selects the queues of its tasks: those of a server, or its own for a command-line job
    state: JobState
    submitted_at: datetime  #: UTC
    completed_at: datetime | None  #: UTC
    reference_id: str | None
    input: Mapping[str, Any]  #: the echo of the request; `sources` is the parsed form
    output: Output  #: without credentials
    config: Config
    engine: str  #: chosen when the job was accepted, like the model; before that, the requested one, such as `auto`
    sources: tuple[Source, ...]
    file_roots: tuple[str, ...]  #: folders that this job may use in addition to those of the settings
    storage_settings: Mapping[str, Any]  #: settings of storage that this job was submitted with; it keeps them
    summary: Summary
    model: str | None = None  #: None for any model of the engine; see `EngineOfJob`
    model_revision: str | None = None
    vocabulary: Vocabulary | None = None  #: of `config.vocabulary`, or of the asset `config.vocabulary_id`
    speed: float = 1.0  #: of the engine, in seconds of audio per second
    cursor: Cursor = field(default_factory=Cursor)
    error_code: str | None = None
    error_message: str | None = None
    tracking_id: str | None = None  #: of the request that submitted it
    traceparent: str | None = None  #: the header of that request, or the variable of the command
    credentials_version: int = 0  #: how many times it got fresh storage credentials
    retry_number: int = 0  #: how many times its failed files were retried
    secrets: frozenset[str] | None = None  #: names of its storage secrets; None for a job of an earlier release
    progress: Progress = field(default_factory=Progress)
    compute_sec: float = 0.0  #: see `Cost`
    bytes_in: int = 0
    extra_attempts: int = 0  #: at files that were tried before
    waits_for_credentials: bool = False  #: whether some of its files wait for fresh credentials

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_JOB_STATES

    @property
    def has_own_lane(self) -> bool:
        """Whether it is a job of the command line: only the command that resumes it works on it."""
        return self.lane == self.job_id

    @property
    def is_local(self) -> bool:
        """Whether it is a job of `batchscribe transcribe` or `watch`, on which no server works."""
        return self.has_own_lane or self.lane.startswith(WATCH_LANE)

    @property
    def phrases(self) -> tuple[str, ...]:
        """The phrases for the engine."""
        return self.vocabulary.phrases if self.vocabulary else ()

    @property
    def model_key(self) -> str:
        """The key of the model that its shards need, or only the engine."""
        return self.engine if self.model is None else key_of_model(self.engine, self.model, self.model_revision)

    @property
    def queue_key(self) -> str:
        """What selects the queue of its shards: the model or engine, and whether they need the speaker models."""
        return queue_key_of(self.model_key, diarization=self.config.diarization)

    @property
    def is_listed_from_cloud(self) -> bool:
        """Whether a listing of a bucket has succeeded, which shows that the storage accepted its credentials."""
        return self.cursor != Cursor() and any(
            source.kind is SourceKind.PREFIX and is_in_cloud(source.uri) for source in self.sources
        )

    def answer(self, *, now: float | None = None) -> JobAnswer:
        """`now` is a Unix time, by default the current one."""
        summary = self.summary.count_unfinished_as_canceled() if self.is_final else self.summary
        return JobAnswer(
            job_id=self.job_id,
            state=self.state,
            submitted_at=self.submitted_at,
            completed_at=self.completed_at,
            reference_id=self.reference_id,
            input=dict(self.input),
            output=self.output.echo(),
            config=self.config.echo(),
            summary=summary.answer(),
            error=_error(self.error_code, self.error_message),
            progress=self.progress.answer(self.state, summary, time.time() if now is None else now),
            usage=UsageAnswer(
                audio_sec=round(summary.audio_sec, 3),
                compute_sec=round(self.compute_sec, 3),
                bytes_in=self.bytes_in,
                retries=self.extra_attempts,
            ),
            waiting_for=WaitingFor.CREDENTIALS if self.waits_for_credentials and not self.is_final else None,
        )


@dataclass(frozen=True, slots=True)
class File:
    """One recording of a job; `seq` counts from 1 in the order of enumeration."""

    job_number: int
    seq: int
    shard: int | None  #: None for a file that needs no worker
    input_uri: str
    output_uri: str  #: planned from the start; empty if there will never be a transcript
    state: FileState = FileState.QUEUED
    attempt: int = 0
    size_bytes: int | None = None  #: for files of a manifest, unknown until opened
    duration_sec: float | None = None  #: unknown until decoded
    error_code: str | None = None
    error_message: str | None = None
    warnings: tuple[str, ...] = ()
    output_digests: tuple[str, ...] = ()  #: see `WrittenTranscript`; of the latest attempt that wrote
    has_checkpoint: bool = False  #: known when an attempt starts, like `fruitful_attempt`
    fruitful_attempt: int = 0  #: the latest one that came further than those before; 0 if none did

    @property
    def file_id(self) -> str:
        return file_id_of(self.seq)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_FILE_STATES

    def state_in(self, job_state: JobState) -> FileState:
        """Return the state to show. In an ended job, unfinished files are shown as canceled; their rows stay as is."""
        canceled = job_state in FINAL_JOB_STATES and not self.is_final
        return FileState.CANCELED if canceled else self.state

    def answer(self, job_state: JobState, formats: Sequence[OutputFormat] = ()) -> FileAnswer:
        """`formats` are those of the job."""
        state = self.state_in(job_state)
        has_several = len(formats) > 1 and bool(self.output_uri) and state not in WITHOUT_OUTPUT
        return FileAnswer(
            file_id=self.file_id,
            input_uri=self.input_uri,
            output_uri="" if state in WITHOUT_OUTPUT else self.output_uri,
            output_uris=output_uris(self.output_uri, formats) if has_several else (),
            state=state,
            duration_sec=self.duration_sec,
            error=_error(self.error_code, self.error_message),
            warnings=self.warnings,
        )


@dataclass(frozen=True, slots=True)
class WrittenTranscript:
    """What is stored just before a transcript is written, so that a later attempt recognizes it."""

    duration_sec: float
    warnings: tuple[str, ...]
    output_digests: tuple[str, ...]  #: SHA-256 of the content in each format; empty for one that is not written
    segments: tuple[SpokenSegment, ...] = ()  #: for search
    waveform: Waveform | None = None  #: None if it is not kept


class ShardState(StrEnum):
    QUEUED = "QUEUED"  #: its task is waiting
    RUNNING = "RUNNING"  #: its task has begun and updates its counters
    DONE = "DONE"  #: every file is in a final state, and its counters have been added to those of the job


def states_before(state: FileState) -> tuple[FileState, ...]:
    """Return the states from which a file may change to `state`."""
    return tuple(source for source, moves in FILE_MOVES.items() if state in moves)


def job_states_before(state: JobState) -> tuple[JobState, ...]:
    """Return the states from which a job may change to `state`."""
    return tuple(source for source, moves in JOB_MOVES.items() if state in moves)


def file_id_of(seq: int) -> str:
    return f"f_{seq:06d}"


def seq_of(file_id: str) -> int | None:
    """Return the number in a file ID; None if the ID is malformed."""
    digits = file_id.removeprefix("f_")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= MAX_SEQ_DIGITS
    return int(digits) if is_number and file_id == file_id_of(int(digits)) else None


def stored_states(shown: FileState, job_state: JobState) -> tuple[FileState, ...]:
    """Return the stored states that are shown as `shown` in a job of this state: the reverse of `File.state_in`."""
    if job_state not in FINAL_JOB_STATES:
        return (shown,)
    if shown in FINAL_FILE_STATES - {FileState.CANCELED}:
        return (shown,)
    return (FileState.QUEUED, FileState.PROCESSING, FileState.CANCELED) if shown is FileState.CANCELED else ()


def _error(code: str | None, message: str | None) -> ErrorAnswer | None:
    return ErrorAnswer(code=code, message=message or "") if code else None
