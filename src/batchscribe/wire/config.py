"""How the recordings of a job are to be transcribed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, StrictBool, ValidationInfo, field_validator, model_validator

from batchscribe.wire.choices import DetectionMode, OutputFormat, SegmentationMode
from batchscribe.wire.model import NOT_AVAILABLE, JsonObject, NoNul, Text, WireModel, refusal

DEFAULT_LANGUAGE = "en-US"
MAX_LANGUAGE_CHARS = 35  # the longest tag software must hold, RFC 5646 section 4.4.1


def is_asked_for(value: Any) -> bool:
    """Of a switch, or of an object with one in it."""
    if isinstance(value, dict) and "enabled" in value:
        return is_asked_for(value["enabled"])
    return value is not None and value is not False


def _holds_something(value: Any) -> bool:
    return any(value.values()) if isinstance(value, dict) else bool(value)


#: Options of the original service that nobody serves here yet, and what counts as asking for one.
OPTIONS_TO_COME: dict[str, Callable[[Any], bool]] = {
    "vocabulary": _holds_something,
    "vocabulary_id": bool,
}


def refuse_options_to_come(data: Any) -> Any:
    """In a validator of whatever may have them: `config`, and the request itself."""
    for name, asks in OPTIONS_TO_COME.items():
        if isinstance(data, dict) and asks(data.get(name)):
            raise option_not_available(name, field=name)
    return data


class LanguageDetection(WireModel):
    """`config.language` is then only what is assumed in case of doubt."""

    mode: DetectionMode


class Config(WireModel):
    """The effective configuration: every field has its default. An option that cannot be honoured is refused."""

    language: Annotated[str, Field(min_length=1, max_length=MAX_LANGUAGE_CHARS), NoNul] = DEFAULT_LANGUAGE
    language_detection: LanguageDetection | None = None
    segmentation_mode: SegmentationMode = SegmentationMode.AUTO
    timestamps: StrictBool = True
    word_time_offsets: StrictBool = False
    channel_separation: StrictBool = False
    diarization: StrictBool = False
    profanity_filter: StrictBool = False
    output_format: OutputFormat = OutputFormat.JSON
    model: Text | None = None  #: a wish that is only echoed: the transcript says which model was used

    @model_validator(mode="before")
    @classmethod
    def _refuse_options_to_come(cls, data: Any) -> Any:
        return refuse_options_to_come(data)

    @field_validator("language_detection", mode="before")
    @classmethod
    def _read_false_as_off(cls, value: Any) -> Any:
        return None if value is False else value

    @field_validator("diarization", "profanity_filter")
    @classmethod
    def _refuse_switch_to_come(cls, wanted: bool, info: ValidationInfo) -> bool:
        if wanted:
            raise option_not_available(str(info.field_name))
        return wanted

    @property
    def detection_mode(self) -> DetectionMode | None:
        """None: the language is the one named."""
        return None if self.language_detection is None else self.language_detection.mode

    def echo(self) -> JsonObject:
        return self.model_dump(mode="json", exclude_none=True)


def option_not_available(option: str, *, field: str = "") -> Exception:
    """To be raised in a validator; `field` as in `refusal`."""
    sentence = f"The option {option} is not available here yet; leave it out."
    return refusal(sentence, field=field, kind=NOT_AVAILABLE)
