"""Words as they may leave an engine: inside their window and its speech, in order, never empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from batchscribe.window import Window, Word

NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\N{REPLACEMENT CHARACTER}]+")
#: How far a word may reach into what the voice detector took for silence: it cuts off quiet beginnings and endings.
SLACK_SEC = 0.1
#: No word takes longer than the first, and the second for each letter. An alignment adds a gap to the word beside it.
LONGEST_SEC, LONGEST_LETTER_SEC = 0.5, 0.1


def tidy_words(words: Iterable[Word], duration_sec: float) -> tuple[Word, ...]:
    """Drop empty words; clamp times to the window; let no word start before the one before it ends."""
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
    """Without surrounding space, control characters, and the marks that stand for bytes which are no UTF-8."""
    return NOT_TEXT.sub("", text).strip()


def fit_words(words: Iterable[Word], window: Window) -> tuple[Word, ...]:
    """Put aligned words where there is speech: an alignment has no notion of silence.

    The first word behind a pause often begins in the middle of it, and the last word before one ends there.
    """
    shortened = map(_shortened, words)
    if not window.speech:
        return tuple(shortened)
    return tuple(_into_speech(word, window.speech) for word in shortened)


def _shortened(word: Word) -> Word:
    """A word that takes too long was said at its end: only there did the alignment find something to match."""
    longest_sec = LONGEST_SEC + LONGEST_LETTER_SEC * len(word.text.strip())
    return replace(word, start_sec=max(word.start_sec, word.end_sec - longest_sec))


def _into_speech(word: Word, speech: Sequence[tuple[float, float]]) -> Word:
    """Move the ends that reach into a pause back to the speech that the word overlaps most."""
    overlaps = [(min(word.end_sec, end) - max(word.start_sec, start), start, end) for start, end in speech]
    overlap_sec, start, end = max(overlaps, key=lambda overlap: overlap[0])
    if overlap_sec <= 0.0:
        return word
    start_sec = max(word.start_sec, start - SLACK_SEC)
    return replace(word, start_sec=start_sec, end_sec=max(start_sec, min(word.end_sec, end + SLACK_SEC)))
