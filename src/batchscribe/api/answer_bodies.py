"""The bodies of responses, as the OpenAPI document describes them. Routes write them themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from batchscribe.wire.answers import FileAnswer, HitAnswer, JobAnswer
from batchscribe.wire.choices import JobState
from batchscribe.wire.delivery_answers import DeliveryAnswer
from batchscribe.wire.vocabulary import VocabularyAnswer

NextCursor = Annotated[str, Field(description="Another name of `next_page_token`. Omitted on the last page.")]


class MistakeBody(BaseModel):
    """One invalid field, by its dotted path."""

    field: str
    message: str


class ErrorBody(BaseModel):
    """An error. `reason` is stable; `code` is 124 for authentication, 300 for validation, else the HTTP status."""

    code: int
    reason: str
    message: str
    errors: list[MistakeBody] = Field(default_factory=list)
    metadata: dict[str, int] = Field(default_factory=dict)


class SubmittedBody(BaseModel):
    job_id: str
    state: JobState
    submitted_at: str = Field(json_schema_extra={"format": "date-time"})
    warnings: list[str] = Field(default=[], description="Warnings about the request. Omitted if there are none.")


class JobsBody(BaseModel):
    jobs: list[JobAnswer]
    next_page_token: str
    next_cursor: NextCursor = ""


class FilesBody(BaseModel):
    files: list[FileAnswer]
    next_page_token: str
    next_cursor: NextCursor = ""


class VocabulariesBody(BaseModel):
    vocabularies: list[VocabularyAnswer]
    next_page_token: str
    next_cursor: NextCursor = ""


class HitsBody(BaseModel):
    hits: list[HitAnswer]
    next_page_token: str
    next_cursor: NextCursor = ""


class UsageDayBody(BaseModel):
    day: str = Field(json_schema_extra={"format": "date"})
    files: int
    audio_sec: float
    compute_sec: float
    bytes_in: int


class UsageTotalBody(BaseModel):
    """The sum over all days, including those that are not listed."""

    files: int
    audio_sec: float
    compute_sec: float
    bytes_in: int


class TenantUsageBody(BaseModel):
    """What the files of a tenant cost, by the day (UTC) on which their shard ended. Days without files are omitted."""

    since: str = Field(alias="from", json_schema_extra={"format": "date"})
    until: str = Field(alias="to", json_schema_extra={"format": "date"})
    days: list[UsageDayBody]
    total: UsageTotalBody


class RetriedBody(JobAnswer):
    """The job after a retry was accepted."""

    warnings: list[str] = Field(default=[], description="Warnings about the retry. Omitted if there are none.")


class DeliveriesBody(BaseModel):
    """The latest webhook events of a job, newest first. Without its URL, an event cannot be sent again."""

    deliveries: list[DeliveryAnswer]
    can_replay: bool


class PlannedBody(BaseModel):
    input_uri: str
    output_uri: str


class DryRunBody(BaseModel):
    """What a job would do. If `complete` is false, time ran out, and the counts cover what was found so far."""

    dry_run: Literal[True]
    complete: bool
    matched: int
    skipped: int
    excluded: int
    bytes: int
    estimated_audio_hours: float
    planned: list[PlannedBody]
    warnings: list[str]
    input: dict[str, Any]
    output: dict[str, Any]
    config: dict[str, Any]


class HealthBody(BaseModel):
    status: str
