"""Agglomerative clustering of speaker embeddings, with a similarity that noise in the embeddings does not lower.

The average similarity of two clusters depends on how noisy their embeddings are: chunks of one speaker resemble each
other less if they are short or noisy, and more over a telephone. So it is divided by the average similarity within the
clusters, which small clusters take from experience. The result is about 1 for one speaker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

#: The weight of the expected similarity, in square seconds of pairs of chunks.
EXPECTATION_WEIGHT = 4.0
_LEAST_WITHIN = 0.2


@dataclass(frozen=True, slots=True)
class SameSpeaker:
    """When two clusters are one speaker.

    `similarity` is the least one. `within` is the expected average similarity of two chunks of one speaker. A cluster
    of `doubt_sec` needs only half the similarity, because its voice is less certain; a longer one needs more.
    """

    similarity: float
    within: float
    doubt_sec: float

    def relief(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much the least similarity is lower if the shorter cluster has these seconds."""
        return np.asarray(self.similarity * self.doubt_sec / (seconds + self.doubt_sec))


@dataclass(slots=True, eq=False, repr=False)
class VoiceGroups:
    """Groups of chunks, by sums from which all averages follow: float64[n, size], and float64[n] for the others."""

    sums: NDArray[np.float64]  #: of the embeddings, weighted with seconds
    seconds: NDArray[np.float64]
    squares: NDArray[np.float64]  #: of the seconds of each chunk

    @classmethod
    def of(cls, embeddings: NDArray[np.float32], seconds: NDArray[np.float64]) -> VoiceGroups:
        """Return one group for each chunk."""
        return cls(embeddings * seconds[:, None], seconds, seconds**2)

    def __len__(self) -> int:
        return len(self.seconds)

    def join(self, labels: NDArray[np.int64]) -> VoiceGroups:
        """Return one group for each label, of the groups with that label. Labels count from 0 without gaps."""
        count = int(labels.max()) + 1
        members = (labels == np.arange(count)[:, None]).astype(np.float64)
        return VoiceGroups(members @ self.sums, members @ self.seconds, members @ self.squares)

    @classmethod
    def joined(cls, parts: list[VoiceGroups]) -> VoiceGroups:
        """Return the groups of all parts, in order."""
        fields = zip(*((part.sums, part.seconds, part.squares) for part in parts), strict=True)
        return cls(*(np.concatenate(field) for field in fields))

    def part(self, chosen: slice) -> VoiceGroups:
        return VoiceGroups(self.sums[chosen], self.seconds[chosen], self.squares[chosen])

    def directions(self) -> NDArray[np.float64]:
        """Return the average voice of each group, of length 1."""
        return np.asarray(self.sums / np.maximum(np.linalg.norm(self.sums, axis=1, keepdims=True), 1e-9))

    def similarity(self, rows: slice | list[int], expected_within: float) -> NDArray[np.float64]:
        """Return float64[rows, n]: the similarity of these groups to all groups."""
        averages = self.sums / self.seconds[:, None]
        lengths = (self.sums**2).sum(axis=1) - self.squares
        pairs = self.seconds**2 - self.squares
        within = (lengths + expected_within * EXPECTATION_WEIGHT) / (pairs + EXPECTATION_WEIGHT)
        scale = np.sqrt(np.maximum(within, _LEAST_WITHIN))
        return np.asarray((averages[rows] @ averages.T) / (scale[rows, None] * scale))


@dataclass(frozen=True, slots=True)
class Merge:
    """Group `second` becomes part of group `first`; `similarity` is theirs, with the relief for short groups."""

    first: int
    second: int
    similarity: float


def merge_all(groups: VoiceGroups, same: SameSpeaker) -> list[Merge]:
    """Return the merges down to one group: first those that are certain, then with the relief for short groups."""
    certain = merge_closest(groups, replace(same, doubt_sec=0.0), stop=same.similarity)
    labels = labels_after(len(groups), certain)
    names = np.unique(labels, return_index=True)[1]
    doubtful = merge_closest(groups.join(labels), same)
    return certain + [Merge(int(names[each.first]), int(names[each.second]), each.similarity) for each in doubtful]


def merge_closest(groups: VoiceGroups, same: SameSpeaker, *, stop: float = -np.inf, least: int = 1) -> list[Merge]:
    """Merge the two most similar groups until `least` are left, or until none are as similar as `stop`.

    Takes memory for n * n similarities. Of equal ones, the first pair is merged.
    """
    current = VoiceGroups(groups.sums.copy(), groups.seconds.copy(), groups.squares.copy())
    similarity = current.similarity(slice(None), same.within)
    similarity += same.relief(np.minimum.outer(current.seconds, current.seconds))
    np.fill_diagonal(similarity, -np.inf)
    is_left = np.ones(len(groups), dtype=bool)
    merges: list[Merge] = []
    while len(groups) - len(merges) > least:
        first, second = sorted(int(index) for index in divmod(int(similarity.argmax()), len(groups)))
        found = float(similarity[first, second])
        if found < stop:
            break
        merges.append(Merge(first, second, found))
        for sums in (current.sums, current.seconds, current.squares):
            sums[first] += sums[second]
        is_left[second] = False
        (row,) = current.similarity([first], same.within)
        row += same.relief(np.minimum(current.seconds, current.seconds[first]))
        row[~is_left] = -np.inf
        row[first] = -np.inf
        similarity[first], similarity[:, first] = row, row
        similarity[second], similarity[:, second] = -np.inf, -np.inf
    return merges


def labels_after(count: int, merges: list[Merge]) -> NDArray[np.int64]:
    """Return int64[count]: the group of each of `count` after the merges, numbered by their first members."""
    parent = np.arange(count)
    for merge in merges:
        parent[parent == merge.second] = merge.first
    return np.unique(parent, return_inverse=True)[1].astype(np.int64)
