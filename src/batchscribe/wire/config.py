"""The transcription options of a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, ValidationInfo, field_validator, model_validator

from batchscribe.wire.base import NOT_AVAILABLE, JsonObject, NoNul, Text, WireModel, refusal
from batchscribe.wire.choices import DetectionMode, OutputFormat, SegmentationMode

DEFAULT_LANGUAGE = "en-US"
MAX_LANGUAGE_CHARS = 35  # the longest tag that software must support, RFC 5646 section 4.4.1


def is_asked_for(value: Any) -> bool:
    """Return whether a switch, or an object with the switch `enabled`, is on."""
    if isinstance(value, dict) and "enabled" in value:
        return is_asked_for(value["enabled"])
    return value is not None and value is not False


def _has_content(value: Any) -> bool:
    return any(value.values()) if isinstance(value, dict) else bool(value)


#: Options of the original service that are not supported yet, each with a test for whether a value requests it.
OPTIONS_TO_COME: dict[str, Callable[[Any], bool]] = {
    "vocabulary": _has_content,
    "vocabulary_id": bool,
}


def refuse_options_to_come(data: Any) -> Any:
    """Reject unsupported options. For validators of `config` and of the request itself, which may both have them."""
    for name, is_requested in OPTIONS_TO_COME.items():
        if isinstance(data, dict) and is_requested(data.get(name)):
            raise option_not_available(name, field=name)
    return data


class LanguageDetection(WireModel):
    """Language detection. If present, `config.language` is used only if the detected language is uncertain."""

    mode: DetectionMode


class Config(WireModel):
    """The effective configuration, including defaults. Unsupported options are rejected."""

    language: Annotated[str, Field(min_length=1, max_length=MAX_LANGUAGE_CHARS), NoNul] = DEFAULT_LANGUAGE
    language_detection: LanguageDetection | None = None
    segmentation_mode: SegmentationMode = SegmentationMode.AUTO
    timestamps: StrictBool = True
    word_time_offsets: StrictBool = False
    channel_separation: StrictBool = False
    diarization: StrictBool = False
    profanity_filter: StrictBool = False
    output_format: OutputFormat = OutputFormat.JSON
    output_formats: tuple[OutputFormat, ...] | None = None  #: several at once, instead of `output_format`
    model: Text | None = None  #: echoed, but otherwise ignored: the transcript names the model that was used

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

    @field_validator("output_formats")
    @classmethod
    def _settle_formats(cls, formats: tuple[OutputFormat, ...] | None) -> tuple[OutputFormat, ...] | None:
        """Each once, with the document first: it says which recording it belongs to."""
        if formats is not None and not formats:
            raise refusal("Name at least one format, or omit output_formats.")
        return formats and tuple(sorted(dict.fromkeys(formats), key=lambda each: each is not OutputFormat.JSON))

    @model_validator(mode="after")
    def _check_formats(self) -> Self:
        if (
            self.output_formats
            and "output_format" in self.model_fields_set
            and self.output_format not in self.output_formats
        ):
            raise refusal("output_formats does not contain output_format; omit one of them.", field="output_formats")
        return self

    @property
    def names_format(self) -> bool:
        """Whether the client named one."""
        return bool(self.model_fields_set & {"output_format", "output_formats"})

    @property
    def formats(self) -> tuple[OutputFormat, ...]:
        """What to write for each recording; the first one decides the name."""
        return self.output_formats or (self.output_format,)

    @property
    def detection_mode(self) -> DetectionMode | None:
        """None if the language is fixed by `language`."""
        return None if self.language_detection is None else self.language_detection.mode

    def echo(self) -> JsonObject:
        return self.model_dump(mode="json", exclude_none=True) | {"output_format": self.formats[0].value}


def option_not_available(option: str, *, field: str = "") -> Exception:
    """Build the error for a validator to raise; `field` as in `refusal`."""
    sentence = f"The option {option} is not supported yet; omit it."
    return refusal(sentence, field=field, kind=NOT_AVAILABLE)
