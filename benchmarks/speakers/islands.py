"""The reference times: where a clean recording has speech, by its energy alone, without any model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np

from batchscribe.window import SAMPLE_RATE, Samples

FRAME_SEC = 0.02
HOP_SEC = 0.01
#: Between the quietest and the loudest frames (5th and 95th percentile, in decibels).
SPEECH_ABOVE = 0.4
SHORTEST_PAUSE_SEC = 0.25
SHORTEST_ISLAND_SEC = 0.1
MARGIN_SEC = 0.05

Island = tuple[float, float]


def find_islands(sound: Samples) -> list[Island]:
    """Return (start, end) in seconds of speech, without pauses of a quarter of a second or more."""
    frame, hop = int(FRAME_SEC * SAMPLE_RATE), int(HOP_SEC * SAMPLE_RATE)
    if len(sound) <= frame:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(sound, frame)[::hop]
    decibels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    quiet, loud = np.percentile(decibels, [5, 95])
    islands: list[Island] = []
    for start in np.flatnonzero(decibels > quiet + SPEECH_ABOVE * (loud - quiet)) * HOP_SEC:
        is_near = bool(islands) and start - islands[-1][1] < SHORTEST_PAUSE_SEC
        islands.append((islands.pop()[0] if is_near else float(start), float(start) + FRAME_SEC))
    return [(start, end) for start, end in islands if end - start > SHORTEST_ISLAND_SEC]


def cut_at_pauses(sound: Samples, lengths_sec: Sequence[float]) -> Iterator[Samples]:
    """Cut into turns that end at pauses; each as long as the islands allow, up to its length in `lengths_sec`."""
    lengths = cycle(lengths_sec)
    length, turns = next(lengths), list[Island]()
    for start, end in find_islands(sound):
        if turns and end - turns[-1][0] <= length:
            turns[-1] = (turns[-1][0], end)
        else:
            turns.append((start, end))
            length = next(lengths)
    for start, end in turns:
        yield sound[max(0, int((start - MARGIN_SEC) * SAMPLE_RATE)) : int((end + MARGIN_SEC) * SAMPLE_RATE)]
