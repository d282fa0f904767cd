"""Response models and request bodies for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from batchscribe.wire.answers import FileAnswer, HitAnswer, JobAnswer
from batchscribe.wire.choices import JobState
from batchscribe.wire.delivery_answers import DeliveryAnswer
from batchscribe.wire.vocabulary import VocabularyAnswer


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
    next_cursor: str = Field(default="", description="Another name of `next_page_token`. Omitted on the last page.")


class FilesBody(BaseModel):
    files: list[FileAnswer]
    next_page_token: str
    next_cursor: str = Field(default="", description="Another name of `next_page_token`. Omitted on the last page.")


class VocabulariesBody(BaseModel):
    vocabularies: list[VocabularyAnswer]
    next_page_token: str
    next_cursor: str = Field(default="", description="Another name of `next_page_token`. Omitted on the last page.")


class HitsBody(BaseModel):
    hits: list[HitAnswer]
    next_page_token: str
    next_cursor: str = Field(default="", description="Another name of `next_page_token`. Omitted on the last page.")


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


_REASONS = {
    400: "The request is invalid; `errors` lists the fields.",
    401: "The API key or token is missing or invalid.",
    404: "The tenant has no such job, file, delivery or vocabulary.",
    405: "The path does not support this method.",
    409: "The state of the job does not allow this; or the Idempotency-Key was used with a different body.",
    413: "The body is too large.",
    415: "The Content-Type is not application/json.",
    429: "Too many requests; see Retry-After.",
    500: "An internal error; the server's log has the details.",
    503: "A part of the service is unavailable; see Retry-After.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return error entries for the `responses` of a route."""
    return {status: {"model": ErrorBody, "description": _REASONS[status]} for status in statuses}


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return a route's `requestBody`. FastAPI cannot infer it: routes read bodies themselves, for their own errors."""
    schema = model.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    return {"required": True, "content": {"application/json": {"schema": _inline(schema, definitions)}}}


def _inline(schema: Any, definitions: dict[str, Any]) -> Any:
    """Replace references into the schema's own `$defs`, which are invalid inside an OpenAPI document."""
    if isinstance(schema, list):
        return [_inline(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _inline(
            {**definitions[name], **{key: value for key, value in schema.items() if key != "$ref"}}, definitions
        )
    return {key: _inline(value, definitions) for key, value in schema.items()}
