"""The terms of texts in many scripts, and the characters for which they stand."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchscribe.transcript.search_terms import MAX_TERM_CHARS, split_terms


def terms(text: str) -> list[str]:
    return [term.text for term in split_terms(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Hello, WORLD!", ["hello", "world"]),
        ("don't", ["don", "t"]),
        ("l\u2019école", ["l", "ecole"]),
        ("well-known e\u2010mail", ["well", "known", "e", "mail"]),
        ("ada@example.com", ["ada", "example", "com"]),
        ("3.14 and 1,000", ["3", "14", "and", "1", "000"]),
        ("Größe Straße", ["grosse", "strasse"]),
        ("naïve café", ["naive", "cafe"]),
        ("Łódź Øresund", ["lodz", "oresund"]),
        ("İstanbul ISPARTA \u0131s\u0131", ["istanbul", "isparta", "isi"]),
        ("Ελλάδα ΣΊΣΥΦΟΣ", ["ελλαδα", "σισυφοσ"]),
        ("Ёлка й", ["елка", "и"]),
        (
            "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f \u0623\u062d\u0645\u062f",
            ["\u0645\u062d\u0645\u062f", "\u0627\u062d\u0645\u062f"],
        ),
        ("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", ["\u05e9\u05dc\u05d5\u05dd"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("कि की", ["कि", "की"]),
        ("北京 is 大", ["北", "京", "is", "大"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("ﾊﾟﾝ", ["パ", "ン"]),
        ("학교에서", ["학", "교", "에", "서"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("٣٤ ४२", ["34", "42"]),
        ("x² ½ ﬁne", ["x2", "1", "2", "fine"]),
        ("great 👍🏽 job", ["great", "job"]),
        ("f*** it", ["f", "it"]),
        ("co\u00adoperate", ["cooperate"]),
        ("\u0301 stray", ["stray"]),
        ("", []),
        ("?! 👍", []),
    ],
)
def test_terms_have_no_case_accents_or_punctuation(text: str, wanted: list[str]) -> None:
    assert terms(text) == wanted


@pytest.mark.parametrize("text", ["Größe", "Ångström", "パン", "학교", "\u0623\u062d\u0645\u062f", "nĩ", "कि"])
def test_composed_and_decomposed_text_is_the_same(text: str) -> None:
    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


def test_terms_stand_for_characters_of_the_text() -> None:
    text = "Die Größe, STRASSE"
    assert [text[term.start : term.end] for term in split_terms(text)] == ["Die", "Größe", "STRASSE"]
    decomposed = unicodedata.normalize("NFD", "é x")
    assert [decomposed[term.start : term.end] for term in split_terms(decomposed)] == ["e\u0301", "x"]


def test_long_terms_are_cut_alike_in_text_and_query() -> None:
    assert terms("a" * 500) == ["a" * MAX_TERM_CHARS]
    assert terms("ä" * 500) == ["a" * MAX_TERM_CHARS]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_has_terms_that_both_databases_accept(text: str) -> None:
    found = split_terms(text)
    assert all(0 <= term.start < term.end <= len(text) for term in found)
    assert all(before.start <= after.start for before, after in pairwise(found))
    for term in found:
        assert not set(term.text) & set(" '\"\\:*()&|!<>^-+\0\t\n")
        assert term.text == term.text.lower()


@settings(deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_plain_text_takes_a_short_cut_with_the_same_result(text: str) -> None:
    assert [(term.text, term.start, term.end) for term in split_terms(text)] == [
        (term.text, term.start, term.end) for term in split_terms(f"{text} é")[:-1]
    ]
