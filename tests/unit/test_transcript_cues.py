"""Subtitles: cues, lines, and the rules of subtitling."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import pytest

from batchscribe.transcript.cues import Cue, cues
from batchscribe.transcript.document import Transcript
from batchscribe.transcript.line_breaking import clean, columns
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.window import Word
from tests.transcripts import characters, segment, spoken, transcript

FAMILY = "👨‍👩‍👧"  # five code points


def shown(*segments: TranscriptSegment, channels: int = 1) -> list[list[str]]:
    return [lines(cue) for cue in cues(transcript(*segments, channels=channels), with_labels=True)]


def lines(cue: Cue) -> list[str]:
    return [line for part in cue.parts for line in part.lines]


def times(*segments: TranscriptSegment, channels: int = 1) -> list[tuple[int, int]]:
    made = cues(transcript(*segments, channels=channels), with_labels=True)
    return [(cue.start_ms, cue.end_ms) for cue in made]


# --- where cues end --------------------------------------------------------------------------------------------


def test_a_sentence_is_a_cue_of_its_own_where_two_do_not_fit() -> None:
    first = spoken("We went down to the harbour to look at the old ships.")
    second = spoken("Nobody had been there for years and the gates were shut.", first.end_sec)
    assert shown(first, second) == [
        ["We went down to the harbour", "to look at the old ships."],
        ["Nobody had been there for years", "and the gates were shut."],
    ]


def test_short_sentences_share_a_cue() -> None:
    assert shown(spoken("Hello. How are you?"), spoken("I am fine.", 2.2)) == [["Hello. How are you? I am fine."]]


def test_a_long_sentence_is_divided_at_a_comma() -> None:
    text = "When the storm had finally passed over the hills, we opened every window of the house to let in the air."
    assert [" ".join(cue) for cue in shown(spoken(text, word_sec=0.3))] == [
        "When the storm had finally passed over the hills,",
        "we opened every window of the house to let in the air.",
    ]


def test_without_punctuation_a_pause_divides() -> None:
    text = "so he took the first train out of the city ...0.7 without telling anybody where he meant to go that day"
    assert [" ".join(cue) for cue in shown(spoken(text, word_sec=0.3))] == [
        "so he took the first train out of the city",
        "without telling anybody where he meant to go that day",
    ]


def test_a_long_pause_ends_a_cue_and_a_short_hesitation_does_not() -> None:
    assert shown(spoken("We ...1.2 do not know. ...2.5 Ask again.")) == [["We do not know."], ["Ask again."]]


def test_even_two_short_words_are_parted_by_a_pause_of_two_seconds() -> None:
    assert shown(spoken("We ...2.1 go.")) == [["We"], ["go."]]


def test_no_short_word_is_left_alone() -> None:
    assert shown(spoken("Yes, ...1.2 I think it is an oil light.")) == [["Yes, I think it is an oil light."]]
    text = "The committee that was asked about the matter has given its answer to all of the members it had."
    assert min(len(" ".join(cue).split()) for cue in shown(spoken(text, word_sec=0.35))) >= 5


def test_a_cue_does_not_end_with_a_word_that_belongs_to_the_next() -> None:
    text = "people came from every part of the country to see the pictures that the painter had left to the museum"
    for cue in shown(spoken(text, word_sec=0.3)):
        assert cue[-1].split()[-1] not in {"of", "the", "to"}


def test_no_cue_ends_where_the_next_words_would_have_to_wait_for_it() -> None:
    text = "Good morning, I would like to borrow a book about the history of the city."
    left = spoken(text, word_sec=0.25)
    assert times(left, channels=2) == [(0, 1_750), (1_750, 4_200)]


def test_a_sentence_does_not_start_in_the_cue_of_another() -> None:
    text = (
        "Give me a second. ...0.4 Let me just ...0.9 ruffle through the desk here, see if I can find their information."
    )
    assert shown(spoken(text)) == [
        ["Give me a second."],
        ["Let me just ruffle through the desk here,", "see if I can find their information."],
    ]


def test_fast_words_share_a_cue_with_slow_ones_that_leave_time_to_read_them() -> None:
    fast = spoken("He began a confused complaint against the wizard", word_sec=0.24)
    slow = spoken("who would vanish behind the curtain on the left.", fast.end_sec)
    both = segment(f"{fast.text} {slow.text}", 0, slow.end_sec, *fast.words, *slow.words)
    assert shown(both) == [
        ["He began a confused complaint against", "the wizard who would vanish behind"],
        ["the curtain on the left."],
    ]


# --- lines -----------------------------------------------------------------------------------------------------


def test_what_fits_on_one_line_is_not_broken() -> None:
    assert shown(spoken("This line is made to have 42 columns alone")) == [
        ["This line is made to have 42 columns alone"]
    ]
    assert shown(spoken("This line is made to have 43 columns, alone")) == [
        ["This line is made", "to have 43 columns, alone"]
    ]


def test_of_two_lines_the_second_is_rather_the_wider_one() -> None:
    assert shown(spoken("I have a cold, so I probably sound quite different than the acoustic corpus.")) == [
        ["I have a cold, so I probably sound", "quite different than the acoustic corpus."]
    ]


def test_lines_break_where_a_clause_ends() -> None:
    assert shown(spoken("If it rains tomorrow morning, we will stay at home.")) == [
        ["If it rains tomorrow morning,", "we will stay at home."]
    ]


def test_a_word_of_40_columns_has_a_line_for_itself() -> None:
    long = "Rindfleischetikettierungsueberwachungsge"
    assert [long] in [cue[:1] for cue in shown(spoken(f"{long} gilt hier."))]
    assert ["Speaker 1L:", f"{long}"] in shown(spoken(long), spoken("Ja.", 20, channel=1), channels=2)


def test_chinese_breaks_between_words_and_after_its_punctuation() -> None:
    text = "若要帮助检查并排比较，可以切换各种错误类型，包括插入、删除和替换。"
    assert shown(characters(text)) == [["若要帮助检查并排比较，可以切换各种", "错误类型，包括插入、删除和替换。"]]


def test_japanese_breaks_between_phrases() -> None:
    assert shown(characters("客観的実在の判断的知識が成立するのであるとここで話します。")) == [
        ["客観的実在の判断的知識が", "成立するのであるとここで話します。"]
    ]


def test_thai_breaks_between_words_and_its_marks_take_no_width() -> None:
    text = "วันนี้อากาศดีมากและฉันอยากไปเที่ยวทะเลกับเพื่อนของฉันที่ภูเก็ตในวันหยุดสุดสัปดาห์นี้"
    (cue,) = shown(segment(text, 0, 6))
    assert "".join(cue) == text
    assert len(cue) == 2
    assert max(map(columns, cue)) <= 42 < max(map(len, cue))


def test_arabic_is_kept_as_it_is_written() -> None:
    text = "مرحبا بكم في البرنامج، اليوم سنتحدث عن تاريخ المدينة القديمة."
    assert shown(spoken(text)) == [["مرحبا بكم في البرنامج،", "اليوم سنتحدث عن تاريخ المدينة القديمة."]]


def test_an_emoji_is_two_columns_wide_and_never_torn() -> None:
    assert shown(spoken(" ".join([FAMILY] * 14))) == [[" ".join([FAMILY] * 14)]]
    assert shown(spoken(FAMILY * 30, word_sec=3.0)) == [[FAMILY * 21, FAMILY * 9]]


# --- times -----------------------------------------------------------------------------------------------------


def test_a_cue_is_shown_from_its_first_word_to_its_last() -> None:
    assert times(spoken("Good morning to all of you.", 3.0)) == [(3_000, 5_400)]


def test_very_fast_speech_uses_the_pause_behind_it() -> None:
    fast = spoken("This was certainly said far too fast for anybody to read.", word_sec=0.08)
    assert fast.end_sec < 1
    ((start, end),) = times(fast)
    assert (end - start) / 1000 == pytest.approx(57 / 20, abs=0.01)


def test_very_fast_speech_without_a_pause_keeps_to_its_time_and_loses_nothing() -> None:
    text = " ".join(f"word{n}" for n in range(200))
    made = cues(transcript(spoken(text, word_sec=0.15)), with_labels=False)
    assert " ".join(line for cue in made for line in lines(cue)) == text
    assert max(abs(cue.start_ms - 150 * int(lines(cue)[0].split()[0].removeprefix("word"))) for cue in made) == 0


def test_very_slow_speech_has_no_cue_of_more_than_seven_seconds() -> None:
    made = times(spoken(" ".join(f"...1.5 word{n}" for n in range(20)), word_sec=0.5))
    assert max(end - start for start, end in made) <= 7_000
    assert len(made) > 5


def test_a_word_of_30_seconds_is_shown_for_seven() -> None:
    long = segment("Ommmm next", 2, 33, Word("Ommmm", 2, 32), Word("next", 32, 33))
    assert times(long) == [(2_000, 9_000), (32_000, 33_000)]


def test_words_without_length_are_shown_for_a_second() -> None:
    assert times(segment("Yes. No.", 4, 4, Word("Yes.", 4, 4), Word("No.", 4, 4))) == [(4_000, 5_000)]


def test_a_segment_without_words_spreads_its_text_over_its_time() -> None:
    text = "There are no times of words here at all. So the text is spread over the time by its width, evenly."
    assert shown(segment(text, 10, 20)) == [
        ["There are no times of words here at all."],
        ["So the text is spread over", "the time by its width, evenly."],
    ]
    ((start, _), (middle, end)) = times(segment(text, 10, 20))
    assert (start, end) == (10_000, 20_000)
    assert middle == pytest.approx(14_100, abs=100)


def test_words_that_are_not_those_of_the_text_do_not_change_it() -> None:
    assert shown(segment("What is written", 0, 2, Word("What", 0, 1), Word("else", 1, 2))) == [["What is written"]]


def test_text_between_and_around_the_words_is_kept() -> None:
    said = segment("\u2013 Yes \u2013 indeed !", 0, 2, Word("Yes", 0, 1), Word("indeed", 1, 2))
    assert shown(said) == [["\u2013 Yes \u2013 indeed !"]]


def test_a_recording_without_speech_has_no_cues() -> None:
    assert shown() == []


# --- speakers and channels -------------------------------------------------------------------------------------


def test_a_speaker_is_named_when_the_speaker_changes() -> None:
    assert shown(
        spoken("Good morning."),
        spoken("Can you hear me well?", 4),
        spoken("Yes, very well.", 8, channel=1),
        spoken("Great.", 12),
        channels=2,
    ) == [
        ["Speaker 1L: Good morning."],
        ["Can you hear me well?"],
        ["Speaker 1R: Yes, very well."],
        ["Speaker 1L: Great."],
    ]


def test_a_name_does_not_stand_alone_on_its_line_if_words_fit_behind_it() -> None:
    assert shown(spoken("The child almost hurt the small dog.", channel=1), channels=2) == [
        ["Speaker 1R: The child", "almost hurt the small dog."]
    ]


def test_of_more_than_two_channels_the_number_is_shown() -> None:
    assert shown(spoken("One."), spoken("Three.", 5, channel=2), channels=3) == [
        ["Channel 1: One."],
        ["Channel 3: Three."],
    ]


def test_the_name_counts_for_the_width() -> None:
    assert shown(spoken("This line is made to have 42 columns alone"), channels=2) == [
        ["Speaker 1L: This line is made", "to have 42 columns alone"]
    ]


def test_without_labels_the_text_alone_makes_the_lines() -> None:
    made = transcript(spoken("This is a line that is forty columns wide."), channels=2)
    assert [lines(cue) for cue in cues(made, with_labels=False)] == [["This is a line that is forty columns wide."]]
    assert [cue.parts[0].label for cue in cues(made, with_labels=False)] == ["Speaker 1L"]


def test_two_simultaneous_speakers_share_a_cue_with_a_line_each() -> None:
    assert shown(
        spoken("No, wait for me.", 1.0), spoken("Come on now.", 1.3, channel=1), spoken("Well.", 9), channels=2
    ) == [["Speaker 1L: No, wait for me.", "Speaker 1R: Come on now."], ["Speaker 1L: Well."]]


def test_long_speech_at_once_is_shown_in_turns_without_overlap() -> None:
    left = spoken("I would like to say that the whole of this affair was none of my doing.", word_sec=0.3)
    right = spoken("But you were there when it happened and you saw it all.", 1.0, word_sec=0.3, channel=1)
    made = cues(transcript(left, right, channels=2), with_labels=True)
    assert [cue.parts[0].label for cue in made] == ["Speaker 1L", "Speaker 1R"]
    assert made[0].end_ms == made[1].start_ms < 4_000


# --- all rules together ----------------------------------------------------------------------------------------

VOCABULARY = {
    "en": (
        "I",
        "am",
        "of",
        "the",
        "house,",
        "yes.",
        "No!",
        "extraordinary",
        "Mr.",
        "3.5",
        "x" * 40,
        "y" * 90,
        "...",
        "!",
    ),
    "zh": ("你", "好", "的", "测试", "模型", "错误，", "是。", "iPhone", "「", "」", "！"),
    "ja": ("今日", "は", "コンピュータ", "ー", "っ", "です。", "、", "（", "）"),
    "th": ("ไ", "ม่", "เป็น", "ที่", "ๆ", "ก", "\u0e48", " "),
    "ar": ("مرحبا", "بكم،", "في", "هل؟", "مَرْحَبًا"),
    "odd": (
        FAMILY,
        "🎉🎉",
        "e\u0301",
        "\u0301",
        "\u200b",
        "-->",
        "<b>",
        "&",
        "a\n\nb",
        "\x00",
        "\u2028",
        "{\\an8}",
        "12",
    ),
}


def random_transcript(choose: random.Random) -> Transcript:
    channels = choose.choice((1, 1, 2, 3))
    segments = [
        random_segment(choose, start_sec)
        for start_sec in sorted(choose.uniform(0, choose.choice((3, 30, 90))) for _ in range(choose.randrange(12)))
    ]
    placed = [
        TranscriptSegment(choose.randrange(channels), each.start_sec, each.end_sec, each.text, each.words)
        for each in segments
    ]
    last_sec = max((each.end_sec for each in placed), default=0.0)
    return transcript(*placed, channels=channels, duration_sec=last_sec + choose.choice((0, 0, 1, 20)))


def random_segment(choose: random.Random, start_sec: float) -> TranscriptSegment:
    script = choose.choice(list(VOCABULARY))
    texts = choose.choices(VOCABULARY[script], k=choose.choice((1, 2, 8, 24)))
    text = ("" if script in {"zh", "ja", "th"} else " ").join(texts)
    pace, pauses = choose.choice((0.0, 0.05, 0.3, 1.0, 5.0)), choose.choice(((0.0,), (0.0, 0.3), (0.0, 1.2, 3.0)))
    words, now_sec = [], round(start_sec, 3)
    for each in texts:
        end_sec = round(now_sec + pace * choose.uniform(0, 2), 3)
        words.append(Word(each, now_sec, end_sec))
        now_sec = round(end_sec + choose.choice(pauses), 3)
    return segment(text, words[0].start_sec, words[-1].end_sec, *(words if choose.random() < 0.7 else ()))


def many_transcripts() -> Iterator[Transcript]:
    choose = random.Random(42)  # noqa: S311 - no secret
    for _ in range(600):
        yield random_transcript(choose)


def screen_width(text: str) -> int:
    """By the Unicode tables that come with Python."""
    return sum(
        0 if unicodedata.category(each) in {"Mn", "Me", "Cf"} else 1 + (unicodedata.east_asian_width(each) in "FW")
        for each in text.replace(FAMILY, "\N{FAMILY}")
    )


def said_by(made: Transcript, label: str | None) -> str:
    return "".join(clean(each.text) for each in made.segments if made.label(each) == label).replace(" ", "")


def shown_of(made: list[Cue], label: str | None) -> str:
    texts = [line for cue in made for part in cue.parts if part.label == label for line in part.lines]
    return "".join(texts).replace(" ", "")


def test_all_rules_hold_for_any_transcript_and_no_word_is_lost_or_moved() -> None:
    for made in many_transcripts():
        plain, labeled = cues(made, with_labels=False), cues(made, with_labels=True)
        total_ms = max(round(made.duration_sec * 1000), len(plain))
        assert [(cue.start_ms, cue.end_ms) for cue in plain] == [(cue.start_ms, cue.end_ms) for cue in labeled]
        assert all(end.end_ms <= start.start_ms for end, start in pairwise(plain))
        for cue, next_ms in zip(plain, [*(cue.start_ms for cue in plain), total_ms][1:], strict=True):
            assert 0 <= cue.start_ms < cue.end_ms <= min(total_ms, cue.start_ms + 7_000)
            width = sum(map(screen_width, lines(cue)))
            is_hurried = cue.end_ms - cue.start_ms < max(1_000, width * 50)
            assert not is_hurried or cue.end_ms == next_ms, "it would have had more time"
        if len(plain) <= 10 and made.channels == 1 and total_ms > 10_000:
            assert all(cue.end_ms - cue.start_ms >= 1_000 for cue in plain)
        for cue in (*plain, *labeled):
            assert 1 <= len(lines(cue)) <= 2
            assert all(line and line.strip() == line and screen_width(line) <= 42 for line in lines(cue))
        for label in {made.label(each) for each in made.segments}:
            assert shown_of(plain, label) == said_by(made, label)
            assert shown_of(labeled, label).replace(f"{label}:".replace(" ", ""), "") == said_by(made, label)
