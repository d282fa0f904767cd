"""Windows of local speakers, joined into streams."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchscribe.speakers.local_speakers import STREAMS, WINDOW_FRAMES
from batchscribe.speakers.speaker_streams import STEP_FRAMES, SpeakerStreams

TRUTH_FRAMES = 2 * STEP_FRAMES + WINDOW_FRAMES


def truth() -> NDArray[np.float32]:
    """Three speakers; wherever windows overlap, at least one of them speaks."""
    activity = np.zeros((TRUTH_FRAMES, STREAMS), dtype=np.float32)
    activity[30:500, 0] = 1.0
    activity[480:950, 1] = 1.0
    activity[900:1400, 2] = 1.0
    return activity


def join(windows: list[NDArray[np.float32]]) -> NDArray[np.bool_]:
    streams = SpeakerStreams()
    return np.concatenate([*(streams.add(window) for window in windows), streams.rest()])


def test_windows_join_into_the_activity_that_they_were_cut_from() -> None:
    activity = truth()
    windows = [activity[first : first + WINDOW_FRAMES] for first in range(0, 2 * STEP_FRAMES + 1, STEP_FRAMES)]
    np.testing.assert_array_equal(join(windows), activity > 0.5)


def test_the_order_of_speakers_within_a_window_does_not_matter() -> None:
    activity = truth()
    windows = [activity[first : first + WINDOW_FRAMES] for first in range(0, 2 * STEP_FRAMES + 1, STEP_FRAMES)]
    shuffled = [windows[0], windows[1][:, [2, 0, 1]], windows[2][:, [1, 2, 0]]]
    np.testing.assert_array_equal(join(shuffled), join(windows))


def test_a_recording_without_windows_has_no_activity() -> None:
    assert SpeakerStreams().rest().shape == (0, STREAMS)


def test_where_windows_disagree_the_one_with_the_frame_nearer_to_its_middle_decides() -> None:
    first, second = np.zeros((2, WINDOW_FRAMES, STREAMS), dtype=np.float32)
    second[:, 0] = 1.0
    joined = join([first, second])
    middle_of_overlap = (STEP_FRAMES + WINDOW_FRAMES) // 2
    assert not joined[middle_of_overlap - 20].any()
    assert joined[middle_of_overlap + 20].any()
