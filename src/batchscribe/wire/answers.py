"""Response bodies for jobs and files. `body()` returns the JSON object.

Clients of the original service fail on null where they expect an absent value, so only `error` is ever null
(contract 1.4 and 1.5).
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic.json_schema import SkipJsonSchema

from batchscribe.wire.base import JsonObject, WireModel
from batchscribe.wire.choices import FileState, JobState, WaitingFor
from batchscribe.wire.uris import without_query


class ErrorAnswer(WireModel):
    """Why a job or a file failed: a stable code, and one sentence for the user."""

    code: str
    message: str


class SummaryAnswer(WireModel):
    """How many of a job's files are in each state; `total_files` is their sum."""

    total_files: int = 0
    queued: int = 0
    processing: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    canceled: int = 0


class FileAnswer(WireModel):
    """One file of a job."""

    file_id: str
    input_uri: str
    output_uri: str  #: planned from the start; empty once it is certain that there will be no transcript
    output_uris: tuple[str, ...] = ()  #: of all formats, if there are several
    state: FileState
    duration_sec: float | SkipJsonSchema[None] = None
    error: ErrorAnswer | None = None
    warnings: tuple[str, ...] = ()

    def body(self) -> JsonObject:
        body: JsonObject = {
            "file_id": self.file_id,
            "input_uri": without_query(self.input_uri),  # the query may be a signature
            "output_uri": self.output_uri,
            "state": self.state.value,
        }
        if self.output_uris:
            body["output_uris"] = list(self.output_uris)
        if self.duration_sec is not None:
            body["duration_sec"] = self.duration_sec
        body["error"] = self.error.model_dump() if self.error else None
        if self.warnings:
            body["warnings"] = list(self.warnings)
        return body


class HitAnswer(WireModel):
    """A segment of a transcript in which something was found; times in seconds from the start of the recording."""

    job_id: str
    file_id: str
    input_uri: str
    output_uri: str
    start: float
    end: float
    channel: int
    speaker: str | SkipJsonSchema[None] = None  #: the label in the transcript
    text: str
    matches: tuple[tuple[int, int], ...]  #: what to mark in `text`: the first character and the one after the last

    def body(self) -> JsonObject:
        body: JsonObject = {
            "job_id": self.job_id,
            "file_id": self.file_id,
            "input_uri": without_query(self.input_uri),  # the query may be a signature
            "output_uri": self.output_uri,
            "start": self.start,
            "end": self.end,
            "channel": self.channel,
        }
        if self.speaker is not None:
            body["speaker"] = self.speaker
        return body | {"text": self.text, "matches": [list(span) for span in self.matches]}


class ProgressAnswer(WireModel):
    """How far a job is, in seconds of audio. What is not known is absent."""

    audio_sec_done: float = 0.0  #: of the files that succeeded
    audio_sec_total: float | SkipJsonSchema[None] = None  #: estimated from sizes until the files have ended
    queue_position: int | SkipJsonSchema[None] = None  #: among the tenant's own jobs, from 1, while the job is QUEUED
    eta_sec: int | SkipJsonSchema[None] = None  #: estimated seconds until the end

    def body(self) -> JsonObject:
        body: JsonObject = {"audio_sec_done": self.audio_sec_done}
        if self.audio_sec_total is not None:
            body["audio_sec_total"] = self.audio_sec_total
        if self.queue_position is not None:
            body["queue_position"] = self.queue_position
        if self.eta_sec is not None:
            body["eta_sec"] = self.eta_sec
        return body


class UsageAnswer(WireModel):
    """What the files of a job that have ended cost, including those that failed."""

    audio_sec: float = 0.0  #: of the files that succeeded
    compute_sec: float = 0.0  #: time of engine processes, and CPU time of decoders and diarization
    bytes_in: int = 0  #: read from the storage of the recordings
    retries: int = 0  #: attempts at files after their first one

    def body(self) -> JsonObject:
        return {
            "audio_sec": self.audio_sec,
            "compute_sec": self.compute_sec,
            "bytes_in": self.bytes_in,
            "retries": self.retries,
        }


class JobAnswer(WireModel):
    """One job. `input`, `output` and `config` are the echoes of the request."""

    job_id: str
    state: JobState
    submitted_at: datetime
    completed_at: datetime | SkipJsonSchema[None] = None
    reference_id: str | SkipJsonSchema[None] = None
    input: JsonObject
    output: JsonObject
    config: JsonObject
    summary: SummaryAnswer
    progress: ProgressAnswer = ProgressAnswer()
    usage: UsageAnswer = UsageAnswer()
    error: ErrorAnswer | None = None
    waiting_for: WaitingFor | SkipJsonSchema[None] = None  #: what the client must send; other files continue

    def body(self) -> JsonObject:
        body: JsonObject = {
            "job_id": self.job_id,
            "state": self.state.value,
            "submitted_at": timestamp(self.submitted_at),
        }
        if self.completed_at is not None:
            body["completed_at"] = timestamp(self.completed_at)
        if self.reference_id is not None:
            body["reference_id"] = self.reference_id
        body |= {"input": self.input, "output": self.output, "config": self.config}
        body["summary"] = self.summary.model_dump()
        body["progress"] = self.progress.body()
        body["usage"] = self.usage.body()
        body["error"] = self.error.model_dump() if self.error else None
        if self.waiting_for is not None:
            body["waiting_for"] = self.waiting_for.value
        return body


def timestamp(moment: datetime) -> str:
    """Format as ISO 8601 in UTC with `Z` and whole seconds, as in the original's examples."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
