"""Clustering of speaker embeddings: which chunks have the same speaker, and the number of speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.voice_merging import Merge, SameSpeaker, VoiceGroups, labels_after, merge_all, merge_closest

#: Chosen on one half of the conversations of `make bench-speakers`.
SAME_SPEAKER = SameSpeaker(similarity=0.56, within=0.6, doubt_sec=1.0)
#: Over a telephone, different voices are more similar.
SAME_SPEAKER_NARROW = SameSpeaker(similarity=0.85, within=0.7, doubt_sec=0.0)
#: Chunks of at least this length form the clusters. Shorter ones are assigned to the most similar cluster.
RELIABLE_SEC = 1.0
#: A speaker speaks at least this long. In short recordings, `SMALLEST_SHARE` of all speech is enough, but never less
#: than `SHORTEST_EVER_SEC`. In long ones, it must be at least `SMALLEST_SHARE_LONG`.
SHORTEST_SPEAKER_SEC = 3.0
SHORTEST_SPEAKER_NARROW_SEC = 4.0
SMALLEST_SHARE = 0.07
SHORTEST_EVER_SEC = 2.0
SMALLEST_SHARE_LONG = 0.002
WEIGHT_LIMIT_SEC = 3.0  #: the embedding of a longer chunk is no better
#: The most groups of which all pairs are compared. In longer recordings, blocks of chunks are merged first.
BLOCK = 1_500
ROUNDS = 3  #: in which chunks move to the most similar cluster


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Voices:
    """Of each chunk: float32[n, size] embeddings, seconds, and whether it has the band of a telephone."""

    embeddings: NDArray[np.float32]
    seconds: NDArray[np.float64]
    is_narrow: NDArray[np.bool_]


def cluster_voices(voices: Voices, count: SpeakerCount, *, block: int = BLOCK) -> NDArray[np.int64]:
    """Return int64[n]: the speaker of each chunk, from 0."""
    if len(voices.seconds) == 0:
        return np.zeros(0, dtype=np.int64)
    reliable = voices.seconds >= min(RELIABLE_SEC, 0.5 * float(voices.seconds.max()))
    seconds = np.minimum(voices.seconds[reliable], WEIGHT_LIMIT_SEC)
    is_narrow = bool(np.average(voices.is_narrow[reliable], weights=seconds) > 0.5)
    chunks = VoiceGroups.of(voices.embeddings[reliable], seconds)
    directions = _refine(chunks, _find_speakers(chunks, is_narrow, count, block))
    return np.asarray((voices.embeddings @ directions.T).argmax(axis=1), dtype=np.int64)


def _find_speakers(chunks: VoiceGroups, is_narrow: bool, count: SpeakerCount, block: int) -> NDArray[np.float64]:
    """Return float64[n_speakers, size]: the average voice of each speaker."""
    same = SAME_SPEAKER_NARROW if is_narrow else SAME_SPEAKER
    groups = _merge_blocks(chunks, same, block)
    merges = merge_all(groups, same)
    usual_sec = _shortest_speaker_sec(float(chunks.seconds.sum()), is_narrow)
    # A speaker with little speech is more likely than two speakers with one voice.
    for shortest_sec, may_split in ((usual_sec, False), (usual_sec / 2, False), (usual_sec, True), (0.0, True)):
        speakers = _speakers_after(groups.seconds, merges, shortest_sec)
        number = _choose(merges, same, count, speakers, may_split=may_split)
        if number is not None:
            break
    else:
        number = 0
    clusters = groups.join(labels_after(len(groups), merges[:number]))
    is_speaker = clusters.seconds >= min(shortest_sec, clusters.seconds.max())
    return np.asarray(clusters.directions()[is_speaker])


def _shortest_speaker_sec(speech_sec: float, is_narrow: bool) -> float:
    usual_sec = SHORTEST_SPEAKER_NARROW_SEC if is_narrow else SHORTEST_SPEAKER_SEC
    in_short_sec = max(SHORTEST_EVER_SEC, SMALLEST_SHARE * speech_sec)
    return max(min(usual_sec, in_short_sec), SMALLEST_SHARE_LONG * speech_sec)


def _merge_blocks(groups: VoiceGroups, same: SameSpeaker, block: int) -> VoiceGroups:
    """Return at most `block` groups. Each block of neighbors is merged to a quarter, the most similar first."""
    while len(groups) > block:
        parts = [groups.part(slice(first, first + block)) for first in range(0, len(groups), block)]
        merges = [merge_closest(part, same, least=min(len(part), max(1, block // 4))) for part in parts]
        groups = VoiceGroups.joined(
            [part.join(labels_after(len(part), done)) for part, done in zip(parts, merges, strict=True)]
        )
    return groups


def _speakers_after(seconds: NDArray[np.float64], merges: list[Merge], shortest_sec: float) -> list[int]:
    """Return how many clusters of at least `shortest_sec` there are before the merges, and after each one."""
    left = seconds.copy()
    counts = [int((left >= shortest_sec).sum())]
    for merge in merges:
        left[merge.first] += left[merge.second]
        left[merge.second] = -np.inf
        counts.append(int((left >= shortest_sec).sum()))
    return [max(1, each) for each in counts]


def _choose(
    merges: list[Merge], same: SameSpeaker, count: SpeakerCount, speakers: list[int], *, may_split: bool
) -> int | None:
    """Return the number of merges to carry out; None if there are not enough speakers.

    Without bounds, that is before the first merge of two clusters that are less similar than `same`. For more speakers,
    fewer merges are carried out, if `may_split`.
    """
    natural = next((number for number, merge in enumerate(merges) if merge.similarity < same.similarity), len(merges))
    wanted = count.nearest(speakers[natural])
    if speakers[natural] > wanted:
        return next(number for number in range(natural, len(speakers)) if speakers[number] <= wanted)
    first = 0 if may_split else natural
    return next((number for number in range(natural, first - 1, -1) if speakers[number] >= wanted), None)


def _refine(chunks: VoiceGroups, directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move chunks to the most similar speaker, and average again. A speaker without chunks keeps its voice."""
    for _ in range(ROUNDS):
        nearest = (chunks.sums @ directions.T).argmax(axis=1)
        members = (nearest == np.arange(len(directions))[:, None]).astype(np.float64)
        moved = VoiceGroups(members @ chunks.sums, members @ chunks.seconds, members @ chunks.squares).directions()
        directions = np.where(members.any(axis=1)[:, None], moved, directions)
    return directions
