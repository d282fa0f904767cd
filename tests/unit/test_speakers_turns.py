"""Speaker turns, from the activity of streams and the speakers of their chunks."""

from __future__ import annotations

import numpy as np
import pytest

from batchscribe.speakers.local_speakers import FRAME_SEC, STREAMS
from batchscribe.speakers.speech_chunks import cut_chunks
from batchscribe.speakers.turn_building import build_turns
from batchscribe.window import SpeakerTurn

START_SEC = 0.0225  #: of frame 0: its center less half a frame


def turns(*speech: tuple[int, int, int], speakers: list[int], duration_sec: float = 60.0) -> tuple[SpeakerTurn, ...]:
    """Each speech is a stream, its first frame, and the frame after its last one; one speaker for each chunk."""
    activity = np.zeros((1000, STREAMS), dtype=bool)
    for stream, start, end in speech:
        activity[start:end, stream] = True
    return build_turns(activity, cut_chunks(activity), np.array(speakers, dtype=np.int64), duration_sec)


def frames(turn: SpeakerTurn) -> tuple[int, int, int]:
    first, end = ((second - START_SEC) / FRAME_SEC for second in (turn.start_sec, turn.end_sec))
    return round(first), round(end), turn.speaker


def test_speakers_are_numbered_in_the_order_in_which_they_appear() -> None:
    found = turns((0, 100, 200), (1, 300, 400), (0, 500, 600), speakers=[4, 2, 4])
    assert [frames(turn) for turn in found] == [(100, 200, 0), (300, 400, 1), (500, 600, 0)]


def test_speech_over_another_speaker_belongs_to_the_nearest_chunk_of_its_stream() -> None:
    found = turns((0, 100, 300), (1, 250, 400), speakers=[0, 1])
    assert [frames(turn) for turn in found] == [(100, 300, 0), (250, 400, 1)]


def test_a_short_gap_of_one_speaker_is_closed_and_a_long_one_is_not() -> None:
    assert [frames(turn) for turn in turns((0, 100, 200), (0, 210, 300), speakers=[0])] == [(100, 300, 0)]
    assert len(turns((0, 100, 200), (0, 240, 300), speakers=[0, 0])) == 2


def test_speech_shorter_than_a_fifth_of_a_second_is_no_turn() -> None:
    assert turns((0, 100, 110), speakers=[0]) == ()


def test_no_turn_ends_after_the_recording() -> None:
    (turn,) = turns((0, 100, 200), speakers=[0], duration_sec=3.0)
    assert turn.end_sec == pytest.approx(3.0)


def test_speech_without_chunks_has_no_speaker() -> None:
    assert turns((0, 100, 300), (1, 100, 300), speakers=[]) == ()
