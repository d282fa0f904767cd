"""The search for whole words and phrases."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.transcript import word_finder
from batchscribe.transcript.word_finder import WordFinder, split_words


def found(text: str, *phrases: str) -> list[str]:
    return [text[each.start : each.end] for each in WordFinder(phrases).find(text)]


@pytest.mark.parametrize(
    ("text", "phrases", "expected"),
    [
        ("An ASS, Ass. ass!", ["ass"], ["ASS", "Ass", "ass"]),
        ("assess class bass ass_ 9ass assé", ["ass"], []),
        ("Scunthorpe, cocktail, shiitake", ["cunt", "cock", "shit"], []),
        ("ass-kicking (ass) “ass”", ["ass"], ["ass", "ass", "ass"]),
        ("Zoe's book, Zoe’s house, Zoes", ["zoe"], ["Zoe", "Zoe"]),  # noqa: RUF001
        ("Zoe'll, Zoe’LL, Zoe'd, Zoe've, Zoe'er", ["zoe"], ["Zoe", "Zoe", "Zoe", "Zoe"]),  # noqa: RUF001
        ("I can't, you can", ["can"], ["can"]),
        ("L'enculé d’enculé", ["enculé"], ["enculé", "enculé"]),  # noqa: RUF001
        ("O'Brien", ["brien"], []),
        ("cube a  netties, Cube-a-netties; cube, a netties", ["cube a netties"], ["cube a  netties", "Cube-a-netties"]),
        ("cube a netties", ["cube", "cube a netties", "a"], ["cube a netties"]),
        ("C++ and C, .NET and net, AT&T", ["c++", ".net", "at&t"], ["C++", ".NET", "AT&T"]),
        ("don’t don't", ["don't"], ["don’t", "don't"]),  # noqa: RUF001
        ("don’t don't", ["don’t"], ["don’t", "don't"]),  # noqa: RUF001
        ("a foo, -foo, x-foo", ["-foo-"], ["foo", "foo", "foo"]),
        ("Zo\u00e9 b", ["Zoe\u0301 - B"], ["Zo\u00e9 b"]),
        ("STRASSE Straße", ["straße"], ["Straße"]),
        ("ÄRGER ärger", ["Ärger"], ["ÄRGER", "ärger"]),
        ("Αθήνα ΑΘΉΝΑ", ["αθήνα"], ["Αθήνα", "ΑΘΉΝΑ"]),
        ("SİK sikke", ["sik"], ["SİK"]),
        ("सेक्स सेक्सी", ["सेक्स"], ["सेक्स"]),
        ("このくそ野郎だ", ["くそ"], ["くそ"]),
        ("北京大学在北京", ["北京大学", "北京"], ["北京大学", "北京"]),
        ("", ["a"], []),
    ],
)
def test_a_phrase_is_found_as_whole_words_only(text: str, phrases: list[str], expected: list[str]) -> None:
    assert found(text, *phrases) == expected


def test_of_a_large_vocabulary_only_phrases_that_begin_like_a_word_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 variants are allowed, and a transcript has up to 10,000 segments."""
    tried: list[str] = []

    def compile_and_count(phrase: str) -> re.Pattern[str]:
        tried.append(phrase)
        return compile_pattern(phrase)

    compile_pattern = word_finder._compile  # noqa: SLF001
    monkeypatch.setattr(word_finder, "_compile", compile_and_count)
    han = [f"{chr(0x4E00 + number)}\u9f8d{chr(0x4E00 + number)}" for number in range(2000)]
    latin = [" ".join([f"word{number}"] * 15) for number in range(2000)]
    finder = WordFinder([*han, *latin])
    text = f"\u6211\u5728{han[7]}\u5927\u5b66\uff0c {latin[5]}"
    assert [each.entry for _ in range(20) for each in finder.find(text)] == [7, 2005] * 20
    assert tried == [han[7], latin[5]]


def test_what_is_found_has_the_position_of_its_phrase() -> None:
    assert [each.entry for each in WordFinder(["a", "b c", "b"]).find("b a b c")] == [2, 0, 1]


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_word_is_never_found_inside_letters(before: str, after: str) -> None:
    text = f"{before}word{after}"
    for each in WordFinder(["word"]).find(text):
        start, end = each.start, each.end
        assert not text[start - 1 : start].isalnum()
        assert not text[end : end + 1].isalnum()


@given(st.text(max_size=60))
def test_a_text_is_its_words_and_what_is_between_them(text: str) -> None:
    assert "".join(part for part, _ in split_words(text)) == text
