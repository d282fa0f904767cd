"""How often words are right, by the confidence that the engine reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jiwer

from benchmarks.speech.recordings import Recording
from benchmarks.speech.scoring import UNSPACED, normalize

#: The ranges: from each of these up to the one before it.
FROM = (0.9, 0.5, 0.0)


@dataclass(frozen=True, slots=True)
class Level:
    """The words with a confidence of `least` or more, below the level before."""

    least: float
    words: int
    right: int


@dataclass(frozen=True, slots=True)
class SaidWord:
    text: str
    confidence: float | None


def levels(transcripts: Iterable[tuple[Recording, Sequence[SaidWord]]]) -> tuple[Level, ...]:
    """Count the words of recordings whose language has spaces. A word is right if the reference has it in its place."""
    judged = [
        pair
        for recording, words in transcripts
        if recording.language not in UNSPACED
        for pair in judge(recording, [word for word in words if word.confidence is not None])
    ]
    found, below = [], 2.0
    for least in FROM:
        inside = [is_right for confidence, is_right in judged if least <= confidence < below]
        found.append(Level(least, len(inside), sum(inside)))
        below = least
    return tuple(found)


def judge(recording: Recording, words: Sequence[SaidWord]) -> list[tuple[float, bool]]:
    """Return the confidence of each word and whether it is right. Words are normalized one by one."""
    parts = [normalize(word.text, recording.language).split() for word in words]
    owners = [at for at, part in enumerate(parts) for _ in part]
    said = normalize(recording.text, recording.language)
    text = " ".join(each for part in parts for each in part)
    wrong = set(owners)
    if said and text:
        [chunks] = jiwer.process_words(said, text).alignments
        equal = [
            at for chunk in chunks if chunk.type == "equal" for at in range(chunk.hyp_start_idx, chunk.hyp_end_idx)
        ]
        wrong -= {owners[at] for at in equal}
        wrong |= {owner for at, owner in enumerate(owners) if at not in set(equal)}
    return [(word.confidence or 0.0, at not in wrong) for at, word in enumerate(words) if parts[at]]
