"""A server's answers as models. They also accept the answers of the original service, and unknown fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError, model_validator

from batchscribe.client.polling import LIVE_STATES
from batchscribe.errors import ServerError
from batchscribe.wire.answers import ErrorAnswer, ProgressAnswer, SummaryAnswer, UsageAnswer
from batchscribe.wire.base import JsonObject


class ServerObject(BaseModel):
    """A frozen model of a JSON object. `raw` is the object as the server sent it, with the fields that have no name."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    _raw: JsonObject = PrivateAttr(default_factory=dict)

    @classmethod
    def parse(cls, raw: JsonObject, server: str) -> Self:
        """Raises `ServerError` if a required field is missing or a field has the wrong type."""
        try:
            return cls.model_validate(raw, context=raw)
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise ServerError(f"The answer from {server} has no valid {place}; is it a batchscribe server?") from None

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data

    def model_post_init(self, context: Any, /) -> None:
        self._raw = context if isinstance(context, dict) else {}

    @property
    def raw(self) -> JsonObject:
        return self._raw


class SubmittedJob(ServerObject):
    """The answer to a submission."""

    job_id: str
    state: str = ""
    submitted_at: datetime | None = None
    warnings: tuple[str, ...] = ()


class JobStatus(ServerObject):
    """A job. `state` is a name such as `PROCESSING`; `input`, `output` and `config` repeat the submission."""

    job_id: str
    state: str
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    reference_id: str | None = None
    input: JsonObject = {}
    output: JsonObject = {}
    config: JsonObject = {}
    summary: SummaryAnswer = SummaryAnswer()
    progress: ProgressAnswer = ProgressAnswer()
    usage: UsageAnswer = UsageAnswer()
    error: ErrorAnswer | None = None
    waiting_for: str | None = None  #: `credentials`, if files wait for fresh ones
    warnings: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        return self.state not in LIVE_STATES


class FileStatus(ServerObject):
    """One file of a job. `output_uri` is empty if there is no transcript and will be none."""

    file_id: str
    state: str
    input_uri: str = ""
    output_uri: str = ""
    output_uris: tuple[str, ...] = ()  #: of all formats, if there are several
    duration_sec: float | None = None
    error: ErrorAnswer | None = None
    warnings: tuple[str, ...] = ()


class PlannedJob(ServerObject):
    """What a submission would do. `matched` counts the files that would be transcribed."""

    matched: int = 0
    skipped: int = 0
    excluded: int = 0
    complete: bool = True  #: whether the whole input was listed
    warnings: tuple[str, ...] = ()


class SpokenMatch(ServerObject):
    """A segment in which a search found something; times are seconds from the start of the recording."""

    job_id: str
    file_id: str
    input_uri: str = ""
    output_uri: str = ""
    start: float
    end: float
    channel: int = 0
    speaker: str | None = None
    text: str
    matches: tuple[tuple[int, int], ...] = ()  #: in `text`: the first character and the one after the last


class ListedVocabulary(ServerObject):
    """A vocabulary; `vocabulary_id` is for `config.vocabulary_id` of jobs."""

    vocabulary_id: str
    name: str | None = None
    phrases: tuple[str, ...] = ()


class SentEvent(ServerObject):
    """One webhook event of a job, with the latest attempts to deliver it."""

    event_id: str
    event_type: str = ""
    state: str = ""
    attempts: tuple[JsonObject, ...] = ()


class SentEvents(ServerObject):
    """The latest webhook events of a job."""

    deliveries: tuple[SentEvent, ...] = ()
    can_replay: bool = False
