"""Language tags: conversion of user input (`en`, `en_us`, `EN-us`) to canonical BCP-47 tags and to Whisper's codes."""

from __future__ import annotations

import re
from collections.abc import Collection

from batchscribe.errors import UnsupportedLanguage

#: Whisper's languages, each with the default region for tags without one (CLDR's likely subtags).
#: Source of the languages: openai/whisper, tokenizer.py; its `jw` is `jv` in BCP-47.
REGIONS = {
    "af": "ZA", "am": "ET", "ar": "SA", "as": "IN", "az": "AZ", "ba": "RU", "be": "BY", "bg": "BG", "bn": "BD",
    "bo": "CN", "br": "FR", "bs": "BA", "ca": "ES", "cs": "CZ", "cy": "GB", "da": "DK", "de": "DE", "el": "GR",
    "en": "US", "es": "ES", "et": "EE", "eu": "ES", "fa": "IR", "fi": "FI", "fo": "FO", "fr": "FR", "gl": "ES",
    "gu": "IN", "ha": "NG", "haw": "US", "he": "IL", "hi": "IN", "hr": "HR", "ht": "HT", "hu": "HU", "hy": "AM",
    "id": "ID", "is": "IS", "it": "IT", "ja": "JP", "jv": "ID", "ka": "GE", "kk": "KZ", "km": "KH", "kn": "IN",
    "ko": "KR", "la": "VA", "lb": "LU", "ln": "CD", "lo": "LA", "lt": "LT", "lv": "LV", "mg": "MG", "mi": "NZ",
    "mk": "MK", "ml": "IN", "mn": "MN", "mr": "IN", "ms": "MY", "mt": "MT", "my": "MM", "ne": "NP", "nl": "NL",
    "nn": "NO", "no": "NO", "oc": "FR", "pa": "IN", "pl": "PL", "ps": "AF", "pt": "BR", "ro": "RO", "ru": "RU",
    "sa": "IN", "sd": "PK", "si": "LK", "sk": "SK", "sl": "SI", "sn": "ZW", "so": "SO", "sq": "AL", "sr": "RS",
    "su": "ID", "sv": "SE", "sw": "TZ", "ta": "IN", "te": "IN", "tg": "TJ", "th": "TH", "tk": "TM", "tl": "PH",
    "tr": "TR", "tt": "RU", "uk": "UA", "ur": "PK", "uz": "UZ", "vi": "VN", "yi": "UA", "yo": "NG", "yue": "HK",
    "zh": "CN",
}  # fmt: skip

#: Other subtags for the same languages: deprecated ones that are still in use, and closely related languages.
ALIASES = {"cmn": "zh", "fil": "tl", "in": "id", "iw": "he", "ji": "yi", "jw": "jv", "nb": "no"}

TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)


def understands(languages: Collection[str], language: str) -> bool:
    """Return whether a canonical tag is among `languages`, in which an entry without region stands for all regions."""
    return language in languages or language.partition("-")[0] in languages


def canonical_language(tag: str) -> str:
    """Convert `en_us` to `en-US`. A missing region gets its default; any region of a known language is accepted.

    Raises `UnsupportedLanguage` for a malformed tag and for a language that no engine supports.
    """
    match = TAG.fullmatch(tag.strip())
    language = primary_subtag(match[1]) if match else None
    if match is None or language not in REGIONS:
        raise UnsupportedLanguage(f"{tag!r} is not a tag of a supported language.", field="config.language")
    script = match[2].title() if match[2] else None
    region = match[3].upper() if match[3] else REGIONS[language]
    return "-".join(part for part in (language, script, region) if part)


def primary_subtag(tag: str) -> str:
    """Return the language alone: `en` of `en-US`."""
    language = tag.partition("-")[0].lower()
    return ALIASES.get(language, language)


def whisper_code(tag: str) -> str:
    """Return Whisper's code for the language of a canonical tag."""
    language = primary_subtag(tag)
    return "jw" if language == "jv" else language


def whisper_tag(code: str) -> str:
    """Return the tag without region for one of Whisper's codes."""
    return primary_subtag(code)
