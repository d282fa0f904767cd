"""The custom vocabulary of a job: phrases for the engine, and aliases for the transcript."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic.json_schema import SkipJsonSchema

from batchscribe.wire.answers import timestamp
from batchscribe.wire.base import NOT_AVAILABLE, JsonObject, Text, WireModel, refusal
from batchscribe.wire.mistakes import invalid_request

MAX_PHRASES = 100  # contract 1.6
MAX_ALIASES = 100
MAX_VARIANTS = 20  #: of one alias
MAX_PHRASE_CHARS = 100  #: as with Google's phrase sets
MAX_NAME_CHARS = 256  #: as for `reference_id`
LISTS = frozenset({"phrases", "aliases", "pronunciations"})  #: of a vocabulary in a request
_WORD = re.compile(r"\w")
#: What may be between the words of a phrase, as a set of a regular expression.
BETWEEN = "[\\s\\-\N{HYPHEN}\N{NON-BREAKING HYPHEN}]"
APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
_BETWEEN_WORDS = re.compile(f"{BETWEEN}+")


def normal_form(phrase: str) -> str:
    """Return a form that is equal for phrases found at the same places, except for case.

    Spaces and hyphens between words become one space, apostrophes the plain one, and marks part of their letters.
    """
    composed = _BETWEEN_WORDS.sub(" ", unicodedata.normalize("NFC", phrase)).strip()
    return re.sub(f"[{APOSTROPHES}]", "'", composed)


def _read_phrase(text: str) -> str:
    """Return the phrase with single spaces. A line break would look like the end of a text to an engine."""
    phrase = " ".join(text.split())
    if len(phrase) > MAX_PHRASE_CHARS:
        raise refusal(f"At most {MAX_PHRASE_CHARS} characters are allowed, but there are {len(phrase)}.")
    if not _WORD.search(phrase):
        raise refusal("Write at least one letter or digit.")
    if any(unicodedata.category(character) == "Cc" for character in phrase):
        raise refusal("Control characters are not allowed.")
    return phrase


#: A name or a term of one or several words.
VocabularyPhrase = Annotated[
    Text, AfterValidator(_read_phrase), Field(json_schema_extra={"minLength": 1, "maxLength": MAX_PHRASE_CHARS})
]


class Alias(WireModel):
    """The canonical form of a phrase in transcripts, and the variants that the engine may write instead."""

    canonical: VocabularyPhrase
    variants: tuple[VocabularyPhrase, ...] = Field(min_length=1, max_length=MAX_VARIANTS)


class Vocabulary(WireModel):
    """Phrases that the engine should recognize, and aliases, which change the transcript."""

    ignored_fields: ClassVar[frozenset[str]] = frozenset(["pronunciations"])  # refused if there are any

    phrases: tuple[VocabularyPhrase, ...] = Field(default=(), max_length=MAX_PHRASES)
    aliases: tuple[Alias, ...] = Field(default=(), max_length=MAX_ALIASES)

    @model_validator(mode="before")
    @classmethod
    def _refuse_pronunciations(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("pronunciations"):
            sentence = "No engine supports pronunciations; omit them, and list the words in phrases."
            raise refusal(sentence, field="pronunciations", kind=NOT_AVAILABLE)
        return data

    @model_validator(mode="after")
    def _check_variants(self) -> Self:
        canonical_of: dict[str, str] = {}
        for position, alias in enumerate(self.aliases):
            for variant in alias.variants:
                known = canonical_of.setdefault(normal_form(variant).casefold(), alias.canonical)
                if known != alias.canonical:
                    sentence = "A variant also belongs to another alias; list it only once."
                    raise refusal(sentence, field=f"aliases.{position}.variants")
        return self

    def echo(self) -> JsonObject:
        return {name: value for name, value in self.model_dump(mode="json").items() if value}


def _limit_name(name: str) -> str:
    if len(name) > MAX_NAME_CHARS:
        raise refusal(f"At most {MAX_NAME_CHARS} characters are allowed, but there are {len(name)}.")
    return name


VocabularyName = Annotated[Text, AfterValidator(_limit_name), Field(json_schema_extra={"maxLength": MAX_NAME_CHARS})]


class VocabularyRequest(Vocabulary):
    """The body of POST vocabularies: a vocabulary with at least one phrase (contract 1.6)."""

    phrases: tuple[VocabularyPhrase, ...] = Field(min_length=1, max_length=MAX_PHRASES)
    name: VocabularyName | None = None

    @property
    def content(self) -> Vocabulary:
        return Vocabulary(phrases=self.phrases, aliases=self.aliases)


class VocabularyAnswer(WireModel):
    """A stored vocabulary of a tenant. It never changes."""

    vocabulary_id: str
    name: str | SkipJsonSchema[None] = None
    created_at: datetime
    phrases: tuple[str, ...]
    aliases: tuple[Alias, ...] = ()

    def body(self) -> JsonObject:
        body: JsonObject = {"vocabulary_id": self.vocabulary_id}
        if self.name is not None:
            body["name"] = self.name
        body |= {"created_at": timestamp(self.created_at), "phrases": list(self.phrases)}
        if self.aliases:
            body["aliases"] = [alias.model_dump(mode="json") for alias in self.aliases]
        return body


def parse_vocabulary(data: object) -> VocabularyRequest:
    """Validate the body. Raises `InvalidRequest` or `OptionNotAvailable` with all mistakes."""
    try:
        return VocabularyRequest.model_validate(data)
    except ValidationError as error:
        raise invalid_request(error) from None


def has_content(value: Any) -> bool:
    """Return whether a vocabulary is requested; an object whose lists are all empty requests none.

    Other keys do not count, unless there is no list at all: a misspelled name must not look like an empty vocabulary.
    """
    if not isinstance(value, dict):
        return bool(value)
    return any(value.get(name) for name in LISTS) or (bool(value) and not value.keys() & LISTS)


def check_lists(value: Any) -> None:
    """Raise the error for a validator if an object has none of the lists of a vocabulary."""
    if isinstance(value, dict) and not value.keys() & LISTS:
        raise refusal("It has neither phrases nor aliases; write one of them, or omit vocabulary.")
