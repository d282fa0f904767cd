from __future__ import annotations

import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.errors import UnsupportedLanguage
from batchscribe.speech.languages import REGIONS, canonical_language, whisper_code

#: The contract's own locales.
CONTRACT = ["en-US", "zh-CN", "ja-JP", "es-ES", "it-IT", "fr-FR", "de-DE", "ar-SA", "ar-AE", "pt-BR", "pt-PT", "ko-KR"]


@pytest.mark.parametrize("tag", CONTRACT)
def test_the_contracts_locales_are_canonical_already(tag: str) -> None:
    assert canonical_language(tag) == tag


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("en", "en-US"),
        ("en_us", "en-US"),
        ("EN-us", "en-US"),
        (" en-GB ", "en-GB"),
        ("de-at", "de-AT"),
        ("es-419", "es-419"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("cmn-Hans-CN", "zh-Hans-CN"),
        ("iw", "he-IL"),
        ("fil-PH", "tl-PH"),
        ("nb-NO", "no-NO"),
        ("jw", "jv-ID"),
        ("haw", "haw-US"),
    ],
)
def test_a_tag_as_people_write_it_becomes_canonical(written: str, canonical: str) -> None:
    assert canonical_language(written) == canonical


@pytest.mark.parametrize(
    "nonsense", ["", "e", "english", "en-", "en--US", "en-USA", "en-US-x-y", "xx", "xx-YY", "12", "en US", "*"]
)
def test_a_tag_that_means_no_language_is_refused_and_names_its_field(nonsense: str) -> None:
    with pytest.raises(UnsupportedLanguage) as caught:
        canonical_language(nonsense)
    assert caught.value.field == "config.language"
    assert repr(nonsense) in str(caught.value)


@given(st.sampled_from(sorted(REGIONS)), st.sampled_from(["", "-us", "_419", "-Latn", "_cyrl_RS"]))
def test_canonical_is_canonical(language: str, rest: str) -> None:
    once = canonical_language(language + rest)
    assert canonical_language(once) == once


def test_every_language_that_whisper_knows_has_a_tag_and_no_other() -> None:
    assert {whisper_code(canonical_language(code)) for code in REGIONS} == set(_LANGUAGE_CODES)


def test_region_and_script_do_not_reach_whisper() -> None:
    assert whisper_code("zh-Hant-TW") == "zh"
