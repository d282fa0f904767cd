"""Streams, cut into chunks in which one speaker speaks alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from batchscribe.speakers.local_speakers import STREAMS
from batchscribe.speakers.speech_chunks import LONGEST_CHUNK_SEC, SpeechChunk, cut_chunks, find_runs


def activity(frames: int, *speech: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Each speech is a stream, its first frame, and the frame after its last one."""
    active = np.zeros((frames, STREAMS), dtype=bool)
    for stream, start, end in speech:
        active[start:end, stream] = True
    return active


@pytest.mark.parametrize(
    ("active", "runs"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 1], [(0, 2)]),
        ([0, 1, 1, 0, 1], [(1, 3), (4, 5)]),
    ],
)
def test_runs_are_found(active: list[int], runs: list[tuple[int, int]]) -> None:
    assert find_runs(np.array(active, dtype=bool)) == runs


def test_overlapping_speech_is_in_no_chunk() -> None:
    chunks = cut_chunks(activity(300, (0, 10, 100), (1, 80, 200)))
    assert chunks == [SpeechChunk(0, ((10, 80),)), SpeechChunk(1, ((100, 200),))]


def test_a_short_pause_stays_within_a_chunk_and_a_long_one_ends_it() -> None:
    assert cut_chunks(activity(200, (0, 10, 50), (0, 60, 100))) == [SpeechChunk(0, ((10, 50), (60, 100)))]
    assert cut_chunks(activity(200, (0, 10, 50), (0, 90, 130))) == [
        SpeechChunk(0, ((10, 50),)),
        SpeechChunk(0, ((90, 130),)),
    ]


def test_a_pause_in_which_another_stream_speaks_ends_a_chunk() -> None:
    chunks = cut_chunks(activity(200, (0, 10, 50), (1, 52, 58), (0, 60, 100)))
    assert [chunk.stream for chunk in chunks] == [0, 1, 0]


def test_long_speech_is_cut_into_equal_parts_that_lose_no_frame() -> None:
    chunks = cut_chunks(activity(1000, (2, 0, 400), (2, 410, 1000)))
    assert all(chunk.seconds <= LONGEST_CHUNK_SEC for chunk in chunks)
    assert max(chunk.frames for chunk in chunks) - min(chunk.frames for chunk in chunks) <= 1
    covered = [frame for chunk in chunks for start, end in chunk.runs for frame in range(start, end)]
    assert covered == [*range(400), *range(410, 1000)]


def test_a_chunk_moves_with_its_section() -> None:
    assert SpeechChunk(1, ((3, 5), (7, 9))).after(10) == SpeechChunk(1, ((13, 15), (17, 19)))
