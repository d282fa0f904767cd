"""Words as they may leave an engine: inside their segment, in order, never empty."""

from __future__ import annotations

import re
from collections.abc import Iterable

from batchscribe.segment import Word

NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\N{REPLACEMENT CHARACTER}]+")


def tidy_words(words: Iterable[Word], duration_sec: float) -> tuple[Word, ...]:
    """Drop empty words; clamp times to the segment; let no word start before the one before it ends."""
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
