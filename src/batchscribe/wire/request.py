"""The body of a job request with its webhook, and the rules that can be checked without access to storage."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator

from batchscribe.wire.base import NOT_AVAILABLE, JsonObject, RequestLimits, Text, WireModel, refusal, request_limits_of
from batchscribe.wire.choices import OutputFormat, OutputLayout
from batchscribe.wire.config import Config, is_asked_for, option_not_available
from batchscribe.wire.input import Input
from batchscribe.wire.mistakes import invalid_request
from batchscribe.wire.output import Output
from batchscribe.wire.uris import extension_of
from batchscribe.wire.vocabulary import has_content

MAX_SECRET_CHARS = 256  # contract 1.2


def _validate_url(url: str, info: ValidationInfo) -> str:
    schemes = ("https", "http") if request_limits_of(info).plain_webhooks else ("https",)
    if not _is_url(url, schemes):
        allowed = " or ".join(f"{scheme}://" for scheme in schemes)
        raise refusal(f"A webhook URL must start with {allowed} and have a valid host and port.")
    return url


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(_origin(url))
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port or address
        return False


def _origin(url: str) -> str:
    """Return scheme, host and port. `urlsplit` caches its argument, and the rest of the URL may be a secret."""
    scheme, separator, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    return f"{scheme}{separator}{authority.rpartition('@')[2]}"


class Notifications(WireModel):
    """A webhook URL and its signing secret."""

    webhook_url: Annotated[Text, AfterValidator(_validate_url), Field(json_schema_extra={"pattern": "^https?://.+"})]
    secret: Annotated[SecretStr, Field(max_length=MAX_SECRET_CHARS)] | None = None


def _limit_reference(reference: str, info: ValidationInfo) -> str:
    limit = request_limits_of(info).reference_chars
    if len(reference) > limit:
        raise refusal(f"At most {limit} characters are allowed, but there are {len(reference)}.")
    return reference


Reference = Annotated[
    Text, AfterValidator(_limit_reference), Field(json_schema_extra={"maxLength": RequestLimits().reference_chars})
]


class Outputs(WireModel):
    """Results besides the transcript; none is supported yet."""

    ignored_fields: ClassVar[frozenset[str]] = frozenset(["text_polishing"])  # refused if it is on

    @model_validator(mode="before")
    @classmethod
    def _refuse_options_to_come(cls, data: Any) -> Any:
        if isinstance(data, dict) and is_asked_for(data.get("text_polishing")):
            raise option_not_available("text_polishing", field="text_polishing")
        return data


#: Options that the original also accepts outside `config`, each with a test for whether a value requests it.
OPTIONS_OF_CONFIG: dict[str, Callable[[Any], bool]] = {
    "language_detection": is_asked_for,
    "vocabulary": has_content,
    "vocabulary_id": bool,
}


class JobRequest(WireModel):
    """The body of POST jobs, with all defaults filled in."""

    ignored_fields: ClassVar[frozenset[str]] = frozenset(OPTIONS_OF_CONFIG)  # refused if they are on
    input: Input
    output: Output
    config: Annotated[Config, Field(validate_default=True)] = Config()
    reference_id: Reference | None = None
    notifications: Notifications | None = None
    outputs: Outputs = Outputs()

    @model_validator(mode="before")
    @classmethod
    def _refuse_options_of_config(cls, data: Any) -> Any:
        """Reject options that the original also accepts outside `config` (contract 1.6), rather than ignore them."""
        for name, is_requested in OPTIONS_OF_CONFIG.items():
            if isinstance(data, dict) and is_requested(data.get(name)):
                raise refusal(f"Use config.{name} instead.", field=name, kind=NOT_AVAILABLE)
        return data

    @field_validator("output")
    @classmethod
    def _infer_output(cls, output: Output, info: ValidationInfo) -> Output:
        return output.infer_from(info.data["input"]) if "input" in info.data else output

    @field_validator("config")
    @classmethod
    def _infer_format(cls, config: Config, info: ValidationInfo) -> Config:
        """Without a format, the name of a single transcript says it: `call.srt`."""
        output: Output | None = info.data.get("output")
        if output is None or output.layout is not OutputLayout.SINGLE or config.names_format:
            return config
        extension = extension_of(output.uri)
        known = extension in {each.value for each in OutputFormat if each is not OutputFormat.PEAKS}
        return config.model_copy(update={"output_format": OutputFormat(extension)}) if known else config

    def echo(self) -> JsonObject:
        """Return the request without credentials and webhook secret."""
        return {"input": self.input.echo(), "output": self.output.echo(), "config": self.config.echo()}


def parse_job_request(data: object, limits: RequestLimits | None = None) -> JobRequest:
    """Validate the body. Raises `InvalidRequest` or `OptionNotAvailable` with all mistakes, without the input."""
    try:
        return JobRequest.model_validate(data, context=limits)
    except ValidationError as error:
        raise invalid_request(error) from None  # the cause contains the input with its credentials
