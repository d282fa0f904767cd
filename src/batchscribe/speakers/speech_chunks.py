"""Streams cut into chunks: a few seconds in which one speaker speaks alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.local_speakers import FRAME_SEC, STREAMS
from batchscribe.speakers.speaker_streams import Activity

LONGEST_PAUSE_SEC = 0.35  #: a longer pause may hide a speaker change that the windows missed
LONGEST_CHUNK_SEC = 4.0

_PAUSE_FRAMES = int(LONGEST_PAUSE_SEC / FRAME_SEC)
_CHUNK_FRAMES = int(LONGEST_CHUNK_SEC / FRAME_SEC)

Run = tuple[int, int]  #: first frame, and the frame after the last one


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """Runs of frames of one stream, in order."""

    stream: int
    runs: tuple[Run, ...]

    @property
    def frames(self) -> int:
        return sum(end - start for start, end in self.runs)

    @property
    def seconds(self) -> float:
        return self.frames * FRAME_SEC

    def after(self, frames: int) -> SpeechChunk:
        """Return the same chunk, that many frames later."""
        return SpeechChunk(self.stream, tuple((start + frames, end + frames) for start, end in self.runs))


def find_runs(active: NDArray[np.bool_]) -> list[Run]:
    """Return the runs of True in bool[n]."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def cut_chunks(activity: Activity) -> list[SpeechChunk]:
    """Return the chunks in the order of their first frames."""
    alone = activity.sum(axis=1) == 1
    chunks = [
        SpeechChunk(stream, part)
        for stream in range(STREAMS)
        for stretch in _stretches(activity, stream, find_runs(activity[:, stream] & alone))
        for part in _parts(stretch)
    ]
    return sorted(chunks, key=lambda chunk: (chunk.runs[0], chunk.stream))


def _stretches(activity: Activity, stream: int, runs: list[Run]) -> Iterator[list[Run]]:
    """Join runs with short pauses between them, if no other stream speaks alone in the pause."""
    others = activity.any(axis=1) & ~activity[:, stream]
    stretch = runs[:1]
    for (_, end), run in pairwise(runs):
        if run[0] - end > _PAUSE_FRAMES or others[end : run[0]].any():
            yield stretch
            stretch = []
        stretch.append(run)
    if stretch:
        yield stretch


def _parts(stretch: list[Run]) -> Iterator[tuple[Run, ...]]:
    """Divide frames into parts of about equal length, none longer than a chunk."""
    frames = np.concatenate([np.arange(start, end) for start, end in stretch])
    for part in np.array_split(frames, -(-len(frames) // _CHUNK_FRAMES)):
        breaks = np.flatnonzero(np.diff(part) > 1) + 1
        yield tuple((int(run[0]), int(run[-1]) + 1) for run in np.split(part, breaks))
