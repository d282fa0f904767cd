"""The speaker of each word, from the speaker turns of a recording and the times of its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from batchscribe.transcript.sentences import ends_sentence
from batchscribe.window import SpeakerTurn, Word

#: A word this short between two words of another speaker belongs to that speaker, unless its own turn covers it.
ISLAND_SEC = 0.5
COVERED, UNCOVERED = 0.6, 0.5  #: of a word: the least share of its own turn, the largest of the neighbors' turns
#: Turns begin and end up to this much too early or too late.
JITTER_SEC = 0.25
PAUSE_SEC = 0.15  #: a pause that is longer by this much is a better place for a speaker change
MARGIN_SEC = 1.0  #: turns this close to a word are considered


@dataclass(frozen=True, slots=True)
class _Cover:
    """The turns at one word: the seconds of each speaker, the speakers close to its middle, and its own speaker."""

    sec: dict[int, float]
    close: frozenset[int]
    speaker: int


def assign_speakers(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[int]:
    """Return the speaker of each word: that of the turn that covers most of it, or else of the nearest one.

    `words` are those of the whole recording, with its times, sorted by start. Empty without turns. Where turns of
    several speakers cover a word equally, it has the speaker of the word before. Turns are accurate only to a quarter
    of a second, so a speaker change may move by one word, to the end of a sentence or to a pause.
    """
    if not turns:
        return []
    covers = list(_covers(words, sorted(turns, key=lambda turn: (turn.start_sec, turn.end_sec, turn.speaker))))
    speakers = [cover.speaker for cover in covers]
    _close_islands(words, covers, speakers)
    _move_changes(words, covers, speakers)
    return speakers


def _covers(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> Iterator[_Cover]:
    """Sweep over words and turns, both sorted by start. `near` has the turns that may still cover a word."""
    near: list[SpeakerTurn] = []
    ended: list[SpeakerTurn] = []  # the latest of those that ended, if any
    following, last = 0, -1
    for word in words:
        while following < len(turns) and turns[following].start_sec < word.end_sec + MARGIN_SEC:
            near.append(turns[following])
            following += 1
        ended = sorted([*ended, *(turn for turn in near if _is_over(turn, word))], key=lambda turn: turn.end_sec)[-1:]
        near = [turn for turn in near if not _is_over(turn, word)]
        sec: dict[int, float] = {}
        for turn in near:
            covered = min(turn.end_sec, word.end_sec) - max(turn.start_sec, word.start_sec)
            if covered > 0:
                sec[turn.speaker] = sec.get(turn.speaker, 0.0) + covered
        last = _most_covering(sec, last) if sec else _nearest(word, [*ended, *near, *turns[following:][:1]], last)
        middle = (word.start_sec + word.end_sec) / 2
        close = (turn.speaker for turn in near if _distance_sec(turn, middle, middle) <= JITTER_SEC)
        yield _Cover(sec, frozenset(close), last)


def _is_over(turn: SpeakerTurn, word: Word) -> bool:
    return turn.end_sec <= word.start_sec - MARGIN_SEC


def _distance_sec(turn: SpeakerTurn, start_sec: float, end_sec: float) -> float:
    return max(0.0, turn.start_sec - end_sec, start_sec - turn.end_sec)


def _most_covering(sec: dict[int, float], last: int) -> int:
    """Return the speaker with the most seconds; of several, the previous speaker if possible, or else the first."""
    return max(sec, key=lambda speaker: (round(sec[speaker], 3), speaker == last, -speaker))


def _nearest(word: Word, turns: Sequence[SpeakerTurn], last: int) -> int:
    def rank(turn: SpeakerTurn) -> tuple[float, bool, int]:
        distance_sec = _distance_sec(turn, word.start_sec, word.end_sec)
        return round(distance_sec, 3), turn.speaker != last, turn.speaker

    return min(turns, key=rank).speaker


def _close_islands(words: Sequence[Word], covers: Sequence[_Cover], speakers: list[int]) -> None:
    """Give single short words to the speaker of both neighbors, unless a separate turn covers them.

    A word that is a sentence is an answer, and stays.
    """
    for at in range(1, len(words) - 1):
        own, around = speakers[at], speakers[at - 1]
        if own == around or speakers[at + 1] != around:
            continue
        length_sec = words[at].end_sec - words[at].start_sec
        own_sec, around_sec = (covers[at].sec.get(speaker, 0.0) for speaker in (own, around))
        is_covered = 0 < COVERED * length_sec <= own_sec and around_sec <= UNCOVERED * length_sec
        is_sentence = _is_sentence_end(words, at) and _is_sentence_end(words, at + 1)
        if length_sec <= ISLAND_SEC and not is_covered and not is_sentence:
            speakers[at] = around


def _move_changes(words: Sequence[Word], covers: Sequence[_Cover], speakers: list[int]) -> None:
    """Move each speaker change by one word if that is a better place. Every speaker keeps at least one word."""
    runs = [list(run) for _, run in groupby(range(len(speakers)), key=lambda at: speakers[at])]
    for before, after in pairwise(runs):
        earlier, change = before[-1], after[0]
        here = _worth(words, change)
        if len(before) > 1 and speakers[change] in covers[earlier].close and _worth(words, earlier) > here:
            speakers[earlier] = speakers[change]
            after.insert(0, before.pop())
        elif len(after) > 1 and speakers[earlier] in covers[change].close and _worth(words, change + 1) > here:
            speakers[change] = speakers[earlier]
            before.append(after.pop(0))


def _worth(words: Sequence[Word], change: int) -> tuple[bool, int]:
    """Rate a speaker change before this word: whether a sentence ends there, and how long the pause is."""
    pause_sec = max(0.0, words[change].start_sec - words[change - 1].end_sec)
    return _is_sentence_end(words, change), int(pause_sec / PAUSE_SEC)


def _is_sentence_end(words: Sequence[Word], at: int) -> bool:
    """Return whether a sentence ends before this word."""
    return ends_sentence(words[at - 1].text, words[at].text)
