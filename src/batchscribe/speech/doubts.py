"""Signs that a text is not what was said: what Whisper makes of noise, music, silence and its own mistakes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum

from batchscribe.speech.language_vote import speech_sec
from batchscribe.speech.whisper_model import MAX_TOKENS, Hypothesis
from batchscribe.window import Window, Word

#: Text that zlib shortens by more repeats itself; mean log probability of a token below which the model guesses;
#: probability that nobody speaks. Source: the thresholds of OpenAI's Whisper.
MAX_COMPRESSION = 2.4
MIN_LOGPROB = -1.0
MAX_NO_SPEECH = 0.6
#: A text this likely was said, whatever the model thinks of the sound.
SURE_LOGPROB = -0.7
#: Times that a phrase of one word, and a longer one, may follow itself: people do say "no, no, no, no, no".
MAX_TIMES_WORD, MAX_TIMES_PHRASE = 7, 4
MAX_PHRASE_WORDS = 12
#: In so many words at least this share is different. People who read out digits reach a third.
FEW_WORDS, LEAST_DIFFERENT = 20, 0.2
#: What people can say: fast readers reach six words a second, and thirty letters.
MAX_WORDS_PER_SEC = 8.0
MAX_LETTERS_PER_SEC = 40.0
#: No real word is shorter; a text made of such words was squeezed into hardly any time.
MIN_WORD_SEC = 0.03
#: This much speech without a word in it was missed.
MISSED_SEC = 1.5

#: What Whisper writes for music.
MUSIC = "\N{EIGHTH NOTE}"


class Doubt(StrEnum):
    """Why a text may not be what was said."""

    REPEATED = "repeated"  #: a phrase goes on and on
    TOO_FAST = "too fast"  #: more text than anybody can say in so much speech
    SILENT = "silent"  #: the model does not take the sound for speech, and is not sure of the text
    UNSURE = "unsure"  #: the model guesses
    EMPTY = "empty"  #: there is no text, and there is speech
    CUT = "cut"  #: the model can write no longer text, so its end may be missing


def doubts_of(hypothesis: Hypothesis, words: Sequence[Word], window: Window) -> frozenset[Doubt]:
    """None for a text that can be relied on."""
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
        len(text.split()) > MAX_WORDS_PER_SEC * spoken_sec  # where words are not set apart, each of `words` is a letter
        or len(text) > MAX_LETTERS_PER_SEC * spoken_sec
        or (len(squeezed) > MAX_WORDS_PER_SEC and 2 * len(squeezed) > len(words))
    )


def goes_on_repeating(text: str) -> bool:
    words = plain_words(text)
    return first_repetition(words) is not None or _hardly_varies(words)


def _hardly_varies(words: Sequence[str]) -> bool:
    """As "you're all, your all, all your" does: a model that may not repeat itself exactly varies its loop."""
    return len(words) >= FEW_WORDS and len(set(words)) < LEAST_DIFFERENT * len(words)


def plain_words(text: str) -> list[str]:
    """In lower case, without punctuation. Marks, as on the letters of Hindi or Thai, belong to their word."""
    return "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in text.lower()).split()


def first_repetition(
    words: Sequence[str], *, times_word: int = MAX_TIMES_WORD, times_phrase: int = MAX_TIMES_PHRASE
) -> tuple[int, int] | None:
    """Where the first phrase that occurs more often than that in a row begins, and where its second occurrence does."""
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
