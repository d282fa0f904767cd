"""Width of text, and where lines may be broken, in many scripts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from batchscribe.transcript.line_breaking import MAX_COLUMNS, clean, columns, space_after, unbreakable_parts


def parts(text: str) -> list[str]:
    return [text[start:end] for start, end in unbreakable_parts(text)]


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("hello", 5),
        ("世界", 4),
        ("\uff48\uff49", 4),
        ("한국", 4),
        ("e\u0301", 1),
        ("ไม่เป็นไร", 7),
        ("مَرْحَبًا", 5),
        ("👨‍👩‍👧", 2),
    ],
)
def test_width_is_what_a_screen_shows(text: str, width: int) -> None:
    assert columns(text) == width


def test_text_is_cleaned_of_all_that_would_break_a_file() -> None:
    assert clean(" a\r\n\n b\x00c\t\u2028d\ud800\ufeff\x85e ") == "a bc d e"


def test_signs_that_scripts_need_stay() -> None:
    text = "\u200fמה\u200f क्‍ष می‌خواهم 👨‍👩‍👧"
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two-three four's", ["one", "two-three", "four's"]),
        ("Bonjour ! Ça va ?", ["Bonjour !", "Ça", "va ?"]),
        ("« Oui » dit-il", ["« Oui »", "dit-il"]),
        ("مرحبا بكم، اليوم", ["مرحبا", "بكم،", "اليوم"]),
        ("안녕하세요 여러분", ["안녕하세요", "여러분"]),
        ("测试完成后，你会发现。", ["测试", "完成", "后，", "你", "会", "发现。"]),
        ("個人為標記的腳本", ["個人", "為", "標記的", "腳本"]),
        (
            "今日は「東京」について、iPhone15で話します。",
            ["今日は", "「東京」に", "ついて、", "iPhone15で", "話します。"],
        ),
        ("วันนี้อากาศดี มาก", ["วัน", "นี้", "อากาศ", "ดี", "มาก"]),
    ],
)
def test_lines_break_between_words_even_where_no_spaces_are(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize("text", ["ああっとーー！！」と、（これは）「はい」。", "的的的了了了吗？他们", "เเเากกไไๆๆะะ"])
def test_no_line_begins_with_what_belongs_to_the_character_before_nor_ends_with_an_opening_sign(text: str) -> None:
    for part in parts(text)[1:]:
        assert part[0] not in "っーー！」、）。的了吗？们าๆะ"
    for part in parts(text)[:-1]:
        assert part[-1] not in "（「เไ"


def test_a_word_of_40_columns_is_whole_and_a_wider_one_than_a_line_is_divided() -> None:
    assert parts("a " + "x" * 40) == ["a", "x" * 40]
    assert parts("y" * 100) == ["y" * 42, "y" * 42, "y" * 16]


def test_a_syllable_of_khmer_or_burmese_is_not_torn_from_the_letter_below_it() -> None:
    assert all(part[-1] not in "\u17d2\u1039" for part in parts("ខ្មែរក្រុងភ្នំពេញ သတ္တဝါ"))


@given(
    st.text(
        st.one_of(st.sampled_from("ab .,!「」（）あーっ的了中文ไกา่\u17d2ក한e\u0301👨\u200d👩\u200d"), st.characters())
    )
)
def test_nothing_is_lost_and_no_part_is_wider_than_a_line(text: str) -> None:
    cleaned = clean(text)
    assert "".join(parts(cleaned)).replace(" ", "") == cleaned.replace(" ", "")
    assert all(columns(part) <= MAX_COLUMNS for part in parts(cleaned))
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in cleaned)


@given(st.text("กิ่ให้ควา世界ーe\u0301👨\u200d👩🏽🇩🇪\ufe0f"))
def test_no_character_is_torn_apart(text: str) -> None:
    ends = {0}
    for character in iter_graphemes(text):
        ends.add(max(ends) + len(character))
    assert all(start in ends and end in ends for start, end in unbreakable_parts(text))


def test_chinese_and_japanese_stops_have_their_own_space() -> None:
    assert [space_after(text) for text in ("你好。", "はい！", "Hello.", "你好")] == ["", "", " ", " "]
