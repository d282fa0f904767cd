"""Wrong words and loops in one text. Spelling and numbers are made equal first, as the public leaderboards do."""

from __future__ import annotations

import re
from functools import cache

import jiwer
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

#: Written without spaces: characters are counted instead of words.
UNSPACED = {"zh", "ja"}
#: A phrase of at most this many words, repeated at least this often in a row, is a loop.
LOOP_MAX_WORDS, LOOP_MIN_TIMES = 10, 5


def count_wrong(said: str, heard: str, language: str) -> tuple[int, int]:
    """Return the number of wrong, missing and extra words, and of spoken words."""
    reference, text = (normalize(each, language) for each in (said, heard))
    if not reference:
        return len(text.split()), 0
    found = jiwer.process_words(reference, text)
    return found.substitutions + found.deletions + found.insertions, len(reference.split())


def count_words(text: str) -> int:
    return len(re.findall(r"\w+", text))


def count_loops(text: str) -> int:
    """Phrases repeated in a row; each stretch of repetition counts once."""
    words, loops, at = re.findall(r"\w+", text.lower()), 0, 0
    while at < len(words):
        length = _loop_at(words, at)
        loops += length > 0
        at += max(1, length)
    return loops


def _loop_at(words: list[str], at: int) -> int:
    """How many words the loop that begins here takes up; 0 if there is none."""
    for size in range(1, LOOP_MAX_WORDS + 1):
        end, phrase = at + size, words[at : at + size]
        while words[end : end + size] == phrase:
            end += size
        if end - at >= LOOP_MIN_TIMES * size and len(phrase) == size:
            return end - at
    return 0


def normalize(text: str, language: str) -> str:
    return str(_normalizer(language)(text)).strip()


@cache
def _normalizer(language: str) -> EnglishTextNormalizer | BasicTextNormalizer:
    return EnglishTextNormalizer() if language == "en" else BasicTextNormalizer(split_letters=language in UNSPACED)
