"""How many frames of a window are encoded."""

from __future__ import annotations

import numpy as np
import pytest

from batchscribe.speech.whisper_listen import frames_for
from batchscribe.window import SAMPLE_RATE, Window


@pytest.mark.parametrize(
    ("duration_sec", "length_sec"),
    [(0.1, 10), (8.0, 10), (8.1, 15), (13.0, 15), (13.1, 20), (18.0, 20), (18.1, 30), (28.0, 30), (30.0, 30)],
)
def test_a_window_gets_the_shortest_length_with_two_seconds_of_silence(duration_sec: float, length_sec: int) -> None:
    window = Window(0, 0.0, np.zeros(round(duration_sec * SAMPLE_RATE), np.float32))
    assert frames_for(window) == 100 * length_sec
