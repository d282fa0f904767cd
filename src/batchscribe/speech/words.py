"""Cleanup of an engine's words: inside the window and its speech, in order, never empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from batchscribe.window import Window, Word

NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\N{REPLACEMENT CHARACTER}]+")
#: How far a word may extend into silence: the voice detector cuts off quiet beginnings and endings.
SLACK_SEC = 0.1
#: The longest word: the first value, plus the second for each letter. Alignments add pauses to neighboring words.
LONGEST_SEC, LONGEST_LETTER_SEC = 0.5, 0.1


def tidy_words(words: Iterable[Word], duration_sec: float) -> tuple[Word, ...]:
    """Drop empty words, clamp times to the window, and remove overlaps."""
    tidy: list[Word] = []
    earliest_sec = 0.0
    for word in words:
        text = clean_text(word.text)
        if not text:
            continue
        start_sec = min(max(word.start_sec, earliest_sec), duration_sec)
        end_sec = min(max(word.end_sec, start_sec), duration_sec)
        tidy.append(Word(text, start_sec, end_sec, word.confidence))
        earliest_sec = end_sec
    return tuple(tidy)


def clean_text(text: str) -> str:
    """Remove surrounding space, control characters, and the replacement characters of invalid UTF-8."""
    return NOT_TEXT.sub("", text).strip()


def fit_words(words: Iterable[Word], window: Window) -> tuple[Word, ...]:
    """Move aligned words into the speech, because alignments ignore silence.

    The first word after a pause often begins inside it, and the last word before a pause ends inside it.
    """
    shortened = map(_shorten, words)
    if not window.speech:
        return tuple(shortened)
    return tuple(_move_into_speech(word, window.speech) for word in shortened)


def _shorten(word: Word) -> Word:
    """Shorten a word that is too long by moving its start: only its end matched the sound."""
    longest_sec = LONGEST_SEC + LONGEST_LETTER_SEC * len(word.text.strip())
    return replace(word, start_sec=max(word.start_sec, word.end_sec - longest_sec))


def _move_into_speech(word: Word, speech: Sequence[tuple[float, float]]) -> Word:
    """Move the start and end of a word out of pauses, into the span of speech that it overlaps most."""
    overlaps = [(min(word.end_sec, end) - max(word.start_sec, start), start, end) for start, end in speech]
    overlap_sec, start, end = max(overlaps, key=lambda overlap: overlap[0])
    if overlap_sec <= 0.0:
        return word
    start_sec = max(word.start_sec, start - SLACK_SEC)
    return replace(word, start_sec=start_sec, end_sec=max(start_sec, min(word.end_sec, end + SLACK_SEC)))
