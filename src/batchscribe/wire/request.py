"""A job as a client asks for it, and every rule that can be checked without looking into storage."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from batchscribe.wire.config import Config, is_asked_for, option_not_available, refuse_options_to_come
from batchscribe.wire.input import Input
from batchscribe.wire.limits import Limits, limits_of
from batchscribe.wire.model import NOT_AVAILABLE, JsonObject, Text, WireModel, refusal
from batchscribe.wire.notifications import Notifications
from batchscribe.wire.output import Output
from batchscribe.wire.refusals import refused


def _short_reference(reference: str, info: ValidationInfo) -> str:
    limit = limits_of(info).reference_chars
    if len(reference) > limit:
        raise refusal(f"At most {limit} characters are allowed, and there are {len(reference)}.")
    return reference


Reference = Annotated[
    Text, AfterValidator(_short_reference), Field(json_schema_extra={"maxLength": Limits().reference_chars})
]


class Outputs(WireModel):
    """Further results beside the transcript; none is served yet."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_options_to_come(cls, data: Any) -> Any:
        if isinstance(data, dict) and is_asked_for(data.get("text_polishing")):
            raise option_not_available("text_polishing", field="text_polishing")
        return data


class JobRequest(WireModel):
    """The body of POST jobs, with everything decided that the client left open."""

    input: Input
    output: Output
    config: Config = Config()
    reference_id: Reference | None = None
    notifications: Notifications | None = None
    outputs: Outputs = Outputs()

    @model_validator(mode="before")
    @classmethod
    def _refuse_options_to_come(cls, data: Any) -> Any:
        """The original takes some options beside `config` too (contract 1.6); none is dropped in silence."""
        if isinstance(data, dict) and is_asked_for(data.get("language_detection")):
            sentence = "Write it as config.language_detection."
            raise refusal(sentence, field="language_detection", kind=NOT_AVAILABLE)
        return refuse_options_to_come(data)

    @field_validator("output")
    @classmethod
    def _settle(cls, output: Output, info: ValidationInfo) -> Output:
        return output.settled(info.data["input"]) if "input" in info.data else output

    def echo(self) -> JsonObject:
        """What a client may read back: no credentials, no webhook secret."""
        return {"input": self.input.echo(), "output": self.output.echo(), "config": self.config.echo()}


def parse_job_request(data: object, limits: Limits | None = None) -> JobRequest:
    """Raises `InvalidRequest`, or `OptionNotAvailable`, with all mistakes; it never shows the input."""
    try:
        return JobRequest.model_validate(data, context=limits)
    except ValidationError as error:
        raise refused(error) from None  # the cause holds the input, credentials and all
