"""Speaker turns, built from the speakers of all chunks and the activity of the streams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.local_speakers import FRAME_CENTER, FRAME_HOP, FRAME_SEC, STREAMS
from batchscribe.speakers.speaker_streams import Activity
from batchscribe.speakers.speech_chunks import SpeechChunk, find_runs
from batchscribe.window import SAMPLE_RATE, SpeakerTurn

SHORTEST_TURN_SEC = 0.2
SHORTEST_GAP_SEC = 0.3  #: between two turns of one speaker

_FIRST_FRAME_SEC = (FRAME_CENTER - FRAME_HOP / 2) / SAMPLE_RATE


def build_turns(
    activity: Activity, chunks: Sequence[SpeechChunk], speakers: NDArray[np.int64], duration_sec: float
) -> tuple[SpeakerTurn, ...]:
    """Return the turns, sorted by start. Speakers are numbered in the order in which they appear."""
    owners = _owners(activity, chunks, speakers)
    found = sorted(
        (start_sec, min(end_sec, duration_sec), speaker)
        for speaker in range(int(speakers.max(initial=-1)) + 1)
        for start_sec, end_sec in _turns((owners == speaker).any(axis=1))
        if min(end_sec, duration_sec) - start_sec >= SHORTEST_TURN_SEC
    )
    order = {speaker: number for number, speaker in enumerate(dict.fromkeys(speaker for _, _, speaker in found))}
    return tuple(SpeakerTurn(start_sec, end_sec, order[speaker]) for start_sec, end_sec, speaker in found)


def _owners(activity: Activity, chunks: Sequence[SpeechChunk], speakers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64[n_frames, STREAMS]: the speaker of each stream in each frame, -1 without speech.

    What is in no chunk, such as speech over another speaker, belongs to the speaker of the nearest chunk of its stream.
    """
    owners = np.full(activity.shape, -1, dtype=np.int64)
    for chunk, speaker in zip(chunks, speakers, strict=True):
        for start, end in chunk.runs:
            owners[start:end, chunk.stream] = speaker
    for stream in range(STREAMS):
        known = np.flatnonzero(owners[:, stream] >= 0)
        missing = np.flatnonzero(activity[:, stream] & (owners[:, stream] < 0))
        if len(known) and len(missing):
            owners[missing, stream] = owners[_nearest(known, missing), stream]
    return owners


def _nearest(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    after = np.searchsorted(known, wanted)
    left, right = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
    return np.where(np.abs(wanted - left) <= np.abs(right - wanted), left, right)


def _turns(active: NDArray[np.bool_]) -> list[tuple[float, float]]:
    turns: list[tuple[float, float]] = []
    for first, end in find_runs(active):
        start_sec, end_sec = (_FIRST_FRAME_SEC + frame * FRAME_SEC for frame in (first, end))
        is_near = bool(turns) and start_sec - turns[-1][1] < SHORTEST_GAP_SEC
        turns.append((turns.pop()[0] if is_near else start_sec, end_sec))
    return turns
