"""The body of a job request, and the rules that can be checked without access to storage."""

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


def _limit_reference(reference: str, info: ValidationInfo) -> str:
    limit = limits_of(info).reference_chars
    if len(reference) > limit:
        raise refusal(f"At most {limit} characters are allowed, but there are {len(reference)}.")
    return reference


Reference = Annotated[
    Text, AfterValidator(_limit_reference), Field(json_schema_extra={"maxLength": Limits().reference_chars})
]


class Outputs(WireModel):
    """Results besides the transcript; none is supported yet."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_options_to_come(cls, data: Any) -> Any:
        if isinstance(data, dict) and is_asked_for(data.get("text_polishing")):
            raise option_not_available("text_polishing", field="text_polishing")
        return data


class JobRequest(WireModel):
    """The body of POST jobs, with all defaults filled in."""

    input: Input
    output: Output
    config: Config = Config()
    reference_id: Reference | None = None
    notifications: Notifications | None = None
    outputs: Outputs = Outputs()

    @model_validator(mode="before")
    @classmethod
    def _refuse_options_to_come(cls, data: Any) -> Any:
        """Reject options that the original also accepts outside `config` (contract 1.6), rather than ignore them."""
        if isinstance(data, dict) and is_asked_for(data.get("language_detection")):
            sentence = "Use config.language_detection instead."
            raise refusal(sentence, field="language_detection", kind=NOT_AVAILABLE)
        return refuse_options_to_come(data)

    @field_validator("output")
    @classmethod
    def _infer_output(cls, output: Output, info: ValidationInfo) -> Output:
        return output.infer_from(info.data["input"]) if "input" in info.data else output

    def echo(self) -> JsonObject:
        """Return the request without credentials and webhook secret."""
        return {"input": self.input.echo(), "output": self.output.echo(), "config": self.config.echo()}


def parse_job_request(data: object, limits: Limits | None = None) -> JobRequest:
    """Validate the body. Raises `InvalidRequest` or `OptionNotAvailable` with all mistakes, without the input."""
    try:
        return JobRequest.model_validate(data, context=limits)
    except ValidationError as error:
        raise refused(error) from None  # the cause contains the input with its credentials
