"""Detection of doubtful text, such as Whisper produces for noise, music and silence."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum

from batchscribe.speech.language_vote import speech_sec
from batchscribe.speech.whisper_model import MAX_TOKENS, Hypothesis
from batchscribe.window import Window, Word

#: The compression ratio with zlib above which a text is repetitive, the mean log probability of a token below which the
#: model guesses, and the probability of no speech. Source: the thresholds of OpenAI's Whisper.
MAX_COMPRESSION = 2.4
MIN_LOGPROB = -1.0
MAX_NO_SPEECH = 0.6
#: A text with this mean log probability is trusted, even if the model considers the sound not to be speech.
SURE_LOGPROB = -0.7
#: How many times in a row one word, or a longer phrase, may occur: people do say "no, no, no, no, no".
MAX_TIMES_WORD, MAX_TIMES_PHRASE = 7, 4
MAX_PHRASE_WORDS = 12
#: In this many words or more, at least this share must be distinct. When people read digits aloud, it is a third.
FEW_WORDS, LEAST_DIFFERENT = 20, 0.2
#: The fastest plausible speech: fast readers reach six words and thirty letters per second.
MAX_WORDS_PER_SEC = 8.0
MAX_LETTERS_PER_SEC = 40.0
#: The shortest plausible word. If most words are shorter, the text does not fit the sound.
MIN_WORD_SEC = 0.03
#: Speech of this length without any word counts as missed.
MISSED_SEC = 1.5

#: The character that Whisper writes for music.
MUSIC = "\N{EIGHTH NOTE}"


class Doubt(StrEnum):
    """Why a text is doubtful."""

    REPEATED = "repeated"  #: a phrase is repeated many times
    TOO_FAST = "too fast"  #: more text than a person can say in the time
    SILENT = "silent"  #: the model considers the sound not to be speech, and is not sure of the text
    UNSURE = "unsure"  #: the model guesses
    EMPTY = "empty"  #: there is speech, but no text
    CUT = "cut"  #: the text has the model's maximum length, so its end may be missing


def find_doubts(hypothesis: Hypothesis, words: Sequence[Word], window: Window) -> frozenset[Doubt]:
    """Return the reasons for doubt; none if the text is reliable."""
    return frozenset(_doubts(hypothesis, words, window))


def _doubts(hypothesis: Hypothesis, words: Sequence[Word], window: Window) -> Iterator[Doubt]:
    if not plain_words(hypothesis.text):
        if hypothesis.no_speech <= MAX_NO_SPEECH and speech_sec(window) >= MISSED_SEC:
            yield Doubt.EMPTY
        return
    if hypothesis.compression > MAX_COMPRESSION or goes_on_repeating(hypothesis.text):
        yield Doubt.REPEATED
    if _is_too_fast(hypothesis.text, words, window):
        yield Doubt.TOO_FAST
    if len(hypothesis.tokens) >= MAX_TOKENS:
        yield Doubt.CUT
    is_silent = hypothesis.no_speech > MAX_NO_SPEECH and hypothesis.avg_logprob < SURE_LOGPROB
    if is_silent or MUSIC in hypothesis.text:
        yield Doubt.SILENT
    elif hypothesis.avg_logprob < MIN_LOGPROB:
        yield Doubt.UNSURE


def _is_too_fast(text: str, words: Sequence[Word], window: Window) -> bool:
    spoken_sec = max(speech_sec(window), 0.5)  # a click of 0.1 s may be a word
    squeezed = [word for word in words if word.end_sec - word.start_sec < MIN_WORD_SEC]
    return (
        len(text.split()) > MAX_WORDS_PER_SEC * spoken_sec  # in scripts without spaces, each of `words` is a letter
        or len(text) > MAX_LETTERS_PER_SEC * spoken_sec
        or (len(squeezed) > MAX_WORDS_PER_SEC and 2 * len(squeezed) > len(words))
    )


def goes_on_repeating(text: str) -> bool:
    words = plain_words(text)
    return first_repetition(words) is not None or _hardly_varies(words)


def _hardly_varies(words: Sequence[str]) -> bool:
    """Detect varied repetition, like "you're all, your all, all your", from a model that may not repeat n-grams."""
    return len(words) >= FEW_WORDS and len(set(words)) < LEAST_DIFFERENT * len(words)


def plain_words(text: str) -> list[str]:
    """Return lower-case words without punctuation. Combining marks, as in Hindi or Thai, are part of the word."""
    return "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in text.lower()).split()


def first_repetition(
    words: Sequence[str], *, times_word: int = MAX_TIMES_WORD, times_phrase: int = MAX_TIMES_PHRASE
) -> tuple[int, int] | None:
    """Return the word indexes of the first two occurrences of the first phrase that is repeated too often in a row."""
    for start in range(len(words)):
        for length in range(1, min(MAX_PHRASE_WORDS, len(words) - start) + 1):
            if _times(words, start, length) > (times_word if length == 1 else times_phrase):
                return start, start + length
    return None


def _times(words: Sequence[str], start: int, length: int) -> int:
    phrase, times = words[start : start + length], 1
    while words[start + times * length : start + (times + 1) * length] == phrase:
        times += 1
    return times
