"""The transcription options of a job."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator

from batchscribe.wire.base import NOT_AVAILABLE, JsonObject, NoNul, Text, WireModel, refusal
from batchscribe.wire.choices import DetectionMode, OutputFormat, SegmentationMode
from batchscribe.wire.vocabulary import Vocabulary, check_lists, has_content

DEFAULT_LANGUAGE = "en-US"
MAX_LANGUAGE_CHARS = 35  # the longest tag that software must support, RFC 5646 section 4.4.1
MAX_SPEAKERS = 100


def is_asked_for(value: Any) -> bool:
    """Return whether a switch, or an object with the switch `enabled`, is on."""
    if isinstance(value, dict) and "enabled" in value:
        return is_asked_for(value["enabled"])
    return value is not None and value is not False


class LanguageDetection(WireModel):
    """Language detection. If present, `config.language` is used only if the detected language is uncertain."""

    mode: DetectionMode


SpeakerLimit = Annotated[StrictInt, Field(ge=1, le=MAX_SPEAKERS)]
#: Fields that old clients do not know. The echo omits them if their value is false.
_ADDED_SWITCHES = ("word_confidence",)
#: Options that some workers in a fleet may not be able to read, because their release is older; see `Capability`.
ADDED_OPTIONS = ("diarization", "peaks", "profanity_filter", "vocabulary", "vocabulary_id", "word_confidence")
#: The fields of those options that are values of a field.
FIELDS_OF_OPTIONS = {"peaks": "output_formats"}


class Config(WireModel):
    """The effective configuration, including defaults. Unsupported options are rejected."""

    ignored_fields: ClassVar[frozenset[str]] = frozenset(["experimental_feature"])  # contract 1.3

    language: Annotated[str, Field(min_length=1, max_length=MAX_LANGUAGE_CHARS), NoNul] = DEFAULT_LANGUAGE
    language_detection: LanguageDetection | None = None
    segmentation_mode: SegmentationMode = SegmentationMode.AUTO
    timestamps: StrictBool = True
    word_time_offsets: StrictBool = False
    word_confidence: StrictBool = False
    channel_separation: StrictBool = False
    diarization: StrictBool = False
    num_speakers: SpeakerLimit | None = None
    min_speakers: SpeakerLimit | None = None
    max_speakers: SpeakerLimit | None = None
    profanity_filter: StrictBool = False
    vocabulary: Vocabulary | None = None  #: of the request itself; see `Job.vocabulary` for that of `vocabulary_id`
    vocabulary_id: Text | None = None
    output_format: OutputFormat = OutputFormat.JSON
    output_formats: tuple[OutputFormat, ...] | None = None  #: several at once, instead of `output_format`
    model: Text | None = None  #: echoed, but otherwise ignored: the transcript names the model that was used

    @field_validator("language_detection", mode="before")
    @classmethod
    def _read_false_as_off(cls, value: Any) -> Any:
        return None if value is False else value

    @field_validator("vocabulary", mode="before")
    @classmethod
    def _read_empty_as_off(cls, value: Any) -> Any:
        if not has_content(value):
            return None
        check_lists(value)
        return value

    @field_validator("vocabulary_id")
    @classmethod
    def _read_blank_as_off(cls, value: str | None) -> str | None:
        return value or None

    @model_validator(mode="after")
    def _check_speakers(self) -> Self:
        if self.diarization and self.channel_separation:
            raise refusal(
                "It cannot be combined with channel_separation, because the channels already distinguish the speakers; "
                "omit one of them.",
                field="diarization",
            )
        given = [name for name in ("num_speakers", "min_speakers", "max_speakers") if getattr(self, name) is not None]
        if given and not self.diarization:
            raise refusal("It is valid only with diarization; set diarization to true, or omit it.", field=given[0])
        if "num_speakers" in given and len(given) > 1:
            raise refusal(
                "It is the exact number; omit either it or min_speakers and max_speakers.", field="num_speakers"
            )
        at_least, at_most = self.speaker_range
        if at_most is not None and at_least > at_most:
            raise refusal("It is larger than max_speakers; lower it, or raise max_speakers.", field="min_speakers")
        return self

    @model_validator(mode="after")
    def _check_vocabulary(self) -> Self:
        if self.vocabulary is not None and self.vocabulary_id is not None:
            raise refusal("It cannot be combined with vocabulary; omit one of them.", field="vocabulary_id")
        return self

    @field_validator("output_formats")
    @classmethod
    def _settle_formats(cls, formats: tuple[OutputFormat, ...] | None) -> tuple[OutputFormat, ...] | None:
        """Each once, with the document first: it says which recording it belongs to. The waveform is the last."""
        if formats is not None and not formats:
            raise refusal("Name at least one format, or omit output_formats.")
        return formats and tuple(sorted(dict.fromkeys(formats), key=_place_of_format))

    @model_validator(mode="after")
    def _check_formats(self) -> Self:
        if (
            self.output_formats
            and "output_format" in self.model_fields_set
            and self.output_format not in self.output_formats
        ):
            raise refusal("output_formats does not contain output_format; omit one of them.", field="output_formats")
        return self

    @model_validator(mode="after")
    def _require_transcript(self) -> Self:
        if self.formats == (OutputFormat.PEAKS,):
            field = "output_formats" if self.output_formats else "output_format"
            raise refusal("peaks is not a transcript; name a format of transcripts, too.", field=field)
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
    def peaks(self) -> bool:
        """Whether the waveform is written beside the transcript."""
        return OutputFormat.PEAKS in self.formats

    @property
    def detection_mode(self) -> DetectionMode | None:
        """None if the language is fixed by `language`."""
        return None if self.language_detection is None else self.language_detection.mode

    @property
    def speaker_range(self) -> tuple[int, int | None]:
        """The smallest and largest number of speakers; None if there is no limit."""
        if self.num_speakers is not None:
            return self.num_speakers, self.num_speakers
        return self.min_speakers or 1, self.max_speakers

    @property
    def lists_words(self) -> bool:
        """Whether segments have words: with times, confidence or both."""
        return self.word_time_offsets or self.word_confidence

    @property
    def added_options(self) -> tuple[str, ...]:
        """Those of `ADDED_OPTIONS` that are on."""
        return tuple(name for name in ADDED_OPTIONS if getattr(self, name))

    def echo(self) -> JsonObject:
        """Return the options that have a value. If no newer option is used, earlier releases gave the same result."""
        echoed = self.model_dump(mode="json", exclude_none=True) | {"output_format": self.formats[0].value}
        if self.vocabulary is not None:
            echoed["vocabulary"] = self.vocabulary.echo()
        return {name: value for name, value in echoed.items() if value or name not in _ADDED_SWITCHES}


def _place_of_format(format_: OutputFormat) -> int:
    return {OutputFormat.JSON: 0, OutputFormat.PEAKS: 2}.get(format_, 1)


def option_not_available(option: str, *, field: str = "") -> Exception:
    """Build the error for a validator to raise; `field` as in `refusal`."""
    sentence = f"The option {option} is not supported yet; omit it."
    return refusal(sentence, field=field, kind=NOT_AVAILABLE)
