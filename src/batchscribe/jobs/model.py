"""Jobs and files as records, and the only moves between their states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from batchscribe.jobs.source import Source, SourceKind
from batchscribe.jobs.summary import Summary
from batchscribe.wire.answers import ErrorAnswer, FileAnswer, JobAnswer
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.states import FileState, JobState, WaitingFor
from batchscribe.wire.uris import scheme_of

#: The only moves of a job there are. Everything that writes a state asks here.
JOB_MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.PROCESSING, JobState.FAILED, JobState.CANCELED}),
    JobState.PROCESSING: frozenset({JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.PARTIAL: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELED: frozenset(),
}

#: The only moves of a file there are. PROCESSING to itself is the next attempt, after its worker died;
#: PROCESSING to QUEUED hands the file back.
FILE_MOVES: Mapping[FileState, frozenset[FileState]] = {
    FileState.QUEUED: frozenset({FileState.PROCESSING, FileState.FAILED, FileState.SKIPPED, FileState.CANCELED}),
    FileState.PROCESSING: frozenset(FileState),
    FileState.SUCCEEDED: frozenset(),
    FileState.FAILED: frozenset(),
    FileState.CANCELED: frozenset(),
    FileState.SKIPPED: frozenset(),
}

FINAL_JOB_STATES = frozenset(state for state, moves in JOB_MOVES.items() if not moves)
FINAL_FILE_STATES = frozenset(state for state, moves in FILE_MOVES.items() if not moves)


#: Files that there never will be a transcript of, whatever was planned (contract 1.5).
WITHOUT_OUTPUT = frozenset({FileState.FAILED, FileState.CANCELED})

MAX_SEQ_DIGITS = 9  #: as many as a 32-bit column holds for certain


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the enumeration has come; a crashed one goes on from here."""

    source: int = 0  #: index of the source being read
    after: str | None = None  #: the last URI seen in it
    seq: int = 0  #: the last file's
    shard: int = 0  #: the last shard's number
    listed: bool = False  #: there is nothing more to read


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `number` is its key in the database, `job_id` what its owner calls it."""

    number: int
    job_id: str
    tenant: str
    lane: str  #: which queues its tasks go through: a server's, or its own for a job of the command line
    state: JobState
    submitted_at: datetime  #: UTC
    completed_at: datetime | None  #: UTC
    reference_id: str | None
    input: Mapping[str, Any]  #: the echo of what was asked for; `sources` is what it means
    output: Output  #: without credentials
    config: Config
    engine: str  #: that hears it: the one that was chosen when it was accepted
    sources: tuple[Source, ...]
    file_roots: tuple[str, ...]  #: folders that this job may use beside those of the settings
    s3: Mapping[str, Any]  #: where S3 is, when the job was told otherwise than the settings: fields of `Access`
    summary: Summary
    speed: float = 1.0  #: of that engine, in seconds of audio a second
    estimated_audio_sec: float = 0.0  #: of the files found so far, by their sizes
    cursor: Cursor = field(default_factory=Cursor)
    error_code: str | None = None
    error_message: str | None = None
    tracking_id: str | None = None  #: of the request that submitted it
    credentials_version: int = 0  #: how often it got fresh credentials for storage
    waits_for_credentials: bool = False  #: some of its work does

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_JOB_STATES

    @property
    def is_listed_from_s3(self) -> bool:
        """Whether some of it was: so the storage took its credentials."""
        return self.cursor != Cursor() and any(
            source.kind is SourceKind.PREFIX and scheme_of(source.uri) == "s3" for source in self.sources
        )

    def answer(self) -> JobAnswer:
        summary = self.summary.once_ended() if self.is_final else self.summary
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
            waiting_for=WaitingFor.CREDENTIALS if self.waits_for_credentials and not self.is_final else None,
        )


@dataclass(frozen=True, slots=True)
class File:
    """One recording of a job; `seq` counts from 1 in the order of enumeration."""

    job_number: int
    seq: int
    shard: int | None  #: none for a file that never needs a worker
    input_uri: str
    output_uri: str  #: planned from the start; empty when there never will be a transcript
    state: FileState = FileState.QUEUED
    attempt: int = 0
    size_bytes: int | None = None  #: unknown until opened, where a manifest named it
    duration_sec: float | None = None  #: unknown until decoded
    error_code: str | None = None
    error_message: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def file_id(self) -> str:
        return file_id_of(self.seq)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_FILE_STATES

    def state_in(self, job_state: JobState) -> FileState:
        """The state to show: the rows of an ended job are never rewritten, so its unfinished files only read so."""
        canceled = job_state in FINAL_JOB_STATES and not self.is_final
        return FileState.CANCELED if canceled else self.state

    def answer(self, job_state: JobState) -> FileAnswer:
        state = self.state_in(job_state)
        return FileAnswer(
            file_id=self.file_id,
            input_uri=self.input_uri,
            output_uri="" if state in WITHOUT_OUTPUT else self.output_uri,
            state=state,
            duration_sec=self.duration_sec,
            error=_error(self.error_code, self.error_message),
            warnings=self.warnings,
        )


class ShardState(StrEnum):
    QUEUED = "QUEUED"  #: its task waits
    RUNNING = "RUNNING"  #: its task has begun; its counters count
    DONE = "DONE"  #: every file has its final state, and the job's counters have taken its own in


def states_before(state: FileState) -> tuple[FileState, ...]:
    """The states from which a file may move to `state`."""
    return tuple(source for source, moves in FILE_MOVES.items() if state in moves)


def job_states_before(state: JobState) -> tuple[JobState, ...]:
    """The states from which a job may move to `state`."""
    return tuple(source for source, moves in JOB_MOVES.items() if state in moves)


def file_id_of(seq: int) -> str:
    return f"f_{seq:06d}"


def seq_of(file_id: str) -> int | None:
    """The number in a file's id; None when it is not one of ours."""
    digits = file_id.removeprefix("f_")
    is_ours = digits.isascii() and digits.isdigit() and len(digits) <= MAX_SEQ_DIGITS
    return int(digits) if is_ours and file_id == file_id_of(int(digits)) else None


def stored_states(shown: FileState, job_state: JobState) -> tuple[FileState, ...]:
    """The states on record that read as `shown` in a job of this state: the reverse of `File.state_in`."""
    if job_state not in FINAL_JOB_STATES:
        return (shown,)
    if shown in FINAL_FILE_STATES - {FileState.CANCELED}:
        return (shown,)
    return (FileState.QUEUED, FileState.PROCESSING, FileState.CANCELED) if shown is FileState.CANCELED else ()


def _error(code: str | None, message: str | None) -> ErrorAnswer | None:
    return ErrorAnswer(code=code, message=message or "") if code else None
