"""Phrases from Whisper's takes: removal of invented text, and flags for doubtful text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from batchscribe.speech.doubts import Doubt, first_repetition, plain_words
from batchscribe.speech.whisper_listen import Take
from batchscribe.speech.words import clean_text, tidy_words
from batchscribe.window import Flag, Phrase, Recognition, Word

#: How many times in a row a phrase may occur without a flag.
MOST_TIMES = 4

FLAGS = {
    Doubt.REPEATED: Flag.REPETITION,
    Doubt.TOO_FAST: Flag.LOW_SPEECH,
    Doubt.UNSURE: Flag.LOW_CONFIDENCE,
    Doubt.CUT: Flag.LOW_CONFIDENCE,
}


def build_recognition(
    take: Take,
    *,
    missed: Sequence[tuple[float, Take]],
    language: str | None,
    detected: tuple[tuple[str, float], ...],
) -> Recognition:
    """Build the recognition of a window. `missed` has stretches recognized separately, each with its start."""
    duration_sec = take.window.duration_sec
    left_out: list[tuple[float, float]] = []
    words = list(take.words)
    if Doubt.SILENT in take.doubts:
        words, left_out = [], [(0.0, duration_sec)]
    elif Doubt.REPEATED in take.doubts:
        words, left_out = _cut_repetition(words, duration_sec)
    flags = tuple(dict.fromkeys(flag for doubt, flag in FLAGS.items() if doubt in take.doubts))
    phrases = [_phrase(part, flags, duration_sec) for part in _split_around(words, missed)]
    phrases += [_phrase(_move(heard.words, start_sec), (), duration_sec) for start_sec, heard in missed]
    return Recognition(
        phrases=tuple(
            sorted((each for each in phrases if plain_words(each.text)), key=lambda phrase: phrase.start_sec)
        ),
        left_out=tuple(left_out),
        language=language,
        detected=detected,
    )


def _cut_repetition(words: list[Word], duration_sec: float) -> tuple[list[Word], list[tuple[float, float]]]:
    """Keep the words up to the end of the first occurrence of the repeated phrase."""
    owners = [at for at, word in enumerate(words) for _ in plain_words(word.text)]
    found = first_repetition([plain for word in words for plain in plain_words(word.text)])
    if found is None:
        return words, []
    again_at = owners[found[1]]
    return words[:again_at], [(words[again_at].start_sec, duration_sec)]


def _split_around(words: Sequence[Word], missed: Sequence[tuple[float, Take]]) -> Iterator[list[Word]]:
    """Yield the words before, between and after the missed stretches. Words inside a stretch are moved after it."""
    left = list(words)
    for start_sec, heard in missed:
        end_sec = start_sec + heard.window.duration_sec
        before = [word for word in left if word.end_sec <= start_sec]
        yield before
        left = [_not_before(word, end_sec) for word in left[len(before) :]]
    yield left


def _not_before(word: Word, sec: float) -> Word:
    return Word(word.text, max(word.start_sec, sec), max(word.end_sec, sec), word.confidence)


def _move(words: Sequence[Word], by_sec: float) -> list[Word]:
    return [Word(word.text, word.start_sec + by_sec, word.end_sec + by_sec, word.confidence) for word in words]


def _phrase(words: Sequence[Word], flags: tuple[Flag, ...], duration_sec: float) -> Phrase:
    text = clean_text("".join(word.text for word in words))
    tidy = tidy_words(words, duration_sec)
    repeats = first_repetition(plain_words(text), times_word=MOST_TIMES, times_phrase=MOST_TIMES) is not None
    return Phrase(
        text=text,
        start_sec=tidy[0].start_sec if tidy else 0.0,
        end_sec=tidy[-1].end_sec if tidy else 0.0,
        words=tidy,
        flags=(*flags, Flag.REPETITION) if repeats and Flag.REPETITION not in flags else flags,
    )
